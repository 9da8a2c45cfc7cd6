//go:build linux && root

package endtoend

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"drawbridge/rehearsal/instance"
	"drawbridge/rehearsal/machine"
)

const administratorsPath = "/drawbridge/dev/administrators/"

// jumpServer is the deployed jump server, with a laptop in front of it and the two people of its config.
type jumpServer struct {
	*world
	machine *instance.Instance
	laptop  *laptop
	malia   person // access shell
	noa     person // access tunnel
	target  string // the database, as the stack's outputs name it

	administrators []any // of the config
}

// deployJumpServer deploys a jump server for malia and noa, on an image that has what Amazon's may have.
func deployJumpServer(t *testing.T) *jumpServer {
	t.Helper()
	w := newWorld(t, "jump")
	j := &jumpServer{world: w, laptop: w.newLaptop(t)}
	j.malia = person{"malia", j.laptop.newKey(t, "malia")}
	j.noa = person{"noa", j.laptop.newKey(t, "noa")}
	j.administrators = []any{parameter(j.malia, "shell"), parameter(j.noa, "tunnel")}
	if err := w.deploy(j.config, "Network", "Database"); err != nil {
		t.Fatalf("%v\n%s", err, w.log)
	}
	if err := j.deployOn(amazonsImage, j.config); err != nil {
		t.Fatal(err)
	}
	j.arrive(t)
	j.sync(t) // the parameters may have come after the first run
	return j
}

// config puts malia and noa into an environment's config.
func (j *jumpServer) config(dev config) {
	dev["bastion"].(map[string]any)["administrators"] = j.administrators
}

// parameter is a person as the config has them.
func parameter(p person, access string, more ...keyPair) map[string]any {
	keys := []any{p.key.public}
	for _, key := range more {
		keys = append(keys, key.public)
	}
	return map[string]any{"name": p.name, "publicKeys": keys, "access": access}
}

// put puts a person into Parameter Store, as a deployment would.
func (j *jumpServer) put(t testing.TB, p person, access string, more ...keyPair) {
	t.Helper()
	text, err := json.Marshal(parameter(p, access, more...))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Parameters.Put(administratorsPath+p.name, string(text)); err != nil {
		t.Fatal(err)
	}
}

// connectDropIn is how ec2-instance-connect makes sshd ask a program of its own for keys.
const connectDropIn = `[Service]
ExecStart=
ExecStart=/usr/sbin/sshd -D -o "AuthorizedKeysCommand /opt/aws/bin/eic_run_authorized_keys %%u %%f" -o "AuthorizedKeysCommandUser ec2-instance-connect" $SSHD_OPTS
`

// restartSSHD makes sshd follow its unit's files.
const restartSSHD = "systemctl daemon-reload && systemctl restart sshd.service\n"

// amazonsImage makes a machine have what stands in the way on Amazon Linux: its own files for sshd, which permit more,
// the file that cloud-init may write, and the package ec2-instance-connect. Its sshd is older than the penalties for
// addresses.
const amazonsImage = `set -e
mkdir -p /etc/systemd/system/sshd.service.d /var/lib/stand-in-rpm
cat >/etc/ssh/sshd_config.d/50-redhat.conf <<'END'
SyslogFacility AUTHPRIV
KbdInteractiveAuthentication no
GSSAPIAuthentication yes
GSSAPICleanupCredentials no
UsePAM yes
X11Forwarding yes
PrintMotd no
END
echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/50-cloud-init.conf
echo 'PerSourcePenalties no' >/etc/ssh/sshd_config.d/90-version.conf
cat >/etc/systemd/system/sshd.service.d/ec2-instance-connect.conf <<'END'
` + connectDropIn + `END
touch /var/lib/stand-in-rpm/ec2-instance-connect
# Without it sshd forwards no X11, whatever its configuration says.
printf '#!/bin/sh\n' >/usr/bin/xauth
chmod 755 /usr/bin/xauth
# sudo leaves the environment behind, in which other programs are told where the account's services are.
mkdir /root/.aws
printf '[default]\nendpoint_url = http://%s\n' '` + machine.RouterAddress + `' >/root/.aws/config
` + restartSSHD

