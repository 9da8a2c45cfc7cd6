package constructs_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

// newBastion adds a jump server without administrators, after change, which may be nil, has edited its properties.
func newBastion(t *testing.T, stack awscdk.Stack, change func(props *constructs.BastionProps)) *constructs.Bastion {
	database, function := otherStack(t, stack)
	props := &constructs.BastionProps{
		HostProps:    hostProps(t, stack, "bastion"),
		MasterSecret: database.MasterSecret, Function: function, HostKeyGeneration: 1,
		SSHCIDRs: []string{"203.0.113.0/24"}, AdministratorsPath: "/castle/administrators",
	}
	if change != nil {
		change(props)
	}
	return constructs.NewBastion(stack, "Bastion", props)
}

func bastion(t *testing.T, change func(props *constructs.BastionProps)) cdktest.Template {
	t.Helper()
	return template(t, func(stack awscdk.Stack) { newBastion(t, stack, change) })
}

func TestBastionSecurityGroup(t *testing.T) {
	always := []string{
		"Jump server -> 0.0.0.0/0 tcp 443",
		"Jump server -> database tcp 3306",
		"database <- Jump server tcp 3306",
	}
	for name, test := range map[string]struct{ cidrs, rules []string }{
		"lets in SSH from the blocks that are named": {
			[]string{"203.0.113.0/24", "198.51.100.7/32"},
			[]string{"Jump server <- 203.0.113.0/24 tcp 22", "Jump server <- 198.51.100.7/32 tcp 22"},
		},
		"lets nobody in when none is named": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			made := bastion(t, func(p *constructs.BastionProps) { p.SSHCIDRs = test.cidrs })
			checkTraffic(t, made, append(test.rules, always...)...)
		})
	}
}

func TestBastionRole(t *testing.T) {
	made := bastion(t, nil)
	checkStatements(t, rolePolicy(t, made, hostRole(t, made, "Bastion")), append(slices.Clone(sessionManager),
		"Allow ssm:GetParametersByPath on "+
			"arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/castle/administrators "+
			"arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/castle/administrators/*",
		"Allow secretsmanager:GetSecretValue on ${"+made.One(t, "AWS::SecretsManager::Secret").ID+"}",
		"Allow secretsmanager:GetSecretValue on ${Other:ExportsOutputRefDatabaseMasterSecretadminEB53DE3E3092ADCA}",
		itsProgram(t, made))...)
}

func TestBastionRunsAmazonLinux2023(t *testing.T) {
	for architecture, parameter := range map[constructs.Architecture]string{
		constructs.ARM64:  "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
		constructs.X86_64: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
	} {
		t.Run(string(architecture), func(t *testing.T) {
			checkImage(t, bastion(t, func(p *constructs.BastionProps) { p.Architecture = architecture }), parameter)
		})
	}
}

func TestBastionAdministrators(t *testing.T) {
	people := func(people ...constructs.Administrator) func(*constructs.BastionProps) {
		return func(p *constructs.BastionProps) { p.Administrators = people }
	}
	malia, noa := constructs.Administrator{Name: "malia", Parameter: `{"access":"shell"}`}, constructs.Administrator{Name: "noa", Parameter: `{"access":"tunnel"}`}
	t.Run("are one parameter each", func(t *testing.T) {
		var parameters []any
		for _, r := range bastion(t, people(malia, noa)).Resources("AWS::SSM::Parameter") {
			parameters = append(parameters, []any{r.Properties["Name"], r.Properties["Type"], r.Properties["Value"]})
		}
		same(t, parameters, []any{
			[]any{"/castle/administrators/malia", "String", `{"access":"shell"}`},
			[]any{"/castle/administrators/noa", "String", `{"access":"tunnel"}`},
		})
	})
	t.Run("come and go without touching anything else", func(t *testing.T) {
		none, one, two := bastion(t, nil), bastion(t, people(noa)), bastion(t, people(malia, noa))
		same(t, one.Resources("AWS::SSM::Parameter")[0], called(t, two, "AWS::SSM::Parameter", "noa"))
		for _, made := range []cdktest.Template{one, two} {
			for _, r := range made.Resources("AWS::SSM::Parameter") {
				delete(made["Resources"].(map[string]any), r.ID)
			}
			same(t, made, none)
		}
	})
}
