package operate

import "testing"

func TestVersions(t *testing.T) {
	for text, want := range map[string]string{
		"aws-cli/2.9.19 Python/3.11.2 Linux/6.1.0": "2.9.19", "go1.26.8": "1.26.8", "v22.11.0\n": "22.11.0", "GNU Make 3.81\n": "3.81",
		"1.2.707.0": "1.2.707.0", "2.1148.1 (build 0f1e2d3)": "2.1148.1", "20": "20", "go1.27rc1": "1.27",
	} {
		if v, ok := versionIn(text); !ok || v.String() != want {
			t.Errorf("%q: %s %t, want %s", text, v, ok, want)
		}
	}
	if v, ok := versionIn("no version"); ok {
		t.Errorf("a version in none: %s", v)
	}
	for _, test := range []struct {
		older, newer version
		before       bool
	}{
		{version{1, 9}, version{1, 26}, true}, {version{1, 26}, version{1, 9}, false}, {version{2}, version{2, 0, 0}, false},
		{version{2}, version{2, 0, 1}, true}, {nil, nil, false}, {version{1}, nil, false},
	} {
		if got := test.older.before(test.newer); got != test.before {
			t.Errorf("%s before %s: %t", test.older, test.newer, got)
		}
	}
}

func FuzzVersion(f *testing.F) {
	f.Add("aws-cli/2.9.19 Python/3.11.2")
	f.Add("999999999999999999999.1")
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := versionIn(text)
		if !ok {
			return
		}
		again, ok := versionIn(v.String())
		if !ok || again.before(v) || v.before(again) {
			t.Errorf("%q is %s, which is read as %s", text, v, again)
		}
	})
}
