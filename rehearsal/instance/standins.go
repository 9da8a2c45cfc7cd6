package instance

import (
	"maps"

	"drawbridge/rehearsal/machine"
)

// Trust makes a machine trust a database's certificate authority, in PEM, beside RDS's.
func Trust(ca string) map[string]machine.File {
	const path = "/etc/rehearsal-database-ca.pem"
	return map[string]machine.File{
		path: {Content: ca},
		"/etc/systemd/system.conf.d/rehearsal-database-ca.conf": {Content: "[Manager]\nDefaultEnvironment=DRAWBRIDGE_DB_CA_FILE=" + path + "\n"},
	}
}

// AmazonLinux makes a Debian root stand for Amazon Linux, with further files: it says that it is one, and its dnf and rpm
// know the packages that Debian has under other names. What they were asked is in /var/log/dnf-calls.
func AmazonLinux(further map[string]machine.File) map[string]machine.File {
	files := map[string]machine.File{
		"/etc/os-release": {Content: "ID=\"amzn\"\nVERSION_ID=\"2023\"\nNAME=\"Amazon Linux\"\n"},
		"/usr/bin/dnf":    {Mode: 0o755, Content: standIn},
		"/usr/bin/rpm":    {Mode: 0o755, Content: standIn},
	}
	maps.Copy(files, further)
	return files
}

const standIn = `#!/bin/bash
echo "${0##*/} $*" >>/var/log/dnf-calls
installed=/var/lib/stand-in-rpm
mkdir -p "$installed"
command= packages=()
for word; do
	case $word in
	-*) [[ $word != --query && $word != -q || ${0##*/} != rpm ]] || command=query ;;
	*) if [[ -z $command ]]; then command=$word; else packages+=("$word"); fi ;;
	esac
done
for package in "${packages[@]}"; do
	case $command in
	install)
		case $package in
		mariadb105 | nftables | dnf-utils | dnf5-plugins | dnf-plugins-core | sudo | python3*) touch "$installed/$package" ;;
		*) echo "Error: Unable to find a match: $package" >&2; exit 1 ;;
		esac ;;
	remove) rm -f "$installed/$package"; [[ $package != ec2-instance-connect ]] || { rm -f /etc/systemd/system/sshd.service.d/ec2-instance-connect.conf; systemctl daemon-reload; } ;;
	query) [[ -e $installed/$package ]] || { echo "package $package is not installed"; exit 1; } ;;
	esac
done
exit 0
`
