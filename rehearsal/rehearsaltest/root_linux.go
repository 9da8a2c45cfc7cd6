package rehearsaltest

import (
	"testing"

	"drawbridge/internal/notrun"
	"drawbridge/rehearsal/machine"
)

// Root is [machine.Root]. Where the test cannot boot machines, or that root is not there, the test says NOT RUN.
func Root(t testing.TB, name string) string {
	t.Helper()
	root, err := machine.Root(name)
	if err != nil {
		notrun.Because(t, "%v", err)
	}
	return root
}
