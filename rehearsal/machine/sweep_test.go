//go:build linux && root

package machine

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"drawbridge/internal/leftover"
)

// victimRoot is the environment variable that makes the test binary a victim, and names the root of its machine.
const victimRoot = "MACHINE_TEST_VICTIM_ROOT"

// victim makes a network and a machine, says its owner's part of their names, and waits to be killed.
func victim(root string) {
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	network, err := NewNetwork("victim")
	check(err)
	namespace, err := network.Host("victim", "10.0.0.10/24")
	check(err)
	_, err = Boot(context.Background(), Options{Name: "victim", Root: root, Namespace: namespace})
	check(err)
	// The second sleep is nobody's child.
	check(network.Router().Command(context.Background(), "sleep", "1200").Start())
	check(namespace.Command(context.Background(), "sh", "-c", "setsid sleep 1200 &").Run())
	o, err := leftover.Self()
	check(err)
	fmt.Printf("-%d-%d-\n", o.PID, o.Start)
	select {}
}

func startVictim(t *testing.T, root string) (cmd *exec.Cmd, part string) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimRoot+"="+root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have been killed before
		_ = cmd.Wait()
		if err := Sweep(); err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	part = strings.TrimSpace(line)
	if err != nil || !strings.HasPrefix(part, "-") {
		t.Fatalf("the victim says %q, %v", line, err)
	}
	return cmd, part
}

func TestAProcessThatIsKilledTakesItsMachinesWithItAndSweepRemovesTheRest(t *testing.T) {
	root := rootOf(t, "tunnel")
	mine := newNetwork(t)
	killed, killedPart := startVictim(t, root)
	_, livingPart := startVictim(t, root)
	namespaces, err := filepath.Glob(filepath.Join(namespaceFolder, "*"+killedPart+"*"))
	if err != nil || len(namespaces) != 2 {
		t.Fatalf("%q, %v", namespaces, err)
	}
	inodes := []string{namespaceInode(t, namespaces[0]), namespaceInode(t, namespaces[1])}
	living := traces(t, livingPart)
	if len(living) < 10 {
		t.Fatalf("the test sees too little of a process that lives: %q", living)
	}

	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	eventually(t, "the machine's processes are gone by themselves", func() bool {
		for _, found := range traces(t, killedPart) {
			if strings.HasPrefix(found, "/proc/") {
				return false
			}
		}
		return true
	})
	if left := traces(t, killedPart); len(left) == 0 {
		t.Error("there was nothing for Sweep to do")
	}
	if err := Sweep(); err != nil {
		t.Fatal(err)
	}
	if left := traces(t, killedPart); len(left) > 0 {
		t.Errorf("after Sweep there are %q", left)
	}
	for _, inode := range inodes {
		if pids := inNamespace(t, inode); len(pids) > 0 {
			t.Errorf("after Sweep there are processes %q", pids)
		}
	}
	if now := traces(t, livingPart); strings.Join(now, "\n") != strings.Join(living, "\n") {
		t.Errorf("Sweep touched what belongs to a process that lives: it was\n%q\nand is\n%q", living, now)
	}
	if found := traces(t, mine.router.name); len(found) == 0 {
		t.Error("Sweep took this process's own network")
	}
}

// namespaceInode is the number by which the kernel tells namespaces apart, as it stands in /proc/PID/ns.
func namespaceInode(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("net:[%d]", info.Sys().(*syscall.Stat_t).Ino)
}

// inNamespace returns the processes in a network namespace, by its inode.
func inNamespace(t *testing.T, inode string) (pids []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == inode {
			pids = append(pids, link)
		}
	}
	return pids
}
