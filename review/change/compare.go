package change

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"drawbridge/internal/cfnschema"
	"drawbridge/reach"
	"drawbridge/rehearsal/template"
)

// Action is what CloudFormation does to a resource.
type Action int

// The actions, from the gravest.
const (
	Replaced Action = iota
	MayBeReplaced
	Removed
	Interrupted // changed in place, and away meanwhile
	Updated     // changed in place
	Added
)

func (a Action) String() string {
	return [...]string{"replaced", "may be replaced", "removed", "interrupted", "changed in place", "added"}[a]
}

// Effect is what happens to one resource.
type Effect struct {
	Stack, ID, Type string
	Action          Action

	Because []string // a text a property
	Then    []string // what it means for whoever uses it

	// Loss says what becomes of the data, the address or the key that the resource holds; "" where nothing does.
	Loss string
}

// Output is a value that a stack shows to people and that will be another one. Before or After is "" where there is none.
type Output struct{ Stack, Name, Before, After string }

// Asset is a file that is uploaded with a stack. Hash and size are zero where there is none.
type Asset struct {
	Name          string // its construct's path
	Before, After AssetVersion
}

// AssetVersion is what an asset holds: the digits that CDK names it by, and how many bytes it has.
type AssetVersion struct {
	Hash  string
	Bytes int64
}

// Environment is what differs between two syntheses of one environment.
type Environment struct {
	Title   string // such as The environment dev
	Added   bool   // only the second side has it
	Removed bool   // only the first side has it

	Effects []Effect
	Refused []string // why the deployment fails
	Notices []string // what changes about stacks as a whole
	Outputs []Output
	Follows []string // outputs whose value follows a resource that is replaced: stack and name
	Assets  []Asset
	Reach   string // Markdown; "" where nothing changes
	Diffs   []Diff
}

// Diff is the CDK CLI's for one stack.
type Diff struct{ Stack, Text string }

// Differ gives the CDK CLI's text for what differs between a template and a stack of an assembly.
type Differ func(oldTemplate, assembly, stack string) (string, error)

// Changed says whether anything differs.
func (e *Environment) Changed() bool {
	return e.Added || e.Removed || len(e.Effects)+len(e.Refused)+len(e.Notices)+len(e.Outputs)+len(e.Assets)+len(e.Diffs) > 0 || e.Reach != ""
}

// Loses says whether something that holds data, an address or a key is, or may be, replaced or lost.
func (e *Environment) Loses() bool {
	return slices.ContainsFunc(e.Effects, func(effect Effect) bool { return effect.Loss != "" })
}

// comparison is one comparison under way.
type comparison struct {
	schemas       cfnschema.Schemas
	before, after *assembly

	renamed map[string]map[string]string // by stack: see renames
	changes map[string]*changes          // by stack and logical id
	result  *Environment
}

// changes are what is known so far of a resource that both sides have.
type changes struct {
	before, after resource
	renamed       bool
	properties    map[string]effect
	other         []string // what changes beside properties
	loss          string
	conditional   bool
}

// effect is what happens to one property, and why.
type effect struct {
	replaces cfnschema.Replacement
	because  string
	then     string
	waits    bool // then is an interruption
}

// replacement is the worst that happens to the resource.
func (c *changes) replacement() cfnschema.Replacement {
	worst := cfnschema.Never
	if c.conditional {
		worst = cfnschema.Maybe
	}
	for _, e := range c.properties {
		worst = worse(worst, e.replaces)
	}
	if c.renamed || c.before.Type != c.after.Type {
		worst = cfnschema.Always
	}
	return worst
}

func worse(a, b cfnschema.Replacement) cfnschema.Replacement {
	for _, r := range []cfnschema.Replacement{cfnschema.Always, cfnschema.Maybe} {
		if a == r || b == r {
			return r
		}
	}
	return cfnschema.Never
}

