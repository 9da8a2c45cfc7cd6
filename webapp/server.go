package main

import (
	stdlog "log"
	"log/slog"
	"net/http"
	"time"

	"drawbridge/internal/pinned"
)

// app is what the handlers share.
type app struct {
	db           *database
	log          *slog.Logger
	dashboardURL string
	metrics      *metrics
	// authority is who signed for the database.
	authority *authority
	// gallery holds the pictures on the overview.
	gallery gallery
	// tablePages holds one value for each page of a table that is being read, and
	// exports one for each download.
	tablePages, exports chan struct{}
	catalog             catalog
	// exportRows is how many rows a download has at most.
	exportRows int
	// embedOrigins are the sites that may show charts in a frame.
	embedOrigins []string
	// charts are those of the dashboard.
	charts []pinned.Chart
	// redirectToHTTPS: see settings.
	redirectToHTTPS bool
}

func newApp(db *database, log *slog.Logger, dashboardURL string) *app {
	return &app{db: db, log: log, metrics: newMetrics(db), dashboardURL: dashboardURL, authority: &authority{}, tablePages: make(chan struct{}, maxTablePages), exports: make(chan struct{}, maxExports), exportRows: maxExportRows}
}

// newServer makes the HTTP server, with a time limit on every step of a
// request.
func newServer(a *app) *http.Server {
	return &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		// Longer than the 60 s for which nginx keeps an idle connection: whoever
		// closes first must not be the one that a request is on its way to.
		IdleTimeout:    90 * time.Second,
		MaxHeaderBytes: 32 << 10,
		ErrorLog:       serverLog(a.log),
	}
}

// serverLog is where a server writes what is wrong with a connection.
func serverLog(log *slog.Logger) *stdlog.Logger {
	return slog.NewLogLogger(log.Handler(), slog.LevelWarn)
}

// handler is every route of the app. A pattern with GET also answers HEAD.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.overviewPage)
	mux.HandleFunc("GET /tables/{name}", a.tableOrExport)
	mux.HandleFunc("GET /tables/{name}/rows/{key}", a.rowPage)
	mux.HandleFunc("GET /tables/{name}/chart", a.chartPage)
	mux.HandleFunc("GET /tables/{name}/chart/embed", a.chartEmbed)
	mux.HandleFunc("GET /dashboard", a.dashboardPage)
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.HandleFunc("GET "+staticPrefix+"{file}", a.static)
	// Browsers ask for it when they show JSON.
	mux.Handle("GET /favicon.ico", http.RedirectHandler(assetURLs["icon.svg"], http.StatusSeeOther))
	mux.HandleFunc("/", a.nothingHere)
	return a.logged(secured(a.toHTTPS(compressed(a.recovered(mux)))))
}
