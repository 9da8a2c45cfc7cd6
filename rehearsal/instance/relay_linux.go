package instance

import (
	"io"
	"net"
)

// relay connects a connection to an address, until one of both ends.
func relay(conn net.Conn, address string) {
	defer conn.Close() //nolint:errcheck // it is over
	to, err := net.Dial("tcp", address)
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
	<-done
}
