package main

import (
	"strings"
	"testing"
)

// hardValues are what has made other programs stumble.
var hardValues = []string{
	"", "0", "-1", "1e999", "9223372036854775808", "18446744073709551616", strings.Repeat("9", 70), "NaN", "NULL", `\N`, `\E`, `\x00`, `\`, ",", "1,2,3", "..", "1..", "a..b", "last", "page",
	"0000-00-00", "2024-02-30", "9999-12-31 23:59:59.9999999", "-838:59:59", "b'2'", "0x", "0xF", "%", "_", "%00", "\x00", "\xff\xfe", "\ufeff", "\u202e", "é\u0301", "🐉", "ﬀ", "'", `"`, "`", "''", "--", "/*", ";",
	"column", "id", "ID", "id ", "column=id&op=equals&value=1", "csv", "monsters", "monsters.csv", "monsters.", "../monsters", ".", "..", "/", "//", "?", "#", "{{.}}", "<script>", "\r\nX: y", strings.Repeat("x", 5000), strings.Repeat("1,", 200), strings.Repeat("🐉", 65),
}

// FuzzRoutes puts any value into any part of the address of every route. Whatever it is, the app does not fail.
func FuzzRoutes(f *testing.F) {
	var spots []spot
	for _, a := range allAddresses() {
		spots = append(spots, a.spots()...)
	}
	for n := range spots {
		// Each part gets some of them, and all parts together each several times.
		for i := n % 4; i < len(hardValues); i += 4 {
			f.Add(uint(n), hardValues[i])
		}
	}
	site := sampleSite(f)
	f.Fuzz(func(t *testing.T, n uint, value string) {
		path := spots[n%uint(len(spots))].with(value)
		logged := len(site.log.String())
		page := site.get(t, path, 0)
		for page.StatusCode == 303 {
			page = site.get(t, page.Header.Get("Location"), 0)
		}
		if page.StatusCode >= 500 || strings.Contains(site.log.String()[logged:], "a mistake in the app") {
			t.Errorf("%q: status %d\n%s", path, page.StatusCode, site.log.String()[logged:])
		}
	})
}
