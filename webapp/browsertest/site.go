package browsertest

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"drawbridge/internal/repository"
)

// Site is a web app that shows what [Load] has loaded.
type Site struct {
	// Name is a folder for its screenshots.
	Name string
	// URL is where it is, without a path: http://127.0.0.1:5000.
	URL string
	// Vendor is the dashboard's vendor that [Setup] has started.
	Vendor string
	// Away takes its database away, and Back brings it back.
	Away, Back func()
}

// Run visits the site.
func Run(t *testing.T, s Site) {
	axe := axe(t)
	browser := Start(t)
	folder := screenshots(t, s.Name)

	titles := newTitles()
	t.Run("page", func(t *testing.T) {
		for _, p := range pages {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				b := newTab(t, browser, s.URL)
				b.allow(s.Vendor)
				b.visit(p)
				report(t, b.look(p, axe, folder))
				if other := titles.take(eval[string](b, "document.title"), p); other != "" {
					t.Errorf("it has the title of %s", other)
				}
			})
		}
	})
	t.Run("walk", func(t *testing.T) {
		for name, scripts := range map[string]bool{"with JavaScript": true, "without JavaScript": false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				walk(t, browser, s, scripts)
			})
		}
		t.Run("through the charts", func(t *testing.T) {
			t.Parallel()
			charts(t, browser, s)
		})
		t.Run("through the frames", func(t *testing.T) {
			t.Parallel()
			frames(t, browser, s)
		})
		t.Run("by keyboard", func(t *testing.T) {
			t.Parallel()
			keyboard(t, browser, s)
		})
		t.Run("by what a screen reader is told", func(t *testing.T) {
			t.Parallel()
			screenReader(t, browser, s)
		})
	})
	t.Run("without its database it says so, and is back without a restart", func(t *testing.T) {
		b := newTab(t, browser, s.URL)
		s.Away()
		b.visit(unavailable)
		report(t, b.look(unavailable, axe, folder))
		s.Back()
		b.open(unavailable.path)
		if n := eval[int](b, "document.querySelectorAll('tbody tr').length"); n != 50 {
			t.Errorf("%d rows", n)
		}
		report(t, b.faults())
	})
}

// screenshots makes the folder for those of a site.
func screenshots(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		root, err := repository.Root()
		if err != nil {
			t.Fatal(err)
		}
		folder = filepath.Join(root, "build", "screenshots")
	}
	folder = filepath.Join(folder, name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Logf("screenshots are written to %s", folder)
	return folder
}

func report(t *testing.T, wrong []string) {
	t.Helper()
	for _, w := range wrong {
		t.Error(w)
	}
}

// titles are those of pages, by what they show.
type titles struct {
	mu    sync.Mutex
	taken map[string]string
}

func newTitles() *titles { return &titles{taken: map[string]string{}} }

// take gives a page its title, and returns what else has it.
func (s *titles) take(title string, p page) (other string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown, _, _ := strings.Cut(p.path, "?")
	if p.status != 0 {
		shown = p.name
	}
	if other = s.taken[title]; other == shown {
		return ""
	}
	s.taken[title] = shown
	return other
}
