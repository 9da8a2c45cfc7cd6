package pinned

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func roundTrip(t *testing.T, text string) map[string]string {
	t.Helper()
	made := Variables("NAME", text)
	got, err := Text(func(name string) (string, bool) { v, ok := made[name]; return v, ok }, "NAME")
	if err != nil || got != text {
		t.Errorf("%q comes back as %q (%v) from %v", text, got, err, made)
	}
	for name, value := range made {
		if value == "" || len(value) > maxValue || strings.Trim(value, allowed) != "" {
			t.Errorf("Elastic Beanstalk does not take %s=%q", name, value)
		}
	}
	return made
}

func TestTextsGetThroughEnvironmentProperties(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                       nil,
		"https://bi.example.com/d/1":             {"NAME"},
		"https://a.example https://b.example:99": {"NAME"},
		"https://bi.example.com/d/1?a=b&c=d":     {"NAME_1"},
		`[{"title": "Größe"}]`:                   {"NAME_1"},
		strings.Repeat("a", 256):                 {"NAME"},
		strings.Repeat("a", 257):                 {"NAME_1", "NAME_2"},
		strings.Repeat("?", 192):                 {"NAME_1"},
		strings.Repeat("?", 193):                 {"NAME_1", "NAME_2"},
	} {
		if got := slices.Sorted(maps.Keys(roundTrip(t, text))); !slices.Equal(got, want) {
			t.Errorf("%q is in %v, want %v", text, got, want)
		}
	}
}

func TestWhatIsNoTextSaysSo(t *testing.T) {
	_, err := Text(func(name string) (string, bool) { return map[string]string{"NAME_1": "{}"}[name], true }, "NAME")
	if err == nil || !strings.Contains(err.Error(), "NAME_1") {
		t.Errorf("the error is %v", err)
	}
}

func FuzzVariables(f *testing.F) {
	for _, text := range []string{"", "a", "a?", strings.Repeat("ab?", 400), "\x00\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { roundTrip(t, text) })
}
