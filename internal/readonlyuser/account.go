package readonlyuser

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqlname"
)

// plugin is how the accounts log in: MySQL's default ("Caching SHA-2 Pluggable Authentication").
const plugin = "caching_sha2_password"

// account is the name of an account.
type account struct{ username, host string }

// String is the account's name as SHOW GRANTS prints it and every statement takes it.
func (a account) String() string {
	return mysqldb.QuoteIdentifier(a.username) + "@" + mysqldb.QuoteIdentifier(a.host)
}

// account is the name of u's account. MySQL keeps hosts in lower case.
func (u User) account() account { return account{u.Username, strings.ToLower(u.Host)} }

// existing is an account that is there.
type existing struct {
	account
	owner           *Owner // nil: not made by Drawbridge
	plugin          string
	passwordExpired bool
}

// attribute is what an account that Drawbridge made carries in its ATTRIBUTE, among what others wrote there.
type attribute struct {
	Drawbridge *Owner `json:"drawbridge"`
}

// accounts returns the accounts of that user name, at any host.
func (s *Session) accounts(ctx context.Context, username string) ([]existing, error) {
	if s.conn == nil {
		return nil, errClosed
	}
	rows, err := s.conn.QueryContext(ctx, `SELECT u.User, u.Host, u.plugin, u.password_expired, a.ATTRIBUTE
		FROM mysql.user AS u
		LEFT JOIN information_schema.USER_ATTRIBUTES AS a ON a.USER = u.User AND a.HOST = u.Host
		WHERE u.User = ? ORDER BY u.Host`, username)
	var found []existing
	if err == nil {
		found, err = readAccounts(rows)
	}
	if err != nil {
		return nil, fmt.Errorf("look for the MySQL account %q: %w", username, explain(err))
	}
	// The server compares without trailing white space.
	return slices.DeleteFunc(found, func(e existing) bool { return e.username != username }), nil
}

func readAccounts(rows *sql.Rows) ([]existing, error) {
	defer rows.Close() //nolint:errcheck // rows.Err says what failed
	var found []existing
	for rows.Next() {
		var e existing
		var expired string
		var text []byte
		if err := rows.Scan(&e.username, &e.host, &e.plugin, &expired, &text); err != nil {
			return nil, err
		}
		e.passwordExpired = expired == "Y"
		var a attribute
		// Text of any other shape is somebody else's.
		if json.Unmarshal(text, &a) == nil && a.Drawbridge != nil && a.Drawbridge.validate() == nil {
			e.owner = a.Drawbridge
		}
		found = append(found, e)
	}
	return found, rows.Err()
}

// Ensure makes the account u, or brings one that is ours to be exactly u: its host, its limits and its grants. An
// account is ours when Drawbridge made it for the owner o, or for a resource of another stack (one that a restored
// snapshot holds, say). The latter is adopted: from now on it is o's.
//
// The password is set on an account that is made, and on one that is there when passwordWorks is false; earlier
// passwords then end. Say passwordWorks when a log-in as the user has just succeeded, so that the second password of a
// rotation stays. One whose plugin is another, or whose password has expired, gets the password in any case: MySQL
// offers no other way.
//
// Ensure may run again after any failure, and then goes on. created says that this call made the account, or may have:
// also when it then failed. A reader notices a repair of the grants only where somebody gave the account more than
// SELECT on a schema, which MySQL takes back together with everything else.
//
// Errors are [*InvalidError], [*NotOursError], [*OwnedByAnotherError] and, wrapped, the server's own.
func (s *Session) Ensure(
	ctx context.Context, u User, o Owner, password string, passwordWorks bool,
) (created bool, err error) {
	for _, problem := range []error{u.validate(), o.validate(), validatePassword(password)} {
		if problem != nil {
			return false, problem
		}
	}
	found, err := s.accounts(ctx, u.Username)
	if err != nil {
		return false, err
	}
	keep, surplus, err := choose(found, u.account(), o)
	if err != nil {
		return false, err
	}
	if keep == nil {
		created, err = s.create(ctx, u, o, password)
	} else {
		err = s.adjust(ctx, *keep, surplus, u, o, password, passwordWorks)
	}
	if err != nil {
		return created, err
	}
	return created, s.ensureGrants(ctx, u)
}

// choose says which of the accounts that were found is to become want, and which others of the same owner are to go.
func choose(found []existing, want account, o Owner) (keep *existing, surplus []existing, err error) {
	for _, e := range found {
		switch {
		case e.owner == nil:
			return nil, nil, &NotOursError{e.username, e.host}
		case e.owner.Stack == o.Stack && e.owner.Resource != o.Resource:
			return nil, nil, &OwnedByAnotherError{e.username, e.host, *e.owner}
		}
	}
	if len(found) == 0 {
		return nil, nil, nil
	}
	best := max(0, slices.IndexFunc(found, func(e existing) bool { return e.account == want }))
	for i, e := range found {
		if i == best {
			continue
		}
		if *e.owner != o {
			return nil, nil, &OwnedByAnotherError{e.username, e.host, *e.owner}
		}
		surplus = append(surplus, e)
	}
	return &found[best], surplus, nil
}

func (s *Session) create(ctx context.Context, u User, o Owner, password string) (created bool, err error) {
	statement, err := accountStatement("CREATE USER", u, o, password)
	if err != nil {
		return false, err
	}
	err = s.execWithPassword(ctx, fmt.Sprintf("create the MySQL account %s", u.account()), statement)
	// Only the server's own refusal says that there is no account now.
	return err == nil || !refusedByServer(err), err
}

