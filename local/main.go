// Command local plays the main job of Drawbridge on this machine, without an AWS account: it synthesizes every stack, and
// then a database with sample data, its read-only users, and the web app as one of these until Ctrl-C. On Linux with a MySQL
// server, the rehearsal's engine deploys the stacks Network and Database, with the Lambda function's own program; elsewhere a
// MySQL-compatible server inside this process has to do. `make local` builds what it needs and runs it in the repository's folder.
//
//	MYSQL_DSN              use this MySQL server instead of the embedded one: user:password@tcp(host:port)/
//	DRAWBRIDGE_DB_CA_FILE  the certificate authority that signed its certificate
//	PORT                   where the web app listens on 127.0.0.1; 5000, or the next free port, unless set
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"drawbridge/internal/progress"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr)
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(os.Stderr, "local: "+line)
		}
		os.Exit(1)
	}
}

// run returns when ctx ends, and has then undone everything that it did; or with an error as soon as something fails.
func run(ctx context.Context) (err error) {
	port, note, err := choosePort(os.Getenv("PORT"))
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "drawbridge-local-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer os.RemoveAll(temporary)

	p := &progress.Report{Out: os.Stdout, Total: 4}
	if err := p.Step("Synthesizing every stack", func() (string, error) { return synthesize(ctx) }); err != nil {
		return err
	}

	var db *database
	starting, preparing := "Starting an embedded MySQL-compatible server", "Loading the sample data and creating the read-only user "+readOnlyUser
	version := mysqlHere()
	switch {
	case os.Getenv("MYSQL_DSN") != "":
		starting, version = "Connecting to the MySQL server of MYSQL_DSN", ""
	case version != "":
		starting, preparing = "Preparing an account for the stacks", "Deploying the stacks Network and Database: a MySQL server, sample data, read-only users"
	}
	err = p.Step(starting, func() (done string, err error) {
		db, err = openDatabase(ctx, os.Getenv, temporary)
		if err != nil {
			return "", err
		}
		if version != "" {
			return version, nil
		}
		return db.address(), nil
	})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := db.close(); closeErr != nil {
			err = errors.Join(err, closeErr)
		}
	}()
	if err := p.Step(preparing, func() (string, error) { return db.prepare(ctx) }); err != nil {
		return err
	}

	var app *webApp
	err = p.Step("Starting the web app as "+db.settings.Username, func() (string, error) {
		app, err = startWebApp(ctx, port, db.settings)
		return note, err
	})
	if err != nil {
		return err
	}
	defer app.stop()

	fmt.Printf(`
  Open      %s
  Database  %s, schema %s
  Logs      %s
  Stop      Ctrl-C

Not played here: the VPC, the jump server and the tunnel. Their templates are in %s, and 'sudo make rehearse' plays them on
Linux.
`, app.url, db.address(), db.settings.Database, app.log, assembly)
	select {
	case <-ctx.Done():
	case <-app.Exited:
		select {
		case <-ctx.Done(): // Ctrl-C reaches the web app as well, and it was the faster one.
		case <-time.After(time.Second):
			return fmt.Errorf("the web app stopped by itself (%s): its last words are in %s", app.End(), app.log)
		}
	}
	fmt.Println("\nStopping ...")
	return nil
}