// Compare says what differs between the assemblies in two folders, of one environment or of a pipeline. "" stands for a side
// that does not have it.
func Compare(title, before, after string, schemas cfnschema.Schemas, diff Differ) (*Environment, error) {
	c := &comparison{schemas: schemas, renamed: map[string]map[string]string{}, changes: map[string]*changes{},
		result: &Environment{Title: title, Added: before == "", Removed: after == ""}}
	var err error
	if c.before, err = readAssembly(before); err != nil {
		return nil, err
	}
	if c.after, err = readAssembly(after); err != nil {
		return nil, err
	}
	var single []Effect
	for _, id := range ids(c.before, c.after) {
		single = append(single, c.stack(id)...)
	}
	c.propagate()
	for _, key := range slices.Sorted(maps.Keys(c.changes)) {
		if e, ok := c.effect(c.changes[key]); ok {
			single = append(single, e)
		}
	}
	slices.SortFunc(single, func(a, b Effect) int {
		return cmp.Or(cmp.Compare(a.Action, b.Action), cmp.Compare(a.Stack, b.Stack), cmp.Compare(a.ID, b.ID))
	})
	c.result.Effects = single
	c.exports()
	c.outputs()
	c.assets()
	if err := c.reach(); err != nil {
		return nil, err
	}
	return c.result, c.diffs(diff)
}

func (c *comparison) notice(format string, arguments ...any) {
	c.result.Notices = append(c.result.Notices, fmt.Sprintf(format, arguments...))
}

// stack compares one stack, and returns what happens to resources that only one side has.
func (c *comparison) stack(id string) (effects []Effect) {
	before, after := c.before.stacks[id], c.after.stacks[id]
	switch {
	case before.empty() && after.empty():
		return nil
	case before.empty():
		c.notice("The stack `%s` is new.", id)
	case after == nil:
		c.notice("**The stack `%s` is not in the app any more.** The CDK CLI leaves it deployed, with all that it holds, until "+
			"somebody deletes it.", before.name)
		return c.left(before)
	case after.empty():
		c.notice("**The stack `%s` is empty now: the CDK CLI deletes it.**", id)
	}
	if moved(before, after) {
		c.notice("**The stack `%s` is made anew elsewhere**, as `%s` in %s: the CDK CLI leaves `%s` in %s as it is, with all that it holds.",
			id, after.name, after.place, before.name, before.place)
		return c.left(before)
	}
	c.settings(before, after)
	if before != nil {
		c.renamed[id] = renames(before, after)
	}
	old := map[string]bool{}
	for newID, oldID := range c.renamed[id] {
		old[oldID] = true
		r, _ := before.resource(oldID)
		r.Properties, _ = rename(r.Properties, c.renamed[id]).(map[string]any)
		now, _ := after.resource(newID)
		c.both(r, now, true)
	}
	for resourceID := range after.Resources {
		now, _ := after.resource(resourceID)
		was, existed := before.resource(resourceID)
		switch _, renamed := c.renamed[id][resourceID]; {
		case renamed:
		case existed:
			was.Properties, _ = rename(was.Properties, c.renamed[id]).(map[string]any)
			c.both(was, now, false)
		default:
			effects = append(effects, Effect{Stack: id, ID: resourceID, Type: now.Type, Action: Added})
		}
	}
	if before == nil {
		return effects
	}
	for resourceID, r := range before.Resources {
		if _, stays := after.Resources[resourceID]; !stays && !old[resourceID] {
			was := resource{r, id, resourceID}
			effects = append(effects, Effect{Stack: id, ID: resourceID, Type: r.Type, Action: Removed, Loss: c.removal(was)})
		}
	}
	return effects
}

// left are the resources of a stack that nothing deploys any more, as far as they hold something.
func (c *comparison) left(s *stack) (effects []Effect) {
	for _, id := range slices.Sorted(maps.Keys(s.Resources)) {
		r, _ := s.resource(id)
		if h, ok := c.holds(r); ok {
			effects = append(effects, Effect{Stack: s.id, ID: id, Type: r.Type, Action: Removed,
				Loss: fmt.Sprintf("**%s %s is left behind**: nothing updates it any more. When somebody deletes the stack: %s", h.what, r, fate(deletionPolicy(r), "it", h))})
		}
	}
	return effects
}

// settings compares what the assembly says of a stack beside its template, which the CDK CLI's diff does not show.
func (c *comparison) settings(before, after *stack) {
	if before == nil {
		return
	}
	if before.protect && !after.protect {
		c.notice("**The stack `%s` can be deleted from then on**: its termination protection goes.", after.id)
	}
	if !before.protect && after.protect {
		c.notice("The stack `%s` gets termination protection.", after.id)
	}
	if !maps.Equal(before.tags, after.tags) {
		c.notice("The tags of the stack `%s` go from `%v` to `%v`. CloudFormation puts them on all of its resources.", after.id, before.tags, after.tags)
	}
}

// moved says that a stack has another name, account or region: it is another stack then. An account and a region that the
// config leaves open may be those of the other side.
func moved(before, after *stack) bool {
	if before.empty() || after.empty() {
		return false
	}
	elsewhere := before.place != after.place && !strings.Contains(before.place+after.place, "unknown-")
	return elsewhere || before.name != after.name
}

