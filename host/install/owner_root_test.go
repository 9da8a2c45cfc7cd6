//go:build linux && root

package install

import (
	"os"
	"syscall"
	"testing"
)

func TestAFileBelongsToRootAndItsGroup(t *testing.T) {
	h := New()
	h.Root = t.TempDir()
	for _, step := range []struct {
		group string
		gid   uint32
	}{{"", 0}, {"daemon", 1}, {"", 0}} {
		for _, want := range []bool{true, false} {
			changed, err := h.Write(File{Path: "/f", Content: "text" + step.group, Mode: 0o640, Group: step.group})
			if err != nil || changed != want {
				t.Fatalf("group %q: changed = %v, %v", step.group, changed, err)
			}
		}
		info, err := os.Stat(h.Path("/f"))
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 0 || owner.Gid != step.gid {
			t.Errorf("group %q: it belongs to %d:%d", step.group, owner.Uid, owner.Gid)
		}
	}
	if err := os.Chown(h.Path("/f"), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if changed, err := h.Write(File{Path: "/f", Content: "text", Mode: 0o640}); err != nil || !changed {
		t.Errorf("another owner is left: changed = %v, %v", changed, err)
	}
	if _, err := h.Write(File{Path: "/g", Group: "drawbridge-no-such-group", Mode: 0o640}); err == nil {
		t.Error("a group that nobody knows passes")
	}
}
