package runtimeapi

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// maxAnswer is how much a function may answer ("Lambda quotas": invocation payload), in bytes.
const maxAnswer = 6 << 20

func newRequestID() string { return uuid.NewString() }

// handler is the Runtime API ("Runtime API", version 2018-06-01, AWS Lambda Developer Guide).
func (s *sandbox) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", s.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
		if err != nil {
			return // the program is gone
		}
		if len(body) > maxAnswer {
			tooLarge := &Error{Type: "Function.ResponseSizeTooLarge", Message: fmt.Sprintf("the answer has more than %d bytes", maxAnswer)}
			_ = s.finish(r.PathValue("id"), nil, tooLarge)
			refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", tooLarge.Message)
			return
		}
		s.accept(w, s.finish(r.PathValue("id"), body, trailer(r)))
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
		if err != nil {
			return
		}
		s.accept(w, s.finish(r.PathValue("id"), nil, reported(body)))
	})
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
		if err != nil {
			return
		}
		s.mu.Lock()
		s.initErr = reported(body)
		s.mu.Unlock()
		s.accept(w, nil)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The program's proxy variables lead here with what is meant for other machines.
		if r.Method == http.MethodConnect || r.URL.IsAbs() {
			s.log.line("%s: refused: the function asked for %s, to which there is no way", s.config.Name, r.Host)
			refuse(w, http.StatusBadGateway, "NoRoute", "the rehearsal has no way to this host")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// next gives the program its next event, when there is one.
func (s *sandbox) next(w http.ResponseWriter, r *http.Request) {
	select {
	case s.asked <- struct{}{}:
	default: // it asked twice, and has one answer
	}
	select {
	case i := <-s.events:
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", i.requestID)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", s.config.ARN)
		h.Set("Lambda-Runtime-Trace-Id", newTraceID())
		h.Set("Content-Type", "application/json")
		_, _ = w.Write(i.event) // a program that is gone is seen by its end
	case <-s.closed:
	case <-r.Context().Done():
	}
}

func (s *sandbox) accept(w http.ResponseWriter, err error) {
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", err.Error())
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"errorType": kind, "errorMessage": message})
}

// trailer is the error that a runtime reports after it began to answer.
func trailer(r *http.Request) error {
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		return &Error{Type: kind, Message: "the function failed while it answered"}
	}
	return nil
}

// newTraceID has the form of an AWS X-Ray tracing header.
func newTraceID() string {
	var id [20]byte
	_, _ = rand.Read(id[:]) // it never fails
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", time.Now().Unix(), hex.EncodeToString(id[:12]), hex.EncodeToString(id[12:]))
}
