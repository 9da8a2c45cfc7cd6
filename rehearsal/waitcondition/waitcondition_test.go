package waitcondition

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/notrun"
)

const stack = "arn:aws:cloudformation:eu-west-1:123456789012:stack/drawbridge-dev-Bastion/8ba4f1a0"

func start(t *testing.T) (*Server, *Handle) {
	t.Helper()
	s, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, s.NewHandle(stack, "Ready")
}

func send(t *testing.T, method, url, body string, headers ...string) (status int) {
	t.Helper()
	var content io.Reader = strings.NewReader(body)
	if body == "chunked" {
		content = io.MultiReader(content)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, content)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestSignalsAreTaken(t *testing.T) {
	s, h := start(t)
	other := s.NewHandle(stack, "Ready")
	for _, signal := range []string{
		`{"Status":"SUCCESS","Reason":"set up","UniqueId":"i-1","Data":"warning: \"x\""}`,
		`{"Status":"FAILURE","Reason":"again","UniqueId":"i-1","Data":""}`,
		`{"UniqueId":"i-2","Data":"d","Status":"SUCCESS","Reason":""}` + "\n",
	} {
		if status := send(t, http.MethodPut, h.URL, signal); status != http.StatusOK {
			t.Errorf("%s: %d", signal, status)
		}
	}
	want := []Signal{{Success, "set up", "i-1", `warning: "x"`}, {Success, "", "i-2", "d"}}
	if got := h.Signals(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if len(other.Signals()) > 0 || len(s.Refusals()) > 0 {
		t.Errorf("%v, %v", other.Signals(), s.Refusals())
	}
}

func TestWhatIsNoSignalIsRefused(t *testing.T) {
	s, h := start(t)
	const good = `{"Status":"SUCCESS","Reason":"r","UniqueId":"i","Data":"d"}`
	for name, test := range map[string]struct {
		method, url, body, contentType string
		status                         int
		why                            string
	}{
		"not JSON":             {"PUT", h.URL, "SUCCESS", "", 400, "not a JSON object"},
		"an array":             {"PUT", h.URL, "[]", "", 400, "not a JSON object"},
		"two objects":          {"PUT", h.URL, good + good, "", 400, "something follows"},
		"a field too many":     {"PUT", h.URL, `{"Status":"SUCCESS","Reason":"r","UniqueId":"i","Data":"d","More":""}`, "", 400, "alone"},
		"a number":             {"PUT", h.URL, `{"Status":"SUCCESS","Reason":"r","UniqueId":1,"Data":"d"}`, "", 400, "texts"},
		"no reason":            {"PUT", h.URL, `{"Status":"SUCCESS","UniqueId":"i","Data":"d"}`, "", 400, "no Reason"},
		"another status":       {"PUT", h.URL, `{"Status":"FAILED","Reason":"r","UniqueId":"i","Data":"d"}`, "", 400, "FAILED"},
		"an empty id":          {"PUT", h.URL, `{"Status":"SUCCESS","Reason":"r","UniqueId":"","Data":"d"}`, "", 400, "UniqueId is empty"},
		"too much data":        {"PUT", h.URL, `{"Status":"SUCCESS","Reason":"r","UniqueId":"i","Data":"` + strings.Repeat("d", 4097) + `"}`, "", 400, "4097 bytes"},
		"by POST":              {"POST", h.URL, good, "", 403, "by PUT"},
		"with a content type":  {"PUT", h.URL, good, "application/json", 403, "Content-Type"},
		"without a length":     {"PUT", h.URL, "chunked", "", 411, "Content-Length"},
		"to a wrong signature": {"PUT", h.URL + "0", good, "", 403, "no wait condition handle"},
		"to no signature":      {"PUT", h.URL[:strings.Index(h.URL, "?")], good, "", 403, "no wait condition handle"},
		"to another handle":    {"PUT", strings.Replace(h.URL, "Ready", "Other", 1), good, "", 403, "no wait condition handle"},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			if test.contentType != "" {
				headers = []string{"Content-Type", test.contentType}
			}
			if status := send(t, test.method, test.url, test.body, headers...); status != test.status {
				t.Errorf("%d, want %d", status, test.status)
			}
			refusals := s.Refusals()
			if last := refusals[len(refusals)-1]; !strings.Contains(last, test.why) || strings.Contains(last, "X-Amz-Signature") {
				t.Errorf("%q, want something about %q", last, test.why)
			}
		})
	}
	s.Delete(h)
	if status := send(t, http.MethodPut, h.URL, good); status != http.StatusForbidden {
		t.Errorf("to a handle that was deleted: %d", status)
	}
	if got := h.Signals(); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

func TestCurlSendsASignal(t *testing.T) {
	program, err := exec.LookPath("curl")
	if err != nil {
		notrun.Because(t, "curl is missing")
	}
	_, h := start(t)
	command := exec.CommandContext(t.Context(), program, "--silent", "--show-error", "--fail", "--request", "PUT", "--header", "Content-Type:",
		"--data-binary", `{"Status":"FAILURE","Reason":"r","UniqueId":"i","Data":""}`, h.URL)
	if output, err := command.CombinedOutput(); err != nil || len(h.Signals()) != 1 {
		t.Errorf("%v, %s", err, output)
	}
}

func TestWaiting(t *testing.T) {
	success := func(id string) Signal { return Signal{Success, "", id, "data of " + id} }
	wait := func(t *testing.T, count int, timeout time.Duration, signals ...Signal) (string, error) {
		t.Helper()
		_, h := start(t)
		go func() {
			for _, s := range signals {
				if err := h.Send(s); err != nil {
					t.Error(err)
				}
			}
		}()
		return h.Wait(t.Context(), count, timeout)
	}
	if data, err := wait(t, 2, time.Minute, success("b"), success("b"), success("a")); err != nil || data != `{"a":"data of a","b":"data of b"}` {
		t.Errorf("%s, %v", data, err)
	}
	if _, err := wait(t, 2, time.Minute, success("a"), Signal{Failure, "no disk", "b", ""}); err == nil || !strings.Contains(err.Error(), "no disk") {
		t.Errorf("a signal of failure: %v", err)
	}
	if _, err := wait(t, 2, 50*time.Millisecond, success("a")); err == nil || !strings.Contains(err.Error(), "timed out") {
		t.Errorf("too few signals: %v", err)
	}
	_, h := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Wait(ctx, 1, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
