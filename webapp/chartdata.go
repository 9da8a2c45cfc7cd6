package main

import (
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"drawbridge/internal/mysqldb"
)

const (
	// maxBars is how many values of a column have a bar, maxSpans how many spans
	// of time or numbers along x a point, and maxDots how many rows a scatter
	// shows.
	maxBars  = 50
	maxSpans = 500
	maxDots  = 2000
	// maxGroups is how many groups have a colour; there are as many that can be
	// told apart.
	maxGroups = 8
	// sampleRows is how many rows a chart is made of when all of them take too
	// long.
	sampleRows = 100_000
)

// chartTime is how long MySQL works for a chart: on all rows, and then, if that
// was too short, on some.
type chartTime struct{ all, some time.Duration }

var pageChartTime = chartTime{2500 * time.Millisecond, time.Second}

// graph is what a chart shows.
type graph struct {
	drawn
	scale  scale
	Points []point
	// Names are the categories along x, and Groups the groups, where there are
	// any.
	Names, Groups []cell
	// Values are the values of the points, for programs, in the columns Heads.
	Heads []column
	// Notes are sentences about what the picture leaves out.
	Notes []string
	// Nothing is why there are no points: a sentence.
	Nothing string
	// width is the width of a histogram's bars.
	width float64
}

// point is a bar, a dot, or a point of a line.
type point struct {
	// X is where it begins, and X2 where it ends: a number, or a time in
	// milliseconds, as JavaScript counts them. Of a category X is the number.
	X, X2 float64
	Y     float64
	// Null says that there is no Y.
	Null bool
	// Group is the number of its group, or -1.
	Group int
	// Cells are its texts: X, the group if there are groups, Y.
	Cells []cell
	// values are the same for programs.
	values []any
}

// graph reads what d shows. It is an error that satisfies tooLong when not even
// some of the rows can be read in time.
func (r reader) graph(d drawn, limit chartTime) (*graph, error) {
	read := func(some bool, limit time.Duration) (*graph, error) {
		p := &graph{drawn: d, scale: d.chart.scaleOf(d.x)}
		var err error
		switch d.chart.Kind {
		case scatterChart:
			err = r.dots(p, some, limit)
		case histogramChart:
			err = r.bins(p, some, limit)
		default:
			err = r.aggregate(p, some, limit)
		}
		return p, err
	}
	p, err := read(false, limit.all)
	if tooLong(err) {
		if p, err = read(true, limit.some); err == nil {
			p.Notes = append(p.Notes, fmt.Sprintf("It is made of the first %s rows that MySQL finds, because all of them would take too long.", grouped(sampleRows)))
		}
	}
	if err == nil && len(p.Points) == 0 && p.Nothing == "" && (p.chart.Kind == barChart || p.chart.Kind == lineChart) {
		var unplaced bool
		if unplaced, err = r.any(d, limit.some); unplaced {
			p.Nothing = "All values along x are NULL, or no whole dates."
		}
	}
	if err == nil && len(p.Points) == 0 && p.Nothing == "" {
		p.Nothing = "There are no rows to show."
		if len(d.filters) > 0 {
			p.Nothing = "No rows are as the filters say."
		}
	}
	return p, err
}

// from is the FROM and WHERE for the rows of d, which are called some_rows, or for
// the first of them.
func (d drawn) from(some bool, conditions ...condition) (string, []any) {
	table := mysqldb.QuoteIdentifier(d.Table.Name)
	if !some {
		where, args := whereOf(append(slices.Clip(d.filters), conditions...))
		return " FROM " + table + " AS some_rows" + where, args
	}
	var names []string
	for _, name := range []string{d.chart.X, d.chart.Y, d.chart.Group} {
		if quoted := mysqldb.QuoteIdentifier(name); name != "" && !slices.Contains(names, quoted) {
			names = append(names, quoted)
		}
	}
	where, args := whereOf(d.filters)
	outer, more := whereOf(conditions)
	return fmt.Sprintf(" FROM (SELECT %s FROM %s%s LIMIT %d) AS some_rows%s", strings.Join(names, ", "), table, where, sampleRows, outer), append(args, more...)
}

