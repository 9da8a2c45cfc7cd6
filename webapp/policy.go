package main

import (
	"net/http"
	"strings"
)

// policy is what a browser lets a page do, beyond showing itself with this app's
// style sheet and images: its Content-Security-Policy. The zero value is right for
// every page that says nothing; a handler widens it for its own page, before the
// answer's header goes out:
//
//	policy{Scripts: true}.set(w.Header())
type policy struct {
	// Scripts lets the page run this app's own script files.
	Scripts bool
	// FrameSrc are the origins whose pages this one may show in a frame.
	FrameSrc []string
	// FrameAncestors are the origins whose pages may show this one in a frame.
	FrameAncestors []string
}

const self = "'self'"

// String is the value of the header.
func (p policy) String() string {
	none, own := []string{"'none'"}, []string{self}
	var directives []string
	add := func(name string, sources []string) {
		if len(sources) > 0 {
			directives = append(directives, name+" "+strings.Join(sources, " "))
		}
	}
	add("default-src", none)
	if p.Scripts {
		add("script-src", own)
	}
	add("style-src", own)
	add("img-src", own)
	add("form-action", own)
	add("base-uri", none)
	add("frame-src", p.FrameSrc)
	if len(p.FrameAncestors) > 0 {
		add("frame-ancestors", p.FrameAncestors)
	} else {
		add("frame-ancestors", none)
	}
	return strings.Join(directives, "; ")
}

// set puts the policy into an answer's header, in place of another one.
func (p policy) set(h http.Header) { h.Set("Content-Security-Policy", p.String()) }

// unusedFeatures are what browsers offer to pages that could tell about the
// visitor; this app's pages use none of it, and hand none on to what they show in
// a frame.
var unusedFeatures = []string{
	"accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "hid",
	"idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment", "serial", "usb",
}

var permissionsPolicy = strings.Join(unusedFeatures, "=(), ") + "=()"

// secured sets the headers that keep a browser from doing anything with the
// pages but show them. They name only what the pages use.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		policy{}.set(h)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", permissionsPolicy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if overHTTPS(r) {
			h.Set("Strict-Transport-Security", "max-age=15552000")
		}
		next.ServeHTTP(w, r)
	})
}

// overHTTPS tells whether the visitor came by HTTPS, which is the load balancer's
// word. Where there is none, it is the visitor's own: whoever lies gets a header
// that browsers ignore over HTTP (RFC 6797, section 8.1), and nobody else sees
// the answer.
func overHTTPS(r *http.Request) bool { return r.Header.Get("X-Forwarded-Proto") == "https" }

// toHTTPS sends whoever came to the load balancer by plain HTTP to the same address by HTTPS. Its own health checks say
// nothing of how they came, and are answered.
func (a *app) toHTTPS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.redirectToHTTPS && r.Header.Get("X-Forwarded-Proto") == "http" && r.Host != "" {
			http.Redirect(w, r, "https://"+strings.TrimSuffix(r.Host, ":80")+r.URL.RequestURI(), http.StatusPermanentRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}
