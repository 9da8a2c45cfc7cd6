// Package cost says what a synthesized environment costs a month, at AWS's list prices as of one day.
//
// [Read] counts what the templates hold: machines, disks, addresses and the like. What depends on use alone, such as data
// transfer, requests and logs, is left out. A part that it has no price for stands in the bill without one.
package cost

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Bill is what one environment costs a month.
type Bill struct {
	Environment string // such as drawbridge-dev
	Rows        []Row
	prices      prices
}

// Row is one line of a bill.
type Row struct {
	Part string // such as "database, db.t4g.micro"
	Sum  string // how the price comes about, such as "0.016 × 730 h"; "" where there is no price

	// Cents is the price in hundredths of a USD, and Unknown says that there is none.
	Cents   int
	Unknown bool
}

// USD is the price, such as "11.68".
func (r Row) USD() string {
	if r.Unknown {
		return "?"
	}
	return dollars(r.Cents)
}

func dollars(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// Total is the sum of the rows in hundredths of a USD. It is not all when a row has no price.
func (b *Bill) Total() (cents int, all bool) {
	all = true
	for _, row := range b.Rows {
		cents, all = cents+row.Cents, all && !row.Unknown
	}
	return cents, all
}

// Text is the bill as a table for a terminal.
func (b *Bill) Text() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t\tUSD a month\n", b.Environment)
	width := len("USD a month")
	for _, row := range b.Rows {
		fmt.Fprintf(w, "%s\t%s\t%*s\n", row.Part, row.Sum, width, row.USD())
	}
	cents, all := b.Total()
	together := "together"
	if !all {
		together = "together, without what has no price"
	}
	fmt.Fprintf(w, "%s\t\t%*s\n", together, width, dollars(cents))
	if err := w.Flush(); err != nil {
		panic(err) // A strings.Builder takes everything.
	}
	fmt.Fprintf(&text, "List prices of %s as of %s, %g hours a month, without free tier, tax, data transfer, requests and logs.\n",
		b.prices.Region, b.prices.AsOf, b.prices.HoursMonth)
	return text.String()
}
