package webapp

import (
	"bytes"
	"compress/gzip"
	"regexp"
	"slices"
)

// weight is how many bytes a page has.
type weight struct {
	page string
	// raw is the page itself, and zipped the same in gzip, by whomever.
	raw, zipped int
	// files is how many files a browser that comes for the first time fetches, the page included, and sent how many bytes
	// their bodies have as they are sent to it. The second visit fetches again.
	files, sent, again int
}

// gzipped is the size of the content in gzip, at the level that is usual.
func gzipped(content []byte) int {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(content) // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Len()
}

var loading = regexp.MustCompile(`<(?:link\b[^>]*?\bhref|script\b[^>]*?\bsrc|img\b[^>]*?\bsrc)="?(/[^"\s>]+)`)

// loads lists what a page makes a browser load from the same site.
func loads(page []byte) (paths []string) {
	for _, match := range loading.FindAllSubmatch(page, -1) {
		if path := string(match[1]); !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}
