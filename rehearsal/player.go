package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/cloudwatch"
	"drawbridge/rehearsal/iam"
	"drawbridge/rehearsal/parameterstore"
	"drawbridge/rehearsal/resources"
	"drawbridge/rehearsal/s3"
	"drawbridge/rehearsal/secretsmanager"
	"drawbridge/rehearsal/template"
	"drawbridge/rehearsal/waitcondition"
)

// Options say what an environment is played with. All of it may be left out but the database.
type Options struct {
	AccountID string // 12 digits; "" means 123456789012
	Region    string // "" means eu-west-1

	// Database plays the RDS instances; see [resources.MySQL].
	Database resources.Database

	// VPCCIDR is what the VPC's attribute CidrBlock gives; "" means 127.0.0.0/8 without Interfaces, as a MySQL server on
	// loopback sees its clients come from there, and with them the template's own.
	VPCCIDR string

	// Interfaces connects what lies in the VPC to one that is played too; see [resources.Options]. nil leaves all on loopback.
	Interfaces resources.Interfaces
	// Answers and Observe: see [cloudformation.Options].
	Answers net.Listener
	Observe func(cloudformation.Operation, cloudformation.State)

	// FunctionEnvironment is added to the environment of the Lambda functions, such as DRAWBRIDGE_DB_CA_FILE.
	FunctionEnvironment map[string]string
	// FunctionTimeout is used in place of the timeout in the template; 0 keeps that.
	FunctionTimeout time.Duration
	// FunctionRetries are the waits before a failed event is tried again; nil means Lambda's, which are minutes.
	FunctionRetries []time.Duration
	// FunctionLog gets what functions write; nil drops it.
	FunctionLog io.Writer

	// ServiceTimeout is waited for a custom resource's answer in place of what its template says; 0 keeps that.
	ServiceTimeout time.Duration

	// SSM are parameters of the Systems Manager by name, beside those that AWS and CDK provide.
	SSM map[string]string
	// AWSCalls answer the calls of CDK's AwsCustomResource; see [resources.Options].
	AWSCalls map[string]resources.AWSCall
	// Providers play further types of resources, or play them otherwise.
	Providers map[string]cloudformation.Provider

	// Signals takes the signals for wait conditions, where instances reach it; nil means one on loopback. Its giver closes it.
	Signals *waitcondition.Server
	// WaitForSignals: see [resources.Options].
	WaitForSignals bool

	// RollbackInOrder: see [cloudformation.Options].
	RollbackInOrder bool
}

// Player plays one account.
type Player struct {
	*cloudformation.Deployer

	Account *resources.Account
	Roles   *iam.Directory
	Issuer  *awsapi.Issuer // of credentials that all services here take

	Secrets    *secretsmanager.Server
	Parameters *parameterstore.Server
	Metrics    *cloudwatch.Server
	Objects    *s3.Server // has the bucket of CDK's assets
	Signals    *waitcondition.Server

	assets     assetFiles
	ownSignals bool
}

