package change

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// diffs asks the CDK CLI about every stack whose template differs.
func (c *comparison) diffs(diff Differ) error {
	none, err := os.CreateTemp("", "drawbridge-no-template-*.json")
	if err != nil {
		return err
	}
	defer os.Remove(none.Name()) //nolint:errcheck // a file of two bytes
	if _, err := none.WriteString("{}"); err != nil {
		return err
	}
	if err := none.Close(); err != nil {
		return err
	}
	for _, id := range ids(c.after) {
		before, after := c.before.stacks[id], c.after.stacks[id]
		old := none.Name()
		switch {
		case before != nil && same(before.raw, after.raw), before == nil && after.empty():
			continue
		case before != nil:
			old = before.file
		}
		text, err := diff(old, c.after.dir, id)
		if err != nil {
			return err
		}
		if text = tidy(text); text != "" {
			c.result.Diffs = append(c.result.Diffs, Diff{id, text})
		}
	}
	return nil
}

var color = regexp.MustCompile("\x1b\\[[0-9;]*m")

// tidy takes away what is not about the stack: colour, what the app warns of, the count of stacks, and empty lines at both
// ends.
func tidy(text string) string {
	var lines []string
	for line := range strings.Lines(color.ReplaceAllString(text, "")) {
		line = strings.TrimRight(line, " \n")
		if strings.HasPrefix(line, "Stack ") {
			lines = nil
			continue
		}
		if strings.Contains(line, "Number of stacks with differences:") || strings.HasPrefix(line, "There were no differences") {
			continue
		}
		if line == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// CDK is the Differ that runs the CDK CLI of a folder of npm's packages. It takes no credentials and asks nobody.
func CDK(ctx context.Context, nodeModules string) Differ {
	return func(oldTemplate, assembly, stack string) (string, error) {
		program, err := filepath.Abs(filepath.Join(nodeModules, ".bin", "cdk"))
		if err != nil {
			return "", err
		}
		if assembly, err = filepath.Abs(assembly); err != nil {
			return "", err
		}
		cdk := exec.CommandContext(ctx, program, "diff", "--no-notices", "--no-color", "--exclusively",
			"--template", oldTemplate, "--app", assembly, stack)
		// Away from any cdk.json, whose build command is not to run.
		cdk.Dir = assembly
		// In CI it would say on the same stream that it begins and ends.
		cdk.Env = append(os.Environ(), "NO_COLOR=1", "FORCE_COLOR=0", "CI=false")
		var out, problems bytes.Buffer
		cdk.Stdout, cdk.Stderr = &out, &problems
		if err := cdk.Run(); err != nil {
			return "", fmt.Errorf("cdk diff of the stack %s: %w: %s", stack, err, strings.TrimSpace(problems.String()))
		}
		return out.String() + problems.String(), nil
	}
}
