//go:build linux && root

package endtoend

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"drawbridge/rehearsal/awsapi"
)

const (
	administratorsUnit  = "drawbridge-administrators.service"
	administratorsCache = "/run/drawbridge/administrators.json"
)

// run makes the jump server do now what its timer makes it do within 20 seconds. The first start may only join a run
// that has read Parameter Store already, and systemd would refuse the sixth within ten seconds.
func (j *jumpServer) run(t testing.TB) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*patience) // cleaning up runs it too
	defer cancel()
	const start = "systemctl reset-failed " + administratorsUnit + "; systemctl start " + administratorsUnit
	_, err := j.machine.Run(ctx, nil, "bash", "-c", start+"; "+start)
	return err
}

// sync is a run that succeeds.
func (j *jumpServer) sync(t testing.TB) {
	t.Helper()
	if err := j.run(t); err != nil {
		t.Fatalf("%v\n%s", err, j.machine.Journal(context.WithoutCancel(t.Context()), administratorsUnit))
	}
}

// remove takes a person out of Parameter Store.
func (j *jumpServer) remove(p person) { j.Parameters.Delete(administratorsPath + p.name) }

// newcomer is a person who is put into Parameter Store, and removed from it when the test ends.
func (j *jumpServer) newcomer(t testing.TB, name, access string) person {
	t.Helper()
	p := person{name, j.laptop.newKey(t, name)}
	j.put(t, p, access)
	t.Cleanup(func() { j.remove(p) })
	j.sync(t)
	j.laptop.mustLetIn(t, p, j.target)
	return p
}

// connection is a connection to the database through a forward.
func (j *jumpServer) connection(t testing.TB, p person) (*session, *sql.Conn) {
	t.Helper()
	s, port := j.laptop.forward(t, p, j.target)
	conn, err := j.laptop.database(t, j.world, port, "admin", j.masterPassword(t)).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, conn
}

// since is a moment of the machine's journal.
func (j *jumpServer) since(t testing.TB) (log func() string) {
	t.Helper()
	const mark = "journalctl --no-pager --quiet --lines=0 --show-cursor | sed -n 's/^-- cursor: //p'"
	cursor := strings.TrimSpace(on(t, j.machine, mark))
	return func() string {
		t.Helper()
		return on(t, j.machine, "journalctl --sync; journalctl --no-pager --quiet --output=with-unit --after-cursor='"+cursor+"'")
	}
}

