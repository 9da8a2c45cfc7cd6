package config

import (
	"slices"
	"strings"
	"testing"
)

func warningLines(warnings []Warning) []string {
	var lines []string
	for _, w := range warnings {
		lines = append(lines, w.String())
	}
	return lines
}

func TestEverySampleValueIsWarnedOf(t *testing.T) {
	tests := map[string][]string{
		"dev": {
			`environments.dev.developerCidrs[0]: "203.0.113.0/24" is a sample block (RFC 5737): nobody reaches the database in the public phase through it; put the block that you work from`,
			`environments.dev.bastion.sshCidrs[0]: "203.0.113.0/24" is a sample block (RFC 5737): nobody reaches the jump server through it; put the block that your administrators work from`,
			`environments.dev.tunnels[0].host: "bi.example.com" is a sample name (RFC 2606), so that the tunnel finds no host; put your vendor's host`,
			`environments.dev.tunnels[0].hostKey: is the sample key, which no host has, so that the tunnel refuses every host; put your vendor's host key`,
		},
		"prod": {
			`environments.prod.webapp.certificateArn: is empty, so that visitors reach the load balancer by plain HTTP; put the ARN of an ACM certificate here`,
			`environments.prod.alarms.emails: is empty, so that nobody is told of an alarm; put the addresses of the people on call`,
			`environments.prod.bastion.sshCidrs[0]: "203.0.113.0/24" is a sample block (RFC 5737): nobody reaches the jump server through it; put the block that your administrators work from`,
			`environments.prod.tunnels[0].host: "bi.example.com" is a sample name (RFC 2606), so that the tunnel finds no host; put your vendor's host`,
			`environments.prod.tunnels[0].hostKey: is the sample key, which no host has, so that the tunnel refuses every host; put your vendor's host key`,
		},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			_, warnings := mustLoad(t, Source{Environments: readFile(t, "samples.json"), Environment: name})
			if got := warningLines(warnings); !slices.Equal(got, want) {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	tests := map[string]struct {
		edits []edit
		paths []string
	}{
		"part of a sample block":           {[]edit{{"bastion.sshCidrs", `["198.51.100.7/32"]`}}, []string{"bastion.sshCidrs[0]"}},
		"block that holds a sample one":    {[]edit{{"bastion.sshCidrs", `["192.0.2.0/23"]`}}, nil},
		"vendor at example.net":            {[]edit{{"tunnels.0.host", `"EXAMPLE.net"`}}, []string{"tunnels[0].host"}},
		"vendor beside example.com":        {[]edit{{"tunnels.0.host", `"myexample.com"`}}, nil},
		"vendor that closed":               {[]edit{{"tunnels.0.vendor", `"chartio"`}}, []string{"tunnels[0].vendor"}},
		"sample host key with comment":     {[]edit{{"tunnels.0.hostKey", quoted(SampleHostKey + " root@bi")}}, []string{"tunnels[0].hostKey"}},
		"unknown class family":             {[]edit{{"database.instanceClass", `"db.m99g.large"`}}, []string{"database.instanceClass"}},
		"unknown class size":               {[]edit{{"database.instanceClass", `"db.t4g.nano"`}}, []string{"database.instanceClass"}},
		"no visitor":                       {[]edit{{"webapp.visitorCidrs", `[]`}}, []string{"webapp.visitorCidrs"}},
		"fewer connections than instances": {[]edit{{"webapp.maxInstances", `4`}}, []string{"readOnlyUsers.webapp.maxConnections"}},
		"load balancer without TLS":        {[]edit{{"webapp.certificateArn", `""`}}, []string{"webapp.certificateArn"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, warnings := mustLoad(t, Source{Environments: edited(t, "full.json", "staging", test.edits...), Environment: "staging"})
			var got, want []string
			for _, w := range warnings {
				got = append(got, w.Path)
			}
			for _, path := range test.paths {
				want = append(want, "environments.staging."+path)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestRegionsWithoutAKnownCertificateAuthorityAreRefused(t *testing.T) {
	for region, partition := range map[string]string{"us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc", "xx-north-12": "aws", "ca-west-1": "aws"} {
		_, _, err := Load(Source{Environments: edited(t, "full.json", "staging", inRegion(region, partition)...), Environment: "staging"})
		want := "environments.staging.region: \"" + region + "\" is a region whose certificate authority for RDS this version does not hold; "
		if got := problemLines(t, err); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%s: got %q", region, got)
		}
	}
}
