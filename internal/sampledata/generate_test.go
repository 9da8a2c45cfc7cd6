package sampledata

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestTheSampleIsTheSameEveryTime(t *testing.T) {
	// Change this along with the sample, on purpose.
	const want = "330a0f9a440eda65ff9cc3444aae5cf595fa72748aa69450e0000da56edb4f55"
	for range 2 {
		hash := sha256.New()
		for _, tab := range tables() {
			fmt.Fprintln(hash, tab.create(Schema), tab.columns, tab.about)
			for _, row := range tab.rows {
				fmt.Fprintln(hash, rowText(row))
			}
		}
		if got := fmt.Sprintf("%x", hash.Sum(nil)); got != want {
			t.Errorf("the sample's hash is %s, want %s", got, want)
		}
	}
}

func TestTheSampleIsVaried(t *testing.T) {
	all := tables()
	var text strings.Builder
	rows := 0
	for _, tab := range all {
		rows += len(tab.rows)
		for _, row := range tab.rows {
			for _, v := range row {
				if s, ok := v.(string); ok {
					text.WriteString(s + "\n")
				}
			}
		}
	}

	t.Run("a few tables, a few thousand rows", func(t *testing.T) {
		if len(all) < 4 || rows < 3000 || rows > 10_000 {
			t.Errorf("%d tables and %d rows", len(all), rows)
		}
	})

	t.Run("every column that may be NULL is, in some rows and not in all", func(t *testing.T) {
		for _, tab := range all {
			for i, column := range tab.columns {
				nulls := 0
				for _, row := range tab.rows {
					if row[i] == nil {
						nulls++
					}
				}
				may := strings.Contains(definition(t, tab, column), " NULL") && !strings.Contains(definition(t, tab, column), "NOT NULL")
				if may != (nulls > 0) || nulls == len(tab.rows) {
					t.Errorf("%s.%s may be NULL: %v; it is in %d rows of %d", tab.name, column, may, nulls, len(tab.rows))
				}
			}
		}
	})

	t.Run("every kind of value", func(t *testing.T) {
		var define strings.Builder
		for _, tab := range all {
			define.WriteString(tab.define)
		}
		for _, kind := range []string{"INT", "SMALLINT", "TINYINT", "BOOLEAN", "DECIMAL", "DOUBLE", "CHAR", "VARCHAR", "TEXT", "ENUM", "DATE", "DATETIME", "TIME", "JSON"} {
			if !strings.Contains(define.String(), " "+kind) {
				t.Errorf("no column is a %s", kind)
			}
		}
	})

	t.Run("every category is used", func(t *testing.T) {
		for _, tab := range all {
			for i, column := range tab.columns {
				_, list, ok := strings.Cut(definition(t, tab, column), "ENUM(")
				if !ok {
					continue
				}
				list, _, _ = strings.Cut(list, ")")
				for _, category := range strings.Split(list, ",") {
					category = strings.Trim(category, "'")
					if !slices.ContainsFunc(tab.rows, func(row []any) bool { return row[i] == category }) {
						t.Errorf("%s.%s is never %s", tab.name, column, category)
					}
				}
			}
		}
	})

	t.Run("text in many scripts, all of it valid", func(t *testing.T) {
		for name, script := range map[string]*unicode.RangeTable{
			"Greek": unicode.Greek, "Cyrillic": unicode.Cyrillic, "Arabic": unicode.Arabic, "Hebrew": unicode.Hebrew,
			"Han": unicode.Han, "Hiragana": unicode.Hiragana, "Katakana": unicode.Katakana, "Hangul": unicode.Hangul,
			"Devanagari": unicode.Devanagari, "Latin": unicode.Latin,
		} {
			if !strings.ContainsFunc(text.String(), func(r rune) bool { return unicode.Is(script, r) }) {
				t.Errorf("no text is in %s", name)
			}
		}
		if !strings.ContainsFunc(text.String(), func(r rune) bool { return r > 0xFFFF }) {
			t.Error("no text has a character that takes four bytes, such as an emoji")
		}
		if !strings.ContainsAny(text.String(), "éçãńőşđạ") {
			t.Error("no text has a diacritic")
		}
		if !utf8.ValidString(text.String()) || strings.ContainsRune(text.String(), utf8.RuneError) {
			t.Error("some text is not valid UTF-8")
		}
	})

	t.Run("no team plays against itself, and none scores without its players", func(t *testing.T) {
		column := func(tab table, name string) int { return slices.Index(tab.columns, name) }
		games, appearances := all[3], all[4]
		scored := map[any]int{}
		for _, row := range appearances.rows {
			scored[row[column(appearances, "game_id")]] += row[column(appearances, "goals")].(int)
		}
		for _, row := range games.rows {
			if row[column(games, "home_team_id")] == row[column(games, "away_team_id")] {
				t.Errorf("in game %v a team plays against itself", row[0])
			}
			home, _ := row[column(games, "home_goals")].(int)
			away, _ := row[column(games, "away_goals")].(int)
			if home+away != scored[row[0]] {
				t.Errorf("game %v ended %d to %d, and its players scored %d", row[0], home, away, scored[row[0]])
			}
		}
	})
}

// definition returns the line that defines the column.
func definition(t *testing.T, tab table, column string) string {
	t.Helper()
	for line := range strings.Lines(tab.define) {
		if strings.HasPrefix(line, "\t"+column+" ") {
			return line
		}
	}
	t.Fatalf("%s does not define %s", tab.name, column)
	return ""
}
