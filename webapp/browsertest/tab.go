package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// tab is a tab of the browser, alone in a window and with cookies and a cache of
// its own. It takes down all that goes wrong in it.
type tab struct {
	testing.TB
	ctx  context.Context
	site string // the address of the site, without a path
	jar  cdp.BrowserContextID
	screen

	mu       sync.Mutex
	wrong    []string
	expected int      // the status that documents are to have
	others   []string // origins that the page may also load from
}

// newTab opens a tab that ends with t.
func newTab(t testing.TB, browser context.Context, site string) *tab {
	t.Helper()
	// A tab behind another one is not painted, so each has a window of its own.
	var id target.ID
	var jar cdp.BrowserContextID
	if err := chromedp.Run(browser, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		ctx = cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser)
		if jar, err = target.CreateBrowserContext().WithDisposeOnDetach(true).Do(ctx); err != nil {
			return err
		}
		id, err = target.CreateTarget("about:blank").WithBrowserContextID(jar).WithNewWindow(true).Do(ctx)
		return err
	})); err != nil {
		t.Fatalf("Chromium opens no window: %v", err)
	}
	ctx, end := chromedp.NewContext(browser, chromedp.WithTargetID(id))
	t.Cleanup(end)
	ctx, cancel := context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	b := &tab{TB: t, ctx: ctx, site: site, jar: jar, expected: 200}
	chromedp.ListenTarget(ctx, b.observe)
	b.do(audits.Enable(), emulation.SetFocusEmulationEnabled(true))
	b.size(wide)
	return b
}

// do ends the test when an action fails.
func (b *tab) do(actions ...chromedp.Action) {
	b.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.Fatalf("in the browser, at %s: %v", b.address(), err)
	}
}

// observe takes down what a page does that it should not: errors, warnings,
// violations of its content security policy, and requests that fail or leave the
// site.
func (b *tab) observe(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	note := func(format string, args ...any) { b.wrong = append(b.wrong, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !b.own(e.Request.URL) {
			note("it asks for %s", e.Request.URL)
		}
	case *network.EventResponseReceived:
		if status := int(e.Response.Status); b.own(e.Response.URL) && (e.Type == network.ResourceTypeDocument && status != b.expected || e.Type != network.ResourceTypeDocument && status != 200) {
			note("%s has the status %d", e.Response.URL, status)
		}
	case *network.EventLoadingFailed:
		// A navigation that becomes a download is cancelled.
		if !e.Canceled && e.ErrorText != "net::ERR_ABORTED" {
			note("a request failed: %s %s", e.ErrorText, e.BlockedReason)
		}
	case *runtime.EventExceptionThrown:
		note("an exception: %s", e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning || e.Type == runtime.APITypeAssert {
			note("the console says: %v", e.Args)
		}
	case *log.EventEntryAdded:
		// That a page has the status that it is to have is no error of it.
		if status := fmt.Sprintf("the server responded with a status of %d ", b.expected); b.expected != 200 && e.Entry.Source == log.SourceNetwork && strings.Contains(e.Entry.Text, status) {
			return
		}
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			note("the console says: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		details, _ := json.Marshal(e.Issue.Details)
		note("Chromium objects: %s %s", e.Issue.Code, details)
	}
}

// own says whether an address is one of the site, or needs no request.
func (b *tab) own(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if u.Scheme == "data" || u.Scheme == "blob" || u.Scheme == "about" {
		return true
	}
	origin := u.Scheme + "://" + u.Host
	for _, other := range b.others {
		if origin == other {
			return true
		}
	}
	return origin == b.site
}

// faults returns what went wrong since it was last asked.
func (b *tab) faults() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := b.wrong
	b.wrong = nil
	return found
}

// open goes to a path of the site and waits until the page is loaded.
func (b *tab) open(path string) {
	b.Helper()
	b.expect(200)
	b.do(chromedp.Navigate(b.site + path))
}

// expect says which status the next document is to have.
func (b *tab) expect(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = status
}

// allow lets pages load from other origins too.
func (b *tab) allow(origins ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.others = origins
}

// address is where the tab is.
func (b *tab) address() string {
	var address string
	if err := chromedp.Run(b.ctx, chromedp.Location(&address)); err != nil {
		return "an unknown address"
	}
	return strings.TrimPrefix(address, b.site)
}

// eval returns the value of a JavaScript expression in the page. The developer
// tools evaluate it, which the content security policy does not hinder, nor that
// pages may run no scripts.
func eval[T any](b *tab, expression string) (value T) {
	b.Helper()
	b.do(chromedp.Evaluate(expression, &value, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return value
}

// click clicks on what a CSS selector finds, and waits until the page that it
// leads to is loaded.
func (b *tab) click(selector string) {
	b.Helper()
	b.follow(chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible))
}

// follow waits until the page that the actions lead to is loaded.
func (b *tab) follow(actions ...chromedp.Action) {
	b.Helper()
	if _, err := chromedp.RunResponse(b.ctx, actions...); err != nil {
		b.Fatalf("in the browser, at %s: %v", b.address(), err)
	}
}

// A screen has a size in CSS pixels.
type screen struct {
	name          string
	width, height int64
}

var (
	wide   = screen{"wide", 1280, 900}
	narrow = screen{"narrow", 360, 800}
	// smallest is what a wide screen of 1280 pixels is at a zoom of 400 %, to which
	// WCAG wants text to reflow.
	smallest = screen{"smallest", 320, 640}
)

func (b *tab) size(s screen) {
	b.Helper()
	b.screen = s
	b.do(emulation.SetDeviceMetricsOverride(s.width, s.height, 1, false))
	b.drawn()
}

// drawn waits until the charts of the page are drawn for the size that it has.
func (b *tab) drawn() {
	b.Helper()
	if !eval[bool](b, `new Promise(done => {
		const until = Date.now() + 30000;
		const all = () => [...document.querySelectorAll('figure[data-chart] .drawing')].every(d => d.querySelector('svg'));
		const look = () => all() || Date.now() > until ? requestAnimationFrame(() => requestAnimationFrame(() => done(all()))) : setTimeout(look, 20);
		requestAnimationFrame(look);
	})`) {
		b.Errorf("%s: a chart is not drawn within half a minute", b.address())
	}
}

// prefer sets what the visitor prefers, such as prefers-color-scheme, and
// forgets what was set before.
func (b *tab) prefer(preferences map[string]string) {
	b.Helper()
	var features []*emulation.MediaFeature
	for name, value := range preferences {
		features = append(features, &emulation.MediaFeature{Name: name, Value: value})
	}
	b.do(emulation.SetEmulatedMedia().WithFeatures(features))
}