// deployOn deploys the jump server's stack, on an image that a script has prepared: its setup waits for that, because
// the host program cannot be fetched before.
func (j *jumpServer) deployOn(prepare string, change func(config)) error {
	j.t.Helper()
	ctx, cancel := context.WithCancel(j.t.Context())
	defer cancel()
	known := map[string]bool{}
	for _, i := range j.fleet.Instances("Bastion") {
		known[i.ID] = true
	}
	j.Objects.Down()
	prepared := make(chan error, 1)
	go func() {
		defer j.Objects.Up()
		for {
			for _, i := range j.fleet.Instances("Bastion") {
				if !known[i.ID] {
					_, err := i.Run(ctx, nil, "bash", "-c", prepare)
					prepared <- err
					return
				}
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
				prepared <- ctx.Err()
				return
			}
		}
	}()
	err := j.deploy(change, "Bastion")
	cancel()
	if notPrepared := <-prepared; notPrepared != nil {
		return fmt.Errorf("the image was not prepared: %w; the deployment: %w", notPrepared, err)
	}
	return err
}

// arrive makes the laptop's `ssh jump` lead to the instance that has the Elastic IP now.
func (j *jumpServer) arrive(t testing.TB) {
	t.Helper()
	outputs := j.Outputs(bastionStack)
	j.machine = j.only("Bastion")
	j.target = net.JoinHostPort(outputs["WorkbenchMySQLHostname"], outputs["WorkbenchMySQLServerPort"])
	j.laptop.trust(t, j.machine.Namespace.Address.String(), outputs["BastionKnownHosts"])
}

func TestTheJumpServer(t *testing.T) {
	t.Parallel()
	j := deployJumpServer(t)

	t.Run("was set up by its own user data, and again without a change", j.setsItselfUp)
	t.Run("has the host key of the stack's output, and no other", j.hostKey)
	t.Run("gives people with access shell a shell, and the way to the database", j.shellPerson)
	t.Run("opens mysql for them as the database's master, with the password in no argument, environment or file", j.mysqlClient)
	t.Run("gives people with access tunnel the way to the database", j.tunnelPerson)
	t.Run("gives nobody anything else", j.nothingElse)
	t.Run("lets nobody else in", j.nobodyElse)
	t.Run("logs who logged in with which key", j.logsKeys)
	t.Run("keeps the metadata service for root", j.metadataForRoot)
	t.Run("has nothing that ssh-audit objects to", j.sshAudit)

	t.Run("takes no harm from a parameter that is wrong", j.wrongParameters)
	t.Run("throws out a person who was removed", j.removed)
	t.Run("throws out a person who was removed, when Parameter Store is down right after", j.removedAndDown)
	t.Run("ends a person's sessions when a key goes, and not when one comes", j.changedKeys)
	t.Run("ends the shell of a person who may only use the tunnel now", j.lowered)
	t.Run("goes on without Parameter Store, but believes nothing that is older than 15 minutes", j.storeDown)
	t.Run("logs an error when sshd is started with a command for keys of its own", j.foreignCommandLater)
	t.Run("has room for a hundred people", j.hundredPeople)

	t.Run("lets people in after a restart without Parameter Store", j.restarted)
	t.Run("is not replaced by one whose sshd takes keys from elsewhere", j.foreignCommandAtBoot)
	t.Run("is the same to everybody when another instance replaces it", j.replaced)
}

func (j *jumpServer) setsItselfUp(t *testing.T) {
	var setup map[string]string
	if err := json.Unmarshal([]byte(j.Outputs(bastionStack)["BastionSetup"]), &setup); err != nil {
		t.Fatal(err)
	}
	if setup[j.machine.ID] != "ready" {
		t.Errorf("the output says %q", setup)
	}
	mustContain(t, on(t, j.machine, "cat /var/log/dnf-calls"), "dnf -y remove ec2-instance-connect")
	const started = `systemctl cat sshd.service
tr '\0' ' ' </proc/$(systemctl show --property MainPID --value sshd.service)/cmdline`
	if by := on(t, j.machine, started); strings.Contains(by, "AuthorizedKeysCommand") {
		t.Errorf("sshd is started by\n%s", by)
	}

	on(t, j.machine, "systemctl stop drawbridge-administrators.timer")
	before := on(t, j.machine, fingerprint)
	again := on(t, j.machine, "systemd-run --quiet --wait --pipe bash /var/lib/cloud/instance/user-data.txt")
	mustContain(t, again, "This host was set up already: nothing changed.")
	for line := range strings.SplitSeq(on(t, j.machine, fingerprint), "\n") {
		// The copy of the cache has the time of its making.
		if !strings.Contains(before, line) && !strings.HasSuffix(line, "/var/lib/drawbridge/administrators.json") {
			t.Errorf("this has changed: %s", line)
		}
	}
	on(t, j.machine, "systemctl start drawbridge-administrators.timer")
	if says := on(t, j.machine, "systemd-analyze verify --man=no /etc/systemd/system/drawbridge-* 2>&1"); says != "" {
		t.Errorf("systemd-analyze verify says\n%s", says)
	}
}

