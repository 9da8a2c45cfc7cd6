package main

import (
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

// sortedColumns are columns of every type that rows can be sorted by, with
// values that are easy to get wrong. Each is used several times.
var sortedColumns = []struct{ definition, values string }{
	{"TINYINT", "-128, -1, 0, 1, 127, NULL"},
	{"SMALLINT UNSIGNED", "0, 1, 65535, NULL"},
	{"MEDIUMINT", "-8388608, 0, 8388607, NULL"},
	{"INT ZEROFILL", "0, 42, 4294967295, NULL"},
	{"BIGINT", "-9223372036854775808, -1, 0, 9007199254740993, 9007199254740992, 9223372036854775807, NULL"},
	{"BIGINT UNSIGNED", "0, 9223372036854775807, 9223372036854775808, 18446744073709551614, 18446744073709551615, NULL"},
	{"DECIMAL(65,30)", "0, -0.1, 12345678901234567890123456789012345.123456789012345678901234567891, 12345678901234567890123456789012345.123456789012345678901234567890, NULL"},
	{"DECIMAL(5,0)", "-3, 3, 99999, NULL"},
	{"FLOAT", "0.1, 0.2, 16777217, -1e30, 3.4028234e38, 1.17549e-38, NULL"},
	{"DOUBLE", "0.1, 0.1234567890123456, 0.12345678901234561, -1.7976931348623157e308, 5e-324, 1e300, -0.0, NULL"},
	{"BIT(10)", "b'0', b'1', b'1111111111', b'1010000001', NULL"},
	{"BIT(64)", "0xFFFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0, 1, NULL"},
	{"YEAR", "0, 1901, 1970, 2069, 2155, NULL"},
	{"DATE", "'0000-00-00', '2024-00-00', '2024-02-00', '2024-02-29', '9999-12-31', '1000-01-01', NULL"},
	{"DATETIME(6)", "'0000-00-00 00:00:00', '2024-02-29 23:59:59.000001', '2024-02-29 23:59:59.000002', '2024-02-29', NULL"},
	{"TIMESTAMP(3) NULL", "'1970-01-01 00:00:01', '2024-03-31 02:30:00.125', '2024-10-27 02:30:00', '0000-00-00 00:00:00', NULL"},
	{"TIME(3)", "'-838:59:59', '-00:00:00.001', '00:00:00', '25:00:00.125', '838:59:59', NULL"},
	{"CHAR(10)", "'', 'a', 'A', 'á', 'b', 'a b', NULL"},
	{"VARCHAR(50)", "'', ' ', 'a', 'A', 'a ', 'ä', 'ß', 'ss', 'Z', '10', '9', '🐉', '日本', NULL"},
	{"VARCHAR(50) COLLATE utf8mb4_bin", "'', ' ', 'a', 'A', 'a ', 'ä', '🐉', NULL"},
	{"VARCHAR(50) COLLATE utf8mb4_general_ci", "'', ' ', 'a', 'A', 'a ', 'ä', '🐉', '🐈', NULL"},
	{"VARCHAR(50) COLLATE utf8mb4_0900_as_cs", "'', 'a', 'A', 'ä', 'Ä', 'b', NULL"},
	{"VARCHAR(50) COLLATE utf8mb4_ja_0900_as_cs_ks", "'はは', 'ハハ', '母', 'ばば', NULL"},
	{"VARCHAR(50) CHARACTER SET latin1", "'é', 'e', 'E', 'É', 'f', 'ß', NULL"},
	{"VARCHAR(50) CHARACTER SET utf16", "'é', 'e', '🐉', NULL"},
	{"VARCHAR(50)", "',', '\\\\', 'a,b', '.', '..', '\\\\N', CHAR(0, 1, 127), '%', '+', '&=#', CONCAT('a', CHAR(10), 'b'), NULL"},
	{"VARCHAR(255)", "REPEAT('ﷺ', 255), REPEAT('ﷺ', 254), CONCAT(REPEAT('ﷺ', 254), 'a'), NULL"},
	{"TINYTEXT", "'', 'b', 'B', NULL"},
	{"TEXT", "'', REPEAT('x', 99), REPEAT('x', 100), REPEAT('y', 5000), 'ÿ', NULL"},
	{"LONGTEXT", "'a', 'B', REPEAT('é', 100), NULL"},
	{"BINARY(4)", "'', 'ab', 0xFF00FF00, 0x61620001, NULL"},
	{"VARBINARY(100)", "'', 0x00, 0x0000, 0xFF, 0x6120, 'a', 'A', NULL"},
	{"BLOB", "'', 0x00, 0xFF, REPEAT('a', 100), NULL"},
	{"ENUM('z','a','M','10','9')", "'z', 'a', 'M', '10', '9', NULL"},
	{"ENUM('b','') NOT NULL", "'b', '', 'not one of them'"},
	{"SET('z','a','M')", "'', 'z', 'a', 'a,z', 'M', 'M,a', NULL"},
}

// sortSchema fills a table with the columns above, with rows values in each.
func sortSchema(t testing.TB, db *sql.DB, rows int) (columns []string) {
	t.Helper()
	db.SetMaxOpenConns(1)
	definitions := ""
	for i, c := range sortedColumns {
		name := fmt.Sprintf("c%d", i)
		columns = append(columns, name)
		definitions += ", " + name + " " + c.definition
	}
	mustExec(t, db, "SET sql_mode = '', time_zone = '+00:00', max_sort_length = 8388608, sort_buffer_size = 8388608", "SET NAMES utf8mb4",
		"CREATE TABLE sorted (id INT UNSIGNED PRIMARY KEY"+definitions+") CHARACTER SET utf8mb4")
	for i := range rows {
		var values []string
		for j, c := range sortedColumns {
			list := strings.Split(c.values, ", ")
			if strings.Contains(c.values, "(") {
				list = splitCalls(c.values)
			}
			values = append(values, list[(i*(2*j+7)+i/(j+2))%len(list)])
		}
		mustExec(t, db, fmt.Sprintf("INSERT INTO sorted VALUES (%d, %s)", (i*37)%rows+1, strings.Join(values, ", ")))
	}
	return columns
}

// splitCalls splits at commas outside of brackets and quotes.
func splitCalls(list string) (parts []string) {
	depth, quoted, from := 0, false, 0
	for i := range len(list) {
		switch list[i] {
		case '\'':
			quoted = !quoted
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 && !quoted {
				parts, from = append(parts, strings.TrimSpace(list[from:i])), i+1
			}
		}
	}
	return append(parts, strings.TrimSpace(list[from:]))
}

// walk follows a link from page to page, and gives the keys of the rows on each.
func walk(t testing.TB, s *site, path, rel string) (pages [][]string, paths []string) {
	t.Helper()
	for path != "" {
		if len(pages) > 1000 {
			t.Fatalf("there is no end at %s", path)
		}
		page := s.get(t, path, 200)
		pages, paths = append(pages, page.rowsOf(t)), append(paths, path)
		path = page.link(rel)
	}
	return pages, paths
}

// rowsOf are the addresses of the rows that the page shows.
func (a answer) rowsOf(t testing.TB) (keys []string) {
	t.Helper()
	for _, line := range strings.Split(a.body, "<tr>")[2:] {
		_, rest, found := strings.Cut(line, "/rows/")
		if !found {
			t.Fatalf("a row has no link to its page: %s", line)
		}
		key, _, _ := strings.Cut(rest, `"`)
		keys = append(keys, key)
	}
	return keys
}

// wantWalk walks the pages from the first to the last and back, and fails unless
// each shows what it should.
func wantWalk(t *testing.T, s *site, path string, want []string) {
	t.Helper()
	forward, paths := walk(t, s, path, "next")
	if got := slices.Concat(forward...); !slices.Equal(got, want) {
		t.Errorf("next shows\n%v, want\n%v\non %q", got, want, paths)
	}
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	back, paths := walk(t, s, path+separator+"page=last", "prev")
	slices.Reverse(back)
	if !slices.EqualFunc(forward, back, slices.Equal) {
		t.Errorf("previous shows\n%v, next\n%v\non %q", back, forward, paths)
	}
}

func TestSortByEveryType(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	columns := sortSchema(t, root, 41)
	site := newSite(t, server, schema)
	for i, name := range columns {
		for _, direction := range []string{"asc", "desc"} {
			t.Run(sortedColumns[i].definition+" "+direction, func(t *testing.T) {
				// MySQL itself says what the order is.
				rows, err := root.Query(fmt.Sprintf("SELECT id FROM sorted ORDER BY %s %s, id %s", name, direction, direction))
				if err != nil {
					t.Fatal(err)
				}
				var want []string
				for rows.Next() {
					var id string
					if err := rows.Scan(&id); err != nil {
						t.Fatal(err)
					}
					want = append(want, id)
				}
				if len(want) != 41 {
					t.Fatalf("%d rows", len(want))
				}
				wantWalk(t, site, "/tables/sorted?size=6&sort="+name+"&order="+direction, want)
			})
		}
	}
}

// keyed are tables with keys of many kinds.
var keyed = []struct{ name, definition, order, sorting string }{
	{"two columns", "a INT, b VARCHAR(10), PRIMARY KEY (b, a)", "b, a", ""},
	{"a text that ignores case", "a INT, b VARCHAR(20) PRIMARY KEY", "b", ""},
	{"a long text", "a INT, b VARCHAR(700) PRIMARY KEY", "b", ""},
	{"the beginning of a text", "a INT, b TEXT NOT NULL, PRIMARY KEY (b(12))", "b", ""},
	{"bytes", "a INT, b VARBINARY(20) PRIMARY KEY", "b", ""},
	{"an unsigned number", "b BIGINT UNSIGNED PRIMARY KEY, a INT", "b", ""},
	{"a decimal", "b DECIMAL(30,10) PRIMARY KEY, a INT", "b", ""},
	{"a float", "b FLOAT, a INT, PRIMARY KEY (b, a)", "b, a", ""},
	{"an enum", "b ENUM('9','8','7','6'), a INT, PRIMARY KEY (b, a)", "b, a", ""},
	{"a descending key", "b INT, a INT, PRIMARY KEY (a DESC, b)", "a, b", ""},
	{"a unique key", "b INT, a INT NOT NULL, UNIQUE (b), UNIQUE (a)", "a", ""},
	{"a unique key of two", "b INT NOT NULL, a INT NOT NULL, c INT, UNIQUE (a, c), UNIQUE (a, b)", "a, b", ""},
	{"a date", "b DATETIME(3) PRIMARY KEY, a INT", "b", ""},
	{"a name like what is selected", "b INT PRIMARY KEY, a INT, `LEFT(``t``, 4000)` INT AS (-a) STORED, t TEXT AS (CONCAT('', a)) STORED, `a + 0` INT AS (7)", "b", "&sort=" + url.QueryEscape("LEFT(`t`, 4000)")},
	{"an invisible column", "b INT INVISIBLE PRIMARY KEY, a INT", "b", ""},
}

func TestKeysOfEveryKind(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	mustExec(t, root, "SET sql_mode = ''")
	for _, k := range keyed {
		table := mysqldb.QuoteIdentifier(k.name)
		mustExec(t, root, fmt.Sprintf("CREATE TABLE %s (%s)", table, k.definition))
		for i := range 17 {
			value := any(i*7%17 + 1)
			switch {
			case strings.Contains(k.definition, "b VARCHAR"), strings.Contains(k.definition, "b TEXT"):
				value = fmt.Sprintf("%c,\\.é/%c", rune('a'+i*7%17), rune('A'+i))
			case strings.Contains(k.definition, "VARBINARY"):
				value = []byte{byte(255 - i), 0, byte(i)}
			case strings.Contains(k.definition, "ENUM"):
				value = 1 + i%4
			case strings.Contains(k.definition, "FLOAT"):
				value = float32(i%5) / 10
			case strings.Contains(k.definition, "DATETIME"):
				value = fmt.Sprintf("2024-02-%02d 01:02:03.%03d", 1+i*7%17, i)
			}
			if _, err := root.Exec(fmt.Sprintf("INSERT INTO %s (a, b) VALUES (?, ?)", table), i+1, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	site := newSite(t, server, schema)
	for _, k := range keyed {
		t.Run(k.name, func(t *testing.T) {
			for _, sorting := range []string{"", "&order=desc", "&sort=a", "&sort=b&order=desc", k.sorting} {
				path := "/tables/" + url.PathEscape(k.name) + "?size=4" + sorting
				forward, paths := walk(t, site, path, "next")
				all := slices.Concat(forward...)
				if distinct := slices.Compact(slices.Sorted(slices.Values(all))); len(all) != 17 || len(distinct) != 17 {
					t.Errorf("the pages show %d rows, %d of them different: %v", len(all), len(distinct), paths)
				}
				wantWalk(t, site, path, all)
			}
			// In the order of the key, by MySQL's own word.
			var want []string
			rows, err := root.Query(fmt.Sprintf("SELECT a FROM %s ORDER BY %s", mysqldb.QuoteIdentifier(k.name), k.order))
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var a string
				if err := rows.Scan(&a); err != nil {
					t.Fatal(err)
				}
				want = append(want, a)
			}
			page := site.get(t, "/tables/"+url.PathEscape(k.name), 200)
			var got []string
			for _, cells := range page.cells(t) {
				got = append(got, strings.TrimSuffix(cells[slices.Index(columnNames(page), "a")], " row"))
			}
			if !slices.Equal(got, want) {
				t.Errorf("the order is %v, want %v", got, want)
			}
			// Every row has a page of its own.
			for _, key := range page.rowsOf(t) {
				site.get(t, "/tables/"+url.PathEscape(k.name)+"/rows/"+key, 200)
			}
		})
	}
}

// columnNames are the headings of the page's table.
func columnNames(a answer) (names []string) {
	head, _, _ := strings.Cut(a.body, "</thead>")
	for _, part := range strings.Split(head, `<th scope="col"`)[1:] {
		_, rest, _ := strings.Cut(part, "<bdi")
		_, rest, _ = strings.Cut(rest, ">")
		name, _, _ := strings.Cut(rest, "</bdi>")
		names = append(names, name)
	}
	return names
}
