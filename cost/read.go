package cost

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"drawbridge/rehearsal/template"
)

// Read makes the bill of an assembly. The error names what the templates hold that cannot be counted.
func Read(assembly *template.Assembly) (*Bill, error) {
	c := counter{prices: readPrices(), metrics: map[string]bool{}}
	name := filepath.Base(assembly.Dir)
	for _, stack := range assembly.Stacks {
		if before, ok := strings.CutSuffix(stack.Name, "-"+stack.ID); ok {
			name = before
		}
		for _, id := range slices.Sorted(maps.Keys(stack.Template.Resources)) {
			r := stack.Template.Resources[id]
			if err := c.count(stack.ID, r); err != nil {
				return nil, fmt.Errorf("%s/%s (%s): %w", stack.ID, id, r.Type, err)
			}
		}
	}
	return &Bill{Environment: name, Rows: c.rows(), prices: c.prices}, nil
}

// counter adds up what an environment holds.
type counter struct {
	prices prices
	// own are rows for single resources.
	own []Row
	// unpriced are the types of resources that nobody has looked at.
	unpriced []string

	disks                    int // GiB
	hosts, addresses, others int // public addresses: of hosts, Elastic IPs, and of what Beanstalk makes
	zones, secrets, alarms   int
	metrics                  map[string]bool
}

// free are the types that cost nothing by themselves.
var free = []string{
	"AWS::CDK::Metadata", "AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle",
	"AWS::EC2::EIPAssociation", "AWS::EC2::InternetGateway", "AWS::EC2::LaunchTemplate", "AWS::EC2::NetworkAcl", "AWS::EC2::NetworkAclEntry", "AWS::EC2::Route", "AWS::EC2::RouteTable",
	"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::Subnet", "AWS::EC2::SubnetNetworkAclAssociation", "AWS::EC2::SubnetRouteTableAssociation",
	"AWS::EC2::VPC", "AWS::EC2::VPCGatewayAttachment", "AWS::ElasticBeanstalk::Application", "AWS::ElasticBeanstalk::ApplicationVersion",
	"AWS::IAM::InstanceProfile", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role",
	// By use alone, which is cents for an environment that is deployed now and then.
	"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::Logs::LogGroup", "AWS::Logs::SubscriptionFilter", "AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy",
	"AWS::RDS::DBParameterGroup", "AWS::RDS::DBSubnetGroup", "AWS::S3::Bucket", "AWS::S3::BucketPolicy",
	"AWS::SecretsManager::ResourcePolicy", "AWS::SecretsManager::RotationSchedule", "AWS::SecretsManager::SecretTargetAttachment",
	"AWS::SSM::Parameter", // of the tier Standard: see count
}

func (c *counter) count(stack string, r template.Resource) error {
	switch {
	case r.Type == "AWS::RDS::DBInstance":
		return c.database(r.Properties)
	case r.Type == "AWS::EC2::Instance":
		return c.host(stack, r.Properties)
	case r.Type == "AWS::ElasticBeanstalk::Environment":
		return c.beanstalk(r.Properties)
	case r.Type == "AWS::EC2::EIP":
		c.addresses++
	case r.Type == "AWS::EC2::VPCEndpoint":
		if kind, _ := template.Text(r.Properties["VpcEndpointType"]); kind == "Interface" {
			c.zones += items(r.Properties["SubnetIds"])
		}
	case r.Type == "AWS::SecretsManager::Secret":
		c.secrets++
	case r.Type == "AWS::CloudWatch::Alarm":
		c.alarm(r.Properties)
	case r.Type == "AWS::SSM::Parameter":
		if tier, _ := template.Text(r.Properties["Tier"]); tier != "" && tier != "Standard" {
			c.unpriced = append(c.unpriced, r.Type+" of the tier "+tier)
		}
	case strings.HasPrefix(r.Type, "Custom::"), slices.Contains(free, r.Type):
	default:
		c.unpriced = append(c.unpriced, r.Type)
	}
	return nil
}

