package mysqlsession

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"drawbridge/host/secrets"
	"drawbridge/host/settings"
	"drawbridge/internal/mysqldb"
)

// Client is the mysql client, which mariadb105 brings on Amazon Linux 2023 and mariadb-client on Debian.
const Client = "/usr/bin/mariadb"

// Run becomes the mysql client, with the arguments that follow its own, and returns only if that fails. It needs root,
// and the client runs as the person who called sudo, with that person's groups. Where nobody did, root runs it, and Run
// says so on stderr.
func Run(ctx context.Context, s *settings.Settings, cfg aws.Config, args []string) error {
	return session{client: Client, secrets: secretsmanager.NewFromConfig(cfg), stderr: os.Stderr}.run(ctx, s, args)
}

type session struct {
	client  string
	secrets mysqldb.SecretReader
	stderr  io.Writer
}

func (r session) run(ctx context.Context, s *settings.Settings, args []string) error {
	if s.Bastion == nil {
		return fmt.Errorf("%s is not that of a jump server: it has no \"bastion\"", settings.File)
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "--print-defaults") {
		return errors.New("--print-defaults would show the password: leave it out")
	}
	who, err := findCaller(os.Geteuid(), os.LookupEnv)
	if err != nil {
		return err
	}
	if who.uid == 0 {
		fmt.Fprintln(r.stderr, "drawbridge-mysql was called by root itself, so the mysql client runs as root")
	}
	if _, err := os.Stat(r.client); err != nil {
		return fmt.Errorf("the mysql client is not there: run 'sudo %s setup': %w", settings.Program, err)
	}
	login, err := readLogin(ctx, r.secrets, s.Bastion.MasterSecretARN)
	if err != nil {
		return err
	}
	text, err := options(s.Database, login)
	if err != nil {
		return err
	}
	return become(who, r.client, args, text)
}

// readLogin reads the master user's log-in.
func readLogin(ctx context.Context, reader mysqldb.SecretReader, arn string) (mysqldb.Secret, error) {
	text, err := secrets.Read(ctx, reader, arn)
	if err != nil {
		return mysqldb.Secret{}, err
	}
	return mysqldb.ParseSecret(arn, text)
}
