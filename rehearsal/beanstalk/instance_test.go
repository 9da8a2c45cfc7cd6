//go:build linux && root

package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"drawbridge/internal/notrun"
)

// realBundle is the bundle that make build has made for this machine.
func realBundle(t *testing.T) string {
	t.Helper()
	path := "../../build/webapp-" + map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH] + ".zip"
	if _, err := os.Stat(path); err != nil {
		notrun.Because(t, "there is no bundle %s; run 'make build'", path)
	}
	return path
}

func TestTheWebAppShowsADatabaseOfItsNetwork(t *testing.T) {
	bundle := realBundle(t)
	network := newNetwork(t)
	db, web, laptop := host(t, network, "db", "10.0.1.10/24"), host(t, network, "web", "10.0.0.10/24"), host(t, network, "laptop", "203.0.113.20/24")
	server, pool := startMySQL(t, db, map[string]string{"require_secure_transport": "1", "local_infile": "0", "rds.force_ssl": "1"})
	user, password := server.Master()
	for _, statement := range []string{"CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY)"} {
		if _, err := pool.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}

	i, log := startInstance(t, InstanceOptions{
		Bundle: bundle, Namespace: web,
		Environment: map[string]string{
			"RDS_HOSTNAME": db.Address.String(), "RDS_PORT": "3306", "RDS_DB_NAME": "shop", "RDS_USERNAME": user, "RDS_PASSWORD": password,
		},
		Extra: map[string]string{"DRAWBRIDGE_DB_CA_FILE": server.CAFile},
	})
	if status, page := visit(t, visitor(laptop), on(web.Address, "/"), nil); status != http.StatusOK || !strings.Contains(page, "orders") {
		t.Errorf("status %d\n%s", status, page)
	}
	if status, page := visit(t, visitor(laptop), on(web.Address, "/readyz"), nil); status != http.StatusOK {
		t.Errorf("status %d\n%s", status, page)
	}
	if _, err := laptop.Dial(t.Context(), "tcp", web.Address.String()+":5000"); err == nil {
		t.Error("the program is reached without nginx")
	}
	if !strings.Contains(log.String(), "web: {") || !strings.Contains(log.String(), "nginx: 203.0.113.20 ") {
		t.Errorf("the log is %s", log)
	}

	t.Run("and says so when the database is away", func(t *testing.T) {
		if err := db.SetLink(false); err != nil {
			t.Fatal(err)
		}
		defer func() { give(t, db.SetLink(true)) }()
		if status, _ := visit(t, client(laptop, time.Minute), on(web.Address, "/readyz"), nil); status != http.StatusServiceUnavailable {
			t.Errorf("status %d", status)
		}
	})

	t.Run("and Close leaves nothing", func(t *testing.T) {
		give(t, i.Close())
		if left := processes(t, web.Name()); len(left) > 0 {
			t.Errorf("there are processes %d", left)
		}
		if _, err := os.Stat(i.folder); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("its folder is still there: %v", err)
		}
	})
}

