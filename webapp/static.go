package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var staticFiles embed.FS

const staticPrefix = "/static/"

// assets are the static files by the name in their address, which holds a hash
// of the content: what stands at an address never changes.
var assets, assetURLs = hashAssets()

type asset struct {
	name, etag string
	content    []byte
}

func hashAssets() (byFile map[string]asset, urls map[string]string) {
	byFile, urls = map[string]asset{}, map[string]string{}
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		panic(err) // The files are part of the binary.
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(staticFiles, "static/"+entry.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		hash := hex.EncodeToString(sum[:8])
		extension := path.Ext(entry.Name())
		file := strings.TrimSuffix(entry.Name(), extension) + "." + hash + extension
		byFile[file] = asset{name: entry.Name(), etag: `"` + hash + `"`, content: content}
		urls[entry.Name()] = staticPrefix + file
	}
	return byFile, urls
}

// assetURL is the address of a file in static/.
func assetURL(name string) (string, error) {
	address, ok := assetURLs[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return address, nil
}

func (a *app) static(w http.ResponseWriter, r *http.Request) {
	file, ok := assets[r.PathValue("file")]
	if !ok {
		a.nothingHere(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("ETag", file.etag)
	http.ServeContent(w, r, file.name, time.Time{}, bytes.NewReader(file.content))
}
