package mysqlserver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"drawbridge/internal/repository"
)

// MissingError says that this machine has no MySQL server that can be used.
type MissingError struct{ reason string }

func (e *MissingError) Error() string { return e.reason }

// Available returns what the server says of its version, one line, that [Start] would run with these tools (see
// [Options]); a [MissingError] where there is none.
func Available(tools string) (version string, err error) {
	b, err := findBinary(tools)
	return b.version, err
}

// binary is a MySQL server program.
type binary struct {
	path    string
	version string // what it says of itself, one line
	tools   string // the folder for fetched things, .tools
}

// found are the programs that were found, by the folder for fetched things. Asking one for its version takes a while.
var found struct {
	sync.Mutex
	binaries map[string]binary
}

// findBinary looks for the server where scripts/mysql.sh does: $MYSQLD, the PATH, then what that script fetched.
func findBinary(tools string) (binary, error) {
	found.Lock()
	defer found.Unlock()
	if b, ok := found.binaries[tools]; ok {
		return b, nil
	}
	b := binary{tools: tools}
	if tools != "" {
		// The server changes its folder.
		absolute, err := filepath.Abs(tools)
		if err != nil {
			return binary{}, err
		}
		b.tools = absolute
	} else {
		root, err := repository.Root()
		if err != nil {
			return binary{}, err
		}
		b.tools = filepath.Join(root, ".tools")
	}
	var candidates []string
	if named := os.Getenv("MYSQLD"); named != "" {
		candidates = []string{named}
	} else {
		if onPath, err := exec.LookPath("mysqld"); err == nil {
			candidates = append(candidates, onPath)
		}
		candidates = append(candidates, filepath.Join(b.tools, "mysql", "bin", "mysqld"))
	}
	var err error
	for _, b.path = range candidates {
		if b.version, err = suitable(b.path); err == nil {
			if found.binaries == nil {
				found.binaries = map[string]binary{}
			}
			found.binaries[tools] = b
			return b, nil
		}
	}
	if os.Getenv("MYSQLD") != "" {
		return binary{}, &MissingError{fmt.Sprintf("$MYSQLD cannot be used: %v", err)}
	}
	return binary{}, &MissingError{"there is no MySQL server of version 8.4 or newer; run 'scripts/mysql.sh fetch'"}
}

// suitable returns what the server at path says of itself when that is MySQL,
// 8.4 or newer. On Debian mysqld may well be MariaDB.
func suitable(path string) (version string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version failed: %w", path, err)
	}
	version = strings.TrimSpace(string(out))
	if !isMySQL84(version) {
		return "", fmt.Errorf("%s is not a MySQL server of version 8.4 or newer: it says %q", path, version)
	}
	return version, nil
}

var versionNumber = regexp.MustCompile(`\bVer (\d+)\.(\d+)`)

// isMySQL84 reports whether a server that says version of itself is MySQL, 8.4
// or newer.
func isMySQL84(version string) bool {
	m := versionNumber.FindStringSubmatch(version)
	if m == nil || strings.Contains(version, "MariaDB") {
		return false
	}
	major, err1 := strconv.Atoi(m[1])
	minor, err2 := strconv.Atoi(m[2])
	return err1 == nil && err2 == nil && (major > 8 || major == 8 && minor >= 4)
}
