package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
	"drawbridge/internal/sampledata"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// The whole program as `make local` runs it, in a folder of its own whose path has a space.
func TestLocal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("WSL2 is Linux")
	}
	dir := checkout(t)

	t.Run("shows rows until Ctrl-C and leaves nothing behind", func(t *testing.T) {
		temporary := t.TempDir()
		local := start(t, dir, "TMPDIR="+temporary, "MYSQL_DSN=", "PORT=")
		url := local.waitForURL(t)

		if page := get(t, url+"/"); !strings.Contains(page, "/tables/monsters") {
			t.Errorf("the first page does not list the table monsters:\n%s", page)
		}
		if page := get(t, url+"/tables/monsters"); strings.Count(page, "<tr") < 20 {
			t.Errorf("the page of monsters has hardly a row:\n%s", page)
		}
		// The charts that cdk.json pins in dev.
		if page := get(t, url+"/dashboard"); strings.Count(page, "data-chart=") != 3 || !strings.Contains(page, "Spectators by month") {
			t.Errorf("the dashboard does not show three charts:\n%s", page)
		}

		if err := local.command.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		output := local.wait(t)
		if code := local.command.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code %d:\n%s", code, output)
		}
		for _, stack := range []string{"Network", "Database", "Bastion", "WebApp", "Tunnel"} {
			if !regexp.MustCompile(stack + ` \(\d+ resources\)`).MatchString(output) {
				t.Errorf("it does not say that it synthesized %s:\n%s", stack, output)
			}
		}
		if _, err := http.Get(url); err == nil {
			t.Error("something still listens")
		}
		left, err := os.ReadDir(temporary)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range left {
			if strings.HasPrefix(entry.Name(), "drawbridge-") {
				t.Errorf("it left %s behind", entry.Name())
			}
		}
	})
	t.Run("deploys the stacks with the Lambda function where there is a MySQL server, and leaves nothing of it", func(t *testing.T) {
		mysqltest.Shared(t) // says so where there is none
		server, err := filepath.Abs("../.tools/mysql/bin/mysqld")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(server); err != nil {
			server = "mysqld" // on the PATH, then
		}
		temporary := t.TempDir()
		local := start(t, dir, "TMPDIR="+temporary, "MYSQLD="+server, "MYSQL_DSN=", "PORT=")
		url := local.waitForURL(t)
		if page := get(t, url+"/tables/monsters"); strings.Count(page, "<tr") < 20 {
			t.Errorf("the page of monsters has hardly a row:\n%s", page)
		}
		if err := local.command.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		output := local.wait(t)
		if code := local.command.ProcessState.ExitCode(); code != 0 || !strings.Contains(output, "by the Lambda function's own program") {
			t.Errorf("exit code %d:\n%s", code, output)
		}
		log, err := os.ReadFile(filepath.Join(dir, "build", "local-function.log"))
		if err != nil || !strings.Contains(string(log), "Custom::ReadOnlyUser") {
			t.Errorf("the function made no read-only user: %v\n%s", err, log)
		}
		left, err := os.ReadDir(temporary)
		if err != nil || len(left) > 0 {
			t.Errorf("it left %v behind: %v", left, err)
		}
	})
	t.Run("says when its web app dies", func(t *testing.T) {
		local := start(t, dir, "MYSQL_DSN=", "PORT=")
		local.waitForURL(t)
		children, err := exec.Command("pgrep", "-P", strconv.Itoa(local.command.Process.Pid)).Output()
		if err != nil {
			t.Fatal(err)
		}
		for pid := range strings.FieldsSeq(string(children)) {
			if err := exec.Command("kill", "-KILL", pid).Run(); err != nil {
				t.Fatal(err)
			}
		}
		output := local.wait(t)
		if code := local.command.ProcessState.ExitCode(); code != 1 || !strings.Contains(output, "local: the web app stopped by itself (signal: killed)") {
			t.Errorf("exit code %d:\n%s", code, output)
		}
	})
	t.Run("refuses a port that is taken", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		local := start(t, dir, "MYSQL_DSN=", "PORT="+port)
		output := local.wait(t)
		if code := local.command.ProcessState.ExitCode(); code != 1 || !strings.Contains(output, "local: port "+port+" is taken") {
			t.Errorf("exit code %d:\n%s", code, output)
		}
	})
}

// The server that the project fetches for people who have none, as docs/local.md says.
func TestTheServerThatTheScriptStarts(t *testing.T) {
	mysqltest.Shared(t) // says so where there is none
	data := filepath.Join(t.TempDir(), "my data")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	script := exec.Command("../scripts/mysql.sh", "start", data, port)
	said, err := script.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := script.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := script.Wait(); err != nil {
			t.Error(err)
		}
	}()
	// It prints the two variables as a shell takes them.
	assignment := ""
	for lines := bufio.NewScanner(said); assignment == "" && lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "MYSQL_DSN=") {
			assignment = strings.TrimSuffix(line, " make local")
		}
	}
	values, err := exec.Command("bash", "-c", assignment+` bash -c 'printf "%s\n%s" "$MYSQL_DSN" "$DRAWBRIDGE_DB_CA_FILE"'`).Output()
	if err != nil {
		t.Fatalf("%q: %v", assignment, err)
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	dsn, ca, _ := strings.Cut(string(values), "\n")
	db, err := connect(context.Background(), dsn, ca)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.prepare(context.Background()); err != nil {
		t.Error(err)
	}
	if err := db.close(); err != nil {
		t.Error(err)
	}
}

