// Package relay makes an address of one network lead to one of another.
package relay

import (
	"context"
	"io"
	"net"
)

// Serve connects each connection that a listener takes to a new one that dial makes, until one of both ends. It returns
// when the listener is closed; what is connected then goes on until ctx ends.
func Serve(ctx context.Context, listener net.Listener, dial func(context.Context) (net.Conn, error)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go connect(ctx, conn, dial)
	}
}

func connect(ctx context.Context, conn net.Conn, dial func(context.Context) (net.Conn, error)) {
	defer conn.Close() //nolint:errcheck // it is over
	to, err := dial(ctx)
	if err != nil {
		return
	}
	defer to.Close() //nolint:errcheck // it is over
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{conn, to}, {to, conn}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			done <- struct{}{}
		}()
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}
