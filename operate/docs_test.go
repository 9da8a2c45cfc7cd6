package operate_test

import (
	"regexp"
	"strings"
	"testing"
)

// What docs/operate.md shows is what the commands print, but for how long ago it was, and where the stand-in of the site is.
func TestTheDocsShowWhatTheCommandsPrint(t *testing.T) {
	page := read(t, "../docs/operate.md")
	var (
		span  = regexp.MustCompile(`[0-9]+ [a-z]+ ago`)
		local = regexp.MustCompile(`http://127[0-9.:]+`)
	)
	for name, test := range map[string]struct {
		prepare func(*world)
		args    []string
		end     string // what a command of the CDK would print
	}{
		"doctor": {func(w *world) {
			w.remove("session-manager-plugin")
			w.answer("aws cloudformation describe-stacks", `{"Stacks": []}`)
		}, nil, ""},
		"deploy":  {(*world).public, []string{"-yes", "yes"}, "the deployment\n"},
		"status":  {func(w *world) { w.site(200, "ready") }, nil, ""},
		"destroy": {func(*world) {}, []string{"-yes", "dev"}, "the destruction\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.prepare(w)
			text := w.run(append([]string{name}, test.args...)...).stdout
			text = local.ReplaceAllString(strings.TrimSuffix(text, test.end), "http://198.51.100.22")
			block := "$ make " + name + "\n" + text + "```\n"
			if !strings.Contains(span.ReplaceAllString(page, "AGO"), span.ReplaceAllString(block, "AGO")) {
				t.Errorf("docs/operate.md does not hold\n%s", block)
			}
		})
	}
}
