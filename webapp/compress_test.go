package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"drawbridge/internal/mysqltest"
)

var wantsGzip = map[string]string{"Accept-Encoding": "gzip, deflate, br"}

// unpacked is the body of an answer in gzip.
func (a answer) unpacked(t *testing.T) string {
	t.Helper()
	if got := a.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("%s is encoded %q", a.Request.URL, got)
	}
	r, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

var requestID = regexp.MustCompile(`[A-Z2-7]{26}`)

func TestAnswersAreCompressed(t *testing.T) {
	site := routeSite(t)
	routes := map[string]int{assetURLs["style.css"]: 200, assetURLs["icon.svg"]: 200}
	for path, status := range everyRoute {
		routes[path] = status
	}
	packed := 0
	for path, status := range routes {
		t.Run(path, func(t *testing.T) {
			plain := site.get(t, path, status)
			got := site.askWith(t, http.MethodGet, path, wantsGzip, status)
			if plain.Header.Get("Content-Encoding") != "" {
				t.Fatal("it is compressed for who did not ask")
			}
			if got.Header.Get("Content-Encoding") == "" {
				if len(got.body) > compressFrom || got.body != requestID.ReplaceAllString(plain.body, requestID.FindString(got.body)) {
					t.Errorf("it is not compressed: %q", got.body)
				}
				return
			}
			packed++
			if text := got.unpacked(t); requestID.ReplaceAllString(text, "") != requestID.ReplaceAllString(plain.body, "") {
				t.Errorf("it became\n%s, from\n%s", text, plain.body)
			}
			// A download need not be long: nobody knows before.
			if len(plain.body) > compressFrom && len(got.body) >= len(plain.body) {
				t.Errorf("%d bytes became %d", len(plain.body), len(got.body))
			}
			for _, a := range []answer{plain, got} {
				if v := a.Header.Values("Vary"); len(v) != 1 || v[0] != "Accept-Encoding" {
					t.Errorf("Vary is %q", v)
				}
			}
			head := site.askWith(t, http.MethodHead, path, wantsGzip, status)
			for _, name := range []string{"Content-Type", "Content-Encoding", "Vary", "ETag", "Cache-Control"} {
				if head.Header.Get(name) != got.Header.Get(name) {
					t.Errorf("HEAD has %s %q, GET %q", name, head.Header.Get(name), got.Header.Get(name))
				}
			}
			// The ids of the two requests are not equally easy to compress.
			if n := head.ContentLength; n >= 0 && (n > got.ContentLength+20 || n < got.ContentLength-20) {
				t.Errorf("HEAD says that it has %d bytes, and it has %d", n, got.ContentLength)
			}
		})
	}
	if packed < 10 {
		t.Errorf("only %d are compressed", packed)
	}
}

func TestStaticFilesAreCompressedOnce(t *testing.T) {
	site := routeSite(t)
	path := assetURLs["style.css"]
	plain, packed := site.get(t, path, 200), site.askWith(t, http.MethodGet, path, wantsGzip, 200)
	if packed.unpacked(t) != plain.body || packed.ContentLength != int64(len(packed.body)) || plain.ContentLength != int64(len(plain.body)) {
		t.Errorf("%d bytes, said to be %d, of %d", len(packed.body), packed.ContentLength, plain.ContentLength)
	}
	if packed.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Error("both encodings have one ETag")
	}
	with := func(name, value string) map[string]string {
		return map[string]string{"Accept-Encoding": "gzip", name: value}
	}
	site.askWith(t, http.MethodGet, path, with("If-None-Match", packed.Header.Get("ETag")), 304)
	site.askWith(t, http.MethodGet, path, with("If-None-Match", plain.Header.Get("ETag")), 200)
	site.askWith(t, http.MethodGet, path, map[string]string{"If-None-Match": plain.Header.Get("ETag")}, 304)
	if part := site.askWith(t, http.MethodGet, path, with("Range", "bytes=10-19"), 206); part.body != packed.body[10:20] || part.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("a part is %q", part.body)
	}
	if part := site.askWith(t, http.MethodGet, path, map[string]string{"Range": "bytes=10-19"}, 206); part.body != plain.body[10:20] {
		t.Errorf("a part is %q", part.body)
	}
}

func TestDownloadsAreCompressed(t *testing.T) {
	site, _, _ := exportSite(t, true)
	for _, name := range []string{"e.ndjson", "many.csv"} {
		plain, got := site.get(t, "/tables/"+name, 200), site.askWith(t, http.MethodGet, "/tables/"+name, wantsGzip, 200)
		if got.unpacked(t) != plain.body || len(got.body) >= len(plain.body) {
			t.Errorf("%s is another one", name)
		}
		trailer := got.Trailer.Get("Drawbridge-Export")
		if !strings.HasPrefix(trailer, "complete; rows=") || got.Header.Get("Drawbridge-Export") != "" {
			t.Errorf("the trailer of %s says %q, and the header %q", name, trailer, got.Header.Get("Drawbridge-Export"))
		}
	}
}

