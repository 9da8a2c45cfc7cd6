package resources

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"drawbridge/rehearsal/cloudformation"
	"drawbridge/rehearsal/runtimeapi"
	"drawbridge/rehearsal/template"
)

// function plays AWS::Lambda::Function. A custom runtime's program runs here; other functions are only known.
type function struct{ *Account }

func (p function) Create(_ context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	in := properties{values: r.Properties}
	name := in.text("FunctionName", false)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	if name == "" {
		name = generatedName(r)
		name = name[max(0, len(name)-64):] // Lambda's limit; the end tells names apart
	}
	return p.deploy(name, r)
}

func (p function) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	if r.Properties["FunctionName"] != r.OldProperties["FunctionName"] {
		return p.Create(ctx, r)
	}
	return p.deploy(r.PhysicalID, r)
}

func (p function) Delete(_ context.Context, r cloudformation.Request) error {
	err := p.Functions.set(p.arn("lambda", "function:"+r.PhysicalID), nil)
	if p.options.Interfaces != nil {
		err = errors.Join(err, p.options.Interfaces.Remove(r.PhysicalID))
	}
	return err
}

func (p function) deploy(name string, r cloudformation.Request) (cloudformation.Resource, error) {
	arn := p.arn("lambda", "function:"+name)
	made := cloudformation.Resource{PhysicalID: name, Attributes: map[string]any{"Arn": arn}}
	in := properties{values: r.Properties}
	runtimeName := in.text("Runtime", true)
	if in.err != nil {
		return cloudformation.Resource{}, in.err
	}
	if !strings.HasPrefix(runtimeName, "provided.") {
		return made, p.Functions.set(arn, &deployed{})
	}
	function, err := p.unpack(r)
	if err != nil {
		return cloudformation.Resource{}, err
	}
	config, err := p.config(name, arn, r)
	if err == nil {
		config.Bootstrap = filepath.Join(function.files, "bootstrap")
		function.program, err = runtimeapi.New(config)
	}
	if err != nil {
		return cloudformation.Resource{}, errors.Join(err, function.close())
	}
	return made, p.Functions.set(arn, function)
}

// config is how the properties say that the function runs.
func (p function) config(name, arn string, r cloudformation.Request) (runtimeapi.Config, error) {
	in := properties{values: r.Properties}
	config := runtimeapi.Config{
		Name: name, ARN: arn, Region: p.options.Region, Handler: in.text("Handler", true), MemoryMiB: 128,
		Environment: map[string]string{}, Retries: p.options.FunctionRetries, Log: p.options.FunctionLog,
	}
	for property, set := range map[string]func(int){
		"MemorySize": func(n int) { config.MemoryMiB = n },
		"Timeout":    func(n int) { config.Timeout = time.Duration(n) * time.Second },
	} {
		text := in.text(property, false)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return config, fmt.Errorf("its property %s must be a number above 0, and is %q", property, text)
		}
		set(n)
	}
	if p.options.FunctionTimeout != 0 {
		config.Timeout = p.options.FunctionTimeout
	}
	if architectures := in.texts("Architectures"); len(architectures) > 0 {
		mine := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
		if architectures[0] != mine {
			return config, fmt.Errorf("it is made for %s, and this machine is %s: synthesize with -c architecture=%s", architectures[0], mine, mine)
		}
	}
	role := in.text("Role", true)
	if in.err != nil {
		return config, in.err
	}
	config.Credentials = runtimeapi.Credentials(p.options.Secrets.Credentials(role))
	environment, _ := r.Properties["Environment"].(map[string]any)
	variables, _ := environment["Variables"].(map[string]any)
	for variable, value := range variables {
		text, ok := template.Text(value)
		if !ok {
			return config, fmt.Errorf("its environment variable %s must be a text", variable)
		}
		config.Environment[variable] = p.localURL(text)
	}
	vpc, inVPC := r.Properties["VpcConfig"].(map[string]any)
	if inVPC && p.options.Interfaces != nil {
		in := properties{values: vpc}
		subnets, groups := in.texts("SubnetIds"), in.texts("SecurityGroupIds")
		if in.err != nil {
			return config, in.err
		}
		var err error
		if config.Network, err = p.options.Interfaces.Add(name, subnets, groups, false); err != nil {
			return config, err
		}
	}
	p.addEndpoint(config.Environment, inVPC)
	maps.Copy(config.Environment, p.options.FunctionEnvironment)
	return config, nil
}

const endpointVariable = "AWS_ENDPOINT_URL_SECRETS_MANAGER"

// addEndpoint tells a function where Secrets Manager is, if AWS's own name of it leads somewhere: outside of the VPC,
// or to a VPC endpoint with private DNS.
func (p function) addEndpoint(environment map[string]string, inVPC bool) {
	if environment[endpointVariable] != "" {
		return
	}
	if !inVPC {
		environment[endpointVariable] = p.options.Secrets.URL()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, url := range p.privateDNS {
		environment[endpointVariable] = url
	}
}

// maxProgram bounds what is unpacked ("Lambda quotas": deployment package, unzipped), in bytes.
const maxProgram = 250 << 20

// unpack puts the function's bootstrap into a folder of its own.
func (p function) unpack(r cloudformation.Request) (_ *deployed, err error) {
	code, _ := r.Properties["Code"].(map[string]any)
	key, _ := code["S3Key"].(string)
	asset, ok := r.Stack.Assets[key]
	if !ok {
		return nil, fmt.Errorf("its code %q is no asset of the assembly", key)
	}
	files, err := os.MkdirTemp("", "drawbridge-function-")
	if err != nil {
		return nil, err
	}
	function := &deployed{files: files}
	defer func() {
		if err != nil {
			err = errors.Join(err, function.close())
		}
	}()
	var from io.ReadCloser
	if asset.Zip {
		from, err = os.Open(filepath.Join(asset.Path, "bootstrap"))
	} else {
		var archive *zip.ReadCloser
		if archive, err = zip.OpenReader(asset.Path); err != nil {
			return nil, fmt.Errorf("its code cannot be unpacked: %w", err)
		}
		defer archive.Close() //nolint:errcheck // it was only read
		from, err = archive.Open("bootstrap")
	}
	if err != nil {
		return nil, fmt.Errorf("its code has no file bootstrap, which its runtime starts: %w", err)
	}
	defer from.Close() //nolint:errcheck // it was only read
	// Whatever the mode in the zip file: that is for a test of the asset.
	to, err := os.OpenFile(filepath.Join(files, "bootstrap"), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(to, io.LimitReader(from, maxProgram+1))
	if err == nil && n > maxProgram {
		err = fmt.Errorf("its program is larger than Lambda's %d MiB", maxProgram>>20)
	}
	return function, errors.Join(err, to.Close())
}

func (d *deployed) close() error {
	if d == nil {
		return nil
	}
	var errs []error
	if d.program != nil {
		errs = append(errs, d.program.Close())
	}
	if d.files != "" {
		errs = append(errs, os.RemoveAll(d.files))
	}
	return errors.Join(errs...)
}
