//go:build linux && root

package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"drawbridge/internal/leftover"
	"drawbridge/internal/notrun"
	"drawbridge/rehearsal/rehearsaltest"
)

var seed = flag.Uint64("seed", 0, "the seed of the moments at which the program is killed; 0 takes another one each time")

const (
	// toStop is how long a program that was asked to end may take to take everything down.
	toStop = 20 * time.Second
	// toDie is how long what a killed program had started may outlive it.
	toDie = 5 * time.Second
)

// short are the arguments of a play that takes a few seconds.
var short = []string{"-until", "users", "-without", "Bastion,Tunnel,WebApp"}

func TestMain(m *testing.M) {
	flag.Parse()
	rehearsaltest.Main(m)
}

func TestKilledAtRandomMomentsTheNextRunStartsClean(t *testing.T) {
	s := newScene(t)
	if *seed == 0 {
		*seed = rand.Uint64N(1e9) + 1
	}
	t.Logf("to have the same moments again: -seed=%d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	hit := map[string]bool{}
	for n, moment := range moments(random) {
		signal := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGKILL}[n%3]
		t.Run(fmt.Sprintf("%v after %v", signal, moment), func(t *testing.T) {
			r := s.start(t, s.with()...)
			r.await("its folder", func() bool { return len(s.folders(t)) > 0 })
			select {
			case <-time.After(moment):
			case <-r.ended:
				t.Fatalf("it ended before it was killed:\n%s", r.said())
			}
			step, mine := r.step(), r.processes()
			t.Logf("with %d processes, at %s", len(mine), step)
			hit[step] = true
			if moment > 5*time.Second && len(mine) == 0 {
				t.Error("the test sees nothing of a program that runs")
			}
			r.signal(signal)
			if signal == syscall.SIGKILL {
				s.startsClean(t, r)
			} else {
				r.stopped()
			}
			s.empty(t)
		})
	}
	if len(hit) < 3 {
		t.Errorf("all moments were in the same few steps: %q", slices.Sorted(maps.Keys(hit)))
	}
}

