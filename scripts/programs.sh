#!/usr/bin/env bash
# Gets the programs that the rehearsal and the benchmarks run on this machine beside MySQL: nginx, nft and wrk. It needs no
# root, installs nothing, and keeps everything in one folder.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: scripts/programs.sh fetch [DIR]  get what the PATH lacks into DIR (default: .tools/programs), whose bin is for the PATH

Fetching works on Debian: the packages nginx-light, nftables and wrk come from
the mirror and the release that this machine is set up with, and apt checks
their signatures.
TEXT
}

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
default_dir=$root/.tools/programs
by_hand="install nginx-light, nftables and wrk"

say() { printf '%s\n' "$*" >&2; }
die() {
	say "scripts/programs.sh: $*"
	exit 1
}
# shellcheck source=scripts/debian.sh
source "$root/scripts/debian.sh"

# run NGINX NFT WRK: all are there and run. wrk says its version and fails.
run() {
	"$1" -v >/dev/null 2>&1 && "$2" --version >/dev/null 2>&1 && [[ $("$3" -v 2>/dev/null) == wrk* ]]
}

# on_path: all are on the PATH, or where root's PATH leads.
on_path() {
	local PATH=$PATH:/usr/sbin:/sbin
	run nginx nft wrk
}

# in_folder DIR: all have been fetched into it.
in_folder() { run "$1/bin/nginx" "$1/bin/nft" "$1/bin/wrk"; }

# release prints the name of the Debian release that this machine runs.
release() {
	# shellcheck source=/dev/null
	(. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-sid}") 2>/dev/null || printf 'sid\n'
}

# write_wrapper TREE NAME makes TREE/bin/NAME, which runs TREE/usr/sbin/NAME with its own C library.
write_wrapper() {
	cat >"$1/bin/$2" <<'WRAPPER'
#!/bin/sh
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
for libs in "$here"/usr/lib/*-linux-gnu*; do :; done
for loader in "$libs"/ld-linux*.so.* "$here"/lib/*-linux-gnu*/ld-linux*.so.* "$here"/lib*/ld-linux*.so.* "$here"/usr/lib*/ld-linux*.so.*; do
	[ ! -x "$loader" ] || break
done
exec "$loader" --library-path "$libs:$here/lib/$(basename "$libs"):$here/usr/lib" "$here/usr/sbin/$(basename "$0")" "$@"
WRAPPER
	chmod 755 "$1/bin/$2"
}

fetch() {
	local dir=${1:-$default_dir} tool mirror work tree why package deb
	if on_path; then
		say "This machine has nginx, nft and wrk, nothing to fetch."
		return
	fi
	[[ $dir != *:* ]] || die "$dir holds a colon, which the loader's library path cannot: choose another folder."
	mkdir -p -- "$(dirname -- "$dir")"
	dir=$(cd -- "$(dirname -- "$dir")" && pwd -P)/$(basename -- "$dir")
	! in_folder "$dir" || return 0
	for tool in apt-get dpkg-deb flock; do
		type -P "$tool" >/dev/null || die "nothing can be fetched without Debian's $tool: $by_hand."
	done
	mirror=$(debian_mirror)
	[[ -n $mirror ]] || die "nothing can be fetched, as apt on this machine has no Debian mirror: $by_hand."
	claim "$dir"
	! in_folder "$dir" || return 0
	refuse_foreign "$dir"

	# All of the work is in one folder beside the result. What an interrupted run left there goes first.
	work=$dir.partial tree=$dir.partial/tree
	rm -rf -- "$work"
	mkdir -p -- "$tree/bin"
	# shellcheck disable=SC2064 # the value of now is meant
	trap "rm -rf -- $(printf %q "$work")" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	say "Fetching nginx, nft and wrk from $mirror (suite $(release)) …"
	for package in nginx-light nftables wrk; do
		why=$(debian_download "$work" "$mirror" "$(release)" "$package") || die "$why: try again later, or $by_hand."
	done
	for deb in "$work"/archives/*.deb; do
		dpkg-deb --extract "$deb" "$tree"
	done
	# The programs and their libraries alone are wanted.
	mv -- "$tree/usr/bin/wrk" "$tree/usr/sbin/"
	rm -rf -- "${tree:?}"/{etc,var,usr/bin,usr/share,bin} "$tree"/usr/lib/*/perl*
	mkdir -- "$tree/bin"
	write_wrapper "$tree" nginx
	write_wrapper "$tree" nft
	write_wrapper "$tree" wrk
	in_folder "$tree" || die "what was fetched from $mirror does not run on this machine: $by_hand."
	: >"$tree/.fetched-by-drawbridge"
	rm -rf -- "$dir"
	mv -- "$tree" "$dir"
	say "They are in $dir/bin."
}

case ${1:-}:$# in
fetch:1 | fetch:2) fetch "${2:-}" ;;
help:* | --help:* | -h:*) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
