package readonlyuser

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/mysqltest"
)

func TestSessionsTakeTurns(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	var inside, most, ended atomic.Int64
	const all = 5
	done := make(chan error, all)
	for range all {
		db := f.server.MasterDB(t)
		go func() {
			s, err := Begin(t.Context(), db)
			if err != nil {
				done <- err
				return
			}
			most.Store(max(most.Load(), inside.Add(1)))
			_, err = s.Ensure(t.Context(), f.user, here, password, true)
			inside.Add(-1)
			ended.Add(1)
			done <- errors.Join(err, s.Close())
		}()
	}
	for range all {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if most.Load() != 1 || ended.Load() != all {
		t.Errorf("%d sessions at a time, %d in all; want 1 and %d", most.Load(), ended.Load(), all)
	}
}

func TestBeginNamesWhoHoldsTheLock(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	holder := f.begin()
	var id uint64
	if err := holder.conn.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		t.Fatal(err)
	}
	db := f.server.MasterDB(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := Begin(ctx, db)
	locked, ok := errors.AsType[*LockedError](err)
	master, _ := f.server.Master()
	if !ok || locked.Connection != id || locked.Username != master || !strings.Contains(err.Error(), fmt.Sprintf("CALL mysql.rds_kill(%d)", id)) {
		t.Errorf("got %v, want a *LockedError that names connection %d of %s", err, id, master)
	}
	if !errors.Is(err, context.DeadlineExceeded) || mysqldb.Explain(err).Kind != mysqldb.TimedOut {
		t.Errorf("%v is no time-out", err)
	}
	if n := db.Stats().OpenConnections; n != 0 {
		t.Errorf("%d connections went back to the pool", n)
	}

	// The advice works.
	f.byHand(fmt.Sprintf("KILL %d", id))
	next := f.begin()
	if _, err := holder.Ensure(t.Context(), f.user, here, password, true); err == nil {
		t.Error("a session that lost its lock still changes accounts")
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
	if err := holder.Close(); err == nil {
		t.Error("closing a broken session says nothing")
	}
}

func TestCloseGivesTheLockBack(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	db := f.server.MasterDB(t)
	for range 3 {
		s, err := Begin(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		// At once, not when the server has noticed that the connection ended.
		if held := f.column("SELECT COALESCE(IS_USED_LOCK((" + strings.ReplaceAll(lockQuery, "CURRENT_USER()", "'admin@%'") + ")), 'nobody')"); held[0] != "nobody" {
			t.Errorf("the lock is still held by %s", held)
		}
		if n := db.Stats().OpenConnections; n != 0 {
			t.Errorf("%d connections went back to the pool", n)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
		if _, err := s.Ensure(t.Context(), f.user, here, password, true); !errors.Is(err, errClosed) {
			t.Errorf("a closed session gave %v", err)
		}
		if err := s.Rotate(t.Context(), "x", "y", "z"); !errors.Is(err, errClosed) {
			t.Errorf("a closed session gave %v", err)
		}
	}
}

func TestWhenTheServerGoesAway(t *testing.T) {
	f := newFixture(t, mysqltest.Start(t))
	db := f.server.MasterDB(t)
	s, err := Begin(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.create(t.Context(), f.user, here, password); err != nil {
		t.Fatal(err)
	}
	f.server.Kill(t)
	created, err := s.Ensure(t.Context(), f.user, here, password, false)
	if created || mysqldb.Explain(err).Kind != mysqldb.Unreachable {
		t.Errorf("created %v, error %v; want false and an unreachable server", created, err)
	}
	// A CREATE USER without an answer may have been run.
	if created, err := s.create(t.Context(), f.user, here, password); !created || err == nil {
		t.Errorf("created %v, error %v; want true and an error", created, err)
	}
	if err := s.Close(); err == nil || mysqldb.Explain(err).Kind != mysqldb.Unreachable {
		t.Errorf("closing gave %v", err)
	}
	if _, err := Begin(t.Context(), db); mysqldb.Explain(err).Kind != mysqldb.Unreachable {
		t.Errorf("Begin gave %v", err)
	}
	f.server.Restart(t)
	if f.ensure(here, password, true) {
		t.Error("the account was made twice")
	}
	f.wantProof()

	reader, err := f.login(password)
	if err != nil {
		t.Fatal(err)
	}
	f.server.Kill(t)
	err = Prove(t.Context(), reader, f.user)
	if _, unfit := errors.AsType[*ProofError](err); unfit || mysqldb.Explain(err).Kind != mysqldb.Unreachable {
		t.Errorf("Prove gave %v, want an unreachable server and no fault of the account", err)
	}
	f.server.Restart(t)
}

func TestBeginWhoseTimeIsUp(t *testing.T) {
	server := mysqltest.Shared(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Begin(ctx, server.MasterDB(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Any account may take any lock whose name it knows: one that a reader holds would keep its own account from being
// changed.
func TestAReaderCannotKnowTheLock(t *testing.T) {
	f := newFixture(t, mysqltest.Shared(t))
	f.ensure(here, password, false)
	reader, err := f.login(password)
	if err != nil {
		t.Fatal(err)
	}
	master := strings.ReplaceAll(lockQuery, "CURRENT_USER()", "'admin@%'")
	var name string
	if err := reader.QueryRow(master).Scan(&name); number(err) != 1142 {
		t.Errorf("the reader was told %q, %v; want error 1142", name, err)
	}
	if got := f.column(master); len(got) != 1 || len(got[0]) != len("drawbridge.")+40 {
		t.Errorf("the lock is called %q", got)
	}
	// Another server, with another password of its master, has another lock.
	if other := newFixture(t, mysqltest.Start(t)).column(master); other[0] == f.column(master)[0] {
		t.Error("the lock has the same name on every server")
	}
}