// moments are ten, in no order: early, when most is made, and while the web app and the hosts boot.
func moments(random *rand.Rand) (all []time.Duration) {
	for _, within := range []struct {
		count    int
		from, to time.Duration
	}{{4, 0, 3 * time.Second}, {3, 3 * time.Second, 15 * time.Second}, {3, 15 * time.Second, 60 * time.Second}} {
		// One in each part, so that they are spread.
		part := (within.to - within.from) / time.Duration(within.count)
		for n := range within.count {
			moment := within.from + time.Duration(n)*part + time.Duration(random.Int64N(int64(part)))
			all = append(all, moment.Round(time.Millisecond))
		}
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func TestMoreSignalsDoNotCutTheTakeDownShort(t *testing.T) {
	s := newScene(t)
	r := s.start(t, s.with()...)
	r.await("the web app", func() bool { return strings.Contains(r.said(), "[6/") })
	r.signal(syscall.SIGTERM)
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt, syscall.SIGHUP, os.Interrupt} {
		time.Sleep(20 * time.Millisecond)
		r.signal(signal)
	}
	r.stopped()
	s.empty(t)
}

func TestKilledWhileItTakesEverythingDownTheNextRunStartsClean(t *testing.T) {
	s := newScene(t)
	r := s.start(t, s.with("-until", "bastion")...)
	r.await("the take-down", func() bool { return strings.Contains(r.said(), "Taking everything down") })
	r.signal(syscall.SIGKILL)
	s.startsClean(t, r)
	s.empty(t)
}

func TestRunsAtTheSameTimeDoNotDisturbEachOther(t *testing.T) {
	s := newScene(t)
	killed := s.start(t, s.with()...)
	killed.await("the jump server", func() bool { return strings.Contains(killed.said(), "[8/") })
	other := s.start(t, s.with("-until", "page", "-without", "Bastion,Tunnel")...)
	killed.signal(syscall.SIGKILL)
	killed.over(toDie)
	// All of them take away what the killed one left.
	all := []*process{other}
	for range 3 {
		all = append(all, s.start(t, s.with(short...)...))
	}
	for _, r := range all {
		r.well()
	}
	killed.nothing()
	s.empty(t)
}

func TestItStopsWhenNobodyReadsWhatItSays(t *testing.T) {
	s := newScene(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r := s.startTo(t, writer, s.with()...)
	_ = writer.Close()
	if _, err := reader.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	_ = reader.Close()
	r.stopped()
	s.empty(t)
}

// scene is a place where the program runs: nothing else uses its folder for temporary files.
type scene struct {
	program         string
	private, public string // assemblies
	temp, logs      string
	rules           string // of this machine's own packet filter
}

func newScene(t *testing.T) *scene {
	t.Helper()
	for _, root := range []string{"bastion", "tunnel"} {
		rehearsaltest.Root(t, root)
	}
	s := &scene{logs: t.TempDir()}
	programs, err := filepath.Abs("../../.tools/programs/bin")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", programs+":"+os.Getenv("PATH")+":/usr/sbin:/sbin")
	for _, name := range []string{"nft", "nginx"} {
		if _, err := exec.LookPath(name); err != nil {
			notrun.Because(t, "there is no %s: scripts/programs.sh fetch makes it", name)
		}
	}
	for path, exposure := range map[*string]string{&s.private: "private", &s.public: "public"} {
		*path = rehearsaltest.Synthesize(t, func(dev rehearsaltest.Config) { dev["exposure"] = exposure }).Dir
	}
	s.program = filepath.Join(t.TempDir(), "rehearse")
	if out, err := exec.Command("go", "build", "-o", s.program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// The web app's own user passes through, as it does not through the test's own folders.
	if s.temp, err = os.MkdirTemp("", "kill-test-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(s.temp) }) // what is left in it has been told
	if err := os.Chmod(s.temp, 0o711); err != nil {
		t.Fatal(err)
	}
	s.rules = ownRules(t)
	return s
}

func ownRules(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("nft", "list", "ruleset").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// with are the arguments of the whole play, with options.
func (s *scene) with(options ...string) []string {
	return append(append([]string{"-logs", s.logs, "-public", s.public}, options...), s.private)
}

// folders are those for temporary files that the program has made.
func (s *scene) folders(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.temp, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// empty sees that nothing is left that need not bear a program's name.
func (s *scene) empty(t *testing.T) {
	t.Helper()
	if left := s.folders(t); len(left) > 0 {
		t.Errorf("there are temporary files: %q", left)
	}
	if now := ownRules(t); now != s.rules {
		t.Errorf("this machine's own packet filter was\n%s\nand is\n%s", s.rules, now)
	}
}

// startsClean sees that all that a killed program had started is gone, that another start goes well, and that nothing is
// left of both.
func (s *scene) startsClean(t *testing.T, killed *process) {
	t.Helper()
	killed.over(toDie)
	for deadline := time.Now().Add(toDie); len(killed.processes()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("%v after the program was killed there are still %q", toDie, killed.processes())
			break
		}
	}
	s.start(t, s.with(short...)...).well()
	killed.nothing()
}

// process is the program while it runs, and what is left of it.
type process struct {
	t           *testing.T
	cmd         *exec.Cmd
	part        string // of all names that it gives
	out, stderr string // files
	ended       chan struct{}
}

func (s *scene) start(t *testing.T, args ...string) *process {
	t.Helper()
	return s.startTo(t, nil, args...)
}

// startTo starts the program with its standard output to a file, or to a file of the test's own.
func (s *scene) startTo(t *testing.T, to *os.File, args ...string) *process {
	t.Helper()
	folder := t.TempDir()
	r := &process{t: t, out: filepath.Join(folder, "out"), stderr: filepath.Join(folder, "stderr"), ended: make(chan struct{})}
	r.cmd = exec.Command(s.program, args...)
	r.cmd.Env = append(os.Environ(), "TMPDIR="+s.temp)
	// A group of its own, as a shell gives to a command of a terminal's.
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	for name, at := range map[string]*os.File{r.out: to, r.stderr: nil} {
		file, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close() //nolint:errcheck // the program has its own
		if at == nil {
			at = file
		}
		if name == r.out {
			r.cmd.Stdout = at
		} else {
			r.cmd.Stderr = at
		}
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ticks, _ := leftover.StartTime(r.cmd.Process.Pid)
	r.part = fmt.Sprintf("-%d-%d-", r.cmd.Process.Pid, ticks)
	go func() {
		_ = r.cmd.Wait() // its state says it
		close(r.ended)
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill() // it may have ended long ago
		<-r.ended
	})
	return r
}

// signal sends a signal as people do: Ctrl-C goes to everything that the terminal's command has started in its group.
func (r *process) signal(s os.Signal) {
	r.t.Helper()
	pid := r.cmd.Process.Pid
	if s == os.Interrupt {
		pid = -pid
	}
	if err := syscall.Kill(pid, s.(syscall.Signal)); err != nil && !errors.Is(err, syscall.ESRCH) {
		r.t.Fatal(err)
	}
}

// await waits for something to happen while the program runs.
func (r *process) await(what string, ok func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		select {
		case <-r.ended:
			if !ok() {
				r.t.Fatalf("the program ended before %s:\n%s", what, r.said())
			}
		default:
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("not within two minutes: %s:\n%s", what, r.said())
		}
	}
}

// over waits until the program has ended.
func (r *process) over(patience time.Duration) {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.t.Fatalf("the program has not ended within %v:\n%s", patience, r.said())
	}
}

// stopped sees that the program ends as one that was asked to, and leaves nothing.
func (r *process) stopped() {
	r.t.Helper()
	asked := time.Now()
	r.over(toStop)
	r.t.Logf("it ended after %.1f s", time.Since(asked).Seconds())
	stderr, err := os.ReadFile(r.stderr)
	if code := r.cmd.ProcessState.ExitCode(); err != nil || code != 130 || string(stderr) != "rehearse: stopped\n" {
		r.t.Errorf("it ended with %v, and its last words were %q, %v:\n%s", r.cmd.ProcessState, stderr, err, r.said())
	}
	r.nothing()
}

// well sees that the program does all that it was to do, and leaves nothing.
func (r *process) well() {
	r.t.Helper()
	r.over(3 * time.Minute)
	if !r.cmd.ProcessState.Success() {
		stderr, _ := os.ReadFile(r.stderr)
		r.t.Errorf("it ended with %v:\n%s%s", r.cmd.ProcessState, r.said(), stderr)
	}
	r.nothing()
}

// said is what the program has told of its steps.
func (r *process) said() string {
	text, _ := os.ReadFile(r.out)
	return string(text)
}

var stepLine = regexp.MustCompile(`(?m)^\[\d+/\d+\] .*? \.\.\.`)

// step is where the program is.
func (r *process) step() string {
	steps := stepLine.FindAllString(r.said(), -1)
	if len(steps) == 0 {
		return "what comes before the first step"
	}
	return strings.TrimSuffix(steps[len(steps)-1], " ...")
}

// processes are those that the program has started: its name for them stands in their arguments, their environment, their
// control group or the path of what they run or where.
func (r *process) processes() (found []string) {
	r.t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, p := range all {
		var pid int
		if _, err := fmt.Sscanf(p, "/proc/%d", &pid); err != nil || pid == r.cmd.Process.Pid {
			continue
		}
		if _, alive := leftover.StartTime(pid); !alive {
			continue
		}
		command, _ := os.ReadFile(p + "/cmdline") // it may end at any moment
		texts := []string{string(command)}
		for _, file := range []string{"environ", "cgroup"} {
			text, _ := os.ReadFile(filepath.Join(p, file))
			texts = append(texts, string(text))
		}
		for _, link := range []string{"cwd", "exe", "root"} {
			text, _ := os.Readlink(filepath.Join(p, link))
			texts = append(texts, text)
		}
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, r.part) }) {
			found = append(found, fmt.Sprintf("%d %s", pid, bytes.ReplaceAll(command, []byte{0}, []byte{' '})))
		}
	}
	return found
}

// nothing sees that this machine has nothing of the program: no process, namespace, control group, folder or mount.
func (r *process) nothing() {
	r.t.Helper()
	left := r.processes()
	groups := "/sys/fs/cgroup"
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if before, _, ok := strings.Cut(line, " - cgroup2 "); ok {
			groups = strings.Fields(before)[4]
		}
		if strings.Contains(line, r.part) {
			left = append(left, "the mount "+strings.TrimSpace(line))
		}
	}
	for _, folder := range []string{"/run/netns", groups, "/var/lib/drawbridge-machines"} {
		found, err := filepath.Glob(filepath.Join(folder, "*"+r.part+"*"))
		if err != nil {
			r.t.Fatal(err)
		}
		left = append(left, found...)
	}
	if len(left) > 0 {
		r.t.Errorf("of the program there is still %q", left)
	}
}