// any tells whether the filters keep any row.
func (r reader) any(d drawn, limit time.Duration) (bool, error) {
	n, err := r.countSome(d.Table, d.filters, limit, 0)
	return n > 0, err
}

// rowsName is what from calls the rows.
const rowsName = "some_rows"

func (c column) of(rows string) string { return rows + "." + mysqldb.QuoteIdentifier(c.Name) }

// aggregate reads bars and lines, in one statement: MySQL gathers the rows by x
// and group, ranks both, and gives the first ones.
func (r reader) aggregate(p *graph, some bool, limit time.Duration) error {
	d, c := &p.drawn, p.chart
	key, most := d.x.of(rowsName), maxSpans
	// rank orders the values of x: the first ones are shown.
	rank := "k"
	switch p.scale {
	case categories:
		rank, most = "kw DESC, k", maxBars
	case times:
		key, rank = d.x.gathered(rowsName, c.By), "k DESC"
	case numbers:
		key = d.x.measured(rowsName)
	}
	group := "NULL"
	if c.Group != "" {
		group = d.group.of(rowsName)
	}
	// What has the largest values is shown first. Averages and the like do not
	// add up over groups: then it is what has the most rows.
	weight := "n"
	if c.Group == "" || c.additive() {
		weight = "v"
	}
	from, args := d.from(some)
	// Grouping by number, because a column of the table may be called k or g.
	statement := fmt.Sprintf("SELECT %s AS k, %s AS g, %s AS v, COUNT(*) AS n%s GROUP BY 1, 2", key, group, c.aggregated(d.y, rowsName), from)
	statement = fmt.Sprintf("SELECT k, g, v, n, SUM(%[1]s) OVER (PARTITION BY k) AS kw, SUM(%[1]s) OVER (PARTITION BY g) AS gw, SUM(CASE WHEN k IS NULL THEN n ELSE 0 END) OVER () AS nulls FROM (%[2]s) AS gathered", weight, statement)
	if p.scale != categories {
		statement = "SELECT * FROM (" + statement + ") AS placed WHERE k IS NOT NULL"
		statement = fmt.Sprintf("SELECT k, g, v, n, gw, nulls, DENSE_RANK() OVER (ORDER BY %s) AS kr, DENSE_RANK() OVER (ORDER BY gw DESC, g) AS gr FROM (%s) AS weighed", rank, statement)
	} else {
		statement = fmt.Sprintf("SELECT k, g, v, n, gw, nulls, DENSE_RANK() OVER (ORDER BY %s) AS kr, DENSE_RANK() OVER (ORDER BY gw DESC, g) AS gr FROM (%s) AS weighed", rank, statement)
	}
	statement = fmt.Sprintf("SELECT k, g, v, kr, gr, nulls, MAX(kr) OVER () AS ks, MAX(gr) OVER () AS gs FROM (%s) AS ranked", statement)
	statement = hinted(limit) + fmt.Sprintf("k, g, v, kr, gr, nulls, ks, gs FROM (%s) AS chosen WHERE kr <= ? AND gr <= ? ORDER BY kr, gr LIMIT ?", statement)

	var keys, groups, nulls uint64
	lastRank := 0
	err := r.each(func(rows *sql.Rows) error {
		var k, g, v any
		var kr, gr int
		if err := rows.Scan(&k, &g, &v, &kr, &gr, &nulls, &keys, &groups); err != nil {
			return err
		}
		one := point{Group: -1}
		one.Y, one.Null = float(v)
		var x cell
		switch p.scale {
		case categories:
			// Some values of x may have rows of other groups only, and leave a gap.
			if x = d.x.label(k); kr != lastRank {
				p.Names, lastRank = append(p.Names, x), kr
			}
			one.X = float64(len(p.Names) - 1)
		case times:
			begin, err := time.Parse(spanFormat, plain(k))
			if err != nil {
				return nil // a date that is none, which MySQL took for one
			}
			one.X, one.X2 = float64(begin.UnixMilli()), float64(after(begin, c.By).UnixMilli())
			x = cell{Text: spanText(begin, c.By)}
			k = x.Text
		case numbers:
			one.X, _ = float(k)
			x = d.x.label(k)
		}
		one.Cells, one.values = []cell{x}, []any{k}
		if c.Group != "" {
			one.Group = gr - 1
			for len(p.Groups) < gr {
				p.Groups = append(p.Groups, cell{})
			}
			p.Groups[gr-1] = d.group.label(g)
			one.Cells, one.values = append(one.Cells, p.Groups[gr-1]), append(one.values, g)
		}
		one.Cells, one.values = append(one.Cells, valueCell(v)), append(one.values, v)
		p.Points = append(p.Points, one)
		return nil
	}, statement, append(args, most, maxGroups, most*maxGroups)...)
	if err != nil {
		return err
	}
	p.dropEmptyGroups()
	p.arrange()
	p.heads()
	what := map[scale]string{categories: "values of " + printable(c.X), times: c.By + "s", numbers: "values of " + printable(c.X)}[p.scale]
	if keys > uint64(most) {
		which := map[scale]string{categories: "largest", times: "latest", numbers: "lowest"}[p.scale]
		if p.scale == categories && weight == "n" {
			which = "most frequent"
		}
		p.Notes = append(p.Notes, fmt.Sprintf("Only the %d %s %s are shown; others not shown: %s.", most, which, what, grouped(keys-uint64(most))))
	}
	if groups > maxGroups {
		which := "largest"
		if weight == "n" {
			which = "most frequent"
		}
		p.Notes = append(p.Notes, fmt.Sprintf("Only the %d %s values of %s are shown; others not shown: %s.", maxGroups, which, printable(c.Group), grouped(groups-maxGroups)))
	}
	p.leftOut(nulls)
	return nil
}

