// Command drawbridge-host is everything that runs on this project's own hosts: the jump server and the host of the tunnels.
// The instance's user data starts "setup"; systemd units, sshd and people start the rest.
//
// It ends with 0, with 1 where something failed, which the last line of its stderr says in one sentence, and with 2 where
// it was called wrongly.
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

	"drawbridge/host/install"
	"drawbridge/host/settings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], settings.File, install.New(), os.Stdout, os.Stderr))
}

// usageError is a call that is wrong.
type usageError struct{ error }

// run runs one subcommand and returns the exit code.
func run(ctx context.Context, args []string, file string, h *install.Host, stdout, stderr io.Writer) (code int) {
	// The stack of a fault in this program helps nobody who reads the console, and may hold a secret.
	defer func() {
		if r := recover(); r != nil {
			_, _ = fmt.Fprintf(stderr, "drawbridge-host: a fault in this program ended it: %s\n", oneLine(fmt.Sprint(r)))
			code = 1
		}
	}()
	err := dispatch(ctx, args, file, h, stdout, stderr)
	var wrong usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &wrong):
		_, _ = fmt.Fprintf(stderr, "drawbridge-host: %s\n", oneLine(err.Error()))
		return 2
	default:
		_, _ = fmt.Fprintf(stderr, "drawbridge-host: %s\n", oneLine(err.Error()))
		return 1
	}
}

func dispatch(ctx context.Context, args []string, file string, h *install.Host, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("drawbridge-host", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprint(stdout, usage())
		return err
	} else if err != nil {
		return usageError{fmt.Errorf("%w; 'drawbridge-host -h' lists the commands", err)}
	}
	name, rest := flags.Arg(0), []string(nil)
	if flags.NArg() > 0 {
		rest = flags.Args()[1:]
	}
	for _, c := range commands {
		if c.name != name {
			continue
		}
		if len(rest) < c.least || len(rest) > c.most {
			return usageError{fmt.Errorf("this is called as 'drawbridge-host %s'", strings.TrimSpace(c.name+" "+c.args))}
		}
		s, err := settings.Read(file)
		if err != nil {
			return err
		}
		if err := c.fits(s); err != nil {
			return err
		}
		if c.deadline > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.deadline)
			defer cancel()
		}
		err = c.run(ctx, call{host: h, settings: s, args: rest, stdout: stdout, stderr: stderr})
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("'%s' was not done within %s: %w", c.name, c.deadline, err)
		}
		return err
	}
	if name == "" {
		return usageError{errors.New("a command is missing; 'drawbridge-host -h' lists them")}
	}
	return usageError{fmt.Errorf("there is no command %q; 'drawbridge-host -h' lists them", name)}
}

func usage() string {
	var b strings.Builder
	b.WriteString("Usage: drawbridge-host COMMAND\n\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-32s %s\n", strings.TrimSpace(c.name+" "+c.args), c.does)
	}
	return b.String()
}

// oneLine joins the lines of a text: what reads this program's last line must get all of it.
func oneLine(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}
