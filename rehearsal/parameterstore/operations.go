package parameterstore

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/iam"
)

// maxPage is the greatest and the usual number of parameters on a page ("GetParametersByPath", MaxResults).
const maxPage = 10

var wire = awsapi.JSON{Target: "AmazonSSM."}

// protocol implements [awsapi.Protocol].
type protocol struct{ *Server }

func (protocol) Name(r *awsapi.Request) (operation, resource string) {
	var in struct{ Path, Name string }
	_ = json.Unmarshal(r.Body, &in) // what is wrong with it is said by Answer
	return wire.Operation(r), in.Path + in.Name
}

func (protocol) Refuse(w http.ResponseWriter, r *awsapi.Request, e *awsapi.Error) {
	wire.Refuse(w, r, e)
}

func (p protocol) Answer(r *awsapi.Request) (awsapi.Answer, error) {
	if err := wire.Check(r); err != nil {
		return nil, err
	}
	operations := map[string]func(*awsapi.Request) (any, error){
		"GetParametersByPath": p.getParametersByPath,
		"GetParameter":        p.getParameter,
	}
	run, known := operations[r.Operation]
	if !known {
		return nil, &awsapi.Error{Code: awsapi.NoOperation, Message: "the rehearsal does not play this operation"}
	}
	// The resource is the parameter with the path's or name's ARN, and what is below it is not looked at ("Actions,
	// resources, and condition keys for AWS Systems Manager", Service Authorization Reference).
	if err := p.Authorize(r, "ssm:"+r.Operation, p.arn(r.Resource), nil, iam.Policies{}); err != nil {
		return nil, err
	}
	result, err := run(r)
	if err != nil {
		return nil, err
	}
	return wire.Result(result)
}

// described is the data type Parameter.
type described struct {
	ARN, Name, Type, Value, DataType string
	Version                          int64
	LastModifiedDate                 float64 // seconds since 1970
}

func (s *Server) describe(p parameter) described {
	return described{s.arn(p.name), p.name, p.kind, p.value, "text", p.version, float64(p.changed.UnixMilli()) / 1000}
}

func (s *Server) getParameter(r *awsapi.Request) (any, error) {
	var in struct {
		Name           string
		WithDecryption bool // of no effect on the types that are played
	}
	if err := wire.Decode(r, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.parameters[in.Name]
	if !ok {
		return nil, notFound()
	}
	return struct{ Parameter described }{s.describe(found)}, nil
}

func (s *Server) getParametersByPath(r *awsapi.Request) (any, error) {
	var in struct {
		Path                      string
		Recursive, WithDecryption bool
		MaxResults                *int
		NextToken                 string
		ParameterFilters          []any
	}
	if err := wire.Decode(r, &in); err != nil {
		return nil, err
	}
	invalid := func(message string) error { return &awsapi.Error{Code: "ValidationException", Message: message} }
	size := maxPage
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	after, token, found := strings.Cut(decodeToken(in.NextToken), " ")
	switch {
	case !strings.HasPrefix(in.Path, "/") || in.Path != "/" && !nameRule.MatchString(strings.TrimSuffix(in.Path, "/")):
		return nil, invalid("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\".")
	case size < 1 || size > maxPage:
		return nil, invalid("Value at 'maxResults' failed to satisfy constraint: Member must have value between 1 and 10.")
	case len(in.ParameterFilters) > 0:
		return nil, invalid("the rehearsal does not play ParameterFilters")
	case in.NextToken != "" && (!found || token != in.Path):
		return nil, &awsapi.Error{Code: "InvalidNextToken", Message: "The specified token isn't valid."}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.NextToken != "" && s.pageLimit == 0 {
		size = maxPage // only the first page is empty
	} else {
		size = min(size, s.pageLimit)
	}
	out := struct {
		Parameters []described
		NextToken  string `json:",omitempty"`
	}{Parameters: []described{}}
	below := strings.TrimSuffix(in.Path, "/") + "/"
	for _, name := range slices.Sorted(maps.Keys(s.parameters)) {
		rest, ok := strings.CutPrefix(name, below)
		if !ok || !in.Recursive && strings.Contains(rest, "/") || name <= after {
			continue
		}
		if len(out.Parameters) == size {
			out.NextToken = encodeToken(after + " " + in.Path)
			break
		}
		out.Parameters = append(out.Parameters, s.describe(s.parameters[name]))
		after = name
	}
	return out, nil
}

// A token holds the last name of the page before, and the path that it is good for.
func encodeToken(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func decodeToken(token string) string {
	text, _ := base64.StdEncoding.DecodeString(token) // "" is refused as no token
	return string(text)
}
