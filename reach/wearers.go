package reach

import "slices"

// strangers are the groups, by their symbols, that some door's rules let in by name and that no host wears: whoever wears
// one, or will, gets in.
func strangers(hosts []*host) (groups []string) {
	worn := map[string]bool{}
	for _, h := range hosts {
		for _, g := range h.groups {
			worn[g.where] = true
		}
	}
	for _, h := range hosts {
		if len(h.ports) == 0 {
			continue
		}
		for _, g := range h.groups {
			for _, r := range g.ingress {
				if r.group != "" && !worn[r.group] && !slices.Contains(groups, r.group) {
					groups = append(groups, r.group)
				}
			}
		}
	}
	slices.Sort(groups)
	return groups
}

// strangersName is the name of the source that is whoever wears a group.
func strangersName(group string) string { return "security group " + group }

// stranger is the answer for whoever wears a group: Yes where the door's rules let it in by that name, wherever in the VPC
// it lies, and otherwise CannotTell, as nothing else is known of it.
func (e evaluation) stranger(group string, to *host, ports []int) verdict {
	var ways []verdict
	for _, port := range ports {
		wearer := peer{groups: []*securityGroup{{where: group}}} // its address is not known, and so no block has it
		c := append(chain{through(to, "in", e.network.floating.ingress, wearer, port)}, to.listens(port)...)
		ways = append(ways, e.judge(c, to))
	}
	const text = "no host of the templates wears the group"
	if way := anyOf(ways); way.answer == Yes {
		return verdict{Yes, append(chain{{Reason: Reason{Yes, text + ", but whoever does is let in", group}}}, way.chain...)}
	}
	return verdict{CannotTell, chain{{Reason: Reason{CannotTell, text + ", and nothing is known of who does", group}}}}
}
