//go:build linux && root

package mysqlsession

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"drawbridge/host/settings"
	"drawbridge/internal/mysqldb"
	"drawbridge/internal/notrun"
)

const password = `hunter2 "#\ '`

// report is what the client that the tests play saw.
type report struct {
	Args, Env          []string
	UIDs, GIDs, Groups string // as /proc/self/status has them
	File, Again        string // the option file, read twice
	Link               string // what it is
	CameBack           bool   // whether root's rights could be had again
	Root               bool   // whether a file of root's could be read
}

// TestMain lets the test binary play the program that Run turns into the client, and the client.
func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == "mariadb":
		client()
	case os.Getenv("MYSQLSESSION_TEST") != "":
		text := os.Getenv("MYSQLSESSION_TEST")
		s := &settings.Settings{Database: database, Bastion: &settings.Bastion{MasterSecretARN: arn}}
		err := session{client: filepath.Join(filepath.Dir(os.Args[0]), "mariadb"), secrets: fakeSecrets{text: &text}, stderr: os.Stderr}.
			run(context.Background(), s, os.Args[1:])
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func client() {
	r := report{Args: os.Args, Env: os.Environ()}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.Join(strings.Fields(value), " ")
		switch name {
		case "Uid":
			r.UIDs = value
		case "Gid":
			r.GIDs = value
		case "Groups":
			r.Groups = value
		}
	}
	if file, ok := strings.CutPrefix(os.Args[1], "--defaults-file="); ok {
		r.Link, _ = os.Readlink(file)
		r.File, r.Again = readAll(file), readAll(file)
	}
	_, err := os.ReadFile("/etc/shadow")
	r.Root = err == nil
	r.CameBack = syscall.Setresuid(0, 0, 0) == nil
	_ = json.NewEncoder(os.Stdout).Encode(r)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test has looked at it from outside
	os.Exit(7)
}

func readAll(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// play starts the program as sudo would for a user, and returns what the client saw, what was said on stderr, and the
// client's process as it looks from outside.
func play(t *testing.T, env []string, args ...string) (r report, said, cmdline, environ string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "mysqlsession")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"drawbridge-host", "mariadb"} {
		if err := os.WriteFile(filepath.Join(dir, name), binary, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	value, err := json.Marshal(map[string]any{"username": "admin", "password": password, "host": "elsewhere.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "drawbridge-host"), args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"MYSQLSESSION_TEST=" + string(value), "TERM=xterm", "MYSQL_PWD=other"}, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		proc := fmt.Sprintf("/proc/%d/", cmd.Process.Pid)
		cmdline, environ = readAll(proc+"cmdline"), readAll(proc+"environ")
		if err := json.Unmarshal(line, &r); err != nil {
			t.Error(err)
		}
	}
	_ = stdin.Close()
	_ = cmd.Wait()
	if want := 7; err == nil && cmd.ProcessState.ExitCode() != want {
		t.Errorf("it ended with %s, want the client's exit status %d", cmd.ProcessState, want)
	}
	return r, stderr.String(), cmdline, environ
}

// somebody is an ordinary user of this machine, with the groups that the machine knows.
func somebody(t *testing.T) (u *user.User, groups string) {
	t.Helper()
	for _, name := range []string{"nobody", "www-data", "daemon", "_apt"} {
		u, err := user.Lookup(name)
		if err != nil || u.Uid == "0" {
			continue
		}
		ids, err := u.GroupIds()
		if err != nil {
			continue
		}
		slices.SortFunc(ids, func(a, b string) int {
			x, _ := strconv.Atoi(a)
			y, _ := strconv.Atoi(b)
			return x - y
		})
		return u, strings.Join(ids, " ")
	}
	notrun.Because(t, "this machine has no ordinary user")
	return nil, ""
}

func four(id string) string { return strings.Join([]string{id, id, id, id}, " ") }

func TestTheClientRunsAsThePersonAndNothingElse(t *testing.T) {
	u, groups := somebody(t)
	r, said, cmdline, environ := play(t, []string{"SUDO_UID=" + u.Uid, "SUDO_GID=0", "SUDO_USER=root"}, "--batch", "-e", "SELECT 1", "shop")
	if r.UIDs != four(u.Uid) || r.GIDs != four(u.Gid) || r.Groups != groups {
		t.Errorf("uids %q, gids %q, groups %q, want those of %s: %s, %s, %q", r.UIDs, r.GIDs, r.Groups, u.Username, u.Uid, u.Gid, groups)
	}
	if r.CameBack || r.Root {
		t.Errorf("root's rights came back: %v, a file of root's could be read: %v", r.CameBack, r.Root)
	}
	if len(r.Args) != 6 || !reflect.DeepEqual(r.Args[2:], []string{"--batch", "-e", "SELECT 1", "shop"}) {
		t.Errorf("the client's arguments are %q", r.Args)
	}
	if want, err := options(database, mysqlLogin()); err != nil || r.File != want {
		t.Errorf("the option file is %q, want %q", r.File, want)
	}
	if !strings.HasPrefix(r.Link, "pipe:") || strings.Contains(r.Again, "hunter2") {
		t.Errorf("the option file is %q, and %q when read again", r.Link, r.Again)
	}
	for name, text := range map[string]string{"its arguments": strings.Join(r.Args, " "), "its environment": strings.Join(r.Env, " "),
		"/proc/PID/cmdline": cmdline, "/proc/PID/environ": environ, "stderr": said} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s: the password is there: %q", name, text)
		}
	}
	if cmdline == "" || environ == "" {
		t.Error("the client could not be looked at from outside")
	}
	if want := []string{"HOME=" + u.HomeDir, "USER=" + u.Username, "LOGNAME=" + u.Username, "PATH=/usr/local/bin:/usr/bin:/bin", "TERM=xterm"}; !slices.Equal(r.Env, want) {
		t.Errorf("the client's environment is %q, want %q", r.Env, want)
	}
	if said != "" {
		t.Errorf("it said %q", said)
	}
}

func TestRootItselfIsToldThatTheClientIsRoots(t *testing.T) {
	for _, env := range [][]string{nil, {"SUDO_UID=0"}} {
		r, said, _, _ := play(t, env)
		if r.UIDs != four("0") || !strings.Contains(said, "the mysql client runs as root") || len(r.Args) != 2 {
			t.Errorf("uids %q, arguments %q, said %q", r.UIDs, r.Args, said)
		}
	}
}

func TestNobodyElseGetsAClient(t *testing.T) {
	for _, uid := range []string{"", "-1", "4294967295", "1999999999", "root"} {
		r, said, _, _ := play(t, []string{"SUDO_UID=" + uid})
		if r.Args != nil || said == "" || strings.Contains(said, "hunter2") || strings.Count(said, "\n") != 1 {
			t.Errorf("SUDO_UID=%q: the client ran as %q, said %q", uid, r.UIDs, said)
		}
	}
}

func mysqlLogin() mysqldb.Secret { return mysqldb.Secret{Username: "admin", Password: password} }
