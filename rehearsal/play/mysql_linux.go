package play

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"drawbridge/internal/mysqldb"
	"drawbridge/rehearsal/machine"
)

// secretLogin is a secret with RDS's JSON keys. Printing it does not print the password.
type secretLogin struct {
	Username string `json:"username"`
	Password string `json:"password"`
	DBName   string `json:"dbname"`
}

func (l secretLogin) String() string   { return "login of " + l.Username }
func (l secretLogin) GoString() string { return l.String() }

// login reads the secret that an output of the Database stack names.
func (p *play) login(output string) (l secretLogin, err error) {
	arn, ok := p.outputs("Database")[output]
	if !ok {
		return l, fmt.Errorf("the Database stack has no output %s", output)
	}
	text, err := p.Secrets.Value(arn, "AWSCURRENT")
	if err != nil {
		return l, err
	}
	if json.Unmarshal([]byte(text), &l) != nil || l.Username == "" || l.Password == "" {
		return l, fmt.Errorf("the secret of %s has no username and password", output)
	}
	return l, nil
}

// open opens the database as a user from a namespace, each statement on a connection of its own. With verify, over TLS
// whose certificate must name the database; without, in the clear.
func (p *play) open(from *machine.Namespace, to netip.AddrPort, l secretLogin, verify bool) (*sql.DB, error) {
	server := p.database.Only()
	if server == nil {
		return nil, errors.New("there is no database")
	}
	c := mysql.NewConfig()
	c.User, c.Passwd, c.DBName = l.Username, l.Password, l.DBName
	c.Net, c.Addr, c.Timeout = "tcp", to.String(), 5*time.Second
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return from.Dial(ctx, network, address)
	}
	c.Logger = log.New(io.Discard, "", 0) // what it would log is also returned
	if verify {
		ca, err := os.ReadFile(server.CAFile)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(ca)
		c.TLS = &tls.Config{RootCAs: pool, ServerName: server.Host, MinVersion: tls.VersionTLS12}
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxIdleConns(0)
	return db, nil
}

// ask runs statements one after the other, and returns what the first that fails says.
func (p *play) ask(ctx context.Context, from *machine.Namespace, to netip.AddrPort, l secretLogin, verify bool, statements ...string) error {
	db, err := p.open(from, to, l, verify)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // its connections are closed
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// refused wants an error of MySQL with one of these numbers ("Server Error Message Reference", MySQL Error Message
// Reference).
func refused(err error, what string, numbers ...uint16) error {
	var said *mysql.MySQLError
	switch {
	case err == nil:
		return fmt.Errorf("%s was not refused", what)
	case errors.As(err, &said) && slices.Contains(numbers, said.Number):
		return nil
	}
	return fmt.Errorf("%s was refused, but not for its own sake: %w", what, err)
}

// refusesClear wants a user's connection refused that is not encrypted, and not for another reason: a log-in over TLS comes
// first, after which MySQL knows the password well enough to ask for no more.
func (p *play) refusesClear(ctx context.Context, from *machine.Namespace, to netip.AddrPort, l secretLogin) error {
	if err := p.ask(ctx, from, to, l, true, "SELECT 1"); err != nil {
		return fmt.Errorf("%s cannot log in over TLS: %w", l.Username, err)
	}
	return refused(p.ask(ctx, from, to, l, false, "SELECT 1"), "a connection of "+l.Username+" in the clear", deniedInClear...)
}

// MySQL's words for what a user may not do.
var (
	deniedToUser   = []uint16{1045, 1130}
	deniedInSchema = []uint16{1044, 1142, 1227}
	deniedInClear  = []uint16{1045, 3159}
)

// onlyInside says where a user may log in from beside the VPC.
func (p *play) onlyInside(ctx context.Context, username string) error {
	block, err := p.vpc.Block()
	if err != nil {
		return err
	}
	return p.root(func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, "SELECT Host FROM mysql.user WHERE User = ?", username)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // Err says it
		for rows.Next() {
			var host string
			if err := rows.Scan(&host); err != nil {
				return err
			}
			from, err := netip.ParsePrefix(host)
			if err != nil || from.Bits() < block.Bits() || !block.Contains(from.Addr()) {
				return fmt.Errorf("%s may log in from %q, which is not within the VPC's %s", username, host, block)
			}
		}
		return rows.Err()
	})
}

// root runs f with a pool of the server's own root.
func (p *play) root(f func(*sql.DB) error) error {
	server := p.database.Only()
	if server == nil {
		return errors.New("there is no database")
	}
	user, password := server.RootLogin()
	db, err := server.Open(user, password, "")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // its connections are closed
	return f(db)
}

// tables are the tables and views of a schema.
func (p *play) tables(ctx context.Context, schema string) (names []string, err error) {
	err = p.root(func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1", schema)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // Err says it
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			names = append(names, name)
		}
		return rows.Err()
	})
	return names, err
}

// neighbours are schemas that nobody promised to a reader of the schema: one beside it, and one that its name matches
// where somebody forgot that _ is a wildcard in a grant.
func neighbours(schema string) []string {
	return []string{"rehearsal_other", strings.Replace(schema, "_", "X", 1)}
}

// readOnly proves from inside the VPC what a read-only user may, and may not.
func (p *play) readOnly(ctx context.Context, from *machine.Namespace, output string) error {
	l, err := p.login(output)
	if err != nil {
		return err
	}
	to := p.databaseAddress()
	tables, err := p.tables(ctx, l.DBName)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if err := p.ask(ctx, from, to, l, true, "SELECT * FROM "+mysqldb.QuoteIdentifier(table)+" LIMIT 1"); err != nil {
			return fmt.Errorf("%s cannot read the table %s: %w", l.Username, table, err)
		}
	}
	if err := p.onlyInside(ctx, l.Username); err != nil {
		return err
	}
	if err := p.refusesClear(ctx, from, to, l); err != nil {
		return err
	}
	for _, statement := range []string{"CREATE TABLE rehearsal_mine (id INT)", "CREATE DATABASE rehearsal_mine", "CREATE USER rehearsal_mine"} {
		if err := refused(p.ask(ctx, from, to, l, true, statement), l.Username+"'s "+statement, deniedInSchema...); err != nil {
			return err
		}
	}
	for _, table := range tables {
		if err := refused(p.ask(ctx, from, to, l, true, "DELETE FROM "+mysqldb.QuoteIdentifier(table)), l.Username+"'s DELETE FROM "+table, deniedInSchema...); err != nil {
			return err
		}
	}
	for _, schema := range neighbours(l.DBName) {
		if schema == l.DBName {
			continue
		}
		err := p.root(func(db *sql.DB) error {
			for _, statement := range []string{"CREATE DATABASE %s", "CREATE TABLE %s.t (id INT)"} {
				if _, err := db.ExecContext(ctx, fmt.Sprintf(statement, mysqldb.QuoteIdentifier(schema))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		read := p.ask(ctx, from, to, l, true, "SELECT * FROM "+mysqldb.QuoteIdentifier(schema)+".t")
		err = p.root(func(db *sql.DB) error {
			_, err := db.ExecContext(ctx, "DROP DATABASE "+mysqldb.QuoteIdentifier(schema))
			return err
		})
		if err := errors.Join(err, refused(read, l.Username+"'s SELECT in the schema "+schema, deniedInSchema...)); err != nil {
			return err
		}
	}
	return nil
}
