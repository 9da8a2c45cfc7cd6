// Command operate is day one and day two of an environment, from make: see the package drawbridge/operate.
package main

import (
	"os"

	"drawbridge/operate"
)

func main() {
	stdin, err := os.Stdin.Stat()
	os.Exit(operate.Main(os.Args[1:], &operate.Operator{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		// /dev/null is one too, and is at its end where the answer would be.
		Interactive: err == nil && stdin.Mode()&os.ModeCharDevice != 0,
		AddressURL:  operate.AddressURL,
	}))
}
