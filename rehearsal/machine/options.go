package machine

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// File is a file that a machine has before its first boot, owned by root.
type File struct {
	Content string
	Mode    fs.FileMode // permission bits; 0644 where it is 0
}

// archive returns the files as a tar archive. Parent folders are not in it: those that exist keep their owner and mode.
func archive(files map[string]File) (io.Reader, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !path.IsAbs(name) || path.Clean(name) != name || name == "/" {
			return nil, fmt.Errorf("%q is not the absolute path of a file in a machine", name)
		}
		file := files[name]
		if file.Mode == 0 {
			file.Mode = 0o644
		}
		if file.Mode&^fs.ModePerm != 0 {
			return nil, fmt.Errorf("the mode %v of %s has more than permission bits", file.Mode, name)
		}
		err := w.WriteHeader(&tar.Header{Name: name[1:], Mode: int64(file.Mode), Size: int64(len(file.Content)), Typeflag: tar.TypeReg})
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, file.Content); err != nil {
			return nil, err
		}
	}
	return &b, w.Close()
}

// hostsFile returns an /etc/hosts with a line for each of hosts, name to address.
func hostsFile(hosts map[string]string) string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		fmt.Fprintf(&b, "%s %s\n", hosts[name], name)
	}
	return b.String()
}

// defaultEnvironment returns systemd's configuration (systemd-system.conf(5)) that gives every service the variables.
func defaultEnvironment(variables map[string]string) (string, error) {
	var b strings.Builder
	b.WriteString("[Manager]\n")
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		value := variables[name]
		if name == "" || strings.ContainsAny(name, "= \t\"'\\%") || strings.ContainsFunc(name+value, isControl) {
			return "", fmt.Errorf("the environment variable %q cannot be given to services: its name or value holds a character that is not allowed there", name)
		}
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(value)
		fmt.Fprintf(&b, "DefaultEnvironment=\"%s=%s\"\n", name, quoted)
	}
	return b.String(), nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
