package instancemetadata

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/awsapi/awstest"
	"drawbridge/rehearsal/parameterstore"
)

func start(t *testing.T, change func(*Options)) (s *Server, url string) {
	t.Helper()
	options := Options{
		AccountID: "123456789012", Region: "eu-west-1", AvailabilityZone: "eu-west-1b", InstanceID: "i-0123456789abcdef0",
		InstanceType: "t4g.micro", ImageID: "ami-0123456789abcdef0", Architecture: "arm64", PrivateIP: "10.0.0.10", RoleARN: awstest.Role,
	}
	if change != nil {
		change(&options)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = New(options)
	address := s.Serve(listener)
	t.Cleanup(func() {
		if err := address.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, address.URL
}

func ask(t *testing.T, method, url string, headers ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestATokenIsNeeded(t *testing.T) {
	_, url := start(t, nil)
	item := url + "/latest/meta-data/instance-id"
	for name, headers := range map[string][]string{"no token": nil, "an empty one": {tokenHeader, ""}, "a made-up one": {tokenHeader, "x"}} {
		if status, body := ask(t, http.MethodGet, item, headers...); status != http.StatusUnauthorized || body != "" {
			t.Errorf("%s: %d %q", name, status, body)
		}
	}
	for _, ttl := range []string{"", "0", "-1", "21601", "x"} {
		if status, _ := ask(t, http.MethodPut, url+tokenPath, ttlHeader, ttl); status != http.StatusBadRequest {
			t.Errorf("a token for %q seconds: %d", ttl, status)
		}
	}
	if status, _ := ask(t, http.MethodPut, url+tokenPath, ttlHeader, "60", "X-Forwarded-For", "10.0.0.1"); status != http.StatusForbidden {
		t.Errorf("a token through a proxy: %d", status)
	}
	if status, _ := ask(t, http.MethodGet, url+tokenPath, ttlHeader, "60"); status != http.StatusMethodNotAllowed {
		t.Errorf("a token by GET: %d", status)
	}
	status, token := ask(t, http.MethodPut, url+tokenPath, ttlHeader, "1")
	if status != http.StatusOK || len(token) != 56 {
		t.Fatalf("a token: %d %q", status, token)
	}
	if status, body := ask(t, http.MethodGet, item, tokenHeader, token); status != http.StatusOK || body != "i-0123456789abcdef0" {
		t.Errorf("with the token: %d %q", status, body)
	}
	if status, _ := ask(t, http.MethodPost, item, tokenHeader, token); status != http.StatusMethodNotAllowed {
		t.Errorf("by POST: %d", status)
	}
	for status = http.StatusOK; status == http.StatusOK; time.Sleep(50 * time.Millisecond) {
		status, _ = ask(t, http.MethodGet, item, tokenHeader, token)
	}
	if status != http.StatusUnauthorized {
		t.Errorf("with a token that has expired: %d", status)
	}
}

func TestMetadata(t *testing.T) {
	s, url := start(t, nil)
	_, token := ask(t, http.MethodPut, url+tokenPath, ttlHeader, "21600")
	for path, want := range map[string]string{
		"meta-data/placement/region":              "eu-west-1",
		"meta-data/placement/availability-zone":   "eu-west-1b",
		"meta-data/placement":                     "availability-zone\nregion",
		"meta-data/iam/":                          "info\nsecurity-credentials/",
		"meta-data/iam/security-credentials/":     "host",
		"meta-data/iam/security-credentials":      "host",
		"meta-data/iam/security-credentials/mine": "404",
		"meta-data/public-hostname":               "404",
		"meta-data/iam/security-credentials/hos":  "404",
		"":                                        "dynamic/\nmeta-data/",
	} {
		status, body := ask(t, http.MethodGet, url+"/latest/"+path, tokenHeader, token)
		if body != want && (status != http.StatusNotFound || want != "404" || body != "") {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	document := func(path string) (fields map[string]any) {
		_, body := ask(t, http.MethodGet, url+"/latest/"+path, tokenHeader, token)
		if err := json.Unmarshal([]byte(body), &fields); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return fields
	}
	if d := document("dynamic/instance-identity/document"); d["instanceId"] != "i-0123456789abcdef0" || d["accountId"] != "123456789012" || d["region"] != "eu-west-1" {
		t.Errorf("%v", d)
	}
	if d := document("meta-data/iam/info"); d["InstanceProfileArn"] != "arn:aws:iam::123456789012:instance-profile/host" {
		t.Errorf("%v", d)
	}
	if requests := s.Requests(); requests[0] != (Request{http.MethodPut, tokenPath, http.StatusOK}) {
		t.Errorf("%v", requests[0])
	}
	_, url = start(t, func(o *Options) { o.RoleARN = "" })
	_, token = ask(t, http.MethodPut, url+tokenPath, ttlHeader, "60")
	if status, _ := ask(t, http.MethodGet, url+"/latest/meta-data/iam/security-credentials/", tokenHeader, token); status != http.StatusNotFound {
		t.Errorf("an instance without a role: %d", status)
	}
}

func TestTheSDKFindsRegionAndCredentialsThere(t *testing.T) {
	options := awstest.Options(t, map[string]any{"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"})
	parameters := parameterstore.New(options)
	if err := parameters.Put("/one", "1"); err != nil {
		t.Fatal(err)
	}
	_, url := start(t, func(o *Options) { o.Issuer, o.Lifetime = options.Issuer, time.Second })
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_V1_DISABLED": "true", "AWS_ENDPOINT_URL": awstest.Serve(t, parameters),
		"AWS_CONFIG_FILE": "/absent", "AWS_SHARED_CREDENTIALS_FILE": "/absent", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "",
	} {
		t.Setenv(name, value)
	}
	c, err := config.LoadDefaultConfig(t.Context(), config.WithEC2IMDSRegion(), config.WithRetryMaxAttempts(1))
	if err != nil {
		t.Fatal(err)
	}
	if c.Region != "eu-west-1" {
		t.Errorf("the region is %q", c.Region)
	}
	get := func(config aws.Config) error {
		_, err := ssm.NewFromConfig(config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/one")})
		return err
	}
	if err := get(c); err != nil {
		t.Error(err)
	}
	first, err := c.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kept := c.Copy()
	kept.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return first, nil })
	for err = get(kept); err == nil; err = get(kept) {
		time.Sleep(50 * time.Millisecond)
	}
	awstest.WantCode(t, err, awsapi.Expired)
	c.Credentials.(*aws.CredentialsCache).Invalidate()
	if err := get(c); err != nil {
		t.Errorf("with new credentials: %v", err)
	}
	if second, err := c.Credentials.Retrieve(t.Context()); err != nil || second.AccessKeyID == first.AccessKeyID || !strings.HasPrefix(second.AccessKeyID, "ASIA") {
		t.Errorf("the credentials are the same: %v", err)
	}
}
