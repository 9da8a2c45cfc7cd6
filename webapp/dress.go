package main

import (
	"html/template"
	"strings"
	"unicode"
)

// head is the heading of a column.
type head struct {
	column
	// URL sorts by the column; empty where rows cannot be.
	URL string
	// Sorted is how rows are sorted by it: "ascending", "descending", or not.
	Sorted string
}

// chip is a filter as the page shows it.
type chip struct {
	filter
	N         int
	Column    column
	Operator  operator
	Text      string
	RemoveURL string
	// Editable says that a field of a form can hold the value.
	Editable bool
}

// dress fills in what surrounds the rows: headings, filters, sizes.
func (v *tableView) dress() {
	name := v.Table.Name
	for _, c := range v.Columns {
		h := head{column: c}
		if len(v.terms) > 0 && v.terms[0].Name == c.Name {
			h.Sorted = "ascending"
			if v.Desc {
				h.Sorted = "descending"
			}
		}
		if c.Sortable() {
			h.URL = v.sorted(c.Name, h.Sorted == "ascending").url(name)
		}
		v.Heads = append(v.Heads, h)
	}
	for i, f := range v.Filters {
		c, _ := v.column(f.Column)
		o, _ := operatorOf(f.Op)
		v.Chips = append(v.Chips, chip{
			filter: f, N: i + 1, Column: c, Operator: o, Text: printable(shorten(f.Value, shortText)), RemoveURL: v.without(i).url(name),
			Editable: !strings.ContainsFunc(f.Column+f.Value, unicode.IsControl),
		})
	}
	for _, size := range []int{25, 50, 100, 200} {
		s := v.selection
		switch {
		case v.FirstRow == 1 || len(v.List) == 0:
			s = s.first()
		case v.Page > 1 || len(v.Key) == 0:
			// The first row shown stays on the page.
			s.Size = size
			s = s.page(int(v.offset())/size + 1)
		default:
			s = s.at(writeKey(v.List[0].values(v.terms)), v.FirstRow)
		}
		s.Size = size
		v.Sizes = append(v.Sizes, sizeLink{Size: size, URL: s.url(name), Current: size == v.Size})
	}
}

// ColumnOptions, OperatorOptions and FacetOptions are what the form offers.
func (v *tableView) ColumnOptions(selected string) template.HTML {
	return optionsHTML(v.Columns, columnOption, selected)
}

func (v *tableView) OperatorOptions(selected string) template.HTML {
	return optionsHTML(operators, func(o operator) (string, string) { return o.Name, o.Words }, selected)
}

func (v *tableView) FacetOptions() template.HTML {
	var countable []column
	for _, c := range v.Columns {
		if c.Countable() {
			countable = append(countable, c)
		}
	}
	return optionsHTML(countable, columnOption, "")
}

func columnOption(c column) (value, words string) { return c.Name, c.Name }

// Whole says that nothing is filtered.
func (v *tableView) Whole() bool { return len(v.Filters) == 0 }

// OrderedBy are the columns that rows are ordered by.
func (v *tableView) OrderedBy() []term { return v.terms }

// Long says that only the beginning of the values sorted by counts.
func (v *tableView) Long() uint64 {
	if len(v.terms) > 0 && v.Sort != "" {
		return v.terms[0].cut
	}
	return 0
}

// Export is the address of the selected rows in a format.
func (v *tableView) Export(format string) string {
	return exportURL(v.Table.Name, format, v.selection, v.taken)
}

// ChartURL is the address of a chart of the selected rows.
func (v *tableView) ChartURL() string { return chart{Filters: v.Filters}.url(v.Table.Name) }

// PageExport is the address of the rows of this page in a format.
func (v *tableView) PageExport(format string) string {
	s := v.selection
	if len(v.Key) > 0 && (s.Before != "" || s.Last) {
		s = s.at(writeKey(v.List[0].values(v.terms)), v.FirstRow)
	}
	return exportPageURL(v.Table.Name, format, s, v.taken)
}

// SpreadsheetURL is the address of the selected rows as CSV that spreadsheets
// do not run.
func (v *tableView) SpreadsheetURL() string {
	address := v.Export("csv")
	if strings.Contains(address, "?") {
		return address + "&for=spreadsheet"
	}
	return address + "?for=spreadsheet"
}

// HeadsHTML and RowsHTML are the page's headings and rows.
func (v *tableView) HeadsHTML() template.HTML { return headsHTML(v.Heads) }

func (v *tableView) RowsHTML() template.HTML { return rowsHTML(v.Columns, v.List) }
