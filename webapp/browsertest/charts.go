package browsertest

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// charts draws one, and takes it away as a file.
func charts(t *testing.T, chromium context.Context, s Site) {
	b := newTab(t, chromium, s.URL)
	b.open("/tables/monsters")
	b.click(`main a[href^="/tables/monsters/chart"]`)
	b.do(
		chromedp.SendKeys("#kind", "bar", chromedp.ByQuery),
		chromedp.SendKeys("#x", "species", chromedp.ByQuery),
		chromedp.SendKeys("#aggregate", "what fits", chromedp.ByQuery),
		chromedp.SendKeys("#y", "rows", chromedp.ByQuery),
	)
	b.click(".choices button")
	b.drawn()
	address := b.address()
	if n := eval[int](b, "document.querySelectorAll('figure svg rect').length"); n < 10 {
		t.Errorf("%s draws %d bars for ten species", address, n)
	}
	b.do(chromedp.Click("figure details > summary", chromedp.ByQuery))
	if data := eval[[]string](b, "[...document.querySelectorAll('figure tbody tr')].map(r => [...r.cells].map(c => c.textContent).join(' '))"); len(data) != 10 || !slices.Contains(data, "dragon 43") {
		t.Errorf("%s has the data %q", address, data)
	}
	if told := b.told()["image"]; len(told) != 1 || !strings.Contains(told[0], "species") {
		t.Errorf("%s tells screen readers of the pictures %q", address, told)
	}
	checkDrawing(t, b.download("button[data-download]"))
	report(t, b.faults())

	// The address is all that others need to see the same.
	other := newTab(t, chromium, s.URL)
	other.open(address)
	other.drawn()
	if mine, theirs := b.text("h1"), other.text("h1"); mine != theirs {
		t.Errorf("%s shows %q, and to another visitor %q", address, mine, theirs)
	}

	other.do(emulation.SetScriptExecutionDisabled(true))
	other.open(address)
	if !eval[bool](other, "document.querySelector('noscript').textContent.includes('needs JavaScript') && document.querySelectorAll('figure tbody tr').length === 10") {
		t.Errorf("%s has no data, or does not say that it needs JavaScript, without it", address)
	}
	report(t, other.faults())
}

// checkDrawing fails unless the file is a drawing that needs nothing else.
func checkDrawing(t *testing.T, file []byte) {
	t.Helper()
	elements := map[string]int{}
	for decoder := xml.NewDecoder(strings.NewReader(string(file))); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the SVG is no XML: %v\n%s", err, file)
		}
		if e, ok := token.(xml.StartElement); ok {
			elements[e.Name.Local]++
			for _, a := range e.Attr {
				if strings.Contains(a.Value, "var(") || strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" {
					t.Errorf("the SVG has <%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
	if elements["svg"] != 1 || elements["rect"] < 10 || elements["text"] < 10 || elements["title"] < 1 || elements["script"]+elements["style"] > 0 {
		t.Errorf("the SVG has the elements %v", elements)
	}
}

// frames looks at the vendor's dashboard in a page of the site, and at a chart in
// pages of others.
func frames(t *testing.T, chromium context.Context, s Site) {
	b := newTab(t, chromium, s.URL)
	b.allow(s.Vendor)
	b.open("/dashboard")
	b.drawn()
	if n := eval[int](b, "document.querySelectorAll('.pinned svg').length"); n != 3 {
		t.Errorf("%d charts are drawn, want 3", n)
	}
	b.do(chromedp.ScrollIntoView("iframe", chromedp.ByQuery))
	eventually(t, "the vendor's page is shown in its frame, and not told where it is", func() bool {
		return b.inFrame(s.Vendor+"/d/1?screen=1", "document.body.textContent.includes('Came from “”.')")
	})
	report(t, b.faults())
	eval[any](b, `{ const f = document.createElement('iframe'); f.src = 'http://127.0.0.1:9/'; document.body.append(f); } null`)
	eventually(t, "another origin is kept out", func() bool {
		return strings.Contains(strings.Join(b.faults(), "\n"), "frame-src")
	})

	for _, other := range []struct {
		origin string
		chart  string // not the same twice, so that no frame is taken for another one
		shown  bool
	}{
		{s.URL, "/tables/monsters/chart/embed?kind=bar&x=species&aggregate=count", true},
		{wiki, "/tables/monsters/chart/embed?kind=bar&x=temperament&aggregate=count", true},
		{"https://stranger.example.com", "/tables/monsters/chart/embed?kind=bar&x=position&aggregate=count", false},
	} {
		origin, chart := other.origin, other.chart
		b := newTab(t, chromium, s.URL)
		b.allow(origin)
		b.serve(origin+"/host", `<!doctype html><title>Host</title><link rel="icon" href="data:,"><iframe src="`+s.URL+strings.ReplaceAll(chart, "&", "&amp;")+`"></iframe>`)
		b.do(chromedp.Navigate(origin + "/host"))
		if !other.shown {
			eventually(t, "a stranger's page does not show the chart", func() bool {
				return strings.Contains(strings.Join(b.faults(), "\n"), "frame-ancestors")
			})
			continue
		}
		eventually(t, "the chart is drawn in a page of "+origin, func() bool {
			return b.inFrame(s.URL+chart, "document.querySelectorAll('figure svg rect').length >= 5")
		})
		report(t, b.faults())
	}
}

// inFrame tells whether a frame of the page shows that address, and whether an
// expression is true there.
func (b *tab) inFrame(address, expression string) (is bool) {
	b.Helper()
	// A frame of another site has a process, and so a target, of its own.
	targets, err := chromedp.Targets(b.ctx)
	if err != nil {
		b.Fatal(err)
	}
	for _, found := range targets {
		if found.Type == "iframe" && found.URL == address {
			ctx, end := chromedp.NewContext(b.ctx, chromedp.WithTargetID(found.TargetID))
			b.Cleanup(end) // not before, as it closes the page around the frame too
			return chromedp.Run(ctx, chromedp.Evaluate(expression, &is)) == nil && is
		}
	}
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		tree, err := cdpage.GetFrameTree().Do(ctx)
		if err != nil {
			return err
		}
		for _, child := range tree.ChildFrames {
			if child.Frame.URL != address {
				continue
			}
			world, err := cdpage.CreateIsolatedWorld(child.Frame.ID).Do(ctx)
			if err != nil {
				return err
			}
			value, _, err := runtime.Evaluate(expression).WithContextID(world).WithReturnByValue(true).Do(ctx)
			if err != nil {
				return err
			}
			is = string(value.Value) == "true"
		}
		return nil
	}))
	return is
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("not within half a minute: %s", what)
			return
		}
	}
}

// serve answers for an address that there need not be.
func (b *tab) serve(address, page string) {
	b.Helper()
	chromedp.ListenTarget(b.ctx, func(event any) {
		if paused, ok := event.(*fetch.EventRequestPaused); ok {
			go func() {
				_ = chromedp.Run(b.ctx, fetch.FulfillRequest(paused.RequestID, 200).
					WithResponseHeaders([]*fetch.HeaderEntry{{Name: "Content-Type", Value: "text/html"}}).
					WithBody(base64.StdEncoding.EncodeToString([]byte(page))))
			}()
		}
	})
	b.do(fetch.Enable().WithPatterns([]*fetch.RequestPattern{{URLPattern: address}}))
}
