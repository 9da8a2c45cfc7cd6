package awsapi

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Fault makes requests fail, or be slow. What it leaves empty it does not look at or do.
type Fault struct {
	Operation string // such as "GetParametersByPath"; "" means any
	Resource  string // as callers name it; "" means any
	Skip      int    // this many requests pass first
	Times     int    // this many requests are hit then; 0 means all until ClearFaults

	Delay    time.Duration // before the answer
	Code     string        // of the error to answer, such as "ThrottlingException"
	Status   int           // of that answer; 0 means 400
	Body     []byte        // what is answered in place of the result, with status 200
	Drop     bool          // the connection is closed without an answer
	Truncate bool          // the connection is closed in the middle of the right answer
}

// faults are those that are planted.
type faults struct {
	mu      sync.Mutex
	planted []*Fault
}

func (f *faults) inject(fault Fault) {
	if fault.Times == 0 {
		fault.Times = -1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.planted = append(f.planted, &fault)
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.planted = nil
}

// pending counts the faults that are still to hit.
func (f *faults) pending() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range f.planted {
		if fault.Times != 0 {
			n++
		}
	}
	return n
}

// next is the first fault that fits a call, or an empty one.
func (f *faults) next(call Call) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range f.planted {
		if fault.Operation != "" && fault.Operation != call.Operation || fault.Resource != "" && fault.Resource != call.Resource || fault.Times == 0 {
			continue
		}
		if fault.Skip > 0 {
			fault.Skip--
			continue
		}
		if fault.Times > 0 {
			fault.Times--
		}
		return *fault
	}
	return Fault{}
}

// answer is what the fault answers in place of the service; nothing means that the service does.
func (f Fault) answer(ctx context.Context) (Answer, error) {
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-ctx.Done():
			return nil, errDropped
		}
	}
	switch {
	case f.Drop:
		return nil, errDropped
	case f.Code != "":
		return nil, &Error{Code: f.Code, Message: "a planted fault", Status: f.Status}
	case f.Body != nil:
		return func(w http.ResponseWriter) { _, _ = w.Write(f.Body) }, nil
	}
	return nil, nil
}
