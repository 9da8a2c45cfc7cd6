package lambda

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// amount is a number with a unit.
type amount interface{ ~int64 }

// bytes are printed in KiB or MiB.
type bytes int64

func (b bytes) String() string {
	if b < 1<<20 {
		return fmt.Sprintf("%.0f KiB", float64(b)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(b)/(1<<20))
}

// duration is printed in milliseconds.
type duration time.Duration

func (d duration) String() string {
	return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
}

// median is the middle of the values, of an even number of them the lower one of the middle two.
func median[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}

// row is one line of the table.
type row struct {
	what  string
	cells [2]string
	ratio float64 // the second's median for one of the first's
}

// newRow compares what was measured of two. Neither list may be empty.
func newRow[T interface {
	amount
	fmt.Stringer
}](what string, first, second []T) row {
	cell := func(values []T) string {
		low, high := slices.Min(values), slices.Max(values)
		if low == high {
			return low.String()
		}
		return fmt.Sprintf("%v (%v to %v)", median(values), low, high)
	}
	return row{what, [2]string{cell(first), cell(second)}, float64(median(second)) / float64(median(first))}
}

// table writes rows as a table in Markdown with columns as wide as they need.
func table(first, second string, rows []row) string {
	lines := [][]string{{"", first, second, "ratio"}, {"---", "---", "---", "---"}}
	for _, r := range rows {
		lines = append(lines, []string{r.what, r.cells[0], r.cells[1], fmt.Sprintf("%.2g", r.ratio)})
	}
	var widths [4]int
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var text strings.Builder
	for _, line := range lines {
		for i, cell := range line {
			fmt.Fprintf(&text, "| %-*s ", widths[i], cell)
		}
		text.WriteString("|\n")
	}
	return text.String()
}