func (j *jumpServer) removed(t *testing.T) {
	kai := j.newcomer(t, "kai", "shell")
	uid := j.laptop.mustRun(t, kai, "", "echo kept >file; id --user")
	shell := j.laptop.shell(t, kai)
	shell.say("nohup setsid sleep 1000 >/dev/null 2>&1 &")
	shell.say("echo $((50 + 1)) stay behind")
	shell.mustHear("51 stay behind")
	forward, conn := j.connection(t, kai)
	kim := j.newcomer(t, "kim", "tunnel")
	kims, kimsConn := j.connection(t, kim)
	others, othersConn := j.connection(t, j.malia)

	j.remove(kai)
	j.remove(kim)
	took := forward.mustEnd("the forward of a person who was removed")
	took += shell.mustEnd("their shell")
	took += kims.mustEnd("the forward of a person who had only that")
	t.Logf("people who were removed are out after %.1f s", took.Seconds())
	for _, c := range []*sql.Conn{conn, kimsConn} {
		if err := c.PingContext(t.Context()); err == nil {
			t.Error("their connection to the database goes on")
		}
	}
	eventually(t, "nothing of theirs runs", func() error {
		out, err := j.machine.Run(t.Context(), nil, "pgrep", "--uid", strings.TrimSpace(uid), "--list-full")
		if err == nil {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	j.laptop.mustRefuse(t, kai, j.target)
	j.laptop.mustRefuse(t, kim, j.target)
	others.mustGoOn("the forward of another person")
	if err := othersConn.PingContext(t.Context()); err != nil {
		t.Errorf("the connection of another person: %v", err)
	}
	account := on(t, j.machine, "getent passwd kai; id --groups --name kai; getent shadow kai | cut -d : -f 8")
	mustContain(t, account, "/usr/sbin/nologin\nkai\n1\n")

	j.put(t, kai, "shell")
	j.sync(t)
	if again := j.laptop.mustRun(t, kai, "", "cat file; id --user"); again != "kept\n"+uid {
		t.Errorf("the person who is back is %q, and was %q", again, uid)
	}
}

func (j *jumpServer) removedAndDown(t *testing.T) {
	kai := j.newcomer(t, "kai", "shell")
	shell := j.laptop.shell(t, kai)

	j.remove(kai)
	// One more answer, all of which stands on one page, and then none.
	j.Parameters.Inject(awsapi.Fault{Operation: "GetParametersByPath", Skip: 1, Drop: true})
	t.Cleanup(j.Parameters.ClearFaults)
	if err := j.run(t); err == nil {
		t.Fatal("Parameter Store is not down")
	}
	shell.mustEnd("the shell of a person who was removed")
	j.laptop.mustRefuse(t, kai, j.target)
	j.laptop.mustLetIn(t, j.malia, j.target)
}

func (j *jumpServer) changedKeys(t *testing.T) {
	kai := j.newcomer(t, "kai", "shell")
	second := person{"kai", j.laptop.newKey(t, "kai-second", "-t", "ecdsa", "-b", "384")}
	shell := j.laptop.shell(t, kai)
	forward, conn := j.connection(t, kai)

	j.put(t, kai, "shell", second.key)
	j.sync(t)
	j.laptop.mustLetIn(t, second, j.target)
	shell.mustGoOn("the shell of a person with one more key")
	forward.mustGoOn("their forward")
	if err := conn.PingContext(t.Context()); err != nil {
		t.Error(err)
	}

	j.put(t, second, "shell")
	j.sync(t)
	shell.mustEnd("the shell of a person with one key less")
	forward.mustEnd("their forward")
	j.laptop.mustRefuse(t, kai, j.target)
	j.laptop.mustLetIn(t, second, j.target)
}

func (j *jumpServer) lowered(t *testing.T) {
	kai := j.newcomer(t, "kai", "shell")
	// systemd would start this with any log-in.
	j.laptop.mustRun(t, kai, "", `mkdir -p ~/.config/systemd/user/default.target.wants
printf '[Service]\nExecStart=/bin/sleep 1234\n' >~/.config/systemd/user/default.target.wants/mine.service`)
	shell := j.laptop.shell(t, kai)

	j.put(t, kai, "tunnel")
	j.sync(t)
	shell.mustEnd("the shell of a person who may only use the tunnel now")
	if out, stderr, err := j.laptop.try(t, kai, "", "jump", "id"); err == nil || out != "" || refused(stderr) {
		t.Errorf("their shell says %q, error %v: %s", out, err, stderr)
	}
	forward, _ := j.connection(t, kai)
	if runs := on(t, j.machine, "ps -o args= -u kai"); strings.TrimSpace(runs) != "sshd-session: kai" {
		t.Errorf("with a forward alone, this runs as them:\n%s", runs)
	}

	j.put(t, kai, "shell")
	j.sync(t)
	forward.mustGoOn("the forward of a person who may do more now")
	if name := j.laptop.mustRun(t, kai, "", "id --user --name"); name != "kai\n" {
		t.Errorf("their shell says %q", name)
	}
}

// age makes the people as they were last fetched that old.
func (j *jumpServer) age(t testing.TB, minutes int) {
	t.Helper()
	on(t, j.machine, fmt.Sprintf(`set -e
file=`+administratorsCache+`
text=$(sed "s/\"fetched\": \"[^\"]*\"/\"fetched\": \"$(date --utc --date='%d minutes ago' +%%FT%%TZ)\"/" $file)
grep -qv "$(grep fetched $file)" <<<"$text"
cat >$file <<<"$text"`, minutes))
}

func (j *jumpServer) storeDown(t *testing.T) {
	late := person{"late", j.laptop.newKey(t, "late")}
	session, conn := j.connection(t, j.malia)
	j.Parameters.Down()
	t.Cleanup(j.Parameters.Up)
	j.put(t, late, "shell")
	t.Cleanup(func() { j.remove(late) })

	log := j.since(t)
	if err := j.run(t); err == nil {
		t.Fatal("Parameter Store is not down")
	}
	mustContain(t, log(), "the administrators below "+strings.TrimSuffix(administratorsPath, "/")+" in Parameter Store cannot be read, so nothing was changed")
	j.laptop.mustLetIn(t, j.malia, j.target)
	j.laptop.mustRefuse(t, late, j.target)
	j.age(t, 14)
	j.laptop.mustLetIn(t, j.malia, j.target)
	j.laptop.mustLetIn(t, j.noa, j.target)

	for _, minutes := range []int{16, -3} {
		log = j.since(t)
		j.age(t, minutes)
		j.laptop.mustRefuse(t, j.malia, j.target)
		j.laptop.mustRefuse(t, j.noa, j.target)
		eventually(t, "the log says why", func() error {
			if text := log(); !strings.Contains(text, "nobody can log in because "+administratorsCache+" cannot be believed: it was fetched at ") {
				return fmt.Errorf("it says\n%s", text)
			}
			return nil
		})
	}
	session.mustGoOn("the forward of a person who was in")
	if err := conn.PingContext(t.Context()); err != nil {
		t.Error(err)
	}

	j.Parameters.Up()
	j.sync(t)
	j.laptop.mustLetIn(t, j.malia, j.target)
	j.laptop.mustLetIn(t, late, j.target)
	session.mustGoOn("the forward of a person who was in")
}

func (j *jumpServer) wrongParameters(t *testing.T) {
	mallory := j.laptop.newKey(t, "wrong")
	weak := j.laptop.newKey(t, "weak", "-t", "rsa", "-b", "1024")
	private := readFile(t, mallory.file)
	value := func(name, access, key string) string {
		text := strings.NewReplacer("NAME", name, "ACCESS", access, "KEY", strings.ReplaceAll(key, "\n", `\n`)).
			Replace(`{"name":"NAME","publicKeys":["KEY"],"access":"ACCESS"}`)
		return text
	}
	blob := strings.Fields(mallory.public)[1]
	wrong := map[string]string{
		"not-json":       "ssh-ed25519 " + blob,
		"half-json":      `{"name":"half-json","publicKeys":["` + mallory.public + `"],"acc`,
		"two-objects":    value("two-objects", "shell", mallory.public) + value("two-objects", "shell", mallory.public),
		"more-fields":    strings.Replace(value("more-fields", "shell", mallory.public), "{", `{"sudo":true,`, 1),
		"another-name":   value("malia", "shell", mallory.public),
		"no-key":         `{"name":"no-key","publicKeys":[],"access":"shell"}`,
		"weak-key":       value("weak-key", "shell", weak.public),
		"half-key":       value("half-key", "shell", mallory.public[:len(mallory.public)-4]),
		"private-key":    value("private-key", "shell", private),
		"private-alone":  private,
		"option-before":  value("option-before", "shell", `command=\"/bin/sh\" `+mallory.public),
		"option-newline": value("option-newline", "shell", mallory.public+"\nagent-forwarding "+mallory.public),
		"other-access":   value("other-access", "root", mallory.public),
		"garbage":        strings.Repeat("\x01\xff", 2048),
		"root":           value("root", "shell", mallory.public),
		"drawbridge-keys": value("drawbridge-keys", "shell",
			mallory.public),
		"sshd":                     value("sshd", "tunnel", mallory.public),
		"Upper":                    value("Upper", "shell", mallory.public),
		"under_score":              value("under_score", "shell", mallory.public),
		"-option":                  value("-option", "shell", mallory.public),
		"..":                       value("..", "shell", mallory.public),
		strings.Repeat("long", 8):  value(strings.Repeat("long", 8), "shell", mallory.public),
		"2021":                     value("2021", "shell", mallory.public),
		"drawbridge-shell":         value("drawbridge-shell", "shell", mallory.public),
		"not-json-" + "but-quoted": `"` + strings.Repeat("x", 20) + `"`,
		"null":                     "null",
	}
	const below = "../x" // Parameter Store does not list what lies deeper
	accounts := on(t, j.machine, "getent passwd; getent shadow | cut -d : -f 1,2")
	log := j.since(t)
	for name, value := range wrong {
		if err := j.Parameters.Put(administratorsPath+name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Parameters.Put(administratorsPath+below, value(below, "shell", mallory.public)); err != nil {
		t.Fatal(err)
	}
	if err := j.Parameters.PutType(administratorsPath+"list", "StringList", value("list", "shell", mallory.public)); err != nil {
		t.Fatal(err)
	}
	wrong[below], wrong["list"] = "", ""
	t.Cleanup(func() {
		for name := range wrong {
			j.Parameters.Delete(administratorsPath + name)
		}
		j.sync(t)
	})
	good := j.newcomer(t, "zoe", "tunnel") // listed after almost all of them
	for _, p := range []person{j.malia, j.noa, good} {
		j.laptop.mustLetIn(t, p, j.target)
	}

	text := log()
	for name := range wrong {
		if name == below {
			continue // it is not listed
		}
		if !strings.Contains(text, fmt.Sprintf("%q", administratorsPath+name)) && !strings.Contains(text, name+" has no access: ") {
			t.Errorf("the log does not name the parameter %s", name)
		}
		if !strings.HasPrefix(name, "-") { // which ssh does not take for a name
			j.laptop.mustRefuse(t, person{name, mallory}, j.target)
		}
	}
	j.laptop.mustRefuse(t, person{"x", mallory}, j.target)
	j.laptop.mustRefuse(t, person{"malia", mallory}, j.target)
	secrets := []string{blob, strings.Fields(weak.public)[1], "agent-forwarding", "PRIVATE KEY"}
	secrets = append(secrets, strings.Split(private, "\n")[1:4]...)
	for i, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds part %d of a parameter's value", i)
		}
	}
	after := strings.Split(on(t, j.machine, "getent passwd; getent shadow | cut -d : -f 1,2"), "\n")
	for line := range strings.SplitSeq(accounts, "\n") {
		after = slices.DeleteFunc(after, func(l string) bool { return l == line })
	}
	for _, line := range after {
		if !strings.HasPrefix(line, "zoe:") {
			t.Errorf("there is a new account %s", line)
		}
	}
	if strings.Count(text, "weak-key") > 1 {
		j.sync(t)
		if again := log(); strings.Count(again, "weak-key") > strings.Count(text, "weak-key") {
			t.Error("the same is logged in each run")
		}
	}
}

const dropIn = "/etc/systemd/system/sshd.service.d/10-keys.conf"

// addForeignCommand makes sshd be started as ec2-instance-connect does it, in a file that no package is known for.
const addForeignCommand = "mkdir -p /etc/systemd/system/sshd.service.d && cat >" + dropIn + " <<'END' && " + restartSSHD + connectDropIn + "END\n"

func (j *jumpServer) foreignCommandLater(t *testing.T) {
	log := j.since(t)
	on(t, j.machine, addForeignCommand)
	if err := j.run(t); err == nil {
		t.Error("the run succeeds")
	}
	mustContain(t, log(), "sshd was started with ", "AuthorizedKeysCommand /opt/aws/bin/eic_run_authorized_keys", "systemctl cat sshd.service")
	on(t, j.machine, "rm "+dropIn+" && "+restartSSHD)
	j.sync(t)
	j.laptop.mustLetIn(t, j.malia, j.target)
}

// hundred is how many people there may be.
const hundred = 100

func (j *jumpServer) hundredPeople(t *testing.T) {
	last := person{"zz-last", j.laptop.newKey(t, "zz-last")}
	people := []person{last}
	for i := len(j.administrators) + 2; i <= hundred; i++ {
		public, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key, err := ssh.NewPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, person{fmt.Sprintf("p%02d", i), keyPair{public: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))}})
	}
	t.Cleanup(func() { // the instance that comes next does not know them
		for _, p := range people {
			j.remove(p)
		}
	})
	for i, p := range people {
		j.put(t, p, []string{"tunnel", "shell"}[i%2])
	}
	took := eventually(t, "everybody has an account", func() error {
		there := strings.TrimSpace(on(t, j.machine, "getent group drawbridge-shell drawbridge-tunnel | cut -d : -f 4 | tr ',' '\\n' | grep -c ."))
		if there != fmt.Sprint(hundred) {
			return fmt.Errorf("%s have one", there)
		}
		return nil
	})
	t.Logf("%d new people have accounts after %.1f s", len(people), took.Seconds())
	j.laptop.mustLetIn(t, last, j.target)
	j.laptop.mustLetIn(t, j.malia, j.target)
	j.sync(t)
	const seconds = `show() { systemctl show --property "$1" --value ` + administratorsUnit + `; }
echo $(($(show ExecMainExitTimestampMonotonic) - $(show ExecMainStartTimestampMonotonic)))`
	t.Logf("a run that changes nothing takes %s µs with %d people", strings.TrimSpace(on(t, j.machine, seconds)), hundred)
	homes := on(t, j.machine, "stat --format '%U %a' /home/p*")
	if !strings.HasPrefix(homes, "p") || strings.Count(homes, " 700\n") != strings.Count(homes, "\n") {
		t.Errorf("their homes are\n%s", homes)
	}
}

