package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestBundle(t *testing.T) {
	file := func(t *testing.T, content string, mode os.FileMode, modified time.Time) string {
		path := filepath.Join(t.TempDir(), "a file")
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
		return path
	}
	make := func(t *testing.T, entries ...string) []byte {
		var archive bytes.Buffer
		if err := write(&archive, entries); err != nil {
			t.Fatal(err)
		}
		return archive.Bytes()
	}

	t.Run("is the same whatever the files' folders, times, modes and order", func(t *testing.T) {
		year2001, year2026 := time.Unix(1e9, 0), time.Unix(1.78e9, 0)
		one := make(t, "bin/application="+file(t, "binary", 0o600, year2001), "Procfile="+file(t, "web: bin/application", 0o644, year2001))
		two := make(t, "Procfile="+file(t, "web: bin/application", 0o600, year2026), "bin/application="+file(t, "binary", 0o755, year2026))
		if !bytes.Equal(one, two) {
			t.Error("two archives of the same content differ")
		}
	})
	t.Run("changes with the content", func(t *testing.T) {
		if bytes.Equal(make(t, "a="+file(t, "1", 0o644, time.Now())), make(t, "a="+file(t, "2", 0o644, time.Now()))) {
			t.Error("two archives of different content are equal")
		}
	})
	t.Run("makes executable what lies below bin", func(t *testing.T) {
		content := make(t, "bootstrap="+file(t, "binary", 0o600, time.Now()), "bin/application="+file(t, "binary", 0o600, time.Now()), "Procfile="+file(t, "web", 0o777, time.Now()))
		archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range archive.File {
			got = append(got, f.Mode().String()+" "+f.Name)
		}
		if want := []string{"-rw-r--r-- Procfile", "-rwxr-xr-x bin/application", "-rwxr-xr-x bootstrap"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("leaves an unchanged archive alone", func(t *testing.T) {
		in, out := file(t, "x", 0o644, time.Now()), filepath.Join(t.TempDir(), "out.zip")
		if err := run(out, []string{"a=" + in}); err != nil {
			t.Fatal(err)
		}
		long := time.Unix(1e9, 0)
		if err := os.Chtimes(out, long, long); err != nil {
			t.Fatal(err)
		}
		if err := run(out, []string{"a=" + in}); err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Stat(out); !info.ModTime().Equal(long) {
			t.Error("the archive was written again")
		}
	})
	for name, entry := range map[string]string{"no file": "name", "no name": "=file", "a missing file": "a=/nonexistent/file"} {
		t.Run("refuses "+name, func(t *testing.T) {
			if err := write(&bytes.Buffer{}, []string{entry}); err == nil {
				t.Error("no error")
			}
		})
	}
}
