package resources

import (
	"context"
	"fmt"

	"drawbridge/rehearsal/cloudformation"
)

// rotationSchedule plays AWS::SecretsManager::RotationSchedule. Unlike Secrets Manager it waits for the rotation, or for
// its test, and fails with it, so that a function which cannot rotate is found when it is deployed. Time does not pass
// for the schedule: [Account.Rotate] is the day on which it is due.
type rotationSchedule struct{ *Account }

func (p rotationSchedule) Create(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	in := properties{values: r.Properties}
	arn, function := in.text("SecretId", true), in.text("RotationLambdaARN", true)
	immediately := in.bool("RotateImmediatelyOnUpdate", true)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	for _, name := range []string{"HostedRotationLambda", "ExternalSecretRotationMetadata"} {
		if r.Properties[name] != nil {
			return cloudformation.Resource{}, fmt.Errorf("its property %s is not played here", name)
		}
	}
	if !p.permitted(function, "secretsmanager.amazonaws.com", arn) {
		return cloudformation.Resource{}, fmt.Errorf("its function %s may not be invoked by Secrets Manager: an AWS::Lambda::Permission for secretsmanager.amazonaws.com must be there before", function)
	}
	if err := p.options.Secrets.SetRotation(arn, function); err != nil {
		return cloudformation.Resource{}, err
	}
	made := cloudformation.Resource{PhysicalID: arn}
	if immediately {
		return made, p.options.Secrets.Rotate(ctx, arn, p.invoke)
	}
	return made, p.options.Secrets.TestRotation(ctx, arn, p.invoke)
}

func (p rotationSchedule) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return p.Create(ctx, r)
}

func (p rotationSchedule) Delete(_ context.Context, r cloudformation.Request) error {
	return p.options.Secrets.SetRotation(r.PhysicalID, "")
}

// Rotate plays a secret's rotation as its schedule would, and waits for its end.
func (a *Account) Rotate(ctx context.Context, secretARN string) error {
	return a.options.Secrets.Rotate(ctx, secretARN, a.invoke)
}

// RetryRotation plays a rotation that failed again, as Secrets Manager does.
func (a *Account) RetryRotation(ctx context.Context, secretARN string) error {
	return a.options.Secrets.RetryRotation(ctx, secretARN, a.invoke)
}

func (a *Account) invoke(ctx context.Context, functionARN string, event []byte) error {
	_, err := a.Functions.Invoke(ctx, functionARN, event)
	return err
}
