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
