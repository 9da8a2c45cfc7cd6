package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/cfnschema"
	"drawbridge/rehearsal/rehearsaltest"
	"drawbridge/review/change"
)

var update = flag.Bool("update", false, "write testdata anew")

type (
	object = map[string]any
	list   = []any
)

// sample is a change that somebody proposes.
type sample struct {
	name        string
	environment string // dev, unless it says another

	before func(object) // what the config is before, where it is not cdk.json's
	after  func(object) // what it is after; it is applied to before

	// edit changes the assembly after: what no key of the config says.
	edit func(t *testing.T, dir string)

	// renewed are types that are replaced under another logical id, for which the schemas have no word.
	renewed []string
	loses   bool // the exit code is 2
}

// host is what a new generation of a host is made of.
var host = []string{"AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle", "AWS::EC2::Instance"}

func in(o object, path ...string) object {
	for _, key := range path {
		o = o[key].(object)
	}
	return o
}

func set(value any, path ...string) func(object) {
	return func(o object) { in(o, path[:len(path)-1]...)[path[len(path)-1]] = value }
}

var administrator = object{"name": "malia", "access": "shell", "publicKeys": list{
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExmMLlUwmkMBK9UmgpbTjJGjPoEwcs1efcVMlFheV6"}}

var samples = []sample{
	{name: "tag", edit: property("Network", "NetworkVpc7FB7348F", "Tags", list{object{"Key": "Name", "Value": "drawbridge"}, object{"Key": "team", "Value": "data"}})},
	{name: "instance class", after: set("db.t4g.small", "database", "instanceClass")},
	{name: "instance class, Multi-AZ", environment: "prod", after: set("db.t4g.medium", "database", "instanceClass")},
	{name: "engine, minor version", edit: property("Database", "DatabaseInstanceAA8A5FDE", "EngineVersion", "8.4.7")},
	{name: "engine, major version", edit: property("Database", "DatabaseInstanceAA8A5FDE", "EngineVersion", "9.1")},
	{name: "subnet group", edit: anotherSubnetGroup, loses: true},
	{name: "identifier", after: set("monsters", "database", "identifier"), loses: true},
	{name: "master username", after: set("root2", "database", "masterUsername"), renewed: host, loses: true},
	{name: "storage up", after: set(50, "database", "storageGiB")},
	{name: "storage down", environment: "prod", after: set(20, "database", "storageGiB")},
	{name: "Multi-AZ", after: set(true, "database", "multiAz")},
	{name: "deletion protection off", environment: "prod", after: set(false, "database", "deletionProtection")},
	{name: "backup days", after: set(7, "database", "backupDays")},
	{name: "sample data off", after: set(false, "database", "sampleData")},
	{name: "to public", after: set("public", "exposure")},
	{name: "to private", before: set("public", "exposure"), after: set("private", "exposure")},
	{name: "another developer", before: set("public", "exposure"), after: set(list{"203.0.113.0/24", "198.51.100.7/32"}, "developerCidrs")},
	{name: "administrator", after: set(list{administrator}, "bastion", "administrators")},
	{name: "administrator gone", before: set(list{administrator}, "bastion", "administrators"), after: set(list{}, "bastion", "administrators")},
	{name: "SSH network", after: set(list{"198.51.100.0/24"}, "bastion", "sshCidrs")},
	{name: "jump server type", after: set("t4g.small", "bastion", "instanceType")},
	{name: "another vendor", after: func(dev object) {
		dev["tunnels"] = append(dev["tunnels"].(list), object{"name": "second", "vendor": "generic", "host": "other.example.net", "port": 2222,
			"user": "us", "remotePort": 15241, "hostKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExmMLlUwmkMBK9UmgpbTjJGjPoEwcs1efcVMlFheV6"})
	}, renewed: host},
	{name: "vendor's port", after: func(dev object) { dev["tunnels"].(list)[0].(object)["remotePort"] = 15250 }, renewed: host},
	{name: "tunnels gone", after: set(list{}, "tunnels"), loses: true},
	{name: "tunnel key", after: set(2, "tunnelKeyGeneration"), renewed: host, loses: true},
	{name: "image refresh", after: set("2026-12", "imageRefresh"), renewed: host},
	{name: "read-only user renamed", after: set("reader", "readOnlyUsers", "bi", "username"), loses: true},
	{name: "another schema", after: set(list{"monster_teams", "stadiums"}, "readOnlyUsers", "bi", "schemas")},
	{name: "rotation on", after: set(true, "readOnlyUsers", "bi", "rotate")},
	{name: "visitors", after: set(list{"198.51.100.0/24"}, "webapp", "visitorCidrs")},
	{name: "platform refresh", after: set("2026-12", "webapp", "platformRefresh")},
	{name: "dashboard", environment: "prod", after: set("https://bi.example.com/dashboard", "webapp", "dashboardUrl")},
	{name: "web app type", after: set("t4g.small", "webapp", "instanceType")},
	{name: "load balancer", after: set(true, "webapp", "loadBalanced"), loses: true},
	{name: "read replica", after: set(1, "database", "readReplicas"), renewed: host},
	{name: "read replica gone", before: set(2, "database", "readReplicas"), after: set(1, "database", "readReplicas"), renewed: host},
	{name: "web app bundle", edit: anotherBundle},
	{name: "VPC", after: set("10.9.0.0/16", "vpcCidr")},
}

func TestSampleChanges(t *testing.T) {
	schemas, err := cfnschema.ReadAll("../node_modules")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			environment, before, after := s.sides(t)
			e, err := change.Compare("The environment "+environment, before, after, schemas, change.CDK(t.Context(), "../node_modules"))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, s.name, e.Markdown())
			if e.Loses() != s.loses {
				t.Errorf("it loses something: %t, want %t", e.Loses(), s.loses)
			}
			check(t, schemas.Types, before, after, e, s.renewed)
		})
	}
}

