package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqltest"
	"drawbridge/internal/sampledata"
)

// marker stands in everything that writePayloads hold. Nothing in it is changed on the way, as _ is for LIKE.
const marker = "drawbridgepwned"

// writePayloads would write, if they became a part of a statement.
var writePayloads = []string{
	`'; DROP TABLE monsters; -- ` + marker,
	`"; DROP TABLE monsters; -- ` + marker,
	"`; DROP TABLE monsters; -- " + marker,
	`1; DELETE FROM monsters; -- ` + marker,
	`1); UPDATE monsters SET name = '` + marker + `'; -- `,
	`' UNION SELECT '` + marker + `' INTO OUTFILE '/tmp/` + marker + `' -- `,
	`1 UNION SELECT '` + marker + `' INTO DUMPFILE '/tmp/` + marker + `'#`,
	`' OR ` + marker + `() OR '`,
	`(SELECT ` + marker + `())`,
	"`" + marker + "`()",
	`\'; INSERT INTO sponsors (name) VALUES ('` + marker + `'); -- `,
	"\xbf'; DROP TABLE monsters; -- " + marker,
	"\xbf\x27 OR " + marker + "() -- ",
	"\u02bc; DROP TABLE monsters; -- " + marker,
	"1\x00'; DROP TABLE monsters; -- " + marker,
	`*/; DROP TABLE monsters; /*` + marker,
	`/*! ; DROP TABLE monsters; */ ` + marker,
	"1\n; CREATE USER " + marker + ";\n",
	`1; SET GLOBAL init_connect = '` + marker + `'`,
	`1; SET SESSION transaction_read_only = OFF; INSERT INTO sponsors (name) VALUES ('` + marker + `')`,
	`1 FOR UPDATE /*` + marker + `*/`,
	`1 PROCEDURE ANALYSE(` + marker + `())`,
	`%s %d %[1]s ? :1 @` + marker,
	`1..2) OR ` + marker + `() OR (1`,
	`"` + marker + `", ') OR ` + marker + `() -- '`,
	`\N,` + marker + `\E,\x27; DROP TABLE monsters; -- `,
	"17,'; DROP TABLE monsters; -- " + marker,
}

// reading are the statements that the app may send: none of them can change anything.
var reading = regexp.MustCompile(`^(SELECT\b|SHOW\b|SET (NAMES|time_zone|transaction_read_only)\b|SET SESSION TRANSACTION (READ ONLY|ISOLATION LEVEL)\b|START TRANSACTION READ ONLY$|ROLLBACK$|KILL QUERY \d+$)`)

