package readonlyuser

import (
	"context"
	"database/sql"
	"fmt"
)

// ProveAlone asks the server, over a pool that is logged in as the master user, whether another account adds to what u
// may do. MySQL lets a session do what was granted to any account of its user name whose host fits, and to the anonymous
// account, and shows neither to the user ("Access Control, Stage 2: Request Verification"). Such accounts are a
// [*ProofError].
func ProveAlone(ctx context.Context, master *sql.DB, u User) error {
	const of = " SELECT User, Host FROM mysql."
	rows, err := master.QueryContext(ctx, "SELECT User, Host FROM ("+of+"user UNION"+of+"db UNION"+of+"tables_priv UNION"+
		of+"columns_priv UNION"+of+"procs_priv) AS account WHERE User = '' OR User = ? AND Host <> ? ORDER BY User, Host",
		u.Username, u.account().host)
	if err != nil {
		return fmt.Errorf("look for other accounts like %s: %w", u.account(), explain(err))
	}
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	var faults []string
	for rows.Next() {
		var a account
		if err := rows.Scan(&a.username, &a.host); err != nil {
			return err
		}
		if a.username != "" && a.username != u.Username {
			continue // the server compares without trailing white space
		}
		faults = append(faults, fmt.Sprintf("it also has what is granted to %s", a))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look for other accounts like %s: %w", u.account(), explain(err))
	}
	if len(faults) > 0 {
		return &ProofError{Username: u.Username, Host: u.account().host, Faults: faults}
	}
	return nil
}
