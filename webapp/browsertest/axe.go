package browsertest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"drawbridge/internal/notrun"
	"drawbridge/internal/repository"
)

// axe returns the source of axe-core, which package.json pins.
func axe(t testing.TB) string {
	t.Helper()
	root, err := repository.Root()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(root, "node_modules", "axe-core", "axe.min.js"))
	if errors.Is(err, os.ErrNotExist) {
		notrun.Because(t, "axe-core is not installed: run 'npm ci'")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// everyRule are axe-core's rules of WCAG 2.0 to 2.2, A and AA, and its best
// practices.
const everyRule = `{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}`

// noBestPractice are those of WCAG alone.
const noBestPractice = `{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}`

// contrastOnly are the rules for which colours matter.
const contrastOnly = `{type: 'rule', values: ['color-contrast', 'link-in-text-block']}`

// accessibility returns what axe-core finds wrong with the page as it now is. Of
// a long table it looks at the first rows, which the others are like.
func (b *tab) accessibility(axe, rules string) (wrong []string) {
	b.Helper()
	if !eval[bool](b, "typeof axe === 'object'") {
		eval[any](b, axe+"; undefined ?? null")
	}
	found := eval[struct {
		Violations []string
		Passes     int
	}](b, `axe.run({include: document, exclude: ['tbody tr:nth-child(n+9)']}, {runOnly: `+rules+`, resultTypes: ['violations'], iframes: false}).then(r => ({
		violations: r.violations.flatMap(v => v.nodes.map(n => v.id + ' (' + v.help + '): ' + n.html.slice(0, 300) + ' ' + n.failureSummary)),
		passes: r.passes.length,
	}))`)
	for _, v := range found.Violations {
		wrong = append(wrong, "axe-core: "+strings.Join(strings.Fields(v), " "))
	}
	if found.Passes == 0 {
		wrong = append(wrong, "axe-core looked at nothing")
	}
	return wrong
}
