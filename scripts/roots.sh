#!/usr/bin/env bash
# Makes the root file systems that the rehearsal boots hosts from. It needs root, installs nothing on this machine, and
# keeps everything in one folder.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: scripts/roots.sh fetch [DIR]  make the root file systems in DIR (default: .tools/roots)
       scripts/roots.sh check [DIR]  say which of them are there, and fail when one is missing or out of date

DIR/tunnel is what Debian's image for EC2 has, DIR/bastion a stand-in for
Amazon Linux 2023. It works on Debian as root: the packages come from the
mirror that this machine is set up with, and apt checks their signatures.
TEXT
}

# The release of the image that the tunnel's host starts from.
release=trixie

# What Debian's image for EC2 has, as far as a host of ours may lean on it. Left out on purpose: awscli, autossh,
# nftables, curl and unattended-upgrades. The image lacks most of them, and a host installs for itself what it needs.
packages=(
	systemd systemd-sysv libpam-systemd dbus udev
	cloud-init python3
	openssh-server openssh-client sudo
	ca-certificates gpgv apt
	iproute2 iputils-ping kmod procps
)

# What Amazon Linux 2023 has besides, or what its host installs with dnf at setup: its packages cannot be had on Debian.
bastion_packages=(
	awscli curl
	mariadb-client # dnf's mariadb105 is MariaDB's client too
	nftables
)

# Raise it when a root is to be made anew although its packages stay the same.
recipe=1

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
default_dir=$root/.tools/roots

say() { printf '%s\n' "$*" >&2; }
die() {
	say "scripts/roots.sh: $*"
	exit 1
}
# shellcheck source=scripts/debian.sh
source "$root/scripts/debian.sh"
# shellcheck source=scripts/rootfs.sh
source "$root/scripts/rootfs.sh"

# stamp NAME prints what the stamp of a root that is whole and up to date holds.
stamp() {
	local all=("$recipe" "$release" "${packages[@]}")
	[[ $1 != bastion ]] || all+=("${bastion_packages[@]}")
	printf '%s\n' "${all[@]}" | sha256sum | cut -d ' ' -f 1
}

# is_made DIR NAME: the stamp is written last, so a half-finished root has none.
is_made() { [[ -d $1/$2 && $(cat -- "$1/$2.stamp" 2>/dev/null) == "$(stamp "$2")" ]]; }

are_made() { is_made "$1" tunnel && is_made "$1" bastion; }

# clean ROOT takes out what is one machine's own.
clean() {
	: >"$1/etc/machine-id" # systemd makes one at boot
	rm -f -- "$1/var/lib/dbus/machine-id" "$1"/etc/ssh/ssh_host_* "$1/etc/hostname"
	rm -rf -- "$1"/var/log/*.log "$1"/var/log/apt/* "$1"/var/cache/apt/*.bin "$1"/tmp/* "$1"/var/tmp/*
}

# finish NAME gives a root that is whole its place, then its stamp.
finish() {
	rm -rf -- "${dir:?}/$1.stamp" "${dir:?}/$1"
	mv -- "$work/$1" "$dir/$1"
	stamp "$1" >"$dir/$1.stamp"
}

fetch() {
	dir=${1:-$default_dir}
	if are_made "$dir"; then
		say "The root file systems are in $dir."
		return
	fi
	[[ $(uname -s) == Linux ]] || die "no root file systems can be made on $(uname -s): they take Linux."
	((EUID == 0)) || die "root file systems can only be made as root: run it with sudo."
	local tool mirror start=$SECONDS
	for tool in "${root_tools[@]}"; do
		type -P "$tool" >/dev/null || die "no root file systems can be made without the program $tool: install it."
	done
	mirror=$(debian_mirror)
	[[ -n $mirror ]] || die "no root file systems can be made, as apt on this machine has no Debian mirror: set one up in /etc/apt."

	mkdir -p -- "$(dirname -- "$dir")"
	dir=$(cd -- "$(dirname -- "$dir")" && pwd -P)/$(basename -- "$dir")
	claim "$dir"
	if are_made "$dir"; then
		say "The root file systems are in $dir."
		return
	fi
	refuse_foreign "$dir"
	mkdir -p -- "$dir"
	: >"$dir/.fetched-by-drawbridge"

	# All of the work is in one folder beside the result. What an interrupted
	# run left there goes first.
	work=$dir.partial
	rm -rf --one-file-system -- "$work"
	mkdir -p -- "$work"
	# shellcheck disable=SC2064 # the value of now is meant
	trap "rm -rf --one-file-system -- $(printf %q "$work")" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	if ! is_made "$dir" tunnel; then
		say "1/3 Making a minimal $release (half a minute) …"
		bootstrap "$work" "$mirror" "$release" tunnel

		say "2/3 Installing what Debian's image for EC2 has (half a minute) …"
		install "$work/tunnel" "${packages[@]}"
		clean "$work/tunnel"
		finish tunnel
	fi
	say "3/3 Installing what Amazon Linux 2023 has besides (half a minute) …"
	cp -a --reflink=auto -- "$dir/tunnel" "$work/bastion"
	install "$work/bastion" "${bastion_packages[@]}"
	clean "$work/bastion"
	finish bastion
	say "The root file systems are in $dir ($(du -sh -- "$dir" | cut -f 1), made in $((SECONDS - start)) s)."
}

check() {
	local dir=${1:-$default_dir} name failed=0
	for name in tunnel bastion; do
		if is_made "$dir" "$name"; then
			printf '%s\n' "$dir/$name"
		else
			say "scripts/roots.sh: $dir/$name is missing or out of date: run 'scripts/roots.sh fetch' as root."
			failed=1
		fi
	done
	return "$failed"
}

case ${1:-}:$# in
fetch:1 | fetch:2) fetch "${2:-}" ;;
check:1 | check:2) check "${2:-}" ;;
help:* | --help:* | -h:*) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
