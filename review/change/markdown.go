package change

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"drawbridge/rehearsal/template"
)

// Markdown is the section of a pull request for this environment, and "" where nothing changes.
func (e *Environment) Markdown() string {
	if !e.Changed() {
		return ""
	}
	var b strings.Builder
	b.WriteString("## " + e.Title)
	switch {
	case e.Added:
		b.WriteString(" is new")
	case e.Removed:
		b.WriteString(" is gone")
	}
	b.WriteString("\n\n")
	var losses []string
	for _, effect := range e.Effects {
		if effect.Loss != "" {
			losses = append(losses, effect.Loss)
		}
	}
	alert(&b, "CAUTION", "This replaces or loses what holds data, an address or a key:", losses)
	alert(&b, "WARNING", "The deployment will fail, and be rolled back:", e.Refused)
	if len(e.Notices) > 0 {
		bullets(&b, e.Notices)
		b.WriteString("\n")
	}
	e.writeEffects(&b)
	if e.Reach != "" {
		b.WriteString(e.Reach + "\n")
	}
	e.writeAssets(&b)
	e.writeOutputs(&b)
	if len(e.Diffs) > 0 {
		b.WriteString("### What `cdk diff` says\n\n")
	}
	for _, d := range e.Diffs {
		summary := d.Stack
		if !e.touches(d.Stack) {
			summary += " (nothing happens to its resources)"
		}
		// Four backticks: a text in a template may hold three.
		fmt.Fprintf(&b, "<details><summary>%s</summary>\n\n````text\n%s\n````\n\n</details>\n\n", summary, d.Text)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// touches says whether a resource of a stack is changed: a template may differ in metadata or in outputs alone.
func (e *Environment) touches(stack string) bool {
	return slices.ContainsFunc(e.Effects, func(effect Effect) bool { return effect.Stack == stack })
}

// alert writes one of GitHub's alerts, which other sites show as a quotation.
func alert(b *strings.Builder, kind, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "> [!%s]\n> %s\n>\n", kind, title)
	for _, line := range lines {
		fmt.Fprintf(b, "> - %s\n", line)
	}
	b.WriteString("\n")
}

func bullets(b *strings.Builder, lines []string) {
	for _, line := range lines {
		b.WriteString("- " + line + "\n")
	}
}

func (e *Environment) writeEffects(b *strings.Builder) {
	if len(e.Effects) == 0 {
		return
	}
	b.WriteString("### What happens to resources\n\n")
	shown := slices.DeleteFunc(slices.Clone(e.Effects), func(effect Effect) bool {
		// A wait condition is made anew with its host, and holds nothing.
		return e.counted(effect) || effect.Action == Replaced && strings.HasPrefix(effect.Type, "AWS::CloudFormation::WaitCondition")
	})
	if len(shown) > 0 {
		b.WriteString("| | resource | because | then |\n|---|---|---|---|\n")
		for _, effect := range shown {
			action := effect.Action.String()
			if effect.Action < Updated {
				action = "**" + action + "**"
			}
			fmt.Fprintf(b, "| %s | %s<br>`%s/%s` | %s | %s |\n", action, effect.Type, effect.Stack, effect.ID,
				cell(effect.Because), cell(effect.Then))
		}
		b.WriteString("\n")
	}
	if e.Added {
		all := map[string]int{}
		for _, effect := range e.Effects {
			if e.counted(effect) {
				all[effect.Type]++
			}
		}
		var types []string
		for _, kind := range slices.Sorted(maps.Keys(all)) {
			if all[kind] == 1 {
				types = append(types, kind)
			} else {
				types = append(types, fmt.Sprintf("%d × %s", all[kind], kind))
			}
		}
		fmt.Fprintf(b, "All of it is made: %s.\n\n", strings.Join(types, ", "))
	}
}

// counted says that a resource is one of a new environment, where a row for each would say little.
func (e *Environment) counted(effect Effect) bool { return e.Added && effect.Action == Added }

func (e *Environment) writeAssets(b *strings.Builder) {
	if len(e.Assets) == 0 || e.Added || e.Removed {
		return
	}
	b.WriteString("### Files that are uploaded\n\n| file | before | after |\n|---|---|---|\n")
	for _, a := range e.Assets {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", a.Name, a.Before, a.After)
	}
	b.WriteString("\n")
}

// String is the digits that CDK shows too, and the size.
func (a AssetVersion) String() string {
	switch {
	case a.Hash == "":
		return "(none)"
	case a.Bytes < 1_000_000:
		return fmt.Sprintf("`%.12s`, %.1f kB", a.Hash, float64(a.Bytes)/1e3)
	}
	return fmt.Sprintf("`%.12s`, %.1f MB", a.Hash, float64(a.Bytes)/1e6)
}

func (e *Environment) writeOutputs(b *strings.Builder) {
	if len(e.Outputs) > 0 {
		b.WriteString("### Outputs\n\n| output | before | after |\n|---|---|---|\n")
		for _, o := range e.Outputs {
			fmt.Fprintf(b, "| `%s/%s` | %s | %s |\n", o.Stack, o.Name, shown(o.Before), shown(o.After))
		}
		b.WriteString("\n")
	}
	if len(e.Follows) > 0 {
		if len(e.Outputs) == 0 {
			b.WriteString("### Outputs\n\n")
		}
		fmt.Fprintf(b, "These get, or may get, another value with what they refer to: `%s`.\n\n", strings.Join(e.Follows, "`, `"))
	}
}

func shown(value string) string {
	if value == "" {
		return "(none)"
	}
	return "`` " + cell([]string{value}) + " ``"
}

// cell is a list of texts in one cell of a table.
func cell(texts []string) string {
	joined := strings.Join(texts, "<br>")
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(joined)
}

// values says from what to what a property changes, where that is short.
func values(before, after any) string {
	b, known := short(before)
	a, alsoKnown := short(after)
	if !known || !alsoKnown {
		return "changes"
	}
	return b + " → " + a
}

// options says which settings of a Beanstalk environment change.
func options(before, after any) string {
	was, is := settings(before), settings(after)
	var said []string
	for _, name := range differing(was, is) {
		one := name + " " + values(was[name], is[name])
		if _, stays := is[name]; !stays {
			// AWS CloudFormation Template Reference, AWS::ElasticBeanstalk::Environment, OptionSettings.
			one += " (Beanstalk keeps the last value of an option that goes)"
		}
		said = append(said, one)
	}
	return strings.Join(said, ", ")
}

func short(value any) (string, bool) {
	if value == nil || value == "" {
		return "(none)", true
	}
	t, ok := template.Text(value)
	return t, ok && len(t) <= 60 && !strings.ContainsAny(t, "\n`")
}

// render is a value with its references in the way of Fn::Sub.
func render(value any) string {
	switch v := value.(type) {
	case map[string]any:
		if len(v) != 1 {
			break
		}
		for name, argument := range v {
			switch list, _ := argument.([]any); {
			case name == "Ref":
				return fmt.Sprintf("${%v}", argument)
			case name == "Fn::GetAtt" && len(list) == 2:
				return fmt.Sprintf("${%v.%v}", list[0], list[1])
			case name == "Fn::ImportValue":
				return fmt.Sprintf("${import %s}", render(argument))
			case name == "Fn::Join" && len(list) == 2:
				parts, ok := list[1].([]any)
				if !ok {
					break
				}
				var texts []string
				for _, part := range parts {
					texts = append(texts, render(part))
				}
				return strings.Join(texts, text(list[0]))
			}
		}
	default:
		if t, ok := template.Text(value); ok {
			return t
		}
	}
	asJSON, _ := json.Marshal(value)
	return string(asJSON)
}
