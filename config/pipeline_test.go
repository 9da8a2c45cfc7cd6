package config

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const validPipeline = `{"connectionArn": "", "repository": "owner/name", "branch": "main", "environments": ["dev", "prod"]}`

func TestLoadPipeline(t *testing.T) {
	src := Source{Environments: readFile(t, "samples.json"), Where: "cdk.json"}
	got, err := LoadPipeline(json.RawMessage(validPipeline), src)
	want := &Pipeline{Repository: "owner/name", Branch: "main", Environments: []string{"dev", "prod"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}

	for name, replace := range map[string][2]string{
		"connection":         {`"connectionArn": ""`, `"connectionArn": ` + pipelineFields["connectionArn"].example},
		"older connection":   {`"connectionArn": ""`, `"connectionArn": "arn:aws:codestar-connections:us-east-1:123456789012:connection/ab-1"`},
		"group in a group":   {"owner/name", "group/team/na.me_1"},
		"branch with slash":  {`"main"`, `"release/v1.2-rc_3"`},
		"single environment": {`["dev", "prod"]`, `["prod"]`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(validPipeline, replace[0], replace[1], 1)
			if _, err := LoadPipeline(json.RawMessage(text), src); err != nil {
				t.Error(err)
			}
		})
	}

	for name, test := range map[string]struct{ old, new, want string }{
		"nothing":             {validPipeline, "", "codePipeline: is empty; "},
		"list":                {validPipeline, "[]", "codePipeline: is a list, not an object; "},
		"unknown key":         {`"branch"`, `"brunch"`, `codePipeline.brunch: is not a known key (did you mean "branch"?); expected one of branch, `},
		"missing key":         {`"branch": "main", `, "", "codePipeline.branch: is missing; "},
		"connection":          {`"connectionArn": ""`, `"connectionArn": "arn:aws:s3:::x"`, `codePipeline.connectionArn: "arn:aws:s3:::x" is not the ARN of a connection; `},
		"address":             {"owner/name", "https://github.com/owner/name", `codePipeline.repository: "https://github.com/owner/name" is not a repository; `},
		"no owner":            {"owner/name", "name", `codePipeline.repository: "name" is not a repository; `},
		"branch with space":   {`"main"`, `"my branch"`, `codePipeline.branch: "my branch" is not a branch; `},
		"branch with dots":    {`"main"`, `"a..b"`, `codePipeline.branch: "a..b" is not a branch; `},
		"branch as an option": {`"main"`, `"-f"`, `codePipeline.branch: "-f" is not a branch; `},
		"lock file as branch": {`"main"`, `"main.lock"`, `codePipeline.branch: "main.lock" is not a branch; `},
		"unknown environment": {`"prod"]`, `"test"]`, `codePipeline.environments[1]: "test" is not an environment of the config; `},
		"environment twice":   {`"prod"]`, `"dev"]`, `codePipeline.environments[1]: "dev" is listed twice; `},
		"no environments":     {`["dev", "prod"]`, `[]`, `codePipeline.environments: is empty; `},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			text := strings.Replace(validPipeline, test.old, test.new, 1)
			p, err := LoadPipeline(json.RawMessage(text), src)
			got := problemLines(t, err)
			if p != nil || len(got) != 1 || !strings.HasPrefix(got[0], "cdk.json: "+test.want) {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}

	t.Run("refuses everything at once", func(t *testing.T) {
		_, err := LoadPipeline(json.RawMessage(`{"connectionArn": 1, "repository": "", "branch": "", "environments": [7]}`), src)
		var paths []string
		for _, p := range err.(Problems) {
			paths = append(paths, p.Path)
		}
		want := []string{"codePipeline.branch", "codePipeline.connectionArn", "codePipeline.environments[0]", "codePipeline.repository"}
		if !slices.Equal(paths, want) {
			t.Errorf("got %q", paths)
		}
	})
	t.Run("refuses environments that cannot be read", func(t *testing.T) {
		_, err := LoadPipeline(json.RawMessage(validPipeline), Source{Environments: json.RawMessage("{")})
		if got := problemLines(t, err); len(got) != 1 || !strings.HasPrefix(got[0], "environments: is not valid JSON") {
			t.Errorf("got %q", got)
		}
	})
}
