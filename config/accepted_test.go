package config

import (
	"strings"
	"testing"
)

// What is at the edge of a rule, and what looks wrong but is right.
func TestAcceptedValues(t *testing.T) {
	tests := map[string][]edit{
		"region of another continent":    inRegion("ap-southeast-2", "aws"),
		"no account and region":          {{"account", ""}, {"region", ""}, {"availabilityZones", ""}},
		"empty account and region":       {{"account", `""`}, {"region", `""`}, {"availabilityZones", `[]`}},
		"VPC of the smallest size":       {{"vpcCidr", `"192.168.8.0/23"`}},
		"VPC at the end of a block":      {{"vpcCidr", `"172.31.0.0/16"`}},
		"everyone as visitor":            {{"webapp.visitorCidrs", `["0.0.0.0/0"]`}},
		"the most blocks":                {{"webapp.visitorCidrs", blocks(25)}},
		"a wide block of developers":     {{"developerCidrs", `["9.0.0.0/8"]`}},
		"private without developers":     {{"exposure", `"private"`}, {"developerCidrs", `[]`}},
		"database name of 64 characters": {{"database.name", quoted(strings.Repeat("d", 64))}, {"readOnlyUsers.webapp.schemas", quotedList(strings.Repeat("d", 64))}},
		"keyword that is not reserved":   {{"database.name", `"Day"`}, {"readOnlyUsers.webapp.schemas.0", `"Day"`}},
		"identifier of 63 characters":    {{"database.identifier", quoted(strings.Repeat("i", 63))}},
		"identifier with single hyphens": {{"database.identifier", `"A-1-b"`}},
		"no identifier":                  {{"database.identifier", `""`}},
		"master of 16 characters":        {{"database.masterUsername", `"administrator123"`}},
		"master called root":             {{"database.masterUsername", `"root"`}},
		"x86 class on arm64 hosts":       {{"database.instanceClass", `"db.m6i.24xlarge"`}},
		"least storage and backups":      {{"database.storageGiB", `20`}, {"database.backupDays", `1`}},
		"most storage and backups":       {{"database.storageGiB", `65536`}, {"database.backupDays", `35`}},
		"username of 32 characters":      {{"readOnlyUsers.bi.username", quoted(strings.Repeat("ü", 32))}},
		"username with quotes":           {{"readOnlyUsers.bi.username", `"o'b\"r\\ien@%"`}},
		"schema of 64 characters":        {{"readOnlyUsers.bi.schemas", quotedList(strings.Repeat("s", 64))}},
		"more schemas for the web app":   {{"readOnlyUsers.webapp.schemas", `["sales", "monster_teams"]`}},
		"schemas that differ in case":    {{"readOnlyUsers.bi.schemas", `["Sales", "sales"]`}},
		"schema with odd characters":     {{"readOnlyUsers.bi.schemas", "[\"a`b.c/%_ d\"]"}},
		"key of a user at its longest":   {{"readOnlyUsers.abcdefghij0123456789", `{"username": "x", "schemas": ["y"]}`}},
		"account name of 31 characters":  {{"bastion.administrators.0.name", quoted(strings.Repeat("m", 31))}},
		"a hundred administrators":       {{"bastion.administrators", people(t, 100)}},
		"RSA key of 3072 bits":           {{"bastion.administrators.1.publicKeys", `[` + keyJSON(t, "rsa3072") + `]`}},
		"key between blanks":             {{"bastion.administrators.0.publicKeys", quotedList(" " + readKey(t, "ed25519") + "\n")}},
		"key after a tab":                {{"bastion.administrators.0.publicKeys", quotedList(strings.ReplaceAll(readKey(t, "ed25519"), " ", "\t"))}},
		"key of a security token":        {{"bastion.administrators.0.publicKeys", quotedList(tokenKey(t))}},
		"no administrators":              {{"bastion.administrators", `[]`}},
		"previous generation of Arm":     {{"bastion.instanceType", `"a1.medium"`}},
		"Arm with local disks":           {{"webapp.instanceType", `"c6gd.xlarge"`}},
		"single instance":                {{"webapp.loadBalanced", `false`}, {"webapp.certificateArn", `""`}},
		"certificate without account":    {{"account", `""`}, {"region", `""`}, {"availabilityZones", `[]`}},
		"no dashboard":                   {{"webapp.dashboardUrl", `""`}},
		"no charts":                      {{"webapp.charts", `[]`}, {"webapp.embedOrigins", ""}},
		"twelve charts":                  {{"webapp.charts", charts(12, "/tables/a%2Fb%20c/chart?kind=bar&x=species&group=position")}},
		"a chart of any table, guessed":  {{"webapp.charts", `[{"title": "é 日本", "address": "/tables/t/chart"}]`}},
		"a title of 80 characters":       {{"webapp.charts.0.title", quoted(strings.Repeat("é", 80))}},
		"twenty sites":                   {{"webapp.embedOrigins", sites(20)}},
		"no tunnels":                     {{"tunnels", `[]`}},
		"private address of a vendor":    {{"tunnels.0.host", `"10.1.2.3"`}},
		"first and last port":            {{"tunnels.0.port", `1`}, {"tunnels.0.remotePort", `65535`}},
		"same remote port elsewhere":     {{"tunnels.1.remotePort", `15240`}},
		"twenty tunnels":                 {{"tunnels", manyTunnels(t, 20, "ed25519")}},
		"last generation of a host key":  {{"bastion.hostKeyGeneration", `1000000`}},
		"images of another month":        {{"imageRefresh", `"2031-01"`}},
		"first minute of a Monday":       {{"patchWindow", `"Mon 00:00"`}},
		"name that only starts like one": {{"bastion.administrators.0.name", `"drawbridges"`}},
	}
	for name, edits := range tests {
		t.Run(name, func(t *testing.T) {
			_, warnings := mustLoad(t, Source{Environments: edited(t, "full.json", "staging", edits...), Environment: "staging"})
			if len(warnings) > 0 {
				t.Errorf("warnings: %v", warnings)
			}
		})
	}
}

