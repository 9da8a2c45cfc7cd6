package main

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

// typeName is the name of a column's type in its definition.
func typeName(definition string) string {
	return strings.ToLower(regexp.MustCompile(`^[A-Za-z]+`).FindString(definition))
}

// shapeless are the types whose values have no order.
var shapeless = []string{"json", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "vector"}

// refusedInWords asks for an address that answers 200, or else 400 with a sentence that holds one of the words. It says
// which.
func (s *site) refusedInWords(t *testing.T, path string, words ...string) (page answer, refused bool) {
	t.Helper()
	page = s.get(t, path, 0)
	if page.StatusCode == 303 {
		page = s.get(t, page.Header.Get("Location"), 0)
	}
	switch page.StatusCode {
	case 200:
		return page, false
	case 400:
		if !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(page.body, word) }) {
			t.Errorf("%s is refused without %q:\n%s", path, words, page.body)
		}
		return page, true
	}
	t.Errorf("%s answers %d", path, page.StatusCode)
	return page, true
}

// TestEveryPageOfEveryType asks for everything that an address can ask of a column, of each type. Where a type does not
// fit, the page says so.
func TestEveryPageOfEveryType(t *testing.T) {
	site, _ := typesSite(t)
	site.get(t, "/", 200).has(t, "every_type_view")
	for _, table := range []string{"every_type", "every_type_view"} {
		path := "/tables/" + table
		for _, c := range everyType {
			ordered := !slices.Contains(shapeless, typeName(c.definition))
			t.Run(table+" "+c.column, func(t *testing.T) {
				for _, order := range []string{"asc", "desc"} {
					for _, at := range []string{"", "&page=last", "&size=1&page=2"} {
						if _, refused := site.refusedInWords(t, path+"?sort="+c.column+"&order="+order+at, "cannot be sorted by “"+c.column+"”"); refused == ordered {
							t.Errorf("sorting is refused: %v", refused)
						}
					}
				}
				for _, o := range operators {
					value := c.operandText()
					switch o.Name {
					case "between":
						value += ".." + value
					case "in":
						value = `"` + value + `"`
					}
					page, refused := site.refusedInWords(t, path+"?"+filterQuery(c.column, o.Name, value), "does not fit", "should be")
					switch o.Name {
					case "equals", "in", "not-equals":
						if refused == ordered {
							t.Errorf("%s is refused: %v", o.Name, refused)
						}
						if refused || strings.ContainsAny(c.want[0], "…␀") {
							break // the page does not hold the value as it is
						}
						if found := slices.Contains(idsOf(page), "1"); found == (o.Name == "not-equals") {
							t.Errorf("%s %q finds the row: %v", o.Name, value, found)
						}
					case "is-null", "is-not-null":
						if null := c.want[2] == "NULL"; refused || slices.Contains(idsOf(page), "3") != (null == (o.Name == "is-null")) {
							t.Errorf("%s finds %v", o.Name, idsOf(page))
						}
					}
				}
				site.refusedInWords(t, path+"?facet="+c.column, "cannot be counted")
				if table != "every_type" {
					return // a view's columns are charted alike
				}
				for _, kind := range []string{"", barChart, lineChart, scatterChart, histogramChart} {
					for _, query := range []url.Values{
						{"x": {c.column}}, {"x": {c.column}, "y": {c.column}}, {"x": {"id"}, "y": {c.column}, "group": {c.column}}, {"x": {"id"}, "y": {c.column}, "aggregate": {"sum"}},
						{"x": {"id"}, "y": {c.column}, "aggregate": {"max"}}, {"x": {"id"}, "y": {c.column}, "aggregate": {"count-distinct"}},
					} {
						if kind != "" {
							query.Set("kind", kind)
						}
						site.refusedInWords(t, path+"/chart?"+query.Encode(), "needs", "need short values", "have a value", "can be told apart", "Choose a column", "too large for MySQL to calculate with")
					}
				}
			})
		}
	}
	for row := range 3 {
		page := site.get(t, fmt.Sprintf("/tables/every_type/rows/%d", row+1), 200)
		for _, c := range everyType {
			page.has(t, c.column)
		}
	}
	if strings.Contains(site.log.String(), `"level":"ERROR"`) {
		t.Error("the log has errors")
	}
}

// operandText is the first value as a filter takes it.
func (c typeCase) operandText() string {
	value := c.want[0]
	if value == "empty text" {
		return ""
	}
	if strings.HasPrefix(value, "0x") {
		value, _, _ = strings.Cut(value, " ")
	}
	value, _, _ = strings.Cut(value, "…")
	return value
}

// idsOf are the ids of the rows that a page shows; the page may have no rows.
func idsOf(page answer) (ids []string) {
	for _, row := range regexp.MustCompile(`(?s)<tr><td[^>]*>(.*?)</td>`).FindAllStringSubmatch(page.body, -1) {
		ids = append(ids, strings.TrimSpace(anyTag.ReplaceAllString(row[1], "")))
	}
	return ids
}

