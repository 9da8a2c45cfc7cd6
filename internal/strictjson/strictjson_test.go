package strictjson

import (
	"errors"
	"testing"
)

func TestDecodeTakesOneValueOfKnownFields(t *testing.T) {
	for text, want := range map[string]bool{
		`{"name":"x"}`: true, " {\"name\":\"x\"}\n": true,
		``: false, `{`: false, `{"name":1}`: false, `{"name":"x","more":1}`: false,
		`{"name":"x"} {}`: false, `{"name":"x"}x`: false, `{"name":"x"}}`: false,
	} {
		var v struct{ Name string }
		if err := Decode([]byte(text), &v); (err == nil) != want || want && v.Name != "x" {
			t.Errorf("%q: %+v, error %v", text, v, err)
		}
	}
	if err := Decode([]byte("1 2"), new(int)); !errors.Is(err, ErrMore) {
		t.Errorf("error %v", err)
	}
}