func quotedList(values ...string) string { return asJSON(values) }

func inRegion(region, partition string) []edit {
	return []edit{
		{"region", quoted(region)},
		{"availabilityZones", quotedList(region+"a", region+"c")},
		{"webapp.certificateArn", quoted("arn:" + partition + ":acm:" + region + ":123456789012:certificate/0f0e")},
	}
}

func TestArchitectureOfInstanceTypes(t *testing.T) {
	tests := map[string]Architecture{
		"t4g.micro": ARM64, "m7gd.metal": ARM64, "c7gn.large": ARM64, "im4gn.large": ARM64, "is4gen.medium": ARM64,
		"x2gd.large": ARM64, "g5g.xlarge": ARM64, "a1.large": ARM64,
		"t3.micro": X86_64, "t3a.small": X86_64, "m7i-flex.large": X86_64, "g4dn.xlarge": X86_64, "u-6tb1.metal": X86_64, "c5.metal": X86_64,
		"": "", "t4g": "", "t4g.": "", "T4g.micro": "", "db.t4g.micro": "", "t4g.micro ": "", "tg.micro": "",
	}
	for name, want := range tests {
		if got, _, _ := architectureOf(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	for _, a := range []Architecture{ARM64, X86_64} {
		if got, _, ok := architectureOf(a.HostInstanceType()); !ok || got != a {
			t.Errorf("the default host type of %s is %s", a, a.HostInstanceType())
		}
	}
}

func TestParameterIsTheJSONThatTheHostReads(t *testing.T) {
	got := Administrator{"malia", []string{SampleHostKey}, TunnelOnly}.Parameter()
	want := `{"name":"malia","publicKeys":["` + SampleHostKey + `"],"access":"tunnel"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLargestAdministratorFitsAParameter(t *testing.T) {
	list := keyList(t, 60)
	fits := func(n int) int { return len(Administrator{"malia", list[:n], Shell}.Parameter()) }
	n := 1
	for fits(n+1) <= 4096 {
		n++
	}
	load := func(n int) error {
		_, _, err := Load(Source{Environments: edited(t, "full.json", "staging",
			edit{"bastion.administrators", asJSON([]Administrator{{"malia", list[:n], Shell}})}), Environment: "staging"})
		return err
	}
	if err := load(n); err != nil {
		t.Errorf("%d keys in %d bytes: %v", n, fits(n), err)
	}
	if load(n+1) == nil {
		t.Errorf("%d keys in %d bytes were taken", n+1, fits(n+1))
	}
}