func (j *jumpServer) restarted(t *testing.T) {
	j.sync(t)
	j.Parameters.Down()
	t.Cleanup(j.Parameters.Up)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := j.machine.Reboot(ctx); err != nil {
		t.Fatal(err)
	}
	j.laptop.mustLetIn(t, j.malia, j.target)
	j.laptop.mustLetIn(t, j.noa, j.target)
	if name := j.laptop.mustRun(t, j.malia, "", "id --user --name"); name != "malia\n" {
		t.Errorf("malia's shell says %q", name)
	}
	mustContain(t, on(t, j.machine, "nft list table inet drawbridge"), "ip daddr 169.254.169.254 reject")

	// The timer goes on by itself.
	kai := person{"kai", j.laptop.newKey(t, "kai-after-restart")}
	j.put(t, kai, "tunnel")
	t.Cleanup(func() { j.remove(kai) })
	j.Parameters.Up()
	eventually(t, "a new person gets in", func() error { return j.laptop.letsIn(t, kai, j.target) })
}

// inDecember is the config with images that were looked up later, which makes another instance.
func (j *jumpServer) inDecember(dev config) {
	j.config(dev)
	dev["imageRefresh"] = "2026-12"
}

func (j *jumpServer) foreignCommandAtBoot(t *testing.T) {
	before := j.machine
	err := j.deployOn(addForeignCommand, j.inDecember)
	if err == nil {
		t.Fatal("the deployment went well")
	}
	mustContain(t, err.Error(), bastionStack, "Setting up failed: drawbridge-host: sshd was started with ",
		"AuthorizedKeysCommand /opt/aws/bin/eic_run_authorized_keys", "remove what adds that (see 'systemctl cat sshd.service')")
	t.Logf("CloudFormation says: %v", err)
	if j.only("Bastion") != before {
		t.Fatal("the first instance is gone")
	}
	j.laptop.mustLetIn(t, j.malia, j.target)
}

func (j *jumpServer) replaced(t *testing.T) {
	before, knownHosts := j.machine, j.Outputs(bastionStack)["BastionKnownHosts"]
	if err := j.deployOn(amazonsImage, j.inDecember); err != nil {
		t.Fatal(err)
	}
	j.arrive(t)
	if j.machine == before || j.machine.ID == before.ID {
		t.Fatal("it is the same instance")
	}
	if _, err := os.Stat(before.Path("/")); err == nil {
		t.Error("the instance before still runs")
	}
	if now := j.Outputs(bastionStack)["BastionKnownHosts"]; now != knownHosts {
		t.Errorf("the line for known_hosts is %q and was %q", now, knownHosts)
	}
	j.laptop.mustLetIn(t, j.noa, j.target)
	if name := j.laptop.mustRun(t, j.malia, "", "id --user --name"); name != "malia\n" {
		t.Errorf("malia's shell says %q", name)
	}
	j.readsAndWrites(t, j.malia)
}
