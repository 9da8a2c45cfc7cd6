package reach

import (
	"fmt"
	"slices"
	"strings"

	"drawbridge/rehearsal/template"
)

// Change is a cell that differs between two tables.
type Change struct {
	From, To string

	// Before or After is "" where the source or the door is new or gone.
	Before, After Answer

	// Why is the chain of the cell as it is after, or of one that is gone as it was.
	Why []Reason
}

// ReadBoth reads two environments so that their tables have the same rows for networks outside: a network that only one of
// them names is looked at in both. Otherwise it would look new where it was a part of the internet.
func ReadBoth(before, after *template.Assembly, o Options) (b, a *Table, err error) {
	for _, assembly := range []*template.Assembly{before, after} {
		t, err := Read(assembly, o)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range t.Sources {
			if s.Block != "" {
				o.Blocks = append(slices.Clip(o.Blocks), s.Block)
			}
		}
	}
	if b, err = Read(before, o); err != nil {
		return nil, nil, err
	}
	a, err = Read(after, o)
	return b, a, err
}

// Diff is every cell whose answer differs, in the order of the table after, and then those that are gone.
func Diff(before, after *Table) (changes []Change) {
	for _, c := range after.Cells {
		old, _ := before.Cell(c.From, c.To)
		if old.Answer != c.Answer {
			changes = append(changes, Change{c.From, c.To, old.Answer, c.Answer, c.Why})
		}
	}
	for _, c := range before.Cells {
		if _, stays := after.Cell(c.From, c.To); !stays {
			changes = append(changes, Change{c.From, c.To, c.Answer, "", c.Why})
		}
	}
	return changes
}

// DiffText is Markdown for a pull request, and empty without changes. New and gone combinations that nobody can use are
// only counted.
func DiffText(changes []Change) string {
	if len(changes) == 0 {
		return ""
	}
	quiet := func(c Change) bool { return c.Before == "" && c.After == No || c.Before == No && c.After == "" }
	loud := slices.DeleteFunc(slices.Clone(changes), quiet)
	var b strings.Builder
	b.WriteString("### Who can reach what\n\n")
	if len(loud) > 0 {
		b.WriteString("| from | to | before | after | because |\n|---|---|---|---|---|\n")
	}
	for _, c := range loud {
		shown := Cell{Answer: c.After, Why: c.Why}
		if c.After == "" {
			shown.Answer = c.Before
		}
		texts, _ := decisive(shown)
		after := shownAnswer(c.After)
		if c.After != "" && c.After != No {
			after = "**" + after + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", escape(c.From), escape(c.To), shownAnswer(c.Before), after, escape(strings.Join(texts, "; ")))
	}
	if n := len(changes) - len(loud); n > 0 {
		if len(loud) > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "New or gone without a connection: %d of the table's cells.\n", n)
	}
	return b.String()
}

func shownAnswer(a Answer) string {
	if a == "" {
		return "(not there)"
	}
	return string(a)
}

func escape(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
