package webapp

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"drawbridge/bench/measured"
	"drawbridge/internal/notrun"
)

// length is how long each is asked for one kind of page in one round.
var length = flag.Duration("length", 4*time.Second, "how long each is asked for one kind of page in a round, in whole seconds")

// write names the page of documentation that is to have the results.
var write = flag.String("write", "", "the page of documentation into which the results are written")

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
		notrun.Because(b, "memory is read from Linux's /proc, and this is %s", runtime.GOOS)
	}
	w := newWorld(b)
	ours := newDrawbridge(b, w)
	if *statementsWanted {
		report = statementReport(b, w, ours)
		return
	}
	flask, datasette := newFlask(b, w), newDatasette(b, w)
	proxied := behindNginx(b, ours, flask)
	sites := append([]*site{ours, flask, datasette}, proxied...)
	for _, s := range sites {
		s.check(b)
		for _, kind := range kinds {
			s.measure(b, w, kind, *length)
		}
	}
	queries, trips := map[string]string{}, map[string]int{}
	for _, kind := range kinds {
		ours.get(b, ours.paths[kind]) // what it remembers for a while does not count
		all := w.statements(b, func() { ours.get(b, ours.paths[kind]) })
		trips[kind] = roundTrips(all)
		if kind != "overview" {
			queries[kind] = rowsSelect(b, all)
		}
	}

	limits := map[string][]measurement{}
	for b.Loop() {
		for _, kind := range kinds {
			if query, ok := queries[kind]; ok {
				limits[kind] = append(limits[kind], w.timed(b, *length, func() measurement { return driver(b, w, query, *length) }, os.Getpid()))
			}
			for _, s := range sites {
				s.measured[kind] = append(s.measured[kind], s.measure(b, w, kind, *length))
			}
		}
	}
	b.ReportMetric(0, "ns/op") // of all together it says nothing

	var lines []line
	for _, kind := range kinds {
		of := ours.measured[kind]
		lines = append(lines, line{kind, ours.name, of, nil}, line{kind, flask.name, flask.measured[kind], of},
			line{kind, datasette.name, datasette.measured[kind], of})
		if limit, ok := limits[kind]; ok {
			lines = append(lines, line{kind, "the driver alone", limit, of})
		}
		lines = append(lines, line{kind, proxied[0].name, proxied[0].measured[kind], nil},
			line{kind, proxied[1].name, proxied[1].measured[kind], proxied[0].measured[kind]})
	}
	var names []string
	var held []memory
	for _, s := range []*site{ours, flask, datasette} {
		s.check(b)
		m, err := memoryOf(s.pids[0])
		if err != nil {
			b.Fatal(err)
		}
		names, held = append(names, s.name), append(held, m)
	}
	var heavy []weight
	for _, page := range ourPages {
		heavy = append(heavy, ours.weigh(b, "Drawbridge, "+page.name, page.path))
	}
	for _, s := range []*site{flask, datasette} {
		for _, kind := range kinds {
			heavy = append(heavy, s.weigh(b, s.name+", "+kind, s.paths[kind]))
		}
	}
	var mysql string
	if err := w.mysql.Root(b).QueryRow("SELECT VERSION()").Scan(&mysql); err != nil {
		b.Fatal(err)
	}
	results := fmt.Sprintf(`%s
%d rounds of %v; medians (lowest to highest). Round trips to MySQL: %d for the overview, %d for the table, %d for JSON.

%s
%s
%s, commit %s, %s, %s, MySQL %s, %s.
`, rates(lines), len(ours.measured[kinds[0]]), *length, trips["overview"], trips["table"], trips["JSON"], memories(names, held), weights(heavy),
		time.Now().Format(time.DateOnly), measured.Commit(), measured.Machine(), goVersion(b), mysql, versions(b))
	if *write != "" {
		if err := writeResults(*write, results); err != nil {
			b.Fatal(err)
		}
	}
	report = "\n" + results + "\n"
}

// writeResults puts the results into the page of documentation.
func writeResults(file, results string) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	changed, err := withResults(string(page), results)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(changed), 0o644)
}