func TestChoosePort(t *testing.T) {
	t.Run("takes another port when the default one is taken", func(t *testing.T) {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", defaultPort))
		if err == nil {
			defer listener.Close()
		} // or else somebody else has taken it
		port, note, err := choosePort("")
		if err != nil {
			t.Fatal(err)
		}
		if port == defaultPort || !isFree(port) {
			t.Errorf("it chose %d", port)
		}
		if want := fmt.Sprintf("port %d is taken, so it listens on %d", defaultPort, port); note != want {
			t.Errorf("it says %q, want %q", note, want)
		}
	})
	for _, wanted := range []string{"0", "65536", "-1", "http", "80 "} {
		t.Run("refuses "+wanted, func(t *testing.T) {
			if port, _, err := choosePort(wanted); err == nil {
				t.Errorf("it takes port %d", port)
			}
		})
	}
}

func TestAServerOfYourOwn(t *testing.T) {
	server := mysqltest.Shared(t)
	root := server.Root(t)
	user, password := server.Master()
	dsn := fmt.Sprintf("%s:%s@tcp(%s)/", user, password, server.Addr())
	environment := func(dsn, ca string) func(string) string {
		return func(name string) string {
			return map[string]string{"MYSQL_DSN": dsn, "DRAWBRIDGE_DB_CA_FILE": ca}[name]
		}
	}
	open := func(t *testing.T, dsn, ca string) (*database, error) {
		return openDatabase(context.Background(), environment(dsn, ca), t.TempDir())
	}
	mustOpen := func(t *testing.T) *database {
		db, err := open(t, dsn, server.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}

	t.Run("gets the sample data and a user who may only read it, and loses both at the end", func(t *testing.T) {
		db := mustOpen(t)
		if _, err := db.prepare(context.Background()); err != nil {
			t.Fatal(err)
		}
		reader, err := mysqldb.Open(db.settings)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		var rows int
		if err := reader.QueryRow("SELECT COUNT(*) FROM monsters").Scan(&rows); err != nil || rows == 0 {
			t.Errorf("%d rows, error %v", rows, err)
		}
		if err := mysqldb.Explain(execute(reader, "DELETE FROM monsters")); err == nil || err.Kind != mysqldb.Forbidden {
			t.Errorf("a DELETE gives %v", err)
		}
		// Where the grant takes _ for a wildcard, this schema is granted as well.
		mustExecute(t, root, "CREATE DATABASE monsterXteams", "CREATE TABLE monsterXteams.secrets (id INT)")
		if err := mysqldb.Explain(execute(reader, "SELECT * FROM monsterXteams.secrets")); err == nil || err.Kind != mysqldb.Forbidden {
			t.Errorf("reading another schema gives %v", err)
		}
		mustExecute(t, root, "DROP DATABASE monsterXteams")

		if err := db.close(); err != nil {
			t.Fatal(err)
		}
		if n := count(t, root, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '"+schema+"'"); n != 0 {
			t.Error("the schema is still there")
		}
		if n := count(t, root, "SELECT COUNT(*) FROM mysql.user WHERE user = '"+readOnlyUser+"'"); n != 0 {
			t.Error("the user is still there")
		}
	})
	t.Run("keeps sample data that was there before", func(t *testing.T) {
		mustExecute(t, root, "CREATE DATABASE "+schema)
		defer mustExecute(t, root, "DROP DATABASE "+schema)
		if _, err := sampledata.Load(context.Background(), root, schema); err != nil {
			t.Fatal(err)
		}
		db := mustOpen(t)
		if _, err := db.prepare(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := db.close(); err != nil {
			t.Fatal(err)
		}
		if n := count(t, root, "SELECT COUNT(*) FROM "+schema+".monsters"); n == 0 {
			t.Error("the monsters are gone")
		}
	})
	t.Run("keeps what somebody put into the schema meanwhile", func(t *testing.T) {
		db := mustOpen(t)
		if _, err := db.prepare(context.Background()); err != nil {
			t.Fatal(err)
		}
		mustExecute(t, root, "CREATE TABLE "+schema+".payroll (id INT)")
		defer mustExecute(t, root, "DROP DATABASE "+schema)
		if err := db.close(); err != nil {
			t.Fatal(err)
		}
		if n := count(t, root, "SELECT COUNT(*) FROM "+schema+".payroll"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
	t.Run("serves one run at a time", func(t *testing.T) {
		first := mustOpen(t)
		if _, err := open(t, dsn, server.CAFile); err == nil || !strings.Contains(err.Error(), "another make local uses") {
			t.Errorf("got %v", err)
		}
		if err := first.close(); err != nil {
			t.Fatal(err)
		}
		if err := mustOpen(t).close(); err != nil {
			t.Fatal(err)
		}
	})
	for what, statements := range map[string][]string{
		"something else": {"CREATE DATABASE " + schema, "CREATE TABLE " + schema + ".payroll (id INT)"},
		"nothing":        {"CREATE DATABASE " + schema},
	} {
		t.Run("is not touched when its schema holds "+what, func(t *testing.T) {
			mustExecute(t, root, statements...)
			defer mustExecute(t, root, "DROP DATABASE "+schema)
			db := mustOpen(t)
			if _, err := db.prepare(context.Background()); err == nil || !strings.Contains(err.Error(), "drop or rename that schema") {
				t.Errorf("got %v", err)
			}
			if err := db.close(); err != nil {
				t.Fatal(err)
			}
			if n := count(t, root, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '"+schema+"'"); n != len(statements)-1 {
				t.Errorf("the schema holds %d tables now", n)
			}
			if n := count(t, root, "SELECT COUNT(*) FROM mysql.user WHERE user = '"+readOnlyUser+"'"); n != 0 {
				t.Error("it has the user now")
			}
		})
	}
	t.Run("is not used when its certificate cannot be verified", func(t *testing.T) {
		_, err := open(t, dsn, "")
		if err == nil || !strings.Contains(err.Error(), "DRAWBRIDGE_DB_CA_FILE") {
			t.Errorf("got %v", err)
		}
	})
	const secret = "hunter2-hunter2"
	for name, dsn := range map[string]string{
		"no data source name":   "root:" + secret + "@tcp(127.0.0.1:3306",
		"a Unix socket":         "root:" + secret + "@unix(/run/mysqld.sock)/",
		"a server that is away": "root:" + secret + "@tcp(127.0.0.1:1)/",
		"a wrong password":      fmt.Sprintf("%s:%s@tcp(%s)/", user, secret, server.Addr()),
		"an unknown TLS config": "root:" + secret + "@tcp(127.0.0.1:3306)/?tls=other",
	} {
		t.Run("is refused without a word of the password: "+name, func(t *testing.T) {
			_, err := open(t, dsn, server.CAFile)
			if err == nil || !strings.Contains(err.Error(), "MYSQL_DSN") || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func execute(db *sql.DB, statement string) error {
	_, err := db.Exec(statement)
	return err
}

func mustExecute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := execute(db, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// checkout makes a folder with what the program finds where `make local` runs it, freshly built but for the CDK app and
// the bundle, which `make test` has built.
func checkout(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a folder")
	if err := os.MkdirAll(filepath.Join(dir, "build"), 0o755); err != nil {
		t.Fatal(err)
	}
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	for _, name := range []string{"cdk.json", "node_modules", "build/cdk", "build/webapp-" + architecture + ".zip", "build/lambda-" + architecture + ".zip", "build/host-" + architecture} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Fatalf("%s is missing: run make node_modules build", name)
		}
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for output, arguments := range map[string][]string{webAppBinary: {"../webapp"}, "build/local": {"-tags", "gms_pure_go", "."}} {
		build := exec.Command("go", append([]string{"build", "-o", filepath.Join(dir, output)}, arguments...)...)
		if text, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	return dir
}

type running struct {
	command *exec.Cmd
	lines   *bufio.Scanner
	output  strings.Builder
}

// start runs the program. It is killed when the test ends, if it still runs then.
func start(t *testing.T, dir string, environment ...string) *running {
	t.Helper()
	r := &running{command: exec.Command(filepath.Join(dir, "build", "local"))}
	r.command.Dir = dir
	r.command.Env = append(os.Environ(), environment...)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.command.Stdout, r.command.Stderr = writer, writer
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	r.lines = bufio.NewScanner(reader)
	watchdog := time.AfterFunc(2*time.Minute, func() { _ = r.command.Process.Kill() })
	t.Cleanup(func() {
		watchdog.Stop()
		_ = r.command.Process.Kill()
		_ = r.command.Wait()
		reader.Close()
	})
	return r
}

// waitForURL reads the output until it names the web app's address and the way to stop.
func (r *running) waitForURL(t *testing.T) (url string) {
	t.Helper()
	for r.lines.Scan() {
		line := r.lines.Text()
		r.output.WriteString(line + "\n")
		if address, ok := strings.CutPrefix(strings.TrimSpace(line), "Open "); ok {
			url = strings.TrimSpace(address)
		}
		if strings.Contains(line, "Ctrl-C") && url != "" {
			return url
		}
	}
	t.Fatalf("no address:\n%s", r.output.String())
	return ""
}

// wait reads the rest of the output and waits for the end.
func (r *running) wait(t *testing.T) string {
	t.Helper()
	for r.lines.Scan() {
		r.output.WriteString(r.lines.Text() + "\n")
	}
	_ = r.command.Wait()
	return r.output.String()
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s: status %d", url, response.StatusCode)
	}
	return string(body)
}
