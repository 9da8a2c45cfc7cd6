package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"drawbridge/internal/child"
)

// sandbox is one running program and the Runtime API that it alone talks to. It takes one event at a time.
type sandbox struct {
	config   *Config
	log      *lineWriter
	server   *http.Server
	process  *child.Process
	maxRSS   int64
	shutdown sync.Once

	events chan *invocation // handed to the program when it asks for the next one
	asked  chan struct{}    // gets a token each time that it asks
	closed chan struct{}

	mu      sync.Mutex
	current *invocation
	initErr *Error
}

// invocation is an event in the program's hands.
type invocation struct {
	requestID string
	event     []byte
	deadline  time.Time
	answered  chan struct{} // closed when the program posted its answer

	answer []byte
	err    error
}

func startSandbox(config *Config, dir string, log *lineWriter) (*sandbox, error) {
	listen, command := net.Listen, exec.CommandContext
	if config.Network != nil {
		listen, command = config.Network.Listen, config.Network.Command
	}
	listener, err := listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sandbox{
		config: config,
		log:    log,
		events: make(chan *invocation),
		asked:  make(chan struct{}, 1),
		closed: make(chan struct{}),
	}
	s.server = &http.Server{Handler: s.handler(), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(listener) }() // ends with close

	cmd := command(context.Background(), config.Bootstrap)
	cmd.Dir = filepath.Dir(config.Bootstrap)
	cmd.Env = environment(config, listener.Addr().String(), dir)
	cmd.Stdout, cmd.Stderr = log, log
	// A program that the function started may hold its output open.
	cmd.WaitDelay = time.Second
	if s.process, err = child.Start(cmd); err != nil {
		_ = s.server.Close()
		return nil, err
	}
	return s, nil
}

func (s *sandbox) alive() bool {
	select {
	case <-s.process.Exited:
		return false
	default:
		return true
	}
}

// close kills the program and waits until it is gone.
func (s *sandbox) close() {
	s.shutdown.Do(func() {
		close(s.closed)
		_ = s.process.Kill() // it may have ended by itself
		<-s.process.Exited
		_ = s.server.Close()
	})
}

// invoke hands one event to the program. warm says whether it can take another one.
func (s *sandbox) invoke(ctx context.Context, requestID string, event []byte) (answer []byte, warm bool, err error) {
	defer func() { s.maxRSS = max(s.maxRSS, residentPeak(s.process.Pid)) }()
	i := &invocation{requestID: requestID, event: event, answered: make(chan struct{})}

	starting := time.NewTimer(initTimeout)
	defer starting.Stop()
	select {
	case <-s.asked:
	case <-s.process.Exited:
		return nil, false, s.exitError(requestID)
	case <-starting.C:
		return nil, false, s.failed(requestID, "Sandbox.Timedout", fmt.Sprintf("it did not ask for an event within %v of its start", initTimeout))
	case <-s.closed:
		return nil, false, ErrClosed
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}

	i.deadline = time.Now().Add(s.config.Timeout)
	running := time.NewTimer(s.config.Timeout)
	defer running.Stop()
	s.setCurrent(i)
	defer s.setCurrent(nil)
	select {
	case s.events <- i:
	case <-s.process.Exited:
		return nil, false, s.exitError(requestID)
	case <-running.C:
		return nil, false, s.failed(requestID, "Sandbox.Timedout", "it asked for an event and did not take it")
	case <-s.closed:
		return nil, false, ErrClosed
	}
	select {
	case <-i.answered:
	case <-s.process.Exited:
		// It may have answered and ended before this looked.
		select {
		case <-i.answered:
			return i.answer, false, i.err
		default:
			return nil, false, s.exitError(requestID)
		}
	case <-running.C:
		return nil, false, s.failed(requestID, "Sandbox.Timedout", fmt.Sprintf("Task timed out after %v", s.config.Timeout))
	case <-s.closed:
		return nil, false, ErrClosed
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	// An invocation is over when the program asks for the next event.
	select {
	case <-s.asked:
		s.asked <- struct{}{}
		return i.answer, true, i.err
	case <-s.process.Exited:
	case <-running.C:
		s.log.line("%s: REQUEST %s answered, but did not end within %v", s.config.Name, requestID, s.config.Timeout)
	case <-s.closed:
	case <-ctx.Done():
	}
	return i.answer, false, i.err
}

func (s *sandbox) setCurrent(i *invocation) {
	s.mu.Lock()
	s.current = i
	s.mu.Unlock()
}

func (s *sandbox) failed(requestID, kind, message string) *Error {
	s.log.line("%s: REQUEST %s %s: %s", s.config.Name, requestID, kind, message)
	return &Error{Type: kind, Message: fmt.Sprintf("the function %s: %s", s.config.Name, message)}
}

func (s *sandbox) exitError(requestID string) error {
	select {
	case <-s.closed:
		return ErrClosed
	default:
	}
	s.mu.Lock()
	reported := s.initErr
	s.mu.Unlock()
	if reported != nil {
		return s.failed(requestID, reported.Type, reported.Message)
	}
	return s.failed(requestID, "Runtime.ExitError", "its program ended ("+s.process.End()+") without an answer")
}

// finish takes the program's answer to the invocation, once.
func (s *sandbox) finish(requestID string, answer []byte, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || s.current.requestID != requestID {
		return errors.New("no invocation has this request id now")
	}
	select {
	case <-s.current.answered:
		return errors.New("this invocation was answered already")
	default:
	}
	s.current.answer, s.current.err = answer, err
	close(s.current.answered)
	return nil
}

// reported reads the error object that runtimes post.
func reported(body []byte) *Error {
	var e struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(body, &e) != nil || e.ErrorType == "" {
		return &Error{Type: "Unknown", Message: "the function failed without saying how"}
	}
	return &Error{Type: e.ErrorType, Message: e.ErrorMessage}
}
