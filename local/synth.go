package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// assembly is where the templates go.
const assembly = "cdk.out/local"

// synthesize writes the templates of the environment dev, for this machine's architecture, and says what is in them.
// Everything that they need has been built.
func synthesize(ctx context.Context) (string, error) {
	architecture := "x86_64"
	if runtime.GOARCH == "arm64" {
		architecture = "arm64"
	}
	if err := os.RemoveAll(assembly); err != nil { // templates of an earlier config
		return "", err
	}
	cdk := exec.CommandContext(ctx, filepath.Join("node_modules", ".bin", "cdk"), "synth", "--build", "true", "--quiet", "--no-lookups",
		"--context", "architecture="+architecture, "--output", assembly)
	// Validation takes three times as long as the rest; `make synth` validates. The DSN holds a password.
	cdk.Env = append(slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "MYSQL_DSN=") }),
		"CDK_VALIDATION=false")
	cdk.Cancel = func() error { return cdk.Process.Signal(os.Interrupt) }
	cdk.WaitDelay = time.Second
	if output, err := cdk.CombinedOutput(); ctx.Err() != nil {
		return "", ctx.Err()
	} else if err != nil {
		return "", fmt.Errorf("the stacks cannot be synthesized:\n%s", cmp.Or(strings.TrimSpace(string(output)), err.Error()))
	}
	return describe(assembly)
}

// describe names the stacks of a cloud assembly, each with the number of its resources.
func describe(assembly string) (string, error) {
	text, err := os.ReadFile(filepath.Join(assembly, "manifest.json"))
	if err != nil {
		return "", err
	}
	var manifest struct {
		Artifacts map[string]struct {
			Type       string
			Properties struct{ TemplateFile string }
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return "", fmt.Errorf("read %s/manifest.json: %w", assembly, err)
	}
	var stacks []string
	for _, name := range []string{"Network", "Database", "Bastion", "WebApp", "Tunnel"} {
		artifact, ok := manifest.Artifacts[name]
		if !ok {
			continue
		}
		text, err := os.ReadFile(filepath.Join(assembly, artifact.Properties.TemplateFile))
		if err != nil {
			return "", err
		}
		var template struct{ Resources map[string]json.RawMessage }
		if err := json.Unmarshal(text, &template); err != nil {
			return "", fmt.Errorf("read the template of %s: %w", name, err)
		}
		stacks = append(stacks, fmt.Sprintf("%s (%d resources)", name, len(template.Resources)))
	}
	return strings.Join(stacks, ", "), nil
}
