package constructs

import "encoding/json"

// jsonText is v as one line of JSON with its keys sorted, so that two synths agree.
func jsonText(v any) *string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("a construct's own value is no JSON: " + err.Error())
	}
	s := string(text)
	return &s
}
