package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"drawbridge/internal/lockedbuffer"
	"drawbridge/rehearsal/internal/testfunction"
)

func TestMain(m *testing.M) { testfunction.Main(m) }

// log collects what a function writes.
type log struct{ lockedbuffer.Buffer }

func (l *log) waitFor(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(l.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not hold %q: %s", text, l.String())
		}
	}
}

// start makes a function with some settings changed.
func start(t *testing.T, change func(*Config)) *Function {
	t.Helper()
	testfunction.NoLeftovers(t)
	config := Config{
		Name: "test", ARN: "arn:aws:lambda:eu-west-1:123456789012:function:test", Region: "eu-west-1",
		Bootstrap: testfunction.Bootstrap(t), Handler: "bootstrap", MemoryMiB: 256, Timeout: 30 * time.Second,
		Retries: []time.Duration{time.Millisecond, time.Millisecond},
	}
	if change != nil {
		change(&config)
	}
	f, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func do(f *Function, what string) (string, error) {
	answer, err := f.Invoke(context.Background(), []byte(`{"Do":"`+what+`"}`))
	return string(answer), err
}

func wantType(t *testing.T, err error, want string) {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Type != want {
		t.Errorf("the error is %v, want one of the type %s", err, want)
	}
}

func TestInvoke(t *testing.T) {
	f := start(t, nil)
	if f.Starts() != 0 {
		t.Error("the program runs before the first event")
	}
	t.Run("gives what the function answered", func(t *testing.T) {
		if answer, err := do(f, "echo"); err != nil || answer != `{"Do":"echo"}` {
			t.Errorf("%q, %v", answer, err)
		}
	})
	t.Run("keeps the program warm", func(t *testing.T) {
		for range 3 {
			if _, err := do(f, "count"); err != nil {
				t.Fatal(err)
			}
		}
		if answer, _ := do(f, "count"); answer != "5" || f.Starts() != 1 {
			t.Errorf("the program counts %s calls and was started %d times", answer, f.Starts())
		}
	})
	t.Run("tells id, ARN and deadline", func(t *testing.T) {
		answer, err := do(f, "context")
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			RequestID, ARN string
			LeftSeconds    float64
		}
		if err := json.Unmarshal([]byte(answer), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.RequestID) != 36 || got.ARN != f.Config().ARN || got.LeftSeconds > 30 || got.LeftSeconds < 1 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("an error of the handler leaves the program warm", func(t *testing.T) {
		_, err := do(f, "fail")
		wantType(t, err, "errorString")
		if !strings.Contains(err.Error(), "failed as told") || f.Starts() != 1 {
			t.Errorf("%v; %d starts", err, f.Starts())
		}
	})
	t.Run("knows the program's memory", func(t *testing.T) {
		if rss := f.MaxRSS(); runtime.GOOS == "linux" && (rss < 1<<20 || rss > 200<<20) {
			t.Errorf("%d bytes", rss)
		}
	})
	t.Run("at the same time starts a second program", func(t *testing.T) {
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if _, err := do(f, "count"); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if f.Starts() > 4 {
			t.Errorf("%d starts", f.Starts())
		}
	})
}

func TestEnvironmentIsLambdasAlone(t *testing.T) {
	t.Setenv("SECRET_OF_THE_PARENT", "x")
	t.Setenv("AWS_PROFILE", "production")
	f := start(t, func(c *Config) {
		c.Environment = map[string]string{"MINE": "yes"}
		c.Credentials = Credentials{"ASIAX", "secret", "token"}
	})
	answer, err := do(f, "environment")
	if err != nil {
		t.Fatal(err)
	}
	var variables []string
	if err := json.Unmarshal([]byte(answer), &variables); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MINE=yes", "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=ASIAX", "AWS_SESSION_TOKEN=token", "AWS_LAMBDA_FUNCTION_NAME=test", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "_HANDLER=bootstrap"} {
		if !slices.Contains(variables, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, variable := range variables {
		if name, _, _ := strings.Cut(variable, "="); name == "SECRET_OF_THE_PARENT" || name == "AWS_PROFILE" || name == "HOME" {
			t.Errorf("%s came through", name)
		}
	}
}

func TestFunctionThatDies(t *testing.T) {
	for what, want := range map[string]string{"panic": "string", "exit": "Runtime.ExitError", "large": "Function.ResponseSizeTooLarge"} {
		t.Run(what, func(t *testing.T) {
			f := start(t, nil)
			_, err := do(f, what)
			wantType(t, err, want)
			if _, err := do(f, "echo"); err != nil {
				t.Errorf("the next event: %v", err)
			}
		})
	}
	t.Run("at its start", func(t *testing.T) {
		var l log
		f := start(t, func(c *Config) { c.Environment, c.Log = map[string]string{"CRASH_AT_START": "1"}, &l })
		_, err := do(f, "echo")
		wantType(t, err, "Runtime.ExitError")
		l.waitFor(t, "crashing at the start")
	})
	t.Run("is killed at its timeout, and started anew", func(t *testing.T) {
		f := start(t, func(c *Config) { c.Timeout = 300 * time.Millisecond })
		_, err := do(f, "hang")
		wantType(t, err, "Sandbox.Timedout")
		if answer, err := do(f, "count"); err != nil || answer != "1" || f.Starts() != 2 {
			t.Errorf("%q, %v, %d starts", answer, err, f.Starts())
		}
	})
	t.Run("never: Close ends what hangs", func(t *testing.T) {
		f := start(t, nil)
		failed := make(chan error)
		go func() { _, err := do(f, "hang"); failed <- err }()
		for f.Starts() == 0 {
			time.Sleep(time.Millisecond)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if err := <-failed; !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		if _, err := do(f, "echo"); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
	t.Run("a caller who gives up gets his own error", func(t *testing.T) {
		f := start(t, nil)
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		if _, err := f.Invoke(ctx, []byte(`{"Do":"hang"}`)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestAsync(t *testing.T) {
	t.Run("a failed event is tried three times", func(t *testing.T) {
		var l log
		f := start(t, func(c *Config) { c.Log = &l })
		i := f.InvokeAsync([]byte(`{"Do":"fail"}`))
		<-i.Done
		if errs := i.Errors(); len(errs) != 3 || errs[0] == nil || errs[2] == nil {
			t.Errorf("%v", errs)
		}
		if !strings.Contains(l.String(), i.RequestID+" failed 3 times") {
			t.Errorf("the log does not say that the event was dropped: %s", l.String())
		}
	})
	t.Run("an event that goes well is not repeated", func(t *testing.T) {
		f := start(t, nil)
		i := f.InvokeAsync([]byte(`{"Do":"count"}`))
		<-i.Done
		if errs := i.Errors(); len(errs) != 1 || errs[0] != nil {
			t.Errorf("%v", errs)
		}
	})
	t.Run("Close ends the wait for the next try", func(t *testing.T) {
		f := start(t, func(c *Config) { c.Retries = LambdaRetries() })
		i := f.InvokeAsync([]byte(`{"Do":"fail"}`))
		for f.Starts() == 0 {
			time.Sleep(time.Millisecond)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		<-i.Done
		if len(i.Errors()) != 1 {
			t.Errorf("%v", i.Errors())
		}
		<-f.InvokeAsync(nil).Done
	})
}

func TestFunctionIsKeptOffThisMachine(t *testing.T) {
	var l log
	f := start(t, func(c *Config) { c.Log = &l })
	if _, err := do(f, "internet"); err == nil {
		t.Error("it reached AWS")
	}
	l.waitFor(t, "refused: the function asked for secretsmanager.eu-west-1.amazonaws.com")
	if _, err := do(f, "temporary file"); err != nil {
		t.Error(err) // NoLeftovers looks for the file
	}
	if _, err := do(f, "log"); err != nil {
		t.Error(err)
	}
	// What a program writes comes through a pipe, and may come after its answer.
	l.waitFor(t, "to stdout")
	l.waitFor(t, "to stderr")
}

func TestConfigThatLambdaRefuses(t *testing.T) {
	testfunction.NoLeftovers(t)
	for want, config := range map[string]Config{
		"cannot be read": {Bootstrap: filepath.Join(t.TempDir(), "absent")},
		"is no file":     {Bootstrap: t.TempDir()},
		"AWS_REGION":     {Bootstrap: testfunction.Bootstrap(t), Environment: map[string]string{"AWS_REGION": "x"}},
		"15 minutes":     {Bootstrap: testfunction.Bootstrap(t), Timeout: 16 * time.Minute},
	} {
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want something about %q", err, want)
		}
	}
}

func TestProgramThatCannotRun(t *testing.T) {
	script := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(script, []byte("no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := start(t, func(c *Config) { c.Bootstrap = script })
	if _, err := do(f, "echo"); err == nil || !strings.Contains(err.Error(), "cannot be started") {
		t.Errorf("%v", err)
	}
}

// A runtime that breaks the protocol is told so.
func TestAPIRefuses(t *testing.T) {
	s := &sandbox{config: &Config{Name: "test"}, log: &lineWriter{w: io.Discard}, asked: make(chan struct{}, 1), closed: make(chan struct{})}
	i := &invocation{requestID: "1", answered: make(chan struct{})}
	s.setCurrent(i)
	post := func(path string) int {
		w := recorder{header: http.Header{}}
		r, _ := http.NewRequest(http.MethodPost, "/2018-06-01/runtime/"+path, strings.NewReader(`{"errorType":"E","errorMessage":"m"}`))
		s.handler().ServeHTTP(&w, r)
		return w.status
	}
	for _, step := range []struct {
		path string
		want int
	}{
		{"invocation/2/response", http.StatusBadRequest},
		{"invocation/1/error", http.StatusAccepted},
		{"invocation/1/response", http.StatusBadRequest},
		{"invocation/1/else", http.StatusNotFound},
		{"init/error", http.StatusAccepted},
	} {
		if got := post(step.path); got != step.want {
			t.Errorf("%s: status %d, want %d", step.path, got, step.want)
		}
	}
	if i.err == nil || i.err.Error() != "E: m" || s.initErr == nil {
		t.Errorf("the error was lost: %v, %v", i.err, s.initErr)
	}
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}
func (r *recorder) Write(text []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return len(text), nil
}
