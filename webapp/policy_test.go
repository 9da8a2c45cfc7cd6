package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// strictPolicy is the policy of pages that say nothing.
const strictPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func TestPolicies(t *testing.T) {
	for want, p := range map[string]policy{
		strictPolicy: {},
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'":                                                    {Scripts: true},
		"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-src https://bi.example.com; frame-ancestors 'self' https://a.example https://b.example": {FrameSrc: []string{"https://bi.example.com"}, FrameAncestors: []string{self, "https://a.example", "https://b.example"}},
	} {
		if got := p.String(); got != want {
			t.Errorf("%+v is\n%s, want\n%s", p, got, want)
		}
	}
}

func TestHandlersWidenTheirOwnPolicy(t *testing.T) {
	handler := secured(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/chart" {
			policy{Scripts: true}.set(w.Header())
		}
	}))
	for path, want := range map[string]string{"/": strictPolicy, "/chart": policy{Scripts: true}.String()} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := w.Result().Header.Values("Content-Security-Policy"); len(got) != 1 || got[0] != want {
			t.Errorf("%s has the policies %q, want %q", path, got, want)
		}
	}
}

func TestHTTPSIsRemembered(t *testing.T) {
	for proto, want := range map[string]bool{"": false, "http": false, "https": true} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Forwarded-Proto", proto)
		w := httptest.NewRecorder()
		secured(http.NotFoundHandler()).ServeHTTP(w, r)
		if got := strings.HasPrefix(w.Result().Header.Get("Strict-Transport-Security"), "max-age="); got != want {
			t.Errorf("with X-Forwarded-Proto %q, HSTS: %t", proto, got)
		}
	}
}

func TestVisitorsByHTTPAreSentToHTTPS(t *testing.T) {
	for name, test := range map[string]struct {
		redirects    bool
		proto, asked string
		location     string // "" where the page is answered
	}{
		"by HTTP":                {true, "http", "http://site.example.com/tables/games?page=2&q=a%2Fb", "https://site.example.com/tables/games?page=2&q=a%2Fb"},
		"by HTTP, with the port": {true, "http", "http://site.example.com:80/", "https://site.example.com/"},
		"to an IPv6 address":     {true, "http", "http://[2001:db8::7]/", "https://[2001:db8::7]/"},
		"to another host's path": {true, "http", "http://site.example.com//evil.example.com/", "https://site.example.com//evil.example.com/"},
		"by HTTPS":               {true, "https", "http://site.example.com/", ""},
		"the health check":       {true, "", "http://10.0.0.7/healthz", ""},
		"without a certificate":  {false, "http", "http://site.example.com/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := &app{redirectToHTTPS: test.redirects}
			r := httptest.NewRequest(http.MethodGet, test.asked, nil)
			r.Header.Set("X-Forwarded-Proto", test.proto)
			w := httptest.NewRecorder()
			a.toHTTPS(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })).ServeHTTP(w, r)
			want := http.StatusNoContent
			if test.location != "" {
				want = http.StatusPermanentRedirect
			}
			if got := w.Result(); got.StatusCode != want || got.Header.Get("Location") != test.location {
				t.Errorf("%s, to %q", got.Status, got.Header.Get("Location"))
			}
		})
	}
}
