package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
	"drawbridge/internal/sampledata"
)

// recording has a server that no other test uses write down the statements of a
// user. What it gives forgets them, and then returns those since.
func recording(t *testing.T, server *mysqltest.Server, user string) (since func() []string) {
	t.Helper()
	root := server.Root(t)
	mustExec(t, root, "SET GLOBAL log_output = 'TABLE', GLOBAL general_log = ON")
	return func() (statements []string) {
		t.Helper()
		// Statements that were prepared are written down once more when they run.
		rows, err := root.QueryContext(t.Context(), "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE user_host LIKE CONCAT(?, '[%') AND command_type IN ('Query', 'Execute') ORDER BY event_time", user)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var statement string
			if err := rows.Scan(&statement); err != nil {
				t.Fatal(err)
			}
			statements = append(statements, statement)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		mustExec(t, root, "TRUNCATE mysql.general_log")
		return statements
	}
}

var (
	timeLimited = regexp.MustCompile(`^SELECT /\*\+ MAX_EXECUTION_TIME\(([0-9]+)\)`)
	// ofTable is where a statement reads a table of the database: the app never
	// names the database.
	ofTable = regexp.MustCompile("FROM `")
	// ofServer is where a statement reads what MySQL says of its tables.
	ofServer = regexp.MustCompile(`FROM information_schema\.[A-Z_]+ WHERE `)
)

// TestEveryStatementIsBounded collects what the app asks MySQL on every route: of
// the statements that read tables, MySQL itself limits the time and the rows.
func TestEveryStatementIsBounded(t *testing.T) {
	server := mysqltest.Start(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	if _, err := sampledata.Load(t.Context(), root, schema); err != nil {
		t.Fatal(err)
	}
	mustExec(t, root, "CREATE TABLE keyless (a INT, b TEXT)", "INSERT INTO keyless VALUES (1, 'x'), (2, 'y')", "CREATE VIEW a_view AS SELECT * FROM monsters")
	// The app forgets at once, so that it asks each time.
	site, forget := forgetfulSite(t, server, schema)
	since := recording(t, server, "reader_"+schema)
	ask := func(path string) (read int) {
		forget()
		site.get(t, path, 0)
		for _, statement := range since() {
			switch {
			case ofTable.MatchString(statement):
				read++
				// Each place that reads a table has a limit after it.
				if froms, limits := len(ofTable.FindAllString(statement, -1)), strings.Count(statement, " LIMIT "); limits < froms {
					t.Errorf("%s: %d of %d reads have a limit: %s", path, limits, froms, statement)
				}
			case ofServer.MatchString(statement):
			case strings.Contains(statement, " FROM "):
				t.Errorf("%s: what does this read? %s", path, statement)
				continue
			default:
				continue
			}
			limit := timeLimited.FindStringSubmatch(statement)
			if limit == nil {
				t.Errorf("%s: no time limit: %s", path, statement)
				continue
			}
			if ms, err := strconv.Atoi(limit[1]); err != nil || ms < 1 || time.Duration(ms)*time.Millisecond > exportTimeout {
				t.Errorf("%s: the time limit is %s ms: %s", path, limit[1], statement)
			}
		}
		return read
	}
	total := 0
	for _, a := range allAddresses() {
		total += ask(a.url())
	}
	for _, path := range []string{
		"/", "/?containing=monster", "/tables/monsters?page=last", "/tables/monsters?page=3", "/tables/monsters?facet=species&facet=team_id&sort=name", "/tables/monsters/rows/17", "/tables/monsters/chart",
		"/tables/keyless", "/tables/keyless?page=1&size=1", "/tables/a_view?page=3", "/tables/a_view?facet=species", "/tables/monsters.csv", "/tables/monsters.json?column=id&op=less&value=5", "/tables/a_view.ndjson",
	} {
		if read := ask(path); read == 0 {
			t.Errorf("%s reads no table", path)
		}
	}
	if ask("/tables/keyless?page=last") == 0 || ask("/tables/a_view?page=last") == 0 {
		t.Error("the last page of a table without a key is found without counting")
	}
	if total == 0 {
		t.Error("nothing was read")
	}
}
