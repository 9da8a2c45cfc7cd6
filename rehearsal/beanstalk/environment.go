package beanstalk

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// defaultPort is where the proxy finds the program unless the environment property PORT says another port ("Reverse proxy
// configuration", AWS Elastic Beanstalk Developer Guide).
const defaultPort = 5000

// programPort is where the program listens.
func programPort(properties map[string]string) (int, error) {
	text, set := properties["PORT"]
	if !set {
		return defaultPort, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("the environment property PORT is %q, which is no port", text)
	}
	return n, nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// environment returns all variables of the program, NAME=value. None of this process's are among them: an instance has
// none of this machine's credentials and settings.
func environment(home string, port int, properties, extra map[string]string) ([]string, error) {
	// What systemd gives a service with a user (systemd.exec(5), "Environment Variables in Spawned Processes").
	all := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
		"HOME": home, "USER": "webapp", "LOGNAME": "webapp", "SHELL": "/bin/sh",
	}
	maps.Copy(all, properties)
	all["PORT"] = strconv.Itoa(port)
	maps.Copy(all, extra)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !variableName.MatchString(name) || strings.ContainsRune(all[name], 0) {
			return nil, fmt.Errorf("%q cannot be an environment variable, or its value cannot", name)
		}
		list = append(list, name+"="+all[name])
	}
	return list, nil
}
