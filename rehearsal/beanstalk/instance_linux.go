package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"drawbridge/internal/leftover"
	"drawbridge/rehearsal/machine"
)

// InstanceOptions are what an instance is made of.
type InstanceOptions struct {
	// Bundle is the path of the source bundle, a zip file as it stands in the cloud assembly.
	Bundle string

	// Environment are the environment's properties, such as RDS_HOSTNAME.
	Environment map[string]string

	// Extra are further variables of the program, which an instance on AWS would not have, such as AWS_ENDPOINT_URL. Files
	// that they name must be readable for every user.
	Extra map[string]string

	// Namespace is the instance's network.
	Namespace *machine.Namespace

	// Log gets what the program and nginx write, line by line. Several goroutines write to it at the same time. It may be
	// nil.
	Log io.Writer
}

// Instance is one that runs.
type Instance struct {
	folder  string
	program *program
	nginx   *nginx

	close func() error
}

// StartInstance unzips a bundle, starts its program, and nginx in front of it on port 80. It returns when the program has
// answered through nginx, whatever it answered; ctx bounds that wait alone.
func StartInstance(ctx context.Context, o InstanceOptions) (*Instance, error) {
	if err := ready("nsenter", "setpriv"); err != nil {
		return nil, err
	}
	if err := Sweep(); err != nil {
		return nil, err
	}
	folder, err := newFolder()
	if err != nil {
		return nil, err
	}
	i := &Instance{folder: folder}
	i.close = sync.OnceValue(i.end)
	if err := i.start(ctx, o); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// newFolder makes a folder through which every user can pass.
func newFolder() (string, error) {
	folder, err := leftover.Folder(folderName)
	if err != nil {
		return "", err
	}
	return folder, os.Chmod(folder, 0o711)
}

func (i *Instance) start(ctx context.Context, o InstanceOptions) error {
	app, home, proxy := filepath.Join(i.folder, "current"), filepath.Join(i.folder, "home"), filepath.Join(i.folder, "nginx")
	for _, f := range []string{app, home, proxy} {
		if err := os.Mkdir(f, 0o755); err != nil {
			return err
		}
	}
	if err := errors.Join(unzip(o.Bundle, app, webappUser), os.Chown(home, webappUser, webappUser)); err != nil {
		return err
	}
	command, err := webCommand(app)
	if err != nil {
		return err
	}
	port, err := programPort(o.Environment)
	if err != nil {
		return err
	}
	variables, err := environment(home, port, o.Environment, o.Extra)
	if err != nil {
		return err
	}
	if i.program, err = startProgram(o.Namespace, app, command, variables, o.Log); err != nil {
		return err
	}
	if i.nginx, err = startNginx(o.Namespace, proxy, proxyConfig(port), o.Log); err != nil {
		return err
	}
	return i.waitReady(ctx, o.Namespace)
}

// waitReady waits until the program answers through nginx.
func (i *Instance) waitReady(patience context.Context, namespace *machine.Namespace) error {
	// Whoever else may listen on port 80 need not answer, and the program's first page may take long.
	ctx, ended := context.WithCancelCause(patience)
	defer ended(nil)
	go func() {
		select {
		case <-i.program.done:
			ended(i.program.away())
		case <-i.nginx.process.Exited:
			ended(i.nginx.ended())
		case <-ctx.Done():
		}
	}()
	c := client(namespace, time.Minute)
	last := errors.New("nobody answers on port 80")
	for {
		status, err := get(ctx, c, "http://127.0.0.1/", "Drawbridge")
		if err == nil && status != http.StatusBadGateway && status != http.StatusGatewayTimeout {
			return nil
		}
		if err == nil {
			last = fmt.Errorf("nginx answers with status %d", status)
		} else if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if patience.Err() == nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("the instance was not ready: %w: %w%s", context.Cause(patience), last, i.program.log.tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Close ends the instance and removes its files.
func (i *Instance) Close() error { return i.close() }

func (i *Instance) end() error {
	if i.nginx != nil {
		i.nginx.close()
	}
	if i.program != nil {
		i.program.close()
	}
	return os.RemoveAll(i.folder)
}
