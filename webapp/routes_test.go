package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// routes are the patterns of the app, with addresses on the sample data that answer 200 and together hold every
// parameter. What stands in braces in a path is a part that varies.
var routes = []struct {
	pattern   string
	addresses []address
}{
	{"GET /{$}", []address{{"/", "containing=mon"}}},
	{"GET /tables/{name}", []address{
		{"/tables/{monsters}", ""},
		{"/tables/{monsters}", "column=species&op=equals&value=dragon&column=salary&op=at-least&value=1000&sort=name&order=desc&facet=temperament&size=25"},
		{"/tables/{monsters}", "page=2&size=25&sort=salary"},
		{"/tables/{monsters}", "at=17&row=17"},
		{"/tables/{monsters}", "before=117&row=67&size=50"},
		{"/tables/{monsters}", "format=csv&for=spreadsheet&column=name&op=contains&value=a"},
		{"/tables/{monsters}", "format=ndjson&rows=page&size=25&sort=hatched_on"},
		{"/tables/{monsters.csv}", "column=id&op=between&value=1..20&sort=species"},
		{"/tables/{monsters.json}", "column=id&op=in&value=1%2C2%2C3&order=desc"},
		{"/tables/{monsters.ndjson}", "column=name&op=starts-with&value=A"},
		{"/tables/{monsters}", "column=name&op=not-equals&value=a&column=species&op=in&value=dragon%2Ctroll"},
		{"/tables/{games}", "page=2&size=25"},
	}},
	{"GET /tables/{name}/rows/{key}", []address{{"/tables/{monsters}/rows/{17}", ""}, {"/tables/{teams}/rows/{3}", ""}}},
	{"GET /tables/{name}/chart", []address{
		{"/tables/{monsters}/chart", ""},
		{"/tables/{monsters}/chart", "kind=bar&x=species&y=salary&aggregate=avg&group=is_nocturnal&column=salary&op=greater&value=100"},
		{"/tables/{monsters}/chart", "kind=line&x=hatched_on&aggregate=count&by=year&format=json"},
		{"/tables/{monsters}/chart", "kind=histogram&x=height_m&format=csv"},
	}},
	{"GET /tables/{name}/chart/embed", []address{{"/tables/{monsters}/chart/embed", "kind=scatter&x=height_m&y=salary&group=species&column=name&op=contains&value=a"}}},
	{"GET /dashboard", []address{{"/dashboard", ""}}},
	{"GET /favicon.ico", nil}, // leads to the icon
	{"GET /healthz", []address{{"/healthz", ""}}},
	{"GET /readyz", []address{{"/readyz", ""}}},
	{"GET /static/{file}", []address{{"/static/{" + strings.TrimPrefix(assetURLs["style.css"], staticPrefix) + "}", ""}}},
	{"/", nil}, // what no other pattern is for
}

// leading are addresses that lead to others.
var leading = []address{
	{"/tables/{monsters}", "keep=column%3Dspecies%26op%3Dequals%26value%3Ddragon&sort=id"}, // as the form has it
}

// address is an address of the app: a path, in which a part in braces varies, and a query.
type address struct{ path, query string }

var varies = regexp.MustCompile(`\{([^{}]*)\}`)

func (a address) url() string { return a.filled(-1, "", a.query) }

// filled is the address with text, escaped, in the place of the nth part of the path that varies.
func (a address) filled(n int, text, query string) string {
	i := -1
	path := varies.ReplaceAllStringFunc(a.path, func(part string) string {
		if i++; i == n {
			return url.PathEscape(text)
		}
		return part[1 : len(part)-1]
	})
	if query != "" {
		path += "?" + query
	}
	return path
}

// spot is a part of an address into which a visitor may write anything.
type spot struct {
	name, value string
	// with is the address with another value there.
	with func(value string) string
}

