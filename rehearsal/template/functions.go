package template

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

func (r *Resolver) ref(path string, argument any) (any, error) {
	name, ok := argument.(string)
	if !ok {
		return nil, fmt.Errorf("%s: must be a name, and is %s", path, kind(argument))
	}
	return r.named(path, name)
}

// named is the value of a pseudo parameter, a parameter, or a resource's Ref.
func (r *Resolver) named(path, name string) (any, error) {
	switch name {
	case "AWS::NoValue":
		return noValue{}, nil
	case "AWS::NotificationARNs":
		return []any{}, nil
	}
	if value, ok := r.Pseudo.value(name); ok {
		if value == "" {
			return nil, fmt.Errorf("%s: %s has no value here", path, name)
		}
		return value, nil
	}
	if value, ok := r.Parameters[name]; ok {
		return value, nil
	}
	if _, ok := r.Template.Resources[name]; ok {
		value, err := r.Values.Ref(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return value, nil
	}
	return nil, fmt.Errorf("%s: %s is neither a pseudo parameter, a parameter nor a resource that is known here", path, name)
}

// getAttArguments takes "Id.Name" and ["Id", NAME] apart. The name may be a function.
func getAttArguments(argument any) (id string, name any, ok bool) {
	switch a := argument.(type) {
	case string:
		id, name, ok := strings.Cut(a, ".")
		return id, name, ok && id != "" && name != ""
	case []any:
		if len(a) != 2 {
			return "", nil, false
		}
		id, ok := a[0].(string)
		return id, a[1], ok
	}
	return "", nil, false
}

func (r *Resolver) getAtt(path string, argument any) (any, error) {
	id, nameArgument, ok := getAttArguments(argument)
	if !ok {
		return nil, fmt.Errorf("%s: must be [logical id, attribute]", path)
	}
	name, err := r.text(path+"[1]", nameArgument)
	if err != nil {
		return nil, err
	}
	return r.attribute(path, id, name)
}

func (r *Resolver) attribute(path, id, name string) (any, error) {
	if _, ok := r.Template.Resources[id]; !ok {
		return nil, fmt.Errorf("%s: %s is no resource of the template", path, id)
	}
	value, err := r.Values.Attribute(id, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return value, nil
}

func (r *Resolver) join(path string, argument any) (any, error) {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 2 {
		return nil, fmt.Errorf("%s: must be [delimiter, list]", path)
	}
	delimiter, ok := arguments[0].(string)
	if !ok {
		return nil, fmt.Errorf("%s[0]: the delimiter must be a text, and is %s", path, kind(arguments[0]))
	}
	items, err := r.list(path+"[1]", arguments[1])
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(items))
	for i, item := range items {
		if texts[i], ok = Text(item); !ok {
			return nil, fmt.Errorf("%s[1][%d]: must be a text, and is %s", path, i, kind(item))
		}
	}
	return strings.Join(texts, delimiter), nil
}

// A variable of Fn::Sub, or ${!Literal}, which stands for ${Literal}.
var subVariable = regexp.MustCompile(`\$\{(!?)\s*([^}]*?)\s*\}`)

// subArguments takes "text" and ["text", {variables}] apart.
func subArguments(argument any) (text string, own map[string]any, ok bool) {
	switch a := argument.(type) {
	case string:
		return a, nil, true
	case []any:
		if len(a) != 2 {
			return "", nil, false
		}
		text, textOK := a[0].(string)
		own, ownOK := a[1].(map[string]any)
		return text, own, textOK && ownOK
	}
	return "", nil, false
}

func subVariables(text string) (names []string) {
	for _, match := range subVariable.FindAllStringSubmatch(text, -1) {
		if match[1] == "" {
			names = append(names, match[2])
		}
	}
	return names
}

func (r *Resolver) sub(path string, argument any) (any, error) {
	text, own, ok := subArguments(argument)
	if !ok {
		return nil, fmt.Errorf("%s: must be a text, or [text, variables]", path)
	}
	var failed error
	result := subVariable.ReplaceAllStringFunc(text, func(found string) string {
		match := subVariable.FindStringSubmatch(found)
		if match[1] != "" {
			return "${" + match[2] + "}"
		}
		value, err := r.subValue(path, match[2], own)
		if err != nil && failed == nil {
			failed = err
		}
		return value
	})
	return result, failed
}

func (r *Resolver) subValue(path, name string, own map[string]any) (string, error) {
	place := path + "${" + name + "}"
	if value, ok := own[name]; ok {
		return r.text(place, value)
	}
	var value any
	var err error
	if id, attribute, ok := strings.Cut(name, "."); ok {
		value, err = r.attribute(place, id, attribute)
	} else {
		value, err = r.named(place, name)
	}
	if err != nil {
		return "", err
	}
	text, ok := Text(value)
	if !ok {
		return "", fmt.Errorf("%s: must be a text, and is %s", place, kind(value))
	}
	return text, nil
}

func (r *Resolver) selectItem(path string, argument any) (any, error) {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 2 {
		return nil, fmt.Errorf("%s: must be [index, list]", path)
	}
	indexText, err := r.text(path+"[0]", arguments[0])
	if err != nil {
		return nil, err
	}
	items, err := r.list(path+"[1]", arguments[1])
	if err != nil {
		return nil, err
	}
	index, err := strconv.Atoi(indexText)
	if err != nil || index < 0 || index >= len(items) {
		return nil, fmt.Errorf("%s: there is no item %q in a list of %d", path, indexText, len(items))
	}
	if items[index] == nil {
		return nil, fmt.Errorf("%s: item %d is null", path, index)
	}
	return items[index], nil
}

func (r *Resolver) split(path string, argument any) (any, error) {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 2 {
		return nil, fmt.Errorf("%s: must be [delimiter, text]", path)
	}
	delimiter, ok := arguments[0].(string)
	if !ok || delimiter == "" {
		return nil, fmt.Errorf("%s[0]: the delimiter must be a text that is not empty", path)
	}
	text, err := r.text(path+"[1]", arguments[1])
	if err != nil {
		return nil, err
	}
	return list(strings.Split(text, delimiter)), nil
}

func (r *Resolver) base64(path string, argument any) (any, error) {
	text, err := r.text(path, argument)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString([]byte(text)), nil
}

func (r *Resolver) getAZs(path string, argument any) (any, error) {
	region, err := r.text(path, argument)
	if err != nil {
		return nil, err
	}
	if region != "" && region != r.Pseudo.Region {
		return nil, fmt.Errorf("%s: the zones of %s are not known here, only those of %s", path, region, r.Pseudo.Region)
	}
	return list(r.Pseudo.AvailabilityZones), nil
}

func (r *Resolver) findInMap(path string, argument any) (any, error) {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 3 {
		return nil, fmt.Errorf("%s: must be [map, first key, second key]", path)
	}
	var keys [3]string
	for i := range keys {
		var err error
		if keys[i], err = r.text(path+"["+strconv.Itoa(i)+"]", arguments[i]); err != nil {
			return nil, err
		}
	}
	value, ok := r.Template.Mappings[keys[0]][keys[1]][keys[2]]
	if !ok {
		return nil, fmt.Errorf("%s: the template's Mappings have no %s", path, strings.Join(keys[:], "."))
	}
	return r.resolve(path, value)
}

func (r *Resolver) importValue(path string, argument any) (any, error) {
	name, err := r.text(path, argument)
	if err != nil {
		return nil, err
	}
	value, err := r.Values.Import(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return value, nil
}

func (r *Resolver) getStackOutput(path string, argument any) (any, error) {
	arguments, ok := argument.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: must be a map with StackName and OutputName", path)
	}
	texts := map[string]string{}
	for key, value := range arguments {
		switch key {
		case "StackName", "OutputName", "Region":
			text, err := r.text(path+"."+key, value)
			if err != nil {
				return nil, err
			}
			texts[key] = text
		default:
			return nil, fmt.Errorf("%s.%s is not known here", path, key)
		}
	}
	if texts["StackName"] == "" || texts["OutputName"] == "" {
		return nil, fmt.Errorf("%s: must have StackName and OutputName", path)
	}
	value, err := r.Values.StackOutput(texts["StackName"], texts["Region"], texts["OutputName"])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return value, nil
}

// cidr cuts [block, count, host bits] out of an IPv4 block.
func (r *Resolver) cidr(path string, argument any) (any, error) {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 3 {
		return nil, fmt.Errorf("%s: must be [block, count, host bits]", path)
	}
	var texts [3]string
	for i := range texts {
		var err error
		if texts[i], err = r.text(path+"["+strconv.Itoa(i)+"]", arguments[i]); err != nil {
			return nil, err
		}
	}
	block, err := netip.ParsePrefix(texts[0])
	if err != nil || !block.Addr().Is4() {
		return nil, fmt.Errorf("%s[0]: %q is no IPv4 block", path, texts[0])
	}
	count, err := strconv.Atoi(texts[1])
	if err != nil || count < 1 || count > 256 {
		return nil, fmt.Errorf("%s[1]: the count must be from 1 to 256, and is %q", path, texts[1])
	}
	bits, err := strconv.Atoi(texts[2])
	if err != nil || bits < 1 || bits > 32-block.Bits() {
		return nil, fmt.Errorf("%s[2]: %q host bits do not fit into %s", path, texts[2], block)
	}
	if int64(count) > int64(1)<<(32-block.Bits()-bits) {
		return nil, fmt.Errorf("%s: %d blocks with %d host bits do not fit into %s", path, count, bits, block)
	}
	first := new(big.Int).SetBytes(block.Masked().Addr().AsSlice())
	var blocks []string
	for i := range count {
		var address [4]byte
		new(big.Int).Add(first, new(big.Int).Lsh(big.NewInt(int64(i)), uint(bits))).FillBytes(address[:])
		blocks = append(blocks, netip.PrefixFrom(netip.AddrFrom4(address), 32-bits).String())
	}
	return list(blocks), nil
}

func list(texts []string) []any {
	items := make([]any, len(texts))
	for i, text := range texts {
		items[i] = text
	}
	return items
}
