package endtoend

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"

	"drawbridge/rehearsal/cloudformation"
)

// sampleData says whether the sample data is to be loaded.
func sampleData(wanted bool) func(config) {
	return func(dev config) { dev["database"].(map[string]any)["sampleData"] = wanted }
}

// tables are the tables of the schema monster_teams, each with the number of its rows.
func (p *play) tables() (found []string) {
	p.t.Helper()
	root := p.server.Root(p.t)
	defer root.Close() //nolint:errcheck // only read
	rows, err := root.Query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'monster_teams' ORDER BY 1")
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name); err != nil {
			p.t.Fatal(err)
		}
		if err := root.QueryRow("SELECT COUNT(*) FROM monster_teams." + name).Scan(&n); err != nil {
			p.t.Fatal(err)
		}
		found = append(found, fmt.Sprint(name, " ", n))
	}
	if rows.Err() != nil {
		p.t.Fatal(rows.Err())
	}
	return found
}

// loads are what became of the sample data's requests since an operation.
func (p *play) loads(from int) (did []cloudformation.Action) {
	for _, o := range p.Operations()[from:] {
		if o.Type == "Custom::SampleData" {
			did = append(did, o.Action)
		}
	}
	return did
}

func TestSampleData(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.mustDeploy(nil)
	sample := p.tables()
	result := func() string {
		t.Helper()
		return p.resource(databaseStack, "Custom::SampleData", "").Attributes["Result"].(string)
	}
	p.run("is loaded by the first deployment", func(t *testing.T) {
		if len(sample) < 3 || !strings.HasPrefix(result(), fmt.Sprintf("loaded %d tables with ", len(sample))) {
			t.Errorf("the schema has %v; the answer is %q", sample, result())
		}
		p.mustServe()
	})
	p.asMaster("UPDATE monster_teams.teams SET name = 'Renamed by hand' ORDER BY id LIMIT 1")
	p.asMaster("DELETE FROM monster_teams.appearances ORDER BY id LIMIT 1")
	changed := p.tables()
	unchanged := func() {
		p.t.Helper()
		var name string
		root := p.server.Root(p.t)
		defer root.Close() //nolint:errcheck // only read
		if err := root.QueryRow("SELECT name FROM monster_teams.teams ORDER BY id LIMIT 1").Scan(&name); err != nil || name != "Renamed by hand" {
			p.t.Errorf("the first team is %q, %v", name, err)
		}
		if now := p.tables(); !slices.Equal(now, changed) {
			p.t.Errorf("the schema has %v, want %v", now, changed)
		}
	}
	p.run("is loaded once: the same request again changes nothing", func(t *testing.T) {
		if slices.Equal(sample, changed) {
			t.Fatal("this test changed nothing")
		}
		for _, request := range []cfn.RequestType{cfn.RequestCreate, cfn.RequestUpdate} {
			answer := p.sendAgain(databaseStack, "Custom::SampleData", "", request, nil).must(t)
			if answer.Data["Result"] != "the schema was left alone: it holds the sample data" {
				t.Errorf("%s: the answer is %v", request, answer.Data)
			}
		}
		unchanged()
	})
	p.run("stays when it is not wanted any more, and is not loaded again when it is", func(t *testing.T) {
		for _, wanted := range []bool{false, true, false} {
			from := len(p.Operations())
			p.mustDeploy(sampleData(wanted))
			want := cloudformation.Delete
			if wanted {
				want = cloudformation.Create
			}
			if did := p.loads(from); !slices.Equal(did, []cloudformation.Action{want}) {
				t.Errorf("sampleData %v: CloudFormation did %v", wanted, did)
			}
			unchanged()
			p.mustServe()
		}
	})
}

func TestSampleDataThatIsTurnedOnLater(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.run("is not there as long as it is off", func(t *testing.T) {
		p.mustDeploy(sampleData(false))
		if tables := p.tables(); tables != nil {
			t.Errorf("there is %v", tables)
		}
	})
	p.run("is loaded into a schema that is empty", func(t *testing.T) {
		p.mustDeploy(sampleData(true))
		p.mustServe()
		p.mustDeploy(sampleData(false))
		if tables := p.tables(); tables == nil {
			t.Error("it was taken away")
		}
	})
	for _, own := range []string{"CREATE TABLE monster_teams.teams (own INT)", "CREATE VIEW monster_teams.own AS SELECT 1"} {
		p.run("leaves tables of one's own alone: "+own, func(t *testing.T) {
			p.asMaster("DROP DATABASE monster_teams")
			p.asMaster("CREATE DATABASE monster_teams")
			p.asMaster(own)
			before := p.tables()
			p.mustDeploy(sampleData(true))
			if after := p.tables(); !slices.Equal(after, before) {
				t.Errorf("there is %v, want %v", after, before)
			}
			result := p.resource(databaseStack, "Custom::SampleData", "").Attributes["Result"]
			if result != "the schema was left alone: it holds tables that are not the sample data's" {
				t.Errorf("the answer is %v", result)
			}
			p.mustDeploy(sampleData(false))
			if after := p.tables(); !slices.Equal(after, before) {
				t.Errorf("there is %v, want %v", after, before)
			}
		})
	}
}
