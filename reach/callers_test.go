package reach_test

import (
	"testing"

	"drawbridge/reach"
)

func TestFunctionsThatTheInternetMayCall(t *testing.T) {
	const url, permission = "AWS::Lambda::Url", "AWS::Lambda::Permission"
	arn := m{"Fn::GetAtt": []any{"Function", "Arn"}}
	for name, test := range map[string]struct {
		typ        string
		properties m
		want       reach.Answer // of the internet to Core, which the function reaches
	}{
		"a URL for everybody":                   {url, m{"AuthType": "NONE", "TargetFunctionArn": arn}, reach.CannotTell},
		"a URL for users of IAM":                {url, m{"AuthType": "AWS_IAM", "TargetFunctionArn": arn}, reach.No},
		"a URL of which it cannot be told":      {url, m{"AuthType": undecided, "TargetFunctionArn": arn}, reach.CannotTell},
		"a URL of a function that is elsewhere": {url, m{"AuthType": "NONE", "TargetFunctionArn": m{"Ref": "Elsewhere"}}, reach.No},
		"a URL of an alias":                     {url, m{"AuthType": "NONE", "TargetFunctionArn": m{"Ref": "Alias"}}, reach.CannotTell},
		"a URL of somebody":                     {url, m{"AuthType": "NONE", "TargetFunctionArn": undecided}, reach.CannotTell},
		"everybody":                             {permission, m{"Principal": "*", "FunctionName": m{"Ref": "Function"}}, reach.CannotTell},
		"an API":                                {permission, m{"Principal": "apigateway.amazonaws.com", "FunctionName": arn}, reach.CannotTell},
		"a service":                             {permission, m{"Principal": "secretsmanager.amazonaws.com", "FunctionName": arn}, reach.No},
		"everybody, a function elsewhere":       {permission, m{"Principal": "*", "FunctionName": m{"Ref": "Elsewhere"}}, reach.No},
	} {
		t.Run(name, func(t *testing.T) {
			e := small(t)
			e.undecide("Lab")
			e.add("Lab", "Function", "AWS::Lambda::Function", m{"VpcConfig": m{"SubnetIds": []any{m{"Ref": "Back"}}, "SecurityGroupIds": []any{m{"Ref": "Group"}}}})
			e.add("Lab", "Elsewhere", "AWS::Lambda::Function", m{})
			e.add("Lab", "Alias", "AWS::Lambda::Alias", m{"FunctionName": m{"Ref": "Function"}})
			e.add("Lab", "Opens", test.typ, test.properties)
			c, _ := e.read().Cell("internet", core+":22")
			if c.Answer != test.want || test.want == reach.CannotTell && c.Why[len(c.Why)-1].Where != "Lab/Opens" {
				t.Errorf("the cell is %+v, and should be %s", c, test.want)
			}
		})
	}
}

func TestWhatACalledFunctionDoesNotReachStaysShut(t *testing.T) {
	areChanges(t, mutated(t, nil, func(e editor) {
		e.add("Database", "Open", "AWS::Lambda::Url", m{"AuthType": "NONE", "TargetFunctionArn": m{"Ref": e.id("Database", "AWS::Lambda::Function", "")}})
	}), []string{"internet -> database:3306: no -> cannot tell", "203.0.113.0/24 -> database:3306: no -> cannot tell"})
}

func TestADatabaseThatBeanstalkMakesLeavesNoNo(t *testing.T) {
	areChanges(t, mutated(t, nil, func(e editor) { e.setting("aws:rds:dbinstance", "DBEngine", "mysql") }), becomeUncertain(t, reach.No))
}
