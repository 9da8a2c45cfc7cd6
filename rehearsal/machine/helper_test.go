//go:build linux && root

package machine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/leftover"
	"drawbridge/internal/notrun"
)

// TestMain lets the test binary play the process that is killed.
func TestMain(m *testing.M) {
	if root := os.Getenv(victimRoot); root != "" {
		victim(root)
	}
	os.Exit(m.Run())
}

func newNetwork(t *testing.T) *Network {
	t.Helper()
	n, err := NewNetwork("test")
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

func host(t *testing.T, n *Network, name, address string) *Namespace {
	t.Helper()
	ns, err := n.Host(name, address)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

func boot(t *testing.T, options Options) *Machine {
	t.Helper()
	start := time.Now()
	m, err := Boot(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s booted in %v", options.Name, time.Since(start).Round(time.Millisecond))
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// must runs a program that is to succeed and returns what it printed, without white space around it.
func must(t *testing.T, m *Machine, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := m.Run(ctx, nil, name, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(out)
}

// eventually waits until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// traces returns what this machine still has of what was made under names that hold part.
func traces(t *testing.T, part string) (found []string) {
	t.Helper()
	root, err := cgroupRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{namespaceFolder, root, folders} {
		paths, err := filepath.Glob(filepath.Join(folder, "*"+part+"*"))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, paths...)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, part) {
			found = append(found, "mount "+strings.TrimSpace(line))
		}
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		pid, err := strconv.Atoi(filepath.Base(p))
		if _, alive := leftover.StartTime(pid); err != nil || !alive {
			continue
		}
		command, _ := os.ReadFile(p + "/cmdline")
		groups, _ := os.ReadFile(p + "/cgroup")
		if strings.Contains(string(command)+string(groups), part) {
			found = append(found, fmt.Sprintf("%s %s", p, bytes.ReplaceAll(command, []byte{0}, []byte{' '})))
		}
	}
	return found
}

// rootOf is [Root], or the test says NOT RUN.
func rootOf(t *testing.T, name string) string {
	t.Helper()
	root, err := Root(name)
	if err != nil {
		notrun.Because(t, "%v", err)
	}
	return root
}