// sides are the assemblies before and after.
func (s sample) sides(t *testing.T) (environment, before, after string) {
	t.Helper()
	environment = s.environment
	if environment == "" {
		environment = "dev"
	}
	synthesize := func(changes ...func(object)) string {
		return rehearsaltest.SynthesizeAny(t, environment, "arm64", func(config object) {
			for _, change := range changes {
				if change != nil {
					change(config)
				}
			}
		}).Dir
	}
	before, after = synthesize(s.before), synthesize(s.before, s.after)
	if s.edit != nil {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(after)); err != nil {
			t.Fatal(err)
		}
		after = dir
		s.edit(t, dir)
	}
	return environment, before, after
}

// property gives one property of one resource another value.
func property(stack, id, name string, value any) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		edit(t, dir, stack, func(resources object) {
			in(resources, id, "Properties")[name] = value
		})
	}
}

func anotherSubnetGroup(t *testing.T, dir string) {
	edit(t, dir, "Database", func(resources object) {
		resources["DatabaseSubnetGroupTwo"] = resources["DatabaseSubnetGroup7D60F180"]
		delete(resources, "DatabaseSubnetGroup7D60F180")
		in(resources, "DatabaseInstanceAA8A5FDE", "Properties")["DBSubnetGroupName"] = object{"Ref": "DatabaseSubnetGroupTwo"}
	})
}

// anotherBundle gives the web app another bundle, under another hash.
func anotherBundle(t *testing.T, dir string) {
	manifest := filepath.Join(dir, "WebApp.assets.json")
	var files struct {
		Files map[string]struct{ DisplayName string }
	}
	if err := json.Unmarshal(read(t, manifest), &files); err != nil {
		t.Fatal(err)
	}
	for hash, f := range files.Files {
		if f.DisplayName != "WebApp/Bundle" {
			continue
		}
		other := strings.Repeat("0f", len(hash)/2)
		for _, file := range []string{manifest, filepath.Join(dir, "WebApp.template.json")} {
			write(t, file, bytes.ReplaceAll(read(t, file), []byte(hash), []byte(other)))
		}
		write(t, filepath.Join(dir, "asset."+other+".zip"), []byte("another bundle"))
		return
	}
	t.Fatal("the web app has no bundle")
}

func edit(t *testing.T, dir, stack string, change func(resources object)) {
	t.Helper()
	file := filepath.Join(dir, stack+".template.json")
	var template object
	if err := json.Unmarshal(read(t, file), &template); err != nil {
		t.Fatal(err)
	}
	change(in(template, "Resources"))
	text, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, text)
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// volatile is what another version of a program changes in a review: the hashes of assets, their sizes, and the generation
// at the end of a host's logical ids.
var (
	hash       = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	shortHash  = regexp.MustCompile("`[0-9a-f]{12}`, [0-9.]+ [kM]B")
	generation = regexp.MustCompile(`((?:Instance|Setup|SetupHandle)[0-9A-F]{8})[0-9a-f]{8}\b`)
)

