package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// TestVendoredLibrariesAreUnchanged pins what static/vendor/README.md says of
// where the files come from.
func TestVendoredLibrariesAreUnchanged(t *testing.T) {
	for file, want := range map[string]string{
		"d3.min.js":       "f2094bbf6141b359722c4fe454eb6c4b0f0e42cc10cc7af921fc158fceb86539",
		"plot.umd.min.js": "4358086467740777dd788d6b27a95cebdbaefdd50c730a3060117073bd7134cb",
	} {
		content, err := fs.ReadFile(staticFiles, "static/vendor/"+file)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s has the SHA-256 %s, want %s", file, got, want)
		}
	}
	for _, licence := range []string{"d3.LICENSE", "plot.LICENSE"} {
		content, err := fs.ReadFile(staticFiles, "static/vendor/"+licence)
		if err != nil || !strings.Contains(string(content), "Permission to use, copy, modify") {
			t.Errorf("%s does not stand beside the files: %v", licence, err)
		}
	}
}

// TestGroupColoursHaveContrast holds the colours of groups against what they
// stand on (WCAG 2.2, "Non-text Contrast").
func TestGroupColoursHaveContrast(t *testing.T) {
	read := func(file string) []string {
		style, err := fs.ReadFile(staticFiles, "static/"+file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.SplitN(string(style), "prefers-color-scheme: dark", 2)
	}
	grounds, series := read("style.css"), read("chart.css")
	for i, scheme := range []string{"light", "dark"} {
		ground, _, _ := strings.Cut(grounds[i], "}")
		block, _, _ := strings.Cut(series[i], "}")
		colours := map[string]string{}
		for _, found := range regexp.MustCompile(`--([a-z0-9-]+): (#[0-9a-f]+);`).FindAllStringSubmatch(ground+block, -1) {
			colours[found[1]] = found[2]
		}
		n := 0
		for name, colour := range colours {
			if !strings.HasPrefix(name, "series-") {
				continue
			}
			n++
			for _, ground := range []string{"surface", "ground"} {
				if c := contrast(t, colour, colours[ground]); c < 3 {
					t.Errorf("%s: %s on %s has contrast %.2f", scheme, name, ground, c)
				}
			}
		}
		if n != maxGroups {
			t.Errorf("%s: %d colours for %d groups", scheme, n, maxGroups)
		}
	}
}
