package config

import (
	"net/url"
	"regexp"
	"strconv"
)

// arn:<partition>:acm:<region>:<account>:certificate/<id>
var certificateARN = regexp.MustCompile(`^arn:aws[a-z-]*:acm:([a-z0-9-]+):([0-9]{12}):certificate/[A-Za-z0-9-]+$`)

func (c *checker) webApp(root place, e *Environment) {
	at := root.key("webapp")
	c.cidrs(at.key("visitorCidrs"), e.WebApp.VisitorCIDRs, anyWidth)
	if len(e.WebApp.VisitorCIDRs) == 0 {
		c.warn(at.key("visitorCidrs"), "is empty, so that nobody reaches the web app; put the blocks that its visitors come from")
	}
	c.certificate(root, e)
	c.month(at.key("platformRefresh"), e.WebApp.PlatformRefresh)
	c.dashboard(at.key("dashboardUrl"), e.WebApp.DashboardURL)
	c.instanceType(at.key("instanceType"), e.WebApp.InstanceType, e.Architecture)
}

// certificate checks the load balancer's certificate, which ACM keeps in the
// load balancer's own account and region.
func (c *checker) certificate(root place, e *Environment) {
	at := root.key("webapp").key("certificateArn")
	arn := e.WebApp.CertificateARN
	if arn == "" {
		if e.WebApp.LoadBalanced {
			c.warn(at, "is empty, so that visitors reach the load balancer by plain HTTP; put the ARN of an ACM certificate here")
		}
		return
	}
	m := certificateARN.FindStringSubmatch(arn)
	switch {
	case m == nil:
		c.problem(at, "%s is not the ARN of an ACM certificate", show(arn))
	case !e.WebApp.LoadBalanced && !c.isWrong(root.key("webapp").key("loadBalanced")):
		c.problem(at, "is given, but a single instance has no load balancer to hold a certificate")
	case e.Region != "" && !c.isWrong(root.key("region")) && m[1] != e.Region:
		c.problem(at, "names region %s, but the environment is in %s", show(m[1]), show(e.Region))
	case e.Account != "" && !c.isWrong(root.key("account")) && m[2] != e.Account:
		c.problem(at, "names account %s, but the environment is in %s", show(m[2]), show(e.Account))
	}
}

func (c *checker) dashboard(at place, address string) {
	if address == "" {
		return
	}
	// The error of url.Parse repeats the address, which may hold a password.
	u, err := url.Parse(address)
	switch {
	case err != nil || !hostName(u.Hostname()) || !validPort(u):
		c.problem(at, "%s is not a web address", show(address))
	case u.User != nil:
		c.problem(at, "holds credentials, which everyone who sees the page would see")
	case u.Scheme != "https":
		c.problem(at, "%s is not an https address", show(address))
	}
}

// validPort tells whether an address has no port, or one that exists.
func validPort(u *url.URL) bool {
	if u.Host == u.Hostname() {
		return true
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}
