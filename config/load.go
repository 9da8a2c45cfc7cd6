package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Source is where an environment is read from.
type Source struct {
	Environments json.RawMessage // the map of environments by name
	Where        string          // the file that the map stands in, at the head of every error line; may be ""
	Environment  string          // -c env; "" means "dev"
	Exposure     string          // -c exposure, which overrides the environment's own; "" means none
	Architecture string          // -c architecture; "" means arm64
}

// Load reads one environment: strictly, with its defaults filled in. The error
// is of type Problems and lists everything that is wrong with that environment;
// other environments may be wrong.
func Load(src Source) (*Environment, []Warning, error) {
	r := newReport(src.Where, environmentFields)
	all := environments(r, src.Environments)
	if all == nil {
		return nil, nil, r.err()
	}
	name := src.Environment
	if name == "" {
		name = "dev"
	}
	raw, known := all.values[name]
	if !known {
		r.add(Problem{"", "-c env", show(name) + " is not an environment of the config", "one of " + quotedNames(all), ""})
		return nil, nil, r.err()
	}

	architecture := Architecture(src.Architecture)
	switch architecture {
	case ARM64, X86_64:
	case "":
		architecture = ARM64
	default:
		r.add(Problem{"", "-c architecture", show(src.Architecture) + " is not an architecture", `"arm64" or "x86_64"`, `"arm64"`})
		architecture = ARM64
	}

	root := place{path: "environments" + pathKey(name)}
	if !environmentName.MatchString(name) {
		r.add(Problem{r.where, root.path, show(name) + " cannot name an environment",
			"1 to 20 lower-case letters, digits or hyphens that start with a letter and do not end with a hyphen", `"dev"`})
		return nil, nil, r.err()
	}
	d := newDecoder(r, defaults(architecture))
	e := &Environment{}
	d.decodeNew(root, raw, reflect.ValueOf(e).Elem())
	e.Name = name
	c := &checker{r, d.given}
	c.environment(root, e, Exposure(src.Exposure))
	if err := r.err(); err != nil {
		return nil, nil, err
	}
	c.samples(root, e)
	return e, r.warnings, nil
}

// Names returns the names of the environments in a source, sorted. The error is
// of type Problems.
func Names(src Source) ([]string, error) {
	r := newReport(src.Where, environmentFields)
	all := environments(r, src.Environments)
	if all == nil {
		return nil, r.err()
	}
	return slices.Sorted(slices.Values(all.keys)), nil
}

// environmentName keeps CloudFormation's stack names and Elastic Beanstalk's
// environment names short enough, and a "Prod" from being no "prod".
var environmentName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$`)

// environments parses the map of environments; it returns nil if it reported a
// problem.
func environments(r *report, text []byte) *object {
	const path = "environments"
	complain := func(at, found string) *object {
		r.add(Problem{r.where, at, found, "an object that holds each environment under its name", ""})
		return nil
	}
	value, err := parse(text)
	if err != nil {
		return complain(path, "is "+err.Error())
	}
	all, ok := value.(*object)
	if !ok {
		return complain(path, "is not an object")
	}
	if len(all.keys) == 0 {
		return complain(path, "holds no environment")
	}
	if deep := wrapping(all); deep != "" {
		r.add(Problem{r.where, path, deep, "the environments themselves, each under its name", `{"dev": {…}}`})
		return nil
	}
	for _, name := range all.repeated {
		complain(path+pathKey(name), "is given more than once")
	}
	if len(all.repeated) > 0 {
		return nil
	}
	return all
}

// wrapping tells what o is when it is not the map of environments but something
// around it or in it, which people give to -c config=FILE by mistake: a whole
// cdk.json, an object with the key "environments", or one environment. It is a
// clause for a Problem, or "".
func wrapping(o *object) string {
	holds := func(o *object, key string) bool {
		inner, ok := o.values[key].(*object)
		return ok && !describesEnvironment(inner)
	}
	context, _ := o.values["context"].(*object)
	switch {
	case context != nil && holds(context, "environments"):
		return `is a whole cdk.json: the environments stand deeper, under "context" and "environments"`
	case holds(o, "environments"):
		return `stands one level too deep, under another "environments"`
	case describesEnvironment(o):
		return "is one environment without its name"
	}
	return ""
}

// describesEnvironment tells whether o has the keys of one environment. No
// environment can have such a name, which is not all lower-case.
func describesEnvironment(o *object) bool { return o.values["readOnlyUsers"] != nil }

func quotedNames(o *object) string {
	names := slices.Sorted(slices.Values(o.keys))
	const most = 20
	quoted := make([]string, 0, most)
	for _, name := range names[:min(len(names), most)] {
		quoted = append(quoted, show(name))
	}
	if more := len(names) - len(quoted); more > 0 {
		quoted = append(quoted, fmt.Sprintf("%d more", more))
	}
	return strings.Join(quoted, ", ")
}
