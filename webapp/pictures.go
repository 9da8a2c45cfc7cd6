package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// maxPictures is how many tables of the overview have pictures.
	maxPictures = 50
	// picturesTime is how long a page waits for pictures.
	picturesTime = time.Second
	// pictureAge is how long a picture is shown before it is drawn again.
	pictureAge = time.Minute
)

// gallery keeps the pictures of tables for a while: a crowd that looks at the
// overview costs MySQL what one visitor does.
type gallery struct {
	mu    sync.Mutex
	known map[string]hung
	// drawing lets one at a time draw, over one connection.
	drawing singleflight.Group
}

// hung is a picture in the gallery.
type hung struct {
	// picture is nil when the table's data say nothing.
	picture *picture
	drawn   time.Time
	// tooLong says that there is none because MySQL did not give the rows in time.
	tooLong bool
}

// fresh is what is known of a table.
func (g *gallery) fresh(name string) (hung, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h, ok := g.known[name]
	return h, ok && time.Since(h.drawn) < pictureAge
}

func (g *gallery) hang(name string, h hung) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.known) >= maxTables {
		clear(g.known) // of what many have looked at, the next draws anew
	}
	if g.known == nil {
		g.known = map[string]hung{}
	}
	g.known[name] = h
}

// missing are the tables of a list that are to have a picture and have none.
func (g *gallery) missing(list []listed) (missing []listed) {
	n := 0
	for _, t := range list {
		if t.View {
			continue // reading one may be any amount of work
		}
		if n++; n > maxPictures {
			break
		}
		if _, ok := g.fresh(t.Name); !ok && len(pictured(t.Columns)) > 0 {
			missing = append(missing, t)
		}
	}
	return missing
}

// addPictures gives the tables of o their pictures, as far as there is time.
// Without any, the page is still one.
func (a *app) addPictures(ctx context.Context, o *overview) {
	ctx, cancel := context.WithTimeout(ctx, picturesTime)
	defer cancel()
	// Whoever else waits for the same pictures gets them, even when this visitor
	// hangs up.
	work := context.WithoutCancel(ctx)
	// The first time may be spent on what another page wanted.
	for range 2 {
		missing := a.gallery.missing(o.Tables)
		if len(missing) == 0 {
			break
		}
		select {
		case <-a.gallery.drawing.DoChan("", func() (_ any, err error) {
			// It runs in a goroutine of its own, where a panic would end the app.
			defer func() {
				if cause := recover(); cause != nil {
					a.log.Error("a mistake in the app", "at", panicked(), "cause", fmt.Sprint(cause))
				}
			}()
			return nil, a.draw(work, missing)
		}):
		case <-ctx.Done():
		}
	}
	waiting := a.gallery.missing(o.Tables)
	tables := 0
	for i := range o.Tables {
		t := &o.Tables[i]
		if t.View {
			continue
		}
		if tables++; tables > maxPictures {
			o.PicturesCut = true
			break
		}
		h, ok := a.gallery.fresh(t.Name)
		switch {
		case !ok && slices.ContainsFunc(waiting, func(w listed) bool { return w.Name == t.Name }), h.tooLong:
			t.PictureLate = true
			o.PicturesLate++
		case ok && h.picture != nil:
			t.Picture = h.picture
			if o.Drawn.IsZero() || h.drawn.Before(o.Drawn) {
				o.Drawn = h.drawn
			}
		}
	}
}

// draw draws the pictures of tables, until the time is up.
func (a *app) draw(ctx context.Context, tables []listed) error {
	stop := time.Now().Add(picturesTime)
	return a.read(ctx, func(db reader) error {
		for _, t := range tables {
			left := time.Until(stop)
			if left <= 0 {
				return nil
			}
			// 0 would be no limit to MySQL.
			p, err := db.picture(t.Name, pictured(t.Columns), max(min(left, pictureTime), time.Millisecond))
			if err != nil && !spoiled(err) {
				return err
			}
			a.gallery.hang(t.Name, hung{picture: p, drawn: time.Now(), tooLong: tooLong(err)})
		}
		return nil
	})
}
