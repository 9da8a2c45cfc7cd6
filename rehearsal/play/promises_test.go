package play

import (
	"strings"
	"testing"

	"drawbridge/reach"
)

// cellOf is a table of one source, one door and one answer.
func cellOf(s reach.Source, d reach.Door, a reach.Answer) *reach.Table {
	return &reach.Table{
		Sources: []reach.Source{s}, Doors: []reach.Door{d},
		Cells: []reach.Cell{{From: s.Name, To: d.Title(), Answer: a, Why: []reach.Reason{{Answer: a, Text: "because", Where: "Stack/Resource"}}}},
	}
}

func TestPromises(t *testing.T) {
	internet := reach.Source{Name: reach.Internet}
	developers := reach.Source{Name: "203.0.113.0/24", Block: "203.0.113.0/24"}
	half := reach.Source{Name: "128.0.0.0/1", Block: "128.0.0.0/1"}
	web := reach.Source{Name: "web app", Inside: true}
	door := func(name string, from, to int) reach.Door { return reach.Door{Name: name, FromPort: from, ToPort: to} }
	database := door("database", 3306, 3306)

	for name, c := range map[string]struct {
		source reach.Source
		door   reach.Door
		answer reach.Answer
		public bool
		broken bool
	}{
		"the internet does not reach the database": {internet, database, reach.No, true, false},
		"it must not, even in public":              {internet, database, reach.Yes, true, true},
		"developers reach it in public":            {developers, database, reach.Yes, true, false},
		"and not in private":                       {developers, database, reach.Yes, false, true},
		"half the internet is no name":             {half, database, reach.Yes, true, true},
		"those inside must reach it":               {web, database, reach.No, false, true},
		"on its port alone":                        {web, door("database", 0, 65535), reach.Yes, false, true},
		"named addresses reach the jump server":    {developers, door("jump server", 22, 22), reach.Yes, false, false},
		"the internet does not":                    {internet, door("jump server", 22, 22), reach.Yes, false, true},
		"nobody inside either":                     {web, door("jump server", 22, 22), reach.Yes, false, true},
		"nobody reaches the tunnel host":           {developers, door("tunnel host", 22, 22), reach.Yes, false, true},
		"everybody may reach the web app":          {internet, door("web app", 443, 443), reach.Yes, false, false},
		"or not":                                   {internet, door("web app", 443, 443), reach.No, false, false},
		"not on another port":                      {internet, door("web app", 22, 22), reach.Yes, false, true},
		"a door that nobody knows is shut":         {internet, door("Other/Host", 80, 80), reach.Yes, false, true},
		"what cannot be told is no promise":        {internet, door("web app", 80, 80), reach.CannotTell, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			err := promises(cellOf(c.source, c.door, c.answer), c.public)
			if (err != nil) != c.broken {
				t.Errorf("%v", err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.source.Name+" -> "+c.door.Title()) || !strings.Contains(err.Error(), "because [Stack/Resource]")) {
				t.Errorf("it does not say what and why: %v", err)
			}
		})
	}
}
