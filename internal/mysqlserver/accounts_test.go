package mysqlserver

import (
	"strings"
	"testing"
)

func TestMasterUser(t *testing.T) {
	s := start(t, Options{})
	root, master := openRoot(t, s), openMaster(t, s)
	// The underscore is MySQL's one-character wildcard in grants.
	const schema = "test_1"
	mustExec(t, root, "CREATE DATABASE "+schema)
	escaped := strings.ReplaceAll(schema, "_", `\_`)

	allowed := map[string]string{
		"reads mysql.user":        "SELECT user, host FROM mysql.user",
		"creates a schema":        "CREATE DATABASE made_by_master",
		"drops a schema":          "DROP DATABASE IF EXISTS made_by_master_too",
		"creates a table":         "CREATE TABLE " + schema + ".t (id INT PRIMARY KEY)",
		"creates a user":          "CREATE USER 'made_by_master'@'127.0.0.0/255.0.0.0' IDENTIFIED BY 'correct horse' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5",
		"creates a role":          "CREATE ROLE made_by_master_role",
		"takes a lock by name":    "SELECT GET_LOCK('made_by_master', 0)",
		"sees the server's state": "SHOW PROCESSLIST",
		"sees every grant":        "SHOW GRANTS FOR 'root'@'localhost'",
	}
	for name, statement := range allowed {
		t.Run(name, func(t *testing.T) { mustExec(t, master, statement) })
	}

	t.Run("grants SELECT on one schema, and the wildcard is one", func(t *testing.T) {
		const user, password = "reader", "battery staple"
		mustExec(t, master, "CREATE USER 'reader'@'%' IDENTIFIED BY '"+password+"'")
		neighbour := strings.ReplaceAll(schema, "_", "X")
		mustExec(t, master, "CREATE DATABASE "+neighbour)
		mustExec(t, master, "CREATE TABLE "+neighbour+".t (id INT PRIMARY KEY)")
		mustExec(t, master, "CREATE TABLE "+schema+".mine (id INT PRIMARY KEY)")

		mustExec(t, master, "GRANT SELECT ON `"+escaped+"`.* TO 'reader'@'%'")
		reader := open(t, s, user, password, schema)
		mustExec(t, reader, "SELECT * FROM mine")
		wantErrorNumber(t, reader, "INSERT INTO mine VALUES (1)", 1142)
		wantErrorNumber(t, reader, "SELECT * FROM "+neighbour+".t", 1142)

		mustExec(t, master, "GRANT SELECT ON `"+schema+"`.* TO 'reader'@'%'")
		mustExec(t, open(t, s, user, password, schema), "SELECT * FROM "+neighbour+".t")
	})

	t.Run("changes a password and keeps the old one valid", func(t *testing.T) {
		mustExec(t, master, "CREATE USER 'rotated'@'%' IDENTIFIED BY 'first'")
		mustExec(t, master, "ALTER USER 'rotated'@'%' IDENTIFIED BY 'second' RETAIN CURRENT PASSWORD")
		for _, password := range []string{"first", "second"} {
			mustExec(t, open(t, s, "rotated", password, ""), "SELECT 1")
		}
		mustExec(t, master, "ALTER USER 'rotated'@'%' DISCARD OLD PASSWORD")
		wantErrorNumber(t, open(t, s, "rotated", "first", ""), "SELECT 1", 1045)
	})

	refused := map[string]struct {
		statement string
		number    uint16
	}{
		"writing mysql.user":         {"UPDATE mysql.user SET max_connections = 1 WHERE user = 'nobody'", 1142},
		"deleting from mysql.user":   {"DELETE FROM mysql.user WHERE user = 'nobody'", 1142},
		"inserting into mysql.db":    {"INSERT INTO mysql.db (host, db, user) VALUES ('%', 'x', 'x')", 1142},
		"creating a table in mysql":  {"CREATE TABLE mysql.mine (id INT)", 1142},
		"dropping the schema mysql":  {"DROP DATABASE mysql", 1044},
		"creating a table in sys":    {"CREATE TABLE sys.mine (id INT)", 1142},
		"granting itself mysql":      {"GRANT INSERT ON mysql.* TO 'admin'@'%'", 1044},
		"granting all":               {"GRANT ALL ON *.* TO 'admin'@'%'", 1045},
		"changing root":              {"ALTER USER 'root'@'localhost' IDENTIFIED BY 'x'", 1227},
		"dropping root":              {"DROP USER 'root'@'localhost'", 1227},
		"setting a global variable":  {"SET GLOBAL max_connections = 10", 1227},
		"shutting the server down":   {"SHUTDOWN", 1227},
		"writing files":              {"SELECT 1 INTO OUTFILE 'drawbridge-outfile'", 1227},
		"reading the server's files": {"LOAD DATA INFILE '/etc/passwd' INTO TABLE " + schema + ".none", 1045},
		"turning binary logging off": {"SET SESSION sql_log_bin = 0", 1227},
		"installing a plugin":        {"INSTALL PLUGIN example SONAME 'ha_example.so'", 1142},
	}
	for name, tc := range refused {
		t.Run("is refused "+name, func(t *testing.T) { wantErrorNumber(t, master, tc.statement, tc.number) })
	}
}

func TestTheMasterUserHasTheNameThatIsGiven(t *testing.T) {
	s := start(t, Options{MasterUsername: "Db_Owner1"})
	if user, _ := s.Master(); user != "Db_Owner1" {
		t.Errorf("it is called %s", user)
	}
	mustExec(t, openMaster(t, s), "CREATE DATABASE made_by_owner")
}

func TestRootLogsInFromWhereTheServerIs(t *testing.T) {
	rename := "RENAME USER 'root'@'localhost' TO 'root'@'10.0.32.4'"
	if sql := newAccounts("admin").setupSQL("10.0.32.4"); !strings.Contains(sql, rename) {
		t.Errorf("off loopback there is no %s in\n%s", rename, sql)
	}
	if sql := newAccounts("admin").setupSQL(localhost); strings.Contains(sql, "RENAME USER") {
		t.Errorf("on loopback root moves:\n%s", sql)
	}
	for host, want := range map[string]string{"127.0.0.1": localhost, "127.0.0.2": localhost, "10.0.32.4": "10.0.32.4"} {
		if got := (&Server{Host: host}).rootHost(); got != want {
			t.Errorf("root of the server on %s logs in from %s, want %s", host, got, want)
		}
	}
}
