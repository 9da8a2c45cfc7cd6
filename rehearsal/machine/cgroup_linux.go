package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// cgroupRoot returns the folder of the second version's control groups: /sys/fs/cgroup, or a folder beside the first
// version's.
var cgroupRoot = sync.OnceValues(func() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(mounts)) {
		if path, ok := cgroup2Mount(line); ok {
			return path, nil
		}
	}
	return "", errors.New("this machine has no cgroup2 file system, which systemd in a machine needs: " +
		"mount it with 'mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified'")
})

// cgroup2Mount returns the folder that a line of /proc/self/mountinfo (proc_pid_mountinfo(5)) says cgroup2 is on.
func cgroup2Mount(line string) (path string, ok bool) {
	before, after, found := strings.Cut(line, " - ")
	fields, kind := strings.Fields(before), strings.Fields(after)
	if !found || len(fields) < 6 || len(kind) == 0 || kind[0] != "cgroup2" {
		return "", false
	}
	options := strings.Split(fields[5], ",")
	return fields[4], !slices.Contains(options, "ro") && !strings.Contains(fields[4], `\`)
}

// cgroup is the control group of one machine, with two below it: system is what the machine takes for the root, and
// visitors holds the programs that enter it from outside. systemd lets no process stand beside the groups that it makes.
type cgroup string

func newCgroup(name string) (cgroup, error) {
	root, err := cgroupRoot()
	if err != nil {
		return "", err
	}
	c := cgroup(filepath.Join(root, name))
	for _, folder := range []string{string(c), c.system(), c.visitors()} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return "", errors.Join(fmt.Errorf("this process may make no control groups: %w", err), c.remove())
		}
	}
	// Memory and task limits of the machine's units work where this machine has these controllers to give.
	controllers, err := os.ReadFile(filepath.Join(string(c), "cgroup.controllers"))
	if err == nil && len(strings.Fields(string(controllers))) > 0 {
		enable := "+" + strings.Join(strings.Fields(string(controllers)), " +")
		if err := os.WriteFile(filepath.Join(string(c), "cgroup.subtree_control"), []byte(enable), 0o644); err != nil {
			return "", errors.Join(fmt.Errorf("a control group cannot pass on its controllers: %w", err), c.remove())
		}
	}
	return c, nil
}

func (c cgroup) system() string   { return filepath.Join(string(c), "system") }
func (c cgroup) visitors() string { return filepath.Join(string(c), "visitors") }

// kill ends every process in it and waits until they are gone.
func (c cgroup) kill() error {
	err := os.WriteFile(filepath.Join(string(c), "cgroup.kill"), []byte("1"), 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := os.Stat(string(c)); errors.Is(gone, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("the control group %s cannot be killed: it takes Linux 5.14 or newer", c)
	}
	if errors.Is(err, syscall.ENODEV) {
		return nil // another process has removed it just now
	}
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(stopTimeout); ; time.Sleep(5 * time.Millisecond) {
		events, err := os.ReadFile(filepath.Join(string(c), "cgroup.events"))
		if errors.Is(err, fs.ErrNotExist) || strings.Contains(string(events), "populated 0") {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the processes in the control group %s did not end within %v of being killed", c, stopTimeout)
		}
	}
}

// remove ends every process in it and removes it with all groups below. One that is gone is no error.
func (c cgroup) remove() error {
	if err := c.kill(); err != nil {
		return err
	}
	return removeCgroups(string(c))
}

func removeCgroups(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeCgroups(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	// Its files cannot be removed, and need not be. The kernel may take a moment after the last process.
	for deadline := time.Now().Add(stopTimeout); ; time.Sleep(5 * time.Millisecond) {
		err := os.Remove(folder)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}
