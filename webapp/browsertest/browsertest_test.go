package browsertest

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"drawbridge/internal/lockedbuffer"
	"drawbridge/internal/mysqltest"
	"drawbridge/internal/sampledata"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

func TestTheProgram(t *testing.T) {
	server := mysqltest.Start(t)
	root := server.Root(t)
	const user, password = "reader", "Reader-pass-Zq1"
	for _, statement := range []string{
		"CREATE DATABASE " + sampledata.Schema,
		fmt.Sprintf("CREATE USER %s IDENTIFIED BY '%s' REQUIRE SSL", user, password),
		fmt.Sprintf("GRANT SELECT, SHOW VIEW ON `monster\\_teams`.* TO %s", user),
	} {
		if _, err := root.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	Load(t, root, sampledata.Schema)
	vendor, settings := Setup(t)
	maps.Copy(settings, map[string]string{
		"RDS_HOSTNAME": server.Host, "RDS_PORT": fmt.Sprint(server.Port), "RDS_DB_NAME": sampledata.Schema,
		"RDS_USERNAME": user, "RDS_PASSWORD": password, "DRAWBRIDGE_DB_CA_FILE": server.CAFile,
	})
	Run(t, Site{Name: "program", URL: start(t, settings), Vendor: vendor, Away: func() { server.Stop(t) }, Back: func() { server.Restart(t) }})
}

// start compiles the web app and runs it with that environment alone, until t
// ends.
func start(t *testing.T, environment map[string]string) (url string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "webapp")
	build := exec.Command("go", "build", "-o", path, "drawbridge/webapp")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	program := exec.Command(path)
	program.Env = []string{"HOME=" + t.TempDir(), "PORT=" + port}
	for name, value := range environment {
		program.Env = append(program.Env, name+"="+value)
	}
	log := &lockedbuffer.Buffer{}
	program.Stdout, program.Stderr = log, log
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = program.Process.Kill()
		_ = program.Wait()
		if t.Failed() {
			t.Logf("%s", log)
		}
	})
	url = "http://127.0.0.1:" + port
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get(url + "/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return url
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the program is not ready within a minute")
		}
	}
}
