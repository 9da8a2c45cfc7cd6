// Command write makes a TLS identity for a server on this machine's loopback addresses and writes it to a folder as
// ca.pem, server-cert.pem and server-key.pem.
//
//	write DIR
package main

import (
	"fmt"
	"os"

	"drawbridge/internal/loopbacktls"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: write DIR")
		os.Exit(2)
	}
	identity, err := loopbacktls.New()
	if err == nil {
		err = identity.Write(os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "write: "+err.Error())
		os.Exit(1)
	}
}
