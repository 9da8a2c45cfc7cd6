package config

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decoder fills typed structs from parsed JSON. A library is not used because
// none reports, for one value, all of: the path, a null, a repeated key, the
// nearest known key, and whether the key was given at all.
type decoder struct {
	*report
	defaults map[reflect.Type]reflect.Value
	given    map[string]bool // paths that stand in the text
}

func newDecoder(r *report, defaults []any) *decoder {
	d := &decoder{r, map[reflect.Type]reflect.Value{}, map[string]bool{}}
	for _, value := range defaults {
		d.defaults[reflect.TypeOf(value)] = reflect.ValueOf(value)
	}
	return d
}

// decode reads value into target, which may be changed even where a problem is
// reported: what does not fit leaves the default.
func (d *decoder) decode(at place, value any, target reflect.Value) {
	switch target.Kind() {
	case reflect.String:
		if text, ok := value.(string); ok {
			target.SetString(text)
			return
		}
		d.wrongType(at, value, "text")
	case reflect.Bool:
		if b, ok := value.(bool); ok {
			target.SetBool(b)
			return
		}
		d.wrongType(at, value, "true or false")
	case reflect.Int:
		number, ok := value.(json.Number)
		if !ok {
			d.wrongType(at, value, "a whole number")
			return
		}
		n, err := strconv.Atoi(number.String())
		if errors.Is(err, strconv.ErrRange) {
			d.problem(at, "%s is out of range", number.String()[:min(len(number), shownCharacters)])
		} else if err != nil {
			d.problem(at, "%s is not a whole number in plain digits", number.String()[:min(len(number), shownCharacters)])
		} else {
			target.SetInt(int64(n))
		}
	case reflect.Slice:
		list, ok := value.([]any)
		if !ok {
			d.wrongType(at, value, "a list")
			return
		}
		target.Set(reflect.MakeSlice(target.Type(), len(list), len(list)))
		for i, element := range list {
			d.decodeNew(at.index(i), element, target.Index(i))
		}
	case reflect.Map:
		o, ok := value.(*object)
		if !ok {
			d.wrongType(at, value, "an object")
			return
		}
		d.repeatedKeys(at, o, at.entry)
		target.Set(reflect.MakeMap(target.Type()))
		for _, key := range o.keys {
			element := reflect.New(target.Type().Elem()).Elem()
			d.decodeNew(at.entry(key), o.values[key], element)
			target.SetMapIndex(reflect.ValueOf(key), element)
		}
	case reflect.Struct:
		o, ok := value.(*object)
		if !ok {
			d.wrongType(at, value, "an object")
			return
		}
		d.decodeStruct(at, o, target)
	}
}

// decodeNew decodes into a value that holds its type's defaults first.
func (d *decoder) decodeNew(at place, value any, target reflect.Value) {
	if initial, ok := d.defaults[target.Type()]; ok {
		target.Set(initial)
	}
	d.decode(at, value, target)
}

func (d *decoder) decodeStruct(at place, o *object, target reflect.Value) {
	var known []string
	fields := map[string]reflect.Value{}
	for i := range target.NumField() {
		if name := target.Type().Field(i).Tag.Get("json"); name != "-" {
			known = append(known, name)
			fields[name] = target.Field(i)
		}
	}
	slices.Sort(known)
	d.repeatedKeys(at, o, at.key)
	meant := map[string]bool{}
	for _, key := range o.keys {
		if field, ok := fields[key]; ok {
			d.given[at.key(key).path] = true
			d.decode(at.key(key), o.values[key], field)
			continue
		}
		found := "is not a known key"
		if near := nearest(key, known); near != "" {
			found += ` (did you mean "` + near + `"?)`
			meant[near] = true
		}
		d.add(Problem{d.where, at.key(key).path, found, "one of " + strings.Join(known, ", "), ""})
	}
	for _, key := range known {
		// A misspelt key is one mistake: it is not missing as well.
		if at := at.key(key); d.fields[at.field].required && !d.given[at.path] && !meant[key] {
			d.problem(at, "is missing")
		} else if meant[key] && !d.given[at.path] {
			d.reported[at.path] = true
		}
	}
}

func (d *decoder) repeatedKeys(at place, o *object, child func(string) place) {
	for _, key := range o.repeated {
		if at := child(key); d.fields[at.field].expected != "" { // else it is unknown, which is reported too
			d.problem(at, "is given more than once")
		}
	}
}

func (d *decoder) wrongType(at place, value any, want string) {
	switch v := value.(type) {
	case nil:
		d.problem(at, "is null, not %s", want)
	case string:
		d.problem(at, "%s is text, not %s", show(v), want)
	case json.Number:
		d.problem(at, "%s is a number, not %s", v.String()[:min(len(v), shownCharacters)], want)
	case bool:
		d.problem(at, "%t is a boolean, not %s", v, want)
	case []any:
		d.problem(at, "is a list, not %s", want)
	case *object:
		d.problem(at, "is an object, not %s", want)
	}
}
