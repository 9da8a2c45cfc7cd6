// Command bundle writes a zip file whose bytes depend on nothing but the names and contents of the files in it, so that
// the same code gives the same asset hash on every machine.
//
//	bundle OUT.zip NAME=FILE ...
//
// A NAME below bin/ is executable, and so is bootstrap, which Lambda starts.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: bundle OUT.zip NAME=FILE ...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "bundle: "+err.Error())
		os.Exit(1)
	}
}

// run leaves out alone when its content would not change, so that make and people see by its time when it last did.
func run(out string, entries []string) error {
	var archive bytes.Buffer
	if err := write(&archive, entries); err != nil {
		return err
	}
	if old, err := os.ReadFile(out); err == nil && bytes.Equal(old, archive.Bytes()) {
		return nil
	}
	partial := out + ".partial"
	if err := os.WriteFile(partial, archive.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(partial, out)
}

// write puts the entries, each NAME=FILE, into a zip archive in the order of their names.
func write(w io.Writer, entries []string) error {
	entries = slices.Sorted(slices.Values(entries))
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, entry := range entries {
		name, file, ok := strings.Cut(entry, "=")
		if !ok || name == "" || file == "" {
			return fmt.Errorf("%q is not of the form NAME=FILE", entry)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		// The oldest time that a zip file can hold.
		header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		header.SetMode(0o644)
		if strings.HasPrefix(name, "bin/") || name == "bootstrap" {
			header.SetMode(0o755)
		}
		f, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := f.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}
