package reach

import (
	"fmt"
	"strings"
)

// Mermaid is a flowchart of what can be reached, and with dotted arrows what perhaps can.
func (t *Table) Mermaid() string {
	p := t.picture()
	ids := map[string]string{}
	var b strings.Builder
	box := func(indent, name string) {
		ids[name] = fmt.Sprintf("n%d", len(ids))
		fmt.Fprintf(&b, "%s%s[\"%s\"]\n", indent, ids[name], name)
	}
	b.WriteString("flowchart LR\n")
	for _, name := range p.outside {
		box("  ", name)
	}
	b.WriteString("  subgraph VPC\n")
	for _, tier := range p.tiers {
		fmt.Fprintf(&b, "    subgraph %s[\"%s tier\"]\n", tier.name, tier.name)
		for _, name := range tier.boxes {
			box("      ", name)
		}
		b.WriteString("    end\n")
	}
	b.WriteString("  end\n")
	for _, a := range p.arrows {
		shaft := "-->"
		if a.answer == CannotTell {
			shaft = "-.->"
		}
		fmt.Fprintf(&b, "  %s %s|\"%s\"| %s\n", ids[a.from], shaft, a.label(), ids[a.to])
	}
	return b.String()
}
