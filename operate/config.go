package operate

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"drawbridge/config"
)

// load reads the environment from the config, as the CDK app does: from the context of cdk.json, or from the file that is
// given in its place.
func (o *Operator) load() (*config.Environment, error) {
	text, err := os.ReadFile(filepath.Join(o.Root, "cdk.json"))
	if err != nil {
		return nil, fmt.Errorf("cdk.json cannot be read (%w): 'git checkout cdk.json' brings it back", errors.Unwrap(err))
	}
	var file struct {
		Context struct {
			Environments           json.RawMessage
			Exposure, Architecture string
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("cdk.json cannot be understood (%w): 'git diff cdk.json' shows what has changed", err)
	}
	source := config.Source{
		Where: "cdk.json", Environments: file.Context.Environments, Environment: o.Environment,
		Exposure: file.Context.Exposure, Architecture: file.Context.Architecture,
	}
	if o.Exposure != "" {
		source.Exposure = o.Exposure
	}
	if o.Config != "" {
		file := o.Config
		if !filepath.IsAbs(file) {
			file = filepath.Join(o.Root, file)
		}
		source.Where = o.Config
		if source.Environments, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("the config file %s cannot be read (%w): check the path in CONFIG=FILE", o.Config, errors.Unwrap(err))
		}
	}
	if len(source.Environments) == 0 {
		return nil, errors.New("cdk.json holds no environments: they stand under context, environments")
	}
	env, _, err := config.Load(source)
	return env, err
}
