// Command operate is day one and day two of an environment, from make: see the package drawbridge/operate.
package main

import (
	"os"

	"drawbridge/operate"
)

func main() {
	os.Exit(operate.Main(os.Args[1:], &operate.Operator{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Interactive: operate.IsTerminal(os.Stdin), AddressURL: operate.AddressURL,
	}))
}
