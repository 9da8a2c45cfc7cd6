package machine

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// archiveServer is a Debian archive that counts how often it was asked.
func archiveServer(t *testing.T, asked *atomic.Int64, serve func(handler http.Handler) *httptest.Server) *httptest.Server {
	t.Helper()
	s := serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if strings.HasSuffix(r.URL.Path, "/missing.deb") {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Unix(1e9, 0), strings.NewReader(strings.Repeat(r.URL.Path+"\n", 1000)))
	}))
	t.Cleanup(s.Close)
	return s
}

func startProxy(t *testing.T, mirror string) (*AptProxy, *http.Client) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := NewAptProxy(listener, mirror, filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	address, err := url.Parse(proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	return proxy, &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(address), DisableKeepAlives: true}}
}

func get(t *testing.T, client *http.Client, address string, header ...string) (status int, body string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(header) == 2 {
		request.Header.Set(header[0], header[1])
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

func TestAptProxyKeepsWhatNeverChanges(t *testing.T) {
	var asked atomic.Int64
	s := archiveServer(t, &asked, httptest.NewServer)
	_, client := startProxy(t, s.URL)
	for path, want := range map[string]int64{
		"/pool/a_1.0_all.deb": 1, "/dists/trixie/by-hash/SHA256/abc": 1, "/dists/trixie/InRelease": 2, "/pool/missing.deb": 2,
	} {
		asked.Store(0)
		for range 2 {
			status, body, err := get(t, client, s.URL+path)
			whole := status == 200 && body == strings.Repeat(path+"\n", 1000) || status == 404 && strings.Contains(path, "missing")
			if err != nil || !whole {
				t.Errorf("%s: %d, %d bytes, %v", path, status, len(body), err)
			}
		}
		if asked.Load() != want {
			t.Errorf("%s was fetched %d times, want %d", path, asked.Load(), want)
		}
	}
	// A part that apt lacks after a failure, of a package that is kept and of one that is not.
	for _, path := range []string{"/pool/a_1.0_all.deb", "/pool/b_1.0_all.deb"} {
		for range 2 {
			if status, body, err := get(t, client, s.URL+path, "Range", "bytes=1-4"); status != 206 || body != "pool" || err != nil {
				t.Errorf("%s: %d, %q, %v", path, status, body, err)
			}
		}
	}
	if status, _, err := get(t, client, s.URL+"/dists/trixie/InRelease", "If-Modified-Since", time.Unix(2e9, 0).UTC().Format(http.TimeFormat)); status != 304 || err != nil {
		t.Errorf("what has not changed: %d, %v", status, err)
	}
}

func TestAptProxyLeadsToItsArchiveAlone(t *testing.T) {
	var asked, elsewhereAsked atomic.Int64
	s := archiveServer(t, &asked, httptest.NewServer)
	elsewhere := archiveServer(t, &elsewhereAsked, httptest.NewServer)
	secure := archiveServer(t, &elsewhereAsked, httptest.NewTLSServer)
	_, client := startProxy(t, s.URL)
	client.Transport.(*http.Transport).TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig
	if status, _, err := get(t, client, elsewhere.URL+"/pool/a.deb"); status != http.StatusForbidden || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	if _, _, err := get(t, client, secure.URL+"/pool/a.deb"); err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Error(err)
	}
	response, err := client.Post(s.URL+"/pool/a.deb", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Error(response.Status)
	}
	if asked.Load()+elsewhereAsked.Load() != 0 {
		t.Error("a request that was refused went through")
	}
	for _, mirror := range []string{"", "debian.example.org/debian", "ftp://debian.example.org/debian", "http://", "://"} {
		if _, err := NewAptProxy(nil, mirror, ""); err == nil {
			t.Errorf("%q was taken for an archive's address", mirror)
		}
	}
}

func TestAptProxyConnectsToAnArchiveThatSpeaksHTTPS(t *testing.T) {
	var asked atomic.Int64
	s := archiveServer(t, &asked, httptest.NewTLSServer)
	proxy, client := startProxy(t, s.URL)
	client.Transport.(*http.Transport).TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	if status, body, err := get(t, client, s.URL+"/pool/a.deb"); status != 200 || len(body) != 12000 || err != nil {
		t.Errorf("%d, %d bytes, %v", status, len(body), err)
	}
	proxy.FailAfter(0)
	if _, _, err := get(t, client, s.URL+"/pool/a.deb"); err == nil {
		t.Error("it connects while it fails")
	}
}

func TestAptProxyFailsHalfWayAndRecovers(t *testing.T) {
	var asked atomic.Int64
	s := archiveServer(t, &asked, httptest.NewServer)
	proxy, client := startProxy(t, s.URL)
	for _, path := range []string{"/pool/new.deb", "/pool/kept.deb"} {
		if path == "/pool/kept.deb" {
			if _, _, err := get(t, client, s.URL+path); err != nil {
				t.Fatal(err)
			}
		}
		whole := len(strings.Repeat(path+"\n", 1000))
		proxy.FailAfter(2)
		for i, want := range []int{whole, whole, whole / 2, 0, 0} {
			address := s.URL + path
			if path == "/pool/new.deb" {
				address += "?" + string(rune('a'+i)) // not kept yet
			}
			_, body, err := get(t, client, address)
			if len(body) != want || (err == nil) != (want == whole) {
				t.Errorf("%s, answer %d: %d of %d bytes, %v", path, i+1, len(body), want, err)
			}
		}
		proxy.Up()
		if _, body, err := get(t, client, s.URL+path); len(body) != whole || err != nil {
			t.Errorf("%s after that: %d bytes, %v", path, len(body), err)
		}
	}
	if proxy.Requests() != 13 {
		t.Errorf("it counted %d requests", proxy.Requests())
	}
}

func TestAptProxyDoesNotKeepAPartOfAFile(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/pool/announced.deb" {
			w.Header().Set("Content-Length", "100000")
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 40000))
		panic(http.ErrAbortHandler) // the connection ends
	}))
	defer s.Close()
	proxy, client := startProxy(t, s.URL)
	for _, path := range []string{"/pool/announced.deb", "/pool/unannounced.deb"} {
		if _, body, err := get(t, client, s.URL+path); err == nil {
			t.Errorf("%s: apt could take %d bytes for the whole", path, len(body))
		}
	}
	if entries, err := os.ReadDir(proxy.cache.folder); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestAptCacheHoldsNoMoreThanItMay(t *testing.T) {
	c := &aptCache{folder: t.TempDir(), most: 250}
	for i, name := range []string{"partial-old", "c", "a", "b"} {
		path := filepath.Join(c.folder, name)
		if err := os.WriteFile(path, make([]byte, 100), 0o644); err != nil {
			t.Fatal(err)
		}
		used := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(path, used, used); err != nil {
			t.Fatal(err)
		}
	}
	c.prune()
	left, err := filepath.Glob(filepath.Join(c.folder, "*"))
	if err != nil || len(left) != 2 || filepath.Base(left[0]) != "a" || filepath.Base(left[1]) != "b" {
		t.Errorf("%q, %v", left, err)
	}
}
