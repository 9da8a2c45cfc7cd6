// Package progress tells a person which step of a play is under way, how far the play is, and how each step ended.
package progress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Report writes of a play's steps, and remembers them.
type Report struct {
	Out   io.Writer
	Total int // how many steps there will be

	results []Result
}

// Result is how a step ended.
type Result struct {
	What string
	Said string // what the step returned
	Took time.Duration
	Err  error
}

// Step runs one step. What it returns is told when it is over.
func (r *Report) Step(what string, run func() (string, error)) error {
	fmt.Fprintf(r.Out, "[%d/%d] %s ... ", len(r.results)+1, r.Total, what)
	start := time.Now()
	said, err := run()
	took := time.Since(start)
	r.results = append(r.results, Result{what, said, took, err})
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(r.Out, "stopped")
		return err
	case err != nil:
		fmt.Fprintln(r.Out, "failed")
		return err
	}
	fmt.Fprintf(r.Out, "%.1f s\n", took.Seconds())
	if said != "" {
		fmt.Fprintln(r.Out, "      "+said)
	}
	return nil
}

// Results are the steps so far, in order.
func (r *Report) Results() []Result { return r.results }
