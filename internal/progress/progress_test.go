package progress

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestStepsAreToldAndRemembered(t *testing.T) {
	var out strings.Builder
	r := &Report{Out: &out, Total: 3}
	broken := errors.New("no space is left")
	if err := r.Step("First", func() (string, error) { return "5 tables", nil }); err != nil {
		t.Error(err)
	}
	if err := r.Step("Second", func() (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("the error of the step is %v", err)
	}
	if err := r.Step("Third", func() (string, error) { return "", fmt.Errorf("waiting: %w", context.Canceled) }); err == nil {
		t.Error("a step that was stopped went well")
	}
	want := `^\[1/3\] First \.\.\. \d+\.\d s\n      5 tables\n\[2/3\] Second \.\.\. failed\n\[3/3\] Third \.\.\. stopped\n$`
	if !regexp.MustCompile(want).MatchString(out.String()) {
		t.Errorf("it tells\n%s", out.String())
	}
	results := r.Results()
	if len(results) != 3 || results[0].Said != "5 tables" || results[0].Err != nil || results[1].What != "Second" || !errors.Is(results[1].Err, broken) {
		t.Errorf("it remembers %+v", results)
	}
}
