package sessionmanager

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"drawbridge/host/install"
	"drawbridge/host/install/installtest"
	"drawbridge/internal/notrun"
)

// pair makes a key pair that expired long ago, as Amazon's has, and returns the public key and what signs a text while the
// pair was valid.
func pair(t *testing.T) (public []byte, sign func(text string) []byte) {
	t.Helper()
	for _, program := range []string{"gpg", "gpgv"} {
		if _, err := exec.LookPath(program); err != nil {
			notrun.Because(t, "there is no program %s", program)
		}
	}
	home, err := os.MkdirTemp("", "gpg") // short: gpg-agent's socket is in it
	if err != nil {
		t.Fatal(err)
	}
	gpg := func(stdin string, args ...string) []byte {
		t.Helper()
		cmd := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback",
			"--passphrase", ""}, args...)...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("gpg: %v", err)
		}
		return out
	}
	t.Cleanup(func() {
		if err := exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run(); err != nil {
			t.Errorf("gpg-agent does not end: %v", err)
		}
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	gpg("", "--faked-system-time", "20230901T000000", "--quick-generate-key", "Agent <agent@example.com>", "rsa2048", "sign", "500d")
	return gpg("", "--export"), func(text string) []byte {
		return gpg(text, "--faked-system-time", "20241001T000000", "--detach-sign", "--output", "-")
	}
}

// bucket serves a package and its signature, and returns the agent to fetch from it.
func bucket(t *testing.T, signer []byte, files map[string][]byte) *Agent {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.Error(w, "AccessDenied", http.StatusForbidden)
			return
		}
		_, _ = w.Write(content)
	}))
	t.Cleanup(server.Close)
	return &Agent{url: server.URL + "/agent.deb", signer: signer, client: server.Client(), tries: 2}
}

// debian is a host with gpgv, whose agent has a version ("" for none). What apt-get was given is kept.
func debian(t *testing.T, has string) (h *installtest.Recorder, installed *[]byte) {
	h = installtest.New(t, install.Debian)
	installed = new([]byte)
	h.Answer = func(command string) (string, error) {
		words := strings.Fields(command)
		switch {
		case words[0] == "gpgv":
			return install.New().Run(context.Background(), words[0], words[1:]...)
		case words[0] == "dpkg-query" && strings.HasSuffix(command, packageName):
			if has == "" {
				return "", installtest.Exit(1)
			}
			return has, nil
		case words[0] == "dpkg-query":
			return "gpgv installed\n", nil
		case words[0] == "dpkg":
			return "", exec.Command("dpkg", words[1:]...).Run()
		case words[0] == "apt-get":
			var err error
			*installed, err = os.ReadFile(words[len(words)-1])
			return "", err
		}
		return "", nil
	}
	return h, installed
}

func TestASignedAgentIsInstalledAndStarted(t *testing.T) {
	public, sign := pair(t)
	h, installed := debian(t, "")
	agent := bucket(t, public, map[string][]byte{"agent.deb": []byte("package"), "agent.deb.sig": sign("package")})
	if err := agent.Setup(t.Context(), h.Host); err != nil {
		t.Fatal(err)
	}
	if string(*installed) != "package" || h.Ran("systemctl enable --now --quiet amazon-ssm-agent.service") != 1 {
		t.Errorf("installed %q, commands:\n%s", *installed, h.Commands())
	}
}

