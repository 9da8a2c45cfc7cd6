package main

import (
	"context"
	"errors"
	"time"
)

const (
	// maxTablePages is how many pages of tables are read at a time. Any of them
	// may take as long as the time limits allow, because of a slow view, a page
	// far from the start or the search for the last one. The connections beyond
	// these and maxExports are for the overview, /readyz, and pictures.
	maxTablePages = 6
	// busyWait is how long a page waits for its turn. Most pages are read much
	// faster, so that many visitors at once get theirs.
	busyWait = time.Second
)

// errBusy is why a page was not read.
var errBusy = errors.New("busy: as many pages of tables as may be are being read")

// readInTurn is read for pages that may take long. It is errBusy when maxTablePages
// others are being read for as long as busyWait.
func (a *app) readInTurn(ctx context.Context, f func(reader) error) error {
	wait := time.NewTimer(busyWait)
	defer wait.Stop()
	select {
	case a.tablePages <- struct{}{}:
		defer func() { <-a.tablePages }()
		return a.read(ctx, f)
	case <-wait.C:
		a.metrics.refused.WithLabelValues(pageTurn).Inc()
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}
