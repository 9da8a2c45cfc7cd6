package webapp

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
	"drawbridge/internal/sampledata"
)

const (
	schema         = sampledata.Schema
	reader         = "reader"
	readerPassword = "Reader-pass-Zq1"

	// tableName is the table whose rows are asked for, and pageSize how many of them.
	tableName = "sightings"
	tableRows = 10_000
	pageSize  = 50
)

// world is the database that all read: the sample data, and one table more.
type world struct {
	mysql *mysqltest.Server
	pid   int // MySQL's
}

func newWorld(b *testing.B) *world {
	b.Helper()
	w := &world{mysql: mysqltest.Start(b)}
	root := w.mysql.Root(b)
	exec := func(statement string, args ...any) {
		b.Helper()
		if _, err := root.Exec(statement, args...); err != nil {
			b.Fatalf("%.60s: %v", statement, err)
		}
	}
	var file string
	if err := root.QueryRow("SELECT CONCAT(@@datadir, @@pid_file)").Scan(&file); err != nil {
		b.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	if w.pid, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		b.Fatal(err)
	}
	exec("CREATE DATABASE " + schema)
	if _, err := sampledata.Load(b.Context(), root, schema); err != nil {
		b.Fatal(err)
	}
	exec("CREATE TABLE " + schema + "." + tableName + ` (
	id INT UNSIGNED NOT NULL PRIMARY KEY,
	monster VARCHAR(60) NOT NULL,
	place VARCHAR(80) NOT NULL,
	seen_at DATETIME NOT NULL,
	height_m DOUBLE NOT NULL,
	reward DECIMAL(10,2) NOT NULL,
	witnesses INT NOT NULL,
	note VARCHAR(200) NULL
) COMMENT 'who saw which monster, and where'`)
	const atOnce = 1000
	for first := 1; first <= tableRows; first += atOnce {
		var args []any
		for id := first; id < first+atOnce; id++ {
			args = append(args, sighting(id)...)
		}
		exec("INSERT INTO "+schema+"."+tableName+" VALUES "+strings.TrimSuffix(strings.Repeat("(?,?,?,?,?,?,?,?),", atOnce), ","), args...)
	}
	exec("ANALYZE TABLE " + schema + "." + tableName)
	exec(fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s' REQUIRE SSL", reader, readerPassword))
	exec(fmt.Sprintf("GRANT SELECT, SHOW VIEW ON %s.* TO %s", strings.ReplaceAll(mysqldb.QuoteIdentifier(schema), "_", `\_`), reader))
	return w
}

var (
	monsters = []string{"Grizelda the Damp", "Old Mossback", "Nine-Toed Tom", "The Widow of Weir", "Bartholomew", "Ssathra", "Little Ember"}
	places   = []string{"North Quay", "Hollow Mill", "Under the third bridge", "Saltmarsh", "Castle ditch", "Lower Fen"}
)

// sighting is the row with that id. The note is in no other row, and holds nothing that JSON or HTML would escape.
func sighting(id int) []any {
	at := time.Date(2024, 1, 1, 6, 0, 0, 0, time.UTC).Add(time.Duration(id) * 53 * time.Minute)
	return []any{
		id, monsters[id*5%len(monsters)], places[id*7%len(places)], at, float64(id*37%900)/100 + 0.5,
		fmt.Sprintf("%d.%02d", id*13%2000, id%100), id % 17, note(id),
	}
}

func note(id int) string { return fmt.Sprintf("went towards milestone %05d before dawn", id) }

// environment is how a process is told where the database is.
func (w *world) environment() []string {
	return []string{
		"RDS_HOSTNAME=" + w.mysql.Host, fmt.Sprintf("RDS_PORT=%d", w.mysql.Port), "RDS_DB_NAME=" + schema,
		"RDS_USERNAME=" + reader, "RDS_PASSWORD=" + readerPassword, "DRAWBRIDGE_DB_CA_FILE=" + w.mysql.CAFile,
	}
}

// statement is something that MySQL was asked to do.
type statement struct{ kind, text string }

// statements are what f makes the reader's connections ask MySQL, from MySQL's own log of it.
func (w *world) statements(b *testing.B, f func()) []statement {
	b.Helper()
	root := w.mysql.Root(b)
	root.SetMaxOpenConns(1)
	exec := func(statement string) {
		b.Helper()
		if _, err := root.Exec(statement); err != nil {
			b.Fatalf("%s: %v", statement, err)
		}
	}
	exec("SET GLOBAL log_output = 'TABLE'")
	exec("TRUNCATE TABLE mysql.general_log")
	exec("SET GLOBAL general_log = ON")
	f()
	exec("SET GLOBAL general_log = OFF")
	rows, err := root.Query("SELECT command_type, CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE user_host LIKE ? ORDER BY event_time", reader+"%")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var all []statement
	for rows.Next() {
		var s statement
		if err := rows.Scan(&s.kind, &s.text); err != nil {
			b.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return all
}

// rowsSelect is the statement among them that asks for the table's rows.
func rowsSelect(b *testing.B, all []statement) string {
	b.Helper()
	var found string
	for _, s := range all {
		complete := s.kind == "Query" || s.kind == "Execute"
		if complete && strings.Contains(s.text, "FROM `"+tableName+"`") && strings.Contains(s.text, "`note`") {
			found = s.text
		}
	}
	if found == "" {
		b.Fatalf("no statement asks for rows of %s: %q", tableName, all)
	}
	return found
}

// roundTrips is how often one waited for MySQL's answer.
func roundTrips(all []statement) (n int) {
	for _, s := range all {
		switch s.kind {
		case "Query", "Prepare", "Execute", "Ping", "Reset stmt", "Fetch":
			n++
		}
	}
	return n
}

// timed measures, and adds the processor time that these processes used meanwhile, for each answer.
func (w *world) timed(b *testing.B, length time.Duration, measure func() measurement, pids ...int) measurement {
	b.Helper()
	used := func(pids ...int) time.Duration {
		b.Helper()
		sum, err := usedBy(pids...)
		if err != nil {
			b.Fatal(err)
		}
		return sum
	}
	own, mysql := used(pids...), used(w.pid)
	m := measure()
	answers := m.count(length)
	m.own = time.Duration(float64(used(pids...)-own) / answers)
	m.mysql = time.Duration(float64(used(w.pid)-mysql) / answers)
	return m
}
