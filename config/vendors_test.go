package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// tunnelOf loads staging with one tunnel.
func tunnelOf(t *testing.T, text string) (Tunnel, []string) {
	t.Helper()
	e, warnings := mustLoad(t, Source{Environments: edited(t, "full.json", "staging", edit{"tunnels", "[" + text + "]"}), Environment: "staging"})
	return e.Tunnels[0], warningLines(warnings)
}

func TestAVendorFillsInWhatItDocuments(t *testing.T) {
	key := readKey(t, "ecdsa384")
	tests := map[string]struct {
		tunnel string
		want   Tunnel
	}{
		"generic": {`{"name": "bi", "vendor": "generic", "host": "a.vendor.test", "user": "u", "remotePort": 9, "hostKey": ` + quoted(key) + `}`,
			Tunnel{"bi", "generic", "a.vendor.test", 22, "u", 9, key}},
		"holistics": {`{"name": "bi", "vendor": "holistics", "host": "a.vendor.test", "user": "u", "remotePort": 9, "hostKey": ` + quoted(key) + `}`,
			Tunnel{"bi", "holistics", "a.vendor.test", 50022, "u", 9, key}},
		"chartio": {`{"name": "bi", "vendor": "chartio", "remotePort": 13279}`,
			Tunnel{"bi", "chartio", "connect.chartio.com", 22, "tunnel13279", 13279, vendors["chartio"].hostKey}},
	}
	for name := range vendors {
		t.Run(name, func(t *testing.T) {
			if got, _ := tunnelOf(t, tests[name].tunnel); got != tests[name].want {
				t.Errorf("got  %+v\nwant %+v", got, tests[name].want)
			}
		})
	}
}

func TestWhatTheConfigSaysWinsOverTheVendor(t *testing.T) {
	for name := range vendors {
		want := Tunnel{"bi", name, "a.vendor.test", 2222, "someone", 9, readKey(t, "ecdsa384")}
		if got, _ := tunnelOf(t, asJSON(want)); got != want {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// The key was published without a fingerprint; this one is ssh-keygen's for it.
func TestChartiosHostKeyIsTheOneThatItPublished(t *testing.T) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(vendors["chartio"].hostKey))
	if err != nil {
		t.Fatal(err)
	}
	if got := ssh.FingerprintSHA256(key); got != "SHA256:dcUM/NQP10C8/Wzr0zGQmGK/yBxrIFtbKuIY0tv+osE" {
		t.Errorf("got %s", got)
	}
}

func TestAClosedVendorIsWarnedOf(t *testing.T) {
	_, got := tunnelOf(t, `{"name": "bi", "vendor": "chartio", "remotePort": 13279}`)
	want := []string{`environments.staging.tunnels[0].vendor: "chartio" closed on 1 March 2022, so that nothing answers at connect.chartio.com any more; put the vendor that you use`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestTheDescriptionNamesEveryVendor(t *testing.T) {
	for name := range vendors {
		if !strings.Contains(environmentFields["tunnels.*.vendor"].expected, quoted(name)) {
			t.Errorf("%q is not named", name)
		}
	}
}

// The page for people has the presets as a table, which must be that of the code.
func TestThePageOnVendorsHasTheirTable(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "connect-a-bi-vendor.md"))
	if err != nil {
		t.Fatal(err)
	}
	if table := vendorTable(); !strings.Contains(string(page), "\n\n"+table+"\n") {
		t.Errorf("docs/connect-a-bi-vendor.md lacks this table:\n%s", table)
	}
}

func vendorTable() string {
	var table strings.Builder
	table.WriteString("| `vendor` | `host` | `port` | `user` | `hostKey` | from |\n|---|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(vendors)) {
		v := vendors[name]
		port, key, page := "22", "you", ""
		if v.port != 0 {
			port = fmt.Sprint(v.port)
		}
		if v.hostKey != "" {
			key = "its RSA key"
		}
		if v.page != "" {
			page = "[its page](" + v.page + ")"
		}
		if v.closed != "" {
			page += "; closed on " + v.closed
		}
		user := strings.ReplaceAll(v.user, "{remotePort}", "…")
		fmt.Fprintf(&table, "| `%s` | %s | `%s` | %s | %s | %s |\n", name, codeOrYou(v.host), port, codeOrYou(user), key, page)
	}
	return table.String()
}

func codeOrYou(text string) string {
	if text == "" {
		return "you"
	}
	return "`" + text + "`"
}
