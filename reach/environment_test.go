package reach_test

import (
	"strings"
	"testing"

	"drawbridge/reach"
	"drawbridge/rehearsal/rehearsaltest"
)

func TestMain(m *testing.M) { rehearsaltest.Main(m) }

// table is what Read makes of the environment dev of cdk.json after a change.
func table(t *testing.T, change func(dev rehearsaltest.Config), blocks ...string) *reach.Table {
	t.Helper()
	found, err := reach.Read(rehearsaltest.Synthesize(t, change), reach.Options{Blocks: blocks})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func public(dev rehearsaltest.Config) { dev["exposure"] = "public" }

func isText(t *testing.T, got *reach.Table, want string) {
	t.Helper()
	if want = strings.TrimPrefix(want, "\n"); got.Text() != want {
		t.Errorf("the table is\n%s\nand should be\n%s", got.Text(), want)
	}
}

func TestPrivatePhase(t *testing.T) {
	isText(t, table(t, nil), `
drawbridge-dev   database  web app  web app  jump server  tunnel host
                 :3306     :80      :443     :22          :22
internet         no        yes      no       no           no
203.0.113.0/24   no        yes      no       yes          no
web app          yes       -        -        no           no
jump server      yes       no       no       -            no
tunnel host      yes       yes      no       no           -
Lambda function  yes       no       no       no           no
`)
}

func TestPublicPhase(t *testing.T) {
	isText(t, table(t, public), `
drawbridge-dev   database  web app  web app  jump server  tunnel host
                 :3306     :80      :443     :22          :22
internet         no        yes      no       no           no
203.0.113.0/24   yes       yes      no       yes          no
web app          yes       -        -        no           no
jump server      yes       no       no       -            no
tunnel host      yes       yes      no       no           -
Lambda function  yes       no       no       no           no
`)
}
