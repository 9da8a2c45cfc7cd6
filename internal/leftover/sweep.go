package leftover

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Sweep calls remove for everything in a folder whose maker has ended. A folder that is not there is an empty one.
func Sweep(folder string, remove func(name string) error) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		if o, ours := Of(e.Name()); ours && o.Gone() {
			errs = append(errs, remove(e.Name()))
		}
	}
	return errors.Join(errs...)
}

// Folder makes a folder for temporary files, which its maker removes, or [SweepFolders] after its maker was killed. Only
// its owner can read it.
func Folder(name string) (path string, err error) {
	unique, err := Name(name)
	if err != nil {
		return "", err
	}
	path = filepath.Join(os.TempDir(), unique)
	return path, os.Mkdir(path, 0o700)
}

// SweepFolders removes what processes that were killed made with [Folder] under this name. Those of another user are
// left for that user to remove.
func SweepFolders(name string) error {
	temp := os.TempDir()
	return Sweep(temp, func(found string) error {
		rest, ok := strings.CutPrefix(found, Prefix+name+"-")
		if !ok || strings.Count(rest, "-") != 2 {
			return nil
		}
		err := os.RemoveAll(filepath.Join(temp, found))
		if errors.Is(err, fs.ErrPermission) {
			return nil
		}
		return err
	})
}
