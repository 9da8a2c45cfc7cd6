package machine

import (
	"errors"
	"path/filepath"

	"drawbridge/internal/leftover"
)

// Sweep removes what processes that were killed have left: the namespaces, control groups, processes and folders of their
// networks and machines. What belongs to a process that runs is left alone. [NewNetwork] does it first.
func Sweep() error {
	root, err := cgroupRoot()
	if err != nil {
		return err
	}
	// Processes go before what they use.
	return errors.Join(
		leftover.Sweep(root, func(name string) error { return cgroup(filepath.Join(root, name)).remove() }),
		leftover.Sweep(namespaceFolder, func(name string) error { return (&Namespace{name: name}).remove() }),
		leftover.Sweep(folders, func(name string) error { return removeFolder(filepath.Join(folders, name)) }),
	)
}
