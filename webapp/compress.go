package main

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

const (
	// compressLevel makes 2 KB of a page of 16 KB in 35 µs. Level 6 would take three
	// times as long to make a tenth less.
	compressLevel = 3
	// compressFrom is how many bytes an answer must have: with its header, a
	// smaller one fits into one packet as it is.
	compressFrom = 1000
)

// compressible are the media types of which less is left. Text is, whatever its
// subtype.
var compressible = map[string]bool{
	"application/javascript": true, "application/json": true, "application/x-ndjson": true, "image/svg+xml": true,
}

// compressed sends what next answers in gzip to clients that take it: nginx does
// not, as Elastic Beanstalk sets it up. It leaves alone what is small, what has an
// encoding already, and what has an ETag, which stands for its bytes.
//
// Compression can tell those who only see how long answers are about a secret that
// stands on a page beside a text of theirs (BREACH). These pages have none: no
// cookies, no tokens, no visitor who sees more than another.
func compressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &compressor{ResponseWriter: w, wanted: acceptsGzip(r), head: r.Method == http.MethodHead}
		next.ServeHTTP(c, r)
		// An answer that was cut off leaves by a panic, and gets no end.
		c.close()
	})
}

// compressor compresses an answer if its header is of one that should be.
type compressor struct {
	http.ResponseWriter
	wanted, head   bool
	begun, written bool
	gzip           *gzip.Writer // nil unless it compresses
}

var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(io.Discard, compressLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// WriteHeader does not wait for the body, so that trailers stay trailers, and the
// answer to HEAD has the header of the one to GET.
func (c *compressor) WriteHeader(status int) {
	if c.begun || status < 200 {
		c.ResponseWriter.WriteHeader(status)
		return
	}
	c.begun = true
	h := c.Header()
	if mayCompress(status, h) {
		h.Add("Vary", "Accept-Encoding")
		if c.wanted {
			h.Set("Content-Encoding", "gzip")
			h.Del("Content-Length")
			c.gzip = gzipWriters.Get().(*gzip.Writer)
			c.gzip.Reset(c.ResponseWriter)
		}
	}
	c.ResponseWriter.WriteHeader(status)
}

func mayCompress(status int, h http.Header) bool {
	if status == http.StatusNoContent || status == http.StatusNotModified || status == http.StatusPartialContent ||
		h.Get("Content-Encoding") != "" || h.Get("ETag") != "" {
		return false
	}
	if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil && n < compressFrom {
		return false
	}
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (strings.HasPrefix(media, "text/") || compressible[media])
}

func (c *compressor) Write(p []byte) (int, error) {
	if !c.begun {
		c.WriteHeader(http.StatusOK)
	}
	if c.gzip != nil {
		c.written = true
		return c.gzip.Write(p)
	}
	return c.ResponseWriter.Write(p)
}

// FlushError is for http.ResponseController.
func (c *compressor) FlushError() error {
	if c.gzip != nil {
		if err := c.gzip.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(c.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (c *compressor) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *compressor) close() {
	if c.gzip == nil {
		return
	}
	if c.written || !c.head { // net/http would take its end for the length of a body that HEAD left out
		_ = c.gzip.Close() // The visitor may be gone; nobody is left to tell.
	}
	c.gzip.Reset(io.Discard)
	gzipWriters.Put(c.gzip)
	c.gzip = nil
}

// gzipped is content in gzip, as small as it gets.
func gzipped(content []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = w.Write(content) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// acceptsGzip tells whether the client takes an answer in gzip (RFC 9110, section
// 12.5.3).
func acceptsGzip(r *http.Request) bool {
	named, any := -1.0, -1.0
	for element := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, parameters, _ := strings.Cut(element, ";")
		weight := 1.0
		if name, value, found := strings.Cut(parameters, "="); found && strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				q = 0 // what cannot be read is no wish for it
			}
			weight = q
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			named = weight
		case "*":
			any = weight
		}
	}
	if named >= 0 {
		return named > 0
	}
	return any > 0
}
