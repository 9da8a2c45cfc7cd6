package webapp

import (
	"fmt"
	"slices"
	"strings"
)

// line is a line of a table of rates.
type line struct {
	what string // what was asked for
	by   string // who answered
	of   []measurement
	ours []measurement // of the web app itself in the same rounds; nil for itself
}

// rates is a table, in Markdown, of how many answers a second there were. The ratio is of the medians, with the lowest
// and the highest of a round.
func rates(lines []line) string {
	cells := [][]string{{"", "", "answers a second", "p50", "p99", "processor", "MySQL's", "Drawbridge is"}}
	var before string
	for _, l := range lines {
		what := l.what
		if what == before {
			what = ""
		}
		before = l.what
		rate := each(l.of, rateOf)
		cells = append(cells, []string{
			what, l.by, spread(rate, number), milliseconds(median(each(l.of, p50Of))), milliseconds(median(each(l.of, p99Of))),
			milliseconds(median(each(l.of, ownOf))), milliseconds(median(each(l.of, mysqlOf))), l.ratio(),
		})
	}
	return markdown(cells, "llrrrrrr")
}

func (l line) ratio() string {
	if l.ours == nil {
		return ""
	}
	var rounds []float64
	for i, m := range l.of {
		rounds = append(rounds, l.ours[i].rate/m.rate)
	}
	of := median(each(l.ours, rateOf)) / median(each(l.of, rateOf))
	return fmt.Sprintf("%s× (%s to %s)", ratio(of), ratio(slices.Min(rounds)), ratio(slices.Max(rounds)))
}

// spread is the median of the values, and the lowest and the highest where they differ.
func spread(values []float64, text func(float64) string) string {
	of, low, high := text(median(values)), text(slices.Min(values)), text(slices.Max(values))
	if low == high {
		return of
	}
	return of + " (" + low + " to " + high + ")"
}

func ratio(of float64) string {
	if of >= 10 {
		return fmt.Sprintf("%.0f", of)
	}
	return fmt.Sprintf("%.2g", of)
}

func milliseconds(ms float64) string {
	switch {
	case ms == 0:
		return ""
	case ms >= 10:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.2g ms", ms)
}

// number has commas between its thousands.
func number(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// memories is a table, in Markdown, of what programs hold.
func memories(names []string, of []memory) string {
	cells := [][]string{{"", "processes", "RSS", "PSS"}}
	for i, m := range of {
		cells = append(cells, []string{names[i], fmt.Sprint(m.processes), mebibytes(m.rss), mebibytes(m.pss)})
	}
	return markdown(cells, "lrrr")
}

func mebibytes(kib int) string { return fmt.Sprintf("%.1f MiB", float64(kib)/1024) }

// weights is a table, in Markdown, of how large pages are.
func weights(all []weight) string {
	cells := [][]string{{"", "page", "in gzip", "first visit", "next visit"}}
	for _, w := range all {
		files := fmt.Sprintf("%s in %d files", kibibytes(w.sent), w.files)
		if w.files == 1 {
			files = kibibytes(w.sent)
		}
		cells = append(cells, []string{w.page, kibibytes(w.raw), kibibytes(w.zipped), files, kibibytes(w.again)})
	}
	return markdown(cells, "lrrrr")
}

func kibibytes(n int) string { return fmt.Sprintf("%.1f KiB", float64(n)/1024) }

// markdown writes cells as a table whose columns are as wide as they need. The alignment of each is l or r.
func markdown(cells [][]string, alignment string) string {
	widths := make([]int, len(alignment))
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)), 4)
		}
	}
	var text strings.Builder
	for n, row := range cells {
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if alignment[i] == 'r' {
				cell = space + cell
			} else {
				cell += space
			}
			text.WriteString("| " + cell + " ")
		}
		text.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i, width := range widths {
			rule := strings.Repeat("-", width)
			if alignment[i] == 'r' {
				rule = rule[1:] + ":"
			}
			text.WriteString("| " + rule + " ")
		}
		text.WriteString("|\n")
	}
	return text.String()
}

// The lines of docs/benchmarks.md between which the results of a run stand.
const (
	sectionBegin = "<!-- make bench-webapp WRITE=1 writes from here -->\n"
	sectionEnd   = "<!-- to here -->\n"
)

// withResults is a page with other results.
func withResults(page, results string) (string, error) {
	before, rest, begun := strings.Cut(page, sectionBegin)
	_, after, ended := strings.Cut(rest, sectionEnd)
	if !begun || !ended || strings.Count(page, sectionBegin) > 1 {
		return "", fmt.Errorf("the page lacks one pair of the lines %q and %q, between which results go", strings.TrimSpace(sectionBegin), strings.TrimSpace(sectionEnd))
	}
	return before + sectionBegin + "\n" + strings.TrimSpace(results) + "\n\n" + sectionEnd + after, nil
}
