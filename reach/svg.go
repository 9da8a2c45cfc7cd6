package reach

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// Sizes of the picture, in pixels.
const (
	boxWidth, boxHeight = 170, 40
	rowHeight           = 74
	outsideLeft         = 24
	vpcLeft             = 264
	publicLeft          = vpcLeft + 24
	innerLeft           = publicLeft + 400
	tierPadding         = 18
	tierTitle           = 24
	bend                = 46 // how far an arrow between two boxes of one column swings out
	lane                = 20 // of an arrow that goes past a column
	pictureWidth        = innerLeft + boxWidth + 2*tierPadding + bend + 40
)

// style follows the reader's light or dark mode. There is no font to load.
const style = `
  svg { --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --vpc: #f6f8fa; --tier: #ffffff; --line: #8c959f; --yes: #0a58ca; --unsure: #9a6700; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6edf3; --soft: #9da7b3; --paper: #0d1117; --vpc: #161b22; --tier: #0d1117; --line: #6e7681; --yes: #6cb6ff; --unsure: #e3b341; }
  }
  .paper { fill: var(--paper); }
  .vpc { fill: var(--vpc); stroke: var(--line); }
  .tier { fill: var(--tier); stroke: var(--line); stroke-dasharray: 3 3; }
  .box { fill: var(--paper); stroke: var(--ink); stroke-width: 1.5; }
  text { font: 14px system-ui, sans-serif; fill: var(--ink); }
  .title { font-weight: 600; font-size: 16px; }
  .soft { fill: var(--soft); font-size: 13px; }
  .name { text-anchor: middle; }
  .arrow { fill: none; stroke: var(--yes); stroke-width: 1.75; }
  .unsure { stroke: var(--unsure); stroke-dasharray: 6 4; }
  .head { fill: var(--yes); }
  .head-unsure { fill: var(--unsure); }
  .label { font-size: 12.5px; font-weight: 600; text-anchor: middle; fill: var(--yes); stroke: var(--paper); stroke-width: 5px; paint-order: stroke; stroke-linejoin: round; }
  .label-unsure { fill: var(--unsure); }
`

// drawing is the picture with the place of everything.
type drawing struct {
	picture
	boxes  map[string]*placed
	tiers  []rectangle
	vpc    rectangle
	height int
}

type rectangle struct {
	x, y, width, height int
	title               string
}

// placed is a box with what is joined to its sides.
type placed struct {
	x, y   int
	column int // outside, public, inner

	left, right []int // arrows, by their index
}

// SVG is a picture of what can be reached, with what perhaps can in dashes.
func (t *Table) SVG() string {
	d := place(t.picture())
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n",
		pictureWidth, d.height, pictureWidth, d.height)
	fmt.Fprintf(&b, "<title>Who can reach what in %s</title>\n<style>%s</style>\n", escaped(t.Environment), style)
	b.WriteString("<defs>\n")
	for _, class := range []string{"head", "head-unsure"} {
		fmt.Fprintf(&b, `  <marker id="%s" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path class="%s" d="M0 0L10 5L0 10z"/></marker>`+"\n", class, class)
	}
	b.WriteString("</defs>\n")
	fmt.Fprintf(&b, `<rect class="paper" width="%d" height="%d"/>`+"\n", pictureWidth, d.height)
	fmt.Fprintf(&b, `<text class="title" x="%d" y="32">%s: who can reach what</text>`+"\n", outsideLeft, escaped(t.Environment))
	fmt.Fprintf(&b, `<text class="soft" x="%d" y="76">outside</text>`+"\n", outsideLeft)
	d.vpc.draw(&b, "vpc")
	for _, r := range d.tiers {
		r.draw(&b, "tier")
	}
	for i := range d.arrows {
		d.drawArrow(&b, i)
	}
	for _, name := range d.names() {
		box := d.boxes[name]
		fmt.Fprintf(&b, `<rect class="box" x="%d" y="%d" width="%d" height="%d" rx="6"/>`+"\n", box.x, box.y, boxWidth, boxHeight)
		fmt.Fprintf(&b, `<text class="name" x="%d" y="%d"%s>%s</text>`+"\n", box.x+boxWidth/2, box.y+boxHeight/2+5, fit(name), escaped(name))
	}
	for i := range d.arrows {
		d.drawLabel(&b, i)
	}
	legend := "An arrow is a TCP connection that can be made. Where there is none, there is no way."
	if slices.ContainsFunc(d.arrows, func(a arrow) bool { return a.answer == CannotTell }) {
		legend = "An arrow is a TCP connection that can be made; a dashed one with ? a connection of which the templates do not tell."
	}
	fmt.Fprintf(&b, `<text class="soft" x="%d" y="%d">%s</text>`+"\n</svg>\n", outsideLeft, d.height-16, legend)
	return b.String()
}

// fit squeezes a name that is longer than its box.
func fit(name string) string {
	const most = 21
	if len(name) <= most {
		return ""
	}
	return fmt.Sprintf(` textLength="%d" lengthAdjust="spacingAndGlyphs"`, boxWidth-12)
}

