package runtimeapi

import (
	"errors"
	"time"
)

// Invocation is an asynchronous event and its tries.
type Invocation struct {
	RequestID string        // the same in every try
	Done      chan struct{} // closed when the function took the event, or failed for the last time

	errs []error
}

// Errors are the error of each try, in order; a try that went well has nil. It is for after Done.
func (i *Invocation) Errors() []error { return i.errs }

// InvokeAsync runs the function as an asynchronous invocation does: it returns at once, and when the function fails
// it gets the same event again, up to twice.
func (f *Function) InvokeAsync(event []byte) *Invocation {
	i := &Invocation{RequestID: newRequestID(), Done: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		i.errs = []error{ErrClosed}
		close(i.Done)
		return i
	}
	f.background.Go(func() {
		defer close(i.Done)
		for try := 0; ; try++ {
			_, err := f.invoke(f.ctx, i.RequestID, event)
			i.errs = append(i.errs, err)
			if err == nil || errors.Is(err, ErrClosed) || f.ctx.Err() != nil {
				return
			}
			if try == len(f.config.Retries) {
				f.log.line("%s: the event %s failed %d times and is dropped", f.config.Name, i.RequestID, try+1)
				return
			}
			select {
			case <-time.After(f.config.Retries[try]):
			case <-f.ctx.Done():
				return
			}
		}
	})
	return i
}