func TestTheProgramSeesWhatAnInstanceWouldShowIt(t *testing.T) {
	network := newNetwork(t)
	web, laptop := host(t, network, "web", "10.0.0.10/24"), host(t, network, "laptop", "203.0.113.20/24")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of this machine")
	i, _ := startInstance(t, InstanceOptions{
		Bundle: testBundle(t), Namespace: web,
		Environment: map[string]string{asApp: "one", "PORT": "8000", "GREETING": "hello 'you' $HOME"}, Extra: map[string]string{"AWS_REGION": "eu-west-1"},
	})
	s := ask(t, visitor(laptop), on(web.Address, "/"), http.Header{"X-Forwarded-For": {"192.0.2.7"}})
	for name, want := range map[string]string{
		"X-Forwarded-For": "192.0.2.7, 203.0.113.20", "X-Real-Ip": "203.0.113.20", "Connection": "upgrade",
	} {
		if got := s.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if s.Host != "10.0.0.10" || !strings.HasPrefix(s.From, "127.0.0.1:") {
		t.Errorf("its host is %s, and the request comes from %s", s.Host, s.From)
	}
	if got := ask(t, visitor(laptop), on(web.Address, "/"), nil).Header.Get("X-Forwarded-For"); got != "203.0.113.20" {
		t.Errorf("without one before, X-Forwarded-For is %q", got)
	}
	if s.User != webappUser || !slices.Equal(s.Groups, []int{webappUser}) || s.Folder != filepath.Join(i.folder, "current") {
		t.Errorf("it runs as user %d of the groups %d in %s", s.User, s.Groups, s.Folder)
	}
	for _, want := range []string{"GREETING=hello 'you' $HOME", "AWS_REGION=eu-west-1", "PORT=8000", "USER=webapp", "HOME=" + filepath.Join(i.folder, "home")} {
		if !slices.Contains(s.Environment, want) {
			t.Errorf("%s is missing in %q", want, s.Environment)
		}
	}
	if slices.ContainsFunc(s.Environment, func(v string) bool { return strings.HasPrefix(v, "AWS_SECRET") }) {
		t.Error("it has this machine's credentials")
	}
	if status, _ := visit(t, visitor(laptop), on(web.Address, "/unavailable"), nil); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}

	t.Run("and a body that is too large is not let through", func(t *testing.T) {
		response, err := visitor(laptop).Post(on(web.Address, "/"), "text/plain", strings.NewReader(strings.Repeat("x", 1<<20+1)))
		give(t, err)
		defer response.Body.Close() //nolint:errcheck // only read
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", response.StatusCode)
		}
	})
}

func TestAProgramThatEndsComesBack(t *testing.T) {
	network := newNetwork(t)
	web := host(t, network, "web", "10.0.0.10/24")
	_, log := startInstance(t, InstanceOptions{Bundle: testBundle(t), Namespace: web, Environment: map[string]string{asApp: "one"}})
	only := func() int {
		found := programs(t, processes(t, web.Name()), "application")
		if len(found) != 1 {
			t.Fatalf("%d programs run", len(found))
		}
		return found[0]
	}
	back := func(before int) {
		t.Helper()
		eventually(t, "the program answers again", func() bool {
			status, _ := visit(t, visitor(web), on(web.Address, "/"), nil)
			return status == http.StatusOK
		})
		if now := only(); now == before {
			t.Error("it is the same as before")
		}
		if left := programs(t, processes(t, web.Name()), "sleep"); len(left) != 1 {
			t.Errorf("%d of its children run, want the new one's", len(left))
		}
	}
	first := only()
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	back(first)
	second := only()
	if status, _ := visit(t, visitor(web), on(web.Address, "/break"), nil); status != http.StatusBadGateway {
		t.Errorf("status %d of a request during which the program ended", status)
	}
	back(second)
	for _, want := range []string{"web: the program ended with exit status 137\n", "web: the program ended with exit status 3\n"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}

	t.Run("until it has ended too often", func(t *testing.T) {
		eventually(t, "it stays away", func() bool {
			_, _ = visit(t, visitor(web), on(web.Address, "/break"), nil)
			return strings.Contains(log.String(), "the program stays away")
		})
		if status, _ := visit(t, visitor(web), on(web.Address, "/"), nil); status != http.StatusBadGateway {
			t.Errorf("status %d", status)
		}
	})
}

