package mysqlserver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
)

// given are the ports that were picked for servers of this process, also of those that are away.
var given sync.Map

// freePort returns a port that nobody listens on, and that stays free while a restarting server is away: it is below the
// range from which systems pick the ports of outgoing connections, and other processes, which pick at the same time, pick
// theirs elsewhere.
func freePort(address string) (int, error) {
	const lowest, processes, each = 15_000, 150, 100
	first := lowest + os.Getpid()%processes*each
	var err error
	for range 10 * each {
		port := first + rand.IntN(each)
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
		given.Delete(port)
	}
	return 0, fmt.Errorf("no port from %d to %d is free: %w", first, first+each-1, err)
}

var errPortTaken = errors.New("another process took the port")
