package cost_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"drawbridge/cost"
	"drawbridge/internal/repository"
	"drawbridge/rehearsal/rehearsaltest"
	"drawbridge/rehearsal/template"
)

func TestMain(m *testing.M) { rehearsaltest.Main(m) }

// bill is that of an environment of cdk.json after a change, deployed for the architecture that it has unless told otherwise.
func bill(t *testing.T, environment string, change func(rehearsaltest.Config)) *cost.Bill {
	t.Helper()
	b, err := cost.Read(rehearsaltest.SynthesizeAny(t, environment, "arm64", change))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// row is the bill's row of the part that begins so.
func row(t *testing.T, b *cost.Bill, part string) cost.Row {
	t.Helper()
	i := slices.IndexFunc(b.Rows, func(r cost.Row) bool { return strings.HasPrefix(r.Part, part) })
	if i < 0 {
		t.Fatalf("the bill has no row %q:\n%s", part, b.Text())
	}
	return b.Rows[i]
}

func TestDevWithEverythingOnStaysUnder55USD(t *testing.T) {
	b := bill(t, "dev", nil)
	for _, part := range []string{"database", "web app", "jump server", "tunnel host", "interface endpoint"} {
		row(t, b, part)
	}
	if cents, all := b.Total(); !all || cents >= 5500 {
		t.Errorf("it costs %d cents, every part priced: %t\n%s", cents, all, b.Text())
	}
}

func TestEveryPartOfProdHasAPrice(t *testing.T) {
	b := bill(t, "prod", nil)
	if _, all := b.Total(); !all {
		t.Errorf("not everything has a price:\n%s", b.Text())
	}
}

func TestTheBillFollowsTheConfig(t *testing.T) {
	type m = map[string]any
	for name, test := range map[string]struct {
		change    func(rehearsaltest.Config)
		part, sum string
	}{
		"storage":               {func(c rehearsaltest.Config) { c["database"].(m)["storageGiB"] = 30 }, "its storage, 30 GiB gp3", "0.115 × 30"},
		"class":                 {func(c rehearsaltest.Config) { c["database"].(m)["instanceClass"] = "db.t4g.small" }, "database, db.t4g.small", "0.032 × 730 h"},
		"a standby":             {func(c rehearsaltest.Config) { c["database"].(m)["multiAz"] = true }, "database, db.t4g.micro with a standby", "0.032 × 730 h"},
		"storage of a standby":  {func(c rehearsaltest.Config) { c["database"].(m)["multiAz"] = true }, "its storage", "0.23 × 20"},
		"a replica":             {func(c rehearsaltest.Config) { c["database"].(m)["readReplicas"] = 1 }, "read replica, db.t4g.micro", "0.016 × 730 h"},
		"replicas' alarms":      {func(c rehearsaltest.Config) { c["database"].(m)["readReplicas"] = 2 }, "alarms, 9 beyond", "0.1 × 9"},
		"a load balancer":       {func(c rehearsaltest.Config) { c["webapp"].(m)["loadBalanced"] = true }, "load balancer", "0.0225 × 730 h"},
		"its web servers":       {func(c rehearsaltest.Config) { c["webapp"].(m)["loadBalanced"] = true }, "web app, 2 × t4g.micro", "0.0084 × 730 h × 2"},
		"its addresses":         {func(c rehearsaltest.Config) { c["webapp"].(m)["loadBalanced"] = true }, "public addresses, 6", "0.005 × 730 h × 6"},
		"no tunnel, no address": {func(c rehearsaltest.Config) { c["tunnels"] = []any{} }, "public addresses, 2", "0.005 × 730 h × 2"},
		"no tunnel, no disk":    {func(c rehearsaltest.Config) { c["tunnels"] = []any{} }, "disks, 16 GiB", "0.08 × 16"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := row(t, bill(t, "dev", test.change), test.part); got.Sum != test.sum || got.Unknown {
				t.Errorf("the row is %+v, want %s", got, test.sum)
			}
		})
	}
}

// small is the bill of one stack of these resources.
func small(t *testing.T, resources map[string]template.Resource) (*cost.Bill, error) {
	t.Helper()
	return cost.Read(&template.Assembly{Dir: "cdk.out/small", Stacks: []*template.Stack{{ID: "App", Name: "small-App", Template: &template.Template{Resources: resources}}}})
}

func TestWhatHasNoPriceSaysSo(t *testing.T) {
	type p = map[string]any
	for name, r := range map[string]template.Resource{
		"a type that nobody has looked at": {Type: "AWS::EC2::NatGateway"},
		"a class that the table lacks":     {Type: "AWS::RDS::DBInstance", Properties: p{"DBInstanceClass": "db.x9.huge", "AllocatedStorage": "20", "StorageType": "gp3"}},
		"a type that the table lacks":      {Type: "AWS::EC2::Instance", Properties: p{"InstanceType": "u-24tb1.metal"}},
		"a parameter that is billed":       {Type: "AWS::SSM::Parameter", Properties: p{"Tier": "Advanced"}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := small(t, map[string]template.Resource{"It": r})
			if err != nil {
				t.Fatal(err)
			}
			if _, all := b.Total(); all || !strings.Contains(b.Text(), "?") || !strings.Contains(b.Text(), "without what has no price") {
				t.Errorf("the bill is\n%s", b.Text())
			}
		})
	}
}

