package main

import (
	"strings"
	"testing"
	"time"
)

// TestChartsOfAMillionRows: every kind is made, of all the rows or of the first
// ones, and says which.
func TestChartsOfAMillionRows(t *testing.T) {
	site := millionSite(t)
	for _, query := range []string{
		"", "kind=bar&x=kind", "kind=bar&x=station_id", "kind=bar&x=kind&group=station_id&y=amount&aggregate=avg",
		"kind=line&x=taken_at&by=month", "kind=line&x=taken_at&by=day&group=kind", "kind=scatter&x=amount&y=id", "kind=histogram&x=amount", "kind=histogram&x=id",
		"kind=bar&x=label", "kind=bar&x=kind&column=id&op=at-least&value=990001",
	} {
		start := time.Now()
		page := site.slowly(t, "/tables/readings/chart?"+query)
		d := page.drawing(t)
		t.Logf("%s: %d points in %v: %s", query, len(d.XS), time.Since(start).Round(time.Millisecond), page.caption())
		if len(d.XS) == 0 || len(d.XS) > maxDots+maxSpans*maxGroups {
			t.Errorf("%s: %d points", query, len(d.XS))
		}
		if strings.HasPrefix(query, "kind=bar&x=label") && !strings.Contains(page.caption(), "others not shown") {
			t.Errorf("%s: the caption is %s", query, page.caption())
		}
	}
}
