package main

import (
	"fmt"
	"strconv"
	"time"
)

// Notices says which limits the page hit, a sentence or two for each. What is cut
// within a value stands with the value.
func (o overview) Notices() (all []string) {
	if o.More && o.Containing == "" {
		all = append(all, fmt.Sprintf("The database has more than %s tables and views: these are the first by name. Ask for a part of a name to see others.", grouped(maxTables)))
	} else if o.More {
		all = append(all, fmt.Sprintf("The database has more than %s tables and views with such names: these are the first by name.", grouped(maxTables)))
	}
	if o.ColumnsCut {
		all = append(all, fmt.Sprintf("These tables have more than %s columns, so those of the last tables are not listed here: each table’s own page shows them.", grouped(maxListedColumns)))
	}
	if o.Uncounted {
		all = append(all, fmt.Sprintf("Counting the rows of all tables takes too long: this page counts for at most %s, and shows MySQL’s estimates of the others.", inSeconds(countBudget)))
	}
	if o.PicturesCut {
		all = append(all, fmt.Sprintf("Only the first %d tables have a picture.", maxPictures))
	}
	switch o.PicturesLate {
	case 0:
	case 1:
		all = append(all, "One picture is left out: drawing it takes too long.")
	default:
		all = append(all, fmt.Sprintf("%d pictures are left out: drawing them takes too long.", o.PicturesLate))
	}
	return all
}

// Notices is the same for a page of rows.
func (v *tableView) Notices() (all []string) {
	if len(v.Key) == 0 && len(v.List) > 0 {
		kind, what := "This table", "rows"
		if v.Table.View {
			kind = "A view"
		}
		if v.Sort != "" {
			what = "equal rows"
		}
		all = append(all, fmt.Sprintf("%s has no primary key, nor a unique one without NULL, so MySQL promises no order of %s: they may move between pages. Its pages reach as far as row %s.", kind, what, grouped(maxOffset)))
	}
	if v.Bounded {
		all = append(all, "The pages end here, though the table goes on: sort or filter it to see other rows.")
	}
	if v.CountTooLong && v.Rows.Known {
		all = append(all, fmt.Sprintf("Counting the rows takes longer than %s, so their number is MySQL’s estimate.", inSeconds(pageCountTime)))
	} else if v.CountTooLong {
		all = append(all, fmt.Sprintf("Counting the rows takes longer than %s, so their number is not known.", inSeconds(pageCountTime)))
	}
	return append(all, referenceNotices(v.ReferencesCut, v.ReferrersCut)...)
}

// Notices is the same for the page of a row.
func (v *rowView) Notices() (all []string) {
	for _, r := range v.Referrers {
		if !r.Rows.Known {
			all = append(all, fmt.Sprintf("Some of what refers to this row is not counted: that would take longer than %s for one foreign key, or %s for all.", inSeconds(referrerTime), inSeconds(referrersTime)))
			break
		}
	}
	return append(all, referenceNotices(v.ReferencesCut, v.ReferrersCut)...)
}

func referenceNotices(references, referrers bool) (all []string) {
	if references {
		all = append(all, fmt.Sprintf("This table has more than %d foreign keys: the values of the others are no links here.", maxReferences))
	}
	if referrers {
		all = append(all, fmt.Sprintf("More than %d foreign keys refer to this table: the others are not listed here.", maxReferences))
	}
	return all
}

// inSeconds writes a time limit: "1 second", "0.7 seconds".
func inSeconds(d time.Duration) string {
	if d == time.Second {
		return "1 second"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " seconds"
}

// CountLimit, FacetRows, FacetTime and MaxExportRows are limits that the page
// names.
func (v *tableView) CountLimit() string { return grouped(countLimit) }

// FacetRows is how many rows the values of a column are counted in.
func (v *tableView) FacetRows() string { return grouped(facetRows) }

// FacetTime is how long MySQL counts the values of a column.
func (v *tableView) FacetTime() string { return inSeconds(facetTime) }

// MaxExportRows is how many rows a download has.
func (v *tableView) MaxExportRows() string { return grouped(maxExportRows) }
