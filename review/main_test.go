package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"drawbridge/internal/repository"
	"drawbridge/rehearsal/rehearsaltest"
)

func TestMain(m *testing.M) { rehearsaltest.Main(m) }

// clone is a repository of its own with the project's files as they are, in one commit.
type clone struct {
	t   *testing.T
	dir string
}

func newClone(t *testing.T) clone {
	t.Helper()
	root, err := repository.Root()
	if err != nil {
		t.Fatal(err)
	}
	// The folder may be no repository: what CodePipeline hands on is none.
	c := clone{t, t.TempDir()}
	c.git("init", "--quiet", "--initial-branch", "main")
	c.git("--git-dir", filepath.Join(c.dir, ".git"), "--work-tree", root, "add", "--all")
	c.commitStaged("the project")
	c.git("reset", "--quiet", "--hard")
	return c
}

func (c clone) git(arguments ...string) string {
	c.t.Helper()
	command := exec.Command("git", append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"}, arguments...)...)
	command.Dir = c.dir
	out, err := command.CombinedOutput()
	if err != nil {
		c.t.Fatalf("git %v: %v\n%s", arguments, err, out)
	}
	return string(out)
}

func (c clone) commit(message string) {
	c.t.Helper()
	c.git("add", "--all", ".")
	c.commitStaged(message)
}

// commitStaged leaves out what a work tree links to.
func (c clone) commitStaged(message string) {
	c.t.Helper()
	c.git("rm", "--cached", "--quiet", "-r", "--ignore-unmatch", "--", "node_modules", ".tools", "build")
	c.git("commit", "--quiet", "--message", message)
}

// prebuilt has the Makefile take what the project's own make build made, and the config name no pipeline.
func (c clone) prebuilt() {
	c.t.Helper()
	rehearsaltest.SynthesizeAny(c.t, "dev", "arm64", nil) // says what is missing
	root, err := repository.Root()
	if err != nil {
		c.t.Fatal(err)
	}
	write(c.t, filepath.Join(c.dir, "Makefile"), []byte("build:\n\tcp -R '"+filepath.Join(root, "build")+"' build\n"))
	c.context(func(context object) { delete(context, "codePipeline") })
	c.commit("what is built already")
}

// environments edits the environments of cdk.json.
func (c clone) environments(edit func(object)) {
	c.t.Helper()
	c.context(func(context object) { edit(in(context, "environments")) })
}

// context edits the context of cdk.json.
func (c clone) context(edit func(object)) {
	c.t.Helper()
	file := filepath.Join(c.dir, "cdk.json")
	var all object
	if err := json.Unmarshal(read(c.t, file), &all); err != nil {
		c.t.Fatal(err)
	}
	edit(in(all, "context"))
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		c.t.Fatal(err)
	}
	write(c.t, file, text)
}

// review runs the program in the clone.
func (c clone) review(arguments ...string) (markdown, progress string, code int, err error) {
	c.t.Helper()
	o, err := parse(arguments, new(bytes.Buffer))
	if err != nil {
		return "", "", failed, err
	}
	var out bytes.Buffer
	scratch := c.t.TempDir()
	markdown, code, err = review(c.t.Context(), o, c.dir, scratch, &out)
	return markdown, out.String(), code, err
}

// The whole way once, with the project's own Makefile: what is not committed is a side of its own.
func TestReviewOfWhatIsNotCommitted(t *testing.T) {
	c := newClone(t)
	c.environments(set("db.t4g.small", "dev", "database", "instanceClass"))
	write(t, filepath.Join(c.dir, "docs", "new.md"), []byte("# New\n"))
	before := c.git("status", "--porcelain") + c.git("count-objects")

	markdown, progress, code, err := c.review()
	if err != nil {
		t.Fatalf("%v\n%s", err, progress)
	}
	if code != changed {
		t.Errorf("the exit code is %d", code)
	}
	if !strings.HasPrefix(markdown, "# What deploying the working tree over `main` (") {
		t.Errorf("it begins with %q", firstLine(markdown))
	}
	for _, part := range []string{"## The environment dev\n", "| **interrupted** | AWS::RDS::DBInstance<br>`Database/DatabaseInstanceAA8A5FDE` | `DBInstanceClass` db.t4g.micro → db.t4g.small |"} {
		if !strings.Contains(markdown, part) {
			t.Errorf("it does not hold %q:\n%s", part, markdown)
		}
	}
	for _, part := range []string{"environment prod", "pipeline"} {
		if strings.Contains(markdown, part) {
			t.Errorf("it speaks of the %s, where nothing changes:\n%s", part, markdown)
		}
	}
	if n := strings.Count(progress, "Building"); n != 1 {
		t.Errorf("%d builds of what differs in the config alone:\n%s", n, progress)
	}
	if after := c.git("status", "--porcelain") + c.git("count-objects"); after != before {
		t.Errorf("the repository is not as it was:\n%s\n%s", before, after)
	}
}

