package operate_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"drawbridge/operate"
	"drawbridge/rehearsal/rehearsaltest"
)

// TestMain lets the test binary play every program that is called, by its own name: this program, and stubs of the AWS
// CLI, the CDK CLI and the rest.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); {
	case os.Getenv("STUB") == "":
		rehearsaltest.Main(m)
	case name == "operate":
		if text := os.Getenv("STUB_CALL_TIMEOUT"); text != "" {
			timeout, err := time.ParseDuration(text)
			if err != nil {
				panic(err)
			}
			operate.SetCallTimeout(timeout)
		}
		os.Exit(operate.Main(os.Args[1:], &operate.Operator{
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
			Interactive: os.Getenv("STUB_INTERACTIVE") != "" || operate.IsTerminal(os.Stdin), AddressURL: os.Getenv("STUB_ADDRESS_URL"),
		}))
	default:
		os.Exit(stub(name, os.Args[1:]))
	}
}

// answer is what a stub says to a call that begins so.
type answer struct {
	Call           string // the program's name and its first arguments
	Stdout, Stderr string
	Exit           int
	Sleep          time.Duration
}

// call is one that a stub was given.
type call struct {
	Program string
	Args    []string
	Env     map[string]string
	Begun   time.Time
}

func (c call) String() string { return strings.Join(append([]string{c.Program}, c.Args...), " ") }

// stub is a program of that name: it notes the call, and gives the last answer that fits.
func stub(name string, args []string) int {
	dir := os.Getenv("STUB")
	c := call{Program: name, Args: args, Env: map[string]string{}, Begun: time.Now()}
	for _, variable := range os.Environ() {
		key, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(key, "AWS_") || strings.HasPrefix(key, "RDS_") || key == "PORT" {
			c.Env[key] = value
		}
	}
	line, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	calls, err := os.OpenFile(filepath.Join(dir, "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = calls.Write(append(line, '\n'))
	}
	if err != nil {
		panic(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "answers"))
	if err != nil {
		panic(err)
	}
	var answers []answer
	if err := json.Unmarshal(text, &answers); err != nil {
		panic(err)
	}
	var best *answer
	for i, a := range answers {
		if strings.HasPrefix(c.String()+" ", a.Call+" ") {
			best = &answers[i]
		}
	}
	if best == nil {
		fmt.Fprintf(os.Stderr, "the stub has no answer to %s\n", c)
		return 99
	}
	time.Sleep(best.Sleep)
	fmt.Print(best.Stdout)
	fmt.Fprint(os.Stderr, best.Stderr)
	return best.Exit
}

// world is a project's folder and a PATH in which everything is a stub.
type world struct {
	t       *testing.T
	dir     string // of the project
	path    string
	stubDir string
	answers []answer
	env     []string
	stdin   string
}

// programs are those that a machine has which lacks nothing.
var programs = map[string]string{
	"go env GOVERSION": "go1.26.8\n", "node --version": "v22.11.0\n", "npm --version": "10.9.0\n",
	"make --version":                   "GNU Make 4.4.1\nBuilt for x86_64-pc-linux-gnu\n",
	"cdk --version":                    "2.1148.1 (build 0f1e2d3)\n",
	"aws --version":                    "aws-cli/2.31.0 Python/3.13.7 Linux/6.1.0 exe/x86_64.debian.12\n",
	"session-manager-plugin --version": "1.2.707.0\n",
	"aws ssm start-session":            "the session\n", "aws logs tail": "the log\n",
	"cdk deploy": "the deployment\n", "cdk destroy": "the destruction\n",
	"xdg-open": "", "open": "", "webapp": "the web app\n",
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), path: t.TempDir(), stubDir: t.TempDir()}
	for _, call := range slices.Sorted(maps.Keys(programs)) {
		w.answers = append(w.answers, answer{Call: call, Stdout: programs[call]})
		name, _, _ := strings.Cut(call, " ")
		switch name {
		case "cdk":
			w.link(filepath.Join(w.dir, "node_modules", ".bin", name))
		case "webapp":
			w.link(filepath.Join(w.dir, "build", name))
		default:
			w.link(filepath.Join(w.path, name))
		}
	}
	w.link(filepath.Join(w.path, "operate"))
	files, err := filepath.Glob(filepath.Join("testdata", "answers", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/answers: %v, %d files", err, len(files))
	}
	for _, file := range files {
		w.answer("aws "+strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".json"), "_", " "), read(t, file))
	}
	for _, file := range []string{"cdk.json", "go.mod"} {
		w.write(file, read(t, filepath.Join("..", file)))
	}
	w.setenv("AWS_REGION", "eu-west-1")
	return w
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// link makes the test binary a program of that name.
func (w *world) link(file string) {
	w.t.Helper()
	self, err := os.Executable()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil && os.Remove(file) != nil {
		err = nil
	}
	if err == nil {
		err = os.Symlink(self, file)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// remove takes a program away.
func (w *world) remove(name string) {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.path, name)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) answer(call, stdout string) {
	w.answers = append(w.answers, answer{Call: call, Stdout: stdout})
}

func (w *world) fail(call, stderr string, exit int) {
	w.answers = append(w.answers, answer{Call: call, Stderr: stderr, Exit: exit})
}

// edit replaces text in what the stub answers, which must be there.
func (w *world) edit(call, old, text string) {
	w.t.Helper()
	for i := range w.answers {
		if w.answers[i].Call == call {
			if !strings.Contains(w.answers[i].Stdout, old) {
				w.t.Fatalf("the answer to %s does not hold %s", call, old)
			}
			w.answers[i].Stdout = strings.ReplaceAll(w.answers[i].Stdout, old, text)
			return
		}
	}
	w.t.Fatalf("there is no answer to %s", call)
}

// editConfig replaces text in cdk.json, which must be there.
func (w *world) editConfig(old, text string) {
	w.t.Helper()
	file := filepath.Join(w.dir, "cdk.json")
	config := read(w.t, file)
	if !strings.Contains(config, old) {
		w.t.Fatalf("cdk.json does not hold %s", old)
	}
	w.write("cdk.json", strings.Replace(config, old, text, 1))
}

// without takes a stack away.
func (w *world) without(names ...string) {
	w.t.Helper()
	const describe = "aws cloudformation describe-stacks"
	for i := range w.answers {
		if w.answers[i].Call != describe {
			continue
		}
		var all struct{ Stacks []map[string]any }
		if err := json.Unmarshal([]byte(w.answers[i].Stdout), &all); err != nil {
			w.t.Fatal(err)
		}
		all.Stacks = slices.DeleteFunc(all.Stacks, func(s map[string]any) bool { return slices.Contains(names, s["StackName"].(string)) })
		text, err := json.Marshal(all)
		if err != nil {
			w.t.Fatal(err)
		}
		w.answers[i].Stdout = string(text)
	}
}

func (w *world) setenv(key, value string) { w.env = append(w.env, key+"="+value) }

// result is how a command went.
type result struct {
	t              *testing.T
	stdout, stderr string
	status         int
	calls          []call
}

func (w *world) command(args ...string) *exec.Cmd {
	w.t.Helper()
	text, err := json.Marshal(w.answers)
	if err == nil {
		err = os.WriteFile(filepath.Join(w.stubDir, "answers"), text, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(w.path, "operate"), args...)
	cmd.Dir = w.dir
	cmd.Env = append([]string{"PATH=" + w.path, "STUB=" + w.stubDir}, w.env...)
	return cmd
}

// run runs one command. What the stubs were asked must be what AWS's own models know.
func (w *world) run(args ...string) result {
	w.t.Helper()
	cmd := w.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if w.stdin != "" {
		cmd.Stdin = strings.NewReader(w.stdin)
	}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	r := result{w.t, stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), w.calls()}
	for _, c := range r.calls {
		if c.Program == "aws" {
			checkCall(w.t, c)
		}
	}
	return r
}

func (w *world) calls() (calls []call) {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.stubDir, "calls"))
	if err != nil {
		return nil // Nothing was called.
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var c call
		if err := decoder.Decode(&c); err == io.EOF {
			return calls
		} else if err != nil {
			w.t.Fatal(err)
		}
		calls = append(calls, c)
	}
}

