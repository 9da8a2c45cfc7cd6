package lambda

import (
	"archive/zip"
	"debug/buildinfo"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/uuid"
)

// newDrawbridge takes Drawbridge's function out of the zip that `make build` made for this machine's architecture.
func newDrawbridge(b *testing.B, w *world) *subject {
	b.Helper()
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	packed := filepath.Join("..", "..", "build", "lambda-"+architecture+".zip")
	archive, err := zip.OpenReader(packed)
	if err != nil {
		b.Fatalf("%v: run 'make build' first, as 'make bench' does", err)
	}
	defer archive.Close() //nolint:errcheck // only read
	program, err := archive.Open("bootstrap")
	if err != nil {
		b.Fatal(err)
	}
	root := b.TempDir()
	bootstrap := filepath.Join(root, "function")
	file, err := os.OpenFile(bootstrap, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(file, program); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	built, err := buildinfo.ReadFile(bootstrap)
	if err != nil {
		b.Fatal(err)
	}

	key := w.secret(b, "key", nil)
	return &subject{
		name:      "Drawbridge",
		runtime:   built.GoVersion,
		zip:       sizeOf(b, packed),
		bootstrap: launcher(b, root, bootstrap),
		environment: map[string]string{
			"DRAWBRIDGE_MASTER_SECRET_ARN": w.master,
			"DRAWBRIDGE_DB_CA_FILE":        w.mysql.CAFile,
		},
		// The key is there, but for the first time, which does not count: one secret is read, and the database is not.
		small: func() map[string]any {
			return w.event("Custom::SSHKeyPair", map[string]any{"SecretArn": key, "Generation": "1", "Comment": "bench"})
		},
		create: func(u user) map[string]any {
			return w.event("Custom::ReadOnlyUser", map[string]any{
				"Username": u.name, "Host": w.mysql.Host, "Schemas": []string{w.schema}, "MaxConnections": "10",
				"SecretArn": u.secret,
			})
		},
		check: w.succeeded,
	}
}

// event is a request of CloudFormation to create a custom resource.
func (w *world) event(resourceType string, properties map[string]any) map[string]any {
	properties["ServiceToken"] = "arn:aws:lambda:" + region + ":" + account + ":function:bench"
	return map[string]any{
		"RequestType": "Create", "ResourceType": resourceType, "ResourceProperties": properties,
		"RequestId": uuid.NewString(), "LogicalResourceId": "Resource", "ResponseURL": w.bucket.URL + "/answer",
		"StackId": "arn:aws:cloudformation:" + region + ":" + account + ":stack/bench/51af3dc0-da77-11e4-872e-1234567db123",
	}
}