// New starts an empty account. Close ends everything in it.
func New(options Options) (*Player, error) {
	accountID, region := cmp.Or(options.AccountID, "123456789012"), cmp.Or(options.Region, "eu-west-1")
	p := &Player{Roles: &iam.Directory{}, Issuer: &awsapi.Issuer{}, Signals: options.Signals, assets: assetFiles{files: map[string]string{}}}
	services := awsapi.Options{AccountID: accountID, Region: region, Roles: p.Roles, Issuer: p.Issuer}
	p.Parameters, p.Metrics, p.Objects = parameterstore.New(services), cloudwatch.New(services), s3.New(services)
	p.Objects.SetBucket(AssetBucket(accountID, region), &p.assets)
	var err error
	if p.Secrets, err = secretsmanager.Start(services); err != nil {
		return nil, err
	}
	if p.Signals == nil {
		if p.Signals, err = waitcondition.Listen(); err != nil {
			return nil, errors.Join(err, p.Secrets.Close())
		}
		p.ownSignals = true
	}
	ssm := func(name string) (string, error) {
		if value, found := p.Parameters.Value(name); found {
			return value, nil
		}
		return ssmParameter(options.SSM, name)
	}
	vpcCIDR := options.VPCCIDR
	if vpcCIDR == "" && options.Interfaces == nil {
		vpcCIDR = "127.0.0.0/8"
	}
	p.Account = resources.NewAccount(resources.Options{
		AccountID: accountID, Region: region, Roles: p.Roles, Secrets: p.Secrets,
		Database: options.Database, VPCCIDR: vpcCIDR, Interfaces: options.Interfaces,
		FunctionEnvironment: options.FunctionEnvironment, FunctionTimeout: options.FunctionTimeout,
		FunctionRetries: options.FunctionRetries, FunctionLog: options.FunctionLog,
		AWSCalls: options.AWSCalls, Providers: options.Providers,
		Parameters: p.Parameters, SSM: ssm, Signals: p.Signals, WaitForSignals: options.WaitForSignals,
	})
	p.Deployer, err = cloudformation.New(cloudformation.Options{
		AccountID: accountID, Region: region, AvailabilityZones: []string{region + "a", region + "b", region + "c"},
		Providers: p.Account.Providers(), Functions: p.Account.Functions,
		SSM: ssm, Dynamic: p.Account.Dynamic, ServiceTimeout: options.ServiceTimeout, RollbackInOrder: options.RollbackInOrder,
		Answers: options.Answers, Observe: options.Observe,
	})
	if err != nil {
		return nil, errors.Join(err, p.closeServices())
	}
	return p, nil
}

// Services are the account's services on one address, for AWS_ENDPOINT_URL of an instance: serve it where the instance
// reaches it, with [awsapi.Serve].
func (p *Player) Services() awsapi.Endpoint {
	return awsapi.Endpoint{"secretsmanager": p.Secrets, "ssm": p.Parameters, "monitoring": p.Metrics, "s3": p.Objects}
}

// Deploy creates or updates a stack, whose assets are uploaded before.
func (p *Player) Deploy(ctx context.Context, stack *template.Stack, parameters map[string]string) error {
	p.assets.add(stack.Assets)
	return p.Deployer.Deploy(ctx, stack, parameters)
}

// DeployAll deploys the stacks of an assembly in the order of their dependencies, up to the first that fails. Given names,
// it deploys these alone.
func (p *Player) DeployAll(ctx context.Context, assembly *template.Assembly, names ...string) error {
	for _, name := range names {
		if _, err := assembly.Stack(name); err != nil {
			return err
		}
	}
	for _, stack := range assembly.Stacks {
		if len(names) > 0 && !slices.Contains(names, stack.ID) && !slices.Contains(names, stack.Name) {
			continue
		}
		if err := p.Deploy(ctx, stack, nil); err != nil {
			return err
		}
	}
	return nil
}

// DestroyAll deletes the stacks of an assembly in the reverse order, up to the first that fails.
func (p *Player) DestroyAll(ctx context.Context, assembly *template.Assembly) error {
	for _, stack := range slices.Backward(assembly.Stacks) {
		if err := p.Delete(ctx, stack.Name); err != nil {
			return err
		}
	}
	return nil
}

// Close ends every program and server of the player and removes its files.
func (p *Player) Close() error {
	return errors.Join(p.Deployer.Close(), p.closeServices())
}

func (p *Player) closeServices() error {
	err := errors.Join(p.Account.Close(), p.Secrets.Close())
	if p.ownSignals {
		err = errors.Join(err, p.Signals.Close())
	}
	return err
}

// ssmParameter is a parameter of the Systems Manager: one of the caller's, or one that AWS or `cdk bootstrap` provides.
func ssmParameter(own map[string]string, name string) (string, error) {
	value, ok := own[name]
	switch {
	case ok:
		return value, nil
	case strings.HasPrefix(name, "/cdk-bootstrap/") && strings.HasSuffix(name, "/version"):
		return "30", nil
	case strings.HasPrefix(name, "/aws/service/ami-amazon-linux-latest/"), strings.HasPrefix(name, "/aws/service/debian/"):
		return "ami-0123456789abcdef0", nil
	}
	return "", fmt.Errorf("the parameter %s of the Systems Manager is not known here", name)
}
