package resources

import (
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"time"

	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/iam"
	"drawbridge/rehearsal/parameterstore"
	"drawbridge/rehearsal/secretsmanager"
	"drawbridge/rehearsal/template"
	"drawbridge/rehearsal/waitcondition"
)

// Options say what the account's resources are made of.
type Options struct {
	AccountID string // 12 digits
	Region    string

	Roles   *iam.Directory
	Secrets *secretsmanager.Server

	// Parameters keeps what AWS::SSM::Parameter makes; nil means that nobody reads it.
	Parameters *parameterstore.Server
	// SSM looks a parameter of the Systems Manager up for an AwsCustomResource that asks for it; nil knows none.
	SSM func(name string) (string, error)

	// Signals has the URLs of wait condition handles; nil means that a template may have none.
	Signals *waitcondition.Server
	// WaitForSignals makes wait conditions wait for their signals, where something plays the instances that send them.
	// Otherwise they are signalled at once, with success.
	WaitForSignals bool

	// Database plays the RDS instances; nil means that a template may have none.
	Database Database

	// Interfaces connects functions and VPC endpoints to a VPC that is played too; nil leaves them on loopback.
	Interfaces Interfaces

	// VPCCIDR is what a VPC's attribute CidrBlock gives, in place of the block in its properties; "" keeps that.
	VPCCIDR string

	// FunctionEnvironment is added to the environment of every function that runs here.
	FunctionEnvironment map[string]string
	// FunctionTimeout is used in place of the timeout in a function's properties; 0 keeps that.
	FunctionTimeout time.Duration
	// FunctionRetries are the waits before a failed event is tried again; nil means Lambda's.
	FunctionRetries []time.Duration
	// FunctionLog gets what functions write; nil drops it.
	FunctionLog io.Writer

	// AWSCalls answer the calls of CDK's AwsCustomResource, by "service.action" as the template says it. See [AWSCall].
	AWSCalls map[string]AWSCall

	// Providers are added to those of this package, by type, or take their place.
	Providers map[string]cloudformation.Provider
}

// Account is what the resources of one account share.
type Account struct {
	Functions *Functions

	options Options

	mu          sync.Mutex
	instances   map[string]instance                 // DB instances by identifier
	hosts       map[string]string                   // URLs on loopback, by the host names of VPC endpoints
	endpoints   map[string]*secretsmanager.Endpoint // by the VPC endpoint's id
	privateDNS  map[string]string                   // URLs on loopback, by the id of the VPC endpoint that has the service's own name
	permissions map[string]permission               // of functions, by physical id
	handles     map[string]*waitcondition.Handle    // by physical id
	conditions  map[string]metCondition             // by physical id
}

// NewAccount makes an account without resources. Close ends its functions.
func NewAccount(options Options) *Account {
	return &Account{
		Functions: newFunctions(), options: options,
		instances: map[string]instance{}, hosts: map[string]string{}, endpoints: map[string]*secretsmanager.Endpoint{},
		privateDNS: map[string]string{}, permissions: map[string]permission{},
		handles: map[string]*waitcondition.Handle{}, conditions: map[string]metCondition{},
	}
}

// Close ends the account's functions and removes their files.
func (a *Account) Close() error { return a.Functions.close() }

// Providers are the players of all types, for a deployer.
func (a *Account) Providers() map[string]cloudformation.Provider {
	providers := map[string]cloudformation.Provider{
		"":                            plausible{a},
		"AWS::SecretsManager::Secret": secret{a},
		"AWS::SecretsManager::SecretTargetAttachment": attachment{a},
		"AWS::SecretsManager::ResourcePolicy":         resourcePolicy{a},
		"AWS::SecretsManager::RotationSchedule":       rotationSchedule{a},
		"AWS::IAM::Role":                              role{a},
		"AWS::IAM::Policy":                            rolePolicy{a},
		"AWS::Lambda::Function":                       function{a},
		"AWS::Lambda::Permission":                     functionPermission{a},
		"AWS::EC2::VPCEndpoint":                       vpcEndpoint{a},
		"AWS::RDS::DBInstance":                        dbInstance{a},
		"Custom::VpcRestrictDefaultSG":                restrictDefaultSecurityGroup{},
		"AWS::CloudFormation::WaitConditionHandle":    waitConditionHandle{a},
		"AWS::CloudFormation::WaitCondition":          waitCondition{a},
		"Custom::BeanstalkPlatform":                   awsCustomResource{a},
		"Custom::MachineImage":                        awsCustomResource{a},
		"Custom::AWS":                                 awsCustomResource{a},
	}
	if a.options.Parameters != nil {
		providers["AWS::SSM::Parameter"] = parameter{a}
	}
	maps.Copy(providers, a.options.Providers)
	return providers
}

// properties reads the properties that a provider needs and collects what is wrong with them.
type properties struct {
	values map[string]any
	err    error
}

// text is a property; missing is an error only if it is required.
func (p *properties) text(name string, required bool) string {
	value, ok := p.values[name]
	if !ok && !required {
		return ""
	}
	text, ok := template.Text(value)
	if p.err == nil && (!ok || required && text == "") {
		p.err = fmt.Errorf("its property %s must be a text", name)
	}
	return text
}

func (p *properties) bool(name string, standard bool) bool {
	switch p.text(name, false) {
	case "":
		return standard
	case "true":
		return true
	case "false":
		return false
	}
	if p.err == nil {
		p.err = fmt.Errorf("its property %s must be true or false", name)
	}
	return standard
}

func (p *properties) texts(name string) []string {
	items, ok := p.values[name].([]any)
	if !ok && p.values[name] != nil && p.err == nil {
		p.err = fmt.Errorf("its property %s must be a list", name)
	}
	var texts []string
	for _, item := range items {
		text, ok := template.Text(item)
		if !ok && p.err == nil {
			p.err = fmt.Errorf("its property %s must be a list of texts", name)
		}
		texts = append(texts, text)
	}
	return texts
}

// generatedName is a physical id as CloudFormation makes one up.
func generatedName(r cloudformation.Request) string {
	return r.Stack.Name + "-" + r.LogicalID + "-" + strings.ToUpper(rand.Text()[:12])
}

// generatedID is an id such as vpc-0123456789abcdef0.
func generatedID(prefix string) string {
	var id [9]byte
	_, _ = rand.Read(id[:]) // it never fails
	return prefix + "-" + fmt.Sprintf("%x", id)[:17]
}

func (a *Account) arn(service, resource string) string {
	region := a.options.Region
	if service == "iam" {
		region = ""
	}
	return "arn:aws:" + service + ":" + region + ":" + a.options.AccountID + ":" + resource
}
