// Command reach prints who can reach what in a synthesized environment: see the package drawbridge/reach.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"drawbridge/reach"
	"drawbridge/rehearsal/template"
)

const usage = `usage: reach [-format text|explain|json|svg|mermaid] [-block CIDR]... ASSEMBLY
       reach -diff [-block CIDR]... BEFORE AFTER

ASSEMBLY is a folder that cdk synth wrote, such as cdk.out/dev. With -diff, prints in Markdown what differs.

`

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "reach:", err)
			os.Exit(1)
		}
	}
}

func run(arguments []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("reach", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	format := flags.String("format", "text", "`form` of the output: text, explain, json, svg or mermaid")
	diff := flags.Bool("diff", false, "print what differs between two assemblies")
	var options reach.Options
	flags.Func("block", "an IPv4 `CIDR` that gets a row of its own; may be repeated", func(block string) error {
		options.Blocks = append(options.Blocks, block)
		return nil
	})
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stderr, usage)
			flags.SetOutput(stderr)
			flags.PrintDefaults()
		}
		return err
	}
	wanted := 1
	if *diff {
		wanted = 2
	}
	if flags.NArg() != wanted {
		return fmt.Errorf("%d folder(s) must be named, such as cdk.out/dev, and %d are: see reach -help", wanted, flags.NArg())
	}
	var assemblies []*template.Assembly
	for _, dir := range flags.Args() {
		assembly, err := template.ReadAssembly(dir)
		if err != nil {
			return err
		}
		assemblies = append(assemblies, assembly)
	}
	text, err := answer(assemblies, options, *format)
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, text)
	return err
}

// answer is the table of one assembly, or the difference between two.
func answer(assemblies []*template.Assembly, options reach.Options, format string) (string, error) {
	if len(assemblies) == 2 {
		before, after, err := reach.ReadBoth(assemblies[0], assemblies[1], options)
		if err != nil {
			return "", err
		}
		return reach.DiffText(reach.Diff(before, after)), nil
	}
	t, err := reach.Read(assemblies[0], options)
	if err != nil {
		return "", err
	}
	switch format {
	case "text":
		return t.Text(), nil
	case "explain":
		return t.Explain(), nil
	case "json":
		text, err := t.JSON()
		return string(text), err
	case "svg":
		return t.SVG(), nil
	case "mermaid":
		return t.Mermaid(), nil
	}
	return "", fmt.Errorf("there is no format %q: it is text, explain, json, svg or mermaid", format)
}
