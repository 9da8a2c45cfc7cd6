package main

import (
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"time"
)

// aboutBins is how many bars a histogram has about: the width is a round number.
const aboutBins = 25

// bins reads a histogram: first the lowest and the highest value, then how many
// values each range between them has.
func (r reader) bins(p *graph, some bool, limit time.Duration) error {
	limit /= 2 // for each of two statements
	value := p.x.measured(rowsName)
	from, args := p.from(some)
	var low, high any
	var n, rows uint64
	err := r.each(func(result *sql.Rows) error { return result.Scan(&low, &high, &n, &rows) },
		hinted(limit)+fmt.Sprintf("MIN(%[1]s), MAX(%[1]s), COUNT(%[1]s), COUNT(*)%[2]s LIMIT ?", value, from), append(args, 1)...)
	if err != nil {
		return err
	}
	p.heads()
	p.leftOut(rows - n)
	least, none := float(low)
	most, _ := float(high)
	if n == 0 || none {
		if rows > 0 {
			p.Nothing = "All values are NULL."
		}
		return nil
	}
	exact := p.x.DataType != "float" && p.x.DataType != "double"
	whole := exact && p.x.DataType != "decimal" && p.x.DataType != "time"
	start, width := ranges(least, most, whole)
	if math.IsInf(width, 0) || math.IsInf(start, 0) || math.IsInf(most+2*width, 0) || math.IsInf(most-start+2*width, 0) {
		p.Nothing = "The values are too far apart for a histogram."
		return nil
	}
	p.width = width
	// Decimals are divided exactly. Of floating-point numbers, one within a
	// millionth of a bar's width from its beginning counts as on it: 0.3 is not
	// quite 3 × 0.1.
	number := fmt.Sprintf("FLOOR((%s - ?) / ? + 0.000001)", value)
	beginning := []any{start, width}
	if exact {
		scale := max(0, min(30, -int(math.Floor(math.Log10(width)))))
		if whole {
			scale = 0
		}
		number = fmt.Sprintf("(%s - CAST(? AS DECIMAL(65,%[2]d))) DIV CAST(? AS DECIMAL(65,%[2]d))", value, scale)
		beginning = []any{decimalText(start, scale), decimalText(width, scale)}
	}
	statement := hinted(limit) + fmt.Sprintf("%s AS k, COUNT(*) AS v%s GROUP BY 1 ORDER BY 1 LIMIT ?", number, from)
	// Bars without values are there too.
	counts := map[int]int64{}
	last := 0
	err = r.each(func(rows *sql.Rows) error {
		var k any
		var v int64
		if err := rows.Scan(&k, &v); err != nil {
			return err
		}
		if f, null := float(k); !null {
			i := max(0, min(int(f), maxSpans))
			counts[i] += v
			last = max(last, i)
		}
		return nil
	}, statement, append(append(beginning, args...), maxSpans)...)
	if err != nil {
		return err
	}
	p.Heads = []column{{Name: "from", DataType: "double"}, {Name: "to", DataType: "double"}, {Name: "rows", DataType: "double"}}
	for i := range last + 1 {
		one := point{X: start + float64(i)*width, X2: start + float64(i+1)*width, Y: float64(counts[i]), Group: -1}
		begin, end := rangeText(one.X, width), rangeText(one.X2, width)
		text := "from " + begin + " to under " + end
		if whole && width == 1 {
			text = begin
		}
		one.Cells = []cell{{Text: text}, {Text: grouped(uint64(counts[i]))}}
		one.values = []any{begin, end, counts[i]}
		p.Points = append(p.Points, one)
	}
	return nil
}

// ranges finds where the first bar begins, and a round width of bars.
func ranges(low, high float64, whole bool) (start, width float64) {
	rough := high/aboutBins - low/aboutBins
	switch {
	case rough == 0 && whole:
		rough = 1
	case rough == 0:
		rough = math.Max(math.Abs(low)/100, 1e-6)
	case whole:
		rough = max(rough, 1)
	}
	width, _ = strconv.ParseFloat(strconv.FormatFloat(roundStep(rough), 'e', 0, 64), 64) // 5 × 0.1, not 0.5000000000000001
	start = math.Floor(low/width+1e-6) * width
	if start > low {
		start -= width
	}
	return start, width
}

// decimalText writes f with so many digits after the point.
func decimalText(f float64, scale int) string { return strconv.FormatFloat(f, 'f', scale, 64) }

// rangeText writes a multiple of width without the digits that rounding makes.
func rangeText(f, width float64) string {
	if size := math.Abs(width); size >= 1e-6 && size < 1e15 && math.Abs(f) < 1e15 {
		return trimZeros(decimalText(f, max(0, min(30, -int(math.Floor(math.Log10(width)))))))
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}
