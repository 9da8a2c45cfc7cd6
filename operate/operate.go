// Package operate is day one and day two of an environment: what a person types to deploy it, look at it, get into it and
// take it down. It drives the AWS CLI and the CDK CLI, and calls nothing of AWS itself.
//
// [Main] is the program. Every command first finds out where it is (account, region, environment), and refuses when the
// config names another account than the credentials are for.
package operate

import (
	"cmp"
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

	"drawbridge/config"
	"drawbridge/internal/repository"
)

// Options are what a person gives beside the command. Make passes every one of them, and empty ones count as not given.
type Options struct {
	Environment string // the name in the config
	Config      string // the file that holds the environments; "" means cdk.json
	Exposure    string // overrides the config's
	Yes         string // the answer to the command's question, for scripts
	Tunnel      string // one of the config's tunnels
	Instance    string // one of the web app's instances
	Log         string // one of the names in logs
	Since       string // how far back logs go, such as 10m
	Follow      bool   // go on showing logs as they come
}

// Operator runs commands on one environment.
type Operator struct {
	Options
	Env  *config.Environment
	Root string // the project's folder

	Stdin          io.Reader
	Interactive    bool // whether a person sits at Stdin
	Stdout, Stderr io.Writer

	// AddressURL answers with the address that the caller has on the internet.
	AddressURL string

	aws     awsCLI
	account identity
}

// AddressURL is AWS's own service for it (Amazon VPC and EC2 examples use it to find "your IP address").
const AddressURL = "https://checkip.amazonaws.com"

// command is what a name on the command line does.
type command struct {
	run func(*Operator, context.Context) error
	// anywhere says that it finds out itself where it is: the doctor, who reports what is missing for that.
	anywhere bool
}

var commands = map[string]command{
	"doctor":        {(*Operator).doctor, true},
	"deploy":        {(*Operator).deploy, false},
	"destroy":       {(*Operator).destroy, false},
	"open":          {(*Operator).open, false},
	"logs":          {(*Operator).logs, false},
	"status":        {(*Operator).status, false},
	"shell-web":     {(*Operator).shellWeb, false},
	"shell-jump":    {(*Operator).shellJump, false},
	"tunnel-test":   {(*Operator).tunnelTest, false},
	"webapp-deploy": {(*Operator).deployWebApp, false},
	"webapp-local":  {(*Operator).webAppLocal, false},
}

func usage() string {
	names := strings.Join(slices.Sorted(maps.Keys(commands)), ", ")
	return "usage: operate COMMAND [-env NAME] [-config FILE] ...\n\nCOMMAND is one of: " + names + "\n\n"
}

// errSaid is a failure that has been explained already.
var errSaid = errors.New("")

// Main runs one command with the arguments of the program, and returns its exit status.
func Main(args []string, o *Operator) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	name, err := o.parse(args)
	if err == nil {
		err = o.run(ctx, name)
	}
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errSaid):
		return 1
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(o.Stderr, "%s: %s\n", cmp.Or(name, "operate"), line)
	}
	return 1
}

func (o *Operator) parse(args []string) (name string, err error) {
	flags := flag.NewFlagSet("operate", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.Environment, "env", "", "the environment's `name` in the config; dev unless given")
	flags.StringVar(&o.Config, "config", "", "the `file` that holds the environments; cdk.json unless given")
	flags.StringVar(&o.Exposure, "exposure", "", "`public` or private, instead of the config's")
	flags.StringVar(&o.Yes, "yes", "", "the `answer` to the command's question, for scripts")
	flags.StringVar(&o.Tunnel, "tunnel", "", "`name` of the tunnel to try; all of them unless given")
	flags.StringVar(&o.Instance, "instance", "", "`id` of the web app's instance to enter; the first unless given")
	flags.StringVar(&o.Log, "log", "", "`name` of the log: "+logNames()+"; app unless given")
	flags.StringVar(&o.Since, "since", "", "how far back the log goes, such as `10m`; 10m unless given")
	flags.BoolVar(&o.Follow, "follow", false, "go on showing the log as it comes")
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp), err == nil && name == "":
		fmt.Fprint(o.Stderr, usage())
		flags.SetOutput(o.Stderr)
		flags.PrintDefaults()
		if err != nil {
			return name, flag.ErrHelp
		}
		return name, errSaid
	case err != nil:
		return name, fmt.Errorf("%w: 'operate -h' lists what there is", err)
	case flags.NArg() > 0:
		return name, fmt.Errorf("%q is one argument too many: 'operate -h' lists what there is", flags.Arg(0))
	}
	if _, ok := commands[name]; !ok {
		return "", fmt.Errorf("%q is no command: 'operate -h' lists them", name)
	}
	return name, nil
}

func (o *Operator) run(ctx context.Context, name string) error {
	root, err := repository.Root()
	if err != nil {
		return err
	}
	o.Root = root
	if o.Env, err = o.load(); err != nil {
		return err
	}
	command := commands[name]
	if !command.anywhere {
		if err := o.locate(ctx); err != nil {
			return err
		}
	}
	return command.run(o, ctx)
}

// protected says that the environment's own name must be typed before it is changed: by its config, or by what is
// deployed, which this deployment may be about to expose.
func (o *Operator) protected(there stacks) bool {
	for _, s := range there {
		if s.EnableTerminationProtection {
			return true
		}
	}
	return o.Env.Name == config.ProductionName || o.Env.Database.DeletionProtection
}

func (o *Operator) say(format string, args ...any) { fmt.Fprintf(o.Stdout, format+"\n", args...) }
