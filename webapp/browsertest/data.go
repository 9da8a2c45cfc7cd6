package browsertest

import (
	"database/sql"
	"testing"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/sampledata"
)

// Load fills an empty schema with the sample data, and with tables that have no
// rows, no key, and values of every kind.
func Load(t testing.TB, db *sql.DB, schema string) {
	t.Helper()
	if _, err := sampledata.Load(t.Context(), db, schema); err != nil {
		t.Fatal(err)
	}
	quoted := mysqldb.QuoteIdentifier(schema) + "."
	for _, statement := range []string{
		"CREATE TABLE " + quoted + "lairs (id INT PRIMARY KEY, depth_m DOUBLE, about TEXT) COMMENT = 'where they sleep; none is known yet'",
		"CREATE TABLE " + quoted + "rumours (heard_on DATE, rumour VARCHAR(200)) COMMENT = 'a table without a key'",
		"INSERT INTO " + quoted + "rumours VALUES ('2026-01-02', 'The kraken <b>retires</b>.'), ('2026-01-02', 'The kraken <b>retires</b>.'), (NULL, NULL)",
		"CREATE VIEW " + quoted + "tall_monsters AS SELECT name, species, height_m FROM " + quoted + "monsters WHERE height_m > 5",
		`CREATE TABLE ` + quoted + `curiosities (
			id BIGINT UNSIGNED PRIMARY KEY, note TEXT, greeting VARCHAR(200), flag BIT(10), photo BLOB, facts JSON, place POINT,
			kinds SET('rare', 'loud', 'cold'), seen_at TIMESTAMP NULL, lasted TIME(3), weight DECIMAL(65,30),
			a_column_with_a_name_that_is_as_long_as_mysql_lets_names_be_____ INT COMMENT 'a comment') COMMENT = 'values of many types; ארוך and 長い texts'`,
		`INSERT INTO ` + quoted + `curiosities VALUES
			(18446744073709551615, REPEAT('Once upon a time there was a monster. ', 200), 'שלום, 怪物 🐉 <i>', b'1010000001', REPEAT(UNHEX('C3'), 1000),
			'{"heads": [1, 2, 3], "name": "Ägir"}', ST_GeomFromText('POINT(1 2)'), 'rare,cold', '2026-07-01 12:00:00', '-838:59:59',
			12345678901234567890123456789012345.123456789012345678901234567891, 1),
			(0, REPEAT('w', 500), '', NULL, '', 'null', NULL, '', NULL, NULL, NULL, NULL)`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
