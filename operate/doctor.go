package operate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"drawbridge/internal/rdsca"
)

// The states of a finding.
const (
	fine    = "ok"
	problem = "PROBLEM"
	unknown = "?"
)

// finding is one line of the doctor's.
type finding struct{ state, text string }

func found(state, format string, args ...any) finding {
	return finding{state, fmt.Sprintf(format, args...)}
}

// doctor looks at this machine and at the account, and says of each thing that a deployment needs whether it is there.
func (o *Operator) doctor(ctx context.Context) error {
	problems, unknowns := 0, 0
	show := func(findings ...finding) {
		for _, f := range findings {
			o.say("%-8s %s", f.state, f.text)
			switch f.state {
			case problem:
				problems++
			case unknown:
				unknowns++
			}
		}
	}
	show(o.toolFindings(ctx)...)
	if err := o.locate(ctx); err != nil {
		show(found(problem, "%v", err), found(unknown, "the rest is in the account, and was not looked at"))
	} else {
		show(o.placeFindings()...)
		show(o.accountFindings(ctx)...)
	}
	switch problems {
	case 0:
		if unknowns > 0 {
			o.say("No problem was found; what has a ? could not be looked at.")
			return nil
		}
		o.say("Nothing stands in the way of 'make deploy ENV=%s'.", o.Env.Name)
		return nil
	case 1:
		o.say("1 problem.")
	default:
		o.say("%d problems.", problems)
	}
	return errSaid
}

// tool is a program that must be there.
type tool struct {
	name, why string
	ask       []string // prints its version
	least     version  // nil for any
	get       string   // where from
}

// toolTimeout is how long a program may take to say its version.
const toolTimeout = 20 * time.Second

func (o *Operator) tools() []tool {
	return []tool{
		{"Go", "builds everything", []string{"go", "env", "GOVERSION"}, o.goVersion(), "https://go.dev/dl"},
		{"Node", "runs the CDK", []string{"node", "--version"}, version{20}, "https://nodejs.org, version 22 or 24"},
		// The lock file is of version 3.
		{"npm", "installs the CDK CLI", []string{"npm", "--version"}, version{7}, "it comes with Node"},
		{"make", "runs these commands", []string{"make", "--version"}, version{3, 81}, "the package make of your system"},
		{"the CDK CLI", "deploys", []string{filepath.Join("node_modules", ".bin", "cdk"), "--version"}, nil, "npm ci"},
		{"the AWS CLI", "asks AWS", []string{"aws", "--version"}, version{2}, "AWS CLI User Guide, \"Installing or updating to the latest version of the AWS CLI\""},
		{"the Session Manager plugin", "opens shells on the hosts", []string{"session-manager-plugin", "--version"}, nil,
			"AWS Systems Manager User Guide, \"Install the Session Manager plugin for the AWS CLI\""},
	}
}

// goVersion is the least that go.mod asks for.
func (o *Operator) goVersion() version {
	text, err := os.ReadFile(filepath.Join(o.Root, "go.mod"))
	if err != nil {
		return nil
	}
	line := regexp.MustCompile(`(?m)^go ([0-9.]+)`).FindSubmatch(text)
	if line == nil {
		return nil
	}
	v, _ := versionIn(string(line[1]))
	return v
}

func (o *Operator) toolFindings(ctx context.Context) []finding {
	tools := o.tools()
	findings := make([]finding, len(tools))
	var all sync.WaitGroup
	for i, t := range tools {
		all.Go(func() { findings[i] = o.lookAt(ctx, t) })
	}
	all.Wait()
	return findings
}

func (o *Operator) lookAt(ctx context.Context, t tool) finding {
	ctx, cancel := context.WithTimeout(ctx, toolTimeout)
	defer cancel()
	program := t.ask[0]
	if strings.ContainsRune(program, filepath.Separator) {
		program = filepath.Join(o.Root, program)
	}
	cmd := exec.CommandContext(ctx, program, t.ask[1:]...)
	cmd.Dir, cmd.WaitDelay = o.Root, killDelay
	out, err := cmd.CombinedOutput() // Version 1 of the AWS CLI may write to either.
	got, ok := versionIn(string(out))
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		return found(problem, "%s, which %s, is not on this machine: install it (%s)", t.name, t.why, t.get)
	case err != nil || !ok:
		first, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
		return found(problem, "%s does not say which version it is ('%s' says %q): install it again (%s)", t.name, strings.Join(t.ask, " "), first, t.get)
	case got.before(t.least):
		return found(problem, "%s is %s, and this needs %s or newer: update it (%s)", t.name, got, t.least, t.get)
	}
	return found(fine, "%s %s", t.name, got)
}

func (o *Operator) placeFindings() []finding {
	findings := []finding{found(fine, "account %s, as %s", o.account.Account, o.account.Arn)}
	if rdsca.Covers(o.aws.region) {
		return append(findings, found(fine, "region %s", o.aws.region))
	}
	return append(findings, found(problem, "the region %s has certificate authorities of RDS that this version does not hold, so that nothing could verify the database: choose another, with AWS_REGION or in the config", o.aws.region))
}