func TestAnInstanceThatDoesNotStart(t *testing.T) {
	network := newNetwork(t)
	web := host(t, network, "web", "10.0.0.10/24")
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"its program fails":           {map[string]string{"Procfile": "web: echo no database >&2; exit 1"}, "does not stay: "},
		"its program is not there":    {map[string]string{"Procfile": "web: bin/application"}, "not found"},
		"its program may not be run":  {map[string]string{"Procfile": "web: ./application", "application": "x"}, "ermission denied"},
		"it has no Procfile":          {map[string]string{"bin/application": "x"}, "no Procfile"},
		"its program listens not":     {map[string]string{"Procfile": "web: sleep 600"}, "nginx answers with status 502"},
		"its program would be root's": {map[string]string{"Procfile": "web: exec setpriv --reuid 0 true"}, "does not stay: "},
		"it has what is not played":   {map[string]string{"Procfile": "web: x", ".platform/x": ""}, "holds .platform"},
		"it has another process":      {map[string]string{"Procfile": "worker: x"}, "is not played"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := StartInstance(ctx, InstanceOptions{Bundle: zipped(t, tc.files), Namespace: web})
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one sentence with %q", err, tc.want)
			}
			if left := processes(t, web.Name()); len(left) > 0 {
				t.Errorf("there are processes %d", left)
			}
		})
	}
	t.Run("port 80 is taken", func(t *testing.T) {
		l, err := web.Listen("tcp", "0.0.0.0:80")
		give(t, err)
		defer l.Close() //nolint:errcheck // the test is over
		_, err = StartInstance(t.Context(), InstanceOptions{Bundle: testBundle(t), Namespace: web, Environment: map[string]string{asApp: "one"}})
		if err == nil || !strings.Contains(err.Error(), "in use") || strings.Contains(err.Error(), "\n") {
			t.Error(err)
		}
	})
}

// victim starts an instance and a load balancer, says the names of their namespaces and their folders, and waits to be
// killed.
func victim() {
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	n, err := machineNetwork()
	check(err)
	web, err := n.Host("web", "10.0.0.10/24")
	check(err)
	balancer, err := n.Host("balancer", "10.0.2.10/24")
	check(err)
	bundle, err := appBundle()
	check(err)
	i, err := StartInstance(context.Background(), InstanceOptions{Bundle: bundle, Namespace: web, Environment: map[string]string{asApp: "one"}})
	check(err)
	check(os.RemoveAll(filepath.Dir(bundle)))
	l, err := StartLoadBalancer(context.Background(), LoadBalancerOptions{Namespace: balancer, Backends: addresses(web), HTTP: true})
	check(err)
	fmt.Printf("VICTIM %s %s %s %s\n", web.Name(), balancer.Name(), i.folder, l.folder)
	select {}
}

func TestAProcessThatIsKilledTakesItsInstancesWithItAndSweepRemovesTheRest(t *testing.T) {
	if _, err := findNginx(); err != nil {
		give(t, err)
	}
	living, _ := startInstance(t, InstanceOptions{
		Bundle: testBundle(t), Namespace: host(t, newNetwork(t), "living", "10.0.0.10/24"), Environment: map[string]string{asApp: "living"},
	})
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asVictim+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	give(t, err)
	give(t, cmd.Start())
	var web, balancer, one, two string
	_, scanErr := fmt.Fscanf(out, "VICTIM %s %s %s %s\n", &web, &balancer, &one, &two)
	if scanErr != nil {
		_ = cmd.Process.Kill()
		t.Fatalf("the process did not start: %v", scanErr)
	}
	// The shell, the program, its child, and of each nginx a master and at least one worker, which it starts when it
	// listens already.
	eventually(t, "all of it runs", func() bool { return len(processes(t, web, balancer)) >= 3+2+2 })
	give(t, cmd.Process.Kill())
	_ = cmd.Wait() // killed
	eventually(t, "its processes are gone by themselves", func() bool { return len(processes(t, web, balancer)) == 0 })
	for _, folder := range []string{one, two} {
		if _, err := os.Stat(folder); err != nil {
			t.Errorf("there is nothing for Sweep to do: %v", err)
		}
	}
	give(t, Sweep())
	for _, folder := range []string{one, two} {
		if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", folder, err)
		}
	}
	if _, err := os.Stat(living.folder); err != nil {
		t.Errorf("Sweep took the folder of a process that lives: %v", err)
	}
}