// spots are the parts of an address that vary, first those of the path.
func (a address) spots() []spot {
	var spots []spot
	for i, part := range varies.FindAllStringSubmatch(a.path, -1) {
		spots = append(spots, spot{"path", part[1], func(value string) string { return a.filled(i, value, a.query) }})
	}
	if a.query == "" {
		return spots
	}
	parts := strings.Split(a.query, "&")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		value, _ = url.QueryUnescape(value)
		spots = append(spots, spot{name, value, func(value string) string {
			changed := slices.Clone(parts)
			changed[i] = name + "=" + url.QueryEscape(value)
			return a.filled(-1, "", strings.Join(changed, "&"))
		}})
	}
	return spots
}

// allAddresses are those of every route.
func allAddresses() (all []address) {
	for _, r := range routes {
		all = append(all, r.addresses...)
	}
	return append(all, leading...)
}

func TestEveryRouteAnswers(t *testing.T) {
	site := sampleSite(t)
	for _, r := range routes {
		for _, a := range r.addresses {
			site.get(t, a.url(), 200)
		}
	}
	for _, a := range leading {
		site.get(t, a.url(), 303)
	}
}

// TestEveryRouteIsListed reads the code: no route, and no parameter, is forgotten by the tests that go through routes.
func TestEveryRouteIsListed(t *testing.T) {
	var listed []string
	parameters := map[string]bool{}
	for _, r := range routes {
		listed = append(listed, r.pattern)
	}
	for _, a := range allAddresses() {
		for _, s := range a.spots() {
			parameters[s.name] = true
		}
	}
	var found []string
	read := map[string]bool{"path": true}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		routing := false
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				routing = n.Name.Name == "handler"
			case *ast.CallExpr:
				called, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || len(n.Args) == 0 {
					break
				}
				switch name := called.Sel.Name; {
				case routing && (name == "HandleFunc" || name == "Handle"):
					found = append(found, text(t, n.Args[0]))
				case (name == "Get" || name == "Has") && isQuery(called.X):
					if literal, ok := n.Args[0].(*ast.BasicLit); ok {
						read[text(t, literal)] = true
					}
				}
			case *ast.IndexExpr:
				if literal, ok := n.Index.(*ast.BasicLit); ok && isQuery(n.X) {
					read[text(t, literal)] = true
				}
			}
			return true
		})
	}
	// What a chart is made of is read in a loop.
	for name := range (chart{Kind: "a", X: "a", Y: "a", Group: "a", Aggregate: "a", By: "a"}).query() {
		read[name] = true
	}
	slices.Sort(found)
	slices.Sort(listed)
	if !slices.Equal(found, listed) {
		t.Errorf("the app has the routes %q, and the tests %q", found, listed)
	}
	if got, want := slices.Sorted(maps.Keys(parameters)), slices.Sorted(maps.Keys(read)); !slices.Equal(got, want) {
		t.Errorf("the app reads the parameters %q, and the tests have %q", want, got)
	}
}

// isQuery says that the expression is a request's query, by its name.
func isQuery(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "query"
	case *ast.CallExpr:
		called, ok := e.Fun.(*ast.SelectorExpr)
		return ok && called.Sel.Name == "Query"
	}
	return false
}

// text is what a constant expression of texts says.
func text(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	case *ast.BinaryExpr:
		return text(t, e.X) + text(t, e.Y)
	case *ast.Ident:
		if e.Name == "staticPrefix" {
			return staticPrefix
		}
	}
	t.Fatalf("the test cannot read the expression %v", e)
	return ""
}

func TestEveryRouteOnlyReads(t *testing.T) {
	site := sampleSite(t)
	for _, a := range append(allAddresses(), address{"/absent", ""}) {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "PROPFIND"} {
			got := site.ask(t, method, a.url(), 405)
			if allow := got.Header.Get("Allow"); allow != "GET, HEAD" {
				t.Errorf("%s %s: only %q is allowed", method, a.url(), allow)
			}
		}
	}
}
