//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
)

// process is the app's own program, running.
type process struct {
	*exec.Cmd
	stdout, stderr syncBuffer
	exited         chan struct{} // closed when it has ended
}

// build compiles the program as it is deployed, for this machine.
func build(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "application")
	command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, ".")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// start runs the program with that environment alone.
func start(t *testing.T, path string, env map[string]string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(path), exited: make(chan struct{})}
	p.Env = []string{"HOME=" + t.TempDir()}
	for name, value := range env {
		p.Env = append(p.Env, name+"="+value)
	}
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Wait() // the exit code is looked at where it matters
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.exited
	})
	return p
}

// end waits until the program has ended and fails unless it has that exit code.
func (p *process) end(t *testing.T, code int) {
	t.Helper()
	select {
	case <-p.exited:
	case <-time.After(20 * time.Second):
		t.Fatalf("it still runs: %s%s", p.stdout.String(), p.stderr.String())
	}
	if got := p.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d: %s%s", got, code, p.stdout.String(), p.stderr.String())
	}
}

// answers asks until the program answers, and returns the status.
func (p *process) answers(t *testing.T, url string) int {
	t.Helper()
	for stop := time.Now().Add(20 * time.Second); time.Now().Before(stop); time.Sleep(20 * time.Millisecond) {
		response, err := http.Get(url)
		if err == nil {
			response.Body.Close()
			return response.StatusCode
		}
	}
	t.Fatalf("%s does not answer: %s%s", url, p.stdout.String(), p.stderr.String())
	return 0
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func TestProgram(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	user := newReader(t, server, schema)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema), "CREATE TABLE slow (id INT PRIMARY KEY)", "INSERT INTO slow VALUES (1)", "CREATE VIEW nap AS SELECT SLEEP(1) FROM slow")
	path := build(t)

	t.Run("says all that is wrong with its settings and exits with 1", func(t *testing.T) {
		p := start(t, path, map[string]string{"PORT": "http", "METRICS_PORT": "0", "RDS_PORT": "0", "RDS_PASSWORD": readerPassword, "DASHBOARD_URL": "bi.example.com"})
		p.end(t, 1)
		lines := strings.Split(strings.TrimSpace(p.stderr.String()), "\n")
		for i, want := range []string{"RDS_HOSTNAME is not set", `RDS_PORT is "0"`, "RDS_DB_NAME is not set", "RDS_USERNAME is not", `PORT is "http"`, `METRICS_PORT is "0"`, "DASHBOARD_URL is no web address"} {
			if i >= len(lines) || !strings.HasPrefix(lines[i], "webapp: ") || !strings.Contains(lines[i], want) {
				t.Errorf("line %d should say %q:\n%s", i+1, want, p.stderr.String())
			}
		}
		if len(lines) != 7 || strings.Contains(p.stderr.String()+p.stdout.String(), readerPassword) {
			t.Errorf("%d lines, want 7, without the password:\n%s", len(lines), p.stderr.String())
		}
	})
	t.Run("says that its port is taken and exits with 1", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		p := start(t, path, map[string]string{"PORT": port, "RDS_HOSTNAME": "127.0.0.1", "RDS_DB_NAME": "x", "RDS_USERNAME": "x", "RDS_PASSWORD": readerPassword})
		p.end(t, 1)
		if text := p.stderr.String(); !strings.Contains(text, "cannot listen on 127.0.0.1:"+port) || strings.Count(text, "\n") != 1 {
			t.Errorf("it says %q", text)
		}
		p = start(t, path, map[string]string{"PORT": freePort(t), "METRICS_PORT": port, "RDS_HOSTNAME": "127.0.0.1", "RDS_DB_NAME": "x", "RDS_USERNAME": "x", "RDS_PASSWORD": readerPassword})
		p.end(t, 1)
		if text := p.stderr.String(); !strings.Contains(text, "cannot listen on 127.0.0.1:"+port) || !strings.Contains(text, "set METRICS_PORT to another") || strings.Count(text, "\n") != 1 {
			t.Errorf("of the port for metrics it says %q", text)
		}
	})
	t.Run("serves with a user name and password, on loopback only, until SIGTERM", func(t *testing.T) {
		port, metricsPort := freePort(t), freePort(t)
		p := start(t, path, map[string]string{
			"PORT": port, "METRICS_PORT": metricsPort, "RDS_HOSTNAME": server.Host, "RDS_PORT": fmt.Sprint(server.Port), "RDS_DB_NAME": schema,
			"RDS_USERNAME": user, "RDS_PASSWORD": readerPassword, "DRAWBRIDGE_DB_CA_FILE": server.CAFile,
		})
		base := "http://127.0.0.1:" + port
		for _, page := range []string{"/healthz", "/readyz", "/", "/tables/slow"} {
			if status := p.answers(t, base+page); status != 200 {
				t.Errorf("%s: status %d", page, status)
			}
		}
		for _, address := range otherAddresses(t) {
			for _, port := range []string{port, metricsPort} {
				if c, err := net.DialTimeout("tcp", net.JoinHostPort(address, port), time.Second); err == nil {
					c.Close()
					t.Errorf("it also listens on %s", net.JoinHostPort(address, port))
				}
			}
		}
		if got := metric(t, scraped(t, metricsPort), `drawbridge_http_requests_total{method="GET",route="/",status="2xx"}`); got != "1" {
			t.Errorf("the metrics say that the overview was answered %s times", got)
		}
		if status := p.answers(t, base+"/metrics"); status != 404 {
			t.Errorf("visitors get the metrics: status %d", status)
		}

		// A request under way is answered before the program ends.
		answered := make(chan int)
		go func() {
			status := 0
			if response, err := http.Get(base + "/tables/nap"); err == nil {
				response.Body.Close()
				status = response.StatusCode
			}
			answered <- status
		}()
		time.Sleep(500 * time.Millisecond)
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if status := <-answered; status != 200 {
			t.Errorf("the request under way got status %d", status)
		}
		p.end(t, 0)
		for line := range strings.Lines(p.stdout.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("a log line is not JSON: %q", line)
			}
		}
		if text := p.stdout.String() + p.stderr.String(); strings.Contains(text, readerPassword) || !strings.Contains(text, `"stopped"`) {
			t.Errorf("the log is %s", text)
		}
	})
	t.Run("serves with a secret", func(t *testing.T) {
		manager := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			value, _ := json.Marshal(map[string]any{"host": server.Host, "port": server.Port, "dbname": schema, "username": user, "password": readerPassword})
			body, _ := json.Marshal(map[string]string{"SecretString": string(value)})
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			_, _ = w.Write(body)
		}))
		defer manager.Close()
		port := freePort(t)
		p := start(t, path, map[string]string{
			"PORT": port, "RDS_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:webapp-AbCdEf", "DRAWBRIDGE_DB_CA_FILE": server.CAFile,
			"AWS_ENDPOINT_URL_SECRETS_MANAGER": manager.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		})
		for _, page := range []string{"/readyz", "/tables/slow"} {
			if status := p.answers(t, "http://127.0.0.1:"+port+page); status != 200 {
				t.Errorf("%s: status %d: %s", page, status, p.stdout.String())
			}
		}
		if err := p.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		p.end(t, 0)
		if bytes.Contains([]byte(p.stdout.String()+p.stderr.String()), []byte(readerPassword)) {
			t.Error("the log holds the password")
		}
	})
}

// otherAddresses are this machine's IPv4 addresses but 127.0.0.1.
func otherAddresses(t *testing.T) []string {
	t.Helper()
	found, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	addresses := []string{"127.0.0.2", "::1"}
	for _, address := range found {
		if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil && !network.IP.IsLoopback() {
			addresses = append(addresses, network.IP.String())
		}
	}
	return addresses
}