// both takes down a resource that both sides have.
func (c *comparison) both(before, after resource, renamed bool) {
	ch := &changes{before: before, after: after, renamed: renamed, properties: map[string]effect{}}
	c.changes[after.stack+"/"+after.id] = ch
	if before.Type != after.Type {
		ch.other = append(ch.other, fmt.Sprintf("`Type` %s → %s", before.Type, after.Type))
		// What it answers: "Update of resource type is not permitted."
		c.result.Refused = append(c.result.Refused, fmt.Sprintf("CloudFormation does not make another type of a resource: %s is of %s, and would be of %s.", after, before.Type, after.Type))
	}
	for _, name := range differing(before.Properties, after.Properties) {
		because := values(before.Properties[name], after.Properties[name])
		if after.Type == "AWS::ElasticBeanstalk::Environment" && name == "OptionSettings" {
			because = options(before.Properties[name], after.Properties[name])
		}
		ch.properties[name] = c.property(ch, name, because, cfnschema.Always)
		if line := overwriting(before, after, name); line != "" {
			ch.loss = line
		}
	}
	for _, policy := range [][3]string{
		{"DeletionPolicy", before.DeletionPolicy, after.DeletionPolicy},
		{"UpdateReplacePolicy", before.UpdateReplacePolicy, after.UpdateReplacePolicy},
	} {
		if policy[1] != policy[2] {
			ch.other = append(ch.other, fmt.Sprintf("`%s` %s", policy[0], values(policy[1], policy[2])))
		}
	}
	conditions := func(a *assembly, r resource) any { return a.stacks[r.stack].Conditions[r.Condition] }
	if before.Condition != after.Condition || !same(conditions(c.before, before), conditions(c.after, after)) {
		ch.conditional = true
		ch.other = append(ch.other, "its `Condition` is another one: CloudFormation may make it, or remove it")
	}
}

// update is one property, as the rules take it.
func (c *changes) update(name string) update {
	return update{c.after.Type, name, c.before.Properties[name], c.after.Properties[name], c.before.Properties, c.after.Properties}
}

// property is what a change of one property does, where the value certainly or perhaps is another one.
func (c *comparison) property(ch *changes, name, because string, sure cfnschema.Replacement) effect {
	replaces, why := c.replaces(ch.after.Type, name)
	if replaces == cfnschema.Always && sure == cfnschema.Maybe {
		replaces = cfnschema.Maybe
	}
	e := effect{replaces: replaces, because: "`" + name + "` " + because}
	if why != "" && replaces != cfnschema.Never {
		e.because += " (" + why + ")"
	}
	u := ch.update(name)
	if e.then = interruption(u); e.then != "" {
		e.waits = true
	} else {
		e.then = note(u)
	}
	return e
}

// propagate follows replaced resources to what refers to them, until nothing more is replaced.
func (c *comparison) propagate() {
	for again := true; again; {
		again = false
		for _, key := range slices.Sorted(maps.Keys(c.changes)) {
			ch := c.changes[key]
			for _, name := range slices.Sorted(maps.Keys(ch.after.Properties)) {
				if _, direct := ch.properties[name]; direct && ch.properties[name].replaces == cfnschema.Always {
					continue
				}
				sure, because := c.follows(c.after.stacks[ch.after.stack], ch.after.Properties[name], ch.renamed)
				if sure == cfnschema.Never {
					continue
				}
				e := c.property(ch, name, because, sure)
				if old, known := ch.properties[name]; !known || worse(old.replaces, e.replaces) != old.replaces {
					ch.properties[name] = e
					again = true
				}
			}
		}
	}
}

