package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"
)

// request is what the log line of a request says, beyond the request itself.
type request struct {
	id     string
	status int
	bytes  int
	// route is which of an address's routes it took, where the address has several.
	route string
	// problem is why the answer is not what was asked for.
	problem string
	http.ResponseWriter
}

type requestKey struct{}

// requestOf is the request that ctx belongs to.
func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

func (r *request) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *request) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *request) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// statusClientGone is what the log says of a request that nobody waited for, as
// nginx's log does (NGX_HTTP_CLIENT_CLOSED_REQUEST). It is never sent.
const statusClientGone = 499

// gone tells whether the visitor has hung up. Then there is nobody to answer,
// and nothing is wrong with the app or its database.
func gone(r *http.Request) bool {
	if r.Context().Err() == nil {
		return false
	}
	requestOf(r.Context()).status = statusClientGone
	return true
}

// maxLogged is how many characters of what a visitor sent go into a log line.
const maxLogged = 300

// logged gives each request an id, and counts it and writes one log line when it
// is answered.
// The line holds the path, up to maxLogged characters of it, but nothing that
// may be data: not the query, and not the key of a row.
func (a *app) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		entry := &request{id: rand.Text(), ResponseWriter: w}
		w.Header().Set("X-Request-Id", entry.id)
		// A download that is cut off leaves by a panic, and is logged too.
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, entry))
		a.metrics.inFlight.Inc()
		defer func() {
			took := time.Since(start)
			a.metrics.inFlight.Dec()
			a.metrics.answered(entry, r, took)
			a.logRequest(entry, r, took)
		}()
		next.ServeHTTP(entry, r)
	})
}

func (a *app) logRequest(entry *request, r *http.Request, took time.Duration) {
	level := slog.LevelInfo
	if entry.status >= 500 || entry.status == http.StatusOK && entry.problem != "" {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("id", entry.id),
		slog.String("method", shorten(r.Method, maxLogged)),
		slog.String("path", shorten(loggedPath(r), maxLogged)),
		slog.Int("status", entry.status),
		slog.Int("bytes", entry.bytes),
		slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("client", shorten(client(r), maxLogged)),
	}
	if entry.problem != "" {
		attrs = append(attrs, slog.String("problem", entry.problem))
	}
	a.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// loggedPath is the path of r without the key of a row.
func loggedPath(r *http.Request) string {
	path := r.URL.EscapedPath()
	if before, _, found := strings.Cut(path, "/rows/"); found && strings.HasPrefix(path, "/tables/") {
		return before + "/rows/…"
	}
	return path
}

// client is the address that nginx saw: the last of X-Forwarded-For. The
// entries before it are whatever the client chose to send.
func client(r *http.Request) string {
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	if last := strings.TrimSpace(forwarded[len(forwarded)-1]); last != "" {
		return last
	}
	return r.RemoteAddr
}

// recovered answers 500 when a handler panics. The log names the place.
func (a *app) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			a.fail(w, r, problem{
				Status:   http.StatusInternalServerError,
				Title:    "Something went wrong",
				Sentence: "This page could not be made because of a mistake in the app.",
				cause:    fmt.Sprintf("a mistake in the app at %s: %v", panicked(), cause),
			})
		}()
		next.ServeHTTP(w, r)
	})
}

// panicked is the function and line of the app where a panic came from, for a
// deferred function that recovers. What the app called is passed over.
func panicked() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	self, more := frames.Next()
	app := strings.TrimSuffix(self.Function, "panicked")
	for inPanic := false; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			inPanic = true
		case inPanic && strings.HasPrefix(frame.Function, app):
			return fmt.Sprintf("%s, line %d", strings.TrimPrefix(frame.Function, app), frame.Line)
		}
	}
	return "an unknown place"
}
