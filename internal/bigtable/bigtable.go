// Package bigtable makes a table of generated rows, a million of them for example, in which tests and benchmarks look
// for pages far from the start. The same number of rows is the same data everywhere.
package bigtable

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	"drawbridge/internal/mysqldb"
)

const (
	// Table is the name of the table, and Parent of the one that it refers to.
	Table  = "readings"
	Parent = "stations"

	// Parents is how many rows Parent has.
	Parents = 1000

	// MaxRows is how many rows Table can have.
	MaxRows = 5_000_000
)

// Load creates Table, with so many rows, and Parent in a schema that exists. The keys of Table are 1 to rows. It takes a
// user who may create tables there. A million rows took 15 seconds
// on a machine of two cores that had other work too.
func Load(ctx context.Context, db *sql.DB, schema string, rows int) error {
	if rows < 1 || rows > MaxRows {
		return fmt.Errorf("the table %s cannot have %d rows: ask for 1 to %d", Table, rows, MaxRows)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	// A connection with such variables is for nothing else: it does not go back to its pool.
	defer conn.Raw(func(any) error { return driver.ErrBadConn }) //nolint:errcheck // it is closed
	in := strings.NewReplacer("SCHEMA.", mysqldb.QuoteIdentifier(schema)+".", "ROWS", fmt.Sprint(rows), "PARENTS", fmt.Sprint(Parents))
	for _, statement := range statements {
		if _, err := conn.ExecContext(ctx, in.Replace(statement)); err != nil {
			return fmt.Errorf("making the table %s of %d rows: %w", Table, rows, err)
		}
	}
	return nil
}

// statements make both tables. Rows go in by their key, and the other indexes and the foreign key come last: MySQL sorts
// for an index that is added later, which is many times faster. The numbers that i is multiplied by are primes, so that
// each column has an order of its own.
var statements = []string{
	`SET cte_max_recursion_depth = ROWS + PARENTS, foreign_key_checks = 0`, // with the checks, the foreign key would copy the table
	`CREATE TABLE SCHEMA.stations (
		id INT NOT NULL PRIMARY KEY,
		name VARCHAR(40) NOT NULL,
		opened DATE NOT NULL
	) CHARACTER SET utf8mb4 COMMENT 'Where readings are taken'`,
	`INSERT INTO SCHEMA.stations WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < PARENTS)
		SELECT i, CONCAT('Station ', i), '1950-01-01' + INTERVAL (i * 7919) % 25000 DAY
		FROM numbers`,
	`CREATE TABLE SCHEMA.readings (
		id INT UNSIGNED NOT NULL PRIMARY KEY,
		station_id INT NOT NULL,
		taken_at DATETIME(3) NOT NULL,
		kind ENUM('rain', 'wind', 'sun', 'snow') NOT NULL,
		label VARCHAR(40),
		amount DECIMAL(10,2) NOT NULL,
		level DOUBLE,
		checked BOOLEAN NOT NULL,
		note VARCHAR(100)
	) CHARACTER SET utf8mb4 COMMENT 'Generated'`,
	`INSERT INTO SCHEMA.readings WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ROWS)
		SELECT i, (i * 7919) % PARENTS + 1, '2020-01-01' + INTERVAL (i * 15485863) % 126230400000 * 1000 MICROSECOND, (i * 31) % 4 + 1,
			IF(i % 10 = 0, NULL, CONCAT('label ', (i * 104729) % 5000)), (i * 1299709) % 10000000 / 100 - 50000,
			IF(i % 7 = 0, NULL, ((i * 6700417) % 2000003 - 1000001) / 1024e0), i % 3 = 0, IF(i % 5 = 0, NULL, CONCAT('Note ', (i * 15485863) % 1000003, ' of station ', (i * 7919) % PARENTS + 1))
		FROM numbers`,
	`ALTER TABLE SCHEMA.readings ADD KEY (station_id), ADD KEY (taken_at), ADD KEY (label), ADD KEY (amount),
		ADD CONSTRAINT reading_station FOREIGN KEY (station_id) REFERENCES SCHEMA.stations (id), ALGORITHM = INPLACE`,
	`ANALYZE TABLE SCHEMA.stations, SCHEMA.readings`,
}
