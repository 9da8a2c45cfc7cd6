// Package bastion sets up the jump server: an sshd that lets the administrators in with their keys, to the database and no
// further, and for those with a shell a mysql client that is logged in already.
package bastion

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"drawbridge/host/administrators"
	"drawbridge/host/bastion/sshd"
	"drawbridge/host/install"
	"drawbridge/host/mysqlsession"
	"drawbridge/host/settings"
	"drawbridge/internal/mysqldb"
)

// Setup makes this host the jump server. It can be run again at any time. sshd changes last: by then the accounts and the
// keys are there, and it was seen that sshd will get an answer when it asks for them.
func Setup(ctx context.Context, h *install.Host, s *settings.Settings, cfg aws.Config) error {
	if s.Bastion == nil {
		return fmt.Errorf("%s is not that of a jump server: it has no \"bastion\"", settings.File)
	}
	return setup{
		host: h, settings: s, secrets: secretsmanager.NewFromConfig(cfg), caFile: os.Getenv("DRAWBRIDGE_DB_CA_FILE"),
		update: func(ctx context.Context) error { return administrators.Update(ctx, h, s, cfg) },
	}.run(ctx)
}

type setup struct {
	host     *install.Host
	settings *settings.Settings
	secrets  mysqldb.SecretReader
	caFile   string
	update   func(context.Context) error
}

func (s setup) run(ctx context.Context) error {
	h := s.host
	target, err := sshd.Target(s.settings.Database)
	if err != nil {
		return err
	}
	key, err := hostKey(ctx, s.secrets, s.settings.Bastion.HostKeySecretARN)
	if err != nil {
		return err
	}
	authorities, err := databaseCAs(s.caFile)
	if err != nil {
		return err
	}

	if err := packages(ctx, h); err != nil {
		return err
	}
	if _, err := h.Write(sysusers); err != nil {
		return err
	}
	if _, err := h.Run(ctx, "systemd-sysusers", sysusers.Path); err != nil {
		return fmt.Errorf("the groups of the administrators cannot be made: %w", err)
	}
	if err := writeSudoers(ctx, h); err != nil {
		return err
	}
	if _, err := h.Write(wrapper, install.File{Path: mysqlsession.CAFile, Content: authorities, Mode: 0o644}); err != nil {
		return err
	}

	// systemd's own services of each person would start with any log-in, also of one who may only use the tunnel.
	if _, err := h.Run(ctx, "systemctl", "mask", "--quiet", "user@.service"); err != nil {
		return fmt.Errorf("people's own services cannot be turned off: %w", err)
	}
	h.Say("Making the accounts of the administrators ...")
	if err := s.update(ctx); err != nil {
		return err
	}
	if err := checkAnswers(ctx, h); err != nil {
		return err
	}
	h.Say("Configuring sshd ...")
	if err := configureSSHD(ctx, h, target, key); err != nil {
		return err
	}
	return h.Units(ctx, administratorsService, administratorsTimer)
}

// packages installs what the jump server needs on Amazon Linux, and removes what would let others in. The Debian of this
// project's tests has it all.
func packages(ctx context.Context, h *install.Host) error {
	distribution, err := h.Distribution()
	if err != nil || distribution != install.AmazonLinux {
		return err
	}
	// Its client is MariaDB's.
	if err := h.Packages(ctx, "mariadb105"); err != nil {
		return err
	}
	// Its AuthorizedKeysCommand stands on sshd's own command line, where it beats every file.
	const connect = "ec2-instance-connect"
	if _, err := h.Run(ctx, "rpm", "--query", connect); err != nil {
		return nil // it is not there
	}
	h.Say("Removing %s ...", connect)
	if _, err := h.Run(ctx, "dnf", "-y", "remove", connect); err != nil {
		return fmt.Errorf("%s, which would let others in, cannot be removed: remove it with dnf, then run 'sudo %s setup' again: %w",
			connect, settings.Program, err)
	}
	return nil
}

// writeSudoers asks sudo's own checker first: a file that it does not understand would stop sudo altogether.
func writeSudoers(ctx context.Context, h *install.Host) (err error) {
	const tried = "/run/drawbridge/sudoers"
	defer func() {
		_, err2 := h.Remove(tried)
		err = errors.Join(err, err2)
	}()
	if _, err := h.Write(install.File{Path: tried, Content: sudoers, Mode: 0o440}); err != nil {
		return err
	}
	if _, err := h.Run(ctx, "visudo", "--check", "--file="+tried); err != nil {
		return fmt.Errorf("sudo does not take the rule for drawbridge-mysql: %w", err)
	}
	_, err = h.Write(install.File{Path: sudoersPath, Content: sudoers, Mode: 0o440})
	return err
}

// checkAnswers asks for keys as sshd will: as the same user, for somebody who has none.
func checkAnswers(ctx context.Context, h *install.Host) error {
	out, err := h.Run(ctx, "runuser", "--user", sshd.KeysUser, "--", settings.Program, "authorized-keys", sshd.KeysUser)
	if err == nil && strings.TrimSpace(out) != "" {
		err = errors.New("somebody who has no key was given one")
	}
	if err != nil {
		return fmt.Errorf("sshd would get no answer when it asks for a person's keys: see that %s can read %s and %s: %w",
			sshd.KeysUser, settings.File, administrators.CacheFile, err)
	}
	return nil
}