func TestHalfACompressedDownloadIsAFailure(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	mustExec(t, server.Open(t, "root", rootPassword(server), schema),
		"CREATE TABLE t (id INT PRIMARY KEY, j VARCHAR(200))", "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, IF(i = 900, '{', CONCAT('{\"', SHA2(i, 512), '\": 1}')) FROM n",
		"CREATE VIEW breaks AS SELECT id, JSON_KEYS(j) AS k FROM t")
	site := newSite(t, server, schema)
	request, _ := http.NewRequest(http.MethodGet, site.URL+"/tables/breaks.csv", nil)
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := site.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	packed, transferErr := io.ReadAll(response.Body)
	if transferErr == nil {
		t.Error("the transfer looks whole")
	}
	if response.StatusCode != 200 || response.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("status %d, encoded %q: nothing was begun", response.StatusCode, response.Header.Get("Content-Encoding"))
	}
	if unpack, err := gzip.NewReader(strings.NewReader(string(packed))); err == nil {
		if _, err := io.ReadAll(unpack); err == nil {
			t.Error("what came looks whole")
		}
	}
}

func TestWhatIsCompressed(t *testing.T) {
	for name, test := range map[string]struct {
		header map[string]string
		status int
		want   bool
	}{
		"a page":              {map[string]string{"Content-Type": "text/html; charset=utf-8", "Content-Length": "1000"}, 200, true},
		"a small page":        {map[string]string{"Content-Type": "text/html; charset=utf-8", "Content-Length": "999"}, 200, false},
		"a stream":            {map[string]string{"Content-Type": "application/x-ndjson"}, 200, true},
		"a picture":           {map[string]string{"Content-Type": "image/png"}, 200, false},
		"no type":             {nil, 200, false},
		"what has an ETag":    {map[string]string{"Content-Type": "text/html", "ETag": `"x"`}, 200, false},
		"what is encoded":     {map[string]string{"Content-Type": "text/html", "Content-Encoding": "br"}, 200, false},
		"a part":              {map[string]string{"Content-Type": "text/html"}, 206, false},
		"what did not change": {map[string]string{"Content-Type": "text/html"}, 304, false},
		"a problem":           {map[string]string{"Content-Type": "text/html"}, 503, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Accept-Encoding", "gzip")
			compressed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for name, value := range test.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
			})).ServeHTTP(w, r)
			if got := w.Result().Header.Get("Content-Encoding") == "gzip"; got != test.want {
				t.Errorf("compressed: %t", got)
			}
		})
	}
}

func TestEmptyAnswersAreWhole(t *testing.T) {
	server := httptest.NewServer(compressed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusOK)
	})))
	defer server.Close()
	for method, length := range map[string]int64{http.MethodGet: 20, http.MethodHead: -1} {
		request, _ := http.NewRequest(method, server.URL, nil)
		request.Header.Set("Accept-Encoding", "gzip")
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if a := (answer{response, string(body)}); err != nil || response.ContentLength != length || method == http.MethodGet && a.unpacked(t) != "" {
			t.Errorf("%s: %d bytes, %q (%v)", method, response.ContentLength, body, err)
		}
	}
}

func TestFlushedPartsArrive(t *testing.T) {
	goOn := make(chan struct{})
	server := httptest.NewServer(compressed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "first")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-goOn
		_, _ = io.WriteString(w, " second")
	})))
	defer server.Close()
	response, err := server.Client().Get(server.URL) // which asks for gzip, and unpacks it
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	part := make([]byte, len("first"))
	if _, err := io.ReadFull(response.Body, part); err != nil || string(part) != "first" || !response.Uncompressed {
		t.Errorf("the first part is %q (%v)", part, err)
	}
	close(goOn)
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != " second" {
		t.Errorf("the rest is %q (%v)", rest, err)
	}
}

func TestWhoTakesGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "identity": false, "br": false, "gzip": true, "GZIP": true, "x-gzip": true, "br, gzip": true, "br;q=1.0, gzip;q=0.8": true, "gzip;q=0": false,
		"gzip; q=0.001": true, "*": true, "*;q=0": false, "*, gzip;q=0": false, "gzip, *;q=0": true, "gzip;q=": false, "gzipped": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q: %t", header, got)
		}
	}
}
