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
	"strconv"
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
	name string
	// plain is the file as it is, and compressed in gzip, or empty where that saves
	// nothing.
	plain, compressed variant
}

// variant is a file in one encoding. It has an ETag of its own, because that
// stands for its bytes.
type variant struct {
	etag    string
	content []byte
}

func newAsset(name, hash string, content []byte) asset {
	a := asset{name: name, plain: variant{`"` + hash + `"`, content}}
	if packed := gzipped(content); len(content) >= compressFrom && len(packed) < len(content) {
		a.compressed = variant{`"` + hash + `-gzip"`, packed}
	}
	return a
}

func hashAssets() (byFile map[string]asset, urls map[string]string) {
	byFile, urls = map[string]asset{}, map[string]string{}
	err := fs.WalkDir(staticFiles, "static", func(whole string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(staticFiles, whole)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		hash := hex.EncodeToString(sum[:8])
		extension := path.Ext(entry.Name())
		file := strings.TrimSuffix(entry.Name(), extension) + "." + hash + extension
		byFile[file] = newAsset(entry.Name(), hash, content)
		urls[strings.TrimPrefix(whole, "static/")] = staticPrefix + file
		return nil
	})
	if err != nil {
		panic(err) // The files are part of the binary.
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
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	sent := file.plain
	if len(file.compressed.content) > 0 {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			sent = file.compressed
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(sent.content))) // which ServeContent leaves out of what has an encoding
		}
	}
	h.Set("ETag", sent.etag)
	http.ServeContent(w, r, file.name, time.Time{}, bytes.NewReader(sent.content))
}
