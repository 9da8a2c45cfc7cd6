package awsapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	sdkmetrics "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdksecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/awsapi/awstest"
	"drawbridge/rehearsal/cloudwatch"
	"drawbridge/rehearsal/parameterstore"
	"drawbridge/rehearsal/s3"
	"drawbridge/rehearsal/secretsmanager"
)

// services are all of them on one endpoint, with something in each.
func services(t *testing.T) (awsapi.Endpoint, *awsapi.Issuer) {
	t.Helper()
	options := awstest.Options(t, map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"})
	secrets, err := secretsmanager.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := secrets.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := secrets.Create("one", "", aws.String("the secret")); err != nil {
		t.Fatal(err)
	}
	parameters, objects := parameterstore.New(options), s3.New(options)
	if err := parameters.Put("/one", "the parameter"); err != nil {
		t.Fatal(err)
	}
	objects.SetBucket("bucket", fstest.MapFS{"folder/one two+three": {Data: []byte("the object")}})
	return awsapi.Endpoint{"secretsmanager": secrets, "ssm": parameters, "monitoring": cloudwatch.New(options), "s3": objects}, options.Issuer
}

// request is a signed GET, as the role sends it.
func request(t *testing.T, issuer *awsapi.Issuer, url, service string, signedAt time.Time) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, hash := issuer.Issue(awstest.Role, 0), sha256.Sum256(nil)
	err = v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
	}, r, hex.EncodeToString(hash[:]), service, "eu-west-1", signedAt, func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func status(t *testing.T, r *http.Request) int {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestOneAddressServesAllServices(t *testing.T) {
	endpoint, issuer := services(t)
	url := awstest.Serve(t, endpoint)
	config := awstest.Config(url, issuer.Issue(awstest.Role, 0))
	secret, err := sdksecrets.NewFromConfig(config).GetSecretValue(t.Context(), &sdksecrets.GetSecretValueInput{SecretId: aws.String("one")})
	if err != nil || *secret.SecretString != "the secret" {
		t.Errorf("Secrets Manager: %v", err)
	}
	parameter, err := ssm.NewFromConfig(config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/one")})
	if err != nil || *parameter.Parameter.Value != "the parameter" {
		t.Errorf("Systems Manager: %v", err)
	}
	_, err = sdkmetrics.NewFromConfig(config).PutMetricData(t.Context(), &sdkmetrics.PutMetricDataInput{
		Namespace: aws.String("N"), MetricData: []types.MetricDatum{{MetricName: aws.String("M"), Value: aws.Float64(1)}},
	})
	if err != nil {
		t.Errorf("CloudWatch: %v", err)
	}
	if got := status(t, request(t, issuer, url+"/bucket/folder/one%20two%2Bthree", "s3", time.Now())); got != http.StatusOK {
		t.Errorf("S3: %d", got)
	}
	if got := status(t, request(t, issuer, url, "ec2", time.Now())); got != http.StatusNotFound {
		t.Errorf("a service that is not played: %d", got)
	}
	for name, config := range awstest.Strangers(url, issuer) {
		_, err := ssm.NewFromConfig(config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/one")})
		awstest.WantCode(t, err, name)
	}
}

func TestWhatIsChangedAfterSigningIsRefused(t *testing.T) {
	endpoint, issuer := services(t)
	url := awstest.Serve(t, endpoint)
	const object = "/bucket/folder/one%20two%2Bthree"
	for name, test := range map[string]struct {
		signedAt time.Time
		change   func(*http.Request)
		want     int
	}{
		"nothing":                      {time.Now(), func(*http.Request) {}, 200},
		"the path":                     {time.Now(), func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/bucket/folder/other", "" }, 403},
		"the query":                    {time.Now(), func(r *http.Request) { r.URL.RawQuery = "x-id=GetObject" }, 403},
		"the method":                   {time.Now(), func(r *http.Request) { r.Method = http.MethodHead }, 403},
		"the host":                     {time.Now(), func(r *http.Request) { r.Host = "bucket.example.com" }, 403},
		"the time":                     {time.Now(), func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260101T000000Z") }, 403},
		"the session's token":          {time.Now(), func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") }, 403},
		"nothing, but it is too old":   {time.Now().Add(-6 * time.Minute), func(*http.Request) {}, 403},
		"nothing, but it is too early": {time.Now().Add(6 * time.Minute), func(*http.Request) {}, 403},
		"the service it is signed for": {time.Now(), func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/s3/", "/ssm/", 1))
		}, 400},
		"the signature": {time.Now(), func(r *http.Request) {
			header := r.Header.Get("Authorization")
			r.Header.Set("Authorization", header[:len(header)-64]+strings.Repeat("0", 64))
		}, 403},
		"that it is signed": {time.Now(), func(r *http.Request) { r.Header.Del("Authorization") }, 403},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t, issuer, url+object, "s3", test.signedAt)
			test.change(r)
			if got := status(t, r); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
	t.Run("the region it is signed for", func(t *testing.T) {
		config := awstest.Config(url, issuer.Issue(awstest.Role, 0))
		config.Region = "us-east-1"
		_, err := ssm.NewFromConfig(config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/one")})
		awstest.WantCode(t, err, awsapi.WrongSignature)
	})
}

func TestAClosedAddressRefusesConnectionsUntilItIsServedAgain(t *testing.T) {
	endpoint, issuer := services(t)
	address, err := awsapi.Listen(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	get := func() error {
		config := awstest.Config(address.URL, issuer.Issue(awstest.Role, 0))
		_, err := ssm.NewFromConfig(config).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/one")})
		return err
	}
	if err := get(); err != nil {
		t.Error(err)
	}
	if err := address.Close(); err != nil {
		t.Fatal(err)
	}
	if err := get(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v", err)
	}
	listener, err := net.Listen("tcp", strings.TrimPrefix(address.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	again := awsapi.Serve(listener, endpoint)
	if err := get(); err != nil {
		t.Error(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
