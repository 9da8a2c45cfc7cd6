// Package notrun is what a test calls when the machine lacks a part that the
// test needs. A skip that nobody sees would read like a pass; this one is
// printed, collected, and a failure in CI.
package notrun

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// ListFile is the environment variable that names a file to which every NOT
// RUN line is appended. `go test` hides the output of packages that pass, so
// whoever runs the tests prints this file at the end.
const ListFile = "DRAWBRIDGE_NOT_RUN"

// Because ends the test t, which cannot run on this machine for the reason
// that format and args give. It prints one line that starts with NOT RUN and
// holds the test's name and the reason. Where the environment says CI=true the
// test fails; elsewhere it is skipped and the line is also appended to the
// file that DRAWBRIDGE_NOT_RUN names, when it names one.
func Because(t testing.TB, format string, args ...any) {
	t.Helper()
	reason := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	line := fmt.Sprintf("NOT RUN %s: %s", t.Name(), reason)
	fmt.Println(line)
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s (a test that cannot run is a failure in CI)", line)
	}
	if list := os.Getenv(ListFile); list != "" {
		if err := appendLine(list, line); err != nil {
			// Losing the line would make the skip silent.
			t.Fatalf("%s, and it could not be written to the file that %s names: %v", line, ListFile, err)
		}
	}
	t.Skip(line)
}

// appendLine adds line to the file in one write, so that test binaries that
// run at the same time do not mix their lines.
func appendLine(file, line string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(line + "\n"); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
