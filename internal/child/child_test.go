package child

import (
	"bufio"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary play the parent that is killed.
func TestMain(m *testing.M) {
	if os.Getenv("CHILD_TEST_PARENT") != "" {
		p, err := Start(exec.Command("sleep", "60"))
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(strconv.Itoa(p.Pid) + "\n")
		select {}
	}
	os.Exit(m.Run())
}

func TestChild(t *testing.T) {
	t.Run("says how it ended", func(t *testing.T) {
		for code, want := range map[string]string{"0": "exit status 0", "3": "exit status 3"} {
			p, err := Start(exec.Command("sh", "-c", "exit "+code))
			if err != nil {
				t.Fatal(err)
			}
			<-p.Exited
			if p.End() != want {
				t.Errorf("exit %s: %q, want %q", code, p.End(), want)
			}
		}
	})
	t.Run("that cannot be started is an error", func(t *testing.T) {
		if _, err := Start(exec.Command("./no-such-program")); err == nil {
			t.Error("no error")
		}
	})
	t.Run("dies with a parent that is killed", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("only Linux can do that")
		}
		parent := exec.Command(os.Args[0])
		parent.Env = append(os.Environ(), "CHILD_TEST_PARENT=1")
		out, err := parent.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := parent.Start(); err != nil {
			t.Fatal(err)
		}
		pid, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if !alive(strings.TrimSpace(pid)) {
			t.Fatal("the child did not start")
		}
		if err := parent.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = parent.Wait()
		for deadline := time.Now().Add(10 * time.Second); alive(strings.TrimSpace(pid)); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("it lives on")
			}
		}
	})
}

// alive says whether a process runs: one that has ended and that nobody waited for does not.
func alive(pid string) bool {
	status, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(status), ") Z ")
}
