// Command webapp shows the tables of one MySQL database, page by page, and
// never writes to it. Elastic Beanstalk runs it behind nginx.
//
// It reads its settings from the environment: see mysqldb.FromEnv for the
// database, and
//
//	PORT            the port on 127.0.0.1 to listen on; 5000 unless set
//	DASHBOARD_URL   a BI dashboard to link to; no link unless set
//
// /healthz answers 200 as long as the process lives. /readyz answers 200 when
// the database can be read, and 503 when it cannot.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// shutdownTimeout is how long requests under way may still take after SIGTERM.
const shutdownTimeout = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.LookupEnv, os.Stdout); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(os.Stderr, "webapp:", line)
		}
		os.Exit(1)
	}
}

// run serves until ctx ends, and then lets the requests under way finish. The
// database need not be there yet. It logs JSON lines to stdout.
func run(ctx context.Context, lookup func(string) (string, bool), stdout io.Writer) error {
	s, err := settingsFromEnv(lookup)
	if err != nil {
		return err
	}
	signer := &authority{}
	db, err := openDatabase(s.database, signer.watch())
	if err != nil {
		return err
	}
	defer db.Close()

	log := slog.New(slog.NewJSONHandler(stdout, nil))
	// Only nginx on the same machine is to reach the app.
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s (%w): free that port, or set PORT to another", address, errors.Unwrap(err))
	}
	app := newApp(db, log, s.dashboardURL)
	app.authority = signer
	server := newServer(app)
	log.Info("listening", "address", listener.Addr().String(), "settings", s.database)

	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("the server stopped: %w", err)
	case <-ctx.Done():
	}
	log.Info("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close()
		log.Warn("requests were cut off", "after", shutdownTimeout.String())
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the server stopped: %w", err)
	}
	log.Info("stopped")
	return nil
}
