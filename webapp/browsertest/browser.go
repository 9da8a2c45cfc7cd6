package browsertest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"drawbridge/internal/notrun"
)

// names are what Chromium is called on the systems that people develop on.
var names = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
}

// patience bounds all that a test does in one tab, so that a page that never
// loads is an error and not a test that hangs.
const patience = 2 * time.Minute

// Start starts a Chromium of its own for t, which ends with t, and
// returns the context in which tabs are opened. It resolves no name and so
// reaches nothing but this machine.
func Start(t testing.TB) context.Context {
	t.Helper()
	program := ""
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		notrun.Because(t, "there is no Chromium on the PATH: install the package chromium, or Google Chrome")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("headless", "new"),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("hide-scrollbars", false),
		chromedp.Flag("disable-component-update", true),
		// The last keeps pages of the internet, which some here pretend to be, from
		// looking at sites on this machine.
		chromedp.Flag("disable-features", "Translate,LocalNetworkAccessChecks"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		// Dates and numbers look the same on every machine.
		chromedp.Env("LANG=en_US.UTF-8", "TZ=UTC"),
		chromedp.WSURLReadTimeout(time.Minute),
	)
	if os.Geteuid() == 0 {
		// Chromium's sandbox refuses root.
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("Chromium did not end by itself: %v", err)
		}
		end()
	})
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("Chromium (%s) does not start: %v", program, err)
	}
	return ctx
}
