// Command review says what a change to the project does to what is deployed, in Markdown for a pull request: it
// synthesizes both sides, and compares them (see the package change).
//
// It ends with 0 where nothing changes, 1 where something does, 2 where something that holds data, an address or a key is
// or may be replaced or lost, and 3 where the sides could not be compared.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"drawbridge/internal/cfnschema"
	"drawbridge/review/change"
	"drawbridge/review/side"
)

const usage = `usage: review [-base REF] [-head REF] [-env NAME]... [-context KEY=VALUE]... [-head-context KEY=VALUE]...

Says in Markdown what deploying one version of the project over another does. Without -head, the other version is the
working tree, with what is not committed. Exit code: 0 nothing changes, 1 something does, 2 something that holds data, an
address or a key is replaced or lost, 3 the versions could not be compared.

`

// The exit codes.
const (
	unchanged = iota
	changed
	loses
	failed
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		if ctx.Err() != nil {
			err = errors.New("stopped")
		}
		fmt.Fprintln(os.Stderr, "review:", err)
	}
	os.Exit(code)
}

// options is what the command line asks for.
type options struct {
	base, head   string
	environments []string // empty for all
	contexts     []string // of both sides
	headContexts []string // of the second, after contexts
}

func parse(arguments []string, help io.Writer) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("review", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.base, "base", "", "the version `REF` that is deployed: a branch, a tag or a commit (default main, or else origin/main)")
	flags.StringVar(&o.head, "head", "", "the version `REF` to compare with it (default the working tree)")
	flags.Func("env", "the environment `NAME` to compare; may be repeated (default all, and the pipeline)", func(name string) error {
		o.environments = append(o.environments, name)
		return nil
	})
	to := func(list *[]string) func(string) error {
		return func(value string) error {
			if key, _, ok := strings.Cut(value, "="); !ok || key == "" || key == "env" || key == "pipeline" {
				return errors.New("it takes KEY=VALUE, such as exposure=public; environments are chosen with -env")
			}
			*list = append(*list, value)
			return nil
		}
	}
	flags.Func("context", "a context value `KEY=VALUE` for both sides; may be repeated", to(&o.contexts))
	flags.Func("head-context", "a context value `KEY=VALUE` for the second side alone, which is how a flip is reviewed; may be repeated", to(&o.headContexts))
	err := flags.Parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(help, usage)
		flags.SetOutput(help)
		flags.PrintDefaults()
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("%q is one word too many: see review -help", flags.Arg(0))
	}
	return o, err
}

func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) (int, error) {
	o, err := parse(arguments, stderr)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return unchanged, err
		}
		return failed, err
	}
	scratch, err := os.MkdirTemp("", "drawbridge-review-")
	if err != nil {
		return failed, err
	}
	defer removeAll(scratch)
	markdown, code, err := review(ctx, o, ".", scratch, stderr)
	if err != nil {
		return failed, err
	}
	if _, err := io.WriteString(stdout, markdown); err != nil {
		return failed, err
	}
	return code, nil
}

