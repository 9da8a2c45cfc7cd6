package reach

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// marks are what stands in the cells of a text table.
var marks = map[Answer]string{Yes: "yes", No: "no", CannotTell: "?"}

// Text is the table with a row for every source and a column for every door. A dash is the source itself.
func (t *Table) Text() string {
	rows := [][]string{{t.Environment}, {""}}
	for _, d := range t.Doors {
		rows[0] = append(rows[0], d.Name)
		rows[1] = append(rows[1], strings.TrimPrefix(d.Title(), d.Name))
	}
	unsure := false
	for _, s := range t.Sources {
		row := []string{s.Name}
		for _, d := range t.Doors {
			mark := "-"
			if c, ok := t.Cell(s.Name, d.Title()); ok {
				mark = marks[c.Answer]
				unsure = unsure || c.Answer == CannotTell
			}
			row = append(row, mark)
		}
		rows = append(rows, row)
	}
	text := columns(rows)
	if unsure {
		text += "? means that the templates do not tell.\n"
	}
	return text
}

// columns aligns cells with two spaces between them.
func columns(rows [][]string) string {
	width := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// Explain is the table, and then for every cell its chain.
func (t *Table) Explain() string {
	var b strings.Builder
	b.WriteString(t.Text())
	for _, c := range t.Cells {
		texts, places := decisive(c)
		fmt.Fprintf(&b, "\n%s -> %s: %s: %s\n", c.From, c.To, c.Answer, strings.Join(texts, "; "))
		if len(places) > 0 {
			fmt.Fprintf(&b, "  [%s]\n", strings.Join(places, " "))
		}
	}
	return b.String()
}

// decisive are the links that make the answer, and their resources: all of them for a yes, and otherwise what is in the
// way.
func decisive(c Cell) (texts, places []string) {
	for _, r := range c.Why {
		if r.Answer != c.Answer {
			continue
		}
		texts = append(texts, r.Text)
		if r.Where != "" && !slices.Contains(places, r.Where) {
			places = append(places, r.Where)
		}
	}
	return texts, places
}

// JSON is the whole table for programs.
func (t *Table) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(t, "", "  ")
	return append(text, '\n'), err
}
