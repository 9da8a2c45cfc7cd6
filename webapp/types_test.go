package main

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"drawbridge/internal/mysqltest"
)

// typeCase is a column of a type, and its values in three rows.
type typeCase struct {
	column, definition string
	values, want       [3]string // SQL, and what the page shows
}

// everyType is one column of each type of MySQL 8.4, with values at the edges.
var everyType = []typeCase{
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
	{"a_multiline", "MULTILINESTRING", [3]string{"ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))')", "NULL", "NULL"}, [3]string{"MULTILINESTRING((0 0,1 1),(2 2,3 3))", "NULL", "NULL"}},
	{"a_multipolygon", "MULTIPOLYGON", [3]string{"ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')", "NULL", "NULL"}, [3]string{"MULTIPOLYGON(((0 0,1 0,1 1,0 0)))", "NULL", "NULL"}},
	{"a_tiny_unsigned", "TINYINT UNSIGNED", [3]string{"255", "0", "NULL"}, [3]string{"255", "0", "NULL"}},
	{"a_smallint_signed", "SMALLINT", [3]string{"-32768", "32767", "NULL"}, [3]string{"-32768", "32767", "NULL"}},
	{"a_medium_unsigned", "MEDIUMINT UNSIGNED", [3]string{"16777215", "0", "NULL"}, [3]string{"16777215", "0", "NULL"}},
	{"an_int_signed", "INT", [3]string{"-2147483648", "2147483647", "NULL"}, [3]string{"-2147483648", "2147483647", "NULL"}},
	// The zeros in front are no part of an integer. Of a DECIMAL they stay, as MySQL gives it as text.
	{"a_zerofill", "INT(8) ZEROFILL", [3]string{"42", "4294967295", "NULL"}, [3]string{"42", "4294967295", "NULL"}},
	{"a_decimal_zerofill", "DECIMAL(8,2) ZEROFILL", [3]string{"1.5", "999999.99", "NULL"}, [3]string{"000001.50", "999999.99", "NULL"}},
	{"a_decimal_whole", "DECIMAL(65,0)", [3]string{strings.Repeat("9", 65), "-" + strings.Repeat("9", 65), "NULL"}, [3]string{strings.Repeat("9", 65), "-" + strings.Repeat("9", 65), "NULL"}},
	{"a_decimal_unsigned", "DECIMAL(10,5) UNSIGNED", [3]string{"99999.99999", "0.00001", "NULL"}, [3]string{"99999.99999", "0.00001", "NULL"}},
	{"a_float_edge", "FLOAT", [3]string{"-3.402823e38", "1.17549435e-38", "NULL"}, [3]string{"-3.402823e+38", "1.1754944e-38", "NULL"}},
	{"a_float_scaled", "FLOAT(7,3) UNSIGNED", [3]string{"1234.567", "0.001", "NULL"}, [3]string{"1234.567", "0.001", "NULL"}},
	{"a_double_edge", "DOUBLE", [3]string{"1.7976931348623157e308", "-2.2250738585072014e-308", "NULL"}, [3]string{"1.7976931348623157e+308", "-2.2250738585072014e-308", "NULL"}},
	{"a_bit1", "BIT(1)", [3]string{"b'1'", "b'0'", "NULL"}, [3]string{"b'1'", "b'0'", "NULL"}},
	{"a_year_edge", "YEAR", [3]string{"2155", "1970", "NULL"}, [3]string{"2155", "1970", "NULL"}},
	{"a_date_edge", "DATE", [3]string{"'1000-01-01'", "'0001-01-01'", "NULL"}, [3]string{"1000-01-01", "0001-01-01", "NULL"}},
	{"a_datetime_edge", "DATETIME", [3]string{"'9999-12-31 23:59:59'", "'2024-02-00 10:00:00'", "NULL"}, [3]string{"9999-12-31 23:59:59", "2024-02-00 10:00:00", "NULL"}},
	{"a_timestamp_edge", "TIMESTAMP(6) NULL", [3]string{"'2038-01-19 03:14:07.999999'", "'0000-00-00 00:00:00'", "NULL"}, [3]string{"2038-01-19 03:14:07.999999", "0000-00-00 00:00:00.000000", "NULL"}},
	{"a_time_edge", "TIME(6)", [3]string{"'838:59:59'", "'-00:00:00.000001'", "NULL"}, [3]string{"838:59:59.000000", "-00:00:00.000001", "NULL"}},
	{"a_char_widest", "CHAR(255)", [3]string{"REPEAT('🐉', 80)", "' x '", "NULL"}, [3]string{strings.Repeat("🐉", 80), "x", "NULL"}},
	{"a_char_bytes", "CHAR(4) CHARACTER SET binary", [3]string{"0x01020304", "0x00000000", "NULL"}, [3]string{"0x01020304 4 bytes", "0x00000000 4 bytes", "NULL"}},
	{"a_varchar_bin", "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", [3]string{"'Aa'", "CONCAT('a', CHAR(9), 'b')", "NULL"}, [3]string{"Aa", "a b", "NULL"}},
	{"a_utf16", "VARCHAR(20) CHARACTER SET utf16", [3]string{"'日本🐉'", "'x'", "NULL"}, [3]string{"日本🐉", "x", "NULL"}},
	{"a_national", "NATIONAL VARCHAR(20)", [3]string{"'é'", "''", "NULL"}, [3]string{"é", "empty text", "NULL"}},
	{"an_enum_empty", "ENUM('x', '')", [3]string{"'nowhere'", "''", "NULL"}, [3]string{"empty text", "empty text", "NULL"}},
	{"a_set_64", "SET(" + setOf64 + ")", [3]string{"9223372036854775809", "9223372036854775808", "NULL"}, [3]string{"s1,s64", "s64", "NULL"}},
	{"a_json_edge", "JSON", [3]string{`'"<b>text"'`, `JSON_ARRAY(1.5, CAST('2024-02-29 12:00:00' AS DATETIME), FALSE)`, "NULL"}, [3]string{`"<b>text"`, `[1.5, "2024-02-29 12:00:00.000000", false]`, "NULL"}},
	{"a_virtual", "INT GENERATED ALWAYS AS (id + 1) VIRTUAL", [3]string{"DEFAULT", "DEFAULT", "DEFAULT"}, [3]string{"2", "3", "4"}},
	{"a_stored", "VARCHAR(20) GENERATED ALWAYS AS (CONCAT('no ', id)) STORED", [3]string{"DEFAULT", "DEFAULT", "DEFAULT"}, [3]string{"no 1", "no 2", "no 3"}},
	{"a_hidden", "INT INVISIBLE", [3]string{"1", "2", "NULL"}, [3]string{"1", "2", "NULL"}},
}

// setOf64 are the members of the largest SET.
var setOf64 = func() string {
	var members []string
	for i := range 64 {
		members = append(members, fmt.Sprintf("'s%d'", i+1))
	}
	return strings.Join(members, ", ")
}()

// typesSite serves a table and a view with a column of each type, and a table of one type each.
func typesSite(t testing.TB) (*site, *sql.DB) {
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
	return newSite(t, server, schema), root
}

func TestEveryTypeShows(t *testing.T) {
	site, _ := typesSite(t)

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
