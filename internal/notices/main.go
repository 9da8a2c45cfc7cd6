// Command notices writes the licences of the software that a program contains, from one line for each on standard input:
// its name, version, licence (as SPDX names it) and the file that holds the licence, with tabs between. A file NOTICE
// beside the licence is passed on too (Apache License 2.0, section 4(d)).
//
//	notices TITLE <LINES >FILE
package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: notices TITLE <LINES >FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "notices: "+err.Error())
		os.Exit(1)
	}
}

// text is a licence or a notice, and the software that it belongs to.
type text struct {
	body     string
	software []string
}

func run(title string, lines io.Reader, w io.Writer) error {
	texts := map[string]*text{}
	add := func(file, software string) error {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		body := strings.Trim(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n")
		if texts[body] == nil {
			texts[body] = &text{body: body}
		}
		texts[body].software = append(texts[body].software, software)
		return nil
	}
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		if scanner.Text() == "" {
			continue
		}
		fields := strings.Split(scanner.Text(), "\t")
		if len(fields) != 4 {
			return fmt.Errorf("%q is not a name, a version, a licence and a file with tabs between", scanner.Text())
		}
		software, file := fields[0]+" "+fields[1], fields[3]
		if err := add(file, software+" ("+fields[2]+")"); err != nil {
			return err
		}
		notices, err := filepath.Glob(filepath.Join(filepath.Dir(file), "NOTICE*"))
		if err != nil {
			return err
		}
		for _, notice := range notices {
			if err := add(notice, software+" (notice)"); err != nil {
				return err
			}
		}
	}
	if err := scanner.Err(); err != nil {
		return err
	}
	for _, t := range texts {
		slices.Sort(t.software)
	}

	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s\n\nWhat is under the Mozilla Public License is used unchanged: its source code is the Go module of the name and version\nbelow.\n", title)
	for _, t := range slices.SortedFunc(maps.Values(texts), func(a, b *text) int { return slices.Compare(a.software, b.software) }) {
		fmt.Fprintf(out, "\n%s\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(t.software, "\n"), strings.Repeat("-", 80), t.body)
	}
	return out.Flush()
}
