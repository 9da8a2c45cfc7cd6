package install

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// rootAnd gives a file to root and the group, and reports whether it was not theirs.
func rootAnd(f *os.File, group string) (changed bool, err error) {
	gid := 0
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			return false, fmt.Errorf("the group %q is not known: %w", group, err)
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return false, fmt.Errorf("the group %q has the number %q: %w", group, g.Gid, err)
		}
	}
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if is, ok := info.Sys().(*syscall.Stat_t); ok && is.Uid == 0 && int(is.Gid) == gid {
		return false, nil
	}
	return true, f.Chown(0, gid)
}
