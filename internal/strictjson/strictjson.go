// Package strictjson reads JSON in which nothing may stand that nobody asked for.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// ErrMore is the error of a text that goes on after the JSON value.
var ErrMore = errors.New("something follows the JSON object")

// Decode reads a text that is one JSON value with known fields alone into v.
func Decode(text []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return ErrMore
	}
	return nil
}
