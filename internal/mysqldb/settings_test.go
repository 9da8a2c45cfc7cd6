package mysqldb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const (
	testARN      = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:webapp-AbCdEf"
	testPassword = "hunter2-Zq'`\"%"
)

// environment is a lookup function over a map.
func environment(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

// with is a copy of base with changes; an empty value removes the key.
func with(base map[string]string, changes ...string) map[string]string {
	result := map[string]string{}
	for name, value := range base {
		result[name] = value
	}
	for i := 0; i < len(changes); i += 2 {
		result[changes[i]] = changes[i+1]
	}
	return result
}

var (
	passwordEnv = map[string]string{"RDS_HOSTNAME": "db.example.com", "RDS_DB_NAME": "shop", "RDS_USERNAME": "webapp", "RDS_PASSWORD": testPassword}
	secretEnv   = map[string]string{"RDS_SECRET_ARN": testARN}
)

func TestFromEnvReadsSettings(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		want Settings
	}{
		"user name and password": {passwordEnv, Settings{Host: "db.example.com", Database: "shop", Username: "webapp", Password: testPassword}},
		"a port":                 {with(passwordEnv, "RDS_PORT", "3307"), Settings{Host: "db.example.com", Port: 3307, Database: "shop", Username: "webapp", Password: testPassword}},
		"an IPv6 address":        {with(passwordEnv, "RDS_HOSTNAME", "::1"), Settings{Host: "::1", Database: "shop", Username: "webapp", Password: testPassword}},
		"replicas, up to the first that is not there": {
			with(secretEnv, "RDS_REPLICA_HOSTNAME_1", "r1", "RDS_REPLICA_HOSTNAME_2", "r2", "RDS_REPLICA_HOSTNAME_4", "r4"),
			Settings{SecretARN: testARN, ReplicaHosts: []string{"r1", "r2"}},
		},
		"a secret alone":       {secretEnv, Settings{SecretARN: testARN}},
		"a secret and a place": {with(secretEnv, "RDS_HOSTNAME", "db", "RDS_DB_NAME", "shop", "RDS_PORT", "3306"), Settings{Host: "db", Port: 3306, Database: "shop", SecretARN: testARN}},
		"empty means not set":  {with(secretEnv, "RDS_USERNAME", "", "RDS_PASSWORD", "", "RDS_PORT", ""), Settings{SecretARN: testARN}},
		"a secret that RDS made": {
			map[string]string{"RDS_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-0f0e-AbCdEf"},
			Settings{SecretARN: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-0f0e-AbCdEf"},
		},
		"a secret in another partition": {
			map[string]string{"RDS_SECRET_ARN": "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:x"},
			Settings{SecretARN: "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:x"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := FromEnv(environment(test.env))
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %#v with password %q, want %#v", got, got.Password, test.want)
			}
		})
	}
}

func TestFromEnvRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate here"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		env  map[string]string
		want []string // each begins a line of the error, in this order
	}{
		"nothing at all": {nil, []string{"RDS_HOSTNAME is not set", "RDS_DB_NAME is not set", "no user is given"}},
		"both kinds of log-in": {
			with(passwordEnv, "RDS_SECRET_ARN", testARN),
			[]string{"both RDS_SECRET_ARN and"},
		},
		"a password without a user":        {with(passwordEnv, "RDS_USERNAME", ""), []string{"RDS_PASSWORD is set but RDS_USERNAME is not"}},
		"a user without a password":        {with(passwordEnv, "RDS_PASSWORD", ""), []string{"RDS_USERNAME is set but RDS_PASSWORD is not"}},
		"a port that is a word":            {with(passwordEnv, "RDS_PORT", "mysql"), []string{`RDS_PORT is "mysql"`}},
		"port 0":                           {with(passwordEnv, "RDS_PORT", "0"), []string{`RDS_PORT is "0"`}},
		"port 65536":                       {with(passwordEnv, "RDS_PORT", "65536"), []string{`RDS_PORT is "65536"`}},
		"a host with a port":               {with(passwordEnv, "RDS_HOSTNAME", "db.example.com:3306"), []string{`RDS_HOSTNAME is "db.example.com:3306"`}},
		"a host that is a URL":             {with(passwordEnv, "RDS_HOSTNAME", "mysql://db"), []string{`RDS_HOSTNAME is "mysql://db"`}},
		"a host with a line break":         {with(passwordEnv, "RDS_HOSTNAME", "db\n"), []string{`RDS_HOSTNAME is "db\n"`}},
		"a secret's name, not its ARN":     {map[string]string{"RDS_SECRET_ARN": "webapp"}, []string{`RDS_SECRET_ARN is "webapp"`}},
		"the ARN of something else":        {map[string]string{"RDS_SECRET_ARN": "arn:aws:s3:::bucket"}, []string{`RDS_SECRET_ARN is "arn:aws:s3:::bucket"`}},
		"a secret's region that is a host": {map[string]string{"RDS_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1.evil.com#:123456789012:secret:x"}, []string{`RDS_SECRET_ARN is "arn:aws:secretsmanager:eu-west-1.evil.com#:`}},
		"a secret's region in upper case":  {map[string]string{"RDS_SECRET_ARN": "arn:aws:secretsmanager:EU-WEST-1:123456789012:secret:x"}, []string{"RDS_SECRET_ARN is "}},
		"a secret of no account":           {map[string]string{"RDS_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1::secret:x"}, []string{"RDS_SECRET_ARN is "}},
		"a secret without a name":          {map[string]string{"RDS_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"}, []string{"RDS_SECRET_ARN is "}},
		"one key of a secret":              {map[string]string{"RDS_SECRET_ARN": testARN + ":password::"}, []string{"RDS_SECRET_ARN is "}},
		"a secret with a line break":       {map[string]string{"RDS_SECRET_ARN": testARN + "\n"}, []string{"RDS_SECRET_ARN is "}},
		"a CA file that is missing":        {with(passwordEnv, "DRAWBRIDGE_DB_CA_FILE", "/nowhere/ca.pem"), []string{"DRAWBRIDGE_DB_CA_FILE: "}},
		"a CA file without a CA":           {with(passwordEnv, "DRAWBRIDGE_DB_CA_FILE", empty), []string{"DRAWBRIDGE_DB_CA_FILE: "}},
		"everything wrong at once": {
			map[string]string{"RDS_HOSTNAME": "a b", "RDS_PORT": "x", "RDS_PASSWORD": testPassword, "DRAWBRIDGE_DB_CA_FILE": "/nowhere/ca.pem"},
			[]string{"RDS_HOSTNAME is", "RDS_PORT is", "RDS_DB_NAME is not set", "RDS_PASSWORD is set but", "DRAWBRIDGE_DB_CA_FILE: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := FromEnv(environment(test.env))
			if err == nil {
				t.Fatal("accepted")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(lines), len(test.want), err)
			}
			for i, want := range test.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("problem %d is %q, want it to begin with %q", i, lines[i], want)
				}
			}
			if strings.Contains(err.Error(), testPassword) {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

func TestPrintingSettingsHidesThePassword(t *testing.T) {
	s, err := FromEnv(environment(passwordEnv))
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(map[string]any{"value": s, "pointer": &s})
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "value", s, "pointer", &s)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "value", s, "pointer", &s)
	for form, printed := range map[string]string{
		"%v": fmt.Sprintf("%v %v", s, &s), "%+v": fmt.Sprintf("%+v %+v", s, &s), "%#v": fmt.Sprintf("%#v %#v", s, &s),
		"%v inside a struct": fmt.Sprintf("%+v %#v", struct{ S Settings }{s}, struct{ S Settings }{s}),
		"encoding/json":      string(asJSON), "log/slog": logged.String(),
	} {
		if strings.Contains(printed, "hunter2") {
			t.Errorf("%s prints the password: %s", form, printed)
		}
		if !strings.Contains(printed, "db.example.com") || !strings.Contains(printed, "webapp") {
			t.Errorf("%s should print host and user: %s", form, printed)
		}
	}
}
