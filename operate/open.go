package operate

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"runtime"
)

// open prints the site's address, and shows it in a browser where there is one.
func (o *Operator) open(ctx context.Context) error {
	there, err := o.deployed(ctx)
	if err != nil {
		return err
	}
	address, err := o.need(there, "WebApp", "WebAppURL")
	if err != nil {
		return err
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("the output WebAppURL of %s is %q, which is no web address: deploy the stack again with 'make webapp-deploy ENV=%s'", o.stackName("WebApp"), address, o.Env.Name)
	}
	o.say("%s", address)
	for _, opener := range openers() {
		if program, err := exec.LookPath(opener[0]); err == nil {
			if exec.CommandContext(ctx, program, append(opener[1:], address)...).Run() == nil {
				return nil
			}
		}
	}
	fmt.Fprintln(o.Stderr, "No browser could be opened here: open that address yourself.")
	return nil
}

// openers are the programs that show an address in the person's browser, the first that works counting.
func openers() [][]string {
	switch runtime.GOOS {
	case "darwin":
		return [][]string{{"open"}}
	case "windows":
		return [][]string{{"rundll32", "url.dll,FileProtocolHandler"}}
	default:
		return [][]string{{"wslview"}, {"xdg-open"}}
	}
}
