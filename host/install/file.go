package install

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// File is a file that setup writes. Its owner is root:root unless Group names another group, which must exist.
type File struct {
	Path    string
	Content string
	Mode    fs.FileMode // the permission bits
	Group   string
}

// Write makes each file as it should be, with parent folders of mode 0755, and reports whether any was not. A file is
// replaced as a whole or not at all, and one that is right already is left alone.
func (h *Host) Write(files ...File) (changed bool, err error) {
	for _, file := range files {
		c, err := h.write(file)
		if err != nil {
			return changed, fmt.Errorf("%s cannot be written: %w", file.Path, err)
		}
		changed = changed || c
		h.changed = h.changed || c && lasting(file.Path)
	}
	return changed, nil
}

// lasting reports whether a file is a part of how the host is set up, and not of what goes on there.
func lasting(path string) bool {
	return !strings.HasPrefix(path, "/run/") && !strings.HasPrefix(path, "/var/lib/")
}

// Remove removes the file at a path below Root, and reports whether there was one.
func (h *Host) Remove(path string) (changed bool, err error) {
	err = os.Remove(h.Path(path))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	h.changed = h.changed || err == nil && lasting(path)
	return err == nil, err
}

func (h *Host) write(file File) (changed bool, err error) {
	path := h.Path(file.Path)
	if same, err := h.same(path, file); err != nil {
		return false, err
	} else if same {
		return false, nil
	}
	if err := makeFolders(filepath.Dir(path)); err != nil {
		return false, err
	}
	// 0600 until it is what it should be: it may hold a secret.
	f, err := os.CreateTemp(filepath.Dir(path), ".drawbridge-*")
	if err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.WriteString(file.Content); err != nil {
		return false, err
	}
	if h.owner != nil {
		if _, err := h.owner(f, file.Group); err != nil {
			return false, err
		}
	}
	if err := f.Chmod(file.Mode); err != nil {
		return false, err
	}
	// The name must not come to stand for an empty file when the power goes.
	if err := f.Sync(); err != nil {
		return false, err
	}
	if err := f.Close(); err != nil {
		return false, err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return false, err
	}
	return true, nil
}

// same reports whether the file is as it should be but for owner and mode, which it puts right in place when they alone
// differ.
func (h *Host) same(path string, file File) (bool, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// A link may lead anywhere, so it is replaced.
	if !info.Mode().IsRegular() || info.Mode().Perm() != file.Mode.Perm() {
		return false, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	content, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(content, []byte(file.Content)) {
		return false, err
	}
	if h.owner == nil {
		return true, nil
	}
	changed, err := h.owner(f, file.Group)
	return err == nil && !changed, err
}

// makeFolders is os.MkdirAll without the umask: what is put into these folders is read by users other than root.
func makeFolders(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := makeFolders(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(path, 0o755)
}
