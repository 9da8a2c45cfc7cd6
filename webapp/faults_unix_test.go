//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
	"drawbridge/internal/sampledata"
	"drawbridge/rehearsal/iam"
	"drawbridge/rehearsal/secretsmanager"
)

// visits are how many visitors come at a time, over all routes.
const visits = 20

// visitors ask for every address of the app again and again. Every tenth time, one
// of them hangs up.
type visitors struct {
	base   string
	client *http.Client
	stop   context.CancelFunc
	all    sync.WaitGroup

	mu   sync.Mutex
	seen []visit
}

// visit is an answer, or what came instead of one.
type visit struct {
	path, id    string
	begun       time.Time
	took        time.Duration
	status      int // 0 when there was no answer
	retry, body string
	err         error
}

func (v visit) String() string {
	return fmt.Sprintf("%s: status %d after %v: %v %.300s", v.path, v.status, v.took.Round(time.Millisecond), v.err, v.body)
}

// come lets the visitors in, until leave.
func come(t *testing.T, base string) *visitors {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	// As nginx does, which keeps no connection.
	v := &visitors{base: base, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, stop: stop}
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	addresses := allAddresses()
	for range visits {
		v.all.Go(func() {
			for ctx.Err() == nil {
				path := addresses[mathrand.IntN(len(addresses))].url()
				if mathrand.IntN(10) == 0 {
					v.hangUp(ctx, path)
				} else if got := v.ask(path); ctx.Err() == nil {
					v.mu.Lock()
					v.seen = append(v.seen, got)
					v.mu.Unlock()
				}
				time.Sleep(time.Duration(mathrand.IntN(40)) * time.Millisecond)
			}
		})
	}
	t.Cleanup(func() { v.leave() })
	return v
}

func (v *visitors) leave() {
	v.stop()
	v.all.Wait()
	v.client.CloseIdleConnections()
}

func (v *visitors) hangUp(ctx context.Context, path string) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(1+mathrand.IntN(100))*time.Millisecond)
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, v.base+path, nil)
	if response, err := v.client.Do(request); err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
}

func (v *visitors) ask(path string) (got visit) {
	got = visit{path: path, id: rand.Text(), begun: time.Now()}
	defer func() { got.took = time.Since(got.begun) }()
	request, _ := http.NewRequest(http.MethodGet, v.base+path, nil)
	request.Header.Set("X-Forwarded-For", got.id) // which the log has
	response, err := v.client.Do(request)
	if err != nil {
		got.err = err
		return got
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	got.status, got.retry, got.body, got.err = response.StatusCode, response.Header.Get("Retry-After"), string(body), err
	return got
}

// since are the visits that began after a moment.
func (v *visitors) since(begin time.Time) (since []visit) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, got := range v.seen {
		if got.begun.After(begin) {
			since = append(since, got)
		}
	}
	return since
}

// wantOnly fails unless every visit was answered, with 200 or 303, or with 503 in
// one of these words. A download may be broken off, which its reader notices.
func wantOnly(t *testing.T, all []visit, words ...string) {
	t.Helper()
	counts, slowest, complaints := map[int]int{}, visit{}, 0
	for _, got := range all {
		counts[got.status]++
		// A download waits until MySQL goes on.
		download := strings.Contains(got.path, "csv") || strings.Contains(got.path, "json")
		if !download && got.took > slowest.took {
			slowest = got
		}
		said := strings.ReplaceAll(got.body, "&#39;", "'")
		right := got.err == nil && (got.status == 200 || got.status == 303) ||
			got.err != nil && got.status == 200 && download ||
			got.status == 503 && got.err == nil && got.retry != "" && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(said, w) })
		if !right {
			if complaints++; complaints <= 5 {
				t.Errorf("%v", got)
			}
		}
	}
	t.Logf("%d visits, by status %v, the slowest page %v", len(all), counts, slowest.took.Round(time.Millisecond))
	if slowest.took > pageTimeout+3*time.Second {
		t.Errorf("somebody waited long: %v", slowest)
	}
	if complaints > 5 {
		t.Errorf("and %d others", complaints-5)
	}
}

// wantRecovery fails unless visits that began some time after back were answered as
// usual. It tells when the last one began that was not.
func wantRecovery(t *testing.T, all []visit, back time.Time) {
	t.Helper()
	var last time.Duration
	after := 0
	for _, got := range all {
		if d := got.begun.Sub(back); d > 0 {
			after++
			if got.status >= 500 || got.err != nil {
				last = max(last, d)
			}
		}
	}
	t.Logf("of %d visits after MySQL was back, the last one that failed began after %v", after, last.Round(time.Millisecond))
	if after < visits || last > 3*time.Second {
		t.Errorf("recovery took %v, in %d visits", last, after)
	}
}

