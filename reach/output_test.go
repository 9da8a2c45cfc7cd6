package reach_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"drawbridge/reach"
	"drawbridge/rehearsal/rehearsaltest"
)

func TestTextFitsIntoAHundredColumns(t *testing.T) {
	for _, change := range []func(rehearsaltest.Config){nil, public, balanced} {
		for _, line := range strings.Split(table(t, change).Text(), "\n") {
			if len(line) > 100 {
				t.Errorf("a line of %d columns: %s", len(line), line)
			}
		}
	}
}

func TestTextSaysWhatAQuestionMarkMeans(t *testing.T) {
	e := small(t)
	e.add("Lab", "Unknown", "AWS::EC2::SomethingNew", m{})
	isText(t, e.read(), `
small     Lab/Core  Lab/Edge
          :22       :22
internet  ?         yes
Lab/Core  -         yes
Lab/Edge  yes       -
? means that the templates do not tell.
`)
}

func TestExplainGivesEachCellItsChain(t *testing.T) {
	got := small(t).read().Explain()
	for _, want := range []string{
		"\ninternet -> Lab/Core:22: no: there is no public address for Lab/Core; answers have no route to the internet\n  [Lab/Back Lab/Vpc]\n",
		"\nLab/Core -> Lab/Edge:22: yes: Lab/Core's security groups let it out on port 22 (EC2's default rule); by the VPC's local route; " +
			"Lab/Edge's security groups let it in on port 22\n  [Lab/Group Lab/Vpc]\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the explanation is\n%s\nand should hold\n%s", got, want)
		}
	}
}

func TestANoInsideNamesBothWays(t *testing.T) {
	e := small(t)
	e.set("Lab", aGroup, "", "SecurityGroupIngress", nil)
	c, _ := e.read().Cell(core, edge+":22")
	var texts []string
	for _, r := range c.Why {
		texts = append(texts, string(r.Answer)+": "+r.Text)
	}
	want := strings.Join([]string{
		"yes: Lab/Core's security groups let it out on port 22 (EC2's default rule)",
		"yes: by the VPC's local route",
		"no: Lab/Edge's security groups have no rule that lets it in on port 22",
		"no: by public addresses, packets have no route to the internet",
		"no: by public addresses, there is no public address for Lab/Core",
		"yes: by public addresses, there is a public address for Lab/Edge",
		"yes: by public addresses, answers go to the internet gateway",
	}, "\n")
	if got := strings.Join(texts, "\n"); got != want {
		t.Errorf("the reasons are\n%s\nand should be\n%s", got, want)
	}
}

func TestJSONHoldsTheWholeTable(t *testing.T) {
	text, err := table(t, public).JSON()
	if err != nil {
		t.Fatal(err)
	}
	var parsed reach.Table
	if err := json.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	if parsed.Text() != table(t, public).Text() {
		t.Errorf("the table that JSON holds is\n%s", parsed.Text())
	}
	if c, ok := parsed.Cell("web app", "database:3306"); !ok || len(c.Why) != 3 {
		t.Errorf("the cell that JSON holds is %+v", c)
	}
}

func TestMermaid(t *testing.T) {
	e := small(t)
	e.add("Lab", "Unknown", "AWS::EC2::SomethingNew", m{})
	want := `flowchart LR
  n0["internet"]
  subgraph VPC
    subgraph public["public tier"]
      n1["Lab/Edge"]
    end
    subgraph private["private tier"]
      n2["Lab/Core"]
    end
  end
  n0 -.->|":22 ?"| n2
  n0 -->|":22"| n1
  n2 -->|":22"| n1
  n1 -->|":22"| n2
`
	if got := e.read().Mermaid(); got != want {
		t.Errorf("the flowchart is\n%s\nand should be\n%s", got, want)
	}
}

