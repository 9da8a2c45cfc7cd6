package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/wrong.txt and docs/config.md anew; read what changed before you commit it")

// wrongConfig is a valid config with one mistake.
type wrongConfig struct {
	in   string // environment of samples.json; "" is staging in full.json
	edit edit
	at   string // the problem's path below the environment; "" is the edit's own
}

func keyJSON(t testing.TB, name string) string { return quoted(readKey(t, name)) }

func wrongConfigs(t testing.TB) map[string]wrongConfig {
	return map[string]wrongConfig{
		"unknown key near a known one":        {in: "dev", edit: edit{"database.nmae", `"x"`}},
		"unknown key near no other":           {edit: edit{"tunnels.0.password", `"hunter2"`}},
		"unknown key with control characters": {edit: edit{"webapp.a\nb\x1b", `1`}, at: `webapp["a\nb\x1b"]`},
		"number for text":                     {edit: edit{"database.name", `7`}},
		"text for a number":                   {edit: edit{"database.storageGiB", `"20"`}},
		"fraction":                            {edit: edit{"database.storageGiB", `20.5`}},
		"exponent":                            {edit: edit{"database.storageGiB", `2e1`}},
		"huge number":                         {edit: edit{"database.storageGiB", `1e999`}},
		"huge integer":                        {edit: edit{"database.storageGiB", strings.Repeat("9", 100)}},
		"text for true or false":              {edit: edit{"webapp.loadBalanced", `"true"`}},
		"null":                                {edit: edit{"webapp.platformRefresh", `null`}},
		"object for a list":                   {edit: edit{"tunnels", `{"name": "bi"}`}},
		"list for an object":                  {edit: edit{"database", `[]`}},
		"text for a list":                     {edit: edit{"developerCidrs", `"8.8.8.8/32"`}},
		"true for text":                       {edit: edit{"exposure", `true`}},
		"missing object":                      {edit: edit{"database", ""}},
		"missing text":                        {edit: edit{"database.masterUsername", ""}},
		"missing text of a person":            {edit: edit{"bastion.administrators.0.access", ""}},
		"missing list":                        {edit: edit{"webapp.visitorCidrs", ""}},
		"missing user of the web app":         {edit: edit{"readOnlyUsers.webapp", ""}},
		"production that does not say whether deletion is allowed": {in: "prod", edit: edit{"database.deletionProtection", ""}},

		"account too short":                 {edit: edit{"account", `"12345678901"`}},
		"account without region":            {edit: edit{"region", `""`}},
		"region without account":            {edit: edit{"account", `""`}},
		"region that is none":               {edit: edit{"region", `"eu-central"`}},
		"one zone":                          {edit: edit{"availabilityZones", `["eu-central-1a"]`}},
		"three zones":                       {edit: edit{"availabilityZones", `["eu-central-1a", "eu-central-1b", "eu-central-1c"]`}},
		"zone with two letters":             {edit: edit{"availabilityZones.1", `"eu-central-1ab"`}},
		"zone of another region":            {edit: edit{"availabilityZones.1", `"eu-west-1a"`}},
		"local zone":                        {edit: edit{"availabilityZones.1", `"eu-central-1-ham-1a"`}},
		"zone twice":                        {edit: edit{"availabilityZones.1", `"eu-central-1a"`}},
		"zones without account and region":  {in: "dev", edit: edit{"availabilityZones", `["eu-central-1a", "eu-central-1b"]`}},
		"public VPC block":                  {edit: edit{"vpcCidr", `"8.8.0.0/16"`}},
		"VPC block too wide":                {edit: edit{"vpcCidr", `"10.0.0.0/8"`}},
		"VPC block too small":               {edit: edit{"vpcCidr", `"10.0.0.0/24"`}},
		"VPC block beside the private ones": {edit: edit{"vpcCidr", `"172.32.0.0/16"`}},

		"unknown phase":                        {edit: edit{"exposure", `"open"`}},
		"public production":                    {in: "prod", edit: edit{"exposure", `"public"`}},
		"public without developers":            {edit: edit{"developerCidrs", `[]`}},
		"whole internet for developers":        {edit: edit{"developerCidrs.0", `"0.0.0.0/0"`}},
		"half the internet for administrators": {edit: edit{"bastion.sshCidrs.0", `"128.0.0.0/1"`}},
		"host bits":                            {edit: edit{"bastion.sshCidrs.0", `"8.8.8.8/24"`}},
		"address without prefix":               {edit: edit{"bastion.sshCidrs.0", `"8.8.8.8"`}},
		"IPv6":                                 {edit: edit{"webapp.visitorCidrs.0", `"::/0"`}},
		"leading zero":                         {edit: edit{"webapp.visitorCidrs.0", `"010.0.0.0/8"`}},
		"developers inside the VPC":            {edit: edit{"developerCidrs.0", `"172.20.0.128/25"`}},
		"block twice":                          {edit: edit{"developerCidrs.2", `"8.8.8.8/32"`}},
		"too many blocks":                      {edit: edit{"webapp.visitorCidrs", blocks(26)}},

		"database name with a space":          {edit: edit{"database.name", `"9 teams"`}},
		"reserved database name":              {edit: edit{"database.name", `"Order"`}},
		"system schema as database":           {edit: edit{"database.name", `"mysql"`}},
		"database name too long":              {edit: edit{"database.name", quoted("d" + strings.Repeat("b", 64))}},
		"identifier with two hyphens":         {edit: edit{"database.identifier", `"team--database"`}},
		"identifier that ends with a hyphen":  {edit: edit{"database.identifier", `"team-"`}},
		"identifier that starts with a digit": {edit: edit{"database.identifier", `"1team"`}},
		"identifier too long":                 {edit: edit{"database.identifier", quoted(strings.Repeat("i", 64))}},
		"master username too long":            {edit: edit{"database.masterUsername", `"administrator1234"`}},
		"master username with an underscore":  {edit: edit{"database.masterUsername", `"db_admin"`}},
		"reserved master username":            {edit: edit{"database.masterUsername", `"select"`}},
		"master username of RDS":              {edit: edit{"database.masterUsername", `"rdsadmin"`}},
		"class without db":                    {edit: edit{"database.instanceClass", `"t4g.micro"`}},
		"storage too small":                   {edit: edit{"database.storageGiB", `19`}},
		"storage too large":                   {edit: edit{"database.storageGiB", `65537`}},
		"no backups":                          {edit: edit{"database.backupDays", `0`}},
		"backups kept too long":               {edit: edit{"database.backupDays", `36`}},
		"negative replicas":                   {edit: edit{"database.readReplicas", `-1`}},
		"too many replicas":                   {edit: edit{"database.readReplicas", `16`}},

		"key of a user in upper case":       {edit: edit{"readOnlyUsers.Audit", `{"username": "audit", "schemas": ["sales"]}`}},
		"empty username":                    {edit: edit{"readOnlyUsers.bi.username", `""`}},
		"username too long":                 {edit: edit{"readOnlyUsers.bi.username", quoted(strings.Repeat("ü", 33))}},
		"username of too many bytes":        {edit: edit{"readOnlyUsers.bi.username", quoted(strings.Repeat("名", 32))}},
		"schema too long for a grant":       {edit: edit{"readOnlyUsers.bi.schemas.1", quoted(strings.Repeat("s", 60) + "_%_")}},
		"too many users":                    {edit: edit{"readOnlyUsers", manyUsers(21)}},
		"username with a control character": {edit: edit{"readOnlyUsers.bi.username", `"test\u0000er"`}},
		"username that ends with a space":   {edit: edit{"readOnlyUsers.bi.username", `"tester "`}},
		"username beyond utf8mb3":           {edit: edit{"readOnlyUsers.bi.username", `"tester🦖"`}},
		"username of the master":            {edit: edit{"readOnlyUsers.bi.username", `"Admin"`}},
		"username root":                     {edit: edit{"readOnlyUsers.bi.username", `"root"`}},
		"username of MySQL":                 {edit: edit{"readOnlyUsers.bi.username", `"mysql.sys"`}},
		"username twice":                    {edit: edit{"readOnlyUsers.bi.username", `"webapp"`}, at: "readOnlyUsers.webapp.username"},
		"no schemas":                        {edit: edit{"readOnlyUsers.bi.schemas", `[]`}},
		"system schema":                     {edit: edit{"readOnlyUsers.bi.schemas.1", `"Information_Schema"`}},
		"schema twice":                      {edit: edit{"readOnlyUsers.bi.schemas.1", `"monster_teams"`}},
		"schema too long":                   {edit: edit{"readOnlyUsers.bi.schemas.1", quoted(strings.Repeat("s", 65))}},
		"web app without its own database":  {edit: edit{"readOnlyUsers.webapp.schemas.0", `"sales"`}, at: "readOnlyUsers.webapp.schemas"},
		"own database in another case":      {edit: edit{"readOnlyUsers.webapp.schemas.0", `"Monster_Teams"`}, at: "readOnlyUsers.webapp.schemas"},
		"system schema for the web app":     {edit: edit{"readOnlyUsers.webapp.schemas.0", `"mysql"`}},
		"no connections":                    {edit: edit{"readOnlyUsers.bi.maxConnections", `0`}},

		"account name in upper case":            {edit: edit{"bastion.administrators.0.name", `"Malia"`}},
		"account name of the system":            {edit: edit{"bastion.administrators.0.name", `"ec2-user"`}},
		"account name of systemd":               {edit: edit{"bastion.administrators.0.name", `"systemd-x"`}},
		"account name of Drawbridge":            {edit: edit{"bastion.administrators.0.name", `"drawbridge-keys"`}},
		"account name of Debian":                {edit: edit{"bastion.administrators.0.name", `"www-data"`}},
		"group that is root":                    {edit: edit{"bastion.administrators.0.name", `"docker"`}},
		"host key of generation 0":              {edit: edit{"bastion.hostKeyGeneration", `0`}},
		"host key of too high a generation":     {edit: edit{"bastion.hostKeyGeneration", `1000001`}},
		"account name twice":                    {edit: edit{"bastion.administrators.0.name", `"kimo-2"`}, at: "bastion.administrators[1].name"},
		"unknown access":                        {edit: edit{"bastion.administrators.0.access", `"root"`}},
		"no keys":                               {edit: edit{"bastion.administrators.0.publicKeys", `[]`}},
		"no key":                                {edit: edit{"bastion.administrators.0.publicKeys.0", `" "`}},
		"private key":                           {edit: edit{"bastion.administrators.0.publicKeys.0", `"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n"`}},
		"two keys in one":                       {edit: edit{"bastion.administrators.0.publicKeys.0", quoted(readKey(t, "ed25519") + "\n" + readKey(t, "rsa3072"))}},
		"options before a key":                  {edit: edit{"bastion.administrators.0.publicKeys.0", quoted(`command="sh" ` + readKey(t, "ed25519"))}},
		"damaged key":                           {edit: edit{"bastion.administrators.0.publicKeys.0", `"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExmMLl"`}},
		"type of another key":                   {edit: edit{"bastion.administrators.0.publicKeys.0", quoted(strings.Replace(readKey(t, "ed25519"), "ssh-ed25519", "ssh-rsa", 1))}},
		"no SSH key at all":                     {edit: edit{"bastion.administrators.0.publicKeys.0", `"secret words"`}},
		"DSA key":                               {edit: edit{"bastion.administrators.0.publicKeys.0", `"ssh-dss AAAAB3NzaC1kc3MAAACBAA"`}},
		"RSA key of 2048 bits":                  {edit: edit{"bastion.administrators.0.publicKeys.0", keyJSON(t, "rsa2048")}},
		"certificate":                           {edit: edit{"bastion.administrators.0.publicKeys.0", keyJSON(t, "certificate")}},
		"key of another person":                 {edit: edit{"bastion.administrators.1.publicKeys.0", keyJSON(t, "ed25519")}},
		"too many administrators":               {edit: edit{"bastion.administrators", people(t, 101)}},
		"administrator larger than a parameter": {edit: edit{"bastion.administrators.0.publicKeys", keys(t, 60)}, at: "bastion.administrators[0]"},
		"instance type that is none":            {edit: edit{"bastion.instanceType", `"micro"`}},
		"instance type of another architecture": {edit: edit{"bastion.instanceType", `"t3.micro"`}},
		"instance type too small":               {edit: edit{"webapp.instanceType", `"t4g.nano"`}},

		"certificate without load balancer": {edit: edit{"webapp.loadBalanced", `false`}, at: "webapp.certificateArn"},
		"certificate that is none":          {edit: edit{"webapp.certificateArn", `"arn:aws:iam::123456789012:server-certificate/x"`}},
		"certificate of another region":     {edit: edit{"webapp.certificateArn", `"arn:aws:acm:us-east-1:123456789012:certificate/x"`}},
		"certificate of another account":    {edit: edit{"webapp.certificateArn", `"arn:aws:acm:eu-central-1:999999999999:certificate/x"`}},
		"month 13":                          {edit: edit{"webapp.platformRefresh", `"2026-13"`}},
		"dashboard without TLS":             {edit: edit{"webapp.dashboardUrl", `"http://bi.vendor.test/"`}},
		"dashboard with a password":         {edit: edit{"webapp.dashboardUrl", `"https://me:hunter2@bi.vendor.test/"`}},
		"dashboard that is no address":      {edit: edit{"webapp.dashboardUrl", `"javascript:alert(1)"`}},
		"dashboard on port 0":               {edit: edit{"webapp.dashboardUrl", `"https://bi.vendor.test:0/"`}},

		"thirteen charts":                {edit: edit{"webapp.charts", charts(13, "/tables/t/chart")}},
		"charts of too many bytes":       {edit: edit{"webapp.charts", charts(12, "/tables/t/chart?x="+strings.Repeat("x", 250))}},
		"chart without a title":          {edit: edit{"webapp.charts.0.title", ""}},
		"chart with an empty title":      {edit: edit{"webapp.charts.0.title", `" "`}},
		"chart with a long title":        {edit: edit{"webapp.charts.0.title", quoted(strings.Repeat("t", 81))}},
		"chart at a whole URL":           {edit: edit{"webapp.charts.0.address", `"https://app.example.com/tables/t/chart"`}},
		"chart that is a table":          {edit: edit{"webapp.charts.0.address", `"/tables/t?sort=x"`}},
		"chart with another parameter":   {edit: edit{"webapp.charts.0.address", `"/tables/t/chart?colour=red"`}},
		"chart of an unknown kind":       {edit: edit{"webapp.charts.0.address", `"/tables/t/chart?kind=pie"`}},
		"chart with half a filter":       {edit: edit{"webapp.charts.1.address", `"/tables/t/chart?column=a&op=equals"`}},
		"chart with too long an address": {edit: edit{"webapp.charts.1.address", quoted("/tables/t/chart?x=" + strings.Repeat("x", 1000))}},
		"site without TLS":               {edit: edit{"webapp.embedOrigins.0", `"http://wiki.example.com"`}},
		"site with a path":               {edit: edit{"webapp.embedOrigins.0", `"https://wiki.example.com/"`}},
		"every site":                     {edit: edit{"webapp.embedOrigins.0", `"*"`}},
		"site twice":                     {edit: edit{"webapp.embedOrigins", `["https://a.example", "https://a.example"]`}, at: "webapp.embedOrigins[1]"},
		"twenty-one sites":               {edit: edit{"webapp.embedOrigins", sites(21)}},

		"tunnel name with a slash":        {edit: edit{"tunnels.0.name", `"a/b"`}},
		"tunnel name but for a hyphen":    {edit: edit{"tunnels.1.name", `"b-i"`}},
		"tunnel name twice":               {edit: edit{"tunnels.1.name", `"bi"`}},
		"unknown vendor":                  {edit: edit{"tunnels.0.vendor", `"Holistics"`}},
		"unknown vendor and little else":  {edit: edit{"tunnels.0", `{"name": "bi", "vendor": "chart.io", "remotePort": 13279}`}, at: "tunnels[0].vendor"},
		"generic vendor without a host":   {edit: edit{"tunnels.0.host", ""}},
		"generic vendor without a user":   {edit: edit{"tunnels.0.user", ""}},
		"generic vendor without host key": {edit: edit{"tunnels.0.hostKey", ""}},
		"Holistics without its region": {edit: edit{"tunnels.0",
			`{"name": "bi", "vendor": "holistics", "user": "t", "remotePort": 1, "hostKey": ` + keyJSON(t, "ed25519") + `}`}, at: "tunnels[0].host"},
		"preset with an empty host":  {edit: edit{"tunnels.0", `{"name": "bi", "vendor": "chartio", "host": "", "remotePort": 1}`}, at: "tunnels[0].host"},
		"preset with a wrong port":   {edit: edit{"tunnels.0", `{"name": "bi", "vendor": "chartio", "port": 0, "remotePort": 1}`}, at: "tunnels[0].port"},
		"preset without remote port": {edit: edit{"tunnels.0", `{"name": "bi", "vendor": "chartio"}`}, at: "tunnels[0].remotePort"},
		"too many tunnels":           {edit: edit{"tunnels", manyTunnels(t, 21, "ed25519")}},
		"tunnels of long keys":       {edit: edit{"tunnels", manyTunnels(t, 20, "rsa3072")}},
		"same port by a preset": {edit: edit{"tunnels", `[{"name": "a", "vendor": "chartio", "remotePort": 1},
			{"name": "b", "host": "Connect.Chartio.com", "user": "t", "remotePort": 1, "hostKey": ` + keyJSON(t, "ed25519") + `}]`}, at: "tunnels[1].remotePort"},
		"host with a user and a password": {edit: edit{"tunnels.0.host", `"me:hunter2@bi.vendor.test"`}},
		"host with a scheme":              {edit: edit{"tunnels.0.host", `"ssh://bi.vendor.test"`}},
		"host with one label":             {edit: edit{"tunnels.0.host", `"localhost"`}},
		"host name too long":              {edit: edit{"tunnels.0.host", quoted(strings.Repeat("a.", 126) + "bc")}},
		"mistyped address":                {edit: edit{"tunnels.0.host", `"192.0.2.256"`}},
		"IPv6 host":                       {edit: edit{"tunnels.0.host", `"2001:db8::1"`}},
		"loopback host":                   {edit: edit{"tunnels.0.host", `"127.0.0.1"`}},
		"metadata service":                {edit: edit{"tunnels.0.host", `"169.254.169.254"`}},
		"port 0":                          {edit: edit{"tunnels.0.port", `0`}},
		"port 65536":                      {edit: edit{"tunnels.0.remotePort", `65536`}},
		"user that is an option":          {edit: edit{"tunnels.0.user", `"-oProxyCommand=sh"`}},
		"host key with its host":          {edit: edit{"tunnels.0.hostKey", quoted("bi.vendor.test " + readKey(t, "ed25519"))}},
		"host key that is short RSA":      {edit: edit{"tunnels.0.hostKey", keyJSON(t, "rsa1024")}},
		"host key of a token":             {edit: edit{"tunnels.0.hostKey", `"sk-ssh-ed25519@openssh.com AAAA"`}},
		"same port at the same host":      {edit: edit{"tunnels.1", `{"name": "bi-2", "host": "bi.vendor.test", "port": 2222, "user": "x", "remotePort": 15240, "hostKey": ` + keyJSON(t, "ed25519") + `}`}, at: "tunnels[1].remotePort"},

		"key pair of generation 0": {edit: edit{"tunnelKeyGeneration", `0`}},

		"no month of images":        {edit: edit{"imageRefresh", ""}},
		"images of month 13":        {edit: edit{"imageRefresh", `"2026-13"`}},
		"images of a day":           {edit: edit{"imageRefresh", `"2026-11-01"`}},
		"patches on a day in full":  {edit: edit{"patchWindow", `"Sunday 03:00"`}},
		"patches in lower case":     {edit: edit{"patchWindow", `"sun 03:00"`}},
		"patches without a day":     {edit: edit{"patchWindow", `"03:00"`}},
		"patches without a time":    {edit: edit{"patchWindow", `"daily"`}},
		"patches at 24:00":          {edit: edit{"patchWindow", `"Sun 24:00"`}},
		"patches with one digit":    {edit: edit{"patchWindow", `"Sun 3:00"`}},
		"patches at a local time":   {edit: edit{"patchWindow", `"Sun 03:00 Europe/Berlin"`}},
		"patches with another line": {edit: edit{"patchWindow", `"Sun 03:00\nOnBootSec=1"`}},

		"fewest instances are none":       {edit: edit{"webapp.minInstances", `0`}},
		"most instances below the fewest": {edit: edit{"webapp.maxInstances", `1`}},
		"too many instances":              {edit: edit{"webapp.maxInstances", `101`}},

		"too many addresses": {edit: edit{"alarms.emails", `[` + strings.Repeat(`"a@example.com", `, 20) + `"b@example.com"]`}},
	}
}

