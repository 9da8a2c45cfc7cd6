package main

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/singleflight"
)

const (
	// catalogAge is how long the app goes by what MySQL last said of a table: its
	// columns, keys and foreign keys, and its number of rows. Asking takes MySQL
	// many times as long as reading the rows of a page.
	catalogAge = 5 * time.Second
	// maxCatalog is how many answers are remembered.
	maxCatalog = 256
)

// catalog remembers for a moment what MySQL said of its tables.
type catalog struct {
	mu      sync.Mutex
	answers map[string]remembered
	// asking is for a crowd that wants to know the same: one of them asks.
	asking singleflight.Group
}

type remembered struct {
	answer any
	until  time.Time
}

// memory is one read's use of the catalog. A nil memory remembers nothing.
type memory struct {
	*catalog
	// relied says that some answer was a remembered one.
	relied bool
}

// recall is what ask answers, or what it answered a moment ago. What names the
// question: a kind, and the tables that it is about. Nobody may change the answer.
func recall[T any](r reader, ask func() (T, error), what ...string) (T, error) {
	if r.memory == nil {
		return ask()
	}
	question := fmt.Sprintf("%q", what)
	if answer, ok := r.memory.get(question); ok {
		r.memory.relied = true
		return answer.(T), nil
	}
	answer, err, shared := r.memory.asking.Do(question, func() (any, error) {
		answer, err := ask()
		if err == nil {
			r.memory.put(question, answer)
		}
		return answer, err
	})
	if err != nil && shared {
		// The one who asked may have hung up.
		return ask()
	}
	return answer.(T), err
}

func (c *catalog) get(question string) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.answers[question]
	return found.answer, ok && time.Now().Before(found.until)
}

func (c *catalog) put(question string, answer any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(c.answers, func(_ string, r remembered) bool { return !now.Before(r.until) })
	if c.answers == nil || len(c.answers) >= maxCatalog {
		c.answers = map[string]remembered{}
	}
	c.answers[question] = remembered{answer, now.Add(catalogAge)}
}

// forget is for when the tables turn out to have changed.
func (c *catalog) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers = nil
}

// outdated says that err may come from a remembered answer that holds no more.
func (m *memory) outdated(err error) bool {
	if m == nil || !m.relied || err == nil {
		return false
	}
	if _, ok := errors.AsType[*refusal](err); ok || errors.Is(err, errKey) || errors.Is(err, errNoKey) || errors.Is(err, sql.ErrNoRows) {
		return true
	}
	if _, ok := errors.AsType[*noTable](err); ok {
		return true
	}
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	// No such column or table, a view of something gone, a table that changed
	// ("Server Error Message Reference" in the MySQL reference manual).
	return ok && slices.Contains([]uint16{1054, 1146, 1356, 1412}, refused.Number)
}
