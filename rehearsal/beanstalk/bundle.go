package beanstalk

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// unplayed are the parts of a source bundle that would change an instance ("Extending Elastic Beanstalk Linux
// platforms", AWS Elastic Beanstalk Developer Guide), and which are not played.
var unplayed = []string{".ebextensions", ".platform", "Buildfile"}

// unzip puts a source bundle into a folder, as another user's when owner is not negative.
func unzip(bundle, folder string, owner int) (err error) {
	archive, err := zip.OpenReader(bundle)
	if err != nil {
		return fmt.Errorf("the source bundle %s cannot be read: %w", bundle, err)
	}
	defer archive.Close() //nolint:errcheck // only read
	for _, f := range archive.File {
		name := filepath.FromSlash(strings.TrimSuffix(f.Name, "/"))
		if !filepath.IsLocal(name) || !f.Mode().IsRegular() && !f.Mode().IsDir() {
			return fmt.Errorf("the source bundle %s holds %q, which is no file or folder inside of it", bundle, f.Name)
		}
		for _, part := range unplayed {
			if first, _, _ := strings.Cut(f.Name, "/"); first == part {
				return fmt.Errorf("the source bundle %s holds %s, which the rehearsal does not play", bundle, part)
			}
		}
		if err := extract(f, filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	if owner < 0 {
		return nil
	}
	return filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, owner, owner))
	})
}

func extract(f *zip.File, path string) error {
	if f.Mode().IsDir() {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer from.Close() //nolint:errcheck // only read
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, f.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

// procfileLine is what a line of a Procfile must be ("Buildfile and Procfile", AWS Elastic Beanstalk Developer Guide).
var procfileLine = regexp.MustCompile(`^([A-Za-z0-9_-]+):\s*(\S.*)$`)

// webCommand returns the command of the process web in an unzipped bundle's Procfile.
func webCommand(folder string) (string, error) {
	text, err := os.ReadFile(filepath.Join(folder, "Procfile"))
	if err != nil {
		return "", fmt.Errorf("the source bundle has no Procfile that could be read: %w", err)
	}
	command := ""
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		m := procfileLine.FindStringSubmatch(line)
		if m == nil || m[1] != "web" || command != "" {
			return "", fmt.Errorf("the Procfile's line %q is not played: it has to be one line, the command of web", line)
		}
		command = m[2]
	}
	if command == "" {
		return "", errors.New("the Procfile is empty: it needs a line with the command of web")
	}
	return command, nil
}
