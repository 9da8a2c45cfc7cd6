package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"drawbridge/internal/child"
	"drawbridge/rehearsal/machine"
)

// nginx is one that runs.
type nginx struct {
	folder  string
	log     *logger
	process *child.Process
}

// findNginx returns the program of Debian's package. It lies where only root's PATH may lead.
func findNginx() (string, error) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", &MissingError{"there is no nginx on this machine: install nginx-light"}
}

// startNginx starts nginx with a configuration in a folder of its own, which is there.
func startNginx(namespace *machine.Namespace, folder, config string, to io.Writer) (*nginx, error) {
	program, err := findNginx()
	if err != nil {
		return nil, err
	}
	n := &nginx{folder: folder, log: &logger{name: "nginx", to: to}}
	if err := n.configure(config); err != nil {
		return nil, err
	}
	n.process, err = start(namespace, n.log, folder, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
		program, "-e", "stderr", "-p", folder, "-c", configName)
	if err != nil {
		return nil, err
	}
	return n, nil
}

const configName = "nginx.conf"

func (n *nginx) configure(config string) error {
	return os.WriteFile(filepath.Join(n.folder, configName), []byte(config), 0o644)
}

// reload gives the running nginx another configuration.
func (n *nginx) reload(config string) error {
	if err := n.configure(config); err != nil {
		return err
	}
	return n.process.Signal(syscall.SIGHUP)
}

// ended is the error of an nginx that runs no more.
func (n *nginx) ended() error {
	return fmt.Errorf("nginx ended with %s%s", n.process.End(), n.log.tail())
}

func (n *nginx) close() { stop(n.process) }

// client makes requests from inside a namespace. Every request is a connection of its own, and no answer is followed.
func client(namespace *machine.Namespace, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return namespace.Dial(ctx, network, address)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get returns the status of a page.
func get(ctx context.Context, c *http.Client, url, agent string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("User-Agent", agent)
	response, err := c.Do(request)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, errors.Join(err, response.Body.Close())
}
