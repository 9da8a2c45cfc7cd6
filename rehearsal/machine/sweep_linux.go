package machine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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
		sweep(root, func(name string) error { return cgroup(filepath.Join(root, name)).remove() }),
		sweep(namespaceFolder, func(name string) error { return (&Namespace{name: name}).remove() }),
		sweep(folders, func(name string) error { return removeFolder(filepath.Join(folders, name)) }),
	)
}

// sweep calls remove for what in folder belonged to a process that is gone.
func sweep(folder string, remove func(name string) error) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		if o, ours := ownerOf(e.Name()); ours && o.gone() {
			errs = append(errs, remove(e.Name()))
		}
	}
	return errors.Join(errs...)
}
