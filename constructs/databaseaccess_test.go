package constructs_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"

	"drawbridge/constructs"
	"drawbridge/internal/cdktest"
)

func TestDatabaseAccess(t *testing.T) {
	t.Run("lets one group out to the database, and in to it", func(t *testing.T) {
		made := template(t, func(stack awscdk.Stack) {
			constructs.NewDatabaseAccess(stack, "Access", &constructs.DatabaseAccessProps{
				From: securityGroup(stack, "sg-000c11e4"), Database: securityGroup(stack, databaseGroup), Description: "jump server",
			})
		})
		checkTraffic(t, made, "sg-000c11e4 -> database tcp 3306", "database <- sg-000c11e4 tcp 3306")
		check(t, made.One(t, "AWS::EC2::SecurityGroupIngress").Properties, map[string]any{"Description": "MySQL from the jump server"})
	})
	t.Run("puts both rules in the client's stack", func(t *testing.T) {
		var database, client cdktest.Template
		cdktest.Try(t, func() {
			app := cdktest.NewApp(t)
			group := func(stack awscdk.Stack) awsec2.ISecurityGroup {
				return awsec2.NewSecurityGroup(stack, jsii.String("Group"), &awsec2.SecurityGroupProps{Vpc: vpc(stack), AllowAllOutbound: jsii.Bool(false)})
			}
			databaseStack := awscdk.NewStack(app, jsii.String("Database"), nil)
			clientStack := awscdk.NewStack(app, jsii.String("Client"), nil)
			constructs.NewDatabaseAccess(clientStack, "Access", &constructs.DatabaseAccessProps{
				From: group(clientStack), Database: group(databaseStack), Description: "web app",
			})
			database, client = cdktest.Synthesize(t, databaseStack), cdktest.Synthesize(t, clientStack)
		})
		for _, kind := range []string{"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"} {
			if found := database.Resources(kind); len(found) != 0 {
				t.Errorf("the database's stack has %s", found[0].ID)
			}
			client.One(t, kind)
		}
	})
}
