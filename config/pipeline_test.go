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
	got, _, err := LoadPipeline(json.RawMessage(validPipeline), src)
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
		"account and region": {`{`, `{"account": "123456789012", "region": "eu-central-1", `},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(validPipeline, replace[0], replace[1], 1)
			if _, _, err := LoadPipeline(json.RawMessage(text), src); err != nil {
				t.Error(err)
			}
		})
	}

	for name, test := range map[string]struct{ old, new, want string }{
		"nothing":             {validPipeline, "", "codePipeline: is empty; "},
		"list":                {validPipeline, "[]", "codePipeline: is a list, not an object; "},
		"unknown key":         {`"branch"`, `"brunch"`, `codePipeline.brunch: is not a known key (did you mean "branch"?); expected one of account, branch, `},
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
		"account alone":       {`{`, `{"account": "123456789012", `, `codePipeline.region: is not given, but "account" is; `},
		"region alone":        {`{`, `{"region": "eu-central-1", `, `codePipeline.account: is not given, but "region" is; `},
		"short account":       {`{`, `{"account": "1234", "region": "eu-central-1", `, `codePipeline.account: "1234" is not an account id; `},
		"zone as region":      {`{`, `{"account": "123456789012", "region": "eu-central-1a", `, `codePipeline.region: "eu-central-1a" is not the name of a region; `},
		"no environments":     {`["dev", "prod"]`, `[]`, `codePipeline.environments: is empty; `},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			text := strings.Replace(validPipeline, test.old, test.new, 1)
			p, _, err := LoadPipeline(json.RawMessage(text), src)
			got := problemLines(t, err)
			if p != nil || len(got) != 1 || !strings.HasPrefix(got[0], "cdk.json: "+test.want) {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}

	t.Run("refuses everything at once", func(t *testing.T) {
		_, _, err := LoadPipeline(json.RawMessage(`{"connectionArn": 1, "repository": "", "branch": "", "environments": [7]}`), src)
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
		_, _, err := LoadPipeline(json.RawMessage(validPipeline), Source{Environments: json.RawMessage("{")})
		if got := problemLines(t, err); len(got) != 1 || !strings.HasPrefix(got[0], "environments: is not valid JSON") {
			t.Errorf("got %q", got)
		}
	})
}

func TestEverySampleValueOfThePipelineIsWarnedOf(t *testing.T) {
	src := Source{Environments: readFile(t, "samples.json"), Where: "cdk.json"}
	_, warnings, err := LoadPipeline(json.RawMessage(validPipeline), src)
	if err != nil {
		t.Fatal(err)
	}
	got := warningLines(warnings)
	want := []string{"codePipeline.connectionArn: is empty, which is enough to synthesize the pipeline and not to deploy it; ", `codePipeline.repository: "owner/name" is a sample name; `}
	if len(got) != len(want) || !strings.HasPrefix(got[0], want[0]) || !strings.HasPrefix(got[1], want[1]) {
		t.Errorf("got %q", got)
	}

	own := strings.NewReplacer(`"connectionArn": ""`, `"connectionArn": `+pipelineFields["connectionArn"].example, "owner/name", "team/drawbridge").Replace(validPipeline)
	if _, warnings, err := LoadPipeline(json.RawMessage(own), src); err != nil || len(warnings) > 0 {
		t.Errorf("own values: %q, %v", warningLines(warnings), err)
	}
}

func TestLoadStages(t *testing.T) {
	samples := string(readFile(t, "samples.json"))
	elsewhere := strings.Replace(samples, `"account": "",
    "region": "",
    "availabilityZones": []`, `"account": "123456789012",
    "region": "eu-central-1",
    "availabilityZones": ["eu-central-1a", "eu-central-1b"]`, 1)
	if elsewhere == samples {
		t.Fatal("the sample's first environment was not moved")
	}
	source := func(text string) Source { return Source{Environments: json.RawMessage(text), Where: "cdk.json"} }

	t.Run("gives the environments in the pipeline's order, with their warnings", func(t *testing.T) {
		stages, warnings, err := LoadStages(&Pipeline{Environments: []string{"prod", "dev"}}, source(samples))
		if err != nil || len(stages) != 2 || stages[0].Name != "prod" || stages[1].Name != "dev" {
			t.Fatalf("got %v, %v", stages, err)
		}
		all := strings.Join(warningLines(warnings), "\n")
		if !strings.Contains(all, "environments.dev.") || !strings.Contains(all, "environments.prod.") {
			t.Errorf("got %q", all)
		}
	})
	t.Run("lists the problems of every environment", func(t *testing.T) {
		wrong := strings.ReplaceAll(samples, `"backupDays": `, `"backupDays": 9`)
		_, _, err := LoadStages(&Pipeline{Environments: []string{"dev", "prod"}}, source(wrong))
		got := problemLines(t, err)
		if len(got) != 2 || !strings.Contains(got[0], "environments.dev.database.backupDays: ") || !strings.Contains(got[1], "environments.prod.database.backupDays: ") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("wants the pipeline's account where an environment names one", func(t *testing.T) {
		_, _, err := LoadStages(&Pipeline{Environments: []string{"dev", "prod"}}, source(elsewhere))
		got := problemLines(t, err)
		if len(got) != 1 || !strings.HasPrefix(got[0], `cdk.json: codePipeline.account: is not given, but the environment "`) {
			t.Errorf("got %q", got)
		}
		stages, _, err := LoadStages(&Pipeline{Account: "210987654321", Region: "us-east-1", Environments: []string{"dev", "prod"}}, source(elsewhere))
		if err != nil || len(stages) != 2 {
			t.Errorf("got %v, %v", stages, err)
		}
	})
	t.Run("a person approves production and what is protected against deletion", func(t *testing.T) {
		for _, test := range []struct {
			name      string
			protected bool
			want      bool
		}{{"prod", false, true}, {"prod", true, true}, {"dev", true, true}, {"dev", false, false}} {
			e := &Environment{Name: test.name, Database: Database{DeletionProtection: test.protected}}
			if e.NeedsApproval() != test.want {
				t.Errorf("%+v: %v", test, !test.want)
			}
		}
	})
}
