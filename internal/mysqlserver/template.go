package mysqlserver

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
)

// initialiseArgs are the server's settings that an initialised data folder
// depends on. Small files make it quick to copy.
func initialiseArgs() []string {
	args := []string{
		"--mysqlx=OFF",
		"--secure-file-priv=NULL",
		"--disable-log-bin",
		"--performance-schema=OFF",
		"--innodb-doublewrite=OFF",
		"--innodb-redo-log-capacity=32M",
		// On the disk at every commit as far as this process goes: a killed
		// server loses nothing, and nobody pulls the plug.
		"--innodb-flush-log-at-trx-commit=2",
		"--auto-generate-certs=OFF",
		"--caching-sha2-password-auto-generate-rsa-keys=OFF",
		"--loose-sha256-password-auto-generate-rsa-keys=OFF",
	}
	if u, err := user.Current(); err == nil && u.Uid == "0" {
		// mysqld refuses to run as root unless told that this is meant.
		args = append(args, "--user="+u.Username)
	}
	return args
}

// template returns a data folder that b has initialised, to be copied. It is
// made once for a version and its settings, and kept beside the fetched server.
func template(b binary) (string, error) {
	key := sha256.Sum256([]byte(b.version + "\n" + strings.Join(initialiseArgs(), "\n")))
	dir := filepath.Join(b.tools, "mysql-data", hex.EncodeToString(key[:6]))
	if isDir(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("making a folder for MySQL's initial data: %w", err)
	}
	// Packages are tested at the same time: one process makes the template.
	unlock, err := lockFile(dir + ".lock")
	if err != nil {
		return "", fmt.Errorf("waiting for another process that prepares MySQL's initial data: %w", err)
	}
	defer unlock()
	if isDir(dir) {
		return dir, nil
	}
	// The folder gets its name when it is whole. What a killed run left behind goes first.
	leftovers, err := filepath.Glob(globQuote(dir) + ".partial-*")
	if err != nil {
		return "", err
	}
	for _, l := range leftovers {
		if err := os.RemoveAll(l); err != nil {
			return "", err
		}
	}
	partial, err := os.MkdirTemp(filepath.Dir(dir), filepath.Base(dir)+".partial-*")
	if err != nil {
		return "", fmt.Errorf("making a folder for MySQL's initial data: %w", err)
	}
	data := filepath.Join(partial, "data")
	args := append([]string{"--no-defaults", "--initialize-insecure", "--datadir=" + data}, initialiseArgs()...)
	if out, err := exec.Command(b.path, args...).CombinedOutput(); err != nil {
		_ = os.RemoveAll(partial)
		return "", fmt.Errorf("%s could not initialise a data folder (%w): %s", b.path, err, lastErrors(string(out)))
	}
	// Every server makes an identity of its own.
	if err := os.Remove(filepath.Join(data, "auto.cnf")); err != nil {
		return "", err
	}
	if err := os.Rename(data, dir); err != nil && !isDir(dir) {
		return "", err
	}
	return dir, os.RemoveAll(partial)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// globQuote escapes what filepath.Glob would expand.
func globQuote(path string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(path)
}

// copyDir copies the folder from to the new folder to, for its owner alone.
func copyDir(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.Mkdir(target, 0o700)
		}
		return copyFile(path, target)
	})
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close() //nolint:errcheck // only read
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// ReadFrom lets the kernel copy, or share the blocks where it can.
	if _, err := dst.ReadFrom(src); err != nil {
		_ = dst.Close()
		return err
	}
	return dst.Close()
}

var logTags = regexp.MustCompile(`^(\[[^]]*\] )*`)

// said returns what a line of a server's log says, without the number and the part of the server before it, when the
// line is of a level such as ERROR.
func said(line, level string) (text string, ok bool) {
	_, text, ok = strings.Cut(line, "["+level+"] ")
	return strings.TrimSpace(text[len(logTags.FindString(text)):]), ok
}

// lastErrors returns the errors in a server's log on one line, or its last
// line when it names none.
func lastErrors(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	var errs []string
	for _, line := range lines {
		if text, ok := said(line, "ERROR"); ok {
			errs = append(errs, text)
		}
	}
	if len(errs) == 0 {
		return lines[len(lines)-1]
	}
	return strings.Join(errs[max(0, len(errs)-3):], " | ")
}
