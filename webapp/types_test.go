package main

import (
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

// everyType is one column of each type of MySQL 8.4, with values at the edges.
var everyType = []struct {
	column, definition string
	values, want       [3]string // SQL, and what the page shows
}{
	{"a_tinyint", "TINYINT", [3]string{"-128", "127", "NULL"}, [3]string{"-128", "127", "NULL"}},
	{"a_bool", "BOOLEAN", [3]string{"TRUE", "FALSE", "NULL"}, [3]string{"1", "0", "NULL"}},
	{"a_smallint", "SMALLINT UNSIGNED", [3]string{"65535", "0", "NULL"}, [3]string{"65535", "0", "NULL"}},
	{"a_mediumint", "MEDIUMINT", [3]string{"-8388608", "8388607", "NULL"}, [3]string{"-8388608", "8388607", "NULL"}},
	{"an_int", "INT UNSIGNED", [3]string{"4294967295", "0", "NULL"}, [3]string{"4294967295", "0", "NULL"}},
	{"a_bigint", "BIGINT", [3]string{"-9223372036854775808", "9223372036854775807", "NULL"}, [3]string{"-9223372036854775808", "9223372036854775807", "NULL"}},
	{"an_unsigned", "BIGINT UNSIGNED", [3]string{"18446744073709551615", "0", "NULL"}, [3]string{"18446744073709551615", "0", "NULL"}},
	{"a_decimal", "DECIMAL(65,30)", [3]string{"12345678901234567890123456789012345.123456789012345678901234567891", "-0.1", "NULL"}, [3]string{"12345678901234567890123456789012345.123456789012345678901234567891", "-0.100000000000000000000000000000", "NULL"}},
	{"a_float", "FLOAT", [3]string{"16777217", "0.1", "NULL"}, [3]string{"16777216", "0.1", "NULL"}},
	{"a_double", "DOUBLE", [3]string{"0.1234567890123456", "1e300", "NULL"}, [3]string{"0.1234567890123456", "1e+300", "NULL"}},
	{"a_bit", "BIT(10)", [3]string{"b'1010000001'", "b'1'", "NULL"}, [3]string{"b'1010000001'", "b'0000000001'", "NULL"}},
	{"a_bit64", "BIT(64)", [3]string{"0xFFFFFFFFFFFFFFFF", "0", "NULL"}, [3]string{"b'" + strings.Repeat("1", 64) + "'", "b'" + strings.Repeat("0", 64) + "'", "NULL"}},
	{"a_year", "YEAR", [3]string{"1901", "0", "NULL"}, [3]string{"1901", "0000", "NULL"}},
	{"a_date", "DATE", [3]string{"'9999-12-31'", "'0000-00-00'", "NULL"}, [3]string{"9999-12-31", "0000-00-00", "NULL"}},
	{"a_partial", "DATE", [3]string{"'2024-00-00'", "'2024-02-29'", "NULL"}, [3]string{"2024-00-00", "2024-02-29", "NULL"}},
	{"a_datetime", "DATETIME(6)", [3]string{"'2024-02-29 23:59:59.000001'", "'0000-00-00 00:00:00'", "NULL"}, [3]string{"2024-02-29 23:59:59.000001", "0000-00-00 00:00:00.000000", "NULL"}},
	{"a_timestamp", "TIMESTAMP NULL", [3]string{"'2024-07-01 12:00:00+02:00'", "'1970-01-01 00:00:01'", "NULL"}, [3]string{"2024-07-01 10:00:00", "1970-01-01 00:00:01", "NULL"}},
	{"a_time", "TIME(3)", [3]string{"'-838:59:59'", "'25:00:00.125'", "NULL"}, [3]string{"-838:59:59.000", "25:00:00.125", "NULL"}},
	{"a_char", "CHAR(10)", [3]string{"'abc'", "''", "NULL"}, [3]string{"abc", "empty text", "NULL"}},
	{"a_varchar", "VARCHAR(200)", [3]string{"'naïve 日本語 עברית 🐉'", "'<b>&\"'", "NULL"}, [3]string{"naïve 日本語 עברית 🐉", "<b>&\"", "NULL"}},
	{"a_latin1", "VARCHAR(20) CHARACTER SET latin1", [3]string{"'café'", "'x'", "NULL"}, [3]string{"café", "x", "NULL"}},
	{"a_tinytext", "TINYTEXT", [3]string{"'short'", "'NULL'", "NULL"}, [3]string{"short", "NULL", "NULL"}},
	{"a_text", "TEXT", [3]string{"REPEAT('é', 5000)", "'b'", "NULL"}, [3]string{strings.Repeat("é", 80) + "… " + strings.Repeat("é", 4000) + " the first 4,000 of 5,000 characters", "b", "NULL"}},
	{"a_mediumtext", "MEDIUMTEXT", [3]string{"CONCAT('a', CHAR(0), 'b', CHAR(27))", "'b'", "NULL"}, [3]string{"a␀b␛", "b", "NULL"}},
	{"a_longtext", "LONGTEXT", [3]string{"REPEAT('w', 81)", "REPEAT('w', 80)", "NULL"}, [3]string{strings.Repeat("w", 80) + "… " + strings.Repeat("w", 81), strings.Repeat("w", 80), "NULL"}},
	{"a_binary", "BINARY(4)", [3]string{"'ab'", "0xFF00FF00", "NULL"}, [3]string{"0x61620000 4 bytes", "0xFF00FF00 4 bytes", "NULL"}},
	{"a_varbinary", "VARBINARY(100)", [3]string{"0xFF", "''", "NULL"}, [3]string{"0xFF 1 byte", "0 bytes", "NULL"}},
	{"a_tinyblob", "TINYBLOB", [3]string{"0xDEADBEEF", "0x00", "NULL"}, [3]string{"0xDEADBEEF 4 bytes", "0x00 1 byte", "NULL"}},
	{"a_blob", "BLOB", [3]string{"REPEAT(UNHEX('C3'), 1000)", "0x00", "NULL"}, [3]string{"0x" + strings.Repeat("C3", 16) + "… 1,000 bytes", "0x00 1 byte", "NULL"}},
	{"a_mediumblob", "MEDIUMBLOB", [3]string{"0x01", "0x00", "NULL"}, [3]string{"0x01 1 byte", "0x00 1 byte", "NULL"}},
	{"a_longblob", "LONGBLOB", [3]string{"0x01", "0x00", "NULL"}, [3]string{"0x01 1 byte", "0x00 1 byte", "NULL"}},
	{"an_enum", "ENUM('it''s', '<i>')", [3]string{"'it''s'", "'<i>'", "NULL"}, [3]string{"it's", "<i>", "NULL"}},
	{"a_set", "SET('a', 'b', 'c')", [3]string{"'a,c'", "''", "NULL"}, [3]string{"a,c", "empty text", "NULL"}},
	{"a_json", "JSON", [3]string{`'{"big": 18446744073709551615, "x": [1, null, "é"]}'`, "'null'", "NULL"}, [3]string{`{"x": [1, null, "é"], "big": 18446744073709551615}`, "null", "NULL"}},
	{"a_geometry", "GEOMETRY", [3]string{"ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')", "NULL"}, [3]string{"POINT(1 2)", "GEOMETRYCOLLECTION EMPTY", "NULL"}},
	{"a_point", "POINT SRID 4326", [3]string{"ST_GeomFromText('POINT(52.5 13.4)', 4326)", "ST_GeomFromText('POINT(0 0)', 4326)", "NULL"}, [3]string{"POINT(52.5 13.4)", "POINT(0 0)", "NULL"}},
	{"a_line", "LINESTRING", [3]string{"ST_GeomFromText('LINESTRING(0 0,1 1)')", "ST_GeomFromText('LINESTRING(0 0,1 2)')", "NULL"}, [3]string{"LINESTRING(0 0,1 1)", "LINESTRING(0 0,1 2)", "NULL"}},
	{"a_polygon", "POLYGON", [3]string{"ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')", "NULL", "NULL"}, [3]string{"POLYGON((0 0,1 0,1 1,0 0))", "NULL", "NULL"}},
	{"a_multipoint", "MULTIPOINT", [3]string{"ST_GeomFromText('MULTIPOINT((0 0),(1 1))')", "NULL", "NULL"}, [3]string{"MULTIPOINT((0 0),(1 1))", "NULL", "NULL"}},
	{"a_collection", "GEOMETRYCOLLECTION", [3]string{"ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))')", "NULL", "NULL"}, [3]string{"GEOMETRYCOLLECTION(POINT(1 1))", "NULL", "NULL"}},
	{"a_hidden", "INT INVISIBLE", [3]string{"1", "2", "NULL"}, [3]string{"1", "2", "NULL"}},
}

func TestEveryTypeShows(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	root.SetMaxOpenConns(1) // the session's variables count for all statements
	var columns, names []string
	for _, c := range everyType {
		columns, names = append(columns, c.column+" "+c.definition), append(names, c.column)
	}
	mustExec(t, root, "SET sql_mode = '', time_zone = '+00:00', NAMES utf8mb4",
		"CREATE TABLE every_type (id INT PRIMARY KEY, "+strings.Join(columns, ", ")+") CHARACTER SET utf8mb4",
		"CREATE VIEW every_type_view AS SELECT id, "+strings.Join(names, ", ")+" FROM every_type ORDER BY id")
	for row := range 3 {
		var values []string
		for _, c := range everyType {
			values = append(values, c.values[row])
		}
		mustExec(t, root, "INSERT INTO every_type (id, "+strings.Join(names, ", ")+") VALUES ("+[]string{"1", "2", "3"}[row]+", "+strings.Join(values, ", ")+")")
	}
	site := newSite(t, server, schema)

	for _, table := range []string{"every_type", "every_type_view"} {
		page := site.get(t, "/tables/"+table, 200)
		cells := page.cells(t)
		if len(cells) != 3 {
			t.Fatalf("%s shows %d rows, want 3", table, len(cells))
		}
		for i, c := range everyType {
			t.Run(table+" "+c.column, func(t *testing.T) {
				for row := range 3 {
					if got := cells[row][i+1]; got != c.want[row] {
						t.Errorf("%s shows as %q, want %q", c.values[row], got, c.want[row])
					}
				}
			})
		}
		page.hasNot(t, "<b>", "<i>")
	}
}

func rootPassword(server *mysqltest.Server) string {
	_, password := server.RootLogin()
	return password
}
