package play

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"drawbridge/rehearsal/machine"
)

// site is who visits the web app, and its address.
func (p *play) site() (from *machine.Namespace, address string, err error) {
	address = p.outputs("WebApp")["WebAppURL"]
	door := "web app:80"
	if strings.HasPrefix(address, "https:") {
		door = "web app:443"
	}
	if from, err = p.partyThatReaches(door); err == nil && from == nil {
		err = errors.New("nobody of the internet reaches the web app")
	}
	return from, address, err
}

// get fetches a page of the web app as a visitor.
func (p *play) get(ctx context.Context, path string) (status int, body string, err error) {
	from, address, err := p.site()
	if err != nil {
		return 0, "", err
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, network, to string) (net.Conn, error) { return from.Dial(ctx, network, to) },
		// The load balancer's certificate is that of a name that only its owner can have.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12},
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	return response.StatusCode, string(text), err
}

// page shows that a visitor sees every table of the database, and the rows of one.
func (p *play) page(ctx context.Context) (string, error) {
	schema := p.outputs("Database")["DatabaseName"]
	tables, err := p.tables(ctx, schema)
	if err != nil {
		return "", err
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		status, body, err := p.get(ctx, path)
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		if status != http.StatusOK {
			return "", fmt.Errorf("%s says %d: %s", path, status, strings.TrimSpace(body))
		}
	}
	// They are at a port of the instance's that nginx hands nothing on to.
	status, _, err := p.get(ctx, "/metrics")
	if err != nil {
		return "", fmt.Errorf("/metrics: %w", err)
	}
	if status != http.StatusNotFound {
		return "", fmt.Errorf("a visitor who asks for /metrics gets %d, not 404", status)
	}
	status, body, err := p.get(ctx, "/")
	if err != nil {
		return "", fmt.Errorf("the first page: %w", err)
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("the first page says %d", status)
	}
	for _, table := range tables {
		if !strings.Contains(body, html.EscapeString("/tables/"+url.PathEscape(table))) {
			return "", fmt.Errorf("the first page does not name the table %s", table)
		}
	}
	_, address, err := p.site()
	if len(tables) == 0 {
		return address + ", with no table to show", err
	}
	status, body, err = p.get(ctx, "/tables/"+url.PathEscape(tables[0]))
	if err != nil {
		return "", fmt.Errorf("the page of %s: %w", tables[0], err)
	}
	if rows := strings.Count(body, "<tr"); status != http.StatusOK || rows < 2 {
		return "", fmt.Errorf("the page of %s says %d with %d rows", tables[0], status, rows)
	}
	return fmt.Sprintf("%s, with %d tables", address, len(tables)), nil
}