// faultSite serves the sample data of a server of its own.
func faultSite(t *testing.T) (site *site, a *app, server *mysqltest.Server, root *sql.DB, user string) {
	t.Helper()
	server = mysqltest.Start(t)
	root = server.Root(t)
	root.SetMaxOpenConns(1)
	schema := server.NewSchema(t)
	if _, err := sampledata.Load(t.Context(), server.Open(t, "root", rootPassword(server), ""), schema); err != nil {
		t.Fatal(err)
	}
	user = newReader(t, server, schema)
	site = newSiteWith(t, settingsOf(server, schema, user, readerPassword), func(made *app) { a = made })
	warm(t, site, a, root)
	return site, a, server, root, user
}

// warm uses each pool once, which starts goroutines that stay.
func warm(t *testing.T, site *site, a *app, root *sql.DB) {
	t.Helper()
	site.get(t, "/", 200)
	for _, pool := range []*sql.DB{a.db.killers[""], root} {
		if err := pool.PingContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// atRest is how many goroutines there are when nobody visits and no connection is
// open.
func atRest(t *testing.T, site *site, a *app) int {
	t.Helper()
	site.Client().CloseIdleConnections()
	for _, pool := range []*sql.DB{a.db.DB, a.db.killers[""]} {
		unused := maxIdleConnections
		if pool == a.db.killers[""] {
			unused = 1
		}
		pool.SetMaxIdleConns(-1)
		pool.SetMaxIdleConns(unused)
	}
	least := runtime.NumGoroutine()
	for range 50 {
		time.Sleep(20 * time.Millisecond)
		least = min(least, runtime.NumGoroutine())
	}
	return least
}

// wantNoLeak fails unless everything is as it was.
func wantNoLeak(t *testing.T, site *site, a *app, goroutines int) {
	t.Helper()
	waitUntil(t, "every connection was given back", func() bool {
		return a.db.Stats().InUse == 0 && a.db.killers[""].Stats().InUse == 0 && len(a.tablePages) == 0 && len(a.exports) == 0
	})
	if now := atRest(t, site, a); now > goroutines {
		stacks := make([]byte, 20_000)
		t.Errorf("%d goroutines, %d before:\n%s", now, goroutines, stacks[:runtime.Stack(stacks, true)])
	}
}

// connectionsOf is how many connections MySQL says that a user has.
func connectionsOf(t *testing.T, root *sql.DB, user string) (n int) {
	t.Helper()
	if err := root.QueryRow("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = ?", user).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

const (
	saysUnreachable = "The database cannot be reached."
	saysLate        = "The database did not answer in time."
	saysBusy        = "The database is busy with other pages"
	saysFull        = "The database has no connection left for this app."
)

func TestMySQLIsKilledUnderLoad(t *testing.T) {
	site, a, server, root, user := faultSite(t)
	goroutines := atRest(t, site, a)
	v := come(t, site.URL)
	time.Sleep(time.Second)
	server.Kill(t)
	gone := time.Now()
	time.Sleep(2 * time.Second)
	server.Restart(t)
	back := time.Now()
	time.Sleep(3 * time.Second)
	if n := connectionsOf(t, root, user); n > maxConnections+1 {
		t.Errorf("%d connections", n)
	}
	v.leave()
	wantOnly(t, v.since(time.Time{}), saysUnreachable, saysBusy, saysLate)
	if failed := slices.ContainsFunc(v.since(gone), func(got visit) bool { return got.status == 503 }); !failed {
		t.Error("nobody noticed")
	}
	wantRecovery(t, v.since(time.Time{}), back)
	wantNoLeak(t, site, a, goroutines)
}

func TestMySQLStallsUnderLoad(t *testing.T) {
	site, a, server, root, user := faultSite(t)
	goroutines := atRest(t, site, a)
	v := come(t, site.URL)
	time.Sleep(2 * time.Second)
	server.Pause(t)
	time.Sleep(30 * time.Second)
	server.Resume(t)
	back := time.Now()
	time.Sleep(5 * time.Second)
	if n := connectionsOf(t, root, user); n > maxConnections+1 {
		t.Errorf("%d connections", n)
	}
	v.leave()
	wantOnly(t, v.since(time.Time{}), saysUnreachable, saysBusy, saysLate)
	wantRecovery(t, v.since(time.Time{}), back)
	wantNoLeak(t, site, a, goroutines)
}

func TestMySQLIsAtItsConnectionLimit(t *testing.T) {
	site, a, _, root, user := faultSite(t)
	limits := map[string]struct{ take, give string }{
		"of all users": {"SET GLOBAL max_connections = 1", "SET GLOBAL max_connections = 100"},
		"of this user": {"ALTER USER " + user + " WITH MAX_USER_CONNECTIONS 3", "ALTER USER " + user + " WITH MAX_USER_CONNECTIONS 0"},
		"of each user": {"SET GLOBAL max_user_connections = 3", "SET GLOBAL max_user_connections = 0"},
	}
	for name, limit := range limits {
		t.Run(name, func(t *testing.T) {
			warm(t, site, a, root)
			goroutines := atRest(t, site, a)
			v := come(t, site.URL)
			time.Sleep(time.Second)
			mustExec(t, root, limit.take)
			// Who is in stays in, until the connection ends.
			endConnections(t, root, user)
			time.Sleep(1500 * time.Millisecond)
			limited := time.Now()
			time.Sleep(1500 * time.Millisecond)
			mustExec(t, root, limit.give)
			back := time.Now()
			time.Sleep(2500 * time.Millisecond)
			v.leave()
			wantOnly(t, v.since(time.Time{}), saysFull, saysUnreachable, saysBusy, saysLate)
			said, shown := 0, 0
			for _, got := range v.since(limited) {
				if got.begun.Before(back) && strings.Contains(got.body, saysFull) {
					said++
				}
				if got.begun.Before(back) && got.status == 200 && strings.HasPrefix(got.path, "/tables/") {
					shown++
				}
			}
			t.Logf("at the limit, %d visitors were told so, and %d saw a table", said, shown)
			if name == "of all users" && said < visits {
				t.Error("they are not told that there is no connection left")
			}
			// Without patience, every third would be told that there is none.
			if name != "of all users" && (shown < visits || 5*said > shown) {
				t.Error("the connections that are left serve hardly anybody")
			}
			wantRecovery(t, v.since(time.Time{}), back)
			wantNoLeak(t, site, a, goroutines)
		})
	}
}

// endConnections ends all connections of a user.
func endConnections(t *testing.T, root *sql.DB, user string) {
	t.Helper()
	rows, err := root.Query("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = ?", user)
	if err != nil {
		t.Fatal(err)
	}
	var ids []int
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	rows.Close()
	for _, id := range ids {
		_, _ = root.Exec(fmt.Sprintf("KILL %d", id)) // it may have ended by itself
	}
}

// keeper is Secrets Manager with the secret of one user.
type keeper struct {
	*secretsmanager.Server
	arn string
	env map[string]string
}

const keeperRole = "arn:aws:iam::123456789012:role/webapp"

// newKeeper keeps a secret as Elastic Beanstalk's instances find it.
func newKeeper(t *testing.T, server *mysqltest.Server, schema, user, password string) *keeper {
	t.Helper()
	policy, err := iam.ParsePolicy(map[string]any{"Statement": map[string]any{
		"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*",
	}})
	if err != nil {
		t.Fatal(err)
	}
	var roles iam.Directory
	roles.Attach(keeperRole, "read", policy)
	manager, err := secretsmanager.Start(secretsmanager.Options{AccountID: "123456789012", Region: "eu-west-1", Roles: &roles})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = manager.Close() })
	text := secretText(server, schema, user, password)
	arn, err := manager.Create("webapp", "", &text)
	if err != nil {
		t.Fatal(err)
	}
	credentials := manager.Credentials(keeperRole)
	return &keeper{manager, arn, map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": manager.URL(), "AWS_ACCESS_KEY_ID": credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": credentials.SecretAccessKey, "AWS_SESSION_TOKEN": credentials.SessionToken,
	}}
}

