package play

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"drawbridge/reach"
)

// broadest is the shortest prefix of a block that counts as named addresses and not as the internet.
const broadest = 8

// promises says what a reach table has that Drawbridge does not promise, whatever the config:
//
//	                    database   jump server:22   tunnel host   web app
//	internet            no         no               no            80 or 443
//	named blocks        no, and    as the rules     no            80 or 443
//	                    in public  name them
//	                    as named
//	inside              yes        no               no            80 or 443
func promises(t *reach.Table, public bool) error {
	var broken []error
	for _, c := range t.Cells {
		if allowed, must := promised(t, c, public); c.Answer == reach.CannotTell || c.Answer == reach.Yes && !allowed || c.Answer == reach.No && must {
			broken = append(broken, fmt.Errorf("%s -> %s is %q: %s", c.From, c.To, c.Answer, why(c)))
		}
	}
	return errors.Join(broken...)
}

// promised says that a cell may be yes, and that it must be.
func promised(t *reach.Table, c reach.Cell, public bool) (allowed, must bool) {
	source, door := sourceOf(t, c.From), doorOf(t, c.To)
	named := false
	if block, err := netip.ParsePrefix(source.Block); err == nil {
		named = block.Bits() >= broadest
	}
	single := door.FromPort == door.ToPort
	switch {
	case strings.HasPrefix(door.Name, "database"):
		return single && (source.Inside || public && named), source.Inside
	case door.Name == "jump server":
		return single && door.FromPort == 22 && named, false
	case door.Name == "web app" || door.Name == "web app instances":
		return single && (door.FromPort == 80 || door.FromPort == 443), false
	}
	return false, false
}

// why is the chain of a cell on one line, up to the link that decides.
func why(c reach.Cell) string {
	var links []string
	for _, r := range c.Why {
		link := r.Text
		if r.Where != "" {
			link += " [" + r.Where + "]"
		}
		links = append(links, link)
		if c.Answer != reach.Yes && r.Answer == c.Answer {
			return link
		}
	}
	return strings.Join(links, "; ")
}

func sourceOf(t *reach.Table, name string) reach.Source {
	return t.Sources[slices.IndexFunc(t.Sources, func(s reach.Source) bool { return s.Name == name })]
}

func doorOf(t *reach.Table, title string) reach.Door {
	return t.Doors[slices.IndexFunc(t.Doors, func(d reach.Door) bool { return d.Title() == title })]
}
