package rehearsal_test

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"drawbridge/internal/notrun"
	"drawbridge/rehearsal/iam"
	"drawbridge/rehearsal/runtimeapi"
	"drawbridge/rehearsal/secretsmanager"
)

// The architecture that is deployed by default is arm64, and most machines that the tests run on are not. There, QEMU
// runs what `make build` made for it.
func TestArm64Function(t *testing.T) {
	const (
		account = "123456789012"
		role    = "arn:aws:iam::" + account + ":role/function"
	)
	bootstrap := onThisMachine(t, arm64Function(t))

	policy, err := iam.ParsePolicy(map[string]any{"Statement": map[string]any{
		"Effect": "Allow", "Action": []any{"secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"}, "Resource": "*",
	}})
	if err != nil {
		t.Fatal(err)
	}
	var roles iam.Directory
	roles.Attach(role, "secrets", policy)
	secrets, err := secretsmanager.Start(secretsmanager.Options{AccountID: account, Region: "eu-west-1", Roles: &roles})
	if err != nil {
		t.Fatal(err)
	}
	defer secrets.Close() //nolint:errcheck // nothing is kept
	key, err := secrets.Create("key", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	function, err := runtimeapi.New(runtimeapi.Config{
		Name: "arm64", ARN: "arn:aws:lambda:eu-west-1:" + account + ":function:arm64", Region: "eu-west-1",
		Bootstrap: bootstrap, Handler: "bootstrap", MemoryMiB: 256, Credentials: runtimeapi.Credentials(secrets.Credentials(role)), Log: &log,
		Environment: map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets.URL()}, Timeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := function.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})

	t.Run("answers CloudFormation", func(t *testing.T) {
		a := create(t, function, "Custom::FlipGate", map[string]any{"Exposure": "private", "Users": []any{}})
		if a.Status != "SUCCESS" || a.PhysicalResourceID != "flip-gate" {
			t.Errorf("answered %+v, want SUCCESS of flip-gate", a)
		}
	})
	t.Run("says what is wrong with a resource", func(t *testing.T) {
		a := create(t, function, "Custom::FlipGate", map[string]any{"Exposure": "open", "Users": []any{}})
		if a.Status != "FAILED" || !strings.Contains(a.Reason, "Exposure is not public or private") {
			t.Errorf("answered %+v, want FAILED for Exposure", a)
		}
	})
	t.Run("makes a key pair that others can read", func(t *testing.T) {
		a := create(t, function, "Custom::SSHKeyPair", map[string]any{
			"SecretArn": key, "Generation": "1", "Comment": "tunnel",
		})
		if a.Status != "SUCCESS" {
			t.Fatalf("answered %s: %s", a.Status, a.Reason)
		}
		private, err := secrets.Value(key, secretsmanager.Current)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := ssh.ParsePrivateKey([]byte(private))
		if err != nil {
			t.Fatalf("the secret does not hold a private key: %v", err)
		}
		want := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " tunnel"
		if a.Data.PublicKey != want {
			t.Errorf("the public key is %q, that of the secret's private key %q", a.Data.PublicKey, want)
		}
	})
	if starts := function.Starts(); starts != 1 {
		t.Errorf("the function was started %d times: it did not live through its events", starts)
	}
}

// arm64Function is the path of the program in the zip that `make build` makes for arm64.
func arm64Function(t *testing.T) string {
	t.Helper()
	archive, err := zip.OpenReader("../build/lambda-arm64.zip")
	if err != nil {
		notrun.Because(t, "build/lambda-arm64.zip cannot be read (%v): make build makes it", err)
	}
	defer archive.Close() //nolint:errcheck // only read
	entry, err := archive.Open("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	program, err := io.ReadAll(entry)
	if err != nil {
		t.Fatal(err)
	}
	header, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	if header.Machine != elf.EM_AARCH64 {
		t.Fatalf("the program in build/lambda-arm64.zip is for %v, not for arm64", header.Machine)
	}
	if header.Section(".interp") != nil {
		t.Fatal("the program in build/lambda-arm64.zip wants a dynamic linker: build it without cgo")
	}
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// onThisMachine is the path of a program that becomes the arm64 program, on whatever machine this is.
func onThisMachine(t *testing.T, program string) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		notrun.Because(t, "what is built for Lambda runs on Linux, this is %s", runtime.GOOS)
	}
	if runtime.GOARCH == "arm64" {
		return program
	}
	// A processor that has no more than what the Makefile's GOARM64=v8.0 asks for; Lambda's have more.
	script := "#!/bin/sh\nexec " + quoted(emulator(t)) + " -cpu cortex-a72 " + quoted(program) + "\n"
	path := filepath.Join(t.TempDir(), "emulated")
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// emulator looks for QEMU where scripts/qemu.sh does: on the PATH, then where that script fetched it to.
func emulator(t *testing.T) string {
	t.Helper()
	fetched, err := filepath.Abs("../.tools/qemu/qemu-aarch64")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"qemu-aarch64-static", "qemu-aarch64", fetched} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if says, err := exec.Command(path, "--version").Output(); err == nil && strings.HasPrefix(string(says), "qemu-aarch64 version ") {
			return path
		}
	}
	notrun.Because(t, "there is no emulator of arm64; run 'scripts/qemu.sh fetch'")
	return ""
}

// quoted is text as one word of a shell's.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// response is the function's answer to CloudFormation.
type response struct {
	Status, Reason     string
	PhysicalResourceID string `json:"PhysicalResourceId"`
	RequestID          string `json:"RequestId"`
	Data               struct{ PublicKey string }
}

// create has the function create a custom resource, and returns its answer.
func create(t *testing.T, function *runtimeapi.Function, resourceType string, properties map[string]any) response {
	t.Helper()
	var mu sync.Mutex
	var got []byte
	bucket := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = body
	}))
	defer bucket.Close()
	properties["ServiceToken"] = function.Config().ARN
	event, err := json.Marshal(map[string]any{
		"RequestType": "Create", "ResourceType": resourceType, "ResourceProperties": properties,
		"RequestId": t.Name(), "LogicalResourceId": "Resource", "ResponseURL": bucket.URL + "/answer",
		"StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/drawbridge-dev-Database/51af3dc0-da77-11e4-872e-1234567db123",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := function.Invoke(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	var answer response
	if err := json.Unmarshal(got, &answer); err != nil {
		t.Fatalf("the answer %q is not JSON: %v", got, err)
	}
	if answer.RequestID != t.Name() {
		t.Errorf("the answer is to the request %q, not to %q", answer.RequestID, t.Name())
	}
	return answer
}