// golden compares a review with its file in testdata, or writes that.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = hash.ReplaceAllString(got, "(hash)")
	got = shortHash.ReplaceAllString(got, "`(hash)`, (size)")
	got = generation.ReplaceAllString(got, "$1(generation)")
	file := filepath.Join("testdata", strings.NewReplacer(", ", "-", " ", "-", "'", "").Replace(strings.ToLower(name))+".md")
	if *update {
		write(t, file, []byte(got))
		return
	}
	if want := string(read(t, file)); got != want {
		t.Errorf("the review is not that of %s (go test ./review -run SampleChanges -update writes it anew):\n%s", file, firstDifference(want, got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d is\n\t%s\nand not\n\t%s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, and not %d", len(g), len(w))
}

// check looks at both templates once more, by itself: a resource is replaced, or may be, exactly where the schemas say it
// of a property that differs, or of one that names a resource which is replaced.
func check(t *testing.T, types cfnschema.Types, before, after string, e *change.Environment, renewed []string) {
	t.Helper()
	was, is := templates(t, before), templates(t, after)
	want := map[string]bool{} // by stack and id: whether it is replaced for certain
	for again := true; again; {
		again = false
		for stack, resources := range is {
			for id, r := range resources {
				key := stack + "/" + id
				old, existed := was[stack][id]
				if !existed {
					continue
				}
				for name := range r.Properties {
					effect := replacement(types, r.Type, name)
					if effect == cfnschema.Never {
						continue
					}
					value := asJSON(t, r.Properties[name])
					differs := asJSON(t, old.Properties[name]) != value
					replaced := differs
					for other := range want {
						replaced = replaced || names(value, stack, other)
					}
					certain := differs && effect == cfnschema.Always
					if known, listed := want[key]; replaced && (!listed || certain && !known) {
						want[key], again = certain, true
					}
				}
			}
		}
	}
	got := map[string]bool{}
	for _, effect := range e.Effects {
		if effect.Action != change.Replaced && effect.Action != change.MayBeReplaced {
			continue
		}
		if _, existed := was[effect.Stack][effect.ID]; !existed {
			if !slices.Contains(renewed, effect.Type) {
				t.Errorf("%s/%s has another logical id than before", effect.Stack, effect.ID)
			}
			continue
		}
		got[effect.Stack+"/"+effect.ID] = effect.Action == change.Replaced
	}
	for key, certain := range want {
		if replaced, listed := got[key]; !listed || certain && !replaced {
			t.Errorf("the schemas say that %s is replaced (for certain: %t), and the review that it is (for certain: %t, listed: %t)", key, certain, replaced, listed)
		}
	}
	for key := range got {
		if _, listed := want[key]; !listed {
			t.Errorf("the review says that %s is replaced, and the schemas do not", key)
		}
	}
}

// replacement is what the schemas say of a property, but for what they do not know.
func replacement(types cfnschema.Types, kind, property string) cfnschema.Replacement {
	if strings.HasPrefix(kind, "Custom::") {
		if property == map[string]string{"Custom::ReadOnlyUser": "Username", "Custom::SSHKeyPair": "SecretArn", "Custom::SampleData": "Schema"}[kind] {
			return cfnschema.Always
		}
		return cfnschema.Never
	}
	// "Update requires: Some interruptions" in the Template Reference.
	inPlace := map[string][]string{
		"AWS::RDS::DBInstance": {"AutoMinorVersionUpgrade", "BackupRetentionPeriod", "DBParameterGroupName", "MultiAZ", "StorageType"},
		"AWS::EC2::Instance":   {"InstanceType", "UserData"},
	}
	if slices.Contains(inPlace[kind], property) {
		return cfnschema.Never
	}
	return types[kind][property]
}

// names says that the JSON of a value in a stack refers to a resource, which CDK writes into the names of its exports.
func names(value, stack, resource string) bool {
	from, id, _ := strings.Cut(resource, "/")
	if from != stack {
		return strings.Contains(value, "Fn::ImportValue") && strings.Contains(value, "-"+from+":Exports") && strings.Contains(value, id)
	}
	return strings.Contains(value, `"Ref":"`+id+`"`) || strings.Contains(value, `"Fn::GetAtt":["`+id+`"`)
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type templateResource struct {
	Type       string
	Properties object
}

func templates(t *testing.T, dir string) map[string]map[string]templateResource {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.template.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	all := map[string]map[string]templateResource{}
	for _, file := range files {
		var template struct{ Resources map[string]templateResource }
		if err := json.Unmarshal(read(t, file), &template); err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".template.json")] = template.Resources
	}
	return all
}
