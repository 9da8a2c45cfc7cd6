//go:build gms_pure_go

package main

import (
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/embeddedmysql"
	"drawbridge/internal/mysqldb"
	"drawbridge/internal/sampledata"
)

// TestEmbeddedServer shows the sample data from the server that `make local`
// falls back on, which knows less than MySQL does.
func TestEmbeddedServer(t *testing.T) {
	server, err := embeddedmysql.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, server.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	user, password := server.RootLogin()
	settings := mysqldb.Settings{Host: server.Host, Port: server.Port, Username: user, Password: password, CAFile: caFile}
	root, err := mysqldb.Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	const schema = sampledata.Schema
	mustExec(t, root, "CREATE DATABASE "+schema)
	loaded, err := sampledata.Load(t.Context(), root, schema)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, root,
		"CREATE USER webapp IDENTIFIED BY '"+readerPassword+"'", "GRANT SELECT ON "+schema+".* TO webapp",
		"CREATE TABLE "+schema+".types (id INT PRIMARY KEY, a BIGINT UNSIGNED, b DECIMAL(30,10), c FLOAT, d DATETIME(6), e TIME, f YEAR, g BIT(5), h VARBINARY(9), i JSON, j ENUM('x','y'), k SET('a','b'), l POINT, m TEXT, n DATE, o TIMESTAMP NULL)",
		"INSERT INTO "+schema+".types VALUES (1, 18446744073709551615, 1.5, 0.1, '2024-02-29 12:34:56.000001', '-25:00:00', 2024, b'101', x'00FFC3', '[1]', 'y', 'a,b', POINT(1, 2), REPEAT('é', 5000), '2024-02-29', '2024-02-29 12:00:00'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")

	settings.Username, settings.Password, settings.Database = "webapp", readerPassword, schema
	site := newSiteWith(t, settings)
	site.get(t, "/readyz", 200)
	overview := site.get(t, "/", 200)
	overview.has(t, "monsters", schema, "webapp@", "<dd>verified<br>", "The server does not tell what the account may do")
	rows := 0
	for _, line := range strings.Split(overview.body, `<a href="/tables/`)[1:] {
		name, _, _ := strings.Cut(line, `"`)
		if name == "types" {
			continue
		}
		for path := "/tables/" + name + "?size=200"; path != ""; {
			page := site.get(t, path, 200)
			page.has(t, "key")
			rows += len(page.cells(t))
			path = page.link("next")
		}
	}
	if rows != loaded.Rows {
		t.Errorf("the pages show %d rows, want %d", rows, loaded.Rows)
	}

	cells := site.get(t, "/tables/types", 200).cells(t)
	want := []string{"1", "18446744073709551615", "1.5000000000", "0.1", "2024-02-29 12:34:56.000001", "-25:00:00", "2024", "b'00101'", "0x00FFC3 3 bytes", "[1]", "y", "a,b", "POINT(1 2)", "", "2024-02-29", "2024-02-29 12:00:00"}
	for i, want := range want {
		if want != "" && cells[0][i] != want {
			t.Errorf("column %d shows %q, want %q", i, cells[0][i], want)
		}
	}
	if !strings.Contains(cells[0][13], "the first 4,000 of 5,000 characters") {
		t.Errorf("the long text shows as %q", cells[0][13])
	}
	for i, text := range cells[1][1:] {
		if text != "NULL" {
			t.Errorf("column %d shows %q, want NULL", i+1, text)
		}
	}

	// Everything that an address can ask for.
	for path, want := range map[string]string{
		"/tables/monsters?sort=salary&order=desc&size=25":                                                  "Rows 1 to 25 of 500",
		"/tables/monsters?column=species&op=equals&value=dragon&facet=temperament&sort=name":               "Values of temperament",
		"/tables/monsters?column=name&op=contains&value=_":                                                 "No rows are as the filters say",
		"/tables/monsters?column=salary&op=between&value=1..99999.5&column=id&op=in&value=1,2,3":           "that the filters keep",
		"/tables/monsters?column=hatched_on&op=at-least&value=1500-01-01&column=team_id&op=is-null&value=": "that the filters keep",
		"/tables/monsters/rows/17":                             "What refers to this row",
		"/tables/monsters?at=17":                               "ordered by",
		"/tables/monsters?sort=species&order=desc&before=3,17": "descending",
		"/tables/types?column=a&op=equals&value=18446744073709551615&column=d&op=greater&value=2024-02-29":    "that the filters keep",
		"/tables/types?column=h&op=equals&value=00FFC3&column=k&op=equals&value=a,b&column=g&op=less&value=6": "that the filters keep",
		"/tables/types.json": `"a":18446744073709551615,"b":1.5000000000,"c":0.1,`,
		"/tables/games.csv?column=season&op=is-not-null&value=": "id,season,home_team_id",
	} {
		site.get(t, path, 200).has(t, want)
	}
	site.get(t, "/tables/monsters?column=salary&op=equals&value=x", 400)
	for _, sort := range []string{"species", "hatched_on", "salary", "height_m", "name", "mentor_id", "is_nocturnal"} {
		for _, order := range []string{"asc", "desc"} {
			pages, paths := walk(t, site, "/tables/monsters?size=100&sort="+sort+"&order="+order, "next")
			all := slices.Sorted(slices.Values(slices.Concat(pages...)))
			if n := len(all); n != 500 || len(slices.Compact(all)) != 500 {
				t.Errorf("by %s %s the pages show %d rows: %v", sort, order, n, paths)
			}
		}
	}

	for path, want := range map[string]string{
		"monsters/chart": "Average height_m by hatched_on", "games/chart": "Average home_goals by starts_at, a month at a time",
		"monsters/chart?kind=bar&x=species&group=position":                                   "40 bars",
		"monsters/chart?kind=bar&x=species&y=salary&aggregate=avg":                           "Average salary by species",
		"monsters/chart?kind=histogram&x=salary":                                             "16 bars of a width of 5000",
		"monsters/chart?kind=histogram&x=height_m":                                           "bars of a width of",
		"monsters/chart?kind=scatter&x=height_m&y=weight_kg&group=species":                   "456 points",
		"games/chart?kind=line&x=starts_at&by=week&y=attendance&aggregate=sum&group=weather": "Sum of attendance",
		"games/chart?kind=histogram&x=played_for":                                            "played_for in hours",
		"monsters/chart?kind=bar&x=heads&column=species&op=equals&value=dragon":              "Rows by heads",
	} {
		if caption := site.get(t, "/tables/"+path, 200).caption(); !strings.Contains(caption, want) {
			t.Errorf("%s: the caption is %s", path, caption)
		}
	}

	site.get(t, "/tables/absent", 404)
	site.get(t, "/tables/monsters?page=last", 200)
	site.get(t, "/tables/monsters?page=9999", 404)

	// This server knows no sessions that only read: the user's grants keep it from
	// writing. Its words are of no use to anyone.
	db, err := openDatabase(settings)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := newApp(db, slog.New(slog.DiscardHandler), "").read(t.Context(), func(r reader) error {
		return r.each(func(*sql.Rows) error { return nil }, "DELETE FROM types")
	}); err == nil {
		t.Error("rows were deleted through the app")
	}
}