func TestWhatCannotBeCountedIsAnErrorThatNamesIt(t *testing.T) {
	type p = map[string]any
	for name, r := range map[string]template.Resource{
		"AllocatedStorage": {Type: "AWS::RDS::DBInstance", Properties: p{"DBInstanceClass": "db.t4g.micro", "AllocatedStorage": p{"Ref": "Size"}, "StorageType": "gp3"}},
		"StorageType":      {Type: "AWS::RDS::DBInstance", Properties: p{"DBInstanceClass": "db.t4g.micro", "AllocatedStorage": "20", "StorageType": "io2"}},
		"VolumeSize":       {Type: "AWS::EC2::Instance", Properties: p{"InstanceType": "t4g.micro", "BlockDeviceMappings": []any{p{"Ebs": p{"VolumeSize": "many"}}}}},
		"InstanceTypes":    {Type: "AWS::ElasticBeanstalk::Environment", Properties: p{}},
		"ConfigDocument":   {Type: "AWS::ElasticBeanstalk::Environment", Properties: published(`{"CloudWatchMetrics": {"Instance": {"CPUUser": 60}}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := small(t, map[string]template.Resource{"It": r}); err == nil || !strings.Contains(err.Error(), "App/It") || !strings.Contains(err.Error(), name) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestAlarmsAndMetricsAreFreeUpToTheAllowance(t *testing.T) {
	alarms := func(n int, namespace string) map[string]template.Resource {
		all := map[string]template.Resource{}
		for i := range n {
			all[fmt.Sprint("Alarm", i)] = template.Resource{Type: "AWS::CloudWatch::Alarm", Properties: map[string]any{"Namespace": namespace, "MetricName": fmt.Sprint("M", i)}}
		}
		return all
	}
	for n, want := range map[int]string{10: "", 13: "alarms, 3 beyond the free ones"} {
		b, err := small(t, alarms(n, "AWS/RDS"))
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && len(b.Rows) > 0 || want != "" && row(t, b, want).Cents != 30 {
			t.Errorf("%d alarms cost\n%s", n, b.Text())
		}
	}
	b, err := small(t, alarms(12, "Drawbridge"))
	if err != nil {
		t.Fatal(err)
	}
	if got := row(t, b, "custom metrics, 2 beyond"); got.Cents != 60 {
		t.Errorf("the row is %+v", got)
	}
}

// published are the properties of a web app that Beanstalk publishes these metrics of.
func published(document string) map[string]any {
	setting := func(namespace, name, value string) any {
		return map[string]any{"Namespace": namespace, "OptionName": name, "Value": value}
	}
	return map[string]any{"OptionSettings": []any{
		setting("aws:ec2:instances", "InstanceTypes", "t4g.micro"), setting("aws:elasticbeanstalk:healthreporting:system", "ConfigDocument", document),
	}}
}

func TestMetricsThatBeanstalkPublishesAreCustomOnes(t *testing.T) {
	var names []string
	for i := range 13 {
		names = append(names, fmt.Sprintf(`"Metric%d": 60`, i))
	}
	b, err := small(t, map[string]template.Resource{
		"It":     {Type: "AWS::ElasticBeanstalk::Environment", Properties: published(`{"CloudWatchMetrics": {"Environment": {` + strings.Join(names, ",") + `}, "Instance": {}}}`)},
		"Health": {Type: "AWS::CloudWatch::Alarm", Properties: map[string]any{"Namespace": "AWS/ElasticBeanstalk", "MetricName": "EnvironmentHealth"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := row(t, b, "custom metrics, 3 beyond"); got.Cents != 90 {
		t.Errorf("the row is %+v", got)
	}
}

// TestDocs keeps the tables of docs/cost.md to what the templates cost.
func TestDocs(t *testing.T) {
	root, err := repository.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "cost.md"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^\| ([^|*]+?) \| ([^|]+×[^|]+?) \| ([0-9.]+) \|`)
	var written []string
	for _, found := range line.FindAllStringSubmatch(string(page), -1) {
		written = append(written, strings.Join(found[1:], " | "))
	}
	var want []string
	for _, environment := range []string{"dev", "prod"} {
		b := bill(t, environment, nil)
		for _, r := range b.Rows {
			want = append(want, strings.Join([]string{r.Part, r.Sum, r.USD()}, " | "))
		}
		cents, _ := b.Total()
		if total := fmt.Sprintf("**%d.%02d**", cents/100, cents%100); !strings.Contains(string(page), total) {
			t.Errorf("docs/cost.md does not say that %s costs %s", environment, total)
		}
	}
	if !slices.Equal(written, want) {
		t.Errorf("docs/cost.md has the rows\n%s\nand make cost gives\n%s", strings.Join(written, "\n"), strings.Join(want, "\n"))
	}
}
