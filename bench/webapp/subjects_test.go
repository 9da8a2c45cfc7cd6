package webapp

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// newDrawbridge runs the program of the bundle that `make build` made for this machine's architecture.
func newDrawbridge(b *testing.B, w *world) *site {
	b.Helper()
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	program, err := filepath.Abs(filepath.Join("..", "..", "build", "webapp-"+architecture))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		b.Fatalf("%v: run it by 'make bench', which builds it first", err)
	}
	port := freePort(b)
	command := exec.Command(program)
	command.Env = append(w.environment(), "PORT="+port)
	return serve(b, "Drawbridge", port, map[string]string{
		"overview": "/",
		"table":    "/tables/" + tableName,
		"JSON":     fmt.Sprintf("/tables/%s.json?column=id&op=between&value=1..%d", tableName, pageSize),
	}, command)
}

// python is a program of the environment that `make bench` sets up.
func python(b *testing.B, name string) string {
	b.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", ".tools", "bench", "bin", name))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		b.Fatalf("%v: run it by 'make bench', which installs it first", err)
	}
	return path
}

// newFlask runs the Flask app as gunicorn's documentation recommends: 2 × cores + 1 workers, of its default kind.
func newFlask(b *testing.B, w *world) *site {
	b.Helper()
	port := freePort(b)
	command := exec.Command(python(b, "gunicorn"), "--workers", fmt.Sprint(2*runtime.NumCPU()+1), "--bind", "127.0.0.1:"+port, "app:app")
	command.Dir = "python"
	command.Env = append(w.environment(), "HOME="+b.TempDir(), "PATH="+os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1")
	return serve(b, "Flask", port, map[string]string{
		"overview": "/",
		"table":    "/tables/" + tableName,
		"JSON":     "/tables/" + tableName + ".json",
	}, command)
}

// newDatasette runs Datasette with its default settings on a copy of the data in SQLite.
func newDatasette(b *testing.B, w *world) *site {
	b.Helper()
	file := filepath.Join(b.TempDir(), "bench.db")
	command := exec.Command(python(b, "python"), "tosqlite.py", file)
	command.Dir = "python"
	command.Env = append(w.environment(), "PYTHONDONTWRITEBYTECODE=1")
	if output, err := command.CombinedOutput(); err != nil {
		b.Fatalf("copying the data to SQLite: %v: %s", err, output)
	}
	port := freePort(b)
	command = exec.Command(python(b, "datasette"), "serve", file, "--host", "127.0.0.1", "--port", port)
	command.Env = []string{"HOME=" + b.TempDir(), "PATH=" + os.Getenv("PATH")}
	page := "/bench/" + tableName
	return serve(b, "Datasette", port, map[string]string{
		"overview": "/bench",
		"table":    fmt.Sprintf("%s?_size=%d", page, pageSize),
		"JSON":     fmt.Sprintf("%s.json?_size=%d&_shape=array", page, pageSize),
	}, command)
}
