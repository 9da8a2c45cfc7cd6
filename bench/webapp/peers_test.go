package webapp

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"drawbridge/internal/pinned"
)

// ourPages are the web app's pages that are weighed.
var ourPages = []struct{ name, path string }{
	{"overview", "/"},
	{"table", "/tables/" + tableName},
	{"row", "/tables/" + tableName + "/rows/1"},
	{"chart", chart.Address},
	{"dashboard of one chart", "/dashboard"},
	{"JSON", ourJSON},
}

// chart is the one that is on the dashboard too.
var chart = pinned.Chart{Title: "Sightings", Address: "/tables/" + tableName + "/chart?kind=bar&x=place"}

// ourJSON is the address of JSON with the rows that a page has.
var ourJSON = "/tables/" + tableName + ".json?rows=page"

// newDrawbridge runs the program of the bundle that `make build` made for this machine's architecture.
func newDrawbridge(b *testing.B, w *world) *site {
	b.Helper()
	port := freePort(b)
	command := exec.Command(program(b))
	command.Env = append(w.environment(), "PORT="+port, "DASHBOARD_CHARTS="+pinned.Encode([]pinned.Chart{chart}))
	return serve(b, "Drawbridge", port, map[string]string{
		"overview": "/",
		"table":    "/tables/" + tableName,
		"JSON":     ourJSON,
	}, command)
}

// program is the path of the web app's own program, as it is in the bundle.
func program(b *testing.B) string {
	b.Helper()
	return prepared(b, "build", "webapp-"+map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH])
}

// python is the path of a program in the Python environment.
func python(b *testing.B, name string) string {
	b.Helper()
	return prepared(b, ".tools", "bench", "bin", name)
}

// prepared is the path of something in the repository that the Makefile prepares.
func prepared(b *testing.B, path ...string) string {
	b.Helper()
	absolute, err := filepath.Abs(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(absolute); err != nil {
		b.Fatalf("%v: run this by 'make bench-webapp', which makes it first", err)
	}
	return absolute
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

// nginxConfig has what matters of Elastic Beanstalk's own: HTTP/1.1 to the program, no connection that is kept to it, and
// no compression.
const nginxConfig = `
daemon off;
worker_processes auto;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
	access_log access.log;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	scgi_temp_path scgi;
	uwsgi_temp_path uwsgi;
	proxy_http_version 1.1;
	proxy_set_header Host $host;
	proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
	%s
}
`

// behindNginx is each of the sites once more, with one nginx before both.
func behindNginx(b *testing.B, sites ...*site) (proxied []*site) {
	b.Helper()
	dir := b.TempDir()
	var servers string
	var ports []string
	for _, s := range sites {
		port := freePort(b)
		ports = append(ports, port)
		servers += fmt.Sprintf("server { listen 127.0.0.1:%s; location / { proxy_pass %s; } }\n\t", port, s.base)
	}
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), fmt.Appendf(nil, nginxConfig, servers), 0o644); err != nil {
		b.Fatal(err)
	}
	command := exec.Command("nginx", "-e", "stderr", "-p", dir, "-c", "nginx.conf")
	command.Env = []string{"PATH=" + os.Getenv("PATH")}
	nginx := serve(b, "nginx", ports[0], nil, command)
	for i, s := range sites {
		proxied = append(proxied, &site{name: s.name + " behind nginx", base: "http://127.0.0.1:" + ports[i], paths: s.paths, pids: append(nginx.pids, s.pids...), measured: map[string][]measurement{}})
	}
	return proxied
}

// goVersion is what the web app's program was made with.
func goVersion(b *testing.B) string {
	b.Helper()
	info, err := buildinfo.ReadFile(program(b))
	if err != nil {
		b.Fatal(err)
	}
	return info.GoVersion
}

// versions are those of the peers, as Python knows them.
func versions(b *testing.B) string {
	b.Helper()
	output, err := exec.Command(python(b, "python"), "-c", `import importlib.metadata, platform
print("Python", platform.python_version(), end="")
for name in "Flask", "SQLAlchemy", "PyMySQL", "gunicorn", "datasette":
    print(",", name, importlib.metadata.version(name), end="")`).Output()
	if err != nil {
		b.Fatal(err)
	}
	return string(output)
}