// dropEmptyGroups numbers the groups anew without those that have no point: all of
// their rows are beyond the limits.
func (p *graph) dropEmptyGroups() {
	number := make([]int, len(p.Groups))
	for _, one := range p.Points {
		if one.Group >= 0 {
			number[one.Group] = 1
		}
	}
	var groups []cell
	for i, used := range number {
		if used == 1 {
			number[i] = len(groups)
			groups = append(groups, p.Groups[i])
		}
	}
	p.Groups = groups
	for i := range p.Points {
		if g := p.Points[i].Group; g >= 0 {
			p.Points[i].Group = number[g]
		}
	}
}

// leftOut says how many rows have no place along x.
func (p *graph) leftOut(n uint64) {
	if n == 0 || p.scale == categories {
		return
	}
	why := "is NULL"
	if p.scale == times {
		why = "is NULL or no whole date"
	}
	rows := "rows"
	if n == 1 {
		rows = "row"
	}
	p.Notes = append(p.Notes, fmt.Sprintf("Left out: %s %s whose %s %s.", grouped(n), rows, printable(p.chart.X), why))
}

// arrange puts the points in the order of x, and adds what no rows say: a span of
// time without any has none of them.
func (p *graph) arrange() {
	if p.scale == categories && (p.x.form() == number || p.x.form() == bits) && len(p.Points) > 0 {
		p.sortCategories()
	}
	if p.scale == times {
		p.fill()
	}
	if p.scale != categories {
		slices.SortStableFunc(p.Points, func(a, b point) int {
			switch {
			case a.X < b.X:
				return -1
			case a.X > b.X:
				return 1
			}
			return a.Group - b.Group
		})
	}
}

// sortCategories puts numbers that have bars in their order, NULL last.
func (p *graph) sortCategories() {
	values := make([]float64, len(p.Names))
	for _, one := range p.Points {
		f, null := float(one.values[0])
		if p.x.form() == bits {
			f = float64(bitNumber(one.values[0]))
		}
		if null && p.x.form() != bits || one.values[0] == nil {
			f = math.Inf(1)
		}
		values[int(one.X)] = f
	}
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return 0
	})
	names, place := make([]cell, len(order)), make([]int, len(order))
	for to, from := range order {
		names[to], place[from] = p.Names[from], to
	}
	p.Names = names
	for i := range p.Points {
		p.Points[i].X = float64(place[int(p.Points[i].X)])
	}
	slices.SortStableFunc(p.Points, func(a, b point) int { return int(a.X) - int(b.X) })
}

