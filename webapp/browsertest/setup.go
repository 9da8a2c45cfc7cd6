package browsertest

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"drawbridge/internal/pinned"
)

// wiki is a site that may show charts in a frame. There is none of that name.
const wiki = "https://wiki.example.com"

// Setup starts a stand-in for the dashboard's vendor, which ends with t, and
// returns its address and the settings with which the app shows it, and charts of
// its own beside it.
func Setup(t testing.TB) (vendor string, settings map[string]string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><head><meta name="color-scheme" content="light dark"><title>Sales</title></head><body><h1>The vendor’s page</h1><p>Came from “%s”.</p></body></html>`, r.Referer())
	}))
	t.Cleanup(server.Close)
	charts := pinned.Encode([]pinned.Chart{
		{Title: "Monsters by species", Address: "/tables/monsters/chart?kind=bar&x=species&aggregate=count"},
		{Title: "Games a month", Address: "/tables/games/chart?kind=line&x=starts_at&by=month&aggregate=count"},
		{Title: "Attendance", Address: "/tables/games/chart?kind=histogram&x=attendance"},
		{Title: "A table that is gone", Address: "/tables/gone/chart"},
	})
	env := pinned.Variables("DASHBOARD_CHARTS", charts)
	maps.Copy(env, pinned.Variables("DASHBOARD_URL", server.URL+"/d/1?screen=1"))
	maps.Copy(env, pinned.Variables("EMBED_ORIGINS", wiki+" https://intranet.example.com"))
	return server.URL, env
}
