//go:build sqlmap

package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"drawbridge/internal/mysqldb"
)

// planted is an app with two holes, at addresses where the real one has none: what a visitor writes becomes a part of a
// statement. It shows that sqlmap would find them.
func planted(a *app) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /tables/{name}", a.holedTable)
	mux.HandleFunc("GET /tables/{name}/rows/{key}", a.holedRow)
	return a.logged(a.recovered(mux))
}

// holedTable is tablePage with one filter, whose value it puts in quotes as it is.
func (a *app) holedTable(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s, _, err := selectionOf(r)
	if err != nil {
		a.fail(w, r, unreadable(err))
		return
	}
	f := s.Filters[0]
	s.Filters = nil
	var v tableView
	err = a.readTable(r, name, func(db reader, found map[string]table) (err error) {
		v = tableView{taken: found}
		if v.resolved, err = db.resolve(found[name], s); err != nil {
			return err
		}
		v.filters = []condition{{sql: mysqldb.QuoteIdentifier(f.Column) + " = '" + f.Value + "'"}}
		return v.load(db)
	})
	if err != nil {
		a.failTable(w, r, name, s, err)
		return
	}
	a.show(w, http.StatusOK, tableTemplate, view{Title: name, Database: v.database, Page: &v})
}

// holedRow is rowPage with a key that it takes for a number.
func (a *app) holedRow(w http.ResponseWriter, r *http.Request) {
	name, key := r.PathValue("name"), r.PathValue("key")
	var v rowView
	err := a.readTable(r, name, func(db reader, found map[string]table) (err error) {
		q := resolved{Table: found[name]}
		v = rowView{Key: key, Table: q.Table}
		if q.Columns, q.Key, err = db.columns(name); err != nil {
			return err
		}
		v.Columns = q.Columns
		return v.load(db, q, condition{sql: "id = " + key})
	})
	if err != nil {
		a.failTable(w, r, name, selection{}, err)
		return
	}
	a.show(w, http.StatusOK, rowTemplate, view{Title: name, Database: v.database, Page: &v})
}

func TestSqlmapFindsThePlantedHoles(t *testing.T) {
	for _, marked := range []string{"/tables/monsters?column=species&op=equals&value=dragon*&sort=name&size=25", "/tables/monsters/rows/17*"} {
		t.Run(marked, func(t *testing.T) {
			var served *app
			site := sampleSite(t, func(a *app) { served = a })
			site.Config.Handler = planted(served)
			site.get(t, strings.ReplaceAll(marked, "*", ""), 200)
			said := sqlmap(t, site.URL+marked)
			if !suspicion.MatchString(said) {
				t.Errorf("sqlmap suspects nothing:\n%s", said)
			}
			// What sqlmap tells pages apart by is chance, and may turn out not to do.
			for range 3 {
				if foundHole(t, said) {
					break
				}
				said = sqlmap(t, site.URL+marked)
			}
			if !foundHole(t, said) {
				t.Errorf("sqlmap did not find it:\n%s", said)
			}
			for _, technique := range []string{"Type: boolean-based blind", "Type: time-based blind", "Type: UNION query"} {
				if strings.Contains(said, technique) {
					t.Log(technique)
				}
			}
		})
	}
}

// TestPlantedHolesAreNotInTheProgram builds the program as carelessly as can be, with the tests' tag.
func TestPlantedHolesAreNotInTheProgram(t *testing.T) {
	file := filepath.Join(t.TempDir(), "webapp")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "sqlmap", "-o", file, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	program, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"main.(*app).tablePage": true, "main.(*app).holedTable": false, "main.(*app).holedRow": false, "main.planted": false} {
		if got := bytes.Contains(program, []byte(name)); got != want {
			t.Errorf("the program holds %s: %v, want %v", name, got, want)
		}
	}
}
