package administrators

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"drawbridge/host/settings"
)

func TestUpdateAsksParameterStoreAsItsAPIWantsIt(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in map[string]any
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		body, _ := json.Marshal(in)
		asked = append(asked, r.Header.Get("X-Amz-Target")+" "+string(body))
		out := map[string]any{"Parameters": []any{}, "NextToken": "more"} // a page may be empty
		if in["NextToken"] == "more" {
			out = map[string]any{"Parameters": []any{map[string]any{
				"Name": path + "/malia", "Type": "String", "Value": administrator("malia", "shell", key(1))}}}
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(out)
	}))
	defer server.Close()
	cfg := aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "example", "")}
	m := newMachine(t)
	s := &settings.Settings{Database: database, Bastion: &settings.Bastion{AdministratorsPath: path}}
	if err := Update(t.Context(), m.host, s, cfg); err != nil {
		t.Fatal(err)
	}
	m.wants("malia", formOf(shell))
	want := []string{`AmazonSSM.GetParametersByPath {"MaxResults":10,"Path":"` + path + `"}`,
		`AmazonSSM.GetParametersByPath {"MaxResults":10,"NextToken":"more","Path":"` + path + `"}`}
	if strings.Join(asked, "\n") != strings.Join(want, "\n") {
		t.Errorf("it asked %q", asked)
	}
}

func TestUpdateIsForTheJumpServer(t *testing.T) {
	m := newMachine(t)
	if err := Update(t.Context(), m.host, &settings.Settings{}, aws.Config{}); err == nil || len(m.ran) > 0 {
		t.Errorf("it ran %q, error %v", m.ran, err)
	}
}
