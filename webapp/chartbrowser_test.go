package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"drawbridge/internal/pinned"
	"drawbridge/webapp/browsertest"
)

// startChromium opens a tab. What it complains of, like a breach of the content
// security policy, comes with it.
func startChromium(t *testing.T) (context.Context, *complaints) {
	t.Helper()
	ctx, cancel := context.WithTimeout(browsertest.Start(t), 3*time.Minute)
	t.Cleanup(cancel)
	var c complaints
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			c.add(e.Entry.Text)
		case *runtime.EventExceptionThrown:
			c.add(e.ExceptionDetails.Error())
		}
	})
	return ctx, &c
}

type complaints struct {
	mu    sync.Mutex
	texts []string
}

func (c *complaints) add(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts = append(c.texts, text)
}

// take gives what there is, and forgets it.
func (c *complaints) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	texts := c.texts
	c.texts = nil
	return texts
}

// TestTheDashboardInABrowser shows charts and a vendor's dashboard on one page.
func TestTheDashboardInABrowser(t *testing.T) {
	ctx, complaints := startChromium(t)
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>Sales</title><link rel=icon href=data:,><script>document.title += ' of today'; parent.postMessage(document.title, '*')</script>")
	}))
	defer vendor.Close()
	site := sampleSite(t, func(a *app) {
		a.dashboardURL = vendor.URL + "/d/1"
		a.charts = []pinned.Chart{
			{Title: "Species", Address: "/tables/monsters/chart?kind=bar&x=species&group=position"},
			{Title: "Gone", Address: "/tables/gone/chart"},
			{Title: "Crowds", Address: "/tables/games/chart?kind=line&x=starts_at&y=attendance&by=month"},
		}
	})
	var drawn int
	var title string
	if err := chromedp.Run(ctx,
		chromedp.Navigate(site.URL+"/dashboard"),
		chromedp.WaitVisible(`section:nth-of-type(3) figure svg`),
		chromedp.Evaluate(`document.querySelectorAll("figure svg[role=img]").length`, &drawn),
		chromedp.Evaluate(`new Promise(done => {
			addEventListener("message", e => done(e.data));
			document.querySelector("iframe").src += "?again";
			document.querySelector("iframe").scrollIntoView();
		})`, &title, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
	); err != nil {
		t.Fatal(err, complaints.take())
	}
	if drawn != 2 || title != "Sales of today" {
		t.Errorf("%d charts are drawn, and the frame says %q", drawn, title)
	}
	for _, complaint := range complaints.take() {
		t.Errorf("the browser says: %s", complaint)
	}
}

// TestChartsDrawInABrowser loads each kind of chart in Chromium, and its file.
func TestChartsDrawInABrowser(t *testing.T) {
	ctx, complaints := startChromium(t)
	site := sampleSite(t)
	// The marks of a chart have the colours of groups, as the legend does.
	const (
		bars  = "> g:not([aria-hidden]) rect[fill^='var(--series']"
		lines = "> g[stroke^='var(--series'] path"
		dots  = "> g:not([aria-hidden]) [stroke^='var(--series']"
	)
	for name, test := range map[string]struct {
		query, marks string
		least        int
	}{
		"bars":                      {"kind=bar&x=species", bars, 10},
		"bars in groups":            {"kind=bar&x=species&group=position", bars, 40},
		"bars beside each other":    {"kind=bar&x=species&group=position&y=salary&aggregate=avg", bars, 40},
		"bars over time":            {"kind=bar&x=signed_at&by=year", bars, 5},
		"a line":                    {"kind=line&x=signed_at&by=year&y=salary", lines, 1},
		"lines in groups":           {"kind=line&x=signed_at&by=year&group=position", lines, 4},
		"a scatter":                 {"kind=scatter&x=height_m&y=weight_kg", dots, 400},
		"a scatter in groups":       {"kind=scatter&x=height_m&y=weight_kg&group=species", dots, 300},
		"a histogram":               {"kind=histogram&x=salary", bars, 10},
		"a scatter of times":        {"kind=scatter&x=signed_at&y=salary", dots, 300},
		"bars of one row, filtered": {"kind=bar&x=species&column=id&op=equals&value=1", bars, 1},
	} {
		t.Run(name, func(t *testing.T) {
			complaints.take()
			address := site.URL + "/tables/monsters/chart?" + test.query
			var marks, styles int
			var label, role, colour, file string
			if err := chromedp.Run(ctx,
				chromedp.Navigate(address),
				chromedp.WaitVisible(`figure svg`),
				chromedp.Evaluate(`document.querySelectorAll("figure svg `+test.marks+`").length`, &marks),
				chromedp.Evaluate(`document.querySelectorAll("style").length`, &styles),
				chromedp.Evaluate(`document.querySelector("figure svg").getAttribute("aria-label")`, &label),
				chromedp.Evaluate(`document.querySelector("figure svg").getAttribute("role")`, &role),
				chromedp.Evaluate(`(e => [getComputedStyle(e).fill, getComputedStyle(e).stroke].join(" "))(document.querySelector("figure svg `+test.marks+`"))`, &colour),
				// The file that the button saves.
				chromedp.Evaluate(`new Promise(done => {
					const make = URL.createObjectURL;
					URL.createObjectURL = blob => { blob.text().then(done); return make(blob); };
					HTMLAnchorElement.prototype.click = () => {};
					document.querySelector("[data-download]").click();
				})`, &file, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
			); err != nil {
				t.Fatal(err, complaints.take())
			}
			if marks < test.least {
				t.Errorf("%d marks, want at least %d", marks, test.least)
			}
			if role != "img" || !strings.Contains(label, "Largest") && !strings.Contains(label, "point") && !strings.Contains(label, "bar") {
				t.Errorf("the picture is a %q called %q", role, label)
			}
			if !strings.Contains(colour, "rgb(0, 114, 178)") && !strings.Contains(colour, "rgb(") {
				t.Errorf("the first mark has the colours %s", colour)
			}
			if styles > 0 {
				t.Errorf("%d style elements are in the page", styles)
			}
			if strings.Contains(file, "var(--s") || strings.Contains(file, "currentColor") || !strings.Contains(file, `xmlns="http://www.w3.org/2000/svg"`) {
				t.Errorf("the file does not stand alone: %.400s", file)
			}
			for _, complaint := range complaints.take() {
				t.Errorf("the browser says: %s", complaint)
			}
		})
	}
}
