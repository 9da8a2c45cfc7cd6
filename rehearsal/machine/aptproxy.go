package machine

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// AptProxy is an HTTP proxy through which machines reach one Debian archive, and nothing else, without a way out of their
// network. It can be told to fail as a network does.
type AptProxy struct {
	mirror *url.URL
	cache  *aptCache
	server *http.Server
	url    string

	mu       sync.Mutex
	failing  bool
	left     int // where it is failing: requests before that; less than 0 once one was cut off
	requests int
	tunnels  map[net.Conn]bool
}

// NewAptProxy starts a proxy on a listener, such as one of [Network.Router]'s, for the archive at the address mirror. It
// fetches from the network of this process, and keeps packages and other things that never change in the folder cache,
// which several processes may share. Whoever makes it closes it.
func NewAptProxy(listener net.Listener, mirror, cache string) (*AptProxy, error) {
	address, err := url.Parse(mirror)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		return nil, fmt.Errorf("%q is not the address of a Debian archive", mirror)
	}
	p := &AptProxy{
		mirror:  address,
		cache:   &aptCache{folder: cache, most: mostCached},
		url:     "http://" + listener.Addr().String(),
		tunnels: map[net.Conn]bool{},
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	go func() { _ = p.server.Serve(listener) }() // until Close
	return p, nil
}

// URL is the proxy's address, for Options.AptProxy.
func (p *AptProxy) URL() string { return p.url }

// FailAfter lets the proxy answer n more requests: the next is cut off half-way, and none is answered after that.
func (p *AptProxy) FailAfter(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing, p.left = true, n
}

// Up ends what [AptProxy.FailAfter] began.
func (p *AptProxy) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = false
}

// Requests is how many requests have come so far, answered or not.
func (p *AptProxy) Requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// Close ends the proxy and its connections.
func (p *AptProxy) Close() error {
	err := p.server.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.tunnels {
		_ = conn.Close() // it may have been closed already
	}
	return err
}

// next counts a request and says what becomes of it: it is answered in whole, cut off half-way, or not answered.
func (p *AptProxy) next() (answered, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	if !p.failing {
		return true, false
	}
	p.left = max(p.left-1, -2)
	return p.left >= -1, p.left == -1
}

// ServeHTTP answers apt.
func (p *AptProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answered, cut := p.next()
	if !answered {
		panic(http.ErrAbortHandler) // closes the connection
	}
	if cut {
		w = &cutWriter{ResponseWriter: w}
	}
	switch {
	case r.Method == http.MethodConnect:
		if r.Host != withPort(p.mirror) {
			http.Error(w, "this proxy leads to "+withPort(p.mirror)+" alone", http.StatusForbidden)
			return
		}
		if cut {
			panic(http.ErrAbortHandler) // what a tunnel carries has no half
		}
		p.tunnel(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "this proxy is for reading", http.StatusMethodNotAllowed)
	case r.URL.Host != p.mirror.Host || r.URL.Scheme != p.mirror.Scheme:
		http.Error(w, "this proxy leads to "+p.mirror.Host+" alone", http.StatusForbidden)
	case p.cache.serve(w, r):
	default:
		p.fetch(w, r)
	}
}

// fetch answers with what the archive says, and keeps it where it never changes.
func (p *AptProxy) fetch(w http.ResponseWriter, r *http.Request) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, name := range []string{"Accept", "Cache-Control", "If-Modified-Since", "If-Range", "Range", "User-Agent"} {
		if value := r.Header.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close() //nolint:errcheck // only read
	for _, name := range []string{"Accept-Ranges", "Content-Range", "Content-Type", "Etag", "Last-Modified"} {
		if value := response.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	if response.ContentLength >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(response.ContentLength, 10))
	}
	w.WriteHeader(response.StatusCode)
	body := io.Reader(response.Body)
	if keep := p.cache.keep(r, response); keep != nil {
		defer keep.end()
		body = io.TeeReader(body, keep)
	}
	if _, err := io.Copy(w, body); err != nil {
		panic(http.ErrAbortHandler) // apt must not take a part for the whole
	}
}

// tunnel connects the client with the archive, for an archive that speaks HTTPS.
func (p *AptProxy) tunnel(w http.ResponseWriter, r *http.Request) {
	var d net.Dialer
	archive, err := d.DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = archive.Close()
		return
	}
	p.mu.Lock()
	p.tunnels[client], p.tunnels[archive] = true, true
	p.mu.Unlock()
	end := sync.OnceFunc(func() {
		_, _ = client.Close(), archive.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.tunnels, client)
		delete(p.tunnels, archive)
	})
	go func() {
		defer end()
		_, _ = io.Copy(archive, buffered) // ends when either side closes
	}()
	defer end()
	_, _ = io.Copy(client, archive)
}

// withPort returns the host and port of an address.
func withPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}

// cutWriter closes the connection after half of what was announced, or at once where that is unknown.
type cutWriter struct {
	http.ResponseWriter
	left      int
	announced bool
}

func (w *cutWriter) WriteHeader(status int) {
	length, _ := strconv.Atoi(w.Header().Get("Content-Length"))
	w.left, w.announced = length/2, true
	if length == 0 {
		panic(http.ErrAbortHandler)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *cutWriter) Write(b []byte) (int, error) {
	if !w.announced {
		w.WriteHeader(http.StatusOK)
	}
	if len(b) <= w.left {
		w.left -= len(b)
		return w.ResponseWriter.Write(b)
	}
	_, _ = w.ResponseWriter.Write(b[:w.left]) // the client may be gone
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}
