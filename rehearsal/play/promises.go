package play

import (
	"errors"
	"fmt"
	"net/netip"
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
