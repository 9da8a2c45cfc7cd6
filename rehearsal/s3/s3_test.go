package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"drawbridge/internal/notrun"
	"drawbridge/rehearsal/awsapi"
	"drawbridge/rehearsal/awsapi/awstest"
)

const (
	bucket = "cdk-assets-123456789012-eu-west-1"
	key    = "hash of the host's program.zip"
)

// start is an S3 with one object of a few bytes and one of 20 MiB. The role may read both, and one that is not there.
func start(t *testing.T) (s *Server, url string, large []byte) {
	t.Helper()
	s = New(awstest.Options(t, map[string]any{
		"Effect": "Allow", "Action": "s3:GetObject",
		"Resource": []any{"arn:aws:s3:::" + bucket + "/" + key, "arn:aws:s3:::" + bucket + "/large", "arn:aws:s3:::" + bucket + "/absent"},
	}))
	large = make([]byte, 20<<20)
	_, _ = rand.Read(large) // it never fails
	s.SetBucket(bucket, fstest.MapFS{key: {Data: []byte("program")}, "large": {Data: large}, "secret": {Data: []byte("x")}})
	return s, awstest.Serve(t, s), large
}

// ask sends a request, signed unless the credentials are empty, with further headers as pairs.
func ask(t *testing.T, c awsapi.Credentials, method, url, host string, headers ...string) (status int, header http.Header, body []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if c.AccessKeyID != "" {
		hash := sha256.Sum256(nil)
		r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(hash[:]))
		err = v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{
			AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		}, r, hex.EncodeToString(hash[:]), "s3", "eu-west-1", time.Now(), func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
		if err != nil {
			t.Fatal(err)
		}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, body
}

const escapedKey = "hash%20of%20the%20host%27s%20program.zip"

func TestObjectsAreReadWhereverTheBucketStands(t *testing.T) {
	s, url, large := start(t)
	c := s.Credentials(awstest.Role)
	status, header, body := ask(t, c, http.MethodGet, url+"/"+bucket+"/"+escapedKey+"?x-id=GetObject", "")
	if status != http.StatusOK || string(body) != "program" || len(header.Get("ETag")) != 34 {
		t.Errorf("in the path: %d, %q, %v", status, body, header)
	}
	if status, _, body := ask(t, c, http.MethodGet, url+"/"+escapedKey, bucket+".s3.eu-west-1.amazonaws.com"); status != http.StatusOK || string(body) != "program" {
		t.Errorf("in the host name: %d, %q", status, body)
	}
	if status, header, body := ask(t, c, http.MethodHead, url+"/"+bucket+"/large", ""); status != http.StatusOK || len(body) > 0 || header.Get("Content-Length") != "20971520" {
		t.Errorf("HEAD: %d, %v", status, header)
	}
	status, header, body = ask(t, c, http.MethodGet, url+"/"+bucket+"/large", "", "Range", "bytes=100-199")
	if status != http.StatusPartialContent || !bytes.Equal(body, large[100:200]) || header.Get("Content-Range") != "bytes 100-199/20971520" {
		t.Errorf("a range: %d, %v", status, header)
	}
	if status, _, _ := ask(t, c, http.MethodGet, url+"/"+bucket+"/large", "", "If-Match", `"other"`); status != http.StatusPreconditionFailed {
		t.Errorf("another ETag: %d", status)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "large"), []byte("from a folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.SetBucket(bucket, os.DirFS(folder))
	if _, _, body := ask(t, c, http.MethodGet, url+"/"+bucket+"/large", ""); string(body) != "from a folder" {
		t.Errorf("%q", body)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	s, url, _ := start(t)
	good := s.Credentials(awstest.Role)
	wrong := good
	wrong.SecretAccessKey += "x"
	lister := "arn:aws:iam::123456789012:role/lister"
	s.Roles.Attach(lister, "read", s.Roles.Policies(awstest.Role)[0])
	s.Roles.Attach(lister, "list", awstest.Options(t, map[string]any{
		"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::" + bucket,
	}).Roles.Policies(awstest.Role)[0])
	for name, test := range map[string]struct {
		credentials awsapi.Credentials
		method, at  string
		status      int
		code        string
	}{
		"unsigned":                             {awsapi.Credentials{}, "GET", "/" + bucket + "/large", 403, "AccessDenied"},
		"with a wrong key":                     {wrong, "GET", "/" + bucket + "/large", 403, "SignatureDoesNotMatch"},
		"with unknown credentials":             {awsapi.Credentials{AccessKeyID: "ASIAX", SecretAccessKey: "x", SessionToken: "y"}, "GET", "/" + bucket + "/large", 403, "InvalidAccessKeyId"},
		"with credentials that have expired":   {s.Issuer.Issue(awstest.Role, 1), "GET", "/" + bucket + "/large", 400, "ExpiredToken"},
		"of a role that may do nothing":        {s.Credentials(awstest.Nobody), "GET", "/" + bucket + "/large", 403, "AccessDenied"},
		"of another object":                    {good, "GET", "/" + bucket + "/secret", 403, "AccessDenied"},
		"of another object, HEAD":              {good, "HEAD", "/" + bucket + "/secret", 403, ""},
		"of an absent object":                  {good, "GET", "/" + bucket + "/absent", 403, "AccessDenied"},
		"of an absent object, by a lister":     {s.Credentials(lister), "GET", "/" + bucket + "/absent", 404, "NoSuchKey"},
		"of an absent object, by lister, HEAD": {s.Credentials(lister), "HEAD", "/" + bucket + "/absent", 404, ""},
		"of a path out of the bucket":          {good, "GET", "/" + bucket + "/..%2f" + bucket + "%2flarge", 403, "AccessDenied"},
		"of a version":                         {good, "GET", "/" + bucket + "/large?versionId=1", 501, "NotImplemented"},
		"to write":                             {good, "PUT", "/" + bucket + "/large", 501, "NotImplemented"},
		"to list":                              {good, "GET", "/" + bucket, 501, "NotImplemented"},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, body := ask(t, test.credentials, test.method, url+test.at, "")
			var answer struct{ Code string }
			if len(body) > 0 {
				if err := xml.Unmarshal(body, &answer); err != nil {
					t.Errorf("%q: %v", body, err)
				}
			}
			if status != test.status || answer.Code != test.code {
				t.Errorf("%d %s, want %d %s", status, answer.Code, test.status, test.code)
			}
		})
	}
}

