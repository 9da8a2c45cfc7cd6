package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// Config says how a function runs.
type Config struct {
	Name      string // the function's name
	ARN       string
	Region    string
	Bootstrap string // the path of the program
	Handler   string // what the template calls the handler: a custom runtime may ignore it
	MemoryMiB int    // told to the function, not enforced

	// Environment are the function's own variables. Those that Lambda reserves are refused.
	Environment map[string]string
	Credentials Credentials

	Timeout time.Duration // of one invocation; Lambda's default is 3 s

	// Retries are the waits before a failed asynchronous event is tried again; nil means [LambdaRetries].
	Retries []time.Duration

	// Network is where the function runs; nil means this machine's own network, off which it is kept.
	Network Network

	// Log gets what the function writes to stdout and stderr, and a line where Lambda would write one; nil drops it.
	// What the function wrote may come after its answer.
	Log io.Writer
}

// Network is a network other than this machine's own.
type Network interface {
	// Listen makes a listener of this process there.
	Listen(network, address string) (net.Listener, error)
	// Command prepares a program that runs there.
	Command(ctx context.Context, name string, args ...string) *exec.Cmd
}

// Credentials are what the function's role gives it.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// LambdaRetries are the waits before the second and third try of an asynchronous event ("How Lambda handles errors and
// retries with asynchronous invocation", AWS Lambda Developer Guide).
func LambdaRetries() []time.Duration { return []time.Duration{time.Minute, 2 * time.Minute} }

// initTimeout is how long a function may take until it asks for its first event ("Lambda execution environment").
const initTimeout = 10 * time.Second

// Error is a failed invocation: the function answered an error, ended, or took too long.
type Error struct {
	Type    string // such as "Runtime.ExitError", "Sandbox.Timedout", or the Go type of the handler's error
	Message string
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// ErrClosed is the error of invoking a function after Close.
var ErrClosed = errors.New("the function was closed")

// Function is a deployed function. It starts its program at the first event, and a second one only for an event that
// comes while the first is busy.
type Function struct {
	config Config
	dir    string // the function's /tmp
	log    *lineWriter

	mu        sync.Mutex
	closed    bool
	idle      []*sandbox
	sandboxes map[*sandbox]bool
	starts    int
	maxRSS    int64

	background sync.WaitGroup
	ctx        context.Context
	stop       context.CancelFunc
}

// New checks the config and makes the function ready. It starts nothing yet. Close removes what it leaves behind.
func New(config Config) (*Function, error) {
	if info, err := os.Stat(config.Bootstrap); err != nil {
		return nil, fmt.Errorf("the function %s: its program cannot be read: %w", config.Name, err)
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the function %s: its program %s is no file", config.Name, config.Bootstrap)
	}
	for name := range config.Environment {
		if reserved(name) {
			return nil, fmt.Errorf("the function %s: Lambda reserves the environment variable %s, and refuses it in a template", config.Name, name)
		}
	}
	if config.Timeout == 0 {
		config.Timeout = 3 * time.Second
	}
	if config.Timeout < 0 || config.Timeout > 15*time.Minute {
		return nil, fmt.Errorf("the function %s: its timeout of %v is not within Lambda's 15 minutes", config.Name, config.Timeout)
	}
	if config.Retries == nil {
		config.Retries = LambdaRetries()
	}
	if config.Log == nil {
		config.Log = io.Discard
	}
	bootstrap, err := filepath.Abs(config.Bootstrap)
	if err != nil {
		return nil, err
	}
	config.Bootstrap = bootstrap
	dir, err := os.MkdirTemp("", "drawbridge-lambda-")
	if err != nil {
		return nil, err
	}
	f := &Function{config: config, dir: dir, log: &lineWriter{w: config.Log}, sandboxes: map[*sandbox]bool{}}
	f.ctx, f.stop = context.WithCancel(context.Background())
	return f, nil
}

// Config is how the function runs.
func (f *Function) Config() Config { return f.config }

// Starts is how many times the program was started.
func (f *Function) Starts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.starts
}

// MaxRSS is the most memory, in bytes, that the program was seen to have resident; 0 where the system does not tell.
func (f *Function) MaxRSS() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.maxRSS
}

// Invoke runs the function once, as a synchronous invocation does, and returns what it answered. An [Error] says that
// the function failed.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	return f.invoke(ctx, newRequestID(), event)
}

func (f *Function) invoke(ctx context.Context, requestID string, event []byte) ([]byte, error) {
	s, err := f.take()
	if err != nil {
		return nil, err
	}
	answer, warm, err := s.invoke(ctx, requestID, event)
	f.mu.Lock()
	f.maxRSS = max(f.maxRSS, s.maxRSS)
	if warm && !f.closed {
		f.idle = append(f.idle, s)
		f.mu.Unlock()
		return answer, err
	}
	delete(f.sandboxes, s)
	f.mu.Unlock()
	s.close()
	return answer, err
}

// take is a warm sandbox, or a new one.
func (f *Function) take() (*sandbox, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.idle) > 0 && !f.closed {
		s := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if s.alive() {
			return s, nil
		}
		delete(f.sandboxes, s)
		s.close()
	}
	if f.closed {
		return nil, ErrClosed
	}
	s, err := startSandbox(&f.config, f.dir, f.log)
	if err != nil {
		return nil, fmt.Errorf("the function %s cannot be started: %w", f.config.Name, err)
	}
	f.sandboxes[s] = true
	f.starts++
	return s, nil
}

// Close ends every program and waiting retry, and removes the function's files.
func (f *Function) Close() error {
	f.mu.Lock()
	f.closed = true
	running := f.sandboxes
	f.sandboxes, f.idle = map[*sandbox]bool{}, nil
	f.mu.Unlock()
	f.stop()
	for s := range running {
		s.close()
	}
	f.background.Wait()
	return os.RemoveAll(f.dir)
}
