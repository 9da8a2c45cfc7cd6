// Command cost prints what synthesized environments cost a month: see the package drawbridge/cost.
package main

import (
	"fmt"
	"io"
	"os"

	"drawbridge/cost"
	"drawbridge/rehearsal/template"
)

const usage = `usage: cost ASSEMBLY...

ASSEMBLY is a folder that cdk synth wrote, such as cdk.out/dev.
`

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run(folders []string, stdout io.Writer) error {
	if len(folders) == 0 || folders[0] == "-h" || folders[0] == "-help" || folders[0] == "--help" {
		_, err := io.WriteString(stdout, usage)
		return err
	}
	for i, folder := range folders {
		assembly, err := template.ReadAssembly(folder)
		if err != nil {
			return err
		}
		bill, err := cost.Read(assembly)
		if err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		if _, err := io.WriteString(stdout, bill.Text()); err != nil {
			return err
		}
	}
	return nil
}
