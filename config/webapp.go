package config

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"drawbridge/internal/pinned"
)

// arn:<partition>:acm:<region>:<account>:certificate/<id>
var certificateARN = regexp.MustCompile(`^arn:aws[a-z-]*:acm:([a-z0-9-]+):([0-9]{12}):certificate/[A-Za-z0-9-]+$`)

func (c *checker) webApp(root place, e *Environment) {
	at := root.key("webapp")
	c.cidrs(at.key("visitorCidrs"), e.WebApp.VisitorCIDRs, anyWidth)
	if len(e.WebApp.VisitorCIDRs) == 0 {
		c.warn(at.key("visitorCidrs"), "is empty, so that nobody reaches the web app; put the blocks that its visitors come from")
	}
	c.instances(root, e)
	c.certificate(root, e)
	c.month(at.key("platformRefresh"), e.WebApp.PlatformRefresh)
	c.dashboard(at.key("dashboardUrl"), e.WebApp.DashboardURL)
	c.charts(at.key("charts"), e.WebApp.Charts)
	c.embedOrigins(at.key("embedOrigins"), e.WebApp.EmbedOrigins)
	c.environmentProperties(at, e)
	c.instanceType(at.key("instanceType"), e.WebApp.InstanceType, e.Architecture)
}

// maxInstances is beyond what an account's quota of vCPUs allows at first.
const maxInstances = 100

// connectionsOfInstance is how many connections to a MySQL server one instance of the web app opens at most
// (maxConnections in webapp/database.go, and one more).
const connectionsOfInstance = 10

// instances checks how many instances the load balancer has behind it.
func (c *checker) instances(root place, e *Environment) {
	at, w := root.key("webapp"), e.WebApp
	least, most := at.key("minInstances"), at.key("maxInstances")
	if c.isWrong(least) || c.isWrong(most) {
		return
	}
	c.between(least, w.MinInstances, 1, maxInstances)
	if !c.isWrong(least) {
		c.between(most, w.MaxInstances, w.MinInstances, maxInstances)
	}
	user := root.key("readOnlyUsers").key(WebAppUser).key("maxConnections")
	if limit := e.ReadOnlyUsers[WebAppUser].MaxConnections; w.LoadBalanced && !c.isWrong(most) && !c.isWrong(user) && limit < connectionsOfInstance*w.MaxInstances {
		c.warn(user, "is %d, but %d instances of the web app open up to %d connections under load: raise it, or lower webapp.maxInstances; the database must take as many",
			limit, w.MaxInstances, connectionsOfInstance*w.MaxInstances)
	}
}

// charts checks the charts of the dashboard, as far as that goes without a
// database.
func (c *checker) charts(at place, charts []pinned.Chart) {
	if len(charts) > pinned.MaxCharts {
		c.problem(at, "has %d charts, and a dashboard takes %d at most", len(charts), pinned.MaxCharts)
	}
	for i, chart := range charts {
		at := at.index(i)
		if c.isWrong(at) {
			continue
		}
		if err := pinned.CheckTitle(chart.Title); err != nil && !c.isWrong(at.key("title")) {
			c.problem(at.key("title"), "%s %v", show(chart.Title), err)
		}
		if _, _, err := pinned.Parse(chart.Address); err != nil && !c.isWrong(at.key("address")) {
			c.problem(at.key("address"), "%s %v", show(chart.Address), err)
		}
	}
}

func (c *checker) embedOrigins(at place, origins []string) {
	if len(origins) > pinned.MaxOrigins {
		c.problem(at, "has %d sites, and %d is the most", len(origins), pinned.MaxOrigins)
	}
	seen := map[string]bool{}
	for i, origin := range origins {
		at := at.index(i)
		if c.isWrong(at) {
			continue
		}
		if err := pinned.CheckOrigin(origin); err != nil {
			c.problem(at, "%s %v", show(origin), err)
		} else if seen[origin] {
			c.problem(at, "%s stands there twice", show(origin))
		}
		seen[origin] = true
	}
}

const (
	// propertiesLimit is the size that all environment properties of a Beanstalk
	// environment may have, each as key=value ("Environment property limits", AWS
	// Elastic Beanstalk Developer Guide), and otherProperties room for those that
	// are not in the config: the host, the secret, and so on.
	propertiesLimit = 4096
	otherProperties = 600
	// perReplica is room for the name of a read replica's host, whose identifier has up to 63 characters.
	perReplica = 160
)

// environmentProperties checks that the environment takes what the app is told.
func (c *checker) environmentProperties(at place, e *Environment) {
	w := e.WebApp
	size := 0
	for name, text := range map[string]string{"DASHBOARD_CHARTS": pinned.Encode(w.Charts), "EMBED_ORIGINS": strings.Join(w.EmbedOrigins, " "), "DASHBOARD_URL": w.DashboardURL} {
		for variable, value := range pinned.Variables(name, text) {
			size += len(variable) + len("=") + len(value)
		}
	}
	if limit := propertiesLimit - otherProperties - perReplica*e.Database.ReadReplicas; size > limit && !c.isWrong(at.key("charts")) {
		c.problem(at.key("charts"), "takes, with embedOrigins and dashboardUrl, %d bytes of Elastic Beanstalk's environment properties, which have room for %d beside the rest: pin fewer charts, or some with shorter addresses", size, limit)
	}
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
