package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what the app counts for Prometheus. No label holds anything that a
// visitor or the database chose, so their number is bounded.
type metrics struct {
	registry *prometheus.Registry

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	refused  *prometheus.CounterVec
	limited  *prometheus.CounterVec
}

// The values of a label, where the code has no other name for them.
const (
	pageTurn     = "page"
	downloadTurn = "download"

	timeLimit = "time"
	rowLimit  = "rows"
)

func newMetrics(db *database) *metrics {
	const namespace = "drawbridge"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("http_requests_total", "Requests answered. The status is a class, gone where the visitor hung up, or cut where a download was broken off.", "route", "method", "status"),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_request_duration_seconds", Help: "How long requests took.",
			// Most pages take milliseconds; pageTimeout and exportTimeout end the others.
			Buckets: []float64{.002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30, 60},
		}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "http_requests_in_flight", Help: "Requests that are being answered."}),
		refused:  counter("refused_total", "Pages and downloads that were refused, because as many as may be were being read.", "turn"),
		limited:  counter("limits_reached_total", "Statements that took too long, and downloads cut at the limit of their rows.", "limit"),
	}
	m.registry.MustRegister(
		m.requests, m.duration, m.inFlight, m.refused, m.limited,
		collectors.NewDBStatsCollector(db.DB, "mysql"),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	// A counter that is there at 0 can be told from one that is missing.
	for _, turn := range []string{pageTurn, downloadTurn} {
		m.refused.WithLabelValues(turn)
	}
	for _, limit := range []string{timeLimit, rowLimit} {
		m.limited.WithLabelValues(limit)
	}
	return m
}

// answered counts a request.
func (m *metrics) answered(entry *request, r *http.Request, took time.Duration) {
	route := entry.route
	if route == "" {
		route = routeOf(r.Pattern)
	}
	m.requests.WithLabelValues(route, methodOf(r.Method), entry.class()).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
}

// routeOf is the route of a pattern of the app's own. What has none, such as a
// redirect to a tidier address, counts as other.
func routeOf(pattern string) string {
	if route, ok := strings.CutPrefix(pattern, "GET "); ok {
		return strings.TrimSuffix(route, "{$}")
	}
	return "other"
}

func methodOf(method string) string {
	if method == http.MethodGet || method == http.MethodHead {
		return method
	}
	return "other"
}

// class is how a request ended.
func (r *request) class() string {
	switch {
	case r.status == statusClientGone:
		return "gone"
	case r.status == http.StatusOK && r.problem != "":
		return "cut"
	case r.status >= 200 && r.status < 600:
		return string(rune('0'+r.status/100)) + "xx"
	}
	return "none"
}

// newMetricsServer makes the server of /metrics, for who is on this machine.
func newMetricsServer(a *app) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 3}))
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          serverLog(a.log),
	}
}
