package lambda

import (
	"archive/zip"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"drawbridge/internal/notrun"
)

// newPeer takes the handler that cdk-rds-sql uploads as it is: index.js and the certificates of RDS, to which the test
// server's is added, as Drawbridge's function is told of it too. What Lambda's runtime nodejs22.x would give it, Node 22
// and the AWS SDK for JavaScript, comes from npm as well.
//
// The handler takes its events from CDK's provider framework, a second Lambda function, which answers CloudFormation.
func newPeer(b *testing.B, w *world) *subject {
	b.Helper()
	modules := nodeModules(b)
	// The machine's own Node may be of another age than Lambda's, and its speed with it.
	architecture := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	node := filepath.Join(modules, "node-linux-"+architecture, "bin", "node")
	handler := filepath.Join(modules, "cdk-rds-sql", "lib", "handler")

	root := b.TempDir()
	if err := os.Symlink(filepath.Join(handler, "index.js"), filepath.Join(root, "index.js")); err != nil {
		b.Fatal(err)
	}
	var authorities []byte
	for _, file := range []string{filepath.Join(handler, "global-bundle.pem"), w.mysql.CAFile} {
		content, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		authorities = append(append(authorities, content...), '\n')
	}
	if err := os.WriteFile(filepath.Join(root, "global-bundle.pem"), authorities, 0o644); err != nil {
		b.Fatal(err)
	}
	bootstrap, err := filepath.Abs(filepath.Join("node", "bootstrap.cjs"))
	if err != nil {
		b.Fatal(err)
	}
	return &subject{
		name:        "cdk-rds-sql " + packageVersion(b, filepath.Join(modules, "cdk-rds-sql")),
		runtime:     "Node " + strings.TrimPrefix(output(b, node, "--version"), "v"),
		zip:         zipped(b, handler, "index.js", "global-bundle.pem"),
		bootstrap:   launcher(b, root, node, bootstrap),
		environment: map[string]string{"SECRET_ARN": w.master},
		// There is nothing to roll back: one secret is read, and the database is not.
		small: func() map[string]any {
			return map[string]any{"RequestType": "Delete", "ResourceProperties": map[string]any{
				"Resource": "sql", "ResourceId": "none",
			}}
		},
		create: func(u user) map[string]any {
			return map[string]any{"RequestType": "Create", "ResourceProperties": map[string]any{
				"Resource": "role", "ResourceId": u.name, "PasswordArn": u.secret, "DatabaseName": w.schema,
				"EnableIamAuth": "false",
			}}
		},
		check: func(*testing.B) {}, // what it answers is the invocation's result
	}
}

// nodeModules returns the folder with the packages that node/package-lock.json names, installed if they are not.
func nodeModules(b *testing.B) string {
	b.Helper()
	modules, err := filepath.Abs(filepath.Join("node", "node_modules"))
	if err != nil {
		b.Fatal(err)
	}
	locked, err := os.ReadFile(filepath.Join("node", "package-lock.json"))
	if err != nil {
		b.Fatal(err)
	}
	// What was installed is written down last, so that an install that was broken off is done again.
	record := filepath.Join(modules, ".installed")
	if installed, err := os.ReadFile(record); err == nil && string(installed) == string(locked) {
		return modules
	}
	if _, err := exec.LookPath("npm"); err != nil {
		notrun.Because(b, "there is no npm on the PATH, which installs the function to compare with")
	}
	fmt.Fprintln(os.Stderr, "Installing cdk-rds-sql, Node and the AWS SDK for JavaScript (npm ci in bench/lambda/node) ...")
	npm := exec.Command("npm", "ci", "--silent")
	npm.Dir = "node"
	if text, err := npm.CombinedOutput(); err != nil {
		b.Fatalf("npm ci in bench/lambda/node failed (%v): %s", err, strings.TrimSpace(string(text)))
	}
	if err := os.WriteFile(record, locked, 0o644); err != nil {
		b.Fatal(err)
	}
	return modules
}

func packageVersion(b *testing.B, dir string) string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		b.Fatal(err)
	}
	var described struct{ Version string }
	if err := json.Unmarshal(text, &described); err != nil {
		b.Fatal(err)
	}
	return described.Version
}

// zipped is the size of a zip file of some files in a folder, packed as tightly as Drawbridge's is.
func zipped(b *testing.B, dir string, names ...string) bytes {
	b.Helper()
	var size counter
	archive := zip.NewWriter(&size)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		entry, err := archive.Create(name)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := entry.Write(content); err != nil {
			b.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		b.Fatal(err)
	}
	return bytes(size)
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
