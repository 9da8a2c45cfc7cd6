package main

import (
	"cmp"
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
	// pictureRows is how many rows of a table its picture is drawn from.
	pictureRows = 10_000
	// pictureTime is how long MySQL may take to give them.
	pictureTime = 200 * time.Millisecond

	pictureWidth, pictureHeight = 160, 36
	// numberBars is about how many bars numbers are gathered in, timeBars the most
	// for times, and valueBars the most different values of which each has one.
	numberBars = 12
	timeBars   = 40
	valueBars  = 12
	// pictureText is how many characters of a value or a name a picture's words
	// repeat.
	pictureText = 40
)

// picture is a small bar chart of the rows of a table by one of its columns.
type picture struct {
	Column string
	// By says in words what the bars stand for, and Label what they show, for
	// those who cannot see them.
	By, Label string
	// Path is the bars, as the path of an SVG of pictureWidth and pictureHeight.
	Path string
}

// bucket is a number of rows, and which rows these are.
type bucket struct {
	rows int
	name string
}

// pictured are the columns that may make a picture, the best first.
func pictured(columns []column) (list []column) {
	var times, numbers, names, flags []column
	for _, c := range columns {
		switch {
		case c.DataType == "time":
			// A length of time or a time of day: nobody knows.
		case c.form() == moment:
			times = append(times, c)
		case c.Type == "tinyint(1)":
			flags = append(flags, c)
		case c.Key:
		case c.form() == number && !strings.HasSuffix(strings.ToLower(c.Name), "id"):
			numbers = append(numbers, c)
		case c.DataType == "enum", (c.DataType == "char" || c.DataType == "varchar") && c.Length <= 64:
			names = append(names, c)
		}
	}
	for _, some := range [][]column{times, numbers, names, flags} {
		list = append(list, some[:min(len(some), 2)]...)
	}
	return list
}

// picture draws the table by the first of the columns that says anything. It is
// nil when none does.
func (r reader) picture(name string, columns []column, limit time.Duration) (*picture, error) {
	if len(columns) == 0 {
		return nil, nil
	}
	var selected []string
	values := make([][]string, len(columns))
	raw := make([]sql.RawBytes, len(columns))
	dest := make([]any, len(columns))
	for i, c := range columns {
		value, _ := c.expressions(pictureText + 1)
		selected, dest[i] = append(selected, value), &raw[i]
	}
	rows := 0
	err := r.each(func(found *sql.Rows) error {
		if err := found.Scan(dest...); err != nil {
			return err
		}
		if rows++; rows > pictureRows {
			return nil
		}
		for i, text := range raw {
			if text != nil {
				values[i] = append(values[i], string(text))
			}
		}
		return nil
	}, hinted(limit)+strings.Join(selected, ", ")+" FROM "+mysqldb.QuoteIdentifier(name)+fmt.Sprintf(" LIMIT %d", pictureRows+1))
	if err != nil {
		return nil, err
	}
	for i, c := range columns {
		if p := c.picture(values[i], rows > pictureRows); p != nil {
			return p, nil
		}
	}
	return nil, nil
}

// picture draws the values of a column that are not NULL. It is nil when they
// say nothing.
func (c column) picture(values []string, cut bool) *picture {
	var buckets []bucket
	var by, from, to string
	switch {
	case c.form() == moment:
		buckets, by = byTime(values, c.DataType == "date")
	case c.form() == number && c.Type != "tinyint(1)":
		buckets, from, to = byNumber(values)
	default:
		buckets = byValue(values)
	}
	if len(buckets) < 2 {
		return nil
	}
	first, last := buckets[0], buckets[len(buckets)-1]
	name := printable(shorten(c.Name, pictureText))
	p := &picture{Column: name, Path: bars(buckets)}
	switch {
	case by != "":
		p.By = fmt.Sprintf("by %s, %s to %s", by, first.name, last.name)
		p.Label = "Rows by " + by + " of " + name
	case to != "":
		p.By, p.Label = "from "+from+" to "+to, "Rows by "+name
	default:
		p.By, p.Label = fmt.Sprintf("%d values", len(buckets)), "Rows by "+name
	}
	if cut {
		p.By += fmt.Sprintf(", of the first %s rows", grouped(pictureRows))
		p.Label += fmt.Sprintf(", of the first %s that MySQL finds", grouped(pictureRows))
	}
	p.Label += ": " + inWords(buckets)
	return p
}

// inWords lists a few buckets, and of many the first, the last and the largest.
func inWords(buckets []bucket) string {
	some := buckets
	if len(buckets) > 5 {
		some = []bucket{buckets[0], buckets[len(buckets)-1]}
	}
	var words []string
	for _, b := range some {
		words = append(words, b.name+": "+grouped(uint64(b.rows)))
	}
	if len(buckets) > 5 {
		most := slices.MaxFunc(buckets, func(a, b bucket) int { return cmp.Compare(a.rows, b.rows) })
		words = append(words, "most in "+most.name+": "+grouped(uint64(most.rows)))
	}
	return strings.Join(words, ", ")
}

// bars are the buckets as the path of an SVG, side by side.
func bars(buckets []bucket) string {
	most := 0
	for _, b := range buckets {
		most = max(most, b.rows)
	}
	width := max(pictureWidth/len(buckets), 1)
	gap := 0
	if width > 2 {
		gap = 1
	}
	var path strings.Builder
	for i, b := range buckets {
		if b.rows == 0 {
			continue
		}
		// A few rows among many must be seen.
		height := max(b.rows*pictureHeight/most, 1)
		fmt.Fprintf(&path, "M%d %dv-%dh%dv%dz", i*width, pictureHeight, height, width-gap, height)
	}
	return path.String()
}