// fill adds the spans between others in which there are no rows, where that says
// something: their number is 0.
func (p *graph) fill() {
	if !p.chart.zero() || len(p.Points) == 0 {
		return
	}
	low, high := math.Inf(1), math.Inf(-1)
	type place struct {
		x     float64
		group int
	}
	there := map[place]bool{}
	for _, one := range p.Points {
		low, high = min(low, one.X), max(high, one.X)
		there[place{one.X, one.Group}] = true
	}
	groups := []int{-1}
	if p.chart.Group != "" {
		groups = nil
		for i := range p.Groups {
			groups = append(groups, i)
		}
	}
	var added []point
	spans := 0
	for t := time.UnixMilli(int64(low)).UTC(); float64(t.UnixMilli()) <= high; t = after(t, p.chart.By) {
		if spans++; spans > 2*maxSpans {
			p.Notes = append(p.Notes, fmt.Sprintf("A %s without rows is left out.", p.chart.By))
			return
		}
		for _, g := range groups {
			x := float64(t.UnixMilli())
			if there[place{x, g}] {
				continue
			}
			text := spanText(t, p.chart.By)
			one := point{X: x, X2: float64(after(t, p.chart.By).UnixMilli()), Group: g, Cells: []cell{{Text: text}}, values: []any{text}}
			if g >= 0 {
				one.Cells, one.values = append(one.Cells, p.Groups[g]), append(one.values, p.groupValue(g))
			}
			one.Cells, one.values = append(one.Cells, cell{Text: "0"}), append(one.values, int64(0))
			added = append(added, one)
		}
	}
	p.Points = append(p.Points, added...)
}

// groupValue is the value of a group for programs.
func (p *graph) groupValue(group int) any {
	for _, one := range p.Points {
		if one.Group == group {
			return one.values[1]
		}
	}
	return nil
}

// heads are the columns of the values.
func (p *graph) heads() {
	x := column{Name: p.x.Name, DataType: p.x.DataType, Type: p.x.Type}
	switch {
	case p.scale == times:
		x = column{Name: p.x.Name, DataType: "varchar"}
	case p.scale == numbers:
		x = column{Name: p.x.measure(), DataType: "double"}
	}
	p.Heads = []column{x}
	if p.chart.Group != "" {
		p.Heads = append(p.Heads, column{Name: p.group.Name, DataType: p.group.DataType, Type: p.group.Type})
	}
	p.Heads = append(p.Heads, column{Name: p.chart.measure(p.y), DataType: "double"})
}

