package instancemetadata

import (
	"net"
	"net/http"
	"sync"
)

// Directory is one address for the services of many instances, each of which sees its own.
type Directory struct {
	mu       sync.Mutex
	services map[string]*Server // by the instance's address
}

// Set makes what comes from an address see a service.
func (d *Directory) Set(address string, service *Server) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.services == nil {
		d.services = map[string]*Server{}
	}
	d.services[address] = service
}

// ServeHTTP answers an instance as its own service does.
func (d *Directory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	d.mu.Lock()
	service := d.services[host]
	d.mu.Unlock()
	if service == nil {
		http.NotFound(w, r)
		return
	}
	service.ServeHTTP(w, r)
}
