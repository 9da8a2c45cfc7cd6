package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"drawbridge/internal/mysqldb"
	"drawbridge/internal/pinned"
)

const (
	// dashboardTime is the time in which all charts of a dashboard must have begun;
	// none takes longer than pageTimeout then.
	dashboardTime = 8 * time.Second
	// dashboardWorkers is how many of them are read at a time: others want to read
	// too.
	dashboardWorkers = 2
)

// dashboardChartTime bounds each chart of a dashboard, so that a slow one does not
// use up the time of the others.
var dashboardChartTime = chartTime{time.Second, 500 * time.Millisecond}

// dashboard is the page of the charts that the config pins, and of the vendor's
// own dashboard.
type dashboard struct {
	Charts []*pinnedChart
	// URL is the vendor's dashboard, and Framed says that it is shown in a frame.
	URL    string
	Framed bool
}

// pinnedChart is one chart of a dashboard.
type pinnedChart struct {
	pinned.Chart
	Figure *figure
	// Problem is why there is no picture: a sentence.
	Problem string

	database string
	err      error
}

// Heading is what the config calls the chart.
func (p *pinnedChart) Heading() string { return printable(p.Title) }

// plainOrigin is a scheme, host and port that can stand in a policy.
var plainOrigin = regexp.MustCompile(`^https?://[A-Za-z0-9.-]+(:[0-9]+)?$`)

func (a *app) dashboardPage(w http.ResponseWriter, r *http.Request) {
	if !a.hasDashboard() {
		a.nothingHere(w, r)
		return
	}
	d := dashboard{Charts: a.readPinned(r.Context()), URL: a.dashboardURL}
	if gone(r) {
		return
	}
	var database string
	away := len(d.Charts) > 0
	for _, c := range d.Charts {
		if c.database != "" {
			database = c.database
		}
		away = away && isAway(c.err)
	}
	if away {
		a.failDatabase(w, r, d.Charts[0].err)
		return
	}
	p := policy{Scripts: len(d.Charts) > 0}
	if u, err := url.Parse(d.URL); err == nil && d.URL != "" {
		if origin := u.Scheme + "://" + u.Host; plainOrigin.MatchString(origin) {
			d.Framed, p.FrameSrc = true, []string{origin}
		}
	}
	p.set(w.Header())
	a.show(w, http.StatusOK, dashboardTemplate, view{Title: "Dashboard", Database: database, Page: d})
}

func (a *app) hasDashboard() bool { return len(a.charts) > 0 || a.dashboardURL != "" }

// isAway says that nothing can be read of the database.
func isAway(err error) bool {
	if err == nil || errors.Is(err, errBusy) {
		return false
	}
	var absent *noTable
	var refused *refusal
	if errors.As(err, &absent) || errors.As(err, &refused) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	switch mysqldb.Explain(err).Kind {
	case mysqldb.Forbidden, mysqldb.TimedOut, mysqldb.Other:
		return false
	}
	return true
}

// readPinned reads the pinned charts, each in its turn and on its own: what is
// wrong with one is no matter to the others.
func (a *app) readPinned(ctx context.Context) []*pinnedChart {
	charts := make([]*pinnedChart, len(a.charts))
	ctx, cancel := context.WithTimeout(ctx, dashboardTime)
	defer cancel()
	next := make(chan int)
	var group sync.WaitGroup
	for range min(dashboardWorkers, len(charts)) {
		group.Go(func() {
			for i := range next {
				charts[i] = a.readPinnedChart(ctx, a.charts[i])
				if charts[i].Figure != nil {
					charts[i].Figure.N = i
				}
			}
		})
	}
	for i := range charts {
		next <- i
	}
	close(next)
	group.Wait()
	return charts
}

func (a *app) readPinnedChart(ctx context.Context, pin pinned.Chart) (p *pinnedChart) {
	p = &pinnedChart{Chart: pin}
	// A goroutine that panics would end the app.
	defer func() {
		if cause := recover(); cause != nil {
			requestOf(ctx).problem = fmt.Sprintf("a mistake in the app at %s: %v", panicked(), cause)
			*p = pinnedChart{Chart: pin, Problem: "It could not be made because of a mistake in the app."}
		}
	}()
	address, name, err := pinned.Parse(pin.Address)
	if err != nil {
		p.Problem = "Its address " + err.Error() + "."
		return p
	}
	name = tableOf(name)
	// Only the address counts of a request.
	c, _, err := chartOf(&http.Request{URL: address})
	if err != nil {
		p.Problem = "Its address cannot be followed: " + err.Error() + "."
		return p
	}
	if ctx.Err() != nil {
		p.Problem = "There was no time left for it: others took too long."
		return p
	}
	p.err = a.readInTurn(ctx, func(db reader) (err error) {
		if p.database, err = db.database(); err != nil {
			return err
		}
		p.Figure, err = db.figure(name, c, dashboardChartTime)
		return err
	})
	p.Problem = chartProblem(name, p.Figure, p.err)
	return p
}

// chartProblem says why a chart has no picture, or nothing.
func chartProblem(name string, f *figure, err error) string {
	var absent *noTable
	var refused *refusal
	switch {
	case err == nil && f.misfit != "":
		return f.misfit + "."
	case err == nil:
		return ""
	case errors.Is(err, errBusy):
		return "The database is busy with other pages that take long. Try again in a few seconds."
	case errors.Is(err, context.DeadlineExceeded) && f == nil, tooLong(err):
		return "The database did not answer in time."
	case errors.As(err, &absent):
		return fmt.Sprintf("The database has no table called “%s” that this app may read.", printable(shorten(name, maxName)))
	case errors.As(err, &refused):
		return refused.sentence
	case outOfRange(err):
		return outOfRangeSentence
	case mysqldb.Explain(err).Kind == mysqldb.Forbidden:
		return "The database does not let this app read that."
	case isAway(err):
		return awaySentence(mysqldb.Explain(err).Kind)
	}
	return "The database answered with an error."
}
