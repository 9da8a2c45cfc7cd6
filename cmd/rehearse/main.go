//go:build linux

// Command rehearse plays the deployment of one synthesized environment on this machine, with real parts.
//
//	rehearse [-until STEP] [-keep] [-without STACK,...] [-public ASSEMBLY] ASSEMBLY
//
// ASSEMBLY is the folder of a cloud assembly, such as cdk.out/dev; -public the same environment synthesized with
// --context exposure=public. Without that the play leaves the public phase and the flip out. -until ends after one of the
// steps that -steps lists, -without leaves stacks out, and -keep leaves everything running until Ctrl-C. A play that is
// stopped, by Ctrl-C, SIGTERM or SIGHUP, or as nobody reads its output any more, takes everything down first. It takes Linux
// and root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"drawbridge/internal/leftover"
	"drawbridge/rehearsal/play"
	"drawbridge/rehearsal/template"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// Where somebody waits for it, this signal ends no process that writes to a closed pipe: there is much to take down.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop = context.WithCancel(ctx)
	defer stop()
	err := run(ctx, os.Args[1:], &output{os.Stdout, stop})
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(os.Stderr, "rehearse: "+line)
	}
	if errors.Is(err, play.ErrStopped) {
		os.Exit(130)
	}
	os.Exit(1)
}

// output is what somebody reads, until they do not.
type output struct {
	to   io.Writer
	stop func() // the play
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.to.Write(b)
	if err != nil {
		o.stop()
	}
	return n, err
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("rehearse", flag.ContinueOnError)
	public := flags.String("public", "", "the cloud assembly of the same environment in the public phase")
	// The templates' own are for AWS, where networks and databases are slow to come; a play that fails should say so soon.
	o := play.Options{Out: out, FunctionTimeout: time.Minute, ServiceTimeout: 2 * time.Minute}
	flags.StringVar(&o.Until, "until", "", "the step after which the play ends")
	flags.BoolVar(&o.Keep, "keep", false, "leave everything running until Ctrl-C")
	flags.StringVar(&o.Logs, "logs", "build/rehearsal", "the folder for what the programs write")
	without := flags.String("without", "", "stacks that are left out, such as Bastion,Tunnel")
	steps := flags.Bool("steps", false, "list the steps and end")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp // it has said why
	}
	if flags.NArg() != 1 {
		return errors.New("give the folder of one cloud assembly, such as cdk.out/dev")
	}
	if o.Private, err = template.ReadAssembly(flags.Arg(0)); err != nil {
		return err
	}
	if *public != "" {
		if o.Public, err = template.ReadAssembly(*public); err != nil {
			return err
		}
	}
	if *without != "" {
		o.Without = strings.Split(*without, ",")
	}
	if *steps {
		_, err := fmt.Fprintln(out, strings.Join(play.Steps(o), "\n"))
		return err
	}
	// A process that is killed cannot remove its files: those are where the next one finds them.
	if err := leftover.SweepFolders(folderName); err != nil {
		return err
	}
	folder, err := leftover.Folder(folderName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	// The web app's own user passes through.
	if err := errors.Join(os.Chmod(folder, 0o711), os.Setenv("TMPDIR", folder)); err != nil {
		return err
	}
	return play.Run(ctx, o)
}

// folderName is what the folder of temporary files is called, with the process that made it.
const folderName = "rehearsal"
