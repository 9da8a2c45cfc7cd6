// Package side makes the two sides of a review: it puts each into a clean folder, builds it there as its own Makefile says,
// and synthesizes its environments. Nothing of the repository is changed: no index, no object, no work tree of git's.
package side

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Repository is a clone of the project.
type Repository struct {
	Root string // the folder of go.mod

	scratch  string    // a folder for what is made here
	progress io.Writer // for people
	env      []string  // of git: where it keeps what is made here
}

// Open finds the repository that the folder dir is in. Everything that is made goes to scratch, which the caller removes.
func Open(ctx context.Context, dir, scratch string, progress io.Writer) (*Repository, error) {
	r := &Repository{Root: dir, scratch: scratch, progress: progress}
	root, err := r.git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	objects, err := r.git(ctx, "rev-parse", "--path-format=absolute", "--git-path", "objects")
	if err != nil {
		return nil, err
	}
	r.Root = root
	own := filepath.Join(scratch, "objects")
	if err := os.MkdirAll(own, 0o700); err != nil {
		return nil, err
	}
	r.env = []string{"GIT_OBJECT_DIRECTORY=" + own, "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + objects,
		"GIT_INDEX_FILE=" + filepath.Join(scratch, "index")}
	// An index of our own, not a copy: the person's may tell git to take no notice of what is in a file (skip-worktree,
	// assume-unchanged), and what is deployed is what is in it.
	if _, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "HEAD"); err != nil {
		return r, nil // nothing has ever been committed
	}
	_, err = r.git(ctx, "read-tree", "HEAD")
	return r, err
}

// Tree is the content of one side.
type Tree struct {
	Title string // for people, such as main (622c5ee)
	id    string // git's, of the tree
}

// Commit is the tree of a branch, tag or commit.
func (r *Repository) Commit(ctx context.Context, ref string) (Tree, error) {
	commit, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "--short", ref+"^{commit}")
	if err != nil {
		return Tree{}, fmt.Errorf("there is no commit %q here: name a branch, a tag or a commit that git knows (git fetch gets those of others)", ref)
	}
	tree, err := r.git(ctx, "rev-parse", "--verify", ref+"^{tree}")
	title := "`" + ref + "`"
	if !strings.HasPrefix(ref, commit) {
		title += " (" + commit + ")"
	}
	return Tree{title, tree}, err
}

// WorkingTree is the tree of the files as they are, but for what git ignores.
func (r *Repository) WorkingTree(ctx context.Context) (Tree, error) {
	if _, err := r.git(ctx, "add", "--all", "."); err != nil {
		return Tree{}, err
	}
	// What the project ignores is folders. A link to one would not be ignored.
	if _, err := r.git(ctx, "rm", "--cached", "--quiet", "-r", "--ignore-unmatch", "--", "node_modules", ".tools", "build", "cdk.out"); err != nil {
		return Tree{}, err
	}
	tree, err := r.git(ctx, "write-tree")
	return Tree{"the working tree", tree}, err
}

// Differing are the paths of the files that differ between two trees.
func (r *Repository) Differing(ctx context.Context, a, b Tree) ([]string, error) {
	if a.id == b.id {
		return nil, nil
	}
	out, err := r.git(ctx, "diff-tree", "-r", "--name-only", "--no-renames", "-z", a.id, b.id)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimRight(out, "\x00"), "\x00"), nil
}

