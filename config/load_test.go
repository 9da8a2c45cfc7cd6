package config

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/pinned"
)

func TestLoadSampleEnvironments(t *testing.T) {
	src := Source{Environments: readFile(t, "samples.json")}

	dev, _ := mustLoad(t, src)
	if dev.Name != "dev" || dev.Architecture != ARM64 || dev.Exposure != Private {
		t.Errorf("without options: got environment %q, architecture %q, exposure %q", dev.Name, dev.Architecture, dev.Exposure)
	}
	if dev.Database.MultiAZ || dev.Database.BackupDays != 1 || !dev.Database.SampleData {
		t.Errorf("dev's database is %+v", dev.Database)
	}

	src.Environment = "prod"
	prod, _ := mustLoad(t, src)
	want := Database{Name: "monster_teams", MasterUsername: "admin", InstanceClass: "db.t4g.small", StorageGiB: 50,
		MultiAZ: true, BackupDays: 14, DeletionProtection: true}
	if prod.Database != want || !prod.WebApp.LoadBalanced {
		t.Errorf("prod's database is %+v, load balanced %t", prod.Database, prod.WebApp.LoadBalanced)
	}
}

func TestLoadReadsEveryKey(t *testing.T) {
	got, warnings := mustLoad(t, Source{Environments: readFile(t, "full.json"), Environment: "staging"})
	plain := func(name string) string { return strings.Join(strings.Fields(readKey(t, name))[:2], " ") }
	want := &Environment{
		Name: "staging", Architecture: ARM64,
		Account: "123456789012", Region: "eu-central-1", AvailabilityZones: []string{"eu-central-1a", "eu-central-1b"},
		VPCCIDR: "172.20.0.0/23", Exposure: Public, DeveloperCIDRs: []string{"8.8.8.8/32", "9.0.0.0/8"},
		Database: Database{Name: "monster_teams", Identifier: "team-database-1", MasterUsername: "admin",
			InstanceClass: "db.m7g.large", StorageGiB: 100, MultiAZ: true, BackupDays: 7, DeletionProtection: true},
		ReadOnlyUsers: map[string]ReadOnlyUser{
			"bi":       {"tester", []string{"monster_teams", "sales"}, false, 10},
			"webapp":   {"webapp", []string{"monster_teams"}, true, 30},
			"auditor2": {"Revisorin für 1%", []string{"sales"}, true, 1},
		},
		Bastion: Bastion{SSHCIDRs: []string{"8.8.8.8/32"}, InstanceType: "t4g.small", HostKeyGeneration: 3, Administrators: []Administrator{
			{"malia", []string{plain("ed25519")}, Shell},
			{"kimo-2", []string{plain("ecdsa384"), plain("rsa3072")}, TunnelOnly},
		}},
		WebApp: WebApp{VisitorCIDRs: []string{"0.0.0.0/0"}, LoadBalanced: true, MinInstances: 2, MaxInstances: 3,
			CertificateARN:  "arn:aws:acm:eu-central-1:123456789012:certificate/0f0e0d0c-0b0a-0908-0706-050403020100",
			PlatformRefresh: "2026-11", DashboardURL: "https://bi.vendor.test:8443/d/1?x=y", InstanceType: "c7g.large",
			Charts: []pinned.Chart{
				{Title: "Monsters by species", Address: "/tables/monsters/chart?kind=bar&x=species"},
				{Title: "Größe", Address: "/tables/monsters/chart?kind=line&x=hatched_on&y=height_m&by=year&column=species&op=equals&value=dragon"},
			},
			EmbedOrigins: []string{"https://wiki.vendor.test:8443"}},
		Tunnels: []Tunnel{
			{"bi", "generic", "bi.vendor.test", 2222, "tunnel15240", 15240, plain("rsa2048")},
			{"bi-2", "generic", "192.0.2.7", 22, "_t", 15241, plain("ecdsa384")},
		},
		TunnelKeyGeneration: 7,
		ImageRefresh:        "2026-11",
		PatchWindow:         "daily 23:59",
		Alarms:              Alarms{Emails: []string{"oncall@vendor.test"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
}

func TestLoadFillsInDefaults(t *testing.T) {
	const least = `{"dev": {
		"database": {"name": "monster_teams", "masterUsername": "admin"},
		"readOnlyUsers": {"bi": {"username": "tester", "schemas": ["monster_teams"]},
		                  "webapp": {"username": "webapp", "schemas": ["monster_teams"]}},
		"webapp": {"visitorCidrs": [], "platformRefresh": "2026-11"},
		"imageRefresh": "2026-10",
		"tunnels": [{"name": "bi", "host": "bi.vendor.test", "user": "t", "remotePort": 1, "hostKey": "` + SampleHostKey + `"}]
	}}`
	for architecture, host := range map[Architecture]string{ARM64: "t4g.micro", X86_64: "t3.micro"} {
		got, _ := mustLoad(t, Source{Environments: json.RawMessage(least), Architecture: string(architecture)})
		want := &Environment{
			Name: "dev", Architecture: architecture, AvailabilityZones: []string{}, VPCCIDR: "10.0.0.0/16",
			Exposure: Private, DeveloperCIDRs: []string{},
			Database: Database{Name: "monster_teams", MasterUsername: "admin", InstanceClass: "db.t4g.micro", StorageGiB: 20, BackupDays: 1},
			ReadOnlyUsers: map[string]ReadOnlyUser{
				"bi":     {"tester", []string{"monster_teams"}, false, 20},
				"webapp": {"webapp", []string{"monster_teams"}, false, 20},
			},
			Bastion:             Bastion{SSHCIDRs: []string{}, Administrators: []Administrator{}, InstanceType: host, HostKeyGeneration: 1},
			WebApp:              WebApp{VisitorCIDRs: []string{}, MinInstances: 2, MaxInstances: 4, PlatformRefresh: "2026-11", InstanceType: host, Charts: []pinned.Chart{}, EmbedOrigins: []string{}},
			Tunnels:             []Tunnel{{"bi", "generic", "bi.vendor.test", 22, "t", 1, SampleHostKey}},
			TunnelKeyGeneration: 1,
			ImageRefresh:        "2026-10",
			PatchWindow:         "Sun 03:00",
			Alarms:              Alarms{Emails: []string{}},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", architecture, got, want)
		}
	}
}

func TestLoadTwiceGivesTheSame(t *testing.T) {
	first, _ := mustLoad(t, Source{Environments: readFile(t, "full.json"), Environment: "staging"})
	again := reload(t, first)
	if !reflect.DeepEqual(first, again) {
		t.Errorf("got  %+v\nwant %+v", again, first)
	}
}

// reload loads the JSON form of a loaded environment.
func reload(t testing.TB, e *Environment) *Environment {
	t.Helper()
	text, err := json.Marshal(map[string]*Environment{e.Name: e})
	if err != nil {
		t.Fatal(err)
	}
	again, _ := mustLoad(t, Source{Environments: text, Environment: e.Name, Architecture: string(e.Architecture)})
	return again
}

func TestCommandLineOverrides(t *testing.T) {
	samples := readFile(t, "samples.json")
	full := readFile(t, "full.json")

	t.Run("exposure public", func(t *testing.T) {
		e, _ := mustLoad(t, Source{Environments: samples, Exposure: "public"})
		if e.Exposure != Public {
			t.Errorf("got %q", e.Exposure)
		}
	})
	t.Run("exposure private", func(t *testing.T) {
		e, _ := mustLoad(t, Source{Environments: full, Environment: "staging", Exposure: "private"})
		if e.Exposure != Private {
			t.Errorf("got %q", e.Exposure)
		}
	})
	t.Run("architecture changes the hosts and not the database", func(t *testing.T) {
		e, _ := mustLoad(t, Source{Environments: samples, Architecture: "x86_64"})
		if e.Architecture != X86_64 || e.Bastion.InstanceType != "t3.micro" || e.WebApp.InstanceType != "t3.micro" {
			t.Errorf("got %q, %q, %q", e.Architecture, e.Bastion.InstanceType, e.WebApp.InstanceType)
		}
		if e.Database.InstanceClass != "db.t4g.micro" {
			t.Errorf("the database's class became %q", e.Database.InstanceClass)
		}
	})

	refused := map[string]struct {
		src  Source
		want []string
	}{
		"public production": {Source{Environments: samples, Environment: "prod", Exposure: "public"}, []string{
			`-c exposure: "public" would put the production database on the internet; expected "private", or another environment`,
		}},
		"unknown phase": {Source{Environments: samples, Exposure: "Public"}, []string{
			`-c exposure: "Public" is not a phase; expected "private" or "public", for example "private"`}},
		"unknown architecture": {Source{Environments: samples, Architecture: "amd64"}, []string{
			`-c architecture: "amd64" is not an architecture; expected "arm64" or "x86_64", for example "arm64"`}},
		"unknown environment": {Source{Environments: samples, Where: "cdk.json", Environment: "test"}, []string{
			`-c env: "test" is not an environment of the config; expected one of "dev", "prod"`}},
		"host types of another architecture": {Source{Environments: full, Environment: "staging", Architecture: "x86_64"}, []string{
			`environments.staging.bastion.instanceType: "t4g.small" is an arm64 type, but this is synthesized for x86_64; expected an EC2 instance type, micro or larger, such as t4g.micro for arm64 and t3.micro for x86_64`,
			`environments.staging.webapp.instanceType: "c7g.large" is an arm64 type, but this is synthesized for x86_64; expected an EC2 instance type, micro or larger, such as t4g.micro for arm64 and t3.micro for x86_64`,
		}},
	}
	for name, test := range refused {
		t.Run(name, func(t *testing.T) {
			_, _, err := Load(test.src)
			if got := problemLines(t, err); !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestLoadRefusesTextThatIsNoMapOfEnvironments(t *testing.T) {
	const expected = "; expected an object that holds each environment under its name"
	const themselves = `; expected the environments themselves, each under its name, for example {"dev": {…}}`
	tests := map[string]struct{ text, want string }{
		"nothing":              {"", "cdk.json: environments: is empty" + expected},
		"blanks":               {" \n\t", "cdk.json: environments: is empty" + expected},
		"not JSON":             {"{\n  \"dev\": {,}\n}", "cdk.json: environments: is not valid JSON at line 2, column 11: invalid character ',' looking for beginning of object key string" + expected},
		"cut off":              {`{"dev": {`, "cdk.json: environments: is not valid JSON at line 1, column 9: unexpected end of JSON input" + expected},
		"not UTF-8":            {"{\"dev\": \"\xff\"}", "cdk.json: environments: is not UTF-8 text" + expected},
		"null":                 {"null", "cdk.json: environments: is not an object" + expected},
		"list":                 {"[]", "cdk.json: environments: is not an object" + expected},
		"no environment":       {"{}", "cdk.json: environments: holds no environment" + expected},
		"given twice":          {`{"dev": {}, "prod": {}, "dev": {}}`, "cdk.json: environments.dev: is given more than once" + expected},
		"the object around it": {`{"environments": {"dev": {"readOnlyUsers": {}}}}`, `cdk.json: environments: stands one level too deep, under another "environments"` + themselves},
		"a whole cdk.json":     {`{"app": "go run .", "context": {"environments": {"dev": {}}}}`, `cdk.json: environments: is a whole cdk.json: the environments stand deeper, under "context" and "environments"` + themselves},
		"one environment":      {`{"database": {}, "readOnlyUsers": {}, "webapp": {}}`, `cdk.json: environments: is one environment without its name` + themselves},
		"nested deeply":        {strings.Repeat("[", 100000), "cdk.json: environments: is not valid JSON at line 1, column 10001: invalid character '[' exceeded max depth" + expected},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			src := Source{Environments: json.RawMessage(test.text), Where: "cdk.json"}
			_, _, err := Load(src)
			if got := problemLines(t, err); !slices.Equal(got, []string{test.want}) {
				t.Errorf("Load:\ngot  %s\nwant %s", strings.Join(got, "\n"), test.want)
			}
			_, err = Names(src)
			if got := problemLines(t, err); !slices.Equal(got, []string{test.want}) {
				t.Errorf("Names:\ngot  %s\nwant %s", strings.Join(got, "\n"), test.want)
			}
		})
	}
}

func TestLoadTakesAByteOrderMark(t *testing.T) {
	mustLoad(t, Source{Environments: append([]byte("\ufeff"), readFile(t, "samples.json")...)})
}

// "environments" and "context" name environments like any other word.
func TestEnvironmentsMayHaveTheNamesOfWhatIsAroundThem(t *testing.T) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(readFile(t, "samples.json"), &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"environments", "context"} {
		mustLoad(t, Source{Environments: json.RawMessage(`{` + quoted(name) + `:` + string(all["dev"]) + `}`), Environment: name})
	}
}

func TestEnvironmentNames(t *testing.T) {
	var dev json.RawMessage
	var all map[string]json.RawMessage
	if err := json.Unmarshal(readFile(t, "samples.json"), &all); err != nil {
		t.Fatal(err)
	}
	dev = all["dev"]
	for _, name := range []string{"d", "dev-2", "abcdefghijklmnopqrst"} {
		mustLoad(t, Source{Environments: json.RawMessage(`{` + quoted(name) + `:` + string(dev) + `}`), Environment: name})
	}
	for _, name := range []string{"Prod", "2dev", "dev-", "-dev", "dev_2", "abcdefghijklmnopqrstu", "dev\n", "dév", "a.b"} {
		_, _, err := Load(Source{Environments: json.RawMessage(`{` + quoted(name) + `:` + string(dev) + `}`), Environment: name})
		lines := problemLines(t, err)
		if len(lines) != 1 || !strings.Contains(lines[0], "cannot name an environment; expected 1 to 20 lower-case letters") {
			t.Errorf("%q: got %q", name, lines)
		}
	}
}

func TestManyEnvironmentsAreNotAllListed(t *testing.T) {
	all := map[string]int{}
	for _, a := range "abcde" {
		for _, b := range "abcde" {
			all[string(a)+string(b)] = 1
		}
	}
	_, _, err := Load(Source{Environments: json.RawMessage(asJSON(all))})
	got := problemLines(t, err)
	if len(got) != 1 || !strings.HasPrefix(got[0], `-c env: "dev" is not an environment of the config; expected one of "aa", "ab", `) ||
		!strings.HasSuffix(got[0], `, "de", 5 more`) {
		t.Errorf("got %q", got)
	}
}

func TestNamesAreSorted(t *testing.T) {
	got, err := Names(Source{Environments: json.RawMessage(`{"prod": 1, "dev": 2, "a": 3}`)})
	if err != nil || !slices.Equal(got, []string{"a", "dev", "prod"}) {
		t.Errorf("got %q, %v", got, err)
	}
}
