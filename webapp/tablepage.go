package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"
)

const (
	// filteredCountTime is how long the rows that filters keep are counted.
	filteredCountTime = time.Second
	// maxOffset is how far the pages of a table without a key reach: MySQL reads
	// all the rows before a page to find it.
	maxOffset = 100_000
)

// tableView is one page of rows of a table.
type tableView struct {
	resolved
	Rows rowCount
	List []row
	// FirstRow and LastRow number the rows shown, counted from 1. Both are 0 when
	// that is not known, or when there are no rows.
	FirstRow, LastRow uint64
	// Pages is the number of pages, or 0 where the rows were not all counted, and
	// PageNumber which of them this is, or 0.
	Pages, PageNumber int
	// Bounded says that pages end here because the table has no key.
	Bounded bool
	// Links to other pages, empty where there is none.
	FirstURL, PreviousURL, NextURL, LastURL string
	Sizes                                   []sizeLink
	Chips                                   []chip
	Heads                                   []head
	Counts                                  []facet
	Referrers                               []foreignKey
	database                                string
	// taken are the tables whose names look like this one's downloads.
	taken map[string]table
	// redirect is where the answer is, if not here.
	redirect string
	// beyond says that the table ends before the page.
	beyond bool
}

type sizeLink struct {
	Size    int
	URL     string
	Current bool
}

// maxName is how many characters a table's name can have ("Identifier Length
// Limits" in the MySQL reference manual).
const maxName = 64

// possibleName reports whether MySQL would allow a table of that name: up to
// maxName characters of the Basic Multilingual Plane, but U+0000 ("Schema
// Object Names" in the MySQL reference manual). It fails when asked for others.
func possibleName(name string) bool {
	return utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxName &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == 0 || r > 0xFFFF })
}

func (a *app) tablePage(w http.ResponseWriter, r *http.Request) {
	name := tableOf(r.PathValue("name"))
	s, again, err := selectionOf(r)
	if err != nil {
		a.fail(w, r, unreadable(err))
		return
	}
	if again {
		http.Redirect(w, r, s.url(name), http.StatusSeeOther)
		return
	}
	var v tableView
	err = a.readTable(r, name, func(db reader, found map[string]table) (err error) {
		v.taken = found
		if v.resolved, err = db.resolve(found[name], s); err != nil {
			return err
		}
		return v.load(db)
	})
	switch {
	case err != nil:
		a.failTable(w, r, name, s, err)
	case gone(r):
	case v.redirect != "":
		http.Redirect(w, r, v.redirect, http.StatusSeeOther)
	case v.beyond:
		a.fail(w, r, v.beyondTheEnd())
	default:
		a.show(w, http.StatusOK, tableTemplate, view{Title: v.Table.Name, Database: v.database, Page: &v})
	}
}

// unreadable is the problem of an address that nobody could follow.
func unreadable(err error) problem {
	return problem{Status: http.StatusBadRequest, Title: "Not a page", Sentence: "This address cannot be followed: " + err.Error() + "."}
}

// noTable is why there is nothing to show of a table.
type noTable struct {
	database string
	others   []table
}

func (*noTable) Error() string { return "there is no such table" }

// readTable runs f in turn, with what is found of the table of that name and of
// those whose names are taken for downloads of it. The error is a *noTable when
// the table does not exist.
func (a *app) readTable(r *http.Request, name string, f func(reader, map[string]table) error) error {
	return a.readInTurn(r.Context(), func(db reader) error {
		names := []string{name}
		for _, format := range exportFormats {
			names = append(names, name+"."+format.name)
		}
		found, err := db.named(names...)
		if err != nil {
			return err
		}
		if _, ok := found[name]; !ok {
			return db.noTable()
		}
		return f(db, found)
	})
}

