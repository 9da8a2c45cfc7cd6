package webapp

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRates(t *testing.T) {
	measured := func(rates ...float64) (all []measurement) {
		for _, rate := range rates {
			all = append(all, measurement{rate: rate, p50: 1500 * time.Microsecond, p99: 25 * time.Millisecond, own: 300 * time.Microsecond})
		}
		return all
	}
	ours := measured(2000, 1000, 3000)
	got := rates([]line{
		{"table", "Drawbridge", ours, nil},
		{"table", "Flask", measured(100, 200, 50), ours},
		{"JSON", "Drawbridge", measured(7, 7, 7), nil},
	})
	const want = `| | | answers a second | p50 | p99 | processor | MySQL's | Drawbridge is |
| - | - | -: | -: | -: | -: | -: | -: |
| table | Drawbridge | 2,000 (1,000 to 3,000) | 1.5 ms | 25 ms | 0.3 ms | | |
| | Flask | 100 (50 to 200) | 1.5 ms | 25 ms | 0.3 ms | | 20× (5 to 60) |
| JSON | Drawbridge | 7 | 1.5 ms | 25 ms | 0.3 ms | | |
`
	if squeezed(got) != squeezed(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for row := range strings.Lines(got) {
		if first := strings.Index(got, "\n"); len([]rune(row)) != len([]rune(got[:first+1])) {
			t.Errorf("the columns are not straight:\n%s", got)
			break
		}
	}
}

// squeezed is text with one space or dash where there are more.
func squeezed(text string) string {
	for _, s := range []string{" ", "-"} {
		for strings.Contains(text, s+s) {
			text = strings.ReplaceAll(text, s+s, s)
		}
	}
	return text
}

func TestMemories(t *testing.T) {
	got := memories([]string{"Drawbridge", "Flask"}, []memory{{1, 20 << 10, 19 << 10}, {6, 300 << 10, 150<<10 + 512}})
	for _, want := range []string{"| Drawbridge | 1 | 20.0 MiB | 19.0 MiB |", "| Flask | 6 | 300.0 MiB | 150.5 MiB |"} {
		if !strings.Contains(squeezed(got), want) {
			t.Errorf("it lacks %q:\n%s", want, got)
		}
	}
}

func TestWeights(t *testing.T) {
	got := weights([]weight{
		{page: "table", raw: 10 << 10, zipped: 2 << 10, files: 3, sent: 5 << 10, again: 2 << 10},
		{page: "JSON", raw: 4 << 10, zipped: 1 << 10, files: 1, sent: 4 << 10, again: 4 << 10},
	})
	for _, want := range []string{"| table | 10.0 KiB | 2.0 KiB | 5.0 KiB in 3 files | 2.0 KiB |", "| JSON | 4.0 KiB | 1.0 KiB | 4.0 KiB | 4.0 KiB |"} {
		if !strings.Contains(squeezed(got), want) {
			t.Errorf("it lacks %q:\n%s", want, got)
		}
	}
}

func TestLoads(t *testing.T) {
	got := loads([]byte(`<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/a.css?1">
<link rel=stylesheet href=/unquoted.css> <a href="/tables/x">x</a> <script src="/a.js" defer></script>
<img alt="" src="/picture"> <img src="https://other.example/x"> <link href="/a.css?1">`))
	want := []string{"/static/icon.svg", "/a.css?1", "/unquoted.css", "/a.js", "/picture"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGzipped(t *testing.T) {
	if n := gzipped([]byte(strings.Repeat("a row like the one before. ", 1000))); n < 20 || n > 500 {
		t.Errorf("27,000 bytes of the same have %d in gzip", n)
	}
}

func TestWithResults(t *testing.T) {
	const page = "# Benchmarks\n\n" + sectionBegin + "old\n" + sectionEnd + "\nMore.\n"
	got, err := withResults(page, "new\n")
	want := "# Benchmarks\n\n" + sectionBegin + "\nnew\n\n" + sectionEnd + "\nMore.\n"
	if err != nil || got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if again, err := withResults(got, "new\n"); err != nil || again != got {
		t.Errorf("once more: %q (%v)", again, err)
	}
	for name, page := range map[string]string{"no section": "# Benchmarks\n", "a section without an end": sectionBegin + "old\n", "two sections": page + page} {
		if got, err := withResults(page, "new\n"); err == nil {
			t.Errorf("a page with %s is no error: %q", name, got)
		}
	}
}

func TestPageOfResults(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := withResults(string(page), "new\n"); err != nil {
		t.Error(err)
	}
}