// follows says whether a value is another one because something that it refers to is: Never, Maybe or Always. In a
// renamed resource, the others that are renamed with it are no reason.
func (c *comparison) follows(s *stack, value any, renamed bool) (sure cfnschema.Replacement, because string) {
	sure = cfnschema.Never
	take := func(how cfnschema.Replacement, why string) {
		if worse(sure, how) != sure {
			sure, because = how, why
		}
	}
	c.after.references(s, value, func(r reference) {
		ch := c.changes[r.stack+"/"+r.id]
		if ch == nil || renamed && ch.renamed {
			return
		}
		name := r.id
		if r.stack != s.id {
			name = r.stack + "/" + r.id
		}
		switch replaced := ch.replacement(); {
		case replaced == cfnschema.Always && r.identifies():
			take(cfnschema.Always, "refers to `"+name+"`, which is replaced")
		case replaced == cfnschema.Always:
			take(cfnschema.Maybe, "refers to `"+name+"`, which is replaced")
		case replaced == cfnschema.Maybe:
			take(cfnschema.Maybe, "refers to `"+name+"`, which may be replaced")
		case strings.HasPrefix(ch.after.Type, "Custom::") && r.attribute != "" && len(ch.properties) > 0:
			take(cfnschema.Maybe, "refers to what `"+name+"` answers, which may be another value")
		}
	})
	imports(value, func(name string) {
		_, was, existed := c.before.export(name)
		from, now, exists := c.after.export(name)
		if existed && exists && !same(rename(was, c.renamed[from.id]), now) {
			take(cfnschema.Always, "imports `"+name+"`, which is another value")
		}
	})
	return sure, because
}

// effect is what happens to a resource that both sides have; ok is false where nothing does.
func (c *comparison) effect(ch *changes) (e Effect, ok bool) {
	if len(ch.properties) == 0 && len(ch.other) == 0 && !ch.renamed {
		return Effect{}, false
	}
	e = Effect{Stack: ch.after.stack, ID: ch.after.id, Type: ch.after.Type, Action: Updated, Because: ch.other, Loss: ch.loss}
	if ch.renamed {
		e.Because = append(e.Because, "its logical id is another one: a new generation of the host")
	}
	replacement := ch.replacement()
	for _, name := range slices.Sorted(maps.Keys(ch.properties)) {
		p := ch.properties[name]
		e.Because = append(e.Because, p.because)
		if name == "ServiceToken" && c.anotherFunction(ch) {
			c.result.Refused = append(c.result.Refused, fmt.Sprintf("%s: CloudFormation does not give a custom resource another function (ServiceToken).", ch.after))
		}
		if replacement == cfnschema.Always {
			continue
		}
		if p.then != "" {
			e.Then = append(e.Then, p.then)
		}
		if p.waits {
			e.Action = Interrupted
		}
		if why := refusal(ch.update(name)); why != "" {
			c.result.Refused = append(c.result.Refused, fmt.Sprintf("%s: %s.", ch.after, why))
		}
	}
	switch replacement {
	case cfnschema.Always:
		e.Action, e.Loss = Replaced, c.replacement(ch.before, ch.after, true)
		// AWS CloudFormation Template Reference, AWS::RDS::DBInstance, DBInstanceIdentifier.
		if name := ch.after.Properties["DBInstanceIdentifier"]; name != nil && same(name, ch.before.Properties["DBInstanceIdentifier"]) {
			c.result.Refused = append(c.result.Refused, fmt.Sprintf("CloudFormation does not replace a database that has a name of its own: %s stays `%v`.", ch.after, name))
		}
		e.Then = c.survives(ch.after)
	case cfnschema.Maybe:
		e.Action = MayBeReplaced
		if loss := c.replacement(ch.before, ch.after, false); loss != "" {
			e.Loss = loss
		}
	}
	return e, true
}

// anotherFunction says that a custom resource certainly gets another function, which CloudFormation refuses before it asks
// that whether it replaces the resource: "Modifying service token is not allowed."
func (c *comparison) anotherFunction(ch *changes) bool {
	if !custom(ch.after.Type) || ch.renamed {
		return false
	}
	was, is := ch.before.Properties["ServiceToken"], ch.after.Properties["ServiceToken"]
	sure, _ := c.follows(c.after.stacks[ch.after.stack], is, ch.renamed)
	return !same(was, is) || sure == cfnschema.Always
}

// survives says what is left of a replaced resource: of a host, the address that its stack gives to whichever host there is.
func (c *comparison) survives(r resource) []string {
	if replica(r) {
		return []string{"the new one copies the data of the database that it follows"}
	}
	if r.Type != "AWS::EC2::Instance" {
		return nil
	}
	said := []string{"what is on the old host's disk is gone, and its sessions end"}
	s := c.after.stacks[r.stack]
	for _, id := range slices.Sorted(maps.Keys(s.Resources)) {
		if ch := c.changes[r.stack+"/"+id]; s.Resources[id].Type == "AWS::EC2::EIP" && ch != nil && ch.replacement() == cfnschema.Never {
			c.after.references(s, s.Resources[id].Properties["InstanceId"], func(to reference) {
				if to.id == r.id {
					said = append(said, "the new one gets the address `"+id+"` when it is set up")
				}
			})
		}
	}
	return said
}