func (c *counter) database(p map[string]any) error {
	class, err := text(p, "DBInstanceClass")
	if err != nil {
		return err
	}
	storage, err := number(p, "AllocatedStorage")
	if err != nil {
		return err
	}
	what := "database, "
	if p["SourceDBInstanceIdentifier"] != nil {
		what = "read replica, "
	}
	part, hour, gib := what+class, c.prices.Database, c.prices.DatabaseStorage
	if standby, _ := template.Text(p["MultiAZ"]); standby == "true" {
		part, hour, gib = part+" with a standby", c.prices.DatabaseWithStandby, c.prices.DatabaseStorageStandby
	}
	if kind, _ := template.Text(p["StorageType"]); kind != "gp3" {
		return fmt.Errorf("there is no price for the StorageType %q: it has prices for gp3", kind)
	}
	price, known := hour[class]
	c.own = append(c.own, c.hourly(part, price, known, 1), monthly(fmt.Sprintf("its storage, %d GiB gp3", storage), gib, storage))
	return nil
}

// hostNames are what people call the hosts of a stack.
var hostNames = map[string]string{"Bastion": "jump server", "Tunnel": "tunnel host"}

func (c *counter) host(stack string, p map[string]any) error {
	kind, err := text(p, "InstanceType")
	if err != nil {
		return err
	}
	name, ok := hostNames[stack]
	if !ok {
		name = "instance of " + stack
	}
	price, known := c.prices.Instance[kind]
	c.own = append(c.own, c.hourly(name+", "+kind, price, known, 1))
	c.hosts++
	devices, _ := p["BlockDeviceMappings"].([]any)
	for _, device := range devices {
		ebs, _ := device.(map[string]any)["Ebs"].(map[string]any)
		size, err := number(ebs, "VolumeSize")
		if err != nil {
			return fmt.Errorf("BlockDeviceMappings: %w", err)
		}
		c.disks += size
	}
	return nil
}

// beanstalkDisk is the size of the root volume of an instance of Beanstalk's, in GiB, where no option setting gives one:
// that of its image.
const beanstalkDisk = 8

func (c *counter) beanstalk(p map[string]any) error {
	settings := map[string]any{}
	list, _ := p["OptionSettings"].([]any)
	for _, one := range list {
		o, _ := one.(map[string]any)
		namespace, _ := template.Text(o["Namespace"])
		name, _ := template.Text(o["OptionName"])
		settings[namespace+" "+name] = o["Value"]
	}
	kind, err := text(settings, "aws:ec2:instances InstanceTypes")
	if err != nil {
		return err
	}
	if err := c.health(settings["aws:elasticbeanstalk:healthreporting:system ConfigDocument"]); err != nil {
		return err
	}
	instances := 1
	balanced, _ := template.Text(settings["aws:elasticbeanstalk:environment EnvironmentType"])
	if balanced == "LoadBalanced" {
		if instances, err = number(settings, "aws:autoscaling:asg MinSize"); err != nil {
			return err
		}
	}
	part := "web app, " + kind
	if instances > 1 {
		part = fmt.Sprintf("web app, %d × %s", instances, kind)
	}
	price, known := c.prices.Instance[kind]
	c.own = append(c.own, c.hourly(part, price, known, instances))
	c.disks += beanstalkDisk * instances
	c.others += instances
	if balanced == "LoadBalanced" {
		c.own = append(c.own, c.hourly("load balancer, without traffic", c.prices.LoadBalancer, true, 1))
		// It has an address in each of its subnets.
		c.others += items(settings["aws:ec2:vpc ELBSubnets"])
	}
	return nil
}

// alarm counts an alarm: one for each metric that it looks at ("Amazon CloudWatch pricing"). Metrics of AWS's are free;
// those of Elastic Beanstalk's that are custom ones stand in its settings.
func (c *counter) alarm(p map[string]any) {
	metrics := []map[string]any{p}
	if several, ok := p["Metrics"].([]any); ok {
		metrics = nil
		for _, one := range several {
			stat, _ := one.(map[string]any)["MetricStat"].(map[string]any)
			if metric, ok := stat["Metric"].(map[string]any); ok {
				metrics = append(metrics, metric)
			}
		}
	}
	for _, metric := range metrics {
		c.alarms++
		if namespace, _ := template.Text(metric["Namespace"]); !strings.HasPrefix(namespace, "AWS/") {
			c.metrics[fmt.Sprint(namespace, metric["MetricName"], metric["Dimensions"])] = true
		}
	}
}

