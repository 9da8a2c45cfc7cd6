package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// chartView is the page of a chart.
type chartView struct {
	*figure
	database string
	// Problem is why there is no picture: a sentence.
	Problem string
	Chips   []chip
	// EmbedOrigins are the sites that may show the chart in a frame.
	EmbedOrigins []string
	// Origin is the scheme and host by which the visitor knows this app.
	Origin string
	status int
}

// figure is a picture as pages show it.
type figure struct {
	*graph
	Title, Summary string
	// Data is the picture for the script that draws it, in JSON.
	Data string
	// N tells the figures of a page apart.
	N int
}

func (a *app) chartPage(w http.ResponseWriter, r *http.Request) {
	name := tableOf(r.PathValue("name"))
	format, download := formatOf(r.URL.Query().Get("format"))
	if asked := r.URL.Query().Get("format"); asked != "" && !download {
		a.fail(w, r, unreadable(fmt.Errorf("format is %q, and should be csv, json or ndjson", shorten(asked, 40))))
		return
	}
	v, ok := a.readChart(w, r, name, pageChartTime)
	if !ok {
		return
	}
	switch {
	case download && v.Problem == "":
		v.export(w, format)
	default:
		policy{Scripts: true}.set(w.Header())
		v.EmbedOrigins, v.Origin = a.embedOrigins, originOf(r)
		a.show(w, v.status, chartTemplate, view{Title: v.Title + " · " + v.Table.Name, Database: v.database, Page: v})
	}
}

// readChart reads the chart that r asks for. It is false where the answer is out
// already.
func (a *app) readChart(w http.ResponseWriter, r *http.Request, name string, limit chartTime) (*chartView, bool) {
	c, again, err := chartOf(r)
	if err != nil {
		a.fail(w, r, unreadable(err))
		return nil, false
	}
	if again {
		path, _, _ := strings.Cut(r.URL.RequestURI(), "?")
		query := c.query()
		if format := r.URL.Query().Get("format"); format != "" {
			query.Set("format", format)
		}
		http.Redirect(w, r, withQuery(path, query), http.StatusSeeOther)
		return nil, false
	}
	v := &chartView{status: http.StatusOK}
	err = a.readInTurn(r.Context(), func(db reader) (err error) {
		if v.database, err = db.database(); err != nil {
			return err
		}
		v.figure, err = db.figure(name, c, limit)
		return err
	})
	switch {
	case v.figure != nil && tooLong(err):
		v.Problem, v.status = "The database did not answer in time. Filter the rows, or choose other columns.", http.StatusServiceUnavailable
		w.Header().Set("Retry-After", retryAfter)
		requestOf(r.Context()).problem = "a chart took too long"
	case v.figure != nil && outOfRange(err):
		v.Problem, v.status = outOfRangeSentence, http.StatusBadRequest
	case err != nil:
		a.failTable(w, r, name, c.rows(), err)
		return nil, false
	case v.misfit != "":
		v.Problem, v.status = v.misfit+".", http.StatusBadRequest
	}
	if gone(r) {
		return nil, false
	}
	v.dress()
	return v, true
}

// outOfRangeSentence is for numbers that outOfRange tells of.
const outOfRangeSentence = "The numbers are too large for MySQL to calculate with."

// outOfRange says that MySQL gave up because a number became too large.
func outOfRange(err error) bool {
	refused, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && (refused.Number == 1690 || refused.Number == 1264)
}

// figure reads a chart of the table of that name. Where only the picture fails,
// there is a figure besides the error.
func (r reader) figure(name string, c chart, limit chartTime) (*figure, error) {
	q, err := r.resolveNamed(name, c.rows())
	if err != nil {
		return nil, err
	}
	d, err := r.draw(q, c)
	if err != nil {
		return nil, err
	}
	f := &figure{graph: &graph{drawn: d}}
	switch {
	case d.unguessed:
		f.Title, f.Nothing = "Chart", "No column of this table fits a chart: its values are too long, or of types that have no place on an axis."
		return f, nil
	case d.misfit != "":
		f.Title = "Chart"
		return f, nil
	}
	f.Title = d.chart.title(d.x, d.y)
	p, err := r.graph(d, limit)
	if err != nil {
		if valueRefused(err) && !outOfRange(err) {
			return nil, err // a filter's value
		}
		return f, err
	}
	f.graph = p
	f.Summary = p.summary()
	f.Data = p.data(f.Title + ". " + f.Summary)
	return f, nil
}