// last is the last call.
func (r result) last() call {
	r.t.Helper()
	if len(r.calls) == 0 {
		r.t.Fatalf("nothing was called: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	return r.calls[len(r.calls)-1]
}

// called says whether a call began so.
func (r result) called(begin string) bool {
	return slices.ContainsFunc(r.calls, func(c call) bool { return strings.HasPrefix(c.String()+" ", begin+" ") })
}

// says fails unless the output holds every one of these texts.
func (r result) says(texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.stdout+r.stderr, text) {
			r.t.Errorf("it does not say %q (status %d):\n%s", text, r.status, cmp.Or(r.stdout+r.stderr, "(nothing)"))
		}
	}
}

func (r result) saysNot(texts ...string) {
	r.t.Helper()
	for _, text := range texts {
		if strings.Contains(r.stdout+r.stderr, text) {
			r.t.Errorf("it says %q:\n%s", text, r.stdout+r.stderr)
		}
	}
}

// succeeds and refuses are about the exit status.
func (r result) succeeds() {
	r.t.Helper()
	if r.status != 0 {
		r.t.Errorf("status %d:\n%s%s", r.status, r.stdout, r.stderr)
	}
}

func (r result) refuses(texts ...string) {
	r.t.Helper()
	if r.status != 1 {
		r.t.Errorf("status %d, want 1", r.status)
	}
	r.says(texts...)
}