// git runs git in the repository, and returns what it prints.
func (r *Repository) git(ctx context.Context, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", arguments...)
	command.Dir = r.Root
	command.Env = append(os.Environ(), r.env...)
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("git %s: %w: %s", arguments[0], err, strings.TrimSpace(problems.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// Side is a tree in a folder, where it can be built and synthesized.
type Side struct {
	Title string
	Dir   string

	repository *Repository
}

// Checkout puts a tree into a folder of its own, with the packages of npm that its lock file names.
func (r *Repository) Checkout(ctx context.Context, tree Tree, name string) (*Side, error) {
	s := &Side{Title: tree.Title, Dir: filepath.Join(r.scratch, name), repository: r}
	return s, r.step("Writing out "+tree.Title, func() error {
		index := filepath.Join(r.scratch, name+".index")
		with := *r
		with.env = append(slices.Clone(r.env), "GIT_INDEX_FILE="+index)
		if _, err := with.git(ctx, "read-tree", tree.id); err != nil {
			return err
		}
		if _, err := with.git(ctx, "checkout-index", "--all", "--prefix="+s.Dir+string(filepath.Separator)); err != nil {
			return err
		}
		return s.packages(ctx)
	})
}

// packages gives the side its node_modules: those of the repository, where they are what the side's lock file names.
func (s *Side) packages(ctx context.Context) error {
	want, err := os.ReadFile(filepath.Join(s.Dir, "package-lock.json"))
	if err != nil {
		return fmt.Errorf("%s has no package-lock.json, so it cannot be synthesized: choose a later commit", s.Title)
	}
	have, err := os.ReadFile(filepath.Join(s.repository.Root, "package-lock.json"))
	installed := filepath.Join(s.repository.Root, "node_modules")
	// npm writes this file last.
	if _, missing := os.Stat(filepath.Join(installed, ".package-lock.json")); err == nil && missing == nil && bytes.Equal(want, have) {
		return os.Symlink(installed, filepath.Join(s.Dir, "node_modules"))
	}
	return s.run(ctx, "npm", "ci", "--silent")
}

// NodeModules is where the side's packages of npm are.
func (s *Side) NodeModules() string { return filepath.Join(s.Dir, "node_modules") }

// Build runs the side's own make build, for one architecture.
func (s *Side) Build(ctx context.Context, architecture string) error {
	return s.repository.step("Building "+s.Title, func() error {
		return s.run(ctx, "make", "build", "--silent", "ARCHITECTURES="+architecture)
	})
}

// BuiltAs takes what another side has built. It is for trees that differ in nothing that the build reads: see [Build].
func (s *Side) BuiltAs(other *Side) error {
	return os.Symlink(filepath.Join(other.Dir, "build"), filepath.Join(s.Dir, "build"))
}

// Read says what reads a file of the repository on the way to the templates.
type Read int

// What reads a file, from the least to the most.
const (
	Nothing Read = iota
	Synthesis
	Build
)

// Reads is the most that any of the files needs. packages are the folders of the Go packages that the programs consist of;
// nil stands for all there are. What is not known to be read by nothing, or by the synthesis alone, counts as a part of
// the programs.
func Reads(files []string, packages map[string]bool) Read {
	most := Nothing
	for _, file := range files {
		folder, name := filepath.ToSlash(filepath.Dir(file)), filepath.Base(file)
		folders := strings.Split(folder, "/")
		switch {
		case strings.HasSuffix(name, "_test.go"), slices.Contains(folders, "testdata"), folders[0] == "docs",
			folders[0] == ".ci", folders[0] == ".github", file == "README.md", file == "LICENSE":
		case strings.HasSuffix(name, ".go") && packages != nil && !packages[folder]:
		case file == "cdk.json", file == "cdk.context.json":
			most = max(most, Synthesis)
		default:
			most = Build
		}
	}
	return most
}

// Packages are the folders of the Go packages that make build compiles, below the side's own.
func (s *Side) Packages(ctx context.Context) (map[string]bool, error) {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.Dir}}{{end}}{{end}}",
		".", "./webapp", "./lambda", "./host", "./internal/bundle")
	list.Dir, list.Env = s.Dir, append(environment(), "GOOS=linux")
	var problems bytes.Buffer
	list.Stderr = &problems
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("the Go packages of %s cannot be listed: %w: %s", s.Title, err, strings.TrimSpace(problems.String()))
	}
	dir, err := filepath.EvalSymlinks(s.Dir)
	if err != nil {
		return nil, err
	}
	packages := map[string]bool{}
	for folder := range strings.Lines(string(out)) {
		if folder = strings.TrimSpace(folder); folder == "" {
			continue
		}
		if folder, err = filepath.Rel(dir, folder); err != nil {
			return nil, err
		}
		packages[filepath.ToSlash(folder)] = true
	}
	return packages, nil
}