// copyFrom runs `aws s3 cp` as the role.
func copyFrom(t *testing.T, url string, c awsapi.Credentials, key string) (content []byte, err error) {
	t.Helper()
	program, err := exec.LookPath("aws")
	if err != nil {
		notrun.Because(t, "the AWS CLI is missing: install awscli")
	}
	file := filepath.Join(t.TempDir(), "file")
	command := exec.CommandContext(t.Context(), program, "s3", "cp", "--only-show-errors", "s3://"+bucket+"/"+key, file)
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_ENDPOINT_URL=" + url, "AWS_DEFAULT_REGION=eu-west-1", "AWS_MAX_ATTEMPTS=2",
		"AWS_ACCESS_KEY_ID=" + c.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey, "AWS_SESSION_TOKEN=" + c.SessionToken,
	}
	if root, found := os.LookupEnv("PYENV_ROOT"); found {
		command.Env = append(command.Env, "PYENV_ROOT="+root)
	}
	if output, err := command.CombinedOutput(); err != nil {
		return output, err
	}
	return os.ReadFile(file)
}

func TestTheAWSCLICopiesObjects(t *testing.T) {
	s, url, large := start(t)
	c := s.Credentials(awstest.Role)
	for key, want := range map[string][]byte{key: []byte("program"), "large": large} {
		if got, err := copyFrom(t, url, c, key); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, %.300s", key, err, got)
		}
	}
	ranges := slices.DeleteFunc(s.Calls(), func(c awsapi.Call) bool {
		return c.Operation != "GetObject" || !strings.HasSuffix(c.Resource, "/large")
	})
	if len(ranges) < 3 {
		t.Errorf("the large object came in %d ranges", len(ranges))
	}
	if output, err := copyFrom(t, url, c, "secret"); err == nil || !strings.Contains(string(output), "403") {
		t.Errorf("an object that the role may not read: %v, %s", err, output)
	}
	s.Inject(awsapi.Fault{Operation: "GetObject", Truncate: true})
	if output, err := copyFrom(t, url, c, key); err == nil {
		t.Errorf("an object that is cut off: %q", output)
	}
}
