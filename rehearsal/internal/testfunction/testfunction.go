// Package testfunction builds a Lambda function for tests of the rehearsal, and sees that they leave nothing behind.
package testfunction

import (
	"archive/zip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "drawbridge-testfunction-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "bootstrap")
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", file, "drawbridge/rehearsal/internal/testfunction/bootstrap")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the test function: %w\n%s", err, out)
	}
	return file, nil
})

// Main is the body of a TestMain: it runs the tests and removes the function.
func Main(m *testing.M) {
	code := m.Run()
	if file, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// Bootstrap is the path of the function's program. The package's TestMain must be [Main].
func Bootstrap(t testing.TB) string {
	t.Helper()
	file, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Zip is the path of the function as an asset.
func Zip(t testing.TB) string {
	t.Helper()
	program, err := os.ReadFile(Bootstrap(t))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "function.zip")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(out)
	// Stored, not deflated: tests are in a hurry.
	entry, err := archive.CreateHeader(&zip.FileHeader{Name: "bootstrap", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// NoLeftovers fails t if, at its end, temporary files are left, or programs that this process started. Call it first.
func NoLeftovers(t testing.TB) {
	t.Helper()
	_, _ = built() // in the temporary folder of the whole test binary
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Error(err)
		}
		for _, entry := range left {
			t.Errorf("%s is left in the temporary folder", entry.Name())
		}
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			children := children()
			if len(children) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("these programs are left: %s", strings.Join(children, ", "))
				return
			}
		}
	})
}

// children are the programs, on Linux, that this process started from its test function and that run still.
func children() (running []string) {
	threads, _ := filepath.Glob("/proc/self/task/*/children")
	for _, file := range threads {
		text, _ := os.ReadFile(file)
		for _, pid := range strings.Fields(string(text)) {
			if program, err := os.Readlink("/proc/" + pid + "/exe"); err == nil && strings.HasPrefix(filepath.Base(program), "bootstrap") {
				running = append(running, pid+" "+program)
			}
		}
	}
	return running
}