func secretText(server *mysqltest.Server, schema, user, password string) string {
	text, _ := json.Marshal(map[string]any{"host": server.Host, "port": server.Port, "dbname": schema, "username": user, "password": password})
	return string(text)
}

// rotate gives the user another password, as the rotation does: the old one is good
// until the secret holds the new one, and then no more. Every connection is ended
// besides.
func (k *keeper) rotate(t *testing.T, server *mysqltest.Server, root *sql.DB, schema, user, password string) {
	t.Helper()
	mustExec(t, root, fmt.Sprintf("ALTER USER %s IDENTIFIED BY '%s' RETAIN CURRENT PASSWORD", user, password))
	if err := k.Put(k.arn, secretText(server, schema, user, password)); err != nil {
		t.Fatal(err)
	}
	mustExec(t, root, "ALTER USER "+user+" DISCARD OLD PASSWORD")
	endConnections(t, root, user)
}

const rotatedPassword = "Rotated-pass-Yw2"

func TestThePasswordIsRotatedUnderLoad(t *testing.T) {
	server := mysqltest.Start(t)
	root := server.Root(t)
	root.SetMaxOpenConns(1)
	schema := server.NewSchema(t)
	if _, err := sampledata.Load(t.Context(), server.Open(t, "root", rootPassword(server), ""), schema); err != nil {
		t.Fatal(err)
	}
	user := newReader(t, server, schema)
	keeper := newKeeper(t, server, schema, user, readerPassword)
	for name, value := range keeper.env {
		t.Setenv(name, value)
	}
	var a *app
	settings := mysqldb.Settings{SecretARN: keeper.arn, CAFile: server.CAFile, Password: readerPassword} // which the log is searched for
	site := newSiteWith(t, settings, func(made *app) { a = made })
	warm(t, site, a, root)
	goroutines := atRest(t, site, a)
	v := come(t, site.URL)
	time.Sleep(2 * time.Second)
	keeper.rotate(t, server, root, schema, user, rotatedPassword)
	back := time.Now()
	time.Sleep(4 * time.Second)
	v.leave()
	// The pages whose connections were ended say so.
	wantOnly(t, v.since(time.Time{}), saysUnreachable, saysBusy)
	wantRecovery(t, v.since(time.Time{}), back)
	// The SDK keeps what connections it made, and may have made a second one: two
	// goroutines of its own and one of the server in this test.
	wantNoLeak(t, site, a, goroutines+3)

	t.Run("a secret that comes late", func(t *testing.T) {
		const late = "Late-pass-Xv3"
		mustExec(t, root, fmt.Sprintf("ALTER USER %s IDENTIFIED BY '%s'", user, late))
		endConnections(t, root, user)
		site.get(t, "/", 503).has(t, "refused the app")
		if err := keeper.Put(keeper.arn, secretText(server, schema, user, late)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for site.get(t, "/readyz", 0).StatusCode != 200 {
			if time.Since(start) > 15*time.Second {
				t.Fatal("the new password is not found")
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Logf("the new password was found after %v", time.Since(start).Round(time.Millisecond))
		if text := site.log.String(); strings.Contains(text, late) || strings.Contains(text, rotatedPassword) {
			t.Error("the log holds a password")
		}
	})
}

// TestProgramSurvives has everything happen to the program itself.
func TestProgramSurvives(t *testing.T) {
	server := mysqltest.Start(t)
	schema := server.NewSchema(t)
	if _, err := sampledata.Load(t.Context(), server.Open(t, "root", rootPassword(server), ""), schema); err != nil {
		t.Fatal(err)
	}
	user := newReader(t, server, schema)
	keeper := newKeeper(t, server, schema, user, readerPassword)
	port, metricsPort := freePort(t), freePort(t)
	env := map[string]string{"PORT": port, "METRICS_PORT": metricsPort, "RDS_SECRET_ARN": keeper.arn, "DRAWBRIDGE_DB_CA_FILE": server.CAFile, "DASHBOARD_URL": "https://bi.example.com/d/1"}
	for name, value := range keeper.env {
		env[name] = value
	}
	p := start(t, build(t), env)
	base := "http://127.0.0.1:" + port
	if status := p.answers(t, base+"/readyz"); status != 200 {
		t.Fatalf("/readyz answers %d: %s", status, p.stdout.String())
	}
	v := come(t, base)
	time.Sleep(time.Second)

	server.Kill(t)
	time.Sleep(time.Second)
	server.Restart(t)
	time.Sleep(2 * time.Second)
	server.Pause(t)
	time.Sleep(8 * time.Second)
	server.Resume(t)
	time.Sleep(2 * time.Second)
	keeper.rotate(t, server, server.Root(t), schema, user, rotatedPassword)
	back := time.Now()
	time.Sleep(3 * time.Second)
	v.leave()
	wantOnly(t, v.since(time.Time{}), saysUnreachable, saysBusy, saysLate)
	wantRecovery(t, v.since(time.Time{}), back)

	var text string
	waitUntil(t, "it gives its connections back", func() bool {
		text = scraped(t, metricsPort)
		return metric(t, text, `go_sql_in_use_connections{db_name="mysql"}`) == "0" && metric(t, text, "drawbridge_http_requests_in_flight") == "0"
	})
	// A connection has one goroutine of the driver's, and the program a few.
	var goroutines int
	if _, err := fmt.Sscan(metric(t, text, "go_goroutines"), &goroutines); err != nil || goroutines > maxConnections+25 {
		t.Errorf("%d goroutines (%v)", goroutines, err)
	}
	t.Logf("%d goroutines at the end", goroutines)

	// Nobody who has come in is cut off when it stops.
	v = come(t, base)
	time.Sleep(time.Second)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.end(t, 0)
	v.leave()
	log := p.stdout.String() + p.stderr.String()
	late := 0
	for _, got := range v.since(time.Time{}) {
		in := strings.Contains(log, got.id)
		if in && (got.err != nil || got.status != 200 && got.status != 303 && got.status != 503) || !in && got.status != 0 {
			t.Errorf("at the end: %v", got)
		}
		if !in {
			late++
		}
	}
	t.Logf("%d came too late", late)
	if strings.Contains(log, readerPassword) || strings.Contains(log, rotatedPassword) || strings.Contains(log, "were cut off") {
		t.Error("the log holds a password, or says that requests were cut off")
	}
}
