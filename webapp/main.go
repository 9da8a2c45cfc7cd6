// Command webapp shows the tables of one MySQL database, page by page, and
// never writes to it. Elastic Beanstalk runs it behind nginx.
//
// It reads its settings from the environment: see mysqldb.FromEnv for the
// database, and
//
//	PORT              the port on 127.0.0.1 to listen on; 5000 unless set
//	METRICS_PORT      the port on 127.0.0.1 for Prometheus to ask for /metrics; none unless set
//	REDIRECT_TO_HTTPS whether a load balancer speaks HTTPS, to which visitors by HTTP are sent; false unless set
//	DASHBOARD_URL     the vendor's dashboard, for a frame on /dashboard; none unless set
//	DASHBOARD_CHARTS  the charts on that page, as pinned.Encode writes them; none unless set
//	EMBED_ORIGINS     the sites that may show charts in a frame, as https://HOST, with spaces between them; none unless set
//	GOGC, GOMEMLIMIT  as for every Go program; 400 and 400MiB unless set
//
// Those of the dashboard and its charts may come in parts: see pinned.Variables.
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
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// shutdownTimeout is how long requests under way may still take after SIGTERM.
const shutdownTimeout = 10 * time.Second

// gcPercent lets the heap grow to five times what is in use before it is cleaned up, which is still little: the app keeps
// a few MiB. It takes a quarter less of the processor for a page than Go's 100. GOGC in the environment goes first.
const gcPercent = 400

// memoryLimit is where it is cleaned up more often instead, on a machine that may have 1 GiB. GOMEMLIMIT in the environment
// goes first.
const memoryLimit = 400 << 20

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
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
	listener, err := listen(s.port, "PORT")
	if err != nil {
		return err
	}
	defer listener.Close()
	app := newApp(db, log, s.dashboardURL)
	app.authority, app.charts, app.embedOrigins, app.redirectToHTTPS = signer, s.charts, s.embedOrigins, s.redirectToHTTPS
	if s.metricsPort != 0 {
		metricsListener, err := listen(s.metricsPort, "METRICS_PORT")
		if err != nil {
			return err
		}
		metricsServer := newMetricsServer(app)
		defer metricsServer.Close()
		go func() {
			if err := metricsServer.Serve(metricsListener); !errors.Is(err, http.ErrServerClosed) {
				log.Error("there are no metrics any more", "problem", err.Error())
			}
		}()
	}
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
	late := server.Shutdown(ctx)
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the server stopped: %w", err)
	}
	if late == nil {
		// Whoever was let in while the door closed is known only now.
		late = server.Shutdown(ctx)
	}
	if late != nil {
		_ = server.Close()
		log.Warn("requests were cut off", "after", shutdownTimeout.String())
	}
	log.Info("stopped")
	return nil
}

// listen listens on this machine's loopback address alone: nginx on the same
// machine is what visitors reach.
func listen(port int, setting string) (net.Listener, error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (%w): free that port, or set %s to another", address, errors.Unwrap(err), setting)
	}
	return listener, nil
}
