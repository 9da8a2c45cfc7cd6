package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-sql-driver/mysql"
)

// unreadable is the problem of an address that nobody could follow.
func unreadable(err error) problem {
	return problem{Status: http.StatusBadRequest, Title: "Not a page", Sentence: "This address cannot be followed: " + err.Error() + "."}
}

// noTable is why there is nothing to show of a table.
type noTable struct {
	database string
	others   []table
	// more says that there are others beyond these.
	more bool
}

func (*noTable) Error() string { return "there is no such table" }

func (r reader) noTable() error {
	database, err := r.database()
	if err != nil {
		return err
	}
	others, more, err := r.tables(database, "")
	if err != nil {
		return err
	}
	return &noTable{database, others, more}
}

// failTable answers for an error of reading the table of that name.
func (a *app) failTable(w http.ResponseWriter, r *http.Request, name string, s selection, err error) {
	if gone(r) {
		return
	}
	var absent *noTable
	var refused *refusal
	switch {
	case errors.Is(err, errBusy):
		a.fail(w, r, problem{
			Status: http.StatusServiceUnavailable, Title: "Too much at once", cause: errBusy.Error(),
			Sentence: "The database is busy with other pages that take long. Try again in a few seconds.",
		})
	case errors.As(err, &absent):
		a.fail(w, r, problem{
			Status: http.StatusNotFound, Title: "No such table", database: absent.database, Tables: absent.others, MoreTables: absent.more,
			Sentence: fmt.Sprintf("The database has no table called “%s” that this app may read.", printable(shorten(name, maxName))),
		})
	case errors.As(err, &refused):
		a.fail(w, r, problem{Status: http.StatusBadRequest, Title: "That does not fit the table", Sentence: refused.sentence, Back: refused.back.url(name), BackText: "The table without it"})
	case valueRefused(err) && (len(s.Filters) > 0 || s.At != "" || s.Before != ""):
		a.fail(w, r, problem{
			Status: http.StatusBadRequest, Title: "That does not fit the table", cause: err.Error(), Back: tablePath(name), BackText: "The whole table",
			Sentence: "MySQL cannot compare the column with that value: it may hold characters that the column’s character set does not have.",
		})
	default:
		a.failDatabase(w, r, err)
	}
}

// valueRefused says that MySQL understood a statement, but not a value in it
// ("Server Error Message Reference" in the MySQL reference manual).
func valueRefused(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && slices.Contains([]uint16{
		1267, 1270, 1271, // illegal mix of collations
		1292, 1525, 1690, // a wrong value, or one out of range
		1300, 3854, 3988, // characters that a character set does not have
	}, refused.Number)
}

func (v *tableView) beyondTheEnd() problem {
	sentence := "There are no rows from there on: they may have been deleted."
	if v.At == "" {
		sentence = fmt.Sprintf("The table has no page %s: it ends before that.", grouped(uint64(v.Page)))
	}
	if v.At == "" && v.Pages > 0 {
		sentence = fmt.Sprintf("The table has no page %s: with %d rows on a page, the last one is page %s.", grouped(uint64(v.Page)), v.Size, grouped(uint64(v.Pages)))
	}
	return problem{Status: http.StatusNotFound, Title: "Beyond the end", Sentence: sentence, database: v.database, Back: v.last().url(v.Table.Name), BackText: "The last page of this table"}
}
