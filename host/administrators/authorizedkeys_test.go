package administrators

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"drawbridge/host/settings"
)

const cacheText = `{"fetched":"2026-11-22T12:00:00Z","people":[` +
	`{"name":"malia","publicKeys":["KEY1","KEY2"],"access":"shell"},{"name":"sam","publicKeys":["KEY3"],"access":"tunnel"}]}`

// cacheWith makes a root folder with a cache.
func cacheWith(t *testing.T, change func(string) string) string {
	t.Helper()
	text := strings.NewReplacer("KEY1", key(1), "KEY2", key(2), "KEY3", key(3)).Replace(cacheText)
	root := t.TempDir()
	file := filepath.Join(root, CacheFile)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(change(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

var fetchedAt = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestSSHDIsToldAPersonsKeys(t *testing.T) {
	root := cacheWith(t, func(s string) string { return s })
	for user, want := range map[string]string{
		"malia": keyLine(shell, "db.example.com:3306", key(1)) + keyLine(shell, "db.example.com:3306", key(2)),
		"sam":   keyLine(tunnelOnly, "db.example.com:3306", key(3)),
		"kim":   "", "": "", "root": "", "malia ": "", "MALIA": "", "malia\n": "", "../malia": "", "*": "", "%u": "", "malia\x00": "",
	} {
		got, err := answer(root, user, database, fetchedAt)
		if err != nil || got != want {
			t.Errorf("%q is answered with %q and error %v, want %q", user, got, err, want)
		}
	}
}

func TestTheCacheIsBelievedForFifteenMinutes(t *testing.T) {
	root := cacheWith(t, func(s string) string { return s })
	for age, believed := range map[time.Duration]bool{
		0: true, 15 * time.Minute: true, 15*time.Minute + time.Second: false, 24 * time.Hour: false,
		-time.Minute: true, -time.Minute - time.Second: false, -24 * time.Hour: false,
	} {
		lines, err := answer(root, "malia", database, fetchedAt.Add(age))
		if (err == nil) != believed || (lines != "") != believed {
			t.Errorf("at the age of %s the answer is %q and error %v", age, lines, err)
		}
	}
}

func TestACacheThatIsOutOfOrderLetsNobodyIn(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"an empty file":            func(string) string { return "" },
		"half a file":              func(s string) string { return s[:len(s)/2] },
		"all but the last letter":  func(s string) string { return s[:len(s)-1] },
		"zeros":                    func(s string) string { return strings.Repeat("\x00", len(s)) },
		"two caches":               func(s string) string { return s + s },
		"no time":                  func(s string) string { return strings.Replace(s, `"fetched":"2026-11-22T12:00:00Z",`, "", 1) },
		"another field":            func(s string) string { return strings.Replace(s, "{", `{"sudo":true,`, 1) },
		"a person twice":           func(s string) string { return strings.Replace(s, `"sam"`, `"malia"`, 1) },
		"a bad key of another":     func(s string) string { return strings.Replace(s, key(3), "ssh-ed25519 AAAA", 1) },
		"a key with a second line": func(s string) string { return strings.Replace(s, key(3), key(3)+`\nssh-ed25519 AAAA`, 1) },
		"a bad access":             func(s string) string { return strings.Replace(s, `"tunnel"`, `"root"`, 1) },
		"a bad name":               func(s string) string { return strings.Replace(s, `"sam"`, `"s a m"`, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			root := cacheWith(t, change)
			lines, err := answer(root, "malia", database, fetchedAt)
			if err == nil || lines != "" {
				t.Fatalf("the answer is %q, error %v", lines, err)
			}
			if !strings.Contains(err.Error(), CacheFile) || !strings.Contains(err.Error(), "drawbridge-administrators") {
				t.Errorf("error %q does not say where and what to do", err)
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		if lines, err := answer(filepath.Join(t.TempDir(), "none"), "malia", database, fetchedAt); err == nil || lines != "" {
			t.Errorf("the answer is %q, error %v", lines, err)
		}
	})
	t.Run("a database that is none", func(t *testing.T) {
		root := cacheWith(t, func(s string) string { return s })
		for _, d := range []settings.Database{{}, {Host: "db", Port: "0"}, {Host: `db",command="sh`, Port: "3306"}, {Host: "*", Port: "3306"}} {
			if lines, err := answer(root, "malia", d, fetchedAt); err == nil || lines != "" {
				t.Errorf("%v: the answer is %q, error %v", d, lines, err)
			}
		}
	})
}

func FuzzCache(f *testing.F) {
	f.Add(strings.NewReplacer("KEY1", key(1), "KEY2", key(2), "KEY3", key(3)).Replace(cacheText))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCache([]byte(text))
		if err != nil {
			return
		}
		for _, p := range c.People {
			if err := p.check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestASyncedCacheAnswersAtOnce(t *testing.T) {
	m := newMachine(t)
	m.store.values["malia"] = administrator("malia", "shell", key(1))
	m.mustSync()
	if got, want := m.keys("malia"), keyLine(shell, "db.example.com:3306", key(1)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	info, err := os.Stat(m.host.Path(CacheFile))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the cache's mode is %v, error %v", info.Mode(), err)
	}
}
