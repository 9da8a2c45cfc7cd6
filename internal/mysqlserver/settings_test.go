package mysqlserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	s := start(t, Options{Settings: map[string]string{
		"require_secure_transport": "1", "local_infile": "0", "max_connections": "42", "time_zone": "+02:00", "sql_mode": "",
		"rds.logical_replication": "1",
	}})
	var secure, local, connections int
	var zone, mode string
	row := openRoot(t, s).QueryRow("SELECT @@require_secure_transport, @@local_infile, @@max_connections, @@global.time_zone, @@global.sql_mode")
	if err := row.Scan(&secure, &local, &connections, &zone, &mode); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%d %d %d %s %q", secure, local, connections, zone, mode); got != `1 0 42 +02:00 ""` {
		t.Errorf("the settings are %s", got)
	}

	t.Run("are MySQL's own where none are given", func(t *testing.T) {
		s := start(t, Options{})
		if err := openRoot(t, s).QueryRow("SELECT @@require_secure_transport").Scan(&secure); err != nil || secure != 0 {
			t.Errorf("require_secure_transport is %d (%v)", secure, err)
		}
	})
}

func TestSettingsThatAreRefused(t *testing.T) {
	if _, err := findBinary(""); err != nil {
		give(t, err)
	}
	tests := map[string]struct{ name, value, want string }{
		"unknown":                         {"nonsense", "1", `MySQL refuses the setting nonsense = "1": unknown variable`},
		"unknown, and told to be lenient": {"loose_nonsense", "1", "is not the name of a MySQL setting"},
		"the beginning of a name":         {"require_secure", "1", "require_secure"},
		"a flag of the program":           {"skip_grant_tables", "1", "the server's starter decides it"},
		"one that lets it run away":       {"daemonize", "1", "the server's starter decides it"},
		"in disguise":                     {"enable_daemonize", "1", "is not the name of a MySQL setting"},
		"no number":                       {"max_connections", "many", `MySQL refuses the setting max_connections = "many": `},
		"too large":                       {"max_connections", "99999999", `MySQL refuses the setting max_connections = "99999999": option`},
		"no boolean":                      {"require_secure_transport", "maybe", `MySQL refuses the setting require_secure_transport = "maybe": option`},
		"not of the list":                 {"sql_mode", "FOO", `MySQL refuses the setting sql_mode = "FOO": `},
		"an unknown time zone":            {"time_zone", "Nowhere", "ime zone"},
		"a formula":                       {"innodb_buffer_pool_size", "{DBInstanceClassMemory*3/4}", "a formula that only RDS can work out"},
		"another's to say":                {"datadir", "/tmp/elsewhere", "the server's starter decides it"},
		"no name":                         {"max-connections", "1", "is not the name of a MySQL setting"},
		"two arguments":                   {"a=1 --b", "1", "is not the name of a MySQL setting"},
		"an empty name":                   {"", "1", "is not the name of a MySQL setting"},
		"a zero byte":                     {"sql_mode", "\x00", "zero byte"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := Start(t.Context(), Options{Settings: map[string]string{"local_infile": "0", tc.name: tc.value}})
			if err == nil {
				must(t, s.Close())
				t.Fatal("it was taken")
			}
			t.Log(err)
			if !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one sentence with %q", err, tc.want)
			}
		})
	}
}

func TestEverySettingThatTheServerIsGivenIsItsOwnOrCanBeChanged(t *testing.T) {
	s := &Server{options: Options{Settings: map[string]string{"max_connections": "42", "rds.x": "1"}}}
	args := s.args()
	if args[0] != "--no-defaults" || args[len(args)-1] != "--max_connections=42" {
		t.Errorf("the arguments are %q", args)
	}
	for _, name := range []string{"datadir", "bind_address", "port", "socket", "pid_file", "log_error", "ssl_cert", "ssl_key"} {
		option := "--" + strings.ReplaceAll(name, "_", "-") + "="
		if !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, option) }) || !slices.Contains(ours, name) {
			t.Errorf("%s is not given, or can be given twice", name)
		}
	}
}