// exports finds what CloudFormation refuses: to change or remove an export that a stack imports (AWS CloudFormation User
// Guide, "Get exported outputs from a deployed CloudFormation stack").
func (c *comparison) exports() {
	importers := map[string]map[string]bool{}
	for _, s := range c.before.stacks {
		for _, r := range s.Resources {
			imports(r.Properties, func(name string) { add(importers, name, s.id) })
		}
		for _, output := range s.Outputs {
			imports(output.Value, func(name string) { add(importers, name, s.id) })
		}
	}
	values, by := map[string]map[string]bool{}, map[string]map[string]bool{} // by the exporting stack
	for _, name := range slices.Sorted(maps.Keys(importers)) {
		from, was, exported := c.before.export(name)
		if !exported || c.after.stacks[from.id] == nil || moved(from, c.after.stacks[from.id]) {
			continue // the stack stays as it is
		}
		to, now, exists := c.after.export(name)
		if exists && same(rename(was, c.renamed[to.id]), now) {
			if sure, _ := c.follows(to, now, false); sure != cfnschema.Always {
				continue
			}
		}
		add(values, from.id, "`"+render(was)+"`")
		for importer := range importers[name] {
			add(by, from.id, importer)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(values)) {
		c.result.Refused = append(c.result.Refused, fmt.Sprintf("CloudFormation neither changes nor removes what another stack imports: of the stack %s, %s (imported by %s).",
			id, strings.Join(slices.Sorted(maps.Keys(values[id])), ", "), strings.Join(slices.Sorted(maps.Keys(by[id])), ", ")))
	}
}

func add(to map[string]map[string]bool, key, value string) {
	if to[key] == nil {
		to[key] = map[string]bool{}
	}
	to[key][value] = true
}

// outputs compares what stacks show to people.
func (c *comparison) outputs() {
	for _, id := range ids(c.before, c.after) {
		before, after := c.before.stacks[id], c.after.stacks[id]
		if before == nil || after == nil {
			continue // a new or gone stack says enough
		}
		names := map[string]bool{}
		for _, s := range []*stack{before, after} {
			for name, output := range s.Outputs {
				// CDK names a weak reference's so; nobody reads it.
				if output.Export == nil && !strings.HasPrefix(name, "PublishOutput") {
					names[name] = true
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			was, existed := before.Outputs[name]
			now, exists := after.Outputs[name]
			if existed && exists && same(rename(was.Value, c.renamed[id]), now.Value) {
				if sure, _ := c.follows(after, now.Value, false); sure != cfnschema.Never {
					c.result.Follows = append(c.result.Follows, id+"/"+name)
				}
				continue
			}
			o := Output{Stack: id, Name: name}
			if existed {
				o.Before = render(was.Value)
			}
			if exists {
				o.After = render(now.Value)
			}
			c.result.Outputs = append(c.result.Outputs, o)
		}
	}
}

// assets compares what is uploaded.
func (c *comparison) assets() {
	before, after := map[string]asset{}, map[string]asset{}
	names := map[string]bool{}
	for _, side := range []struct {
		from *assembly
		to   map[string]asset
	}{{c.before, before}, {c.after, after}} {
		for _, s := range side.from.stacks {
			for name, a := range s.assets {
				side.to[name], names[name] = a, true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if b, a := before[name], after[name]; b.hash != a.hash {
			c.result.Assets = append(c.result.Assets, Asset{name, AssetVersion{b.hash, b.bytes}, AssetVersion{a.hash, a.bytes}})
		}
	}
}

// reach compares who can reach what.
func (c *comparison) reach() error {
	if c.before.nested || c.after.nested {
		return nil // a pipeline: its environments are compared by themselves
	}
	tables := []*reach.Table{{}, {}}
	var both []*template.Assembly
	for i, dir := range []string{c.before.dir, c.after.dir} {
		if dir == "" {
			continue
		}
		a, err := template.ReadAssembly(dir)
		if err != nil {
			return err
		}
		if both = append(both, a); len(both) == 1 {
			if tables[i], err = reach.Read(a, reach.Options{}); err != nil {
				return err
			}
		}
	}
	if len(both) == 2 {
		var err error
		if tables[0], tables[1], err = reach.ReadBoth(both[0], both[1], reach.Options{}); err != nil {
			return err
		}
	}
	c.result.Reach = reach.DiffText(reach.Diff(tables[0], tables[1]))
	return nil
}
