package browsertest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// visit goes to the page.
func (b *tab) visit(p page) {
	b.Helper()
	status := max(p.status, 200)
	if !p.posted {
		b.expect(status)
		b.do(chromedp.Navigate(b.site + p.path))
		b.drawn()
		return
	}
	b.open("/")
	b.expect(status)
	b.follow(chromedp.Evaluate(fmt.Sprintf(`{
		const form = document.createElement('form');
		form.method = 'post'; form.action = %q;
		document.body.append(form); form.submit();
	} null`, p.path), nil, func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithUserGesture(true) }))
}

// look returns what is wrong with the page that the tab shows, in every way that
// people may look at it, and writes screenshots to the folder.
func (b *tab) look(p page, axe, screenshots string) (wrong []string) {
	b.Helper()
	add := func(how string, found ...string) {
		for _, f := range found {
			wrong = append(wrong, how+": "+f)
		}
	}
	light := map[string]string{"prefers-color-scheme": "light"}
	dark := map[string]string{"prefers-color-scheme": "dark"}

	b.prefer(light)
	b.size(wide)
	rules := everyRule
	if p.alone {
		rules = noBestPractice
	} else {
		add("anyhow", b.structure()...)
	}
	add("wide, light", b.accessibility(axe, rules)...)
	add("wide", b.overflow()...)
	b.screenshot(filepath.Join(screenshots, p.name+"-wide-light.png"))
	day := eval[string](b, colours)

	b.prefer(dark)
	if night := eval[string](b, colours); night == day {
		add("dark", "ground and text have the colours that they have in the light, "+day)
	}
	add("wide, dark", b.accessibility(axe, contrastOnly)...)
	b.screenshot(filepath.Join(screenshots, p.name+"-wide-dark.png"))

	b.size(narrow)
	b.screenshot(filepath.Join(screenshots, p.name+"-narrow-dark.png"))
	b.prefer(light)
	add("narrow, light", b.accessibility(axe, rules)...)
	b.screenshot(filepath.Join(screenshots, p.name+"-narrow-light.png"))
	add("narrow", b.overflow()...)
	b.size(smallest)
	add("at a zoom of 400 %", b.overflow()...)

	b.size(wide)
	eval[any](b, "document.documentElement.style.fontSize = '200%', null")
	add("with text of twice the size", b.overflow()...)
	eval[any](b, "document.documentElement.style.fontSize = '', null")

	b.prefer(map[string]string{"prefers-reduced-motion": "reduce"})
	if n := eval[int](b, moving); n > 0 {
		add("with reduced motion", fmt.Sprintf("%d parts of the page move", n))
	}
	add("printed", b.print()...)
	b.prefer(nil)
	add("loading", b.faults()...)
	return wrong
}

const colours = "getComputedStyle(document.body).backgroundColor + ' ' + getComputedStyle(document.body).color"

// moving counts what moves, or would when pointed at.
const moving = `document.getAnimations().length +
	[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration.split(', ').some(d => parseFloat(d) > 0)).length`

// overflow says what makes the page wider than the screen.
func (b *tab) overflow() []string {
	b.Helper()
	return eval[[]string](b, `(() => {
		const root = document.documentElement, width = root.clientWidth;
		if (root.scrollWidth <= width) return [];
		const inside = e => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) if (getComputedStyle(p).overflowX !== 'visible') return true; return false; };
		const wide = [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > width + 1 && !inside(e)).slice(0, 3);
		return ['the page is ' + root.scrollWidth + ' pixels wide on a screen of ' + width + ', for ' + wide.map(e => e.outerHTML.slice(0, 150)).join(' and ')];
	})()`)
}

// structure says what a screen reader would miss.
func (b *tab) structure() []string {
	b.Helper()
	return eval[[]string](b, `(() => {
		const wrong = [], one = (what, found) => { if (found !== 1) wrong.push(found + ' of ' + what + ', want 1') };
		one('h1 with text', [...document.querySelectorAll('h1')].filter(h => h.textContent.trim()).length);
		one('main', document.querySelectorAll('main').length);
		one('header', document.querySelectorAll('body > header').length);
		if (document.documentElement.lang !== 'en') wrong.push('the language of the page is ' + document.documentElement.lang);
		if (!document.title.endsWith('Drawbridge') || document.title === 'Drawbridge') wrong.push('the title is ' + document.title);
		const first = document.querySelector('a, button, input, select, summary, [tabindex="0"]');
		if (!first || first.getAttribute('href') !== '#main') wrong.push('the first thing to reach by Tab does not lead to the content');
		for (const e of document.querySelectorAll('[style]:not(svg, svg *), [onclick], script:not([src])')) wrong.push('it has inline style or script: ' + e.outerHTML.slice(0, 150));
		return wrong;
	})()`)
}

// print says what is wrong with the page on paper.
func (b *tab) print() (wrong []string) {
	b.Helper()
	b.do(emulation.SetEmulatedMedia().WithMedia("print"))
	if n := eval[int](b, `[...document.querySelectorAll('form, .pager')].filter(e => e.checkVisibility()).length`); n > 0 {
		wrong = append(wrong, fmt.Sprintf("%d forms and pagers, which do nothing on paper", n))
	}
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		pdf, _, err := cdpage.PrintToPDF().WithPrintBackground(true).Do(ctx)
		if err == nil && (!bytes.HasPrefix(pdf, []byte("%PDF-")) || len(pdf) < 5000) {
			wrong = append(wrong, fmt.Sprintf("a PDF of %d bytes", len(pdf)))
		}
		return err
	}), emulation.SetEmulatedMedia().WithMedia(""))
	return wrong
}

// screenshot writes the whole page, or its first 4000 pixels, to a PNG file.
func (b *tab) screenshot(path string) {
	b.Helper()
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		_, _, _, _, _, content, err := cdpage.GetLayoutMetrics().Do(ctx)
		if err != nil {
			return err
		}
		picture, err := cdpage.CaptureScreenshot().WithCaptureBeyondViewport(true).WithClip(&cdpage.Viewport{
			Width: float64(b.screen.width), Height: min(math.Ceil(content.Height), 4000), Scale: 1,
		}).Do(ctx)
		if err != nil {
			return err
		}
		return os.WriteFile(path, picture, 0o644)
	}))
}
