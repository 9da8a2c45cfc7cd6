package machine

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	_ "embed" // boot.sh
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"drawbridge/internal/child"
	"drawbridge/internal/leftover"
)

const (
	// folders is where machines keep what they write. An upper layer of overlayfs cannot be on every file system, and
	// only root may look inside.
	folders = "/var/lib/drawbridge-machines"

	// seed is where cloud-init looks for user data (its datasource NoCloud).
	seed = "/var/lib/cloud/seed/nocloud/"

	bootTimeout = 2 * time.Minute
	stopTimeout = 30 * time.Second
	// waitDelay is how long a program's output is waited for after it was killed.
	waitDelay = 5 * time.Second
)

//go:embed boot.sh
var bootScript []byte

// Options are what a machine is made of.
type Options struct {
	Name      string            // lower-case letters, digits and hyphens
	Hostname  string            // Name where it is empty
	Root      string            // the folder of a root file system, which stays as it is: see [Root]
	Namespace *Namespace        // the machine's network, which no other machine has
	Files     map[string]File   // by absolute path; in place of what this package would write there
	Hosts     map[string]string // /etc/hosts: names to addresses, besides the machine's own
	// Environment is systemd's DefaultEnvironment, which every service gets. Programs of [Machine.Run] get it too. A
	// person who logs in does not.
	Environment map[string]string
	// AptProxy is the address of an HTTP proxy for apt, such as [AptProxy.URL]'s.
	AptProxy string
	// UserData is what cloud-init runs or reads at the first boot, as an instance's on EC2. Without any, cloud-init is off.
	UserData string
}

// Machine is a host that runs.
type Machine struct {
	options Options
	folder  string
	cgroup  cgroup

	visitors *os.File       // the control group of programs from outside
	process  *child.Process // keeps the machine; ends with it
	pid      int            // systemd's, as this machine sees it
}

// Boot makes a machine and starts it. It returns when the machine has reached multi-user.target, up to which what runs at
// boot has been started; a service may have failed. cloud-init runs user data only after that, as on EC2: `cloud-init
// status --wait` waits for it.
func Boot(ctx context.Context, options Options) (_ *Machine, err error) {
	if err := ready(); err != nil {
		return nil, err
	}
	if options.Hostname == "" {
		options.Hostname = options.Name
	}
	if options.Namespace == nil {
		return nil, errors.New("a machine needs a namespace for its network: see Network.Host")
	}
	if options.Root, err = filepath.Abs(options.Root); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(options.Root, "lib/systemd/systemd")); err != nil {
		return nil, fmt.Errorf("%s is no root file system with systemd (%w): make one with 'scripts/roots.sh fetch'", options.Root, err)
	}
	name, err := leftover.Name(options.Name)
	if err != nil {
		return nil, err
	}
	files, err := options.files()
	if err != nil {
		return nil, err
	}
	m := &Machine{options: options, folder: filepath.Join(folders, name)}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	if err := makeFolder(m.folder); err != nil {
		return nil, err
	}
	for _, f := range []string{m.join("upper"), m.join("work"), m.join("lower"), m.join("merged")} {
		// What is in the upper layer's top folder becomes the machine's, mode and all: anybody may enter a root.
		mode := os.FileMode(0o700)
		if f == m.join("upper") {
			mode = 0o755
		}
		if err := os.Mkdir(f, mode); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(m.join("boot.sh"), bootScript, 0o600); err != nil {
		return nil, err
	}
	return m, m.start(ctx, files)
}

