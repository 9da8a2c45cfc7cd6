package operate

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// addressTimeout is how long the question for the caller's own address may take.
const addressTimeout = 5 * time.Second

// webAppLocal runs the web app of this folder on this machine, on the environment's database, which must be public.
func (o *Operator) webAppLocal(ctx context.Context) error {
	program := filepath.Join(o.Root, "build", "webapp")
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("the web app build/webapp is not there: 'make webapp-local' builds it")
	}
	there, err := o.deployed(ctx)
	if err != nil {
		return err
	}
	env := slices.DeleteFunc(o.aws.environ(), func(v string) bool { return strings.HasPrefix(v, "RDS_") })
	for _, setting := range []struct{ variable, output string }{
		{"RDS_HOSTNAME", "DatabaseHostname"},
		{"RDS_PORT", "DatabasePort"},
		{"RDS_DB_NAME", "DatabaseName"},
		// The read-only users may log in from inside the VPC alone. The app only reads, whoever it is.
		{"RDS_SECRET_ARN", "MasterSecretArn"},
	} {
		value, err := o.need(there, "Database", setting.output)
		if err != nil {
			return err
		}
		env = append(env, setting.variable+"="+value)
	}
	db, err := o.database(ctx, there)
	if err != nil {
		return err
	}
	if db == nil {
		return fmt.Errorf("RDS has no database of the stack %s any more: deploy it again with 'make deploy ENV=%s EXPOSURE=public'", o.stackName("Database"), o.Env.Name)
	}
	if !db.PubliclyAccessible {
		return fmt.Errorf("the database of %s is private, and nobody outside the VPC can reach it: deploy with 'make deploy ENV=%s EXPOSURE=public', or use the jump server", o.Env.Name, o.Env.Name)
	}
	if err := o.checkAddress(ctx); err != nil {
		return err
	}
	// The app's own default, where PORT does not say otherwise.
	o.say("The web app of this folder on http://127.0.0.1:%s, with the database of %s (%s) as its master user %s. Ctrl-C stops it.",
		cmp.Or(os.Getenv("PORT"), "5000"), o.Env.Name, o.where(), there.output("Database", "MasterUsername"))
	return replace(program, []string{"webapp"}, env)
}

// checkAddress refuses when the caller's address is in none of the config's developer CIDRs: the connection would time out.
func (o *Operator) checkAddress(ctx context.Context) error {
	address, err := o.ownAddress(ctx)
	if err != nil {
		fmt.Fprintf(o.Stderr, "Your own address could not be found out (%v): if the database does not answer, compare it with developerCidrs.\n", err)
		return nil
	}
	for _, cidr := range o.Env.DeveloperCIDRs {
		if prefix, err := netip.ParsePrefix(cidr); err == nil && prefix.Contains(address) {
			return nil
		}
	}
	return fmt.Errorf("your address %s is in none of environments.%s.developerCidrs (%s): add %s/32 there, and run 'make deploy ENV=%s EXPOSURE=public'",
		address, o.Env.Name, strings.Join(o.Env.DeveloperCIDRs, ", "), address, o.Env.Name)
}

func (o *Operator) ownAddress(ctx context.Context) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, addressTimeout)
	defer cancel()
	text, err := get(ctx, o.AddressURL, "")
	if err != nil {
		return netip.Addr{}, err
	}
	address, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil || !address.Is4() {
		return netip.Addr{}, fmt.Errorf("%s answered with no IPv4 address", o.AddressURL)
	}
	return address, nil
}

// get is the first KiB of what a server answers with status 200. Its certificate must be for that name, or for the
// address's own if there is none.
func get(ctx context.Context, address, name string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{ServerName: name}, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // The caller names the address.
	}
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d, %s", response.StatusCode, strings.Join(strings.Fields(string(text)), " "))
	}
	return string(text), err
}
