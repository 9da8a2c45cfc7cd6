package administrators

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"golang.org/x/crypto/ssh"

	"drawbridge/config"
	"drawbridge/host/install"
)

const path = "/drawbridge/dev/administrators"

// key is an Ed25519 public key, the same for the same number.
func key(n byte) string {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	public, err := ssh.NewPublicKey(ed25519.NewKeyFromSeed(seed).Public())
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
}

// wire is a public key of that type, made of that type's fields.
func wire(keyType string, fields ...[]byte) string {
	var blob []byte
	for _, field := range append([][]byte{[]byte(keyType)}, fields...) {
		blob = append(blob, byte(len(field)>>24), byte(len(field)>>16), byte(len(field)>>8), byte(len(field)))
		blob = append(blob, field...)
	}
	return keyType + " " + base64.StdEncoding.EncodeToString(blob)
}

// administrator is the value of a parameter as the stack writes it.
func administrator(name, access string, keys ...string) string {
	return config.Administrator{Name: name, PublicKeys: keys, Access: config.Access(access)}.Parameter()
}

// store is a Parameter Store with as few parameters a page as are asked for.
type store struct {
	values map[string]string // by the last part of the name
	types  map[string]types.ParameterType
	fail   error // of the last page
	calls  int
}

func (s *store) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput, _ ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	s.calls++
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var names []string
	for name := range s.values {
		names = append(names, name)
	}
	slices.Sort(names)
	first, _ := strconv.Atoi(aws.ToString(in.NextToken))
	last := first + int(aws.ToInt32(in.MaxResults))
	out := &ssm.GetParametersByPathOutput{}
	if last < len(names) {
		out.NextToken = aws.String(strconv.Itoa(last))
	} else if last = len(names); s.fail != nil {
		return nil, s.fail
	}
	for _, name := range names[first:last] {
		t := types.ParameterTypeString
		if other, ok := s.types[name]; ok {
			t = other
		}
		out.Parameters = append(out.Parameters, types.Parameter{
			Name: aws.String(aws.ToString(in.Path) + "/" + name), Value: aws.String(s.values[name]), Type: t,
		})
	}
	return out, nil
}

// machine is a jump server below a folder, whose commands change its files as the real ones do.
type machine struct {
	t     *testing.T
	host  *install.Host
	store *store
	now   time.Time

	ran    []string // the commands
	said   []string
	broken map[string]error                                // by the command's first word, or its first and last
	before func(name string)                               // called before each command
	real   func(name string, args ...string) (bool, error) // runs a command instead, where it can
	immune map[int]bool                                    // users whose processes do not die
	pauses []time.Duration
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, store: &store{values: map[string]string{}}, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
		broken: map[string]error{}, immune: map[int]bool{}}
	m.host = &install.Host{Root: t.TempDir(), Run: m.run, Say: func(format string, args ...any) {
		m.said = append(m.said, fmt.Sprintf(format, args...))
	}}
	m.write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nec2-user:x:1000:1000:EC2 Default User:/home/ec2-user:/bin/bash\n"+
		"drawbridge-keys:x:990:990:Drawbridge answers sshd with keys:/:/usr/sbin/nologin\n")
	m.write("/etc/shadow", "root:*:19000:0:99999:7:::\nec2-user:!!:19000:0:99999:7:::\ndrawbridge-keys:!*:19000::::::\n")
	m.write("/etc/group", "root:x:0:\nwheel:x:10:ec2-user\nadm:x:4:ec2-user\nec2-user:x:1000:\ndrawbridge-keys:x:990:\n"+
		"drawbridge-shell:x:991:\ndrawbridge-tunnel:x:992:\n")
	m.mkdir("/home/ec2-user")
	m.mkdir("/proc")
	return m
}

