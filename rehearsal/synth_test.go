package rehearsal

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/notrun"
	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/template"
)

// synthesize writes the environment dev in one phase to a folder of its own, from what `make build` made.
func synthesize(t *testing.T, exposure string) *template.Assembly {
	t.Helper()
	for _, part := range []string{"../build/cdk", "../node_modules/.bin/cdk"} {
		if _, err := os.Stat(part); err != nil {
			notrun.Because(t, "%s is missing: make build node_modules makes it", strings.TrimPrefix(part, "../"))
		}
	}
	machine := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	out := filepath.Join(t.TempDir(), "cdk.out")
	cdk := exec.Command("node_modules/.bin/cdk", "synth", "--build", "true", "--quiet", "--no-lookups",
		"--context", "exposure="+exposure, "--context", "architecture="+machine, "--output", out)
	cdk.Dir = ".."
	cdk.Env = append(os.Environ(), "CDK_VALIDATION=false")
	if output, err := cdk.CombinedOutput(); err != nil {
		t.Fatalf("cdk synth: %v\n%s", err, output)
	}
	assembly, err := template.ReadAssembly(out)
	if err != nil {
		t.Fatal(err)
	}
	return assembly
}

// named plays our own custom resources and Lambda function without running a program.
type named struct{ cloudformation.Provider }

func (named) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return cloudformation.Resource{PhysicalID: r.Type + ":" + r.LogicalID, Attributes: map[string]any{
		"Arn": "arn:aws:lambda:eu-west-1:123456789012:function:" + r.LogicalID, "PublicKey": "ssh-ed25519 AAAA", "PublicKeyPem": "-----BEGIN PUBLIC KEY-----", "Fingerprint": "SHA256:x",
	}}, nil
}

func (n named) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	return n.Create(ctx, r)
}

func (named) Delete(context.Context, cloudformation.Request) error { return nil }

// What the app synthesizes can be played from its first deployment to its last, before any function is asked.
func TestTheAppsOwnTemplates(t *testing.T) {
	public, private := synthesize(t, "public"), synthesize(t, "private")
	s := newStage(t, func(o *Options) {
		o.Providers = map[string]cloudformation.Provider{}
		for _, kind := range []string{
			"AWS::Lambda::Function", "AWS::SecretsManager::RotationSchedule",
			"Custom::ReadOnlyUser", "Custom::FlipGate", "Custom::SampleData", "Custom::SSHKeyPair",
		} {
			o.Providers[kind] = named{}
		}
	})
	if err := s.DeployAll(t.Context(), public); err != nil {
		t.Fatal(err)
	}
	t.Run("deploy in the public phase", func(t *testing.T) {
		if address := s.Outputs("drawbridge-dev-Database")["DatabaseHostname"]; address != "127.0.0.1" {
			t.Errorf("the database is at %q", address)
		}
		if len(s.Outputs("drawbridge-dev-WebApp")["WebAppURL"]) <= len("http://") {
			t.Error("the site has no address")
		}
	})
	t.Run("a second deployment does nothing", func(t *testing.T) {
		before := len(s.Operations())
		if err := s.DeployAll(t.Context(), public); err != nil {
			t.Fatal(err)
		}
		if did := s.Operations()[before:]; len(did) > 0 {
			t.Errorf("it did %v", did)
		}
	})
	t.Run("the flip touches the Database stack alone, and makes the instance private", func(t *testing.T) {
		before := len(s.Operations())
		s.database.events = nil
		if err := s.DeployAll(t.Context(), private); err != nil {
			t.Fatal(err)
		}
		for _, o := range s.Operations()[before:] {
			if o.Stack != "drawbridge-dev-Database" {
				t.Errorf("%s: %s", o.Stack, o)
			}
		}
		if !slices.Equal(s.database.events, []string{"modify public=true to false"}) {
			t.Errorf("the instance: %v", s.database.events)
		}
	})
	t.Run("all of it can be deleted", func(t *testing.T) {
		if err := s.DestroyAll(t.Context(), private); err != nil {
			t.Fatal(err)
		}
		if len(s.database.passwords) > 0 {
			t.Error("the instance is left")
		}
	})
}
