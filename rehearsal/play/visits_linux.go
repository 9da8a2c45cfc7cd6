package play

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"drawbridge/rehearsal/machine"
	"drawbridge/rehearsal/resources"
	"drawbridge/rehearsal/template"
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

// noSecrets looks for the values of all secrets where none may stand.
// Secrets' own resources have none either: their values are generated.
func (p *play) noSecrets(context.Context) (string, error) {
	texts := map[string]string{"the function's log": p.functionLog.String(), "the web app's log": p.webLog.String()}
	for _, stack := range p.o.Private.Stacks {
		for name, value := range p.Outputs(stack.Name) {
			texts["the output "+name] = value
		}
		for _, r := range p.Resources(stack.Name) {
			properties := maps.Clone(r.Properties)
			if r.Type == "AWS::RDS::DBInstance" {
				delete(properties, "MasterUserPassword") // which must have the secret's
			}
			// As their services got them: with the values of dynamic references.
			resolved, err := template.ResolveDynamic(r.LogicalID, properties, p.Account.Dynamic)
			if err != nil {
				return "", err
			}
			texts["the properties of "+r.LogicalID] = fmt.Sprint(resolved)
		}
	}
	for arn, function := range p.Account.Functions.All() {
		texts["the environment of "+arn] = fmt.Sprint(function.Config().Environment)
	}
	for _, i := range p.fleet.Instances("") {
		texts["the user data of "+i.LogicalID] = i.UserData
	}
	for id, variables := range p.webApps.variables() {
		texts["the environment of "+id] = variables
	}
	for _, o := range p.Operations() {
		texts["CloudFormation's events"] += o.String() + "\n"
	}
	values := 0
	for _, stack := range p.o.Private.Stacks {
		for _, r := range p.Resources(stack.Name) {
			if r.Type != "AWS::SecretsManager::Secret" {
				continue
			}
			for _, stage := range []string{"AWSCURRENT", "AWSPREVIOUS"} {
				text, err := p.Secrets.Value(r.PhysicalID, stage)
				if err != nil {
					continue // it has none of this stage
				}
				for _, needle := range resources.SecretParts(text) {
					values++
					for _, where := range slices.Sorted(maps.Keys(texts)) {
						if strings.Contains(texts[where], needle) {
							return "", fmt.Errorf("%s holds a value of the secret %s", where, r.LogicalID)
						}
					}
				}
			}
		}
	}
	if values == 0 {
		return "", errors.New("there is no secret to look for")
	}
	return fmt.Sprintf("%d values were looked for in %d places", values, len(texts)), nil
}
