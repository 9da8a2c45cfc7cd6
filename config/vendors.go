package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// genericVendor is the vendor of whom nothing is known.
const genericVendor = "generic"

// vendor is what a BI vendor documents about the SSH server that tunnels are made
// to. Whatever is empty here differs for each customer, or is not documented: the
// config has to say it.
type vendor struct {
	page    string // where it is documented
	host    string
	port    int
	user    string // {remotePort} stands for the number
	hostKey string
	closed  string // the day on which the vendor closed, if it did
}

// vendors are the presets. None says in which form the public key is wanted, as
// none documents it.
var vendors = map[string]vendor{
	genericVendor: {},

	// The page has a tunnel server for each of Holistics' regions. User, remote port and host key it leaves to a script
	// that Holistics generates for each customer.
	"holistics": {
		page: "https://docs.holistics.io/docs/connect/connect-tunnel",
		port: 50022,
	},

	// Kept for the record. Should somebody else come by the name, the host key still refuses them.
	"chartio": {
		page: "https://chartio.com/docs/data-sources/tunnel-connection/",
		host: "connect.chartio.com",
		port: 22,
		user: "tunnel{remotePort}",
		hostKey: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDC6wbEvCi6sz9Igw7uyQ9cIMpiRzkxO/TUEuIM+FIiE1knM9J4VlBz5CFYQZ09OW9ZpPtEDtuu" +
			"mPNtcHJ2xmTZ/6AYvxT5i5A7at83nzG7yM+ErpZ83lB2st9xJ/AzvCopJxvR25kt29dwjstWiDv0tepP3ywBkAWigbpWcATZPjY3vsD/T0QhNzPeP9Xy" +
			"1WbsbTVS0JAEBaOzmrDQQXuNxV+xtZP2o9CQUwjNMXTI2NL1A7D9wy408sjyNADcWQstIgNf8Uxv/eSo7e7y2g/YEi8gNIApNVcPwZ9dgfg6MK4xAW1T" +
			"eN4hxrFLm2KKtyRIvwRoCYckpD2IokVK+yU/",
		closed: "1 March 2022",
	},
}

// vendor fills in what the config leaves out and the vendor documents, and
// reports what neither says. What the config says wins.
func (c *checker) vendor(at place, t *Tunnel) {
	name := at.key("vendor")
	c.oneOf(name, t.Vendor, slices.Sorted(maps.Keys(vendors))...)
	v := vendors[t.Vendor]
	if v.closed != "" {
		c.warn(name, "%s closed on %s, so that nothing answers at %s any more; put the vendor that you use",
			show(t.Vendor), v.closed, v.host)
	}
	if v.port != 0 && !c.given[at.key("port").path] {
		t.Port = v.port
	}
	for key, field := range map[string]struct {
		value  *string
		preset string
	}{
		"host":    {&t.Host, v.host},
		"user":    {&t.User, strings.ReplaceAll(v.user, "{remotePort}", strconv.Itoa(t.RemotePort))},
		"hostKey": {&t.HostKey, v.hostKey},
	} {
		at := at.key(key)
		switch {
		case c.given[at.path]:
		case field.preset != "":
			*field.value = field.preset
		case c.isWrong(name): // the vendor that was meant may know it
			c.reported[at.path] = true
		case v.page != "":
			c.problem(at, "is missing (see %s)", v.page)
		default:
			c.problem(at, "is missing")
		}
	}
}
