package administrators

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
)

// perPage is the most that GetParametersByPath returns at once (AWS Systems Manager API Reference).
const perPage = 10

// listed is what Parameter Store holds about the people.
type listed struct {
	people   []person // sorted by name
	problems []string // a sentence for each parameter that gives nobody access
}

// fetch reads the parameters below a path. Either all were read, or there is an error.
func fetch(ctx context.Context, client ssm.GetParametersByPathAPIClient, path string) (*listed, error) {
	list := &listed{}
	pages := ssm.NewGetParametersByPathPaginator(client, &ssm.GetParametersByPathInput{
		Path: &path, MaxResults: aws.Int32(perPage),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, unreadable(path, err)
		}
		for _, parameter := range page.Parameters {
			list.add(path, parameter)
		}
	}
	slices.SortStableFunc(list.people, func(a, b person) int { return strings.Compare(a.Name, b.Name) })
	// Two pages may both hold a parameter when others were added in between.
	list.people = slices.CompactFunc(list.people, func(a, b person) bool { return a.Name == b.Name })
	slices.Sort(list.problems)
	list.problems = slices.Compact(list.problems)
	return list, nil
}

func (l *listed) add(path string, parameter types.Parameter) {
	full := aws.ToString(parameter.Name)
	problem := func(why string) {
		l.problems = append(l.problems, fmt.Sprintf("the parameter %q gives nobody access: %s", full, why))
	}
	name, ok := strings.CutPrefix(full, path+"/")
	if !ok {
		problem("it does not lie below " + path)
		return
	}
	if parameter.Type != types.ParameterTypeString {
		problem("it is not of the type String")
		return
	}
	p, err := parsePerson(name, aws.ToString(parameter.Value))
	if err != nil {
		problem(err.Error())
		return
	}
	l.people = append(l.people, p)
}

// unreadable is the error for parameters that could not be read.
func unreadable(path string, err error) error {
	do := "check this host's way to Systems Manager"
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		do = "look up " + api.ErrorCode() + " in the AWS Systems Manager API Reference"
		switch api.ErrorCode() {
		case "AccessDeniedException":
			do = "allow ssm:GetParametersByPath on it for this host's role"
		case "ThrottlingException":
			do = "nothing needs to be done unless it goes on"
		}
	}
	return fmt.Errorf("the administrators below %s in Parameter Store cannot be read, so nothing was changed: %s: %w", path, do, err)
}
