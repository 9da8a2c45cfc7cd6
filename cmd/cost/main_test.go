package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// assembly is a folder with one stack of that resource.
func assembly(t *testing.T, resource string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"manifest.json": `{"artifacts": {"Bastion": {"type": "aws:cloudformation:stack",
			"properties": {"templateFile": "Bastion.template.json", "stackName": "drawbridge-lab-Bastion"}}}}`,
		"Bastion.template.json": `{"Resources": {"Host": ` + resource + `}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	host  = `{"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": "t4g.micro"}}`
	wrong = `{"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": {"Ref": "AWS::StackName"}}}`
)

func TestOneBillForEachFolder(t *testing.T) {
	var out bytes.Buffer
	if err := run([]string{assembly(t, host), assembly(t, host)}, &out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Count(text, "drawbridge-lab ") != 2 || strings.Count(text, "jump server, t4g.micro") != 2 || strings.Count(text, "together") != 2 {
		t.Errorf("the output is\n%s", text)
	}
}

func TestMistakes(t *testing.T) {
	for name, test := range map[string]struct {
		folder, says string
	}{
		"no assembly":         {t.TempDir(), "manifest.json"},
		"what has no numbers": {assembly(t, wrong), "Bastion/Host (AWS::EC2::Instance): InstanceType is no plain text"},
	} {
		if err := run([]string{test.folder}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	var out bytes.Buffer
	if err := run(nil, &out); err != nil || !strings.HasPrefix(out.String(), "usage: cost ASSEMBLY") {
		t.Errorf("without a folder: %v %s", err, out.String())
	}
}
