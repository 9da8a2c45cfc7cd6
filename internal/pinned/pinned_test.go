package pinned_test

import (
	"slices"
	"strings"
	"testing"

	"drawbridge/internal/pinned"
)

func TestParse(t *testing.T) {
	for address, want := range map[string]string{
		"/tables/games/chart":                                                          "games",
		"/tables/a%2Fb%20%25/chart?kind=bar&x=c&y=":                                    "a/b %",
		"/tables/chart/chart?column=a&op=equals&value=1&column=b&op=is-null&value=":    "chart",
		"/tables/t/chart?kind=line&x=at&by=month&aggregate=count-distinct&y=u&group=g": "t",
	} {
		if u, table, err := pinned.Parse(address); err != nil || table != want || u.Path == "" {
			t.Errorf("%s: %q, %v", address, table, err)
		}
	}
	for address, says := range map[string]string{
		"https://app.example.com/tables/t/chart": "does not start with /tables/",
		"tables/t/chart":                         "does not start with /tables/",
		"//host/tables/t/chart":                  "is not the path",
		"/tables/t/chart#x":                      "is not the path",
		"/tables/t":                              "does not lead to a chart",
		"/tables/t/chart/embed":                  "does not lead to a chart",
		"/tables//chart":                         "does not lead to a chart",
		"/tables/a/b/chart":                      "does not lead to a chart",
		"/tables/%ff/chart":                      "cannot be read",
		"/tables/t/chart?a;b":                    "cannot be read",
		"/tables/t/chart?x=%zz":                  "cannot be read",
		"/tables/t/chart?sort=x":                 `the parameter "sort"`,
		"/tables/t/chart?x=1&x=2":                `"x" more than once`,
		"/tables/t/chart?kind=pie":               `has kind="pie"`,
		"/tables/t/chart?column=a&op=equals":     "one each of column",
		"/tables/t/chart?x=" + strings.Repeat("a", pinned.MaxAddress): "is longer than",
	} {
		if _, _, err := pinned.Parse(address); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60s: %v", address, err)
		}
	}
}

func TestEncode(t *testing.T) {
	charts := []pinned.Chart{{"Größe, nach Art", "/tables/monsters/chart?kind=bar&x=species"}, {"<b>\"'", "/tables/a%2Fb/chart"}}
	value := pinned.Encode(charts)
	if want := `[{"title":"Größe, nach Art","address":"/tables/monsters/chart?kind=bar&x=species"},{"title":"<b>\"'","address":"/tables/a%2Fb/chart"}]`; value != want {
		t.Errorf("it is %s", value)
	}
	if value := pinned.Encode(nil); value != "" {
		t.Errorf("no charts are %q", value)
	}
	if got, err := pinned.Decode(value); err != nil || !slices.Equal(got, charts) {
		t.Errorf("got %v, %v", got, err)
	}
	for name, test := range map[string]struct{ value, says string }{
		"no JSON":     {"e30=", "is not JSON like"},
		"no list":     {"{}", "is not JSON like"},
		"many":        {pinned.Encode(slices.Repeat(charts, 7)), "more than 12"},
		"no title":    {pinned.Encode([]pinned.Chart{{" ", "/tables/t/chart"}}), "a title, of chart 1, that is empty"},
		"long title":  {pinned.Encode([]pinned.Chart{{strings.Repeat("é", 81), "/tables/t/chart"}}), "longer than 80"},
		"odd title":   {pinned.Encode([]pinned.Chart{{"a\x1b", "/tables/t/chart"}}), "do not show"},
		"bad address": {pinned.Encode([]pinned.Chart{charts[0], {"a", "/tables/t"}}), "an address, of chart 2, that does not lead"},
	} {
		if _, err := pinned.Decode(test.value); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckOrigin(t *testing.T) {
	for _, text := range []string{"https://wiki.example.com", "https://a.example:8443", "https://intranet", "https://10.0.0.1", "https://xn--bcher-kva.example"} {
		if err := pinned.CheckOrigin(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, says := range map[string]string{
		"http://wiki.example.com":                    "does not start with https://",
		"wiki.example.com":                           "does not start with https://",
		"https://":                                   "is not the scheme",
		"https://wiki.example.com/":                  "is not the scheme",
		"https://Wiki.example.com":                   "is not the scheme",
		"https://*.example.com":                      "is not the scheme",
		"https://a; script-src *":                    "is not the scheme",
		"https://me@a.example":                       "is not the scheme",
		"https://a.example https://b":                "is not the scheme",
		"https://a.example\n":                        "is not the scheme",
		"https://a.example:65536":                    "has a port",
		"https://" + strings.Repeat("a.", 200) + "b": "is not the scheme",
	} {
		if err := pinned.CheckOrigin(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
