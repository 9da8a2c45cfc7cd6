package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"drawbridge/internal/repository"
)

// Root returns the folder of a root file system that scripts/roots.sh has made, "tunnel" or "bastion", for
// [Options.Root]. The error says why machines cannot be booted from it here.
func Root(name string) (string, error) {
	if err := ready(); err != nil {
		return "", err
	}
	if _, err := cgroupRoot(); err != nil {
		return "", err
	}
	tools, err := tools()
	if err != nil {
		return "", err
	}
	root := filepath.Join(tools, "roots", name)
	// The stamp is written last.
	if _, err := os.Stat(root + ".stamp"); err != nil {
		return "", fmt.Errorf("there is no root file system %s; run 'scripts/roots.sh fetch' as root", root)
	}
	return root, nil
}

// tools returns the repository's folder of what scripts have fetched.
func tools() (string, error) {
	root, err := repository.Root()
	return filepath.Join(root, ".tools"), err
}

// Mirror returns the address of the Debian archive that a root file system was made from.
func Mirror(root string) (string, error) {
	file := filepath.Join(root, "etc/apt/sources.list")
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 || fields[0] != "deb" {
		return "", fmt.Errorf("%s names no Debian archive: make the root anew with 'scripts/roots.sh fetch'", file)
	}
	return fields[1], nil
}

// AptCache returns the folder, beside the root file systems, where an [AptProxy] keeps what it has fetched.
func AptCache(root string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(root)), "apt-cache")
}
