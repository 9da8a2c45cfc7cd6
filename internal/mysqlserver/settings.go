package mysqlserver

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var settingName = regexp.MustCompile(`^[a-z0-9_]+$`)

// ours are settings that say where a server is and whose, which this package decides as RDS does, and flags with which
// the program does something else than run.
var ours = []string{
	"basedir", "bind_address", "chroot", "daemonize", "datadir", "help", "init_file", "initialize", "initialize_insecure",
	"log_error", "mysqlx", "pid_file", "plugin_dir", "port", "secure_file_priv", "skip_grant_tables", "socket", "ssl_ca", "ssl_cert", "ssl_key",
	"user",
}

// turned starts the names with which MySQL's programs take a setting in another way than by its name ("Program Option
// Modifiers", MySQL Reference Manual). skip_ is left out, as settings are called so.
var turned = regexp.MustCompile(`^(loose|enable|disable|maximum)_`)

// checkSettings says what can be said of settings before a server starts with them.
func checkSettings(settings map[string]string) error {
	for _, name := range settingsOfMySQL(settings) {
		switch {
		case !settingName.MatchString(name) || turned.MatchString(name):
			return fmt.Errorf("%q is not the name of a MySQL setting, such as max_connections", name)
		case slices.Contains(ours, name):
			return fmt.Errorf("the MySQL setting %s cannot be given: the server's starter decides it", name)
		case strings.Contains(settings[name], "{"):
			return fmt.Errorf("the MySQL setting %s is %q, a formula that only RDS can work out: give the value", name, settings[name])
		case strings.ContainsRune(settings[name], 0):
			return fmt.Errorf("the value of the MySQL setting %s holds a zero byte", name)
		}
	}
	return nil
}

// settingsOfMySQL returns the names of the settings that are not RDS's alone, in order.
func settingsOfMySQL(settings map[string]string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(settings)), func(name string) bool { return strings.HasPrefix(name, "rds.") })
}

// settingArgs are the settings as arguments of the server's program.
func settingArgs(settings map[string]string) (args []string) {
	for _, name := range settingsOfMySQL(settings) {
		option := name
		if name == "time_zone" {
			option = "default_time_zone" // the one variable of RDS's that is given by another name
		}
		args = append(args, "--"+option+"="+settings[name])
	}
	return args
}

// refusedSetting returns the error for the first setting of which a server's log says that it was not taken as it is:
// MySQL stops at some, and changes or leaves out others with a warning.
func refusedSetting(settings map[string]string, log string) error {
	for _, name := range settingsOfMySQL(settings) {
		quoted := regexp.MustCompile(`'(--)?(default_)?` + regexp.QuoteMeta(name) + `(=.*)?'`)
		for line := range strings.Lines(log) {
			text, bad := said(line, "ERROR")
			if !bad {
				text, bad = said(line, "Warning")
				bad = bad && strings.HasPrefix(text, "option '")
			}
			if bad && quoted.MatchString(text) {
				return fmt.Errorf("MySQL refuses the setting %s = %q: %s", name, settings[name], strings.TrimSuffix(text, "."))
			}
		}
	}
	return nil
}

// knows says whether the server that runs has all settings. The program has flags besides.
func knows(ctx context.Context, db *sql.DB, settings map[string]string) error {
	for _, name := range settingsOfMySQL(settings) {
		var found, value string
		// SHOW takes no placeholder, and the name holds nothing that needs quoting but the wildcard _.
		err := db.QueryRowContext(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name = '"+name+"'").Scan(&found, &value)
		if err == sql.ErrNoRows {
			return fmt.Errorf("MySQL has no setting %s", name)
		}
		if err != nil {
			return fmt.Errorf("asking MySQL for its setting %s: %w", name, err)
		}
	}
	return nil
}
