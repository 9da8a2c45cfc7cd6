package browsertest

import (
	"context"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keyboard finds the dragons with the keyboard alone.
func keyboard(t *testing.T, chromium context.Context, s Site) {
	b := newTab(t, chromium, s.URL)
	b.open("/")
	b.press(kb.Tab)
	b.focusIs(".skip")
	if top := eval[float64](b, "document.activeElement.getBoundingClientRect().top"); top < 0 {
		t.Errorf("the link to the content is not in sight when it has the focus: its top is at %v", top)
	}
	b.press(kb.Enter)
	b.focusIs("main")
	b.tabTo(`a[href="/tables/monsters"]`)
	b.follow(chromedp.KeyEvent(kb.Enter))

	b.tabTo("details.filters > summary")
	b.press(kb.Enter)
	b.tabTo(`select[name="column"]`)
	b.press("species")
	b.tabTo(`select[name="op"]`)
	b.press("equals")
	b.tabTo(`input[name="value"]`)
	b.press("dragon")
	b.follow(chromedp.KeyEvent(kb.Enter))
	if found := b.column("species"); len(found) != 43 || slices.ContainsFunc(found, func(s string) bool { return s != "dragon" }) {
		t.Errorf("it finds %q", found)
	}

	// The box of a table that is wider than the screen scrolls by the arrow keys.
	b.size(narrow)
	b.tabTo(".scroll")
	b.press(kb.ArrowRight)
	if !eval[bool](b, `new Promise(done => {
		const box = document.querySelector('.scroll'), until = Date.now() + 10000;
		(function look() { box.scrollLeft > 0 ? done(true) : Date.now() > until ? done(false) : setTimeout(look, 20) })();
	})`) {
		t.Error("the table does not scroll by the arrow keys")
	}
	b.tabTo(`a[href*="sort=name"]`)
	b.follow(chromedp.KeyEvent(kb.Enter))
	if heads := eval[[]string](b, `[...document.querySelectorAll('th[aria-sort] bdi')].map(h => h.textContent)`); !slices.Equal(heads, []string{"name"}) {
		t.Errorf("it is sorted by %q", heads)
	}
	report(t, b.faults())
}

// press types text, or presses a key.
func (b *tab) press(keys string) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys))
}

func (b *tab) focusIs(selector string) {
	b.Helper()
	if !eval[bool](b, "document.activeElement.matches('"+selector+"')") {
		b.Fatalf("the focus is on %s, want %s", eval[string](b, "document.activeElement.outerHTML.slice(0, 200)"), selector)
	}
}

// tabTo presses Tab until the focus is on what the selector finds, and fails when
// the focus is not seen somewhere on the way.
func (b *tab) tabTo(selector string) {
	b.Helper()
	for range 150 {
		b.press(kb.Tab)
		at := eval[struct {
			There, Seen bool
			HTML        string
		}](b, `(e => {
			const style = getComputedStyle(e), box = e.getBoundingClientRect();
			return {
				there: e.matches('`+selector+`'), html: e.outerHTML.slice(0, 200),
				seen: e === document.body || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
			};
		})(document.activeElement)`)
		if !at.Seen {
			b.Errorf("%s: nobody sees that the focus is on %s", b.address(), at.HTML)
		}
		if at.There {
			return
		}
	}
	b.Fatalf("%s: Tab does not lead to %s", b.address(), selector)
}
