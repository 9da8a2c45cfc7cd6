package leftover

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestSweepFoldersRemovesThoseOfProcessesThatAreGone(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	start, _ := StartTime(cmd.Process.Pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone := fmt.Sprintf("-%d-%d-1", cmd.Process.Pid, start)

	mine, err := Folder("server")
	if err != nil {
		t.Fatal(err)
	}
	keep := []string{filepath.Base(mine), "drawbridge-other" + gone, "drawbridge-server-two" + gone, "drawbridge-server", "server" + gone}
	for _, name := range append([]string{"drawbridge-server" + gone}, keep[1:]...) {
		if err := os.MkdirAll(filepath.Join(temp, name, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := SweepFolders("server"); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	slices.Sort(keep)
	if !slices.Equal(left, keep) {
		t.Errorf("there are %q, want %q", left, keep)
	}
	if info, err := os.Stat(mine); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestSweepOfAFolderThatIsNotThere(t *testing.T) {
	if err := Sweep(filepath.Join(t.TempDir(), "none"), nil); err != nil {
		t.Error(err)
	}
}
