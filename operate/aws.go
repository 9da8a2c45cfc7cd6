package operate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// callTimeout is how long one call of the AWS CLI may take, with its own retries, and with the person who is asked for a
// code of multi-factor authentication. Tests change it.
var callTimeout = time.Minute

// killDelay is how long a call that was ended may take to end.
const killDelay = 2 * time.Second

var errInterrupted = errors.New("interrupted")

// awsCLI calls the AWS CLI in one region.
type awsCLI struct{ region string }

// environ is what the CLI is run with: no pager and no prompts, whatever the person's own settings are. CDK takes the
// region from it too.
func (c awsCLI) environ() []string {
	set := []string{"AWS_PAGER=", "AWS_CLI_AUTO_PROMPT=off"}
	// Where both are set, the AWS CLI takes this one and the CDK CLI AWS_PROFILE: they would work on two accounts.
	if profile := os.Getenv("AWS_DEFAULT_PROFILE"); profile != "" {
		set = append(set, "AWS_PROFILE="+profile)
	}
	if c.region != "" {
		set = append(set, "AWS_REGION="+c.region, "AWS_DEFAULT_REGION="+c.region)
	}
	// Each once: a program that this one becomes might take the first of two.
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, name+"=") })
	})
	return append(env, set...)
}

// global adds the options that every call has.
func (c awsCLI) global(args []string) []string {
	args = slices.Clone(args)
	if c.region != "" && !slices.Contains(args, "--region") {
		args = append(args, "--region", c.region)
	}
	return args
}

// text is what the CLI prints. Its error is a *Failure.
func (c awsCLI) text(whole context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(whole, callTimeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "aws", c.global(args)...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = c.environ(), &stdout, &stderr, killDelay
	err := cmd.Run()
	if err == nil {
		return stdout.String(), nil
	}
	call := callName(args)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", &Failure{Kind: NotInstalled, Call: call}
	case whole.Err() != nil:
		return "", errInterrupted
	case ctx.Err() != nil:
		return "", &Failure{Kind: TimedOut, Call: call, Region: c.region}
	}
	said := strings.TrimSpace(stderr.String())
	if said == "" {
		said = err.Error()
	}
	return "", &Failure{Kind: kindOf(said), Call: call, Region: c.region, Said: said}
}

// answer decodes the CLI's answer into out.
func (c awsCLI) answer(ctx context.Context, out any, args ...string) error {
	text, err := c.text(ctx, append(args, "--output", "json")...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), out); err != nil {
		return fmt.Errorf("the AWS CLI's answer to %s is not the JSON that was expected (%w): try another version of it, 'make doctor' says which is there", callName(args), err)
	}
	return nil
}

// callName is the service and the operation of a call.
func callName(args []string) string {
	return "aws " + strings.Join(args[:min(2, len(args))], " ")
}
