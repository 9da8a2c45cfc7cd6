package parameterstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/awsapi/awstest"
)

const path = "/drawbridge/dev/administrators"

// start is a store, and a client that may read below path and one further parameter.
func start(t *testing.T) (*Server, *ssm.Client, string) {
	t.Helper()
	s := New(awstest.Options(t, map[string]any{
		"Effect": "Allow", "Action": []any{"ssm:GetParametersByPath", "ssm:GetParameter"},
		"Resource": []any{"arn:aws:ssm:eu-west-1:123456789012:parameter" + path, "arn:aws:ssm:eu-west-1:123456789012:parameter/one"},
	}))
	url := awstest.Serve(t, s)
	return s, ssm.NewFromConfig(awstest.Config(url, s.Credentials(awstest.Role))), url
}

func put(t *testing.T, s *Server, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := s.Put(name, "value of "+name); err != nil {
			t.Fatal(err)
		}
	}
}

// pages are the names on each page below path.
func pages(t *testing.T, c *ssm.Client, in ssm.GetParametersByPathInput) (pages [][]string, err error) {
	t.Helper()
	in.Path = aws.String(path)
	paginator := ssm.NewGetParametersByPathPaginator(c, &in)
	for paginator.HasMorePages() {
		out, err := paginator.NextPage(t.Context())
		if err != nil {
			return pages, err
		}
		names := []string{}
		for _, p := range out.Parameters {
			names = append(names, strings.TrimPrefix(*p.Name, path+"/"))
		}
		pages = append(pages, names)
	}
	return pages, nil
}

func TestParametersComeInPages(t *testing.T) {
	s, c, _ := start(t)
	wantPages := func(in ssm.GetParametersByPathInput, want ...int) {
		t.Helper()
		got, err := pages(t, c, in)
		if err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for _, page := range got {
			sizes = append(sizes, len(page))
		}
		all := slices.Concat(got...)
		if !slices.Equal(sizes, want) || !slices.IsSorted(all) || len(slices.Compact(all)) != len(all) {
			t.Errorf("the pages are %v", got)
		}
	}
	wantPages(ssm.GetParametersByPathInput{}, 0)
	for n := range 23 {
		put(t, s, fmt.Sprintf("%s/p%02d", path, n))
	}
	put(t, s, path+"x", path+"/deeper/p", "/one")
	wantPages(ssm.GetParametersByPathInput{}, 10, 10, 3)
	wantPages(ssm.GetParametersByPathInput{Recursive: aws.Bool(true), WithDecryption: aws.Bool(true)}, 10, 10, 4)
	wantPages(ssm.GetParametersByPathInput{MaxResults: aws.Int32(9)}, 9, 9, 5)
	s.LimitPages(8)
	wantPages(ssm.GetParametersByPathInput{MaxResults: aws.Int32(9)}, 8, 8, 7)
	s.LimitPages(0)
	wantPages(ssm.GetParametersByPathInput{}, 0, 10, 10, 3)
}

func TestParameterHasItsValueAndVersion(t *testing.T) {
	s, c, _ := start(t)
	put(t, s, "/one", "/one")
	out, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/one")})
	if err != nil {
		t.Fatal(err)
	}
	p := out.Parameter
	if *p.Value != "value of /one" || p.Version != 2 || p.Type != types.ParameterTypeString || time.Since(*p.LastModifiedDate) > time.Minute ||
		*p.ARN != "arn:aws:ssm:eu-west-1:123456789012:parameter/one" {
		t.Errorf("%+v", p)
	}
	s.Delete("/one")
	_, err = c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/one")})
	var gone *types.ParameterNotFound
	if !errors.As(err, &gone) {
		t.Errorf("a parameter that was deleted: %v", err)
	}
	if _, found := s.Value("/one"); found {
		t.Error("it still has a value")
	}
}

func TestRequestsThatAreNotUnderstood(t *testing.T) {
	s, c, _ := start(t)
	for n := range 11 {
		put(t, s, fmt.Sprintf("%s/p%02d", path, n))
	}
	for _, size := range []int32{0, 11} {
		_, err := c.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String(path), MaxResults: &size})
		awstest.WantCode(t, err, "ValidationException")
	}
	for _, token := range []string{"x", "eA=="} {
		_, err := c.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String(path), NextToken: &token})
		awstest.WantCode(t, err, "InvalidNextToken")
	}
	_, err := c.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/one"), Value: aws.String("x")})
	awstest.WantCode(t, err, awsapi.NoOperation)
}