// files returns what the machine has before its first boot.
func (o *Options) files() (map[string]File, error) {
	environment, err := defaultEnvironment(o.Environment)
	if err != nil {
		return nil, err
	}
	hosts := maps.Clone(o.Hosts)
	if hosts == nil {
		hosts = map[string]string{}
	}
	hosts[o.Hostname] = o.Namespace.Address.String()
	files := map[string]File{
		"/etc/hostname": {Content: o.Hostname + "\n"},
		"/etc/hosts":    {Content: hostsFile(hosts)},
		// Where nobody listens there, a look-up fails at once.
		"/etc/resolv.conf": {Content: "nameserver " + RouterAddress + "\n"},
		"/etc/systemd/system.conf.d/environment.conf": {Content: environment},
		// The network is made from outside, and user data are not looked for elsewhere.
		"/etc/cloud/cloud.cfg.d/95_machine.cfg": {Content: "network: {config: disabled}\ndatasource_list: [NoCloud, None]\n"},
	}
	if o.UserData != "" {
		files[seed+"user-data"] = File{Content: o.UserData, Mode: 0o600}
		files[seed+"meta-data"] = File{Content: "instance-id: i-" + strings.ToLower(rand.Text()[:17]) + "\nlocal-hostname: " + o.Hostname + "\n"}
	} else {
		files["/etc/cloud/cloud-init.disabled"] = File{}
		// Without cloud-init nobody else makes SSH host keys after the first boot that an image counts.
		files["/etc/systemd/system/sshd-keygen.service.d/machine.conf"] = File{Content: "[Unit]\nConditionFirstBoot=\n"}
	}
	if o.AptProxy != "" {
		files["/etc/apt/apt.conf.d/95proxy"] = File{Content: fmt.Sprintf("Acquire::http::Proxy %q;\n", o.AptProxy)}
	}
	maps.Copy(files, o.Files)
	return files, nil
}

func (m *Machine) join(name string) string { return filepath.Join(m.folder, name) }

// start boots the machine, with files written into its upper layer first.
func (m *Machine) start(ctx context.Context, files map[string]File) error {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	stdin, err := archive(files)
	if err != nil {
		return err
	}
	if m.cgroup, err = newCgroup(filepath.Base(m.folder)); err != nil {
		return err
	}
	if m.visitors, err = os.Open(m.cgroup.visitors()); err != nil {
		return err
	}
	log, err := os.OpenFile(m.join("boot.log"), os.O_CREATE|os.O_TRUNC|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // only for the error
	said, out, err := os.Pipe()
	if err != nil {
		return err
	}
	defer said.Close() //nolint:errcheck // only read

	// The kernel kills the forked process when the one before it ends, and that one with this process.
	cmd := tool("nsenter", "--net="+m.options.Namespace.path(), "--",
		"unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--",
		"sh", m.join("boot.sh"), "enter", m.folder, m.cgroup.system(), m.options.Root)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, out, log
	m.process, err = child.Start(cmd)
	_ = out.Close() // the program has its own
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = m.process.Kill() })
	line, err := bufio.NewReader(said).ReadString('\n')
	stop()
	if err == nil {
		m.pid, err = strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "pid ")))
	}
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("the machine %s could not be started from %s%s", m.options.Name, m.options.Root, lastLines(string(text)))
	}
	return m.await(ctx)
}