// summary says in words what the picture shows.
func (p *graph) summary() string {
	if len(p.Points) == 0 {
		return p.Nothing
	}
	plural := func(n int, word string) string {
		if n == 1 {
			return "1 " + word
		}
		return grouped(uint64(n)) + " " + word + "s"
	}
	least, most := -1, -1
	for i, one := range p.Points {
		if one.Null {
			continue
		}
		if least < 0 || one.Y < p.Points[least].Y {
			least = i
		}
		if most < 0 || one.Y > p.Points[most].Y {
			most = i
		}
	}
	at := func(i int) string {
		cells := p.Points[i].Cells
		text := cells[0].words()
		if len(p.Groups) > 0 {
			text += " / " + cells[1].words()
		}
		return readable(p.Points[i].Y) + " (" + text + ")"
	}
	ends := func() string {
		return p.Points[0].Cells[0].words() + " to " + p.Points[len(p.Points)-1].Cells[0].words()
	}
	var text string
	switch p.chart.Kind {
	case scatterChart:
		low, high := 0, 0
		for i, one := range p.Points {
			if one.X < p.Points[low].X {
				low = i
			}
			if one.X > p.Points[high].X {
				high = i
			}
		}
		last := func(i int) string { cells := p.Points[i].Cells; return cells[len(cells)-1].words() }
		return fmt.Sprintf("%s. %s from %s to %s; %s from %s to %s.", plural(len(p.Points), "point"),
			printable(p.chart.X), p.Points[low].Cells[0].words(), p.Points[high].Cells[0].words(), printable(p.chart.Y), last(least), last(most))
	case lineChart:
		text = plural(len(p.Points), "point") + ", " + ends()
	case histogramChart:
		return fmt.Sprintf("%s of a width of %s. Most: %s.", plural(len(p.Points), "bar"), rangeText(p.width, p.width), at(most))
	default:
		text = plural(len(p.Points), "bar")
		if p.scale == times {
			text += ", " + ends()
		}
	}
	switch {
	case most < 0:
		return text + ". All values are NULL."
	case len(p.Points) == 1:
		return text + ": " + at(most) + "."
	case p.Points[most].Y == p.Points[least].Y:
		return text + ". All are " + readable(p.Points[most].Y) + "."
	}
	return text + ". Largest: " + at(most) + ". Smallest: " + at(least) + "."
}

// readable is about f, as a person would write it.
func readable(f float64) string {
	if size := math.Abs(f); size >= 1e15 || size != 0 && size < 1e-3 {
		return strconv.FormatFloat(f, 'g', 4, 64)
	}
	text := trimZeros(strconv.FormatFloat(f, 'f', 2, 64))
	digits, fraction, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	n, _ := strconv.ParseUint(digits, 10, 64) // below 1e15
	out := text[:len(text)-len(strings.TrimPrefix(text, "-"))] + grouped(n)
	if fraction != "" {
		out += "." + fraction
	}
	return out
}

// words are the cell's text where there is no mark-up.
func (c cell) words() string {
	if c.Null {
		return "NULL"
	}
	return c.Text
}

// graphData is a picture as static/chart.js reads it: one list for each
// property of the points.
type graphData struct {
	Kind    string     `json:"kind"`
	Label   string     `json:"label"`
	X       axisData   `json:"x"`
	Y       axisData   `json:"y"`
	Names   []string   `json:"names,omitempty"`
	Group   string     `json:"group,omitempty"`
	Groups  []string   `json:"groups,omitempty"`
	Stacked bool       `json:"stacked"`
	XS      []float64  `json:"xs"`
	X2S     []float64  `json:"x2s,omitempty"`
	YS      []*float64 `json:"ys"`
	GS      []int      `json:"gs,omitempty"`
}

type axisData struct {
	Label string `json:"label"`
	Scale string `json:"scale"`
}