// removeAll removes a folder, whatever a program that is just being stopped still writes to it.
func removeAll(dir string) {
	for range 20 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// review compares the two sides that o names, of the repository that dir is in.
func review(ctx context.Context, o options, dir, scratch string, progress io.Writer) (markdown string, code int, err error) {
	repository, err := side.Open(ctx, dir, scratch, progress)
	if err != nil {
		return "", failed, err
	}
	base, err := repository.Commit(ctx, o.base)
	if o.base == "" {
		if base, err = repository.Commit(ctx, "main"); err != nil {
			base, err = repository.Commit(ctx, "origin/main")
		}
	}
	if err != nil {
		return "", failed, err
	}
	var head side.Tree
	if o.head == "" {
		head, err = repository.WorkingTree(ctx)
	} else {
		head, err = repository.Commit(ctx, o.head)
	}
	if err != nil {
		return "", failed, err
	}
	files, err := repository.Differing(ctx, base, head)
	if err != nil {
		return "", failed, err
	}
	nothing := fmt.Sprintf("Nothing that is deployed changes between %s and %s.\n", base.Title, head.Title)
	if side.Reads(files, nil) == side.Nothing && len(o.headContexts) == 0 {
		return nothing, unchanged, nil
	}
	environments, err := compare(ctx, o, repository, base, head, files, progress)
	if err != nil {
		return "", failed, err
	}
	var b strings.Builder
	for _, e := range environments {
		if !e.Changed() {
			continue
		}
		code = max(code, changed)
		if e.Loses() {
			code = loses
		}
		b.WriteString("\n" + e.Markdown())
	}
	if code == unchanged {
		return nothing, unchanged, nil
	}
	return fmt.Sprintf("# What deploying %s over %s does\n", head.Title, base.Title) + b.String(), code, nil
}

// compare builds and synthesizes both sides, and compares each environment that one of them has.
func compare(ctx context.Context, o options, repository *side.Repository, base, head side.Tree, files []string, progress io.Writer) (compared []*change.Environment, err error) {
	before, err := repository.Checkout(ctx, base, "base")
	if err != nil {
		return nil, err
	}
	after, err := repository.Checkout(ctx, head, "head")
	if err != nil {
		return nil, err
	}
	reads, err := reads(ctx, files, before, after)
	if err != nil || reads == side.Nothing && len(o.headContexts) == 0 {
		return nil, err
	}
	headContexts := append(slices.Clone(o.contexts), o.headContexts...)
	sides := []*synthesis{{side: before, contexts: o.contexts}, {side: after, contexts: headContexts}}
	for _, s := range sides {
		if err := s.read(); err != nil {
			return nil, err
		}
	}
	// A pipeline that one side is not asked for is neither new nor gone.
	if len(o.headContexts) > 0 && !slices.Contains(sides[1].environments, pipeline) {
		sides[0].environments = slices.DeleteFunc(sides[0].environments, func(name string) bool { return name == pipeline })
	}
	names := slices.Concat(sides[0].environments, sides[1].environments)
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range o.environments {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("-env %s: neither side has this environment: there are %s", name, strings.Join(names, ", "))
		}
	}
	was, err := before.Architecture(o.contexts)
	if err != nil {
		return nil, err
	}
	is, err := after.Architecture(headContexts)
	if err != nil {
		return nil, err
	}
	if err := build(ctx, before, after, was, is, reads); err != nil {
		return nil, err
	}
	schemas, err := cfnschema.ReadAll(after.NodeModules())
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if len(o.environments) > 0 && !slices.Contains(o.environments, name) {
			continue
		}
		var assemblies [2]string
		for i, s := range sides {
			if assemblies[i], err = s.synthesize(ctx, name); err != nil {
				return nil, err
			}
		}
		fmt.Fprintf(progress, "Comparing %s ...\n", name)
		title := "The environment " + name
		if name == pipeline {
			title = "The pipeline"
		}
		e, err := change.Compare(title, assemblies[0], assemblies[1], schemas, change.CDK(ctx, after.NodeModules()))
		if err != nil {
			return nil, err
		}
		compared = append(compared, e)
	}
	return compared, nil
}

// reads says what reads the files that differ.
func reads(ctx context.Context, files []string, before, after *side.Side) (side.Read, error) {
	packages, err := before.Packages(ctx)
	if err != nil {
		return side.Build, err
	}
	more, err := after.Packages(ctx)
	maps.Copy(packages, more)
	return side.Reads(files, packages), err
}

// build builds both sides, or one for both where they differ in nothing that the build reads.
func build(ctx context.Context, before, after *side.Side, architectureBefore, architectureAfter string, reads side.Read) error {
	if err := before.Build(ctx, architectureBefore); err != nil {
		return err
	}
	if reads < side.Build && architectureBefore == architectureAfter {
		return after.BuiltAs(before)
	}
	return after.Build(ctx, architectureAfter)
}

// pipeline is what people call the assembly of the pipeline's own stack, beside those of the environments. No environment
// can have this name.
const pipeline = "(pipeline)"

// synthesis is one side with what it can synthesize.
type synthesis struct {
	side         *side.Side
	contexts     []string
	environments []string
}

func (s *synthesis) read() error {
	environments, hasPipeline, err := s.side.Environments(s.contexts)
	// The pipeline delivers the environments of cdk.json as they stand there: the app refuses these with it.
	elsewhere := slices.ContainsFunc(s.contexts, func(context string) bool {
		key, _, _ := strings.Cut(context, "=")
		return key == "config" || key == "exposure"
	})
	if hasPipeline && !elsewhere {
		environments = append(environments, pipeline)
	}
	s.environments = environments
	return err
}

// synthesize returns the folder of the assembly, and "" where the side does not have it.
func (s *synthesis) synthesize(ctx context.Context, name string) (string, error) {
	if !slices.Contains(s.environments, name) {
		return "", nil
	}
	own, folder := "env="+name, name
	if name == pipeline {
		own, folder = "pipeline=true", "pipeline"
	}
	return s.side.Synthesize(ctx, folder, append(slices.Clone(s.contexts), own))
}
