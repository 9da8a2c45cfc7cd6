package main

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"drawbridge/internal/mysqldb"
)

const (
	// rowText is how many characters of a text the page of a row shows, and
	// rowBinary how many bytes of a binary value.
	rowText   = 100_000
	rowBinary = 2048
	// referrerTime is how long the rows that refer to a row are counted, for each
	// foreign key, and referrersTime for all.
	referrerTime  = 300 * time.Millisecond
	referrersTime = 1500 * time.Millisecond
)

// rowView is the page of one row.
type rowView struct {
	Table     table
	Columns   []column
	Cells     []cell
	Key       string
	Referrers []referrer
	// ReferencesCut and ReferrersCut are those of a tableView.
	ReferencesCut, ReferrersCut bool

	database string
}

// referrer is the rows of a table that refer to the row.
type referrer struct {
	foreignKey
	Rows rowCount
	URL  string
}

// errNoKey is why rows of a table have no pages.
var errNoKey = errors.New("the table has no key that tells its rows apart")

func (a *app) rowPage(w http.ResponseWriter, r *http.Request) {
	name := tableOf(r.PathValue("name"))
	v := rowView{Key: r.PathValue("key")}
	err := a.readTable(r, name, func(db reader, found map[string]table) (err error) {
		q := resolved{Table: found[name]}
		v = rowView{Key: v.Key, Table: q.Table}
		if v.database, err = db.database(); err != nil {
			return err
		}
		if q.Columns, q.Key, err = db.columns(name); err != nil {
			return err
		}
		v.Columns = q.Columns
		if len(q.Key) == 0 {
			return errNoKey
		}
		values, err := readKey(v.Key)
		if err != nil {
			return err
		}
		at, err := placeOf(q.Key, values)
		if err != nil {
			return err
		}
		return v.load(db, q, at.same(q.Key))
	})
	absent := problem{Status: http.StatusNotFound, Title: "No such row", database: v.database, Back: tablePath(name), BackText: "The whole table"}
	switch {
	case gone(r):
	case errors.Is(err, errNoKey):
		absent.Sentence = "This table has no key that tells its rows apart, so its rows have no pages of their own."
		a.fail(w, r, absent)
	case errors.Is(err, errKey):
		absent.Sentence = "The key in this address is not one of this table’s keys: it was changed, or the table was."
		a.fail(w, r, absent)
	case errors.Is(err, sql.ErrNoRows), err != nil && valueRefused(err):
		absent.Sentence = "The table has no row with this key: it may have been deleted."
		a.fail(w, r, absent)
	case err != nil:
		a.failTable(w, r, name, selection{window: window{Page: 1, Size: defaultSize}}, err)
	default:
		a.show(w, http.StatusOK, rowTemplate, view{Title: v.Table.Name + " " + printable(shorten(v.Key, maxName)), Database: v.database, Page: &v})
	}
}

// load reads the row that the condition finds. It is sql.ErrNoRows when there is
// none.
func (v *rowView) load(db reader, q resolved, at condition) error {
	references, more, err := db.linked(q)
	if v.ReferencesCut = more; err != nil {
		return err
	}
	referrers, more, err := db.referrers(q.Table.Name)
	if v.ReferrersCut = more; err != nil {
		return err
	}
	wanted := exacts(nil, q.Key, references)
	for _, k := range referrers {
		for _, name := range k.ToColumn {
			if c, ok := q.column(name); ok {
				wanted[c.exactly()] = c
			}
		}
	}
	found, err := db.whole(q, at, wanted)
	if err != nil {
		return err
	}
	link(found, q.Columns, nil, references, q.Table.Name)
	v.Cells = found.Cells
	stop := time.Now().Add(referrersTime)
	for _, k := range referrers {
		one, ok, err := db.referrer(q, k, found, stop)
		if err != nil {
			return err
		}
		if ok {
			v.Referrers = append(v.Referrers, one)
		}
	}
	return nil
}