// TestNoRouteWrites asks for every route with something that would write in every part of its address. The app's user may
// do everything, so that nothing but the app stands between the address and the data.
func TestNoRouteWrites(t *testing.T) {
	server := mysqltest.Start(t)
	root := server.Root(t)
	root.SetMaxOpenConns(1)
	const schema, user = "test_writes", "everything"
	mustExec(t, root, "CREATE DATABASE "+schema)
	if _, err := sampledata.Load(t.Context(), root, schema); err != nil {
		t.Fatal(err)
	}
	mustExec(t, root, "USE "+schema, "CREATE TABLE "+marker+" (id INT AUTO_INCREMENT PRIMARY KEY)",
		"SET GLOBAL log_bin_trust_function_creators = ON",
		"CREATE FUNCTION "+marker+"() RETURNS INT BEGIN INSERT INTO "+marker+" VALUES (); RETURN 1; END",
		"CREATE USER "+user+" IDENTIFIED BY '"+readerPassword+"' REQUIRE SSL", "GRANT ALL ON *.* TO "+user,
		"SET GLOBAL log_output = 'TABLE', general_log = ON")
	before := everything(t, root, schema)
	var served *app
	site := newSiteWith(t, settingsOf(server, schema, user, readerPassword), func(a *app) { served = a })

	asked := 0
	for _, a := range allAddresses() {
		site.get(t, a.url(), 0)
		for _, s := range a.spots() {
			for _, payload := range writePayloads {
				for _, value := range []string{payload, s.value + payload} {
					asked++
					if got := site.get(t, s.with(value), 0); got.StatusCode >= 500 {
						t.Errorf("%s: status %d", s.with(value), got.StatusCode)
					}
				}
			}
		}
		// A parameter of another name is none.
		site.get(t, address{a.path, strings.TrimPrefix(a.query+"&"+url.Values{marker: {writePayloads[0]}, writePayloads[0]: {marker}}.Encode(), "&")}.url(), 0)
		refusedOnEveryConnection(t, served.db.DB, schema)
	}
	if strings.Contains(site.log.String(), "a mistake in the app") {
		t.Error("a page failed because of a mistake in the app")
	}

	// Everything that the app's user sent, as MySQL logged it. What the connections of this test tried is theirs.
	mustExec(t, root, "SET GLOBAL general_log = OFF")
	kinds := map[string]int{}
	values := 0
	rows, err := root.Query("SELECT command_type, CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE user_host LIKE '%" + user + "%'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var command, argument string
		if err := rows.Scan(&command, &argument); err != nil {
			t.Fatal(err)
		}
		kinds[command]++
		switch command {
		case "Query", "Prepare":
			if strings.Contains(argument, ownStatement) {
				continue
			}
			if !reading.MatchString(argument) {
				t.Errorf("the app sent %q", argument)
			}
			if strings.Contains(argument, marker) && !strings.Contains(argument, "`"+marker+"`") {
				t.Errorf("a visitor's text became a part of %q", argument)
			}
		case "Execute":
			if strings.Contains(argument, marker) {
				values++
			}
		case "Connect", "Quit", "Ping", "Close stmt", "Reset stmt", "Reset Connection", "Init DB":
		default:
			t.Errorf("the app sent the command %q: %q", command, argument)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests, %d of them with a payload that reached MySQL as a value; MySQL logged %v", asked, values, kinds)
	if values == 0 || kinds["Prepare"] == 0 {
		t.Error("no payload reached MySQL: the test shows nothing")
	}
	if after := everything(t, root, schema); after != before {
		t.Errorf("it was\n%s, and is\n%s", before, after)
	}
}

// everything is what a write would change: the sums of all tables, users, routines, settings.
func everything(t *testing.T, root *sql.DB, schema string) string {
	t.Helper()
	var b strings.Builder
	list := func(query string) (texts []string) {
		rows, err := root.Query(query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
		return texts
	}
	tables := list("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA = '" + schema + "' ORDER BY 1")
	for _, table := range tables {
		var name string
		var sum int64
		if err := root.QueryRow("CHECKSUM TABLE "+schema+"."+table).Scan(&name, &sum); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, name, sum)
	}
	for _, query := range []string{
		"SELECT CONCAT_WS(' ', User, Host, Super_priv, authentication_string) FROM mysql.user ORDER BY 1",
		"SELECT CONCAT_WS(' ', TABLE_SCHEMA, TABLE_NAME, CREATE_TIME) FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'sys') ORDER BY 1",
		"SELECT CONCAT_WS(' ', ROUTINE_NAME, LAST_ALTERED) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '" + schema + "' ORDER BY 1",
		"SELECT CONCAT_WS(' ', @@GLOBAL.init_connect, @@GLOBAL.transaction_read_only, @@GLOBAL.read_only, @@GLOBAL.event_scheduler)",
	} {
		fmt.Fprintln(&b, list(query))
	}
	return b.String()
}

// ownStatement marks the statements of refusedOnEveryConnection.
const ownStatement = "/* the test's own */"

// refusedOnEveryConnection tries to write on the connections that the app has at this moment, by whichever route it got
// them.
func refusedOnEveryConnection(t *testing.T, db *sql.DB, schema string) {
	t.Helper()
	idle := db.Stats().Idle
	if idle == 0 {
		return
	}
	ctx := context.Background()
	for range idle {
		conn, err := db.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, statement := range []string{
			"INSERT INTO monsters (id, name) VALUES (-1, 'x')", "UPDATE monsters SET name = 'x'", "DELETE FROM monsters", "REPLACE INTO sponsors (id, name) VALUES (1, 'x')", "TRUNCATE TABLE monsters",
			"DROP TABLE monsters", "CREATE TABLE made (id INT)", "ALTER TABLE monsters ADD made INT", "CREATE DATABASE made", "CREATE USER made", "GRANT ALL ON *.* TO made", "CREATE VIEW made AS SELECT 1", "DROP DATABASE " + schema,
		} {
			// The transaction is read-only, or the user may not.
			_, err := conn.ExecContext(ctx, ownStatement+statement)
			if refused, ok := errors.AsType[*mysql.MySQLError](err); !ok || !slices.Contains([]uint16{1792, 1044, 1142, 1227, 1410}, refused.Number) {
				t.Errorf("%s was not refused: %v", statement, err)
			}
		}
	}
}

// TestTheReadersConnectionsRefuseToWrite is refusedOnEveryConnection for the user that an environment has.
func TestTheReadersConnectionsRefuseToWrite(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Root(t)
	if _, err := sampledata.Load(t.Context(), root, schema); err != nil {
		t.Fatal(err)
	}
	var served *app
	site := newSiteWith(t, settingsOf(server, schema, newReader(t, server, schema), readerPassword), func(a *app) { served = a })
	before := everything(t, root, schema)
	for _, a := range allAddresses() {
		t.Run(a.url(), func(t *testing.T) {
			site.get(t, a.url(), 0)
			refusedOnEveryConnection(t, served.db.DB, schema)
		})
	}
	if after := everything(t, root, schema); after != before {
		t.Errorf("it was\n%s, and is\n%s", before, after)
	}
}
