package operate

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"drawbridge/host/settings"
)

// needPlugin says what is missing before a session is asked for: the AWS CLI itself says it only afterwards.
func needPlugin() error {
	if _, err := exec.LookPath("aws"); err != nil {
		return &Failure{Kind: NotInstalled}
	}
	if _, err := exec.LookPath("session-manager-plugin"); err != nil {
		return errors.New("there is no session-manager-plugin on this machine: install it (AWS Systems Manager User Guide, \"Install the Session Manager plugin for the AWS CLI\")")
	}
	return nil
}

// shellJump opens a shell on the jump server.
func (o *Operator) shellJump(ctx context.Context) error {
	if err := needPlugin(); err != nil {
		return err
	}
	instance, err := o.jumpServer(ctx)
	if err != nil {
		return err
	}
	return o.become("ssm", "start-session", "--target", instance)
}

// jumpServer is the jump server's instance. While it is being replaced there are two; the one that is ready counts.
func (o *Operator) jumpServer(ctx context.Context) (string, error) {
	id, err := o.physicalID(ctx, "Bastion", "SessionManagerCommand", func(r resource) bool {
		return r.ResourceType == "AWS::EC2::Instance" && strings.HasSuffix(r.ResourceStatus, "_COMPLETE")
	})
	if id != "" || err != nil {
		return id, err
	}
	return "", fmt.Errorf("the stack %s has no instance that is ready: 'make status ENV=%s' says what it does", o.stackName("Bastion"), o.Env.Name)
}

// shellWeb opens a shell on an instance of the web app.
func (o *Operator) shellWeb(ctx context.Context) error {
	if err := needPlugin(); err != nil {
		return err
	}
	there, err := o.deployed(ctx)
	if err != nil {
		return err
	}
	environment, err := o.need(there, "WebApp", "WebAppEnvironment")
	if err != nil {
		return err
	}
	var answer struct {
		EnvironmentResources struct{ Instances []struct{ Id string } }
	}
	if err := o.aws.answer(ctx, &answer, "elasticbeanstalk", "describe-environment-resources", "--environment-name", environment); err != nil {
		return err
	}
	var ids []string
	for _, instance := range answer.EnvironmentResources.Instances {
		ids = append(ids, instance.Id)
	}
	slices.Sort(ids)
	switch {
	case len(ids) == 0:
		return fmt.Errorf("the Beanstalk environment %s has no instance at the moment: 'make status ENV=%s' says why", environment, o.Env.Name)
	case o.Instance == "":
		o.Instance = ids[0]
		if len(ids) > 1 {
			fmt.Fprintf(o.Stderr, "Entering %s, the first of %s: INSTANCE=… names another.\n", ids[0], strings.Join(ids, ", "))
		}
	case !slices.Contains(ids, o.Instance):
		return fmt.Errorf("%s is no instance of the Beanstalk environment %s: give one of %s as INSTANCE", o.Instance, environment, strings.Join(ids, ", "))
	}
	return o.become("ssm", "start-session", "--target", o.Instance)
}

var tunnelName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// tunnelTest tries the tunnels by hand, on their own host: the vendor's banner, its host key, the log-in, the database.
func (o *Operator) tunnelTest(ctx context.Context) error {
	if o.Tunnel != "" && !tunnelName.MatchString(o.Tunnel) {
		return fmt.Errorf("%s is not a tunnel's name: TUNNEL takes one of the config's tunnels", o.Tunnel)
	}
	if err := needPlugin(); err != nil {
		return err
	}
	instance, err := o.tunnelHost(ctx)
	if err != nil {
		return err
	}
	return o.onHost(instance, strings.TrimSpace("sudo "+settings.Program+" tunnel-test "+o.Tunnel))
}

func (o *Operator) tunnelHost(ctx context.Context) (string, error) {
	there, err := o.deployed(ctx)
	if err != nil {
		return "", err
	}
	if len(o.Env.Tunnels) == 0 && !there.made("Tunnel") {
		return "", fmt.Errorf("the environment %s has no tunnel host: put a tunnel into the config and deploy it", o.Env.Name)
	}
	return o.need(there, "Tunnel", "TunnelInstanceId")
}

// onHost runs one command on a host, with the terminal. It holds nothing that a shell or JSON would take apart.
func (o *Operator) onHost(instance, command string) error {
	return o.become("ssm", "start-session", "--target", instance, "--document-name", "AWS-StartInteractiveCommand",
		"--parameters", `{"command":["`+command+`"]}`)
}
