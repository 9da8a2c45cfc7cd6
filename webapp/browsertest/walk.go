package browsertest

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// walk goes through the site by what its pages offer alone.
func walk(t *testing.T, chromium context.Context, s Site, scripts bool) {
	b := newTab(t, chromium, s.URL)
	b.do(emulation.SetScriptExecutionDisabled(!scripts))
	b.open("/")
	b.click(`main a[href="/tables/monsters"]`)
	b.shows("h1", "monsters")
	b.shows("tbody tr:first-child td:first-child", "1")

	b.click(`a[rel="next"]`)
	b.shows(".here", "Page 2 of 10")
	b.shows("tbody tr:first-child td:first-child", "51")
	b.click(`a[rel="prev"]`)
	b.shows("tbody tr:first-child td:first-child", "1")

	b.click(`thead a[href*="sort=height_m"]`)
	b.sorted("height_m", "ascending")
	b.click(`thead a[href*="sort=height_m"]`)
	b.sorted("height_m", "descending")

	b.do(chromedp.Click("details.filters > summary", chromedp.ByQuery), chromedp.SendKeys("#facet", "species", chromedp.ByQuery))
	b.click("details.filters button")
	b.sorted("height_m", "descending")
	b.click(`.facets a[href*="value=dragon"]`)
	dragons := b.column("species")
	if len(dragons) != 43 || slices.ContainsFunc(dragons, func(s string) bool { return s != "dragon" }) {
		t.Errorf("the link of the dragons leads to %q", dragons)
	}
	b.sorted("height_m", "descending")
	b.downloads(len(dragons))

	first := b.column("id")[0]
	b.click("tbody a[title='this row']")
	b.shows("h1", first)
	team := b.text(`td a[href^="/tables/teams/rows/"]`)
	b.click(`td a[href^="/tables/teams/rows/"]`)
	b.shows("h1", team)
	b.click(`a[href^="/tables/monsters?column=team_id"]`)
	if ids := b.column("id"); !slices.Contains(ids, first) {
		t.Errorf("the monsters of team %s are %q, without %s", team, ids, first)
	}
	b.click("header .brand")
	b.shows("h1", "Tables")
	report(t, b.faults())
}

// text is what the first element found by a selector shows.
func (b *tab) text(selector string) (text string) {
	b.Helper()
	b.do(chromedp.Text(selector, &text, chromedp.ByQuery))
	return strings.Join(strings.Fields(text), " ")
}

func (b *tab) shows(selector, want string) {
	b.Helper()
	if got := b.text(selector); got != want {
		b.Errorf("%s: %s shows %q, want %q", b.address(), selector, got, want)
	}
}

// column is the column of that name of the page's table.
func (b *tab) column(name string) []string {
	b.Helper()
	return eval[[]string](b, `(() => {
		const at = [...document.querySelectorAll('thead th')].findIndex(h => h.querySelector('bdi').textContent === '`+name+`');
		return [...document.querySelectorAll('tbody tr')].map(r => r.cells[at].textContent.trim());
	})()`)
}

// sorted fails unless the rows are sorted by a column of numbers, and its heading
// says so.
func (b *tab) sorted(name, way string) {
	b.Helper()
	if !eval[bool](b, `(() => {
		const heads = [...document.querySelectorAll('thead th')], at = heads.findIndex(h => h.ariaSort === '`+way+`');
		if (at < 0 || heads.filter(h => h.ariaSort).length !== 1 || heads[at].querySelector('bdi').textContent !== '`+name+`') return false;
		const shown = [...document.querySelectorAll('tbody tr')].map(r => Number(r.cells[at].textContent));
		return shown.length > 1 && shown.every((v, i) => i === 0 || ('`+way+`' === 'ascending' ? shown[i - 1] <= v : shown[i - 1] >= v));
	})()`) {
		b.Errorf("%s is not sorted by %s, %s", b.address(), name, way)
	}
}

// downloads fetches the table in every format and fails unless each holds that
// many rows.
func (b *tab) downloads(rows int) {
	b.Helper()
	lines, err := csv.NewReader(bytes.NewReader(b.download(`//a[text()="CSV"]`))).ReadAll()
	if len(lines) != rows+1 || err != nil {
		b.Errorf("the CSV has %d lines, want %d and the names: %v", len(lines), rows, err)
	}
	if n := bytes.Count(b.download(`//a[text()="NDJSON"]`), []byte("\n")); n != rows {
		b.Errorf("the NDJSON has %d lines, want %d", n, rows)
	}
	// Browsers show JSON.
	table := b.address()
	b.follow(chromedp.Click(`//a[text()="JSON"]`, chromedp.BySearch))
	var all struct{ Rows []json.RawMessage }
	if err := json.Unmarshal([]byte(eval[string](b, "document.querySelector('pre').textContent")), &all); len(all.Rows) != rows || err != nil {
		b.Errorf("the JSON has %d rows, want %d: %v", len(all.Rows), rows, err)
	}
	b.open(table)
}

// download clicks on what an XPath finds, and returns the file that comes.
func (b *tab) download(path string) []byte {
	b.Helper()
	folder := b.TempDir()
	ctx, stop := context.WithCancel(b.ctx)
	defer stop()
	c := chromedp.FromContext(ctx)
	done := make(chan string, 1)
	var mine atomic.Value
	chromedp.ListenBrowser(ctx, func(event any) {
		switch e := event.(type) {
		case *browser.EventDownloadWillBegin:
			if string(e.FrameID) == string(c.Target.TargetID) {
				mine.Store(e.GUID)
			}
		case *browser.EventDownloadProgress:
			if e.GUID == mine.Load() && e.State != browser.DownloadProgressStateInProgress {
				select {
				case done <- string(e.State):
				default:
				}
			}
		}
	})
	behave := browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllowAndName).WithBrowserContextID(b.jar).WithDownloadPath(folder).WithEventsEnabled(true)
	if err := behave.Do(cdp.WithExecutor(ctx, c.Browser)); err != nil {
		b.Fatal(err)
	}
	b.do(chromedp.Click(path, chromedp.BySearch))
	select {
	case state := <-done:
		if state != "completed" {
			b.Fatalf("the download of %s is %s", path, state)
		}
	case <-time.After(time.Minute):
		b.Fatalf("the download of %s takes more than a minute", path)
	}
	file, err := os.ReadFile(filepath.Join(folder, mine.Load().(string)))
	if err != nil {
		b.Fatal(err)
	}
	return file
}