// Environments are the names of the side's environments, sorted, and whether it has a pipeline. contexts are the CDK
// CLI's, as KEY=VALUE.
func (s *Side) Environments(contexts []string) (names []string, pipeline bool, err error) {
	file := "cdk.json"
	var all struct {
		Context struct {
			Environments map[string]any
			CodePipeline any
		}
	}
	if err := s.readJSON(file, &all); err != nil {
		return nil, false, err
	}
	environments := all.Context.Environments
	for _, context := range contexts {
		if path, is := strings.CutPrefix(context, "config="); is {
			environments = nil
			if err := s.readJSON(path, &environments); err != nil {
				return nil, false, err
			}
		}
	}
	for name := range environments {
		names = append(names, name)
	}
	slices.Sort(names)
	_, err = os.Stat(filepath.Join(s.Dir, "stacks", "pipeline.go"))
	return names, err == nil && all.Context.CodePipeline != nil, nil
}

// Architecture is what the contexts say, or cdk.json, or else what the app takes.
func (s *Side) Architecture(contexts []string) (string, error) {
	var all struct{ Context struct{ Architecture string } }
	if err := s.readJSON("cdk.json", &all); err != nil {
		return "", err
	}
	architecture := all.Context.Architecture
	for _, context := range contexts {
		if value, is := strings.CutPrefix(context, "architecture="); is {
			architecture = value
		}
	}
	return cmp.Or(architecture, "arm64"), nil
}

func (s *Side) readJSON(file string, into any) error {
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.Dir, file)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %s cannot be read: %w", s.Title, file, errors.Unwrap(err))
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %s is not JSON: %w", s.Title, file, err)
	}
	return nil
}

// Synthesize runs the CDK CLI as cdk.json says, but for the build, and returns the folder of the assembly. name is what
// people call it; contexts are KEY=VALUE.
func (s *Side) Synthesize(ctx context.Context, name string, contexts []string) (string, error) {
	out := filepath.Join(s.Dir, "cdk.out", name)
	return out, s.repository.step("Synthesizing "+name+" of "+s.Title, func() error {
		// The build has been made: true stands for it.
		arguments := []string{"synth", "--build", "true", "--quiet", "--no-lookups", "--no-notices", "--output", out}
		for _, context := range contexts {
			arguments = append(arguments, "--context", context)
		}
		return s.run(ctx, filepath.Join(s.NodeModules(), ".bin", "cdk"), arguments...)
	})
}

// run runs a program in the side's folder. What it says is for people only where it fails: then the lines that say why are
// the error.
func (s *Side) run(ctx context.Context, program string, arguments ...string) error {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = s.Dir
	command.Env = environment()
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	ownGroup(command)
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s %s of %s fails (%w): %s", filepath.Base(program), arguments[0], s.Title, err, reason(said.String()))
	}
	return nil
}

// environment is this program's, without what a make above says to those below, and with what the app's own Makefile sets.
func environment() []string {
	own := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains([]string{"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "ARCHITECTURES"}, name)
	})
	return append(own, "CDK_VALIDATION=false", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20", "NO_COLOR=1", "CGO_ENABLED=0")
}

// reason is why a program failed, in its own words: the lines of the CDK app where there are some, or else the last ones.
func reason(said string) string {
	var own, all []string
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		all = append(all, line)
		if after, is := strings.CutPrefix(line, "drawbridge: "); is {
			own = append(own, after)
		}
	}
	if len(own) > 0 {
		return strings.Join(own, "; ")
	}
	return strings.Join(all[max(0, len(all)-3):], "; ")
}

// step tells people what is under way, and how long it took.
func (r *Repository) step(what string, run func() error) error {
	fmt.Fprintf(r.progress, "%s ... ", strings.ReplaceAll(what, "`", ""))
	start := time.Now()
	err := run()
	if err != nil {
		fmt.Fprintln(r.progress, "failed")
		return err
	}
	fmt.Fprintf(r.progress, "%.1f s\n", time.Since(start).Seconds())
	return nil
}