func (j *jumpServer) hostKey(t *testing.T) {
	j.laptop.mustLetIn(t, j.malia, j.target)

	address := j.machine.Namespace.Address.String()
	out, err := j.laptop.command(t.Context(), "ssh-keyscan", "-T", "20", "-t", "rsa,ecdsa,ed25519,sk-ssh-ed25519@openssh.com", address).Output()
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields(j.Outputs(bastionStack)["BastionKnownHosts"])
	alias := known[0]
	if got, want := strings.TrimSpace(string(out)), strings.Join([]string{address, known[1], known[2]}, " "); got != want {
		t.Errorf("the jump server offers\n%s\nwant\n%s", got, want)
	}
	if want := alias + ":22"; j.Outputs(bastionStack)["WorkbenchSSHHostname"] != want {
		t.Errorf("Workbench is told %s, and ssh %s", j.Outputs(bastionStack)["WorkbenchSSHHostname"], want)
	}
	fingerprints, err := j.laptop.command(t.Context(), "ssh-keygen", "-l", "-f", j.laptop.folder+"/known_hosts").Output()
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, string(fingerprints), j.Outputs(bastionStack)["BastionHostKeyFingerprint"])

	// The test of the test: with another key in known_hosts ssh goes no further.
	other := j.laptop.newKey(t, "another-host")
	j.laptop.trust(t, address, alias+" "+other.public)
	if err := j.laptop.letsIn(t, j.malia, j.target); err == nil || !strings.Contains(err.Error(), "Host key verification failed") {
		t.Errorf("ssh takes any host key: %v", err)
	}
	j.arrive(t)
}

func (j *jumpServer) shellPerson(t *testing.T) {
	out := j.laptop.mustRun(t, j.malia, "", "id --user --name; id --groups --name; pwd; echo $SHELL; umask")
	if want := "malia\nmalia drawbridge-shell\n/home/malia\n/bin/bash\n"; !strings.HasPrefix(out, want) {
		t.Errorf("malia's shell says %q, want %q", out, want)
	}
	out, stderr, err := j.laptop.try(t, j.malia, "", "-tt", "jump", "tty")
	if err != nil || !strings.HasPrefix(out, "/dev/pts/") {
		t.Errorf("malia's terminal is %q, error %v: %s", out, err, stderr)
	}
	j.readsAndWrites(t, j.malia)
}

func (j *jumpServer) tunnelPerson(t *testing.T) { j.readsAndWrites(t, j.noa) }

// readsAndWrites goes through a person's forward to the database, as its master.
func (j *jumpServer) readsAndWrites(t *testing.T, p person) {
	t.Helper()
	_, port := j.laptop.forward(t, p, j.target)
	db := j.laptop.database(t, j.world, port, "admin", j.masterPassword(t))
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS visitors (name VARCHAR(40) PRIMARY KEY)",
		"REPLACE INTO visitors VALUES ('" + p.name + "')",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	var cipher, user, unused string
	if err := db.QueryRowContext(t.Context(), "SELECT CURRENT_USER()").Scan(&user); err != nil || user != "admin@%" {
		t.Errorf("the database sees %q, error %v", user, err)
	}
	if err := db.QueryRowContext(t.Context(), "SHOW STATUS LIKE 'Ssl_cipher'").Scan(&unused, &cipher); err != nil || cipher == "" {
		t.Errorf("the connection is not encrypted (%q), error %v", cipher, err)
	}
	var there int
	row := j.server.Root(t).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM monster_teams.visitors WHERE name = ?", p.name)
	if err := row.Scan(&there); err != nil || there != 1 {
		t.Errorf("the database has %d rows of %s, error %v", there, p.name, err)
	}
}

// masterPassword is the database's.
func (j *jumpServer) masterPassword(t testing.TB) string {
	t.Helper()
	text, err := j.Secrets.Value(j.Outputs(bastionStack)["WorkbenchPasswordSecretArn"], "AWSCURRENT")
	if err != nil {
		t.Fatal(err)
	}
	var login struct{ Password string }
	if err := json.Unmarshal([]byte(text), &login); err != nil || login.Password == "" {
		t.Fatal("the master's secret holds no password")
	}
	return login.Password
}

