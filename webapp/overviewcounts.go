package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"drawbridge/internal/mysqldb"
)

const (
	// countBudget is the time for counting on the overview. When it is used up
	// the rest of the tables show estimates.
	countBudget = time.Second
	// countsTogether is how many tables one statement counts.
	countsTogether = 50
	// countAloneTime is how long a table is counted that spoiled such a
	// statement, for example because somebody has locked it.
	countAloneTime = 100 * time.Millisecond
)

// countEach replaces the estimates of tables by counts where that is quick, and
// says whether it looked at all of them. Views are left out, because counting one
// may be any amount of work.
func (r reader) countEach(list []listed) (all bool, err error) {
	stop := time.Now().Add(countBudget)
	var tables []*table
	for i := range list {
		if !list[i].View {
			tables = append(tables, &list[i].table)
		}
	}
	// What seems small comes first, in case that the time does not do for all.
	slices.SortStableFunc(tables, func(a, b *table) int {
		return cmp.Compare(min(a.Rows.N, countLimit), min(b.Rows.N, countLimit))
	})
	all = true
	for some := range slices.Chunk(tables, countsTogether) {
		left := time.Until(stop)
		if left <= 0 {
			return false, nil
		}
		// Half of it, so that there is time for what spoils the other half.
		err := r.countTogether(some, max(left/2, countAloneTime))
		for _, t := range some {
			if err == nil {
				break
			}
			if !spoiled(err) {
				return false, err
			}
			if gone := r.visitor.Err(); gone != nil {
				return false, gone // and others are not to see what is missing
			}
			if time.Now().After(stop) {
				return false, nil
			}
			n, alone := r.count(*t, nil, countAloneTime)
			if alone == nil {
				t.Rows = n
			} else if all = false; !spoiled(alone) {
				return false, alone
			}
		}
	}
	return all, nil
}

// spoiled says that an error is about one table, not about the database.
func spoiled(err error) bool {
	kind := mysqldb.Explain(err).Kind
	return kind == mysqldb.Other || kind == mysqldb.Forbidden || kind == mysqldb.TimedOut
}

// countTogether counts tables in one statement, each up to countLimit.
func (r reader) countTogether(tables []*table, limit time.Duration) error {
	counts := make([]uint64, len(tables))
	var parts []string
	var dest []any
	for i, t := range tables {
		parts = append(parts, fmt.Sprintf("(SELECT COUNT(*) FROM (SELECT 1 FROM %s LIMIT %d) AS bounded)", mysqldb.QuoteIdentifier(t.Name), countLimit+1))
		dest = append(dest, &counts[i])
	}
	if err := r.one(dest, hinted(limit)+strings.Join(parts, ", ")); err != nil {
		return err
	}
	for i, t := range tables {
		t.Rows = t.counted(counts[i])
	}
	return nil
}
