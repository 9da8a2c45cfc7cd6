package webapp

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"drawbridge/internal/child"
)

func TestParseStat(t *testing.T) {
	const rest = " 42 42 0 -1 4194560 1000 0 0 0 250 50 7 3 20 0 9 0 1 0"
	for text, want := range map[string]process{
		"42 (webapp) S 7" + rest:        {42, 7, 3 * time.Second},
		"43 (a ) S 9 (b) c) R 8" + rest: {43, 8, 3 * time.Second},
	} {
		if p, err := parseStat(text); err != nil || p != want {
			t.Errorf("%q: %+v (%v), want %+v", text, p, err, want)
		}
	}
	for _, text := range []string{"", "42 (webapp) S 7", "x (webapp) S 7" + rest, "42 (webapp) S x" + rest, "42 (webapp) S 7 42 42 0 -1 4194560 1000 0 0 0 x 50"} {
		if _, err := parseStat(text); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}

func TestUsedBy(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	before, err := usedBy(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for stop := time.Now().Add(20 * time.Second); ; {
		after, err := usedBy(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if after >= before+5*tick {
			break
		}
		if time.Now().After(stop) {
			t.Fatalf("20 seconds of work used %v of the processor", after-before)
		}
	}
	if _, err := usedBy(os.Getpid(), -1); err == nil {
		t.Error("a process that is not there is no error")
	}
}

func TestParseRollup(t *testing.T) {
	const text = `00400000-7ffd3b5f9000 ---p 00000000 00:00 0                              [rollup]
Rss:               21404 kB
Pss:               20000 kB
Pss_Anon:          12000 kB
Pss_File:           8000 kB
Shared_Clean:       1404 kB
`
	if m, err := parseRollup(text); err != nil || m != (memory{rss: 21404, pss: 20000}) {
		t.Errorf("%+v (%v)", m, err)
	}
	if m, err := parseRollup("Rss: 1 kB\n"); err == nil {
		t.Errorf("without Pss: %+v", m)
	}
}

func TestMemoryOf(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	alone, err := memoryOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	process, err := child.Start(exec.Command("sh", "-c", "sleep 60 & wait"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = process.Kill()
		<-process.Exited
	}()
	for stop := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		m, err := memoryOf(process.Pid)
		if err == nil && m.processes == 2 {
			break
		}
		if time.Now().After(stop) {
			t.Fatalf("a shell that waits for its child is %+v (%v), want 2 processes", m, err)
		}
	}
	// What is new is much less than what this process has itself, which may have changed a little.
	both, err := memoryOf(os.Getpid())
	if err != nil || both.processes < alone.processes+2 || both.rss < alone.rss/2 || both.pss < alone.pss/2 {
		t.Errorf("%+v with a child that has a child (%v), and %+v without", both, err, alone)
	}
}
