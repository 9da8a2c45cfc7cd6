package main

import (
	"strings"
	"testing"
)

func TestDashboardAddress(t *testing.T) {
	const secret = "hunter2"
	for name, test := range map[string]struct {
		address, says string // says nothing when the address is taken
	}{
		"https":                          {"https://bi.example.com/d/1?x=y", ""},
		"http on a port":                 {"http://127.0.0.1:8080/", ""},
		"a host alone":                   {"bi.example.com", "is no web address"},
		"another scheme":                 {"javascript:alert(1)", "is no web address"},
		"a port alone":                   {"https://:443/", "is no web address"},
		"a user name and a password":     {"https://me:hunter2@bi.example.com/", "holds a user name or password"},
		"a token for a user name":        {"https://hunter2@bi.example.com/", "holds a user name or password"},
		"a password in a bad address":    {"https://me:hunter2@bi.example.com:x/%zz", "is no web address"},
		"a password in another scheme":   {"ftp://me:hunter2@bi.example.com/", "is no web address"},
		"a password in a bare host":      {"me:hunter2@bi.example.com", "is no web address"},
		"a control character beside one": {"https://me:hunter2@bi.example.com/\x7f", "is no web address"},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"RDS_HOSTNAME": "db", "RDS_DB_NAME": "shop", "RDS_USERNAME": "webapp", "RDS_PASSWORD": readerPassword, "DASHBOARD_URL": test.address}
			s, err := settingsFromEnv(func(name string) (string, bool) { return env[name], env[name] != "" })
			if test.says == "" {
				if err != nil || s.dashboardURL != test.address {
					t.Errorf("got %q, %v", s.dashboardURL, err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			if line := err.Error(); !strings.HasPrefix(line, "DASHBOARD_URL "+test.says) || strings.Contains(line, "\n") || strings.Contains(line, secret) {
				t.Errorf("it says %q", line)
			}
		})
	}
}

func TestMetricsPort(t *testing.T) {
	for name, test := range map[string]struct {
		port, metrics, says string
		want                int
	}{
		"none":           {want: 0},
		"one":            {metrics: "9464", want: 9464},
		"none for it":    {metrics: "off", says: `METRICS_PORT is "off": give a number`},
		"too large":      {metrics: "65536", says: `METRICS_PORT is "65536": give a number`},
		"the visitors'":  {port: "8000", metrics: "8000", says: "METRICS_PORT is 8000, where visitors come in"},
		"the usual port": {metrics: "5000", says: "METRICS_PORT is 5000, where visitors come in"},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"RDS_HOSTNAME": "db", "RDS_DB_NAME": "shop", "RDS_USERNAME": "webapp", "RDS_PASSWORD": readerPassword, "PORT": test.port, "METRICS_PORT": test.metrics}
			s, err := settingsFromEnv(func(name string) (string, bool) { return env[name], env[name] != "" })
			if test.says == "" && (err != nil || s.metricsPort != test.want) {
				t.Errorf("got %d, %v", s.metricsPort, err)
			}
			if test.says != "" && (err == nil || !strings.HasPrefix(err.Error(), test.says) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

func TestRedirectToHTTPS(t *testing.T) {
	for text, want := range map[string]bool{"": false, "true": true, "false": false} {
		s, err := settingsFromEnv(redirectEnv(text))
		if err != nil || s.redirectToHTTPS != want {
			t.Errorf("%q: %t, %v", text, s.redirectToHTTPS, err)
		}
	}
	if _, err := settingsFromEnv(redirectEnv("yes")); err == nil || !strings.HasPrefix(err.Error(), `REDIRECT_TO_HTTPS is "yes": give true`) {
		t.Errorf("it says %v", err)
	}
}

func redirectEnv(text string) func(string) (string, bool) {
	env := map[string]string{"RDS_HOSTNAME": "db", "RDS_DB_NAME": "shop", "RDS_USERNAME": "webapp", "RDS_PASSWORD": readerPassword, "REDIRECT_TO_HTTPS": text}
	return func(name string) (string, bool) { return env[name], env[name] != "" }
}
