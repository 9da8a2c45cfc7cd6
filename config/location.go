package config

import (
	"regexp"
	"strings"

	"drawbridge/internal/rdsca"
)

var (
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
	// From eu-central-1 and us-gov-west-1 to eusc-de-east-1.
	regionName = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[1-9][0-9]?$`)
)

// location checks account, region and availability zones. They are given
// together or not at all: a template for a known region needs its zones, and
// without them the CDK would ask AWS.
func (c *checker) location(root place, e *Environment) {
	region, zones := root.key("region"), root.key("availabilityZones")
	c.accountAndRegion(root, e.Account, e.Region)
	if c.isWrong(region) {
		return
	}
	if e.Region == "" {
		if len(e.AvailabilityZones) > 0 {
			c.problem(zones, "is given without an account and a region")
		}
		return
	}
	if !rdsca.Covers(e.Region) {
		// Nothing there could verify the database, and so connect to it.
		c.problem(region, "%s is a region whose certificate authority for RDS this version does not hold", show(e.Region))
	}
	listed := unique{}
	for i, zone := range e.AvailabilityZones {
		at := zones.index(i)
		letter, ours := strings.CutPrefix(zone, e.Region)
		if !ours || len(letter) != 1 || letter < "a" || letter > "z" {
			c.problem(at, "%s is not an availability zone of %s", show(zone), show(e.Region))
		} else if listed.seen(zone, at) != "" {
			c.problem(at, "%s is listed twice", show(zone))
		}
	}
	if n := len(e.AvailabilityZones); n != 2 {
		c.problem(zones, "lists %d, not two", n)
	}
}

// accountAndRegion checks the two keys of those names in root. They are given together or not at all.
func (r *report) accountAndRegion(root place, account, region string) {
	switch at := root.key("account"); {
	case account != "" && !accountID.MatchString(account):
		r.problem(at, "%s is not an account id", show(account))
	case account == "" && region != "":
		r.problem(at, `is not given, but "region" is`)
	}
	switch at := root.key("region"); {
	case region != "" && !regionName.MatchString(region):
		r.problem(at, "%s is not the name of a region", show(region))
	case region == "" && account != "":
		r.problem(at, `is not given, but "account" is`)
	}
}
