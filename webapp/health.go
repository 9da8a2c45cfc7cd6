package main

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"drawbridge/internal/mysqldb"
)

// readyTimeout is how long /readyz waits for the database.
const readyTimeout = 2 * time.Second

// healthz answers for the process alone: restarting the app does not bring a
// database back.
func (a *app) healthz(w http.ResponseWriter, _ *http.Request) {
	plainAnswer(w, http.StatusOK, "ok\n")
}

// readyz answers for the database. Anyone may ask, so the answer names neither
// host nor user; the log does.
func (a *app) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := onLiveConnection(func() error { return a.db.PingContext(ctx) }); err != nil {
		if gone(r) {
			return
		}
		e := mysqldb.Explain(err)
		requestOf(r.Context()).problem = e.Kind.String() + ": " + e.Error()
		w.Header().Set("Retry-After", retryAfter)
		plainAnswer(w, http.StatusServiceUnavailable, awaySentence(e.Kind)+"\n")
		return
	}
	plainAnswer(w, http.StatusOK, "ready\n")
}

func plainAnswer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