// whole reads all values of one row, each up to rowText or rowBinary.
func (r reader) whole(q resolved, at condition, exacts map[string]column) (row, error) {
	var selected []string
	var dest []any
	values := make([]any, len(q.Columns))
	lengths := make([]sql.Null[int64], len(q.Columns))
	for i, c := range q.Columns {
		value, length := c.expressions(rowText)
		if c.form() == binary {
			// MySQL takes no part of a VECTOR as it is.
			value = fmt.Sprintf("LEFT(CAST(%s AS BINARY), %d)", mysqldb.QuoteIdentifier(c.Name), rowBinary)
		}
		selected, dest = append(selected, value), append(dest, &values[i])
		if length != "" {
			selected, dest = append(selected, length), append(dest, &lengths[i])
		}
	}
	one := row{Cells: make([]cell, len(q.Columns)), exacts: map[string]exact{}}
	names := make([]string, 0, len(exacts))
	exactValues := make([]any, len(exacts))
	for name := range exacts {
		selected, dest = append(selected, name), append(dest, &exactValues[len(names)])
		names = append(names, name)
	}
	err := r.one(dest, hinted(statementTimeout)+strings.Join(selected, ", ")+" FROM "+mysqldb.QuoteIdentifier(q.Table.Name)+" WHERE "+at.sql+" LIMIT 1", at.args...)
	if err != nil {
		return row{}, err
	}
	for i, c := range q.Columns {
		one.Cells[i] = c.wholeCell(values[i], lengths[i].V)
	}
	for i, name := range names {
		one.exacts[name] = exacts[name].exactText(exactValues[i])
	}
	return one, nil
}

// wholeCell is cell for the page of a row, where nothing is folded.
func (c column) wholeCell(value any, length int64) cell {
	shown := c.cell(value, length)
	shown.Short = ""
	if data := []byte(plain(value)); value != nil && c.form() == binary {
		shown.Text = ""
		for i := 0; i < len(data); i += 16 {
			if i > 0 {
				shown.Text += "\n"
			}
			shown.Text += strings.ToUpper(hex.EncodeToString(data[i:min(i+16, len(data))]))
		}
		shown.Wide = len(data) > 16
		if len(data) > 0 && !shown.Wide {
			shown.Text = "0x" + shown.Text
		}
		if int64(len(data)) < length {
			shown.Note = fmt.Sprintf("the first %s of %s bytes", grouped(uint64(len(data))), grouped(uint64(length)))
		}
	}
	if utf8.RuneCountInString(shown.Text) > shortText {
		shown.Wide = true
	}
	return shown
}

// referrer counts the rows that refer to the row by the foreign key k. It is not
// ok when the row has no values to refer to.
func (r reader) referrer(q resolved, k foreignKey, to row, stop time.Time) (one referrer, ok bool, err error) {
	var values []exact
	for _, name := range k.ToColumn {
		c, ok := q.column(name)
		v := to.exacts[c.exactly()]
		if !ok || v.Null {
			return one, false, nil
		}
		values = append(values, v)
	}
	one = referrer{foreignKey: k, URL: filterURL(k.Table, k.Columns, values)}
	columns, _, err := r.columns(k.Table)
	if err != nil {
		return one, false, err
	}
	other := resolved{Columns: columns}
	var filters []condition
	for i, name := range k.Columns {
		c, ok := other.column(name)
		if !ok {
			return one, false, nil
		}
		f, err := filter{Column: name, Op: "equals", Value: values[i].Text}.condition(c)
		if err != nil {
			return one, true, nil
		}
		filters = append(filters, f)
	}
	if time.Now().After(stop) {
		return one, true, nil
	}
	one.Rows, err = r.count(table{Name: k.Table}, filters, referrerTime)
	if tooLong(err) || err != nil && valueRefused(err) {
		err = nil
	}
	return one, true, err
}
