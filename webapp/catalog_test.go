package main

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"drawbridge/internal/mysqltest"
)

func TestTablesThatChangeBetweenTwoPages(t *testing.T) {
	server := mysqltest.Shared(t)
	schema := server.NewSchema(t)
	root := server.Open(t, "root", rootPassword(server), schema)
	site := newSite(t, server, schema)
	for name, test := range map[string]struct {
		change string
		path   string
		status int
		shows  string
	}{
		"a column has another name":     {"ALTER TABLE t RENAME COLUMN a TO b", "/tables/t", 200, "<bdi>b</bdi>"},
		"a column is gone":              {"ALTER TABLE t DROP COLUMN a", "/tables/t", 200, "<bdi>id</bdi>"},
		"a column is new":               {"ALTER TABLE t ADD COLUMN c INT", "/tables/t?sort=c", 200, "<bdi>c</bdi>"},
		"another key":                   {"ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, a)", "/tables/t/rows/1,7", 200, "this row of"},
		"the table is gone":             {"DROP TABLE t", "/tables/t", 404, "no table called"},
		"its download":                  {"DROP TABLE t", "/tables/t.json", 404, "no table called"},
		"a download without a column":   {"ALTER TABLE t DROP COLUMN a", "/tables/t.csv", 200, "id\r\n1\r\n"},
		"its rows":                      {"INSERT INTO t VALUES (2, 8)", "/tables/t", 200, ">8</td>"},
		"the table is a view now":       {"RENAME TABLE t TO u; CREATE VIEW t AS SELECT a FROM u", "/tables/t", 200, ">7</td>"},
		"the table that it was renamed": {"RENAME TABLE t TO u", "/tables/u", 200, ">1</a>"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _ = root.Exec("DROP VIEW IF EXISTS t")
			mustExec(t, root, "DROP TABLE IF EXISTS t, u", "CREATE TABLE t (id INT PRIMARY KEY, a INT NOT NULL, UNIQUE (a))", "INSERT INTO t VALUES (1, 7)")
			site.get(t, "/tables/t", 200)
			site.get(t, "/tables/t/rows/1", 200)
			_ = site.ask(t, "GET", "/tables/u", 0)
			mustExec(t, root, strings.Split(test.change, "; ")...)
			site.get(t, test.path, test.status).has(t, test.shows)
		})
	}
}

// TestACrowdAsksOnce: many who want to know the same at once cost MySQL one question,
// and one who fails spoils it for nobody.
func TestACrowdAsksOnce(t *testing.T) {
	m := &memory{catalog: &catalog{}}
	var asked atomic.Int32
	begun, on := make(chan struct{}), make(chan struct{})
	ask := func() (int, error) {
		n := asked.Add(1)
		if n == 1 {
			close(begun)
			<-on
		}
		return 7, nil
	}
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if got, err := recall(reader{memory: m}, ask, "question"); got != 7 || err != nil {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
	<-begun
	time.Sleep(50 * time.Millisecond)
	close(on)
	group.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("MySQL was asked %d times", n)
	}

	failing := errors.New("the first one hung up")
	var first atomic.Bool
	begun, on = make(chan struct{}), make(chan struct{})
	answers := make(chan error, 10)
	for range 10 {
		group.Go(func() {
			_, err := recall(reader{memory: m}, func() (int, error) {
				if first.CompareAndSwap(false, true) {
					close(begun)
					<-on
					return 0, failing
				}
				return 8, nil
			}, "another")
			answers <- err
		})
	}
	<-begun
	time.Sleep(50 * time.Millisecond)
	close(on)
	group.Wait()
	close(answers)
	for err := range answers {
		if err != nil {
			t.Errorf("one got %v", err)
		}
	}
}