func TestWhatIsNotSignedIsNotInstalled(t *testing.T) {
	public, sign := pair(t)
	_, signOther := pair(t)
	good := sign("package")
	tests := map[string]struct {
		files map[string][]byte
		want  string
	}{
		"another package":       {map[string][]byte{"agent.deb": []byte("Package"), "agent.deb.sig": good}, "not signed"},
		"a truncated package":   {map[string][]byte{"agent.deb": []byte("packag"), "agent.deb.sig": good}, "not signed"},
		"a longer package":      {map[string][]byte{"agent.deb": []byte("package+"), "agent.deb.sig": good}, "not signed"},
		"a truncated signature": {map[string][]byte{"agent.deb": []byte("package"), "agent.deb.sig": good[:len(good)/2]}, "not signed"},
		"an empty signature":    {map[string][]byte{"agent.deb": []byte("package"), "agent.deb.sig": nil}, "not signed"},
		"no OpenPGP signature":  {map[string][]byte{"agent.deb": []byte("package"), "agent.deb.sig": []byte("good")}, "not signed"},
		"somebody else's key":   {map[string][]byte{"agent.deb": []byte("package"), "agent.deb.sig": signOther("package")}, "not signed"},
		"no signature":          {map[string][]byte{"agent.deb": []byte("package")}, "403 Forbidden"},
		"no package":            {map[string][]byte{"agent.deb.sig": good}, "403 Forbidden"},
		"a signature without end": {map[string][]byte{"agent.deb": []byte("package"),
			"agent.deb.sig": append(good, make([]byte, mostOfSignature)...)}, "more than"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h, installed := debian(t, "")
			err := bucket(t, public, tc.files).Setup(t.Context(), h.Host)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "Session Manager") {
				t.Errorf("got the error %v, want one with %q", err, tc.want)
			}
			if *installed != nil || h.Ran("apt-get") > 0 {
				t.Errorf("it was installed, commands:\n%s", h.Commands())
			}
			if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "drawbridge-ssm-agent-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestADownloadThatFailsOnceIsTriedAgain(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("package"))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "f")
	agent := &Agent{client: server.Client(), tries: 2}
	if err := agent.download(t.Context(), server.URL, file, 100); err != nil || calls != 2 {
		t.Errorf("after %d calls: %v", calls, err)
	}
	if content, err := os.ReadFile(file); string(content) != "package" {
		t.Errorf("got %q, %v", content, err)
	}
}

func TestAnUnreachableBucketIsNamed(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	h, _ := debian(t, "")
	agent := &Agent{url: server.URL + "/agent.deb", client: http.DefaultClient, tries: 2}
	if err := agent.Setup(t.Context(), h.Host); err == nil || strings.Count(err.Error(), agent.url) != 1 {
		t.Errorf("got the error %v", err)
	}
}

func TestAnAgentThatIsNewEnoughIsLeft(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		notrun.Because(t, "there is no program dpkg")
	}
	tests := map[string]bool{
		"installed " + version + "-1": true,
		"installed " + version:        true,
		"installed 3.3.1611.0-1":      true,
		"installed 3.3.987.0-1":       false,
		"config-files 3.3.9999.0-1":   false,
		"half-installed 3.3.9999.0-1": false,
	}
	for has, want := range tests {
		h, _ := debian(t, has)
		if got := installed(t.Context(), h.Host); got != want {
			t.Errorf("%q: %v, want %v", has, got, want)
		}
	}
	h, _ := debian(t, "installed "+version+"-1")
	agent := &Agent{url: "http://127.0.0.1:1/", client: http.DefaultClient, tries: 1}
	if err := agent.Setup(t.Context(), h.Host); err != nil || h.Changed() || h.Ran("systemctl enable") != 1 {
		t.Errorf("got %v, commands:\n%s", err, h.Commands())
	}
}

func TestTheAgentIsAmazonsFromTheRegionsOwnBucket(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1":  "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/",
		"cn-north-1": "https://s3.cn-north-1.amazonaws.com.cn/amazon-ssm-cn-north-1/",
	} {
		want += version + "/debian_" + runtime.GOARCH + "/amazon-ssm-agent.deb"
		if got := New(region).url; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// The fingerprint is the one on the page "Verifying the signature of SSM Agent" of the AWS Systems Manager User Guide.
func TestTheKeyIsAmazons(t *testing.T) {
	if _, err := exec.LookPath("gpg"); err != nil {
		notrun.Because(t, "there is no program gpg")
	}
	cmd := exec.Command("gpg", "--homedir", t.TempDir(), "--no-autostart", "--show-keys", "--with-colons", "ssm-agent.gpg")
	out, err := cmd.Output()
	if err != nil ||
		!strings.Contains(string(out), "\nfpr:::::::::DE92C7DA3E56E92331D62A36BC1F495C97DD04ED:\n") {
		t.Errorf("got %v\n%s", err, out)
	}
	if n := strings.Count(string(out), "pub:"); n != 1 {
		t.Errorf("the file holds %d keys", n)
	}
}
