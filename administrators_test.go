package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"drawbridge/internal/cdktest"
	"drawbridge/internal/notrun"
)

// What a reviewer sees of an administrator who comes, changes or goes: the CDK CLI's own diff.
func TestTheDiffOfAnAdministratorIsOneParameter(t *testing.T) {
	cli := filepath.Join(cdktest.Root(t), "node_modules", ".bin", "cdk")
	if _, err := os.Stat(cli); err != nil {
		notrun.Because(t, "node_modules has no CDK CLI: run npm ci")
	}
	const (
		key   = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1OAiZeiZGLxRw7hKGUnTOvJfwsHBlDXTBWtXaCLmEz"
		other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExmMLlUwmkMBK9UmgpbTjJGjPoEwcs1efcVMlFheV6"
	)
	person := func(name, key, access string) any {
		return map[string]any{"name": name, "access": access, "publicKeys": []any{key}}
	}
	with := func(people ...any) string {
		assembly, stderr, code := synth(t, changed(t, func(dev map[string]any) {
			dev["bastion"].(map[string]any)["administrators"] = people
		}))
		if code != 0 {
			t.Fatal(stderr)
		}
		return assembly
	}
	noa := person("noa", other, "tunnel")
	none, shell, tunnel := with(noa), with(noa, person("malia", key, "shell")), with(noa, person("malia", key, "tunnel"))

	for name, test := range map[string]struct{ before, after, sign string }{
		"who comes":   {none, shell, "[+]"},
		"who changes": {shell, tunnel, "[~]"},
		"who goes":    {shell, none, "[-]"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, stack := range []string{"Network", "Database", "WebApp", "Tunnel"} {
				if readFile(t, test.before, stack) != readFile(t, test.after, stack) {
					t.Errorf("the template of %s differs", stack)
				}
			}
			diff := exec.Command(cli, "diff", "--app", test.after, "--exclusively", "--no-notices", "--no-color",
				"--template", filepath.Join(test.before, "Bastion.template.json"), "Bastion")
			diff.Dir = t.TempDir()
			diff.Env = append(os.Environ(), "HOME="+diff.Dir, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20")
			output, err := diff.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			changes := regexp.MustCompile(`(?m)^\[.\] .*$`).FindAllString(string(output), -1)
			if len(changes) != 1 || !strings.HasPrefix(changes[0], test.sign+" AWS::SSM::Parameter ") || !strings.Contains(changes[0], "Administratormalia") {
				t.Errorf("the diff is\n%s", output)
			}
			for _, section := range []string{"IAM", "Security Group", "Parameters", "Outputs", "may be replaced", "requires replacement"} {
				if strings.Contains(string(output), section) {
					t.Errorf("the diff speaks of %s:\n%s", section, output)
				}
			}
		})
	}
}

func readFile(t *testing.T, assembly, stack string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(assembly, stack+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
