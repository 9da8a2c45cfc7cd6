//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "rehearse: it takes Linux, whose network namespaces it makes")
	os.Exit(1)
}
