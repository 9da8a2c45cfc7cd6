// Package unixaccounts knows the Unix accounts and groups that no person may have the name of.
package unixaccounts

import (
	"regexp"
	"slices"
	"strings"
)

// system are accounts and groups that Amazon Linux 2023, Debian 13 or their packages bring along, some of them only later:
// a person of that name would share their rights, or be in their way.
var system = strings.Fields(`
adm admin apache audio backup bin cdrom chrony crontab cwagent daemon dbus debian dialout dip disk docker drawbridge
ec2-instance-connect ec2-user fax floppy ftp games gnats halt input irc kmem kvm libstoragemgmt list lock lp mail man mem
messagebus mysql netdev news nginx nobody nogroup nscd ntp ntpsec operator plugdev polkitd postfix printadmin proxy rdma
render rngd root rpc rpcuser sasl screen sgx shadow shutdown src ssh ssh-keys sshd ssm-user sssd staff stapdev stapsys
stapunpriv stapusr sudo sync sys tape tcpdump tss tty unbound users utempter utmp uucp uuidd video voice wheel www-data
`)

// name means nothing to a shell, a path or sshd.
var name = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// IsName tells whether a person's account may be called so: narrower than Linux's own rule, so that the name fits into a
// parameter's path and a file's name as it is.
func IsName(text string) bool { return name.MatchString(text) }

// IsSystem tells whether an account or group of this name is, or may become, one of the system's or of this project's own.
func IsSystem(name string) bool {
	return slices.Contains(system, name) || strings.HasPrefix(name, "systemd-") || strings.HasPrefix(name, "drawbridge-")
}
