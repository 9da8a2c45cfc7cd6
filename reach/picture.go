package reach

import (
	"slices"
	"strings"
)

// picture is the table as boxes and arrows.
type picture struct {
	outside []string
	tiers   []pictureTier
	arrows  []arrow
}

type pictureTier struct {
	name  tier
	boxes []string
}

// arrow stands for all doors of one host that one source reaches, or may reach.
type arrow struct {
	from, to string
	ports    []string
	answer   Answer // Yes or CannotTell
}

// label names the doors, such as :80 :443.
func (a arrow) label() string {
	text := strings.Join(a.ports, " ")
	if a.answer == CannotTell {
		text += " ?"
	}
	return text
}

func (t *Table) picture() picture {
	var p picture
	byTier := map[tier][]string{}
	place := func(name string) {
		in := t.tiers[name]
		if in == "" {
			in = publicTier
		}
		if !slices.Contains(byTier[in], name) {
			byTier[in] = append(byTier[in], name)
		}
	}
	for _, d := range t.Doors {
		place(d.Name)
	}
	for _, s := range t.Sources {
		switch {
		case s.Inside:
			place(t.box(s))
		case s.Group != "":
			byTier[privateTier] = append(byTier[privateTier], s.Name) // whoever wears it lies somewhere in the VPC
		default:
			p.outside = append(p.outside, s.Name)
		}
	}
	for _, name := range []tier{publicTier, databaseTier, functionTier, privateTier} {
		if len(byTier[name]) > 0 {
			p.tiers = append(p.tiers, pictureTier{name, byTier[name]})
		}
	}
	for _, s := range t.Sources {
		from := s.Name
		if s.Inside {
			from = t.box(s)
		}
		for _, d := range t.Doors {
			c, ok := t.Cell(s.Name, d.Title())
			if !ok || c.Answer == No {
				continue
			}
			port := strings.TrimPrefix(d.Title(), d.Name)
			i := slices.IndexFunc(p.arrows, func(a arrow) bool { return a.from == from && a.to == d.Name && a.answer == c.Answer })
			if i >= 0 {
				p.arrows[i].ports = append(p.arrows[i].ports, port)
			} else {
				p.arrows = append(p.arrows, arrow{from, d.Name, []string{port}, c.Answer})
			}
		}
	}
	return p
}

// box is where a source's arrows start. A load balancer has the same resource as the instances behind it, which are those
// that make connections.
func (t *Table) box(s Source) string {
	box := s.Name
	for _, d := range t.Doors {
		if d.Stack == s.Stack && d.LogicalID == s.LogicalID && d.Name == s.Name+" instances" {
			box = d.Name
		}
	}
	return box
}