// dots reads the rows of a scatter.
func (r reader) dots(p *graph, some bool, limit time.Duration) error {
	d, c := &p.drawn, p.chart
	place := func(column column) string {
		if column.dated() {
			value, _ := column.expressions(0)
			return value
		}
		return column.measured(rowsName)
	}
	group := "NULL"
	if c.Group != "" {
		group = d.group.of(rowsName)
	}
	from, args := d.from(some, condition{sql: d.x.of(rowsName) + " IS NOT NULL"}, condition{sql: d.y.of(rowsName) + " IS NOT NULL"})
	order := ""
	if !some {
		order = orderBy(table{Name: rowsName}, d.Key, false)
	}
	statement := hinted(limit) + fmt.Sprintf("%s AS k, %s AS v, %s AS g%s%s LIMIT ?", place(d.x), place(d.y), group, from, order)
	n, dropped := 0, uint64(0)
	seen := map[string]int{} // the groups and how many rows each has
	labels := map[string]cell{}
	var names []string
	err := r.each(func(rows *sql.Rows) error {
		var x, y, g any
		if err := rows.Scan(&x, &y, &g); err != nil {
			return err
		}
		if n++; n > maxDots {
			return nil
		}
		one := point{Group: -1, values: []any{x, y}}
		var xOK, yOK bool
		one.X, xOK = d.x.coordinate(x)
		one.Y, yOK = d.y.coordinate(y)
		if !xOK || !yOK {
			dropped++
			return nil
		}
		one.Cells = []cell{d.x.axisCell(x), d.y.axisCell(y)}
		if c.Group != "" {
			label := d.group.label(g)
			name := fmt.Sprint(label.Null, label.Text)
			if seen[name] == 0 {
				names, labels[name] = append(names, name), label
			}
			seen[name]++
			one.Cells, one.values = []cell{one.Cells[0], label, one.Cells[1]}, []any{x, g, y}
		}
		p.Points = append(p.Points, one)
		return nil
	}, statement, append(args, maxDots+1)...)
	if err != nil {
		return err
	}
	p.heads()
	if d.x.dated() {
		p.scale = times
	}
	if d.y.dated() {
		p.Heads[len(p.Heads)-1].DataType = "varchar"
	}
	if c.Group != "" {
		slices.SortStableFunc(names, func(a, b string) int { return seen[b] - seen[a] })
		number := map[string]int{}
		for i, name := range names[:min(len(names), maxGroups)] {
			number[name] = i
			p.Groups = append(p.Groups, labels[name])
		}
		others := 0
		for i := range p.Points {
			one := &p.Points[i]
			label := one.Cells[1]
			if g, ok := number[fmt.Sprint(label.Null, label.Text)]; ok {
				one.Group = g
			} else {
				others++
			}
		}
		if others > 0 {
			p.Notes = append(p.Notes, fmt.Sprintf("Only the %d most frequent values of %s have a colour; the others are grey.", maxGroups, printable(c.Group)))
		}
	}
	if n > maxDots {
		which := "in the order of the key"
		if len(d.Key) == 0 || some {
			which = "that MySQL finds"
		}
		p.Notes = append(p.Notes, fmt.Sprintf("It is a sample: the first %s rows %s. There are more.", grouped(maxDots), which))
	}
	if d.x.Nullable || d.y.Nullable || dropped > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("Rows in which %s or %s is NULL or no whole date are left out.", printable(c.X), printable(c.Y)))
	}
	return nil
}

// coordinate is a value of the column as a number, or as milliseconds; false
// where it is no place on an axis.
func (c column) coordinate(value any) (float64, bool) {
	if c.dated() {
		t, ok := momentOf(plain(value))
		return float64(t.UnixMilli()), ok
	}
	f, null := float(value)
	return f, !null
}

// axisCell shows a value that coordinate reads.
func (c column) axisCell(value any) cell {
	if c.dated() {
		return cell{Text: plain(value)}
	}
	return valueCell(value)
}

// label shows a value that names a category or a group.
func (c column) label(value any) cell {
	if value == nil {
		return cell{Null: true}
	}
	if c.form() == binary {
		data := []byte(plain(value))
		one := c.cell(data[:min(len(data), maxBinary)], int64(len(data)))
		if one.Text == "" {
			one.Text = one.Note
		}
		return one
	}
	if c.form() == moment || c.measurable() && c.form() != bits && c.DataType != "year" {
		return valueCell(value)
	}
	one := c.cell(value, int64(len([]rune(plain(value)))))
	if one.Text == "" {
		one.Text = one.Note
	}
	one.Text = shorten(strings.Join(strings.Fields(one.Text), " "), shortText)
	if one.Text == "" {
		one.Text = "blank text"
	}
	return one
}

// valueCell shows a number.
func valueCell(value any) cell {
	if value == nil {
		return cell{Null: true}
	}
	return cell{Text: trimZeros(plain(value))}
}

// trimZeros is a decimal number without the zeros at its end that say nothing.
func trimZeros(number string) string {
	if !strings.Contains(number, ".") || strings.ContainsAny(number, "e:") {
		return number
	}
	return strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
}

// float is a value of the driver as a number; null where it is none.
func float(value any) (f float64, null bool) {
	switch v := value.(type) {
	case nil:
		return 0, true
	case float64:
		f = v
	case float32:
		f, _ = strconv.ParseFloat(floatText(float64(v), 32), 64)
	case int64:
		f = float64(v)
	case uint64:
		f = float64(v)
	default:
		var err error
		if f, err = strconv.ParseFloat(plain(value), 64); err != nil {
			return 0, true
		}
	}
	return f, math.IsInf(f, 0) || math.IsNaN(f)
}