func (p *graph) data(label string) string {
	names := map[scale]string{categories: "categories", numbers: "numbers", times: "times"}
	d := graphData{
		Kind: p.chart.Kind, Label: label, Group: printable(p.chart.Group), Stacked: p.chart.additive(),
		X: axisData{p.x.measure(), names[p.scale]}, Y: axisData{p.chart.measure(p.y), "numbers"},
	}
	if p.scale == times {
		d.X.Label += " (UTC)"
	}
	if p.chart.Kind == scatterChart && p.y.dated() {
		d.Y = axisData{p.y.measure() + " (UTC)", "times"}
	}
	for _, c := range p.Names {
		d.Names = append(d.Names, c.inPicture())
	}
	for _, c := range p.Groups {
		d.Groups = append(d.Groups, c.inPicture())
	}
	for i := range p.Points {
		one := &p.Points[i]
		d.XS = append(d.XS, one.X)
		if p.scale == times && p.chart.Kind != scatterChart || p.chart.Kind == histogramChart {
			d.X2S = append(d.X2S, one.X2)
		}
		y := &one.Y
		if one.Null {
			y = nil
		}
		d.YS = append(d.YS, y)
		if p.chart.Group != "" {
			d.GS = append(d.GS, one.Group)
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // there is nothing in it that JSON does not have
	}
	return string(text)
}

// inPicture is the cell's text in a picture, where a text “NULL” must not look
// like a value that is NULL.
func (c cell) inPicture() string {
	if c.Null {
		return "no value (NULL)"
	}
	return shorten(c.Text, narrowText)
}

// dress fills in what surrounds the picture.
func (v *chartView) dress() {
	for i, f := range v.chart.Filters {
		c, _ := v.column(f.Column)
		o, _ := operatorOf(f.Op)
		less := v.chart
		less.Filters = v.chart.rows().without(i).Filters
		v.Chips = append(v.Chips, chip{filter: f, N: i + 1, Column: c, Operator: o, Text: printable(shorten(f.Value, shortText)), RemoveURL: less.url(v.Table.Name)})
	}
}

// export answers with the points in a format.
func (v *chartView) export(w http.ResponseWriter, format exportFormat) {
	w.Header().Set("Content-Type", format.contentType)
	w.Header().Set("Content-Disposition", disposition(format.disposition, v.Table.Name+" chart."+format.name))
	out := bufio.NewWriter(w)
	rows := format.writer(out, v.Heads, v.Table.Name, false)
	rows.begin()
	cut := make([]bool, len(v.Heads))
	for _, one := range v.Points {
		rows.row(one.values, cut)
	}
	rows.end(len(v.Points), len(v.Notes) == 0)
	_ = out.Flush() // the visitor may be gone
}

// What the template shows.

// Chart is the chart, with what was guessed.
func (f *figure) Chart() chart { return f.chart }

// Times says that some axis shows times.
func (f *figure) Times() bool {
	return f.scale == times && f.chart.X != "" || f.chart.Kind == scatterChart && f.y.dated()
}

// XHead, GroupHead and YHead are the headings of the data's table.
func (f *figure) XHead() string { return f.x.measure() }

// GroupHead is the heading of the groups, if there are any.
func (f *figure) GroupHead() string { return printable(f.chart.Group) }

// YHead is the heading of the values.
func (f *figure) YHead() string { return f.chart.measure(f.y) }

// LastCell is the number of the cell with the value.
func (f *figure) LastCell() int {
	if f.chart.Group != "" {
		return 2
	}
	return 1
}

// URL is the address of the chart, with everything that was guessed.
func (f *figure) URL() string { return f.chart.url(f.Table.Name) }

// TableURL is the address of the rows that the chart is made of.
func (f *figure) TableURL() string { return f.chart.rows().url(f.Table.Name) }

// Export is the address of the data in a format.
func (f *figure) Export(format string) string {
	query := f.chart.query()
	query.Set("format", format)
	return withQuery(chartPath(f.Table.Name), query)
}

// EmbedURL is the address of the figure alone.
func (f *figure) EmbedURL() string {
	return withQuery(chartPath(f.Table.Name)+"/embed", f.chart.query())
}

// Snippet is the HTML that shows the figure on another site.
func (v *chartView) Snippet() string {
	return fmt.Sprintf(`<iframe src="%s" title="%s" width="100%%" height="560" loading="lazy"></iframe>`,
		html.EscapeString(v.Origin+v.EmbedURL()), html.EscapeString(v.Title))
}

// Path is the address of the table's charts.
func (v *chartView) Path() string { return chartPath(v.Table.Name) }

// Kept are the filters for the form.
func (v *chartView) Kept() []field {
	var fields []field
	for _, f := range v.chart.Filters {
		fields = append(fields, field{"keep", kept(f)})
	}
	return fields
}

// option is one of the choices in a form.
type option struct {
	Value, Text string
	Selected    bool
}

func options(choices []choice, selected string) []option {
	var all []option
	for _, c := range choices {
		all = append(all, option{c.Value, c.Words, c.Value == selected})
	}
	return all
}

// columnOptions are the columns that fits accepts.
func (v *chartView) columnOptions(selected string, fits func(column) bool) []option {
	var all []option
	for _, c := range v.Columns {
		if fits(c) || c.Name == selected {
			all = append(all, option{c.Name, printable(c.Name), c.Name == selected})
		}
	}
	return all
}

// Kinds are the choices for the kind.
func (v *chartView) Kinds() []option { return options(chartKinds, v.chart.Kind) }

// Aggregates are the choices for the aggregate.
func (v *chartView) Aggregates() []option { return options(aggregates, v.chart.Aggregate) }

// Spans are the choices for the length of time.
func (v *chartView) Spans() []option { return options(spans, v.chart.By) }

// Xs are the columns that some chart can have along x.
func (v *chartView) Xs() []option {
	return v.columnOptions(v.chart.X, func(c column) bool { return c.dated() || c.measurable() || c.Countable() })
}

// Ys are the columns that some chart can have along y.
func (v *chartView) Ys() []option {
	return v.columnOptions(v.chart.Y, func(column) bool { return true })
}

// GroupOptions are the columns that can give groups.
func (v *chartView) GroupOptions() []option { return v.columnOptions(v.chart.Group, column.Countable) }