func (w wrongConfig) source(t testing.TB) Source {
	if w.in == "" {
		return Source{Environments: edited(t, "full.json", "staging", w.edit), Environment: "staging"}
	}
	return Source{Environments: edited(t, "samples.json", w.in, w.edit), Environment: w.in}
}

var listIndex = regexp.MustCompile(`\.([0-9]+)`)

// TestOneMistakeGivesOneLine compares each whole line with testdata/wrong.txt,
// which reads as a list of every message that a person may get.
func TestOneMistakeGivesOneLine(t *testing.T) {
	golden := filepath.Join("testdata", "wrong.txt")
	want := map[string]string{}
	if !*update {
		for entry := range strings.SplitSeq(strings.TrimSpace(string(readFile(t, "wrong.txt"))), "\n\n") {
			name, line, _ := strings.Cut(entry, "\n")
			want[strings.TrimPrefix(name, "# ")] = line
		}
	}
	got := map[string]string{}
	for name, test := range wrongConfigs(t) {
		t.Run(name, func(t *testing.T) {
			src := test.source(t)
			e, warnings, err := Load(src)
			if e != nil || warnings != nil {
				t.Errorf("an environment or warnings came with the error")
			}
			lines := problemLines(t, err)
			if len(lines) != 1 {
				t.Fatalf("got %d problems:\n%s", len(lines), strings.Join(lines, "\n"))
			}
			at := test.at
			if at == "" {
				at = listIndex.ReplaceAllString(test.edit.path, "[$1]")
			}
			if path := err.(Problems)[0].Path; path != "environments."+src.Environment+"."+at {
				t.Errorf("the problem is at %s", path)
			}
			got[name] = lines[0]
			if !*update && lines[0] != want[name] {
				t.Errorf("got  %s\nwant %s", lines[0], want[name])
			}
		})
	}
	for name := range want {
		if _, ok := wrongConfigs(t)[name]; !ok {
			t.Errorf("testdata/wrong.txt has %q, which is not tested", name)
		}
	}
	if *update {
		var text strings.Builder
		names := make([]string, 0, len(got))
		for name := range got {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			text.WriteString("# " + name + "\n" + got[name] + "\n\n")
		}
		if err := os.WriteFile(golden, []byte(strings.TrimSuffix(text.String(), "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTenMistakesGiveTenLines(t *testing.T) {
	src := Source{Where: "cdk.json", Environment: "staging", Environments: edited(t, "full.json", "staging",
		edit{"account", `"12"`},
		edit{"developerCidrs.0", `"0.0.0.0/0"`},
		edit{"database.name", `7`},
		edit{"database.identifier", `"a--b"`},
		edit{"database.storageGiB", `"20"`},
		edit{"database.multiAZ", `true`},
		edit{"readOnlyUsers.bi.schemas", `[]`},
		edit{"bastion.administrators.1.access", ""},
		edit{"webapp", `null`},
		edit{"tunnels.0.port", `70000`},
	)}
	want := []string{
		"account", "bastion.administrators[1].access", "database.identifier", "database.multiAZ", "database.name",
		"database.storageGiB", "developerCidrs[0]", "readOnlyUsers.bi.schemas", "tunnels[0].port", "webapp",
	}
	_, _, err := Load(src)
	var got []string
	for _, line := range problemLines(t, err) {
		path, _, _ := strings.Cut(strings.TrimPrefix(line, "cdk.json: environments.staging."), ": ")
		got = append(got, path)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%v\nfrom\n%v", strings.Join(got, "\n"), err)
	}
}

func TestEmailAddresses(t *testing.T) {
	_, _, err := Load(Source{Environments: edited(t, "samples.json", "dev", edit{"alarms.emails",
		`["a@example.com", "A@example.com", "On call <b@example.com>", "c", "d@example.com\nBcc: e@example.com", "o'f+g@sub.example.com"]`})})
	want := []string{
		`environments.dev.alarms.emails[1]: "A@example.com" is listed twice; expected an email address without a name, for example "oncall@example.com"`,
		`environments.dev.alarms.emails[2]: "On call <b@example.com>" is not an email address; expected an email address without a name, for example "oncall@example.com"`,
		`environments.dev.alarms.emails[3]: "c" is not an email address; expected an email address without a name, for example "oncall@example.com"`,
		`environments.dev.alarms.emails[4]: "…@example.com" is not an email address; expected an email address without a name, for example "oncall@example.com"`,
	}
	if got := problemLines(t, err); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLongValuesAreCut(t *testing.T) {
	long := strings.Repeat("é", 500)
	_, _, err := Load(Source{Environments: edited(t, "full.json", "staging",
		edit{"database.name", quoted(long)}, edit{"webapp." + long, `1`}), Environment: "staging"})
	for _, line := range problemLines(t, err) {
		if n := strings.Count(line, "é"); n != 60 {
			t.Errorf("%d characters of the value in %q", n, line)
		}
	}
}

func TestAKeyIsGivenOnce(t *testing.T) {
	text := strings.Replace(string(readFile(t, "full.json")), `"rotate": false,`, `"rotate": false, "rotate": true,`, 1)
	text = strings.Replace(text, `"auditor2":`, `"bi": {}, "auditor2":`, 1)
	_, _, err := Load(Source{Environments: []byte(text), Environment: "staging"})
	got := problemLines(t, err)
	if len(got) != 1 || !strings.HasPrefix(got[0], "environments.staging.readOnlyUsers.bi: is given more than once; ") {
		t.Errorf("a key of the user's: got %q", got)
	}
	text = strings.Replace(string(readFile(t, "full.json")), `"rotate": false,`, `"rotate": false, "rotate": true,`, 1)
	_, _, err = Load(Source{Environments: []byte(text), Environment: "staging"})
	got = problemLines(t, err)
	if len(got) != 1 || !strings.HasPrefix(got[0], "environments.staging.readOnlyUsers.bi.rotate: is given more than once; ") {
		t.Errorf("a known key: got %q", got)
	}
}

func TestMisspeltKeyIsNotMissingAsWell(t *testing.T) {
	_, _, err := Load(Source{Environments: edited(t, "full.json", "staging",
		edit{"database.masterUsername", ""}, edit{"database.masterUserName", `"admin"`}), Environment: "staging"})
	got := problemLines(t, err)
	if len(got) != 1 || !strings.HasPrefix(got[0], `environments.staging.database.masterUserName: is not a known key (did you mean "masterUsername"?); expected one of `) {
		t.Errorf("got %q", got)
	}
}

func TestEnvironmentMustBeAnObject(t *testing.T) {
	_, _, err := Load(Source{Environments: []byte(`{"dev": ["x"]}`)})
	want := []string{"environments.dev: is a list, not an object; expected an object that describes the environment"}
	if got := problemLines(t, err); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Whatever may be a secret is not repeated, wherever it stands.
func TestErrorsRepeatNoSecret(t *testing.T) {
	const secret = "hunter2"
	private := quoted("-----BEGIN OPENSSH PRIVATE KEY-----\n" + secret + "\n-----END OPENSSH PRIVATE KEY-----\n")
	tests := map[string][]edit{
		"private key as a key":          {{"bastion.administrators.0.publicKeys.0", private}},
		"private key as the list":       {{"bastion.administrators.0.publicKeys", private}},
		"private key as a host key":     {{"tunnels.0.hostKey", private}},
		"private key as the name":       {{"bastion.administrators.0.name", private}},
		"private key in lines":          {{"bastion.administrators.0.publicKeys", `["-----BEGIN OPENSSH PRIVATE KEY-----", "` + secret + `"]`}},
		"password in the dashboard":     {{"webapp.dashboardUrl", `"https://me:hunter2@bi.vendor.test/"`}},
		"password in a bad address":     {{"webapp.dashboardUrl", `"https://me:hunter2@bi.vendor.test:x/%zz"`}},
		"password in the vendor":        {{"tunnels.0.host", `"me:hunter2@bi.vendor.test"`}},
		"password with an at sign":      {{"tunnels.0.host", `"ssh://me:hunter2@x@bi.vendor.test"`}},
		"password under a key of ours":  {{"database.masterPassword", `"hunter2"`}},
		"password in a list of its own": {{"database.passwords", `["hunter2"]`}},
	}
	for name, edits := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Load(Source{Environments: edited(t, "full.json", "staging", edits...), Environment: "staging"})
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error repeats it: %v", err)
			}
		})
	}
}

// manyUsers is a config of n read-only users.
func manyUsers(n int) string {
	var users strings.Builder
	users.WriteString(`{"webapp": {"username": "webapp", "schemas": ["monster_teams"]}, "bi": {"username": "bi", "schemas": ["monster_teams"]}`)
	for i := range n - 2 {
		fmt.Fprintf(&users, `, "user%d": {"username": "user%d", "schemas": ["monster_teams"]}`, i, i)
	}
	return users.String() + "}"
}
