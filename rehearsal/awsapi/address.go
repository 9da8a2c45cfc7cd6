package awsapi

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Address is a place where a handler is served.
type Address struct {
	URL string // http://ADDRESS:PORT

	http     *http.Server
	stop     context.CancelFunc
	requests sync.WaitGroup
}

// Listen serves a handler on a loopback port of its own.
func Listen(handler http.Handler) (*Address, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return Serve(listener, handler), nil
}

// Serve serves a handler on a listener, which Close closes. It does not wait.
func Serve(listener net.Listener, handler http.Handler) *Address {
	ctx, stop := context.WithCancel(context.Background())
	a := &Address{URL: "http://" + listener.Addr().String(), stop: stop}
	a.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a.requests.Add(1)
			defer a.requests.Done()
			handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = a.http.Serve(listener) }() // ends with Close
	return a
}

// Close ends the requests that are under way, and refuses connections from then on.
func (a *Address) Close() error {
	a.stop()
	err := a.http.Close()
	a.requests.Wait()
	return err
}
