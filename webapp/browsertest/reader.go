package browsertest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// screenReader looks at what Chromium tells screen readers of a table's page.
func screenReader(t *testing.T, chromium context.Context, s Site) {
	b := newTab(t, chromium, s.URL)
	b.open("/tables/monsters?facet=species&size=10")
	told := b.told()
	for role, want := range map[string][]string{
		"RootWebArea":  {"monsters · "},
		"banner":       {""},
		"main":         {""},
		"navigation":   {"Where you are", "Pages", "Pages, again"},
		"heading":      {"monsters", "species", "What refers to this table"},
		"region":       {"Rows 1 to 10 of 500", "Values of species", "What refers to this table"},
		"table":        {"Rows 1 to 10 of 500"},
		"columnheader": {"id", "name", "species"},
		"combobox":     {"Column to filter by", "Comparison", "Count the values of"},
		"textbox":      {"Value", "Page"},
		"button":       {"Apply", "Go"},
		"link":         {"Skip to the content", "Next", "CSV for spreadsheets"},
	} {
		for _, name := range want {
			if !slices.ContainsFunc(told[role], func(got string) bool { return strings.HasPrefix(got, name) }) {
				t.Errorf("there is no %s %q among %q", role, name, told[role])
			}
		}
	}
	for _, role := range []string{"link", "button", "combobox", "textbox", "heading", "columnheader", "table", "image"} {
		if slices.Contains(told[role], "") {
			t.Errorf("a %s has no name", role)
		}
	}
}

// told are the names of all that is told, by role.
func (b *tab) told() map[string][]string {
	b.Helper()
	told := map[string][]string{}
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		nodes, err := accessibility.GetFullAXTree().Do(ctx)
		for _, n := range nodes {
			if n.Ignored || n.Role == nil {
				continue
			}
			var role, name string
			_ = json.Unmarshal(n.Role.Value, &role)
			if n.Name != nil {
				_ = json.Unmarshal(n.Name.Value, &name)
			}
			told[role] = append(told[role], name)
		}
		return err
	}))
	return told
}
