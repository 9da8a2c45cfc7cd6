//go:build linux && root

package endtoend

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"drawbridge/rehearsal/machine"
	"drawbridge/rehearsal/rehearsaltest"
	vendors "drawbridge/rehearsal/vendor"
)

// vendor is somebody else's machine.
type vendor struct {
	*vendors.Vendor
	w *world
}

// login is what the vendor's form asks for.
type login = vendors.Login

// newVendor boots a vendor's machine with accounts that have no key yet.
func newVendor(w *world, name, address string, accounts ...string) *vendor {
	w.t.Helper()
	namespace, err := w.fleet.Network.Host(name, address)
	if err != nil {
		w.t.Fatal(err)
	}
	booted, err := vendors.Boot(w.t.Context(), vendors.Options{
		Name: name, Root: rehearsaltest.Root(w.t, "tunnel"), Namespace: namespace, Accounts: accounts,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := booted.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return &vendor{booted, w}
}

// newKey makes an SSH key pair in OpenSSH's formats.
func newKey(t testing.TB) (public, private string) {
	t.Helper()
	key, err := vendors.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key.Public, key.Private
}

// run runs a command as root, and fails the test if it fails.
func (v *vendor) run(t testing.TB, command string) string {
	t.Helper()
	out, err := v.Do(t.Context(), command)
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
	if err := v.Admit(t.Context(), account, publicKey, "", listen); err != nil {
		t.Fatal(err)
	}
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
	if err := v.StopSSHD(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (v *vendor) startSSHD(t testing.TB) {
	t.Helper()
	if err := v.StartSSHD(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// setHostKey makes sshd show another host key, to whom connects from now on.
func (v *vendor) setHostKey(t testing.TB, private string) {
	t.Helper()
	if err := v.SetHostKey(t.Context(), private); err != nil {
		t.Fatal(err)
	}
}

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

// open opens the database as the vendor's dashboard does, until the test ends.
func (v *vendor) open(t testing.TB, l login, port string) *sql.DB {
	t.Helper()
	db, err := v.Open(l, port, []byte(readFile(t, v.w.server.CAFile)))
	if err != nil {
		t.Fatal(err)
	}
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

// recovery waits until a query goes through, and returns how long that took.
func recovery(ctx context.Context, db *sql.DB, patience time.Duration) (time.Duration, error) {
	return vendors.Recovery(ctx, patience, func(ctx context.Context) error { return query(ctx, db) })
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
