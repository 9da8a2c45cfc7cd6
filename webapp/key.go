package main

import (
	"encoding/hex"
	"errors"
	"strings"
	"unicode/utf8"
)

// exact is a value of a column in the words that the app's addresses use. It
// leads back to the same value: see column.operand.
type exact struct {
	Text string
	Null bool
}

// errKey is why the text of a key was not understood.
var errKey = errors.New("it is not written as this app writes keys")

// writeKey writes values as one text that people can read: values have commas
// between them, and a backslash stands before what would be mistaken. Proxies
// refuse control characters and browsers change "." and "..", so these are not
// left as they are.
func writeKey(values []exact) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		switch {
		case v.Null:
			b.WriteString(`\N`)
		case v.Text == "":
			b.WriteString(`\E`)
		case v.Text == "." || v.Text == "..":
			b.WriteString(`\` + v.Text)
		default:
			for j := range len(v.Text) {
				switch c := v.Text[j]; {
				case c == '\\' || c == ',':
					b.WriteByte('\\')
					b.WriteByte(c)
				case c < 0x20 || c == 0x7F:
					b.WriteString(`\x` + hex.EncodeToString([]byte{c}))
				default:
					b.WriteByte(c)
				}
			}
		}
	}
	return b.String()
}

// readKey is the reverse of writeKey.
func readKey(text string) ([]exact, error) {
	if text == "" || !utf8.ValidString(text) {
		return nil, errKey
	}
	var values []exact
	var b strings.Builder
	null, empty := false, false
	end := func() error {
		if (null || empty) && b.Len() > 0 || !null && !empty && b.Len() == 0 {
			return errKey
		}
		values = append(values, exact{Text: b.String(), Null: null})
		b.Reset()
		null, empty = false, false
		return nil
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ',':
			if err := end(); err != nil {
				return nil, err
			}
		case '\\':
			i++
			if i == len(text) || null || empty {
				return nil, errKey
			}
			switch c := text[i]; c {
			case 'N':
				null = true
			case 'E':
				empty = true
			case 'x':
				if i+2 >= len(text) {
					return nil, errKey
				}
				bytes, err := hex.DecodeString(text[i+1 : i+3])
				if err != nil || bytes[0] >= 0x80 {
					return nil, errKey
				}
				b.WriteByte(bytes[0])
				i += 2
			case '\\', ',', '.':
				b.WriteByte(c)
			default:
				return nil, errKey
			}
		default:
			b.WriteByte(c)
		}
	}
	if err := end(); err != nil {
		return nil, err
	}
	return values, nil
}