// timeUnit is a length of time, as people count it.
type timeUnit struct {
	name string
	// index numbers the unit that a time is in.
	index func(time.Time) int
	// label names the unit of that number.
	label func(int) string
}

var timeUnits = []timeUnit{
	{"hour", func(t time.Time) int { return int(t.Unix()+secondsBefore1970) / 3600 }, func(i int) string {
		return time.Unix(int64(i)*3600-secondsBefore1970, 0).UTC().Format("2 January 2006, 15:00")
	}},
	{"day", func(t time.Time) int { return int(t.Unix()+secondsBefore1970) / 86400 }, func(i int) string {
		return time.Unix(int64(i)*86400-secondsBefore1970, 0).UTC().Format("2 January 2006")
	}},
	{"month", func(t time.Time) int { return t.Year()*12 + int(t.Month()) - 1 }, func(i int) string {
		return fmt.Sprintf("%s %d", time.Month(i%12+1), i/12)
	}},
	{"year", time.Time.Year, strconv.Itoa},
	{"decade", func(t time.Time) int { return t.Year() / 10 }, func(i int) string { return fmt.Sprintf("the %d0s", i) }},
	{"century", func(t time.Time) int { return t.Year() / 100 }, func(i int) string { return fmt.Sprintf("the %d00s", i) }},
}

// secondsBefore1970 are those since the year 0, with which MySQL's dates begin.
const secondsBefore1970 = 62167219200

// byTime gathers times in the shortest unit that takes few bars.
func byTime(values []string, days bool) (buckets []bucket, unit string) {
	var times []time.Time
	for _, text := range values {
		layout := time.DateTime
		if days {
			layout = time.DateOnly
		}
		// Dates that are none, such as 0000-00-00, are left out, and so is the last
		// year that there is, which stands for "never".
		if t, err := time.Parse(layout, text); err == nil && t.Year() < 9999 {
			times = append(times, t)
		}
	}
	if len(times) == 0 {
		return nil, ""
	}
	from, to := slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare)
	for i, u := range timeUnits {
		first := u.index(from)
		n := u.index(to) - first + 1
		if days && u.name == "hour" || n > timeBars && i < len(timeUnits)-1 {
			continue
		}
		buckets = make([]bucket, n)
		for j := range buckets {
			buckets[j].name = u.label(first + j)
		}
		for _, t := range times {
			buckets[u.index(t)-first].rows++
		}
		return buckets, u.name
	}
	return nil, ""
}

// byNumber gathers numbers between round ones, and says which are the smallest and
// the largest.
func byNumber(values []string) (buckets []bucket, smallest, largest string) {
	var numbers []float64
	from, to, whole := math.Inf(1), math.Inf(-1), true
	for _, text := range values {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		whole = whole && f == math.Trunc(f)
		if f < from {
			from, smallest = f, text
		}
		if f > to {
			to, largest = f, text
		}
		numbers = append(numbers, f)
	}
	if from >= to || math.IsInf(to-from, 0) {
		return nil, "", ""
	}
	step := roundStep((to - from) / numberBars)
	if whole {
		step = max(step, 1)
	}
	if step == 0 {
		return nil, "", ""
	}
	// 0.3 / 0.1 is a little less than 3.
	at := func(f float64) float64 { return math.Floor(f/step + 1e-9) }
	first := at(from)
	n := int(at(to)-first) + 1
	if n < 2 || n > 4*numberBars {
		return nil, "", "" // they are too near to each other for their size
	}
	buckets = make([]bucket, n)
	for i := range buckets {
		low, high := first+float64(i), first+float64(i)+1
		switch {
		case whole && step == 1:
			buckets[i].name = roundText(low, step)
		case whole && high*step < 1e15:
			buckets[i].name = roundText(low, step) + " to " + strconv.FormatFloat(high*step-1, 'f', 0, 64)
		default:
			buckets[i].name = roundText(low, step) + " to " + roundText(high, step)
		}
	}
	for _, f := range numbers {
		buckets[min(max(int(at(f)-first), 0), n-1)].rows++
	}
	return buckets, smallest, largest
}

// roundStep is the next 1, 2 or 5 with zeros that is not less than f.
func roundStep(f float64) float64 {
	if f <= 0 {
		return 0
	}
	size := math.Pow(10, math.Floor(math.Log10(f)))
	for _, digit := range []float64{1, 2, 5} {
		if digit*size >= f {
			return digit * size
		}
	}
	return 10 * size
}

// roundText writes n steps with as many places as a step has.
func roundText(n, step float64) string {
	f := n * step
	if f == 0 {
		return "0"
	}
	if size := math.Abs(f); size >= 1e15 || size < 1e-6 {
		return strconv.FormatFloat(f, 'g', 3, 64)
	}
	return strconv.FormatFloat(f, 'f', max(0, -int(math.Floor(math.Log10(step)+1e-9))), 64)
}

// byValue counts values when there are few, the most frequent first.
func byValue(values []string) []bucket {
	counts := map[string]int{}
	for _, text := range values {
		counts[text]++
		if len(counts) > valueBars {
			return nil
		}
	}
	// Values of which nearly every row has its own are names, not kinds.
	if len(values) < 2*len(counts) {
		return nil
	}
	var buckets []bucket
	for text, n := range counts {
		name := "“" + printable(shorten(text, pictureText)) + "”"
		if text == "" {
			name = "empty text"
		}
		buckets = append(buckets, bucket{n, name})
	}
	slices.SortFunc(buckets, func(a, b bucket) int {
		return cmp.Or(cmp.Compare(b.rows, a.rows), cmp.Compare(a.name, b.name))
	})
	return buckets
}