// await waits until the machine has reached multi-user.target.
func (m *Machine) await(ctx context.Context) error {
	for {
		_, err := m.Run(ctx, nil, "systemctl", "is-active", "--quiet", "multi-user.target")
		if err == nil {
			return nil
		}
		select {
		case <-m.process.Exited:
			return fmt.Errorf("the machine %s ended while it booted (%s)", m.options.Name, m.process.End())
		case <-ctx.Done():
			jobs, _ := m.Run(context.WithoutCancel(ctx), nil, "systemctl", "list-jobs", "--no-pager")
			return fmt.Errorf("the machine %s did not reach multi-user.target (%w); it still worked on%s",
				m.options.Name, context.Cause(ctx), lastLines(jobs))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Command prepares a program that runs as root inside the machine: in its namespaces, with its files, in no unit of
// systemd's. The program dies with this process, with the machine, or when ctx ends, and gets no Ctrl-C.
func (m *Machine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	// nsenter forks; setpriv makes the fork die with it.
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{
		"--target", strconv.Itoa(m.pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--",
		"setpriv", "--pdeathsig", "KILL", "--", name}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
	for variable, value := range m.options.Environment {
		cmd.Env = append(cmd.Env, variable+"="+value)
	}
	cmd.WaitDelay = waitDelay
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true, UseCgroupFD: true, CgroupFD: int(m.visitors.Fd())}
	return cmd
}

// Run runs a program as [Machine.Command] does, to its end. The error holds the last lines of its standard error.
func (m *Machine) Run(ctx context.Context, stdin io.Reader, name string, args ...string) (stdout string, err error) {
	cmd := m.Command(ctx, name, args...)
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		}
		return out.String(), fmt.Errorf("%s on %s: %w%s", name, m.options.Name, err, lastLines(stderr.String()))
	}
	return out.String(), nil
}

// Path returns where a path of the machine is seen from this one while the machine runs. Absolute symbolic links on the
// way lead to this machine's files: it is for folders that hold none.
func (m *Machine) Path(path string) string {
	return filepath.Join("/proc", strconv.Itoa(m.pid), "root", filepath.Clean("/"+path))
}

// Journal returns what the machine's journal holds of a unit, of all boots, or why it could not be read.
func (m *Machine) Journal(ctx context.Context, unit string) string {
	text, err := m.Run(ctx, nil, "journalctl", "--no-pager", "--quiet", "--output=short-precise", "--unit="+unit)
	if err != nil {
		return text + err.Error()
	}
	return text
}

// Reboot restarts the machine as `systemctl reboot` does, and returns when it has booted again. What it has written to its
// disk stays.
func (m *Machine) Reboot(ctx context.Context) error {
	// The machine may be gone before systemctl is.
	if _, err := m.Run(ctx, nil, "systemctl", "--no-block", "reboot"); err != nil && ctx.Err() != nil {
		return err
	}
	return m.AwaitReboot(ctx)
}

// AwaitReboot waits until the machine has restarted by itself, and has booted again.
func (m *Machine) AwaitReboot(ctx context.Context) error {
	select {
	case <-m.process.Exited:
	case <-ctx.Done():
		return fmt.Errorf("the machine %s has not restarted: %w", m.options.Name, context.Cause(ctx))
	}
	// Linux kills whatever is started in a control group that was killed once, so the next boot gets new ones.
	if err := m.stop(); err != nil {
		return err
	}
	return m.start(ctx, nil)
}

// Close ends the machine at once, as pulling its plug would, and removes all that it was.
func (m *Machine) Close() error { return errors.Join(m.stop(), removeFolder(m.folder)) }

// stop ends the machine's processes and removes its control groups.
func (m *Machine) stop() error {
	var errs []error
	if m.process != nil {
		// With systemd, its first process, all of a machine dies. Those who started it and the others from outside wait
		// for them, so that no zombie is left to this machine's own init.
		errs = append(errs, cgroup(m.cgroup.system()).kill())
		select {
		case <-m.process.Exited:
		case <-time.After(waitDelay):
			_ = m.process.Kill() // systemd was never started, or somebody else is to wait for its processes
			<-m.process.Exited
		}
	}
	if m.cgroup != "" {
		errs = append(errs, m.cgroup.remove())
	}
	if m.visitors != nil {
		_ = m.visitors.Close() // a second Close finds it closed
	}
	return errors.Join(errs...)
}

// makeFolder makes a machine's folder, and the folder of all machines before the first. Another process may remove that
// one in between, as the last of its own has gone.
func makeFolder(folder string) error {
	for {
		if err := os.Mkdir(folders, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		if err := os.Mkdir(folder, 0o700); !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
}

// removeFolder removes a machine's folder, and the folder of all machines after the last.
func removeFolder(folder string) error {
	err := os.RemoveAll(folder)
	_ = os.Remove(folders) // another machine may have its folder there
	return err
}
