package main

import (
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

// oddNames are names that MySQL allows and careless programs trip over.
var oddNames = []string{
	"a`b", `a'b"c\d`, "100%", "%s%d", "a/b", "a//b", "../up", "a?b=c&d#e", "a b", " a", "semi;colon", "-- comment", "/* c */", "select", "1", "$x", "@v", "a.b",
	"naïve", "日本語", "مرحبا", "\u202eright to left", "tab\there", "line\nbreak", "<script>alert(1)</script>", "{{.}}", "%2e%2e", "%00", ".", "..", "...", "+", ":", "a:b", "javascript:x", strings.Repeat("é", 64),
}

func TestOddNames(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	for _, name := range oddNames {
		quoted := mysqldb.QuoteIdentifier(name)
		mustExec(t, root, fmt.Sprintf("CREATE TABLE %s (%s VARCHAR(70) PRIMARY KEY)", quoted, quoted))
		if _, err := root.Exec("INSERT INTO "+quoted+" VALUES (?)", name); err != nil {
			t.Fatal(err)
		}
	}
	site := newSite(t, server, schema)
	overview := site.get(t, "/", 200)
	links := map[string]bool{}
	for _, part := range strings.Split(overview.body, `<th scope="row"><a href="`)[1:] {
		link, _, _ := strings.Cut(part, `"`)
		links[html.UnescapeString(link)] = true
	}
	if len(links) != len(oddNames) {
		t.Errorf("the overview has %d links, want %d", len(links), len(oddNames))
	}
	var seen []string
	for link := range links {
		page := site.get(t, link, 200)
		page.hasNot(t, "<script>", "alert(1)</script>")
		if rows := page.cells(t); len(rows) != 1 {
			t.Errorf("%s shows %d rows", link, len(rows))
		}
		// Browsers drop such steps, though this test's client does not.
		if step := strings.ReplaceAll(strings.ToLower(link), "%2e", "."); strings.HasSuffix(step, "/.") || strings.HasSuffix(step, "/..") {
			t.Errorf("a browser would not follow %s", link)
		}
		name, err := url.PathUnescape(strings.TrimPrefix(link, "/tables/"))
		if err != nil {
			t.Errorf("%s: %v", link, err)
		}
		name = strings.TrimSuffix(name, " ")
		seen = append(seen, name)
		// The column has the name too, and its only value is the name.
		selection := url.Values{"column": {name}, "op": {"equals"}, "value": {name}, "sort": {name}, "order": {"desc"}}
		for _, part := range []string{"", "&facet=" + url.QueryEscape(name), "&page=last"} {
			if rows := site.get(t, link+"?"+selection.Encode()+part, 200).rowsOf(t); len(rows) != 1 {
				t.Errorf("%s with a filter, an order and %q shows %d rows", link, part, len(rows))
			} else if part == "" {
				site.get(t, link+"/rows/"+html.UnescapeString(rows[0]), 200).hasNot(t, "<script>")
			}
		}
		if body := site.get(t, link+".json?"+selection.Encode(), 200).body; !strings.Contains(body, `"row_count":1,"complete":true`) {
			t.Errorf("%s.json is %s", link, body)
		}
	}
	for _, name := range oddNames {
		if !slices.Contains(seen, name) {
			t.Errorf("no link leads to %q", name)
		}
	}
}

func TestValuesAreEscaped(t *testing.T) {
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>'{{7}}`
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	quoted := "'" + strings.ReplaceAll(attack, "'", "''") + "'"
	mustExec(t, root,
		"CREATE TABLE attacks (id INT PRIMARY KEY, a TEXT COMMENT "+quoted+", b JSON, c ENUM("+quoted+"), d LONGTEXT) COMMENT "+quoted,
		"INSERT INTO attacks VALUES (1, "+quoted+", JSON_QUOTE("+quoted+"), "+quoted+", REPEAT("+quoted+", 20))")
	site := newSite(t, server, schema)
	for _, path := range []string{
		"/", "/tables/attacks", "/tables/" + url.PathEscape(attack), "/tables/attacks?page=" + url.QueryEscape(attack),
		"/tables/attacks?size=" + url.QueryEscape(attack), "/tables/attacks?" + filterQuery("a", "contains", attack[:30]) + "&facet=c&sort=a", "/tables/attacks?" + filterQuery("a", "equals", attack), "/tables/attacks?" + filterQuery("a", attack, attack), "/tables/attacks?" + filterQuery(attack, "equals", attack),
		"/tables/attacks?" + filterQuery("id", "equals", attack), "/tables/attacks?sort=" + url.QueryEscape(attack), "/tables/attacks?facet=" + url.QueryEscape(attack), "/tables/attacks?at=" + url.QueryEscape(attack), "/tables/attacks?order=" + url.QueryEscape(attack),
		"/tables/attacks?format=" + url.QueryEscape(attack), "/tables/attacks?" + filterQuery("a", "not-equals", attack+"\n"), "/tables/attacks/rows/1", "/tables/attacks/rows/" + url.PathEscape(attack), "/" + url.PathEscape(attack), "/static/" + url.PathEscape(attack),
	} {
		page := site.get(t, path, 0)
		page.hasNot(t, "<script", "<img src=x", "onerror=alert(1)>")
	}
	page := site.get(t, "/tables/attacks", 200)
	if got := page.cells(t)[0][1]; got != attack && !strings.HasPrefix(got, attack[:40]) {
		t.Errorf("the text shows as %q", got)
	}
}

func TestNullIsNotTheWordNull(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	mustExec(t, root, "CREATE TABLE nulls (id INT PRIMARY KEY, a VARCHAR(9), b INT)", "INSERT INTO nulls VALUES (1, 'NULL', 0), (2, NULL, NULL)")
	page := newSite(t, server, schema).get(t, "/tables/nulls", 200)
	if n := strings.Count(page.body, `<span class="null">NULL</span>`); n != 2 {
		t.Errorf("%d values are marked as NULL, want 2", n)
	}
	page.has(t, `<td dir="auto">NULL</td>`, `<td class="number">0</td>`)
}

// FuzzAddresses asks for any table, page and size. Whatever they are, the app
// does not fail.
func FuzzAddresses(f *testing.F) {
	for _, name := range oddNames {
		f.Add(name, "1", "50")
	}
	f.Add("t", "0", "201")
	f.Add("t", "last", "1")
	f.Add("", "", "")
	f.Add("..", "1", "1")
	f.Add("\xff\x00", "\xff", "\x00")
	f.Add("t' OR '1'='1", "1 UNION SELECT 1", "1;DROP TABLE t")
	server := mysqltest.Shared(f)
	schema := server.NewSchema(f)
	root := server.Open(f, "root", rootPassword(server), schema)
	if _, err := root.Exec("CREATE TABLE t (id INT PRIMARY KEY)"); err != nil {
		f.Fatal(err)
	}
	site := newSite(f, server, schema)
	f.Fuzz(func(t *testing.T, name, page, size string) {
		query := url.Values{"page": {page}, "size": {size}}
		for _, path := range []string{
			"/tables/" + url.PathEscape(name) + "?" + query.Encode(),
			"/tables/t?" + query.Encode(),
		} {
			if status := site.get(t, path, 0).StatusCode; status >= 500 {
				t.Errorf("%s: status %d\n%s", path, status, site.log)
			}
		}
		var tables int
		if err := root.QueryRow("SELECT COUNT(*) FROM t").Scan(&tables); err != nil {
			t.Fatal(err)
		}
	})
}
