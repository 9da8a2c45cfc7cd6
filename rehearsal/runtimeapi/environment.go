package runtimeapi

import (
	"path/filepath"
	"slices"
	"strconv"
)

// What Lambda sets itself and refuses in a function's own environment ("Defined runtime environment variables", AWS
// Lambda Developer Guide).
var reservedVariables = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

func reserved(name string) bool { return slices.Contains(reservedVariables, name) }

// environment is all that the program sees. runtimeAPI is the host and port of its Runtime API, dir its /tmp.
func environment(config *Config, runtimeAPI, dir string) []string {
	root := filepath.Dir(config.Bootstrap)
	own := map[string]string{
		"AWS_ACCESS_KEY_ID":               config.Credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           config.Credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN":               config.Credentials.SessionToken,
		"AWS_REGION":                      config.Region,
		"AWS_DEFAULT_REGION":              config.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        config.Name,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(config.MemoryMiB),
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + config.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "rehearsal",
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"LAMBDA_TASK_ROOT":                root,
		"LAMBDA_RUNTIME_DIR":              root,
		"LANG":                            "en_US.UTF-8",
		"PATH":                            "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":                              ":UTC",
		"_HANDLER":                        config.Handler,

		// Not Lambda's: what keeps the program off this machine. In Lambda /tmp is the function's own, the files of the
		// AWS CLI do not exist, and an isolated subnet has no way to the internet.
		"TMPDIR":                      dir,
		"AWS_CONFIG_FILE":             filepath.Join(dir, "no-config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "no-credentials"),
	}
	if config.Network == nil {
		own["HTTP_PROXY"], own["HTTPS_PROXY"] = "http://"+runtimeAPI, "http://"+runtimeAPI
	}
	for name, value := range config.Environment {
		own[name] = value
	}
	variables := make([]string, 0, len(own))
	for name, value := range own {
		variables = append(variables, name+"="+value)
	}
	slices.Sort(variables)
	return variables
}
