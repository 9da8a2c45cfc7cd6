package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong in a config.
type Problem struct {
	Where    string // the file or context it stands in; "" for the command line
	Path     string // such as environments.dev.database.name
	Found    string // a clause about what stands there: `7 is a number, not text`
	Expected string // what belongs there
	Example  string // a value of that form as JSON, or ""
}

// String returns the problem as one line.
func (p Problem) String() string {
	var line strings.Builder
	if p.Where != "" {
		line.WriteString(p.Where + ": ")
	}
	line.WriteString(p.Path + ": " + p.Found + "; expected " + p.Expected)
	if p.Example != "" {
		line.WriteString(", for example " + p.Example)
	}
	return line.String()
}

// Problems is every problem of a config, sorted by path. It is the only type of
// error that this package returns.
type Problems []Problem

// Error lists every problem, one line each.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Warning is something in a valid config that its owner should look at.
type Warning struct {
	Path    string
	Message string
}

// String returns the warning as one line.
func (w Warning) String() string { return w.Path + ": " + w.Message }

// place is where a value stands: its path for people, and its key in a field
// table, where list indices and map keys are "*".
type place struct {
	parent *place
	path   string
	field  string
}

func (p place) key(name string) place {
	return place{&p, p.path + pathKey(name), strings.TrimPrefix(p.field+"."+name, ".")}
}

func (p place) entry(name string) place {
	return place{&p, p.path + pathKey(name), p.field + ".*"}
}

func (p place) index(i int) place {
	return place{&p, fmt.Sprintf("%s[%d]", p.path, i), p.field + ".*"}
}

// report gathers the problems and warnings of one config.
type report struct {
	where    string
	fields   map[string]field
	problems Problems
	warnings []Warning
	reported map[string]bool // paths that have a problem
}

// problem notes what was found at a place. Each place gets one problem, the
// first, and none if something it stands in has one: a list that is no list
// has no elements to complain about.
func (r *report) problem(at place, found string, args ...any) {
	for p := &at; p != nil; p = p.parent {
		if r.reported[p.path] {
			return
		}
	}
	f := r.fields[at.field]
	r.add(Problem{r.where, at.path, fmt.Sprintf(found, args...), f.expected, f.example})
}

func (r *report) add(p Problem) {
	if r.reported[p.Path] {
		return
	}
	r.reported[p.Path] = true
	r.problems = append(r.problems, p)
}

func newReport(where string, fields map[string]field) *report {
	return &report{where: where, fields: fields, reported: map[string]bool{}}
}

func (r *report) warn(at place, message string, args ...any) {
	r.warnings = append(r.warnings, Warning{at.path, fmt.Sprintf(message, args...)})
}

// isWrong tells whether a place has a problem.
func (r *report) isWrong(at place) bool { return r.reported[at.path] }

// err returns the problems sorted by path, or nil if there are none.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Path, b.Path) })
	return r.problems
}
