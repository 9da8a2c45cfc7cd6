package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/pinned"
)

// defaultPort is where Elastic Beanstalk's nginx sends requests unless PORT says
// otherwise ("Using the Elastic Beanstalk Go platform", AWS Elastic Beanstalk
// Developer Guide).
const defaultPort = 5000

type settings struct {
	database mysqldb.Settings
	port     int
	// metricsPort is 0 where there are to be no metrics.
	metricsPort int
	// redirectToHTTPS sends visitors who came by plain HTTP to the same address by HTTPS.
	redirectToHTTPS bool
	dashboardURL    string
	charts          []pinned.Chart
	embedOrigins    []string
}

// settingsFromEnv reads everything that the app can be told. The error lists
// every problem, one a line, and no secret.
func settingsFromEnv(lookup func(string) (string, bool)) (settings, error) {
	database, databaseErr := mysqldb.FromEnv(lookup)
	s := settings{database: database, port: defaultPort}

	var portErr, metricsErr error
	if port, _ := lookup("PORT"); port != "" {
		n, ok := portNumber(port)
		if !ok {
			portErr = fmt.Errorf("PORT is %q: give a number from 1 to 65535, or leave it out for %d", port, defaultPort)
		}
		s.port = n
	}
	if port, _ := lookup("METRICS_PORT"); port != "" {
		n, ok := portNumber(port)
		switch {
		case !ok:
			metricsErr = fmt.Errorf("METRICS_PORT is %q: give a number from 1 to 65535, or leave it out for no metrics", port)
		case n == s.port:
			metricsErr = fmt.Errorf("METRICS_PORT is %d, where visitors come in: give another port than PORT, since the metrics are not for them", n)
		}
		s.metricsPort = n
	}
	var redirectErr error
	if redirect, _ := lookup("REDIRECT_TO_HTTPS"); redirect != "" {
		if s.redirectToHTTPS, redirectErr = strconv.ParseBool(redirect); redirectErr != nil {
			redirectErr = fmt.Errorf("REDIRECT_TO_HTTPS is %q: give true where a load balancer speaks HTTPS, or leave it out", redirect)
		}
	}
	dashboard, dashboardErr := pinned.Text(lookup, "DASHBOARD_URL")
	if dashboard != "" {
		// The address, and so the error of url.Parse, may hold a password.
		u, err := url.Parse(dashboard)
		switch {
		case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "":
			dashboardErr = errors.New("DASHBOARD_URL is no web address: give a whole one, for example https://bi.example.com/dashboards/1")
		case u.User != nil:
			dashboardErr = errors.New("DASHBOARD_URL holds a user name or password, which every visitor would see: give the address without them")
		}
		s.dashboardURL = dashboard
	}
	charts, chartsErr := pinned.Text(lookup, "DASHBOARD_CHARTS")
	if charts != "" {
		if s.charts, chartsErr = pinned.Decode(charts); chartsErr != nil {
			chartsErr = fmt.Errorf("DASHBOARD_CHARTS %w: it is made from webapp.charts in the config", chartsErr)
		}
	}
	origins, originsErr := pinned.Text(lookup, "EMBED_ORIGINS")
	if origins != "" {
		s.embedOrigins = strings.Fields(origins)
		for _, origin := range s.embedOrigins {
			if err := pinned.CheckOrigin(origin); err != nil {
				originsErr = fmt.Errorf("EMBED_ORIGINS holds %q, which %w: give sites like https://wiki.example.com with spaces between them", shorten(origin, 80), err)
			}
		}
	}
	return s, errors.Join(databaseErr, portErr, metricsErr, redirectErr, dashboardErr, chartsErr, originsErr)
}

func portNumber(text string) (n int, ok bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= 65535
}
