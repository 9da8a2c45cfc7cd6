package constructs

import "github.com/aws/constructs-go/constructs/v10"

// FlipGateProps says what is checked before the database goes from public to private.
type FlipGateProps struct {
	Function *DatabaseFunction
	Database *Database

	// Users are the read-only users that must be able to read, and unable to write, before the flip.
	Users []*ReadOnlyUser

	// Public is the phase that the template asks for.
	Public bool
}

// FlipGate is a custom resource on which the instance depends. When the template turns from public to private,
// CloudFormation calls it before it touches the instance, and a user that is missing, cannot log in or can write makes
// the deployment fail there.
type FlipGate struct {
	constructs.Construct
}

// NewFlipGate adds a FlipGate to scope.
func NewFlipGate(scope constructs.Construct, id string, props *FlipGateProps) *FlipGate {
	g := &FlipGate{Construct: constructs.NewConstruct(scope, &id)}
	exposure := "private"
	if props.Public {
		exposure = "public"
	}
	users := []any{}
	var policies []constructs.IDependable
	for _, user := range props.Users {
		users = append(users, map[string]any{
			"Name": user.name, "Username": user.username, "Host": user.host, "Schemas": user.schemas, "SecretArn": user.Secret.SecretArn(),
		})
		policies = append(policies, user.policy)
	}
	gate := props.Function.NewResource(g.Construct, "Gate", "Custom::FlipGate", map[string]any{"Exposure": exposure, "Users": users}, policies...)
	props.Database.Instance.Node().DefaultChild().Node().AddDependency(gate)
	return g
}
