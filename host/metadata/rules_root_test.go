//go:build linux && root

package metadata

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"drawbridge/internal/notrun"
)

// The parts that this test binary plays in processes of their own.
const (
	part     = "METADATA_TEST_PART"
	instance = "instance" // has the metadata service in a network namespace of its own
	visitor  = "visitor"  // asks it, as some user
)

var addresses = []string{"169.254.169.254", "fd00:ec2::254"}

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(part) {
	case instance:
		err = playInstance(os.Getenv("METADATA_TEST_RULES"))
	case visitor:
		err = ask(os.Getenv("METADATA_TEST_ADDRESS"))
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// ask connects from an address other than the service's, as an instance does: its refusal comes back to that.
func ask(address string) error {
	from := net.IPv4(127, 0, 0, 1)
	if strings.HasPrefix(address, "[") {
		from = net.IPv6loopback
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: 5 * time.Second}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func TestOnlyRootReachesTheMetadataService(t *testing.T) {
	for _, program := range []string{"nft", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			notrun.Because(t, "there is no program %s", program)
		}
	}
	file := filepath.Join(t.TempDir(), "metadata.nft")
	if err := os.WriteFile(file, []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), part+"="+instance, "METADATA_TEST_RULES="+file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func playInstance(file string) error {
	commands := [][]string{{"ip", "link", "set", "lo", "up"}}
	for _, address := range append([]string{"169.254.169.123"}, addresses...) {
		bits := "/32"
		if strings.Contains(address, ":") {
			bits = "/128"
		}
		commands = append(commands, []string{"ip", "addr", "add", address + bits, "dev", "lo"})
	}
	if err := each(commands); err != nil {
		return err
	}
	var listening []string
	for _, address := range append([]string{"127.0.0.1", "169.254.169.123"}, addresses...) {
		l, err := net.Listen("tcp", net.JoinHostPort(address, "80"))
		for wait := 0; err != nil && wait < 50; wait++ { // an IPv6 address is not there at once
			time.Sleep(100 * time.Millisecond)
			l, err = net.Listen("tcp", net.JoinHostPort(address, "80"))
		}
		if err != nil {
			return err
		}
		go func() {
			for {
				if conn, err := l.Accept(); err == nil {
					_ = conn.Close()
				}
			}
		}()
		listening = append(listening, address)
	}
	var errs []error
	look := func(when string, guarded bool) {
		for _, address := range listening {
			kept := guarded && (address == addresses[0] || address == addresses[1])
			for _, uid := range []uint32{0, 1000, 65534} {
				reached, said := visit(address, uid)
				if want := uid == 0 || !kept; reached != want {
					errs = append(errs, fmt.Errorf("%s: uid %d reaches %s: %v, want %v (%s)", when, uid, address, reached, want, said))
				} else if !reached && !strings.Contains(said, "refused") {
					errs = append(errs, fmt.Errorf("%s: uid %d is not told at once: %s", when, uid, said))
				}
			}
		}
	}
	look("without the rules", false)
	// Rules of somebody else's stay.
	if err := each([][]string{{"nft", "add", "table", "inet", "other"}, {"nft", "--file", file}, {"nft", "--file", file}}); err != nil {
		return err
	}
	look("with the rules", true)
	if err := each([][]string{{"nft", "list", "table", "inet", "other"}, {"nft", "delete", "table", "inet", "drawbridge"}}); err != nil {
		return err
	}
	look("after them", false)
	return errors.Join(errs...)
}

func each(commands [][]string) error {
	for _, command := range commands {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%q: %w: %s", command, err, out)
		}
	}
	return nil
}

func visit(address string, uid uint32) (reached bool, said string) {
	// Other users may not enter the folder of the test binary.
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return false, err.Error()
	}
	defer func() { _ = self.Close() }()
	cmd := exec.Command("/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{self}
	cmd.Env = []string{part + "=" + visitor, "METADATA_TEST_ADDRESS=" + net.JoinHostPort(address, "80")}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return err == nil, fmt.Sprint(strings.TrimSpace(out.String()), " ", err)
}
