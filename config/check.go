package config

import "slices"

// maxGeneration is the highest number of a key's generation.
const maxGeneration = 1000000

// checker validates a decoded environment.
type checker struct {
	*report
	given map[string]bool
}

func (c *checker) environment(root place, e *Environment, override Exposure) {
	c.location(root, e)
	c.vpcCIDR(root.key("vpcCidr"), e.VPCCIDR)
	c.exposure(root, e, override)
	c.database(root.key("database"), e)
	c.readOnlyUsers(root, e)
	c.bastion(root.key("bastion"), e)
	c.webApp(root, e)
	c.tunnels(root.key("tunnels"), e.Tunnels)
	c.between(root.key("tunnelKeyGeneration"), e.TunnelKeyGeneration, 1, maxGeneration)
	c.month(root.key("imageRefresh"), e.ImageRefresh)
	c.patchWindow(root.key("patchWindow"), e.PatchWindow)
	c.emails(root.key("alarms").key("emails"), e.Alarms.Emails)
	if e.Name == ProductionName && len(e.Alarms.Emails) == 0 {
		c.warn(root.key("alarms").key("emails"), "is empty, so that nobody is told of an alarm; put the addresses of the people on call")
	}
}

// exposure checks the phase of the file, then lets the command line's override it.
func (c *checker) exposure(root place, e *Environment, override Exposure) {
	at := root.key("exposure")
	c.oneOf(at, string(e.Exposure), string(Private), string(Public))
	if e.Exposure == Public && e.Name == ProductionName {
		c.problem(at, `"public" would put the production database on the internet`)
		e.Exposure = Private // one problem is enough
	}
	switch {
	case override == "":
	case override == Public && e.Name == ProductionName:
		c.add(Problem{"", "-c exposure", `"public" would put the production database on the internet`,
			`"private", or another environment`, ""})
	case override == Public || override == Private:
		e.Exposure = override
	default:
		c.add(Problem{"", "-c exposure", show(string(override)) + " is not a phase", `"private" or "public"`, `"private"`})
	}

	at = root.key("developerCidrs")
	c.cidrs(at, e.DeveloperCIDRs, narrow)
	c.outsideVPC(at, e.DeveloperCIDRs, root.key("vpcCidr"), e.VPCCIDR)
	if e.Exposure == Public && len(e.DeveloperCIDRs) == 0 {
		c.problem(at, "is empty, but a public database needs the addresses it is opened to")
	}
}

// oneOf checks a value that has few choices.
func (c *checker) oneOf(at place, value string, choices ...string) {
	if !slices.Contains(choices, value) {
		c.problem(at, "%s is not a choice here", show(value))
	}
}

// between checks a number against its limits, both included.
func (c *checker) between(at place, value, least, most int) {
	if value < least {
		c.problem(at, "%d is less than %d", value, least)
	} else if value > most {
		c.problem(at, "%d is more than %d", value, most)
	}
}

// unique remembers values and where they first stood.
type unique map[string]string

// seen notes value; it returns where the same value stood before, or "".
func (u unique) seen(value string, at place) string {
	first, repeated := u[value]
	if !repeated {
		u[value] = at.path
	}
	return first
}