func (r reader) noTable() error {
	database, err := r.database()
	if err != nil {
		return err
	}
	others, _, err := r.tables()
	if err != nil {
		return err
	}
	return &noTable{database, others}
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
			Status: http.StatusNotFound, Title: "No such table", database: absent.database, Tables: absent.others,
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

// load reads what the page shows.
func (v *tableView) load(db reader) (err error) {
	if v.database, err = db.database(); err != nil {
		return err
	}
	if len(v.Key) == 0 {
		if err = v.findLast(db); err != nil || v.redirect != "" {
			return err
		}
		if v.offset() >= maxOffset {
			return &refusal{fmt.Sprintf("This table has no key that tells its rows apart, so its pages reach only as far as row %s: sort or filter it to see others.", grouped(maxOffset)), v.first()}
		}
	}
	references, err := db.linked(v.resolved)
	if err != nil {
		return err
	}
	if err = v.read(db, exacts(v.terms, v.Key, references)); err != nil {
		return err
	}
	if v.Counts, err = db.facets(v.resolved, v.Rows.Exact); err != nil {
		return err
	}
	if v.Referrers, err = db.referrers(v.Table.Name); err != nil {
		return err
	}
	for _, r := range v.List {
		link(r, v.Columns, v.Key, references, v.Table.Name)
	}
	v.dress()
	return nil
}

// findLast finds the last page by counting, for tables without a key.
func (v *tableView) findLast(db reader) error {
	if !v.window.Last {
		return nil
	}
	n, err := db.countAll(v.Table, v.filters)
	if err != nil {
		return err
	}
	if n > maxOffset {
		return &refusal{fmt.Sprintf("This table has no key that tells its rows apart, so its pages reach only as far as row %s: sort it the other way round to see the last ones.", grouped(maxOffset)), v.first()}
	}
	v.redirect = v.page(v.pages(n)).url(v.Table.Name)
	return nil
}

// read reads the rows and their number, and finds the pages around them.
func (v *tableView) read(db reader, exacts map[string]column) (err error) {
	q := rowsQuery{table: v.Table, columns: v.Columns, filters: v.filters, terms: v.terms, size: v.Size}
	counted := false
	switch {
	case v.window.Last:
		// The last page is as full as it is when it is reached page by page.
		if err = v.count(db); err != nil {
			return err
		}
		counted, q.backwards = true, true
		if v.Rows.Exact && v.Rows.N > 0 {
			q.size = int((v.Rows.N-1)%uint64(v.Size)) + 1
			v.FirstRow = v.Rows.N - uint64(q.size) + 1
		}
	case v.Before != "":
		q.backwards = true
		q.filters = append(slices.Clip(q.filters), v.start.from(v.terms, true))
		v.FirstRow = v.Row
	case v.At != "":
		q.filters = append(slices.Clip(q.filters), v.start.from(v.terms, false))
		v.FirstRow = v.Row
	default:
		q.offset = v.offset()
		v.FirstRow = v.offset() + 1
	}
	list, err := db.rows(q, exacts)
	if err != nil {
		return err
	}
	more := len(list) > q.size
	if q.backwards && !more && (v.Before != "" || len(list) < q.size) {
		// The rows begin here, so this is the first page, which is full.
		v.selection = v.first()
		return v.read(db, exacts)
	}
	var next *row
	if more {
		next, list = &list[q.size], list[:q.size]
	}
	if q.backwards {
		slices.Reverse(list)
	}
	v.List = list
	// A whole selection on one page needs no counting.
	if v.Page == 1 && v.At == "" && !q.backwards && !more {
		v.Rows, counted = rowCount{N: uint64(len(list)), Exact: true, Known: true}, true
	}
	if !counted {
		if err := v.count(db); err != nil {
			return err
		}
	}
	if v.Rows.Exact {
		v.Pages = v.pages(v.Rows.N)
	}
	if v.beyond = len(list) == 0 && (v.Page > 1 || v.At != ""); v.beyond || len(list) == 0 {
		v.FirstRow = 0
		return nil
	}
	v.number()
	v.turn(more, next)
	return nil
}

// count counts the rows, or finds another way to say how many there are.
func (v *tableView) count(db reader) (err error) {
	if len(v.filters) == 0 {
		v.Rows, err = db.count(v.Table)
	} else {
		var n uint64
		n, err = db.countSome(v.Table, v.filters, filteredCountTime, countLimit)
		v.Rows = rowCount{N: min(n, countLimit), Exact: n <= countLimit, MoreThan: n > countLimit, Known: true}
	}
	if tooLong(err) {
		v.Rows, err = rowCount{}, nil
	}
	return err
}

// number works out the numbers of the rows and of the page. The number of the
// first row may come from an address, so it is only said where it can be.
func (v *tableView) number() {
	n := uint64(len(v.List))
	if v.FirstRow == 0 || v.Rows.Exact && v.FirstRow+n-1 > v.Rows.N {
		v.FirstRow = 0
		return
	}
	v.LastRow = v.FirstRow + n - 1
	if size := uint64(v.Size); (v.FirstRow-1)%size == 0 && (v.FirstRow-1)/size < maxPage {
		v.PageNumber = int((v.FirstRow-1)/size) + 1
	}
}

// turn fills in the links to other pages. More says that there are rows in the
// direction in which these were read, and next is the first of them.
func (v *tableView) turn(more bool, next *row) {
	s, name := v.selection, v.Table.Name
	begins := v.FirstRow == 1 || s.Page == 1 && s.At == "" && s.Before == "" && !s.Last
	ends := s.Last || s.Before == "" && !more
	if s.Last {
		begins = !more
	}
	if !begins {
		v.FirstURL = s.first().url(name)
	}
	if !ends {
		v.LastURL = s.last().url(name)
	}
	if len(v.Key) == 0 {
		v.turnByNumber(begins, ends)
		return
	}
	if !begins {
		var row uint64
		if v.FirstRow > uint64(s.Size) {
			row = v.FirstRow - uint64(s.Size)
		}
		v.PreviousURL = s.before(writeKey(v.List[0].values(v.terms)), row).url(name)
	}
	if !ends {
		key := s.Before
		if key == "" {
			key = writeKey(next.values(v.terms))
		}
		var row uint64
		if v.FirstRow > 0 {
			row = v.LastRow + 1
		}
		v.NextURL = s.at(key, row).url(name)
	}
}

// turnByNumber is turn for pages that are found by counting rows.
func (v *tableView) turnByNumber(begins, ends bool) {
	s, name := v.selection, v.Table.Name
	if !begins {
		v.PreviousURL = s.page(s.Page - 1).url(name)
	}
	if next := s.page(s.Page + 1); !ends {
		if next.offset() >= maxOffset {
			v.Bounded, v.LastURL = true, ""
			return
		}
		v.NextURL = next.url(name)
		if v.Pages > 0 {
			v.LastURL = s.page(v.Pages).url(name)
		}
	}
}

// Paged says that the rows do not all stand on one page.
func (v *tableView) Paged() bool { return v.PreviousURL != "" || v.NextURL != "" }

// pager is what the links to other pages need; they stand above and below the
// rows.
type pager struct {
	Label string
	View  *tableView
}

// Pager is the links to other pages, under a label that tells them apart.
func (v *tableView) Pager(label string) pager { return pager{label, v} }

// Jump says that a page can be asked for by its number.
func (v *tableView) Jump() bool { return v.Pages > 0 || len(v.Key) == 0 }

// Path is the table's own address.
func (v *tableView) Path() string { return tablePath(v.Table.Name) }

// URL is the address of a selection on this table.
func (v *tableView) URL(s selection) string { return s.url(v.Table.Name) }

// field is a hidden part of a form.
type field struct{ Name, Value string }

// Hidden are the parts of the address that the jump to a page keeps.
func (v *tableView) Hidden() []field {
	fields := v.unfiltered()
	for _, f := range v.Filters {
		fields = append(fields, field{"keep", kept(f)})
	}
	return fields
}

// unfiltered are the parts of the address that the filters' form keeps.
func (v *tableView) unfiltered() []field {
	var fields []field
	if v.Sort != "" {
		fields = append(fields, field{"sort", v.Sort})
	}
	if v.Desc {
		fields = append(fields, field{"order", "desc"})
	}
	for _, name := range v.selection.Facets {
		fields = append(fields, field{"facet", name})
	}
	if !v.DefaultSize() {
		fields = append(fields, field{"size", fmt.Sprint(v.Size)})
	}
	return fields
}

// Unfiltered is unfiltered, and the filters that no field of a form can hold.
func (v *tableView) Unfiltered() []field {
	fields := v.unfiltered()
	for _, c := range v.Chips {
		if !c.Editable {
			fields = append(fields, field{"keep", kept(c.filter)})
		}
	}
	return fields
}

// kept is a filter as one text, because browsers change line breaks in forms.
func kept(f filter) string {
	return url.Values{"column": {f.Column}, "op": {f.Op}, "value": {f.Value}}.Encode()
}
