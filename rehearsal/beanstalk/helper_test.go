//go:build linux && root

package beanstalk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"drawbridge/internal/leftover"
	"drawbridge/internal/lockedbuffer"
	"drawbridge/internal/mysqlserver"
	"drawbridge/internal/notrun"
	"drawbridge/rehearsal/machine"
)

// asApp and asVictim are environment variables that make the test binary play a bundle's program, and the process that is
// killed.
const (
	asApp    = "BEANSTALK_TEST_APP"
	asVictim = "BEANSTALK_TEST_VICTIM"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asApp) != "":
		app()
	case os.Getenv(asVictim) != "":
		victim()
	}
	os.Exit(m.Run())
}

// seen is what the program of the tests' bundle says of a request and of itself.
type seen struct {
	Header      http.Header
	Host, From  string
	User        int
	Groups      []int
	Folder      string
	Environment []string
}

// app is the program: it says what it sees, and breaks down when asked to.
func app() {
	// Something that it leaves running.
	if err := exec.Command("sleep", "1200").Start(); err != nil {
		panic(err)
	}
	folder, _ := os.Getwd()
	fmt.Println("the program", os.Getenv(asApp), "starts")
	err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/break":
			os.Exit(3)
		case "/unavailable":
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		groups, _ := os.Getgroups()
		_ = json.NewEncoder(w).Encode(seen{
			Header: r.Header, Host: r.Host, From: r.RemoteAddr, User: os.Getuid(), Groups: append(groups, os.Getgid()), Folder: folder, Environment: os.Environ(),
		})
	}))
	fmt.Println(err)
	os.Exit(1)
}

// appBundle is a source bundle with that program.
func appBundle() (path string, err error) {
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "beanstalk-test-")
	if err != nil {
		return "", err
	}
	path = filepath.Join(folder, "bundle.zip")
	return path, writeZip(path, map[string]string{"Procfile": "web: bin/application\n", "bin/application": string(program)})
}

func testBundle(t *testing.T) string {
	t.Helper()
	path, err := appBundle()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(path)) })
	return path
}

func newNetwork(t *testing.T) *machine.Network {
	t.Helper()
	n, err := machine.NewNetwork("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func host(t *testing.T, n *machine.Network, name, address string) *machine.Namespace {
	t.Helper()
	ns, err := n.Host(name, address)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

// give ends t when err is one, which may say that this machine lacks a program.
func give(t *testing.T, err error) {
	t.Helper()
	var missing *MissingError
	if errors.As(err, &missing) {
		notrun.Because(t, "%v", missing)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func startInstance(t *testing.T, o InstanceOptions) (*Instance, *lockedbuffer.Buffer) {
	t.Helper()
	log := &lockedbuffer.Buffer{}
	o.Log = log
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	i, err := StartInstance(ctx, o)
	give(t, err)
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("%s", log)
		}
	})
	return i, log
}

// visitor makes requests from a namespace.
func visitor(ns *machine.Namespace) *http.Client { return client(ns, 10*time.Second) }

// visit returns the status of a page and its text.
func visit(t *testing.T, c *http.Client, url string, header http.Header) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// ask returns what the tests' program saw.
func ask(t *testing.T, c *http.Client, url string, header http.Header) (s seen) {
	t.Helper()
	status, text := visit(t, c, url, header)
	if err := json.Unmarshal([]byte(text), &s); status != http.StatusOK || err != nil {
		t.Fatalf("%s: status %d, %v: %s", url, status, err, text)
	}
	return s
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within half a minute: %s", what)
		}
	}
}

// processes returns the processes of this machine in network namespaces, by the names of the latter.
func processes(t *testing.T, namespaces ...string) (pids []int) {
	t.Helper()
	var inodes []string
	for _, name := range namespaces {
		info, err := os.Stat(filepath.Join("/run/netns", name))
		if err != nil {
			t.Fatal(err)
		}
		inodes = append(inodes, fmt.Sprintf("net:[%d]", info.Sys().(*syscall.Stat_t).Ino))
	}
	links, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !slices.Contains(inodes, target) {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(link, "/")[2])
		if _, alive := leftover.StartTime(pid); err == nil && alive {
			pids = append(pids, pid)
		}
	}
	return pids
}

// programs returns those whose program has this name.
func programs(t *testing.T, pids []int, name string) (found []int) {
	t.Helper()
	for _, pid := range pids {
		path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if err == nil && filepath.Base(path) == name {
			found = append(found, pid)
		}
	}
	return found
}

// on is the address of a page on a host.
func on(address netip.Addr, path string) string {
	return "http://" + net.JoinHostPort(address.String(), "80") + path
}

// startMySQL runs a MySQL server on a host with those settings, and opens it as its master user.
func startMySQL(t *testing.T, db *machine.Namespace, settings map[string]string) (*mysqlserver.Server, *sql.DB) {
	t.Helper()
	server, err := mysqlserver.Start(t.Context(), mysqlserver.Options{
		Address: db.Address.String(), Port: 3306, Dial: db.Dial, Settings: settings,
		Command: func(name string, args ...string) *exec.Cmd { return db.Command(context.Background(), name, args...) },
	})
	var missing *mysqlserver.MissingError
	if errors.As(err, &missing) {
		notrun.Because(t, "%v", missing)
	}
	give(t, err)
	t.Cleanup(func() { give(t, server.Close()) })
	user, password := server.Master()
	pool, err := server.Open(user, password, "")
	give(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	return server, pool
}