// health counts the custom metrics that Elastic Beanstalk is told to publish of an environment ("Publishing Amazon
// CloudWatch custom metrics for an environment", AWS Elastic Beanstalk Developer Guide).
func (c *counter) health(document any) error {
	text, _ := template.Text(document)
	if text == "" {
		return nil
	}
	var published struct {
		CloudWatchMetrics struct{ Environment, Instance map[string]int }
	}
	if err := json.Unmarshal([]byte(text), &published); err != nil {
		return fmt.Errorf("ConfigDocument is no JSON: %w", err)
	}
	if len(published.CloudWatchMetrics.Instance) > 0 {
		return errors.New("ConfigDocument publishes metrics of each instance, whose number changes, so they cannot be priced")
	}
	for name := range published.CloudWatchMetrics.Environment {
		c.metrics["AWS/ElasticBeanstalk "+name] = true
	}
	return nil
}

// rows are the bill's lines.
func (c *counter) rows() []Row {
	rows := c.own
	if c.disks > 0 {
		rows = append(rows, monthly(fmt.Sprintf("disks, %d GiB gp3", c.disks), c.prices.Disk, c.disks))
	}
	// A host has its Elastic IP, or an address of its own.
	if n := max(c.hosts, c.addresses) + c.others; n > 0 {
		rows = append(rows, c.hourly(fmt.Sprintf("public addresses, %d", n), c.prices.PublicAddress, true, n))
	}
	if c.zones > 0 {
		rows = append(rows, c.hourly("interface endpoint, "+counted(c.zones, "zone"), c.prices.InterfaceEndpoint, true, c.zones))
	}
	if c.secrets > 0 {
		rows = append(rows, monthly(fmt.Sprintf("secrets, %d", c.secrets), c.prices.Secret, c.secrets))
	}
	if n := c.alarms - c.prices.FreeAlarms; n > 0 {
		rows = append(rows, monthly(fmt.Sprintf("alarms, %d beyond the free ones", n), c.prices.Alarm, n))
	}
	if n := len(c.metrics) - c.prices.FreeMetrics; n > 0 {
		rows = append(rows, monthly(fmt.Sprintf("custom metrics, %d beyond the free ones", n), c.prices.Metric, n))
	}
	for _, kind := range slices.Compact(slices.Sorted(slices.Values(c.unpriced))) {
		rows = append(rows, Row{Part: kind, Unknown: true})
	}
	return rows
}

// hourly is the row of n things with a price an hour.
func (c *counter) hourly(part string, price float64, known bool, n int) Row {
	if !known {
		return Row{Part: part, Unknown: true}
	}
	sum := fmt.Sprintf("%g × %g h", price, c.prices.HoursMonth)
	if n > 1 {
		sum += fmt.Sprintf(" × %d", n)
	}
	return Row{Part: part, Sum: sum, Cents: cents(price * c.prices.HoursMonth * float64(n))}
}

// monthly is the row of n things with a price a month.
func monthly(part string, price float64, n int) Row {
	return Row{Part: part, Sum: fmt.Sprintf("%g × %d", price, n), Cents: cents(price * float64(n))}
}

func cents(usd float64) int { return int(math.Round(usd * 100)) }

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// text is a property that must be a text, and number one that must be a whole number.
func text(p map[string]any, name string) (string, error) {
	t, ok := template.Text(p[name])
	if !ok || t == "" {
		return "", fmt.Errorf("%s is no plain text, so it cannot be priced", name)
	}
	return t, nil
}

func number(p map[string]any, name string) (int, error) {
	t, err := text(p, name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(t)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is %q, and should be a whole number", name, t)
	}
	return n, nil
}

// items is how many values a list has: of a JSON list, of a text with commas, or of an Fn::Join of values.
func items(value any) int {
	switch v := value.(type) {
	case []any:
		return len(v)
	case string:
		return strings.Count(v, ",") + 1
	case map[string]any:
		join, _ := v["Fn::Join"].([]any)
		if len(join) != 2 {
			return 1
		}
		parts, _ := join[1].([]any)
		n := 0
		for _, part := range parts {
			if text, ok := part.(string); !ok || strings.Trim(text, ", ") != "" {
				n++
			}
		}
		return n
	}
	return 0
}