func TestReviewOfRefs(t *testing.T) {
	c := newClone(t)
	c.prebuilt()
	c.git("tag", "deployed")

	write(t, filepath.Join(c.dir, "docs", "new.md"), []byte("# New\n"))
	write(t, filepath.Join(c.dir, "stacks", "more_test.go"), []byte("package stacks\n"))
	markdown, progress, code, err := c.review("-base", "deployed")
	if err != nil || code != unchanged || !strings.HasPrefix(markdown, "Nothing that is deployed changes between `deployed` (") || strings.Count(markdown, "\n") != 1 {
		t.Errorf("docs and tests: %d, %v, %s", code, err, markdown)
	}
	if progress != "" {
		t.Errorf("docs and tests take %s", progress)
	}

	c.environments(func(all object) {
		all["second"] = all["dev"]
		delete(all, "prod")
		in(all, "dev", "database")["identifier"] = "monsters"
	})
	c.context(func(context object) {
		context["codePipeline"] = object{"account": "", "region": "", "connectionArn": "", "repository": "owner/name", "branch": "main", "environments": list{"dev"}}
	})
	c.commit("another environment, and a pipeline")
	write(t, filepath.Join(c.dir, "cdk.json"), []byte("not JSON"))
	markdown, progress, code, err = c.review("-base", "deployed", "-head", "HEAD")
	if err != nil {
		t.Fatalf("%v\n%s", err, progress)
	}
	if code != loses {
		t.Errorf("the exit code is %d", code)
	}
	for _, part := range []string{
		"## The environment dev\n", "**The database `Database/DatabaseInstanceAA8A5FDE` is replaced.**",
		"## The pipeline is new\n", "## The environment second is new\n", "The stack `Network` is new.",
		"## The environment prod is gone\n", "**The stack `drawbridge-prod-Database` is not in the app any more.**",
		"**The database `Database/DatabaseInstanceAA8A5FDE` is left behind**",
	} {
		if !strings.Contains(markdown, part) {
			t.Errorf("it does not hold %q:\n%s", part, markdown)
		}
	}

	markdown, _, code, err = c.review("-base", "deployed", "-head", "deployed", "-env", "dev", "-head-context", "exposure=public")
	if err != nil || code != changed || !strings.Contains(markdown, "`PubliclyAccessible` false → true") || strings.Contains(markdown, "prod") {
		t.Errorf("the flip: %d, %v, %s", code, err, markdown)
	}
}

func TestReviewSaysWhyItCannotCompare(t *testing.T) {
	c := newClone(t)
	c.prebuilt()
	c.environments(set("huge", "dev", "database", "storageGiB"))
	for name, test := range map[string]struct {
		arguments []string
		want      string
	}{
		"a config that is refused":      {[]string{"-base", "main"}, "cdk synth of the working tree fails (exit status 1): cdk.json: environments.dev.database.storageGiB: "},
		"a ref that is not there":       {[]string{"-base", "nowhere"}, `there is no commit "nowhere" here`},
		"an environment that is not":    {[]string{"-env", "staging"}, "-env staging: neither side has this environment: there are dev, prod"},
		"a context without a value":     {[]string{"-context", "exposure"}, "it takes KEY=VALUE"},
		"a context that is not allowed": {[]string{"-context", "env=dev"}, "chosen with -env"},
		"a word too many":               {[]string{"main"}, `"main" is one word too many`},
	} {
		t.Run(name, func(t *testing.T) {
			markdown, _, code, err := c.review(test.arguments...)
			if code != failed || err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%d, %v; want %q", code, err, test.want)
			}
			if markdown != "" {
				t.Errorf("it prints %s", markdown)
			}
		})
	}
}

func TestReviewThatIsStoppedLeavesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	// It is stopped while it builds.
	watch := writerFunc(func(text string) {
		if strings.Contains(text, "Building") {
			stop()
		}
	})
	if code, err := run(ctx, []string{"-base", "HEAD", "-head-context", "exposure=public"}, new(bytes.Buffer), watch); code != failed || err == nil {
		t.Errorf("%d, %v", code, err)
	}
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

type writerFunc func(string)

func (f writerFunc) Write(text []byte) (int, error) {
	f(string(text))
	return len(text), nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// What somebody keeps out of git's sight is deployed all the same.
func TestReviewOfAFileThatGitIsToldToOverlook(t *testing.T) {
	c := newClone(t)
	c.prebuilt()
	c.git("update-index", "--skip-worktree", "cdk.json")
	c.environments(set("db.t4g.small", "dev", "database", "instanceClass"))
	markdown, progress, code, err := c.review("-env", "dev")
	if err != nil || code != changed || !strings.Contains(markdown, "`DBInstanceClass` db.t4g.micro → db.t4g.small") {
		t.Errorf("%v, code %d:\n%s\n%s", err, code, markdown, progress)
	}
}
