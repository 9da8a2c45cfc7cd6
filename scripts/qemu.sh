#!/usr/bin/env bash
# Gets QEMU's user-mode emulator of arm64, with which a test runs what is built for arm64 on another machine. It needs no
# root, installs nothing, and keeps everything in one folder.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: scripts/qemu.sh fetch [DIR]  get the emulator qemu-aarch64 into DIR (default: .tools/qemu)
       scripts/qemu.sh version      print the version of the emulator that would be used

A `qemu-aarch64-static` or `qemu-aarch64` on the PATH is used instead of a
fetched one, and an arm64 machine needs none. Fetching works on Debian: the
emulator comes from the mirror and the release that this machine is set up
with, and apt checks its signature.
TEXT
}

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
default_dir=$root/.tools/qemu
# What to do where no emulator can be fetched.
by_hand="install QEMU's user-mode emulation and put its qemu-aarch64 on the PATH"

say() { printf '%s\n' "$*" >&2; }
die() {
	say "scripts/qemu.sh: $*"
	exit 1
}
# shellcheck source=scripts/debian.sh
source "$root/scripts/debian.sh"

# emulator_version QEMU prints what QEMU says of itself, when it is the emulator.
emulator_version() {
	local says
	says=$("$1" --version 2>/dev/null | head -n 1) && [[ $says == 'qemu-aarch64 version '* ]] && printf '%s\n' "$says"
}

# own_emulator prints the path of an emulator that the machine already has.
own_emulator() {
	local name found
	for name in qemu-aarch64-static qemu-aarch64; do
		if found=$(type -P "$name") && emulator_version "$found" >/dev/null; then
			printf '%s\n' "$found"
			return
		fi
	done
	return 1
}

is_arm64() { [[ $(uname -m) == aarch64 || $(uname -m) == arm64 ]]; }

# release prints the name of the Debian release that this machine runs.
release() {
	# shellcheck source=/dev/null
	(. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-sid}") 2>/dev/null || printf 'sid\n'
}

fetch() {
	local dir=${1:-$default_dir} found tool mirror work why
	if is_arm64; then
		say "This machine runs arm64 itself, nothing to fetch."
		return
	fi
	if found=$(own_emulator); then
		say "This machine has the emulator, nothing to fetch:"
		emulator_version "$found"
		return
	fi
	if emulator_version "$dir/qemu-aarch64"; then
		return
	fi
	[[ $(uname -s) == Linux ]] || die "QEMU has no user-mode emulation on $(uname -s)."
	for tool in apt-get dpkg-deb flock; do
		type -P "$tool" >/dev/null || die "no emulator can be fetched without Debian's $tool: $by_hand."
	done
	mirror=$(debian_mirror)
	[[ -n $mirror ]] || die "no emulator can be fetched, as apt on this machine has no Debian mirror: $by_hand."

	mkdir -p -- "$(dirname -- "$dir")"
	dir=$(cd -- "$(dirname -- "$dir")" && pwd -P)/$(basename -- "$dir")
	claim "$dir"
	if emulator_version "$dir/qemu-aarch64"; then
		return
	fi
	refuse_foreign "$dir"

	# All of the work is in one folder beside the result. What an interrupted
	# run left there goes first.
	work=$dir.partial
	rm -rf -- "$work"
	mkdir -p -- "$work/result"
	# shellcheck disable=SC2064 # the value of now is meant
	trap "rm -rf -- $(printf %q "$work")" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	say "Fetching QEMU's emulator of arm64 from $mirror (suite $(release)) …"
	# Since Debian 13 this package only brings qemu-user along, which has the same programs.
	why=$(debian_download "$work" "$mirror" "$(release)" qemu-user-static) || die "$why: try again later, or $by_hand."
	local deb
	for deb in "$work"/archives/qemu-user*.deb; do
		# Emulators of some thirty other processors are in there too.
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$work/result" --wildcards --strip-components=3 './usr/bin/qemu-aarch64*' 2>/dev/null || true
	done
	rm -f -- "$work"/result/qemu-aarch64_be*
	# One of the two names may be a link to the other.
	if [[ ! -L $work/result/qemu-aarch64-static && -f $work/result/qemu-aarch64-static ]]; then
		mv -f -- "$work/result/qemu-aarch64-static" "$work/result/qemu-aarch64"
	fi
	rm -f -- "$work/result/qemu-aarch64-static"
	emulator_version "$work/result/qemu-aarch64" >/dev/null ||
		die "the emulator fetched from $mirror does not run on this machine ($("$work/result/qemu-aarch64" --version 2>&1 | head -n 1)): $by_hand."
	: >"$work/result/.fetched-by-drawbridge"
	rm -rf -- "$dir"
	mv -- "$work/result" "$dir"
	say "QEMU is in $dir:"
	emulator_version "$dir/qemu-aarch64"
}

version() {
	local found
	if is_arm64; then
		say "This machine runs arm64 itself: no emulator is used."
		return
	fi
	found=$(own_emulator) || found=$default_dir/qemu-aarch64
	emulator_version "$found" || die "there is no emulator on this machine yet: run 'scripts/qemu.sh fetch' first."
}

case ${1:-}:$# in
fetch:1 | fetch:2) fetch "${2:-}" ;;
version:1) version ;;
help:* | --help:* | -h:*) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