func (m *machine) mkdir(path string) {
	m.t.Helper()
	if err := os.MkdirAll(m.host.Path(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) write(path, text string) {
	m.t.Helper()
	m.mkdir(filepath.Dir(path))
	if err := os.WriteFile(m.host.Path(path), []byte(text), 0o640); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(path string) string {
	m.t.Helper()
	text, err := m.host.Read(path)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text)
}

// process makes something run as a user.
func (m *machine) process(pid, uid int) {
	m.write(fmt.Sprintf("/proc/%d/status", pid), fmt.Sprintf("Name:\tsshd\nState:\tS (sleeping)\nPid:\t%d\nUid:\t%d\t%d\t%d\t%d\nGid:\t0\t0\t0\t0\n", pid, uid, uid, uid, uid))
}

// alive lists the processes.
func (m *machine) alive() (pids []string) {
	list, err := os.ReadDir(m.host.Path("/proc"))
	if err != nil {
		m.t.Fatal(err)
	}
	for _, entry := range list {
		pids = append(pids, entry.Name())
	}
	return pids
}

// sync does one run.
func (m *machine) sync() error {
	m.ran, m.said, m.pauses = nil, nil, nil
	r := &run{host: m.host, path: path, client: m.store, now: func() time.Time { return m.now },
		pause: func(ctx context.Context, d time.Duration) error { m.pauses = append(m.pauses, d); return ctx.Err() }}
	return r.update(context.Background())
}

func (m *machine) mustSync() {
	m.t.Helper()
	if err := m.sync(); err != nil {
		m.t.Fatal(err)
	}
}

// account reads an account from the files.
func (m *machine) account(name string) account {
	m.t.Helper()
	s, err := readSystem(m.host)
	if err != nil {
		m.t.Fatal(err)
	}
	return s.accounts[name]
}

// keys is what sshd is told.
func (m *machine) keys(name string) string {
	m.t.Helper()
	lines, err := answer(m.host.Root, name, database, m.now)
	if err != nil {
		m.t.Fatal(err)
	}
	return lines
}

func (m *machine) run(_ context.Context, name string, args ...string) (string, error) {
	m.ran = append(m.ran, strings.Join(append([]string{name}, args...), " "))
	if m.before != nil {
		m.before(name)
	}
	for _, word := range []string{name, name + " " + args[len(args)-1]} {
		if err := m.broken[word]; err != nil {
			return "", err
		}
	}
	if m.real != nil {
		if done, err := m.real(name, args...); done {
			return "", err
		}
	}
	switch name {
	case "useradd", "usermod":
		m.account1(name, args)
	case "gpasswd":
		m.groups(args[1], func(group string, members []string) []string {
			if group == args[2] {
				members = slices.DeleteFunc(members, func(s string) bool { return s == args[1] })
			}
			return members
		})
	case "mkhomedir_helper":
		m.mkdir("/home/" + args[0])
	case "loginctl":
	case "pkill":
		uid, err := strconv.Atoi(args[3])
		if err != nil {
			m.t.Errorf("pkill got %q", args)
		}
		if m.immune[uid] {
			return "", nil
		}
		for _, pid := range m.alive() {
			if slices.Contains(usersOf(m.read("/proc/"+pid+"/status")), uid) {
				if err := os.RemoveAll(m.host.Path("/proc/" + pid)); err != nil {
					m.t.Error(err)
				}
			}
		}
	default:
		m.t.Errorf("an unexpected command: %s %q", name, args)
	}
	return "", nil
}

// account1 does what useradd(8) and usermod(8) do with the options that this package uses.
func (m *machine) account1(program string, args []string) {
	o := map[string]string{}
	name := args[len(args)-1]
	for i := 0; i < len(args)-1; i++ {
		if args[i] == "--no-create-home" || args[i] == "--user-group" {
			continue
		}
		o[args[i]] = args[i+1]
		i++
	}
	uid := 1001 + strings.Count(m.read("/etc/passwd"), mark)
	passwd, shadow, group := m.read("/etc/passwd"), m.read("/etc/shadow"), m.read("/etc/group")
	if program == "useradd" {
		passwd += fmt.Sprintf("%s:x:%d:%d:%s:%s:%s\n", name, uid, uid, o["--comment"], o["--home-dir"], o["--shell"])
		shadow += fmt.Sprintf("%s:%s:20000:0:99999:7::%s:\n", name, o["--password"], o["--expiredate"])
		group += fmt.Sprintf("%s:x:%d:\n", name, uid)
		m.write("/etc/group", group)
	} else {
		passwd = field(passwd, name, 6, o["--shell"])
		shadow = field(field(shadow, name, 1, o["--password"]), name, 7, o["--expiredate"])
	}
	m.write("/etc/passwd", passwd)
	m.write("/etc/shadow", shadow)
	m.groups(name, func(group string, members []string) []string {
		members = slices.DeleteFunc(members, func(s string) bool { return s == name })
		if slices.Contains(strings.Split(o["--groups"], ","), group) {
			members = append(members, name)
		}
		return members
	})
}

// field sets a field of somebody's line.
func field(text, name string, i int, value string) string {
	lines := strings.Split(text, "\n")
	for n, line := range lines {
		if f := strings.Split(line, ":"); f[0] == name {
			f[i] = value
			lines[n] = strings.Join(f, ":")
		}
	}
	return strings.Join(lines, "\n")
}

func (m *machine) groups(_ string, change func(group string, members []string) []string) {
	lines := strings.Split(m.read("/etc/group"), "\n")
	for n, line := range lines {
		if f := strings.Split(line, ":"); len(f) == 4 {
			members := strings.FieldsFunc(f[3], func(r rune) bool { return r == ',' })
			f[3] = strings.Join(change(f[0], members), ",")
			lines[n] = strings.Join(f, ":")
		}
	}
	m.write("/etc/group", strings.Join(lines, "\n"))
}

// lacks fails when something lies at the path.
func (m *machine) lacks(path string) {
	m.t.Helper()
	if _, err := os.Lstat(m.host.Path(path)); err == nil || !os.IsNotExist(err) {
		m.t.Errorf("%s is there (%v)", path, err)
	}
}

func (m *machine) folder(path string) {
	m.t.Helper()
	if info, err := os.Lstat(m.host.Path(path)); err != nil || info.Mode().Type() != fs.ModeDir {
		m.t.Errorf("%s is no folder (%v)", path, err)
	}
}