// adjust makes the account keep that of u, but for its grants.
func (s *Session) adjust(
	ctx context.Context, keep existing, surplus []existing, u User, o Owner, password string, passwordWorks bool,
) error {
	for _, e := range surplus {
		if err := s.drop(ctx, e.account); err != nil {
			return err
		}
	}
	name := u.account()
	if keep.account != name {
		doing := fmt.Sprintf("rename the MySQL account %s to %s", keep.account, name)
		if err := s.exec(ctx, doing, fmt.Sprintf("RENAME USER %s TO %s", keep.account, name)); err != nil {
			return err
		}
	}
	if passwordWorks && keep.plugin == plugin && !keep.passwordExpired {
		password = ""
	} else {
		// First, because a second run would find that the new password works, and leave the others alone.
		doing := fmt.Sprintf("discard the old password of %s", name)
		if err := s.exec(ctx, doing, fmt.Sprintf("ALTER USER %s DISCARD OLD PASSWORD", name)); err != nil {
			return err
		}
	}
	statement, err := accountStatement("ALTER USER", u, o, password)
	if err != nil {
		return err
	}
	return s.execWithPassword(ctx, fmt.Sprintf("change the MySQL account %s", name), statement)
}

// accountStatement is the CREATE USER or ALTER USER for everything of u that is not a grant. An empty password leaves
// the account's as it is.
//
// Policies of the server that are for people's passwords are turned off for the account: going back to an earlier one
// is what a rollback does, and counting failed log-ins would let anybody lock the account.
func accountStatement(verb string, u User, o Owner, password string) (string, error) {
	identified := ""
	if password != "" {
		quoted, err := mysqldb.QuoteLiteral(password)
		if err != nil {
			return "", err
		}
		identified = "IDENTIFIED WITH " + plugin + " BY " + quoted
	}
	text, err := json.Marshal(attribute{&o})
	if err != nil {
		return "", err
	}
	quoted, err := mysqldb.QuoteLiteral(string(text))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`%s %s %s REQUIRE SSL
		WITH MAX_QUERIES_PER_HOUR 0 MAX_UPDATES_PER_HOUR 0 MAX_CONNECTIONS_PER_HOUR 0 MAX_USER_CONNECTIONS %d
		PASSWORD EXPIRE NEVER PASSWORD HISTORY 0 PASSWORD REUSE INTERVAL 0 DAY
		FAILED_LOGIN_ATTEMPTS 0 PASSWORD_LOCK_TIME 0
		ACCOUNT UNLOCK ATTRIBUTE %s`, verb, u.account(), identified, u.MaxConnections, quoted), nil
}

// Rotate gives the account of that name, which must be one that Drawbridge made, the password next. The password current,
// with which a log-in as the account must just have succeeded, works beside it until the next Rotate; every other one ends
// now.
//
// Errors are [*InvalidError], [*NoAccountError], [*NotOursError] and, wrapped, the server's own.
func (s *Session) Rotate(ctx context.Context, username, current, next string) error {
	if fault := mysqlname.Username(username); fault != "" {
		return invalid("Username", username, "it "+fault)
	}
	for _, password := range []string{current, next} {
		if err := validatePassword(password); err != nil {
			return err
		}
	}
	found, err := s.accounts(ctx, username)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return &NoAccountError{username}
	}
	// RETAIN keeps the primary password, which after a rotation that was called off is not the current one.
	for _, change := range []struct{ password, retain string }{{current, ""}, {next, " RETAIN CURRENT PASSWORD"}} {
		quoted, err := mysqldb.QuoteLiteral(change.password)
		if err != nil {
			return err
		}
		var changes []string
		for _, e := range found {
			if e.owner != nil {
				changes = append(changes, e.account.String()+" IDENTIFIED BY "+quoted+change.retain)
			}
		}
		if len(changes) == 0 {
			return &NotOursError{found[0].username, found[0].host}
		}
		doing := fmt.Sprintf("give the MySQL account %q a new password", username)
		if err := s.execWithPassword(ctx, doing, "ALTER USER "+strings.Join(changes, ", ")); err != nil {
			return err
		}
	}
	return nil
}

// Drop drops the account of that name that o owns, at whatever host. One that is absent is no error. One that is not o's
// stays as it is, and is a [*NotOursError] or an [*OwnedByAnotherError]: an account can take its own mark away, and would
// otherwise outlive its deletion. Connections that the account has open stay open.
func (s *Session) Drop(ctx context.Context, username string, o Owner) (dropped bool, err error) {
	if mysqlname.Username(username) != "" {
		return false, nil // Ensure made none of that name
	}
	found, err := s.accounts(ctx, username)
	if err != nil {
		return false, err
	}
	var left error
	for _, e := range found {
		switch {
		case e.owner == nil:
			left = &NotOursError{e.username, e.host}
		case *e.owner != o:
			left = &OwnedByAnotherError{e.username, e.host, *e.owner}
		default:
			if err := s.drop(ctx, e.account); err != nil {
				return dropped, err
			}
			dropped = true
		}
	}
	if dropped {
		return true, nil // another account of that name is somebody's own
	}
	return false, left
}

func (s *Session) drop(ctx context.Context, a account) error {
	return s.exec(ctx, fmt.Sprintf("drop the MySQL account %s", a), fmt.Sprintf("DROP USER IF EXISTS %s", a))
}
