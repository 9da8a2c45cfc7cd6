package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"drawbridge/rehearsal/cloudformation"
)

// AWSCall answers one call that CDK's AwsCustomResource makes: the parts of the answer by their paths, such as
// "PlatformSummaryList.0.PlatformArn".
type AWSCall func(parameters map[string]any) (map[string]any, error)

// awsCustomResource plays CDK's AwsCustomResource, whose own function does not run here.
type awsCustomResource struct{ *Account }

// awsCall is the JSON in its properties Create, Update and Delete (the package aws-cdk-lib/custom-resources).
type awsCall struct {
	Service            string         `json:"service"`
	Action             string         `json:"action"`
	Parameters         map[string]any `json:"parameters"`
	OutputPaths        []string       `json:"outputPaths"`
	PhysicalResourceID struct {
		ID           string `json:"id"`
		ResponsePath string `json:"responsePath"`
	} `json:"physicalResourceId"`
}

func (p awsCustomResource) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return p.call("Create", r)
}

func (p awsCustomResource) Update(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return p.call("Update", r)
}

func (p awsCustomResource) Delete(_ context.Context, r cloudformation.Request) error {
	_, err := p.call("Delete", r)
	return err
}

func (p awsCustomResource) call(which string, r cloudformation.Request) (cloudformation.Resource, error) {
	made := cloudformation.Resource{PhysicalID: r.PhysicalID}
	text, ok := r.Properties[which].(string)
	if !ok {
		if which == "Create" {
			return made, errors.New("it is an AwsCustomResource without a call for its creation, which is not played here")
		}
		return made, nil // nothing is to be done then
	}
	var call awsCall
	if err := json.Unmarshal([]byte(text), &call); err != nil {
		return made, fmt.Errorf("its property %s is not the JSON of an AwsCustomResource", which)
	}
	name := call.Service + "." + call.Action
	answer := p.options.AWSCalls[name]
	if answer == nil {
		answer = map[string]AWSCall{
			"elastic-beanstalk.listplatformversions": p.listPlatformVersions,
			"ssm.getparameter":                       p.getParameter,
		}[sdkName(name)]
	}
	if answer == nil {
		return made, fmt.Errorf("the call %s is not played here: give the rehearsal an answer to it", name)
	}
	parts, err := answer(call.Parameters)
	if err != nil {
		return made, err
	}
	made.Attributes = map[string]any{}
	for path, value := range parts {
		kept := len(call.OutputPaths) == 0
		for _, wanted := range call.OutputPaths {
			kept = kept || path == wanted || strings.HasPrefix(path, wanted+".")
		}
		if kept {
			made.Attributes[path] = value
		}
	}
	if id := call.PhysicalResourceID; id.ID != "" {
		made.PhysicalID = id.ID
	} else if id.ResponsePath != "" {
		made.PhysicalID, _ = parts[id.ResponsePath].(string)
	}
	if made.PhysicalID == "" {
		return made, errors.New("its call gives it no physical id")
	}
	return made, nil
}

// listPlatformVersions answers with one version of the platform branch that the call filters for.
func (p awsCustomResource) listPlatformVersions(parameters map[string]any) (map[string]any, error) {
	filters, _ := parameters["Filters"].([]any)
	for _, filter := range filters {
		fields, _ := filter.(map[string]any)
		values, _ := fields["Values"].([]any)
		if fields["Type"] == "PlatformBranchName" && len(values) == 1 {
			arn := fmt.Sprintf("arn:aws:elasticbeanstalk:%s::platform/%v/4.0.0", p.options.Region, values[0])
			return map[string]any{"PlatformSummaryList.0.PlatformArn": arn}, nil
		}
	}
	return nil, errors.New("its call of ListPlatformVersions does not name one platform branch")
}

// sdkName is a call's name in one way of writing, as CDK takes several: "SSM.getParameter", "ssm.GetParameter" and
// "@aws-sdk/client-ssm.GetParameterCommand" are the same.
func sdkName(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(name), "@aws-sdk/client-"), "command")
}

// getParameter answers with a parameter of the Systems Manager, such as AWS's own of the newest machine images.
func (p awsCustomResource) getParameter(parameters map[string]any) (map[string]any, error) {
	name, _ := parameters["Name"].(string)
	if name == "" {
		return nil, errors.New("its call of GetParameter does not name one parameter")
	}
	if p.options.SSM == nil {
		return nil, fmt.Errorf("the parameter %s of the Systems Manager is not known here", name)
	}
	value, err := p.options.SSM(name)
	if err != nil {
		return nil, err
	}
	arn := p.arn("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
	if strings.HasPrefix(name, "/aws/") {
		arn = "arn:aws:ssm:" + p.options.Region + "::parameter" + name
	}
	return map[string]any{
		"Parameter.ARN": arn, "Parameter.Name": name, "Parameter.Type": "String", "Parameter.Value": value, "Parameter.Version": "1",
	}, nil
}

// restrictDefaultSecurityGroup plays CDK's own resource that closes a VPC's default security group.
type restrictDefaultSecurityGroup struct{}

func (restrictDefaultSecurityGroup) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	in := properties{values: r.Properties}
	group := in.text("DefaultSecurityGroupId", true)
	return cloudformation.Resource{PhysicalID: "close-" + group}, in.err
}

func (p restrictDefaultSecurityGroup) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return p.Create(ctx, r)
}

func (restrictDefaultSecurityGroup) Delete(context.Context, cloudformation.Request) error { return nil }
