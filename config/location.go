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
	account, region, zones := root.key("account"), root.key("region"), root.key("availabilityZones")
	switch {
	case e.Account != "" && !accountID.MatchString(e.Account):
		c.problem(account, "%s is not an account id", show(e.Account))
	case e.Account == "" && e.Region != "":
		c.problem(account, `is not given, but "region" is`)
	}
	switch {
	case e.Region != "" && !regionName.MatchString(e.Region):
		c.problem(region, "%s is not the name of a region", show(e.Region))
	case e.Region == "" && e.Account != "":
		c.problem(region, `is not given, but "account" is`)
	}
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
