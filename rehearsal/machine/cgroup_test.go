//go:build linux

package machine

import "testing"

func TestCgroup2IsFoundInEitherLayout(t *testing.T) {
	for line, want := range map[string]string{
		"35 25 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate": "/sys/fs/cgroup",
		"36 25 0:31 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw":                                 "/sys/fs/cgroup/unified",
		"36 25 0:31 / /sys/fs/cgroup ro,relatime - cgroup2 cgroup2 rw":                                         "", // cannot be used
		"34 25 0:29 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,name=systemd":             "",
		"22 1 254:0 / / rw,relatime - ext4 /dev/cgroup2 rw":                                                    "",
		"": "", "-": "", " - cgroup2": "",
	} {
		if got, ok := cgroup2Mount(line); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v", line, got, ok)
		}
	}
}
