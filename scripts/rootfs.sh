#!/usr/bin/env bash
# Makes root file systems of Debian, as root, without installing anything on this machine. For other scripts to source, after
# debian.sh; it speaks through their own `die`, and works in the folder $work of theirs.

# The programs that it takes.
# shellcheck disable=SC2034 # for the other script
root_tools=(apt-get chroot dpkg dpkg-deb flock unshare wget)

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

# bootstrap WORK MIRROR RELEASE NAME makes a minimal Debian in WORK/NAME.
bootstrap() {
	local work=$1 mirror=$2 release=$3 name=$4 reason keyring=()
	reason=$(debian_download "$work/packages" "$mirror" "$release" debootstrap) || die "$reason: try again later."
	dpkg-deb --extract "$work"/packages/archives/debootstrap_*.deb "$work/debootstrap"
	rm -rf -- "$work/packages"

	# debootstrap cannot work in a folder whose name holds white space, so it sees this one as /mnt.
	if [[ -r /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
		keyring=(--keyring=/usr/share/keyrings/debian-archive-keyring.gpg)
	fi
	# shellcheck disable=SC2016 # for the inner shell
	DEBOOTSTRAP_DIR=/mnt/debootstrap/usr/share/debootstrap apart sh -c '
		mount --bind "$1" /mnt && shift && exec /mnt/debootstrap/usr/sbin/debootstrap "$@"' sh "$work" \
		"${keyring[@]}" --variant=minbase --force-check-gpg "$release" "/mnt/$name" "$mirror" >"$work/log" 2>&1 ||
		die "debootstrap could not make a $release from $mirror ($(why "$work/log")): try again later."
}
