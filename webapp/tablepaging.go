package main

import (
	"fmt"
	"slices"
	"time"
)

const (
	// pageCountTime is how long the rows of a page's table are counted.
	pageCountTime = time.Second
	// maxOffset is how far the pages of a table without a key reach: MySQL reads
	// all the rows before a page to find it.
	maxOffset = 100_000
	// farOffset is how far from the start a page that is asked for by its number is looked for by the keys of its rows.
	farOffset = 1000
)

type sizeLink struct {
	Size    int
	URL     string
	Current bool
}

// tooFar is why a page found by counting cannot be had, if it cannot.
func (q *resolved) tooFar() error {
	if len(q.Key) > 0 || q.offset() < maxOffset {
		return nil
	}
	return &refusal{fmt.Sprintf("This table has no key that tells its rows apart, so its pages reach only as far as row %s: sort or filter it to see others.", grouped(maxOffset)), q.first()}
}

// findLast finds the last page by counting, for tables without a key.
func (v *tableView) findLast(db reader) error {
	if !v.window.Last {
		return nil
	}
	n, err := db.countSome(v.Table, v.filters, statementTimeout, maxOffset)
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
		if err = v.count(db, true); err != nil {
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
		if len(v.Key) > 0 && q.offset >= farOffset {
			if err = q.skip(db, v.Key); err != nil {
				return err
			}
		}
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
		// What a visitor is told of where the rows end is to be so now.
		if err := v.count(db, len(list) == 0); err != nil {
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

// skip replaces q's offset by the keys of the rows there. To find those, MySQL passes over the columns of the order and of
// the key alone, which an index may hold, and not over whole rows.
func (q *rowsQuery) skip(db reader, key []term) error {
	keys := *q
	keys.columns = nil
	list, err := db.rows(keys, exacts(nil, key, nil))
	if err != nil {
		return err
	}
	these := condition{sql: "FALSE"}
	for _, r := range list {
		at, err := placeOf(key, r.values(key))
		if err != nil {
			return err
		}
		one := at.same(key)
		these.sql, these.args = these.sql+" OR "+one.sql, append(these.args, one.args...)
	}
	these.sql = "(" + these.sql + ")"
	q.filters, q.offset = []condition{these}, 0
	return nil
}

// count counts the rows that the filters keep, or says what else is known of
// their number.
func (v *tableView) count(db reader, now bool) (err error) {
	count := func() (rowCount, error) { return db.count(v.Table, v.filters, pageCountTime) }
	if now {
		v.Rows, err = count()
	} else {
		where, args := whereOf(v.filters)
		v.Rows, err = recall(db, count, "count", v.Table.Name, where, fmt.Sprintf("%#v", args))
	}
	if v.CountTooLong = tooLong(err); v.CountTooLong {
		v.Rows, err = rowCount{N: v.Table.Rows.N, Known: v.Table.Rows.Known && v.Whole()}, nil
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
