package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// object is a JSON object that remembers the order of its keys and which of
// them stood in the text more than once: encoding/json keeps the last and says
// nothing.
type object struct {
	keys     []string
	values   map[string]any
	repeated []string
}

// parse reads JSON text into string, json.Number, bool, nil, []any and *object.
// The error is a clause that follows "is".
func parse(text []byte) (any, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // the mark that Windows editors leave
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("empty")
	}
	if !utf8.Valid(text) {
		return nil, errors.New("not UTF-8 text")
	}
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		var syntax *json.SyntaxError
		if !errors.As(err, &syntax) {
			return nil, fmt.Errorf("not valid JSON: %w", err)
		}
		before := text[:max(0, min(int(syntax.Offset)-1, len(text)))]
		line := 1 + bytes.Count(before, []byte("\n"))
		column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
		return nil, fmt.Errorf("not valid JSON at line %d, column %d: %s",
			line, column, strings.TrimPrefix(syntax.Error(), "json: "))
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return parseValue(decoder)
}

func parseValue(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			element, err := parseValue(decoder)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		_, err = decoder.Token()
		return list, err
	case json.Delim('{'):
		o := &object{values: map[string]any{}}
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := parseValue(decoder)
			if err != nil {
				return nil, err
			}
			o.set(key.(string), value)
		}
		_, err = decoder.Token()
		return o, err
	}
	return token, nil
}

func (o *object) set(key string, value any) {
	if _, known := o.values[key]; known {
		o.repeated = append(o.repeated, key)
	} else {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}
