package main

import (
	"testing"

	"drawbridge/internal/mysqltest"
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