// TestDownloadsOfEveryTypeAreExact compares what downloads hold with what MySQL itself says of each value.
func TestDownloadsOfEveryTypeAreExact(t *testing.T) {
	site, root := typesSite(t)
	lines, err := csv.NewReader(strings.NewReader(site.get(t, "/tables/every_type.csv", 200).body)).ReadAll()
	if err != nil || len(lines) != 4 {
		t.Fatalf("%d lines (%v)", len(lines), err)
	}
	var all struct{ Rows []map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(site.get(t, "/tables/every_type.json", 200).body), &all); err != nil || len(all.Rows) != 3 {
		t.Fatalf("%d rows (%v)", len(all.Rows), err)
	}
	objects := strings.Split(strings.TrimSpace(site.get(t, "/tables/every_type.ndjson", 200).body), "\n")
	if len(objects) != 3 {
		t.Fatalf("%d lines of NDJSON", len(objects))
	}
	for _, c := range everyType {
		column := slices.Index(lines[0], c.column)
		if column < 0 {
			t.Errorf("the CSV has no column %s", c.column)
			continue
		}
		var kind string
		if err := root.QueryRow("SELECT DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'every_type' AND COLUMN_NAME = ?", c.column).Scan(&kind); err != nil {
			t.Fatal(err)
		}
		for row := range 3 {
			t.Run(fmt.Sprintf("%s %d", c.column, row+1), func(t *testing.T) {
				want := exactly(t, root, c.column, kind, row+1)
				got := lines[row+1][column]
				var object map[string]json.RawMessage
				if err := json.Unmarshal([]byte(objects[row]), &object); err != nil {
					t.Fatal(err)
				}
				if string(object[c.column]) != string(all.Rows[row][c.column]) {
					t.Errorf("NDJSON has %s, JSON %s", object[c.column], all.Rows[row][c.column])
				}
				inJSON := string(object[c.column])
				if !want.Valid {
					if got != "" || inJSON != "null" {
						t.Errorf("NULL is %q and %s", got, inJSON)
					}
					return
				}
				if !sameValue(kind, got, want.String) {
					t.Errorf("CSV has %q, MySQL %q", got, want.String)
				}
				switch kind {
				case "json":
					if inJSON != want.String {
						t.Errorf("JSON has %s, MySQL %s", inJSON, want.String)
					}
				case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "bit", "year":
					if !sameValue(kind, inJSON, want.String) {
						t.Errorf("JSON has %s, MySQL %q", inJSON, want.String)
					}
				default:
					var text string
					if err := json.Unmarshal([]byte(inJSON), &text); err != nil || text != want.String {
						t.Errorf("JSON has %s (%v), MySQL %q", inJSON, err, want.String)
					}
				}
			})
		}
	}
}

// exactly is a value in MySQL's own words, without any code of the app.
func exactly(t *testing.T, root *sql.DB, column, kind string, id int) (value sql.NullString) {
	t.Helper()
	expression := "CAST(" + column + " AS CHAR)"
	switch {
	case strings.HasSuffix(kind, "blob"), strings.HasSuffix(kind, "binary"), kind == "vector":
		expression = "REPLACE(TO_BASE64(" + column + "), CHAR(10), '')"
	case kind == "bit", kind == "year":
		expression = "CAST(" + column + " + 0 AS CHAR)"
	case kind == "float":
		expression = "CAST(CAST(" + column + " AS DOUBLE) AS CHAR)"
	case slices.Contains(shapeless, kind) && kind != "json", kind == "geomcollection":
		expression = "ST_AsText(" + column + ")"
	}
	if err := root.QueryRow("SELECT "+expression+" FROM every_type WHERE id = ?", id).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// sameValue compares numbers as numbers: MySQL writes some of them in another way.
func sameValue(kind, got, want string) bool {
	switch kind {
	case "float", "double":
		bits := map[string]int{"float": 32, "double": 64}[kind]
		a, err := strconv.ParseFloat(got, bits)
		b, err2 := strconv.ParseFloat(want, bits)
		return err == nil && err2 == nil && a == b
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "bit", "year":
		a, ok := new(big.Rat).SetString(got)
		b, ok2 := new(big.Rat).SetString(want)
		return ok && ok2 && a.Cmp(b) == 0
	}
	return got == want
}

// TestVectors is for the type that MySQL has from version 9 on.
func TestVectors(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	var version string
	if err := root.QueryRow("SELECT VERSION()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(version, "8.") {
		t.Skipf("MySQL %s has no vectors", version)
	}
	mustExec(t, root, "CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3))", "INSERT INTO vectors VALUES (1, STRING_TO_VECTOR('[1, 2, 3]')), (2, NULL)")
	site := newSite(t, server, schema)
	site.get(t, "/tables/vectors", 200).has(t, "0x0000803F0000004000004040", "12 bytes", "vector(3)", "Rows cannot be sorted by this type")
	site.get(t, "/tables/vectors/rows/1", 200).has(t, "0x0000803F0000004000004040")
	site.get(t, "/tables/vectors.json", 200).has(t, `{"id":1,"v":"AACAPwAAAEAAAEBA"}`, `{"id":2,"v":null}`)
	site.get(t, "/tables/vectors.csv", 200).has(t, "1,AACAPwAAAEAAAEBA")
	site.get(t, "/tables/vectors?"+filterQuery("v", "is-null", ""), 200)
	for _, query := range []string{"sort=v", "facet=v", filterQuery("v", "equals", "00"), filterQuery("v", "contains", "1")} {
		site.get(t, "/tables/vectors?"+query, 400).has(t, "vector(3)")
	}
	site.get(t, "/tables/vectors/chart?kind=bar&x=v", 400).has(t, "vector(3)")
}
