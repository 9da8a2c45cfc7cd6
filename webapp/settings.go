package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"drawbridge/internal/mysqldb"
)

// defaultPort is where Elastic Beanstalk's nginx sends requests unless PORT says
// otherwise ("Using the Elastic Beanstalk Go platform", AWS Elastic Beanstalk
// Developer Guide).
const defaultPort = 5000

type settings struct {
	database     mysqldb.Settings
	port         int
	dashboardURL string
}

// settingsFromEnv reads everything that the app can be told. The error lists
// every problem, one a line.
func settingsFromEnv(lookup func(string) (string, bool)) (settings, error) {
	database, databaseErr := mysqldb.FromEnv(lookup)
	s := settings{database: database, port: defaultPort}

	var portErr, dashboardErr error
	if port, _ := lookup("PORT"); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			portErr = fmt.Errorf("PORT is %q: give a number from 1 to 65535, or leave it out for %d", port, defaultPort)
		}
		s.port = n
	}
	if dashboard, _ := lookup("DASHBOARD_URL"); dashboard != "" {
		u, err := url.Parse(dashboard)
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			dashboardErr = fmt.Errorf("DASHBOARD_URL is %q: give a whole address, for example https://bi.example.com/dashboards/1", dashboard)
		}
		s.dashboardURL = dashboard
	}
	return s, errors.Join(databaseErr, portErr, dashboardErr)
}
