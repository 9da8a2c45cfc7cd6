package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// badPage has one thing wrong for each check.
const badPage = `<!doctype html>
<html>
<head><title>Drawbridge</title><style>body { background: #fff } p { transition: color 1s } .wide { width: 2000px }</style></head>
<body>
<h1>One</h1><h1>Another</h1>
<p style="color: #ccc; background: #fff">pale</p>
<img src="/picture.png"><img src="http://127.0.0.1:1/elsewhere.png">
<form><input name="nameless"></form>
<div class="wide">wide</div>
<script>document.title = 'Changed'</script>
</body>
</html>`

func TestTheChecksFindWhatIsWrong(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/bad" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'")
		fmt.Fprint(w, badPage)
	}))
	defer site.Close()
	source := axe(t)
	b := newTab(t, Start(t), site.URL)
	bad := page{name: "bad", path: "/bad"}
	b.visit(bad)
	found := strings.Join(b.look(bad, source, t.TempDir()), "\n")
	for _, want := range []string{
		"anyhow: 2 of h1 with text, want 1",
		"anyhow: 0 of main, want 1",
		"anyhow: the language of the page is \n",
		"anyhow: the title is Drawbridge",
		"anyhow: the first thing to reach by Tab",
		"anyhow: it has inline style or script: <p style",
		"wide, light: axe-core: image-alt",
		"wide, light: axe-core: color-contrast",
		"narrow, light: axe-core: label",
		"wide, dark: axe-core: color-contrast",
		"dark: ground and text have the colours that they have in the light",
		"narrow: the page is 20",
		"at a zoom of 400 %: the page is 20",
		"with reduced motion: 1 parts",
		"printed: 1 forms",
		"loading: it asks for http://127.0.0.1:1/elsewhere.png",
		"picture.png has the status 404",
		"Content Security Policy",
		"ContentSecurityPolicyIssue",
	} {
		if !strings.Contains(found+"\n", want) {
			t.Errorf("it does not find %q", want)
		}
	}
	if t.Failed() {
		t.Log(found)
	}
	b.visit(page{path: "/other"})
	if found := b.faults(); len(found) == 0 || !strings.Contains(found[0], "/other has the status 404") {
		t.Errorf("of a page that is not there it says %q", found)
	}
}