func (j *jumpServer) mysqlClient(t *testing.T) {
	out := j.laptop.mustRun(t, j.malia, "", `drawbridge-mysql --batch --skip-column-names --execute "SELECT CURRENT_USER(), @@hostname IS NOT NULL"`)
	if out != "admin@%\t1\n" {
		t.Errorf("--execute gives %q", out)
	}
	out = j.laptop.mustRun(t, j.malia, "SELECT CONCAT('it''s ', 6 * 7);\n", "drawbridge-mysql --batch --skip-column-names monster_teams")
	if out != "it's 42\n" {
		t.Errorf("standard input gives %q", out)
	}
	mustContain(t, j.laptop.mustRun(t, j.malia, "SHOW STATUS LIKE 'Ssl_version';\n", "drawbridge-mysql"), "TLSv1.")

	s := j.laptop.open(t, j.malia, "jump", "exec drawbridge-mysql --batch --unbuffered --skip-column-names")
	s.say("SELECT CONCAT('logged in as ', CURRENT_USER());")
	s.mustHear("logged in as admin@%")
	if who := strings.TrimSpace(on(t, j.machine, "ps -C mariadb -o user=,args=")); !strings.HasPrefix(who, "malia ") || strings.Contains(who, "\n") {
		t.Errorf("the client runs as %q", who)
	}
	const planted = "/root/planted-password"
	password := j.masterPassword(t)
	write := j.machine.Command(t.Context(), "bash", "-c", "umask 077; cat >"+planted)
	write.Stdin = strings.NewReader(password)
	if err := write.Run(); err != nil {
		t.Fatal(err)
	}
	// grep gets the password on its standard input, so that it is not in its own arguments.
	const search = `grep --fixed-strings --file=- --text --files-with-matches --no-messages --recursive \
	/proc/[0-9]*/cmdline /proc/[0-9]*/environ /dev/shm /etc /home /opt /root /run /tmp /usr/local /var; true`
	found, err := j.machine.Run(t.Context(), strings.NewReader(password+"\n"), "bash", "-c", search)
	if err != nil {
		t.Fatal(err)
	}
	if found != planted+"\n" {
		t.Errorf("the password is in\n%s", found)
	}
	log, err := j.machine.Run(t.Context(), nil, "journalctl", "--no-pager", "--output=cat")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log, password) {
		t.Error("the password is in the journal")
	}
	on(t, j.machine, "rm "+planted)
}

func (j *jumpServer) logsKeys(t *testing.T) {
	for _, p := range []person{j.malia, j.noa} {
		j.laptop.mustLetIn(t, p, j.target)
		mustContain(t, j.machine.Journal(t.Context(), "ssh.service"),
			fmt.Sprintf("Accepted publickey for %s from %s port ", p.name, j.laptop.net.Address), "ssh2: ED25519 "+p.key.fingerprint(t))
	}
}

func (j *jumpServer) metadataForRoot(t *testing.T) {
	const ask = "curl --silent --show-error --max-time 20 --request PUT " +
		"--header 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token"
	if token := on(t, j.machine, ask); token == "" {
		t.Error("root gets no token")
	}
	out, stderr, err := j.laptop.try(t, j.malia, "", "jump", ask)
	if err == nil || out != "" || !strings.Contains(stderr, "Failed to connect") && !strings.Contains(stderr, "Could not connect") {
		t.Errorf("malia gets %d characters, error %v: %s", len(out), err, stderr)
	}
	// Something flushes all rules, as a restart of nftables.service does.
	on(t, j.machine, "nft flush ruleset")
	eventually(t, "the guard is back", func() error {
		if out, _, err := j.laptop.try(t, j.malia, "", "jump", ask); err == nil {
			return fmt.Errorf("malia gets %d characters", len(out))
		}
		return nil
	})
	// People on the host cannot use up sshd's places for log-ins under way, of which each address has a few.
	if out, _, err := j.laptop.try(t, j.malia, "", "jump", "echo >/dev/tcp/127.0.0.9/22 && echo open"); err == nil {
		t.Errorf("malia reaches sshd from the host itself: %s", out)
	}
	// Nor by sudo, which permits the mysql client alone.
	for _, command := range []string{"true", ask, "/opt/drawbridge/drawbridge-host administrators", "-u noa true"} {
		if out, _, err := j.laptop.try(t, j.malia, "", "jump", "sudo -n "+command); err == nil {
			t.Errorf("malia may 'sudo %s': %s", command, out)
		}
	}
}

// port of an address "host:port".
func port(t testing.TB, address string) uint32 {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}
