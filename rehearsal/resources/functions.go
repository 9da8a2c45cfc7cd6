package resources

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"drawbridge/rehearsal/runtimeapi"
)

// Functions are the account's Lambda functions by their ARNs.
type Functions struct {
	mu   sync.Mutex
	byID map[string]*deployed
}

// deployed is a function; program is nil where it has none that runs here.
type deployed struct {
	program *runtimeapi.Function
	files   string // a folder of its own
}

func newFunctions() *Functions { return &Functions{byID: map[string]*deployed{}} }

// Runs says whether a function has a program that runs here.
func (f *Functions) Runs(arn string) bool {
	_, err := f.Function(arn)
	return err == nil
}

// Function is the program of a function.
func (f *Functions) Function(arn string) (*runtimeapi.Function, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found := f.byID[arn]
	switch {
	case found == nil:
		return nil, fmt.Errorf("there is no function %s", arn)
	case found.program == nil:
		return nil, fmt.Errorf("the function %s has no program that runs here", arn)
	}
	return found.program, nil
}

// All are the programs that run here, by their functions' ARNs.
func (f *Functions) All() map[string]*runtimeapi.Function {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]*runtimeapi.Function{}
	for arn, found := range f.byID {
		if found.program != nil {
			all[arn] = found.program
		}
	}
	return all
}

// Invoke runs a function once and returns what it answered.
func (f *Functions) Invoke(ctx context.Context, arn string, event []byte) ([]byte, error) {
	program, err := f.Function(arn)
	if err != nil {
		return nil, err
	}
	return program.Invoke(ctx, event)
}

// InvokeAsync hands a function an event. A function that is gone by now takes none, as in Lambda.
func (f *Functions) InvokeAsync(arn string, event []byte) {
	if program, err := f.Function(arn); err == nil {
		program.InvokeAsync(event)
	}
}

// set puts a function in the place of the one with this ARN, which ends; nil takes it away.
func (f *Functions) set(arn string, function *deployed) error {
	f.mu.Lock()
	old := f.byID[arn]
	if function == nil {
		delete(f.byID, arn)
	} else {
		f.byID[arn] = function
	}
	f.mu.Unlock()
	return old.close()
}

func (f *Functions) close() error {
	f.mu.Lock()
	all := f.byID
	f.byID = map[string]*deployed{}
	f.mu.Unlock()
	var errs []error
	for _, function := range all {
		errs = append(errs, function.close())
	}
	return errors.Join(errs...)
}
