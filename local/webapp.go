package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"drawbridge/internal/child"
	"drawbridge/internal/mysqldb"
)

const (
	webAppBinary = "build/webapp"

	// defaultPort is the one that Elastic Beanstalk's nginx talks to.
	defaultPort = 5000
)

// webApp is the running web app, the same program that Elastic Beanstalk would run.
type webApp struct {
	*child.Process
	url string
	log string // the file that its log goes to
}

// startWebApp runs the web app on a port, and waits until it can read the database.
func startWebApp(ctx context.Context, port int, db mysqldb.Settings) (*webApp, error) {
	app := &webApp{url: fmt.Sprintf("http://127.0.0.1:%d", port), log: fmt.Sprintf("build/local-webapp-%d.log", port)}
	log, err := os.Create(app.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := exec.Command(webAppBinary)
	command.Stdout, command.Stderr = log, log
	command.Env = []string{
		"PORT=" + strconv.Itoa(port),
		"RDS_HOSTNAME=" + db.Host,
		"RDS_PORT=" + strconv.Itoa(db.Port),
		"RDS_DB_NAME=" + db.Database,
		"RDS_USERNAME=" + db.Username,
		"RDS_PASSWORD=" + db.Password,
		"DRAWBRIDGE_DB_CA_FILE=" + db.CAFile,
	}
	dashboard, err := dashboardVariables(assembly)
	if err != nil {
		return nil, err
	}
	command.Env = append(command.Env, dashboard...)
	if app.Process, err = child.Start(command); err != nil {
		return nil, fmt.Errorf("start the web app %s: %w", webAppBinary, err)
	}
	if err := app.waitUntilReady(ctx); err != nil {
		app.stop()
		return nil, err
	}
	return app, nil
}

func (a *webApp) waitUntilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/readyz", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-a.Exited:
			return fmt.Errorf("the web app did not start (%s): %s says why", a.End(), a.log)
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("the web app did not get ready within 30 s: see %s", a.log)
			}
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the web app as Beanstalk does, and waits for it.
func (a *webApp) stop() {
	_ = a.Signal(syscall.SIGTERM)
	select {
	case <-a.Exited:
	case <-time.After(15 * time.Second):
		_ = a.Kill()
		<-a.Exited
	}
}

// choosePort is the wanted port, which must be free; or, when none is wanted, the default port or the next free one.
func choosePort(wanted string) (port int, note string, err error) {
	if wanted != "" {
		port, err := strconv.Atoi(wanted)
		if err != nil || port < 1 || port > 65535 {
			return 0, "", fmt.Errorf("PORT is %q: give a number from 1 to 65535, or leave it out", wanted)
		}
		if !isFree(port) {
			return 0, "", fmt.Errorf("port %d is taken: stop what listens there, set PORT to another, or leave PORT out to get a free one", port)
		}
		return port, "", nil
	}
	for port := defaultPort; port < defaultPort+100; port++ {
		if !isFree(port) {
			continue
		}
		if port != defaultPort {
			note = fmt.Sprintf("port %d is taken, so it listens on %d", defaultPort, port)
		}
		return port, note, nil
	}
	return 0, "", fmt.Errorf("the ports from %d to %d are all taken: set PORT to a free one", defaultPort, defaultPort+99)
}

func isFree(port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	listener.Close()
	return true
}
