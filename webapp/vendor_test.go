package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
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
