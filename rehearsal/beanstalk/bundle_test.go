package beanstalk

import (
	"archive/zip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeZip writes a zip file. Names that end in a slash are folders, and those in bin/ are programs.
func writeZip(path string, files map[string]string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := zip.NewWriter(f)
	for name, content := range files {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		switch {
		case strings.HasSuffix(name, "/"):
			header.SetMode(fs.ModeDir | 0o755)
		case strings.HasPrefix(name, "bin/"):
			header.SetMode(0o755)
		case strings.HasPrefix(name, "link"):
			header.SetMode(fs.ModeSymlink | 0o777)
		default:
			header.SetMode(0o644)
		}
		part, err := w.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := part.Write([]byte(content)); err != nil {
			return err
		}
	}
	return w.Close()
}

func zipped(t *testing.T, files map[string]string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "bundle.zip")
	if err := writeZip(path, files); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestABundleIsUnzippedWithItsModes(t *testing.T) {
	folder := t.TempDir()
	bundle := zipped(t, map[string]string{"Procfile": "web: bin/application\n", "bin/application": "#!/bin/sh\n", "static/": "", "deep/er/x": "y"})
	if err := unzip(bundle, folder, -1); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{"Procfile": 0o644, "bin/application": 0o755, "static": fs.ModeDir | 0o755, "deep/er/x": 0o644} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if command, err := webCommand(folder); err != nil || command != "bin/application" {
		t.Errorf("%q, %v", command, err)
	}
}

func TestABundleThatCannotBePlayed(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"out of its folder": {map[string]string{"../x": ""}, "no file or folder inside of it"},
		"absolute":          {map[string]string{"/x": ""}, "no file or folder inside of it"},
		"a link":            {map[string]string{"link": "/etc/passwd"}, "no file or folder inside of it"},
		"hooks":             {map[string]string{".platform/hooks/x": ""}, "holds .platform"},
		"extensions":        {map[string]string{".ebextensions/x.config": ""}, "holds .ebextensions"},
		"to be built":       {map[string]string{"Buildfile": "make: ./build.sh"}, "holds Buildfile"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := unzip(zipped(t, tc.files), t.TempDir(), -1); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
	if err := unzip(filepath.Join(t.TempDir(), "none.zip"), t.TempDir(), -1); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Error(err)
	}
}

func TestTheProcfile(t *testing.T) {
	for text, want := range map[string]string{
		"web: bin/application":       "bin/application",
		"\n\tweb:a b  c\r\n\n":       "a b  c",
		"":                           "!empty",
		"web:\n":                     "!is not played",
		"worker: x\n":                "!is not played",
		"web: x\nworker: y\n":        "!is not played",
		"web: x\nweb: y\n":           "!is not played",
		"# a comment\nweb: x\n":      "!is not played",
		"web: sh -c 'exec a: b'\n\n": "sh -c 'exec a: b'",
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "Procfile"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := webCommand(folder)
		if problem, fails := strings.CutPrefix(want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), problem) {
				t.Errorf("%q: %q, %v", text, got, err)
			}
		} else if err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := webCommand(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no Procfile") {
		t.Error(err)
	}
}
