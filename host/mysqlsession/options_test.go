package mysqlsession

import (
	"strings"
	"testing"

	"drawbridge/host/settings"
	"drawbridge/internal/mysqldb"
)

var database = settings.Database{Host: "db.example.com", Port: "3306"}

func TestTheOptionFileHoldsTheWholeConnection(t *testing.T) {
	got, err := options(database, mysqldb.Secret{Host: "elsewhere", Port: 1, Username: "admin", Password: `a"b\c#d e'f`})
	if err != nil {
		t.Fatal(err)
	}
	want := "[client]\nhost=\"db.example.com\"\nport=\"3306\"\nprotocol=\"tcp\"\nuser=\"admin\"\npassword=\"a\\\"b\\\\c#d e'f\"\n" +
		"ssl-ca=\"/etc/drawbridge/rds-ca.pem\"\nssl-verify-server-cert\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWhatDoesNotFitIntoAnOptionFileIsRefused(t *testing.T) {
	for name, login := range map[string]mysqldb.Secret{
		"a NUL":               {Username: "admin", Password: "hunter2\x00"},
		"a bell":              {Username: "admin", Password: "hunter2\a"},
		"a long password":     {Username: "admin", Password: "hunter2" + strings.Repeat("x", 2000)},
		"a long name":         {Username: strings.Repeat("x", 2001), Password: "hunter2"},
		"too much in a whole": {Username: strings.Repeat("x", 1990), Password: "hunter2" + strings.Repeat("x", 1980)},
		"a control in a name": {Username: "admin\x7f", Password: "hunter2"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := options(settings.Database{Host: strings.Repeat("h", 250), Port: "3306"}, login)
			if err == nil {
				t.Fatalf("%d bytes are accepted", len(text))
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q", err)
			}
		})
	}
	if _, err := options(settings.Database{Host: "db\npassword=x", Port: "3306"}, mysqldb.Secret{Username: "admin", Password: "x"}); err == nil {
		t.Error("a host with a line break is accepted")
	}
}

// unquote reads a value as the client does: it cuts a comment off that does not stand in quotes, then the space around
// it, then the quotes, and then reads the escape sequences.
func unquote(line string) string {
	var inQuote byte
	escaped := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		if (c == '"' || c == '\'') && !escaped {
			if inQuote == 0 {
				inQuote = c
			} else if inQuote == c {
				inQuote = 0
			}
		}
		if inQuote == 0 && c == '#' {
			line = line[:i]
			break
		}
		escaped = inQuote != 0 && c == '\\' && !escaped
	}
	line = strings.TrimSpace(line)
	if n := len(line); n > 1 && (line[0] == '"' || line[0] == '\'') && line[n-1] == line[0] {
		line = line[1 : n-1]
	}
	var out strings.Builder
	for i := 0; i < len(line); i++ {
		if line[i] != '\\' || i == len(line)-1 {
			out.WriteByte(line[i])
			continue
		}
		i++
		switch line[i] {
		case 'n':
			out.WriteByte('\n')
		case 't':
			out.WriteByte('\t')
		case 'r':
			out.WriteByte('\r')
		case 'b':
			out.WriteByte('\b')
		case 's':
			out.WriteByte(' ')
		case '"', '\'', '\\':
			out.WriteByte(line[i])
		default:
			out.WriteByte('\\')
			out.WriteByte(line[i])
		}
	}
	return out.String()
}

func FuzzQuote(f *testing.F) {
	for _, value := range []string{"", "plain", `"`, `\`, `\\"`, "#", " # ", "a'b", "\n[client]\nhost=evil", "\\n", "=", ";", "!include /etc/passwd", "ü", "\xff"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		quoted, err := quote(value)
		if err != nil {
			return
		}
		if strings.ContainsAny(quoted, "\n\r\x00") {
			t.Fatalf("%q is not one line", quoted)
		}
		if got := unquote(quoted); got != value {
			t.Fatalf("%q is written as %s and read as %q", value, quoted, got)
		}
	})
}