func TestOnlyWhatTheRoleMayReadIsGiven(t *testing.T) {
	s, c, url := start(t)
	put(t, s, path+"/malia", "/one")
	in := &ssm.GetParametersByPathInput{Path: aws.String(path)}
	for code, config := range awstest.Strangers(url, s.Issuer) {
		_, err := ssm.NewFromConfig(config).GetParametersByPath(t.Context(), in)
		awstest.WantCode(t, err, code)
	}
	for _, other := range []string{"/", "/drawbridge/dev", path + "/", path + "/malia"} {
		_, err := c.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: &other})
		awstest.WantCode(t, err, awsapi.Denied)
	}
	_, err := c.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(path + "/malia")})
	awstest.WantCode(t, err, awsapi.Denied)
	calls := s.Calls()
	if last := calls[len(calls)-1]; last != (awsapi.Call{Operation: "GetParameter", Resource: path + "/malia", Principal: awstest.Role, Code: awsapi.Denied}) {
		t.Errorf("the last call is recorded as %+v", last)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"Path":"/"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AmazonSSM.GetParametersByPath")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("an unsigned request gets %d", response.StatusCode)
	}
}

func TestFaults(t *testing.T) {
	s, c, _ := start(t)
	for n := range 25 {
		put(t, s, fmt.Sprintf("%s/p%02d", path, n))
	}
	t.Run("a page fails in the middle", func(t *testing.T) {
		s.Inject(awsapi.Fault{Operation: "GetParametersByPath", Skip: 1, Times: 1, Code: "InternalServerError", Status: 500})
		got, err := pages(t, c, ssm.GetParametersByPathInput{})
		awstest.WantCode(t, err, "InternalServerError")
		if len(got) != 1 {
			t.Errorf("%d pages came before", len(got))
		}
	})
	t.Run("it throttles", func(t *testing.T) {
		s.Inject(awsapi.Fault{Times: 1, Code: "ThrottlingException"})
		_, err := pages(t, c, ssm.GetParametersByPathInput{})
		awstest.WantCode(t, err, "ThrottlingException")
	})
	t.Run("an answer is cut off", func(t *testing.T) {
		s.Inject(awsapi.Fault{Times: 1, Truncate: true})
		if got, err := pages(t, c, ssm.GetParametersByPathInput{}); err == nil || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("it is down, and up again", func(t *testing.T) {
		before := len(s.Calls())
		s.Down()
		if _, err := pages(t, c, ssm.GetParametersByPathInput{}); err == nil {
			t.Error("it answers")
		}
		s.Up()
		if got, err := pages(t, c, ssm.GetParametersByPathInput{}); err != nil || len(got) != 3 {
			t.Errorf("%v, %v", got, err)
		}
		if calls := len(s.Calls()) - before; calls != 3 {
			t.Errorf("%d calls are recorded", calls)
		}
	})
	t.Run("an answer is slow", func(t *testing.T) {
		s.Inject(awsapi.Fault{Times: 1, Delay: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := c.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: aws.String(path)}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
	if n := s.PendingFaults(); n != 0 {
		t.Errorf("%d faults did not hit", n)
	}
}

func TestParametersThatParameterStoreRefuses(t *testing.T) {
	s, _, _ := start(t)
	for _, name := range []string{"", "/", "a/b", "//a", "/a/", "/a b", "/aws/x", "ssm-x", "/AWSx", strings.Repeat("/a", 16), "/" + strings.Repeat("a", 1011)} {
		if s.Put(name, "x") == nil {
			t.Errorf("%q is taken", name)
		}
	}
	for _, value := range []string{"", strings.Repeat("x", 4097)} {
		if s.Put("/one", value) == nil {
			t.Errorf("a value of %d bytes is taken", len(value))
		}
	}
	if s.PutType("/one", "SecureString", "x") == nil {
		t.Error("a SecureString is taken")
	}
	put(t, s, "one", strings.Repeat("/a", 15))
}