func TestSVGIsWellFormedAndShowsEveryHostAndArrow(t *testing.T) {
	for name, change := range map[string]func(rehearsaltest.Config){"private": nil, "public": public, "load balanced": balanced} {
		t.Run(name, func(t *testing.T) {
			found := table(t, change)
			svg := found.SVG()
			decoder := xml.NewDecoder(strings.NewReader(svg))
			for {
				if _, err := decoder.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			for _, want := range []string{"drawbridge-dev", "prefers-color-scheme: dark", ">internet<", ">203.0.113.0/24<", ">web app<", ">jump server<",
				">tunnel host<", ">database<", ">Lambda function<", "public tier", "database tier", "functions tier", ">:3306<"} {
				if !strings.Contains(svg, want) {
					t.Errorf("the picture does not hold %q", want)
				}
			}
			if strings.Contains(svg, "http://") && strings.Count(svg, "http://") != strings.Count(svg, "http://www.w3.org/2000/svg") {
				t.Error("the picture refers to something on the internet")
			}
			reached := map[string]bool{}
			for _, c := range found.Cells {
				if to, _, _ := strings.Cut(c.To, ":"); c.Answer == reach.Yes {
					reached[c.From+" "+to] = true
				}
			}
			if got := strings.Count(svg, `<path class="arrow"`); got != len(reached) {
				t.Errorf("%d arrows, and should be %d", got, len(reached))
			}
		})
	}
}

func TestSVGEscapesNames(t *testing.T) {
	found := small(t).read()
	found.Environment = "a<b>&c"
	if svg := found.SVG(); !strings.Contains(svg, "a&lt;b&gt;&amp;c") {
		t.Error("the picture holds a name as it stands")
	}
}

func TestNoChangeIsNoText(t *testing.T) {
	if got := reach.DiffText(reach.Diff(table(t, nil), table(t, nil))); got != "" {
		t.Errorf("the text is %q", got)
	}
}

func TestDiffTextOfTheFlip(t *testing.T) {
	want := `### Who can reach what

| from | to | before | after | because |
|---|---|---|---|---|
| 203.0.113.0/24 | database:3306 | no | **yes** | there is a public address for the database; the database's security groups let it in on port 3306 (MySQL from a developer, public phase); answers go to the internet gateway |
`
	if got := reach.DiffText(reach.Diff(table(t, nil), table(t, public))); got != want {
		t.Errorf("the text is\n%s\nand should be\n%s", got, want)
	}
}

func TestDiffTextCountsWhatIsNewAndLeadsNowhere(t *testing.T) {
	e := small(t)
	e.add("Lab", "Third", instance, m{"SubnetId": m{"Ref": "Back"}, "SecurityGroupIds": []any{m{"Ref": "Group"}}})
	want := `### Who can reach what

| from | to | before | after | because |
|---|---|---|---|---|
| Lab/Third | Lab/Core:22 | (not there) | **yes** | Lab/Third's security groups let it out on port 22 (EC2's default rule); by the VPC's local route; Lab/Core's security groups let it in on port 22 |
| Lab/Third | Lab/Edge:22 | (not there) | **yes** | Lab/Third's security groups let it out on port 22 (EC2's default rule); by the VPC's local route; Lab/Edge's security groups let it in on port 22 |
| Lab/Core | Lab/Third:22 | (not there) | **yes** | Lab/Core's security groups let it out on port 22 (EC2's default rule); by the VPC's local route; Lab/Third's security groups let it in on port 22 |
| Lab/Edge | Lab/Third:22 | (not there) | **yes** | Lab/Edge's security groups let it out on port 22 (EC2's default rule); by the VPC's local route; Lab/Third's security groups let it in on port 22 |

New or gone without a connection: 1 of the table's cells.
`
	if got := reach.DiffText(reach.Diff(small(t).read(), e.read())); got != want {
		t.Errorf("the text is\n%s\nand should be\n%s", got, want)
	}
}

func TestReadBothLooksAtANewNetworkInBoth(t *testing.T) {
	e := small(t)
	e.set("Lab", aGroup, "", "SecurityGroupIngress", []any{ssh("CidrIp", "0.0.0.0/0"), tcp(80, 80, "CidrIp", "192.0.2.0/24")})
	before, after, err := reach.ReadBoth(small(t).a, e.a, reach.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range lines(reach.Diff(before, after)) {
		if strings.Contains(change, ":22:") {
			t.Errorf("%s, but nothing has changed there", change)
		}
	}
}

func TestOptionsRefuseWhatIsNoNetwork(t *testing.T) {
	for block, want := range map[string]string{
		"example.com":   `"example.com" is no IPv4 block, such as 203.0.113.0/24`,
		"2001:db8::/32": `"2001:db8::/32" is no IPv4 block, such as 203.0.113.0/24`,
		"128.0.0.0/1":   "the block 128.0.0.0/1 is broader than /8: that is what the source internet stands for",
	} {
		if _, err := reach.Read(small(t).a, reach.Options{Blocks: []string{block}}); err == nil || err.Error() != want {
			t.Errorf("the error for %s is %v, and should be %s", block, err, want)
		}
	}
}
