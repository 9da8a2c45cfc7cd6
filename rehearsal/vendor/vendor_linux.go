package vendor

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"

	"drawbridge/rehearsal/machine"
)

// Options are what a vendor's machine is made of.
type Options struct {
	Name      string
	Root      string // see [machine.Options]
	Namespace *machine.Namespace
	Accounts  []string // that have no key yet
	Ports     []int    // where sshd listens; 22 where there are none
	HostKey   Key      // one of its own where it is the zero Key
}

// Key is an SSH key pair in OpenSSH's formats.
type Key struct {
	Public  string // "type base64"
	Private string // PEM
}

// NewKey makes an ed25519 key pair.
func NewKey() (Key, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, err
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return Key{}, err
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return Key{}, err
	}
	return Key{strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))), string(pem.EncodeToMemory(block))}, nil
}

// Vendor is a vendor's machine that runs.
type Vendor struct {
	*machine.Machine
	Namespace *machine.Namespace
	HostKey   string // the public half, as the config takes it
}

// sshd lets accounts in with keys alone, and listen where they ask for: on all addresses too. A session whose client is
// gone ends after half a minute.
const sshd = `HostKey ` + hostKeyFile + `
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

const hostKeyFile = "/etc/ssh/ssh_host_ed25519_key"

// Boot starts a vendor's machine.
func Boot(ctx context.Context, o Options) (_ *Vendor, err error) {
	key := o.HostKey
	if key == (Key{}) {
		if key, err = NewKey(); err != nil {
			return nil, err
		}
	}
	config := sshd
	for _, port := range o.Ports {
		config += "Port " + strconv.Itoa(port) + "\n"
	}
	v := &Vendor{Namespace: o.Namespace, HostKey: key.Public}
	v.Machine, err = machine.Boot(ctx, machine.Options{
		Name: o.Name, Root: o.Root, Namespace: o.Namespace,
		Files: map[string]machine.File{
			"/etc/ssh/sshd_config": {Content: config},
			hostKeyFile:            {Content: key.Private, Mode: 0o600},
		},
	})
	if err != nil {
		return nil, err
	}
	for _, account := range o.Accounts {
		// Neither a usable password nor a locked account, which sshd refuses without PAM.
		if _, err := v.Do(ctx, "useradd --password '*' --shell /usr/sbin/nologin "+account); err != nil {
			return nil, errors.Join(err, v.Close())
		}
	}
	return v, nil
}

// Do runs a command of bash as root.
func (v *Vendor) Do(ctx context.Context, command string) (string, error) {
	return v.Run(ctx, nil, "bash", "-c", command)
}

// Admit is what the vendor's form does with a pasted key: the account may listen at these places, and nothing else. With an
// address on the vendor's allow list, it may come from there alone; "" admits everybody's.
func (v *Vendor) Admit(ctx context.Context, account, publicKey, from string, listen ...string) error {
	options := "restrict,port-forwarding"
	if from != "" {
		options += fmt.Sprintf(",from=%q", from)
	}
	for _, place := range listen {
		options += fmt.Sprintf(",permitlisten=%q", place)
	}
	return v.write(ctx, "/etc/ssh/authorized_keys/"+account, options+" "+publicKey+"\n", "0644")
}

// write writes a file of root's.
func (v *Vendor) write(ctx context.Context, path, content, mode string) error {
	_, err := v.Run(ctx, strings.NewReader(content), "install", "-D", "--mode", mode, "/dev/stdin", path)
	return err
}

// StopSSHD ends sshd with its sessions: the port refuses from now on.
func (v *Vendor) StopSSHD(ctx context.Context) error {
	_, err := v.Do(ctx, `systemctl stop ssh.service
pids=$(pgrep '^sshd') && kill -KILL $pids
for i in {1..100}; do pgrep '^sshd' >/dev/null || exit 0; sleep 0.1; done
exit 1`)
	return err
}

// StartSSHD ends what StopSSHD began.
func (v *Vendor) StartSSHD(ctx context.Context) error {
	_, err := v.Do(ctx, "systemctl start ssh.service")
	return err
}

// SetHostKey makes sshd show another host key, a private one, to whom connects from now on.
func (v *Vendor) SetHostKey(ctx context.Context, private string) error {
	if err := v.write(ctx, hostKeyFile, private, "0600"); err != nil {
		return err
	}
	if err := v.StopSSHD(ctx); err != nil {
		return err
	}
	return v.StartSSHD(ctx)
}
