package operate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// identity is the answer to aws sts get-caller-identity.
type identity struct{ Account, Arn string }

// locate finds region and account, and refuses an account that is not the config's.
func (o *Operator) locate(ctx context.Context) error {
	region, err := o.findRegion(ctx)
	if err != nil {
		return err
	}
	o.aws.region = region
	return o.identify(ctx)
}

// findRegion looks where the CLIs look: the environment's config decides, then the variables, then the profile. CDK alone
// would go on to us-east-1, and the AWS CLI stop.
func (o *Operator) findRegion(ctx context.Context) (string, error) {
	if region := cmp.Or(o.Env.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")); region != "" {
		return region, nil
	}
	text, err := awsCLI{}.text(ctx, "configure", "get", "region")
	region := strings.TrimSpace(text)
	var failure *Failure
	switch {
	case err == nil && region != "":
		return region, nil
	case errors.As(err, &failure) && failure.Kind != Other:
		return "", err
	}
	// Without a region in the profile, the CLI says nothing and exits with status 1.
	return "", &Failure{Kind: NoRegion}
}

func (o *Operator) identify(ctx context.Context) error {
	if err := o.aws.answer(ctx, &o.account, "sts", "get-caller-identity"); err != nil {
		return err
	}
	if o.Env.Account != "" && o.Env.Account != o.account.Account {
		return fmt.Errorf("the config's environment %s is for the account %s, and these credentials are for %s (%s): sign in to the other, or name another environment with ENV=…",
			o.Env.Name, o.Env.Account, o.account.Account, o.account.Arn)
	}
	return nil
}

// where is account and region in words.
func (o *Operator) where() string { return "account " + o.account.Account + ", " + o.aws.region }
