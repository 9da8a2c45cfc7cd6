//go:build linux && root

package endtoend

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"drawbridge/rehearsal/machine"
)

// vendor is somebody else's machine: Debian with its sshd, where tunnels log in to accounts that can do nothing else.
type vendor struct {
	*machine.Machine
	w         *world
	namespace *machine.Namespace
	hostKey   string // the public half, as the config takes it
}

// vendorSSHD lets accounts in with keys alone, and listen where they ask for: on all addresses too. A session whose client
// is gone ends after half a minute.
const vendorSSHD = `HostKey ` + vendorHostKeyFile + `
UsePAM no
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile /etc/ssh/authorized_keys/%u
GatewayPorts clientspecified
ClientAliveInterval 10
ClientAliveCountMax 3
LogLevel VERBOSE
`

const vendorHostKeyFile = "/etc/ssh/ssh_host_ed25519_key"

// newVendor boots a vendor's machine with accounts that have no key yet.
func newVendor(w *world, name, address string, accounts ...string) *vendor {
	w.t.Helper()
	namespace, err := w.fleet.Network.Host(name, address)
	if err != nil {
		w.t.Fatal(err)
	}
	public, private := newKey(w.t)
	v := &vendor{w: w, namespace: namespace, hostKey: public}
	v.Machine, err = machine.Boot(w.t.Context(), machine.Options{
		Name: name, Root: machine.Root(w.t, "tunnel"), Namespace: namespace,
		Files: map[string]machine.File{
			"/etc/ssh/sshd_config": {Content: vendorSSHD},
			vendorHostKeyFile:      {Content: private, Mode: 0o600},
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := v.Close(); err != nil {
			w.t.Error(err)
		}
	})
	for _, account := range accounts {
		// Neither a usable password nor a locked account, which sshd refuses without PAM.
		v.run(w.t, "useradd --password '*' --shell /usr/sbin/nologin "+account)
	}
	return v
}

// newKey makes an SSH key pair in OpenSSH's formats.
func newKey(t testing.TB) (public, private string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))), string(pem.EncodeToMemory(block))
}

// run runs a command as root, and fails the test if it fails.
func (v *vendor) run(t testing.TB, command string) string {
	t.Helper()
	out, err := v.Run(t.Context(), nil, "bash", "-c", command)
	if err != nil {
		t.Fatalf("%s at the vendor: %v\n%s", command, err, out)
	}
	return out
}

// write writes a file of root's.
func write(t testing.TB, m *machine.Machine, path, content, mode string) {
	t.Helper()
	_, err := m.Run(t.Context(), strings.NewReader(content), "install", "-D", "--mode", mode, "/dev/stdin", path)
	if err != nil {
		t.Fatal(err)
	}
}

// admit is what the vendor's form does with a pasted key: the account may listen at one place, and nothing else.
func (v *vendor) admit(t testing.TB, account, publicKey, listen string) {
	t.Helper()
	write(t, v.Machine, "/etc/ssh/authorized_keys/"+account,
		fmt.Sprintf("restrict,port-forwarding,permitlisten=%q %s\n", listen, publicKey), "0644")
}

// sessions are the processes that hold an account's connection and its port.
func (v *vendor) sessions(t testing.TB, account string) string {
	t.Helper()
	// The user's own process, and the one of root's above it.
	return strings.Join(strings.Fields(v.run(t, `for pid in $(pgrep -u `+account+`); do echo "$pid $(ps -o ppid= "$pid")"; done`)), " ")
}

// stopSSHD ends sshd with its sessions: the port refuses from now on.
func (v *vendor) stopSSHD(t testing.TB) {
	t.Helper()
	v.run(t, `systemctl stop ssh.service
pids=$(pgrep '^sshd') && kill -KILL $pids
for i in {1..100}; do pgrep '^sshd' >/dev/null || exit 0; sleep 0.1; done
exit 1`)
}

func (v *vendor) startSSHD(t testing.TB) {
	t.Helper()
	v.run(t, "systemctl start ssh.service")
}

// setHostKey makes sshd show another host key, to whom connects from now on.
func (v *vendor) setHostKey(t testing.TB, private string) {
	t.Helper()
	write(t, v.Machine, vendorHostKeyFile, private, "0600")
	v.stopSSHD(t)
	v.startSSHD(t)
}

// login is what the vendor's form asks for, as the secret holds it.
type login struct{ Username, Password, DBName string }

// biLogin reads the secret that the stack's output names.
func (w *world) biLogin(t testing.TB) (l login) {
	t.Helper()
	text, err := w.Secrets.Value(w.Outputs("drawbridge-dev-Database")["ReadOnlySecretArnBi"], "AWSCURRENT")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// open opens the database as the vendor's dashboard does: through the port on its loopback, with TLS and the certificate
// authority verified, but not the host name. Each use is a new connection.
func (v *vendor) open(t testing.TB, l login, port string) *sql.DB {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(readFile(t, v.w.server.CAFile))) {
		t.Fatal("the test database's certificate authority is not PEM")
	}
	c := mysql.NewConfig()
	c.User, c.Passwd, c.DBName = l.Username, l.Password, l.DBName
	c.Net, c.Addr = "tcp", "127.0.0.1:"+port
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return v.namespace.Dial(ctx, network, address)
	}
	c.TLS = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // the name only: VerifyConnection does the rest
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: pool})
			return err
		},
	}
	c.Logger = log.New(io.Discard, "", 0) // what it would log is also returned
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxIdleConns(0)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// query reads a row at the vendor's end.
func query(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var teams int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM teams").Scan(&teams); err != nil {
		return err
	}
	if teams == 0 {
		return errors.New("no teams are there")
	}
	return nil
}

// recovery waits until a query goes through, and returns how long that took, to about 0.1 s. One that hangs holds up no
// other.
func recovery(ctx context.Context, db *sql.DB, patience time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	start, through := time.Now(), make(chan time.Duration, 1)
	next := time.NewTicker(100 * time.Millisecond)
	defer next.Stop()
	for {
		go func() {
			if query(ctx, db) == nil {
				select {
				case through <- time.Since(start):
				default: // another one was first
				}
			}
		}()
		select {
		case took := <-through:
			return took, nil
		case <-ctx.Done():
			return 0, fmt.Errorf("no query went through within %s", patience)
		case <-next.C:
		}
	}
}

// recoveries is recovery for several vendors at the same time.
func recoveries(ctx context.Context, patience time.Duration, databases ...*sql.DB) ([]time.Duration, error) {
	took := make([]time.Duration, len(databases))
	var all errgroup.Group
	for i, db := range databases {
		all.Go(func() (err error) {
			took[i], err = recovery(ctx, db, patience)
			return err
		})
	}
	return took, all.Wait()
}
