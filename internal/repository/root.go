// Package repository finds the folder that the project is in. Programs and tests of the project use it, to find what it
// has fetched and built.
package repository

import (
	"fmt"
	"os"
	"path/filepath"
)

// Root is the nearest folder, from the working directory up, that holds a go.mod. Go runs a package's tests in the
// package's folder.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod in %s or above it: run it from within the repository", start)
		}
	}
}