func (r rectangle) draw(b *strings.Builder, class string) {
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="8"/>`+"\n", class, r.x, r.y, r.width, r.height)
	fmt.Fprintf(b, `<text class="soft" x="%d" y="%d">%s</text>`+"\n", r.x+10, r.y+18, escaped(r.title))
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

// place puts the sources outside into the left column, the public tier into the middle, and the other tiers into the
// right one.
func place(p picture) *drawing {
	d := &drawing{picture: p, boxes: map[string]*placed{}}
	top := 60
	lanes := 0
	column := map[string]int{}
	for _, name := range p.outside {
		column[name] = 0
	}
	for _, tier := range p.tiers {
		for _, name := range tier.boxes {
			column[name] = 2
			if tier.name == publicTier {
				column[name] = 1
			}
		}
	}
	for _, a := range p.arrows {
		if column[a.from] == 0 && column[a.to] == 2 {
			lanes++
		}
	}
	tiersTop := top + tierTitle + lane*lanes + 6
	y := tiersTop + tierTitle
	for _, name := range p.outside {
		d.boxes[name] = &placed{x: outsideLeft, y: y, column: 0}
		y += rowHeight
	}
	bottom := y
	inner := tiersTop
	for _, tier := range p.tiers {
		r := rectangle{x: innerLeft, y: inner, width: boxWidth + 2*tierPadding, title: string(tier.name) + " tier"}
		if tier.name == publicTier {
			r.x, r.y = publicLeft, tiersTop
		}
		y := r.y + tierTitle + 6
		for _, name := range tier.boxes {
			d.boxes[name] = &placed{x: r.x + tierPadding, y: y, column: column[name]}
			y += rowHeight
		}
		r.height = y - r.y - rowHeight + boxHeight + tierPadding
		if tier.name != publicTier {
			inner = r.y + r.height + 20
		}
		bottom = max(bottom, r.y+r.height)
		d.tiers = append(d.tiers, r)
	}
	d.vpc = rectangle{vpcLeft, top, pictureWidth - vpcLeft - 20, bottom + 20 - top, "VPC"}
	d.height = bottom + 70
	d.join()
	return d
}

// names are all boxes, in the order of the picture.
func (d *drawing) names() []string {
	names := slices.Clone(d.outside)
	for _, tier := range d.picture.tiers {
		names = append(names, tier.boxes...)
	}
	return names
}

// join spreads the ends of the arrows over the sides of the boxes, so that they cross as little as can be.
func (d *drawing) join() {
	for i, a := range d.arrows {
		from, to := d.boxes[a.from], d.boxes[a.to]
		switch {
		case from.column < to.column:
			from.right, to.left = append(from.right, i), append(to.left, i)
		case from.column > to.column:
			from.left, to.right = append(from.left, i), append(to.right, i)
		default:
			from.right, to.right = append(from.right, i), append(to.right, i)
		}
	}
	for name, box := range d.boxes {
		other := func(i int) int {
			end := d.boxes[d.arrows[i].from]
			if d.arrows[i].from == name {
				end = d.boxes[d.arrows[i].to]
			}
			if end.column != box.column && end.column+box.column == 2 {
				return -1 // by a lane, and so from above
			}
			return end.y
		}
		for _, side := range [][]int{box.left, box.right} {
			slices.SortStableFunc(side, func(a, b int) int { return cmp.Compare(other(a), other(b)) })
		}
	}
}

// end is where an arrow meets a box.
func (d *drawing) end(name string, arrow int) (x, y int) {
	box := d.boxes[name]
	x, side := box.x, box.left
	if slices.Contains(box.right, arrow) {
		x, side = box.x+boxWidth, box.right
	}
	return x, box.y + boxHeight*(slices.Index(side, arrow)+1)/(len(side)+1)
}

// laneOf is the height of the lane on which an arrow goes past the public tier, if it does.
func (d *drawing) laneOf(arrow int) (y int, ok bool) {
	lanes := 0
	for i, a := range d.arrows {
		if d.boxes[a.from].column == 0 && d.boxes[a.to].column == 2 {
			lanes++
			if i == arrow {
				return d.vpc.y + tierTitle + lanes*lane - lane/2, true
			}
		}
	}
	return 0, false
}

func (d *drawing) drawArrow(b *strings.Builder, i int) {
	a := d.arrows[i]
	class, head := "arrow", "head"
	if a.answer == CannotTell {
		class, head = "arrow unsure", "head-unsure"
	}
	fmt.Fprintf(b, `<path class="%s" marker-end="url(#%s)" d="%s"/>`+"\n", class, head, d.path(i))
}

func (d *drawing) path(i int) string {
	a := d.arrows[i]
	x1, y1 := d.end(a.from, i)
	x2, y2 := d.end(a.to, i)
	if y, ok := d.laneOf(i); ok {
		up, down := vpcLeft-24, innerLeft-56
		return fmt.Sprintf("M%d %dC%d %d %d %d %d %dL%d %dC%d %d %d %d %d %d",
			x1, y1, up, y1, up-24, y, up+24, y, down, y, down+40, y, down+8, y2, x2, y2)
	}
	if d.boxes[a.from].column == d.boxes[a.to].column {
		return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+bend+20, y1, x2+bend+20, y2, x2, y2)
	}
	middle := (x1 + x2) / 2
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, middle, y1, middle, y2, x2, y2)
}

// drawLabel puts the ports near the arrow's head, where each arrow is by itself.
func (d *drawing) drawLabel(b *strings.Builder, i int) {
	a := d.arrows[i]
	class := "label"
	if a.answer == CannotTell {
		class = "label label-unsure"
	}
	x1, y1 := d.end(a.from, i)
	x2, y2 := d.end(a.to, i)
	x, y := (x1+x2)/2, (y1+y2)/2
	if laneY, ok := d.laneOf(i); ok {
		x, y = publicLeft+boxWidth/2+tierPadding, laneY
	} else if d.boxes[a.from].column == d.boxes[a.to].column {
		x, y = x1+(bend+20)*3/4, (y1+y2)/2
	}
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, x, y+4, escaped(a.label()))
}
