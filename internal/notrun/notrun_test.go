package notrun_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"drawbridge/internal/notrun"
)

const asChild = "NOTRUN_TEST_CHILD"

// TestChild is what the tests below run in a test process of its own: skips
// and failures of the testing package can only be seen from outside.
func TestChild(t *testing.T) {
	if os.Getenv(asChild) == "" {
		// Not a part that is missing: alone this test has nothing to do.
		return
	}
	t.Run("needs a moat", func(t *testing.T) {
		notrun.Because(t, "no %s\non this machine", "moat")
		t.Error("the test went on")
	})
}

func TestBecause(t *testing.T) {
	const line = "NOT RUN TestChild/needs_a_moat: no moat on this machine"
	tests := map[string]struct {
		ci       string
		list     bool
		badList  bool
		wantFail bool
		wantList string
	}{
		"skips and prints the reason on one line":     {},
		"also appends the line to the list":           {list: true, wantList: "earlier line\n" + line + "\n"},
		"fails in CI":                                 {ci: "true", wantFail: true},
		"any other value of CI is not CI":             {ci: "1"},
		"fails when the list cannot be written":       {badList: true, wantFail: true},
		"in CI the failure itself is the only record": {ci: "true", list: true, wantFail: true, wantList: "earlier line\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			list := ""
			if tc.list {
				list = filepath.Join(t.TempDir(), "not run.txt")
				if err := os.WriteFile(list, []byte("earlier line\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if tc.badList {
				list = t.TempDir() // a folder
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
			cmd.Env = append(os.Environ(), asChild+"=1", "CI="+tc.ci, notrun.ListFile+"="+list)
			out, err := cmd.CombinedOutput()
			if failed := err != nil; failed != tc.wantFail {
				t.Errorf("failed = %v, want %v\n%s", failed, tc.wantFail, out)
			}
			if !strings.Contains("\n"+string(out), "\n"+line+"\n") {
				t.Errorf("output lacks the line %q:\n%s", line, out)
			}
			if want := "--- SKIP: TestChild/needs_a_moat"; strings.Contains(string(out), want) == tc.wantFail {
				t.Errorf("output holds %q: %v, want %v\n%s", want, tc.wantFail, !tc.wantFail, out)
			}
			if strings.Contains(string(out), "the test went on") {
				t.Errorf("the test went on after Because:\n%s", out)
			}
			if tc.list {
				got, err := os.ReadFile(list)
				if err != nil {
					t.Fatal(err)
				}
				if string(got) != tc.wantList {
					t.Errorf("list = %q, want %q", got, tc.wantList)
				}
			}
		})
	}
}
