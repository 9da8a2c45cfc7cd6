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

# stamp NAME prints what the stamp of a root that is whole and up to date holds.
stamp() {
	local all=("$recipe" "$release" "${packages[@]}")
	[[ $1 != bastion ]] || all+=("${bastion_packages[@]}")
	printf '%s\n' "${all[@]}" | sha256sum | cut -d ' ' -f 1
}

# is_made DIR NAME: the stamp is written last, so a half-finished root has none.
is_made() { [[ -d $1/$2 && $(cat -- "$1/$2.stamp" 2>/dev/null) == "$(stamp "$2")" ]]; }

are_made() { is_made "$1" tunnel && is_made "$1" bastion; }

# apart COMMAND... runs it with mounts and processes of its own: what it mounts and starts is gone when it ends, however
# it ends.
apart() { LC_ALL=C unshare --mount --pid --fork --kill-child --mount-proc -- "$@"; }

# why LOG prints a failed command's last words, on one line.
why() {
	local line
	line=$(grep -E '^(E: |dpkg: error|.*: (error|cannot) )' "$1" | tail -n 1) || line=$(grep -v '^ *$' "$1" | tail -n 1) || line='no reason given'
	line=${line#E: }
	printf '%s' "${line%.}"
}

# inside ROOT COMMAND... runs it in that root.
inside() {
	# shellcheck disable=SC2016 # for the inner shell
	apart sh -c '
		mount -t proc proc "$1/proc" && mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts" || exit
		root=$1; shift
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"' sh "$@"
}

# install ROOT PACKAGE... installs packages there.
install() {
	local to=$1
	shift
	# The machine's resolver and proxy are for the installation alone.
	cp -L -- /etc/resolv.conf "$to/etc/resolv.conf"
	printf '%s\n' "Acquire::http::Proxy \"${http_proxy:-}\";" >"$to/etc/apt/apt.conf.d/proxy"
	# Nothing is started in a root that is only being made (invoke-rc.d asks this program).
	printf '#!/bin/sh\nexit 101\n' >"$to/usr/sbin/policy-rc.d"
	chmod 755 "$to/usr/sbin/policy-rc.d"
	local apt=(apt-get -q --yes -o APT::Install-Recommends=false -o Acquire::Languages=none -o Acquire::Retries=3
		-o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=false)
	{
		inside "$to" "${apt[@]}" update && inside "$to" "${apt[@]}" install "$@" && inside "$to" apt-get clean
	} >"$work/log" 2>&1 || die "the packages of $(basename -- "$to") could not be installed ($(why "$work/log")): run it again later."
	rm -rf -- "$to/usr/sbin/policy-rc.d" "$to/etc/apt/apt.conf.d/proxy" "$to/etc/resolv.conf" "$to"/var/lib/apt/lists/*
	mkdir -p -- "$to/var/lib/apt/lists/partial"
}

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
	local tool mirror reason start=$SECONDS
	for tool in apt-get chroot dpkg dpkg-deb flock unshare wget; do
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
		say "1/4 Fetching debootstrap from $mirror …"
		reason=$(debian_download "$work/packages" "$mirror" "$release" debootstrap) || die "$reason: try again later."
		dpkg-deb --extract "$work"/packages/archives/debootstrap_*.deb "$work/debootstrap"
		rm -rf -- "$work/packages"

		say "2/4 Making a minimal $release (half a minute) …"
		# debootstrap cannot work in a folder whose name holds white space, so it sees this one as /mnt.
		local keyring=()
		if [[ -r /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
			keyring=(--keyring=/usr/share/keyrings/debian-archive-keyring.gpg)
		fi
		# shellcheck disable=SC2016 # for the inner shell
		DEBOOTSTRAP_DIR=/mnt/debootstrap/usr/share/debootstrap apart sh -c '
			mount --bind "$1" /mnt && shift && exec /mnt/debootstrap/usr/sbin/debootstrap "$@"' sh "$work" \
			"${keyring[@]}" --variant=minbase --force-check-gpg "$release" /mnt/tunnel "$mirror" >"$work/log" 2>&1 ||
			die "debootstrap could not make a $release from $mirror ($(why "$work/log")): try again later."

		say "3/4 Installing what Debian's image for EC2 has (half a minute) …"
		install "$work/tunnel" "${packages[@]}"
		clean "$work/tunnel"
		finish tunnel
	fi
	say "4/4 Installing what Amazon Linux 2023 has besides (half a minute) …"
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
