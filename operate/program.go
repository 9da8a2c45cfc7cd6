package operate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// cdk runs the CDK CLI of node_modules in the project's folder, for this environment. It talks to the person itself.
func (o *Operator) cdk(ctx context.Context, args ...string) error {
	args = append(args, "--context", "env="+o.Env.Name)
	if o.Exposure != "" {
		args = append(args, "--context", "exposure="+o.Exposure)
	}
	if o.Config != "" {
		args = append(args, "--context", "config="+o.Config)
	}
	program := filepath.Join(o.Root, "node_modules", ".bin", "cdk")
	if _, err := os.Stat(program); err != nil {
		return errors.New("the CDK CLI is not in node_modules: install it with 'npm ci'")
	}
	// Ctrl-C reaches it from the terminal too; it must not be killed in the middle of that.
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = o.Root, o.aws.environ()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = o.Stdin, o.Stdout, o.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("cdk %s was interrupted: CloudFormation goes on with what it has begun, 'make status ENV=%s' shows it", args[0], o.Env.Name)
	case errors.As(err, &exit):
		return fmt.Errorf("cdk %s failed (see above): 'make status ENV=%s' shows what stands now", args[0], o.Env.Name)
	case err != nil:
		return fmt.Errorf("cdk could not be run (%w): install it again with 'npm ci'", err)
	}
	return nil
}

// become replaces this program by the AWS CLI, so that it has the terminal and its signals for itself.
func (o *Operator) become(args ...string) error {
	program, err := exec.LookPath("aws")
	if err != nil {
		return &Failure{Kind: NotInstalled}
	}
	return replace(program, append([]string{"aws"}, o.aws.global(args)...), o.aws.environ())
}
