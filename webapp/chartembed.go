package main

import (
	"net/http"
)

// chartEmbed shows a chart's figure alone, for frames on the sites that the
// config names.
func (a *app) chartEmbed(w http.ResponseWriter, r *http.Request) {
	v, ok := a.readChart(w, r, tableOf(r.PathValue("name")), pageChartTime)
	if !ok {
		return
	}
	a.frameable(w.Header())
	a.show(w, v.status, embedTemplate, view{Title: v.Title + " · " + v.Table.Name, Database: v.database, Page: v})
}

// frameable lets pages of this app, and of the sites that the config names, show
// the answer in a frame.
func (a *app) frameable(h http.Header) {
	policy{Scripts: true, FrameAncestors: append([]string{self}, a.embedOrigins...)}.set(h)
	if len(a.embedOrigins) > 0 {
		// Sites that isolate themselves show only what allows it by this header too.
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
}

// originOf is the scheme and host by which the visitor knows the app.
func originOf(r *http.Request) string {
	if overHTTPS(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
