package webapp

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/notrun"
)

// length is how long each is asked for one kind of page in one round.
var length = flag.Duration("length", 4*time.Second, "how long each is asked for one kind of page in a round, in whole seconds")

// report is printed when everything else has been.
var report string

func TestMain(m *testing.M) {
	code := m.Run()
	fmt.Print(report)
	os.Exit(code)
}

// BenchmarkWebApp compares the web app with the others. Each repetition measures all of them, in turns; a first one, which
// fills caches and pools, does not count.
func BenchmarkWebApp(b *testing.B) {
	if runtime.GOOS != "linux" {
		notrun.Because(b, "memory is read from Linux's /proc, this is %s", runtime.GOOS)
	}
	w := newWorld(b)
	ours := newDrawbridge(b, w)
	if *statementsWanted {
		report = statementReport(b, w, ours)
		return
	}
	sites := []*site{newFlask(b, w), newDatasette(b, w), ours}
	for _, s := range sites {
		s.check(b)
		for _, kind := range kinds {
			s.measure(b, kind, *length)
		}
	}
	queries, asked := map[string]string{}, map[string]int{}
	for _, kind := range kinds {
		all := w.statements(b, func() { ours.get(b, ours.paths[kind], "identity") })
		asked[kind] = roundTrips(all)
		if kind != "overview" {
			queries[kind] = rowsSelect(b, all)
		}
	}
	limit := map[string][]measurement{}

	for b.Loop() {
		for _, kind := range kinds {
			if query := queries[kind]; query != "" {
				limit[kind] = append(limit[kind], driver(b, w, query, *length))
			}
			for _, s := range sites {
				s.measured[kind] = append(s.measured[kind], s.measure(b, kind, *length))
			}
		}
	}
	for _, s := range sites {
		s.check(b)
	}
	b.ReportMetric(0, "ns/op") // of all together it says nothing

	var text strings.Builder
	for _, kind := range kinds {
		fmt.Fprintf(&text, "\n%s (%d round trips to MySQL)\n", kind, asked[kind])
		line := func(name string, of []measurement) {
			var rates, p50, p99 []float64
			var ratios []float64
			for i, m := range of {
				rates, p50, p99 = append(rates, m.rate), append(p50, m.p50.Seconds()*1000), append(p99, m.p99.Seconds()*1000)
				ratios = append(ratios, ours.measured[kind][i].rate/m.rate)
			}
			fmt.Fprintf(&text, "%-12s %8.0f/s (%.0f to %.0f)  p50 %.2f ms  p99 %.2f ms  ratio %.2f (%.2f to %.2f)\n", name, median(rates), least(rates), most(rates), median(p50), median(p99),
				median(rates2(ours.measured[kind]))/median(rates), least(ratios), most(ratios))
		}
		for _, s := range append(sites[2:], sites[:2]...) {
			line(s.name, s.measured[kind])
		}
		if of := limit[kind]; of != nil {
			line("driver", of)
		}
	}
	for _, s := range sites {
		m := memoryOf(b, s.pid)
		fmt.Fprintf(&text, "%s: RSS %.1f MiB, PSS %.1f MiB\n", s.name, float64(m.rss)/1024, float64(m.pss)/1024)
	}
	report = text.String()
}

// commit names the code that was measured.
func commit() string {
	id, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown (this is no git repository)"
	}
	name := strings.TrimSpace(string(id))
	if changed, err := exec.Command("git", "status", "--porcelain").Output(); err != nil || len(changed) > 0 {
		name += " with changes that are not committed"
	}
	return name
}

var modelName = regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`)

// machine says on what was measured.
func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if match := modelName.FindSubmatch(text); match != nil {
			model = string(match[1])
		}
	}
	return fmt.Sprintf("%d cores, %s", runtime.NumCPU(), model)
}
