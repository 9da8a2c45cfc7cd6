#!/usr/bin/env bash
# Runs steps of the synthesized pipeline as CodeBuild would, as far as a machine without AWS can: the commands, variables and
# cached folders of the template, in a clean root file system, on a clone of the last commit. `make pipeline` calls it.
#
#	scripts/pipeline.sh ASSEMBLY STEP...     such as cdk.out/pipeline Build/Synth Test/Tests Test/Lint
#
# The images themselves cannot be had everywhere. A stand-in for each is made once, in .tools/pipeline: a Debian with what the image has, as
# far as the commands may lean on it, and this machine's Go. A step sees nothing else of this machine but how it reaches the
# network: proxies, certificate authorities, and where Go, npm and pip fetch from.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
dir=$root/.tools/pipeline
release=trixie

# What Go's official image for Debian has besides the release's minimum and Go (docker-library/golang and buildpack-deps, "scm").
debian_packages=(ca-certificates curl g++ gcc git gnupg libc6-dev make netbase openssh-client pkg-config procps wget)
# What CodeBuild's image for Amazon Linux 2023 has besides (aws/aws-codebuild-docker-images): its commands need no more.
amazon_packages=(nodejs npm python3 tar gzip unzip zip)

say() { printf '%s\n' "$*" >&2; }
die() {
	say "scripts/pipeline.sh: $*"
	exit 1
}
# shellcheck source=scripts/debian.sh
source "$root/scripts/debian.sh"
# shellcheck source=scripts/rootfs.sh
source "$root/scripts/rootfs.sh"

# stamp NAME prints what the stamp of a root that is whole and up to date holds.
stamp() {
	local all=("$release" "$(go env GOVERSION)" "${debian_packages[@]}")
	[[ $1 != amazon ]] || all+=("${amazon_packages[@]}")
	printf '%s\n' "${all[@]}" | sha256sum | cut -d ' ' -f 1
}

is_made() { [[ -d $dir/$1 && $(cat -- "$dir/$1.stamp" 2>/dev/null) == "$(stamp "$1")" ]]; }

# finish NAME gives a root that is whole its place, then its stamp.
finish() {
	rm -rf --one-file-system -- "${dir:?}/$1.stamp" "${dir:?}/$1"
	mv -- "$work/$1" "$dir/$1"
	stamp "$1" >"$dir/$1.stamp"
}

make_roots() {
	local mirror
	if ! is_made debian; then
		mirror=$(debian_mirror)
		[[ -n $mirror ]] || die "no clean root can be made, as apt on this machine has no Debian mirror: set one up in /etc/apt."
		say "Making a clean root with what Go's image for Debian has (a minute) ..."
		bootstrap "$work" "$mirror" "$release" debian
		install "$work/debian" "${debian_packages[@]}"
		cp -a -- "$(go env GOROOT)" "$work/debian/usr/local/go"
		finish debian
	fi
	if ! is_made amazon; then
		say "Making one with what CodeBuild's image for Amazon Linux has (a minute) ..."
		cp -a --reflink=auto -- "$dir/debian" "$work/amazon"
		install "$work/amazon" "${amazon_packages[@]}"
		finish amazon
	fi
}

# network ROOT lets a root reach what this machine reaches, and prints the variables for it, one a line.
network() {
	local to=$1 name value
	mkdir -p -- "$to/etc/apt/apt.conf.d" "$to/etc/ssl/certs"
	cp -L -- /etc/resolv.conf /etc/hosts "$to/etc/"
	{
		printf 'Acquire::http::Proxy "%s";\n' "${http_proxy:-}"
		# A mirror that is a snapshot is out of date by its own words.
		apt-config dump Acquire::Check-Valid-Until
	} >"$to/etc/apt/apt.conf.d/machine"
	# The authorities that this machine trusts: a proxy may have one of its own.
	cp -L -- /etc/ssl/certs/ca-certificates.crt "$to/etc/ssl/certs/ca-certificates.crt"
	for name in SSL_CERT_FILE NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE; do
		[[ -z ${!name:-} ]] || printf '%s=/etc/ssl/certs/ca-certificates.crt\n' "$name"
	done
	for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL; do
		[[ -z ${!name:-} ]] || printf '%s=%s\n' "$name" "${!name}"
	done
	for name in GOPROXY GOSUMDB GONOSUMDB GONOPROXY GOPRIVATE; do
		value=$(go env "$name")
		[[ -z $value ]] || printf '%s=%s\n' "$name" "$value"
	done
	printf 'npm_config_registry=%s\n' "$(npm config get registry)"
	[[ ! -r /etc/pip.conf ]] || cp -L -- /etc/pip.conf "$to/etc/pip.conf"
}

# run STEP runs one step in the root that stands for its image.
run() {
	local step=$1 image kind variables folder script start=$SECONDS status=0
	image=$("$work/buildstep" -image "$assembly" "$step")
	case $image in
	aws/codebuild/amazonlinux-*) kind=amazon ;;
	*golang:*-"$release") kind=debian ;;
	*) die "nothing stands in for the image $image of $step." ;;
	esac
	say "== $step, in a stand-in for $image"
	# What the step changes lies over the root, and goes with it.
	rm -rf --one-file-system -- "$work/over"
	mkdir -p -- "$work/over/"{image,files,work,root}
	mapfile -t variables < <(network "$work/over/files")

	# CodePipeline hands on the files of a commit, without the repository's history.
	git clone --quiet --depth 1 "file://$root" "$work/over/files/codebuild"
	rm -rf -- "$work/over/files/codebuild/.git"

	local -a kept=()
	while read -r folder; do
		mkdir -p -- "$dir/cache/$step$folder" "$work/over/files$folder"
		kept+=("$folder")
	done < <("$work/buildstep" -cached "$assembly" "$step")
	script=$("$work/buildstep" "$assembly" "$step")
	# The arguments: where things lie, how many folders are kept and which, variables, and the commands.
	# shellcheck disable=SC2016 # for the inner shells
	apart sh -ec '
		image=$1 over=$2 cache=$3 kept=$4; shift 4
		root=$over/root
		# Relative names, because the options split at commas and colons.
		cd "$over"
		mount --bind "$image" image
		mount -t overlay -o lowerdir=image,upperdir=files,workdir=work overlay root
		mount -t proc proc "$root/proc"
		mount -t sysfs -o ro sysfs "$root/sys"
		mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
		mkdir -p "$root/dev/shm"; mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		while [ "$kept" -gt 0 ]; do mount --bind "$cache$1" "$root$1"; shift; kept=$((kept - 1)); done
		exec chroot "$root" env -i HOME=/root PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"' \
		sh "$dir/$kind" "$work/over" "$dir/cache/$step" "${#kept[@]}" "${kept[@]}" \
		"${variables[@]}" sh -c 'cd /codebuild && eval "$1"' sh "$script" || status=$?
	((status == 0)) || die "$step failed (see above)."
	say "== $step passed, in $((SECONDS - start)) s"
}

(($# >= 2)) || die "it takes the folder that cdk synth wrote and steps, such as cdk.out/pipeline Build/Synth."
assembly=$1
shift
[[ $(uname -s) == Linux ]] || die "it takes Linux."
((EUID == 0)) || die "it makes a root file system and enters it, which takes root: run it with sudo."
for tool in "${root_tools[@]}" git go npm; do
	type -P "$tool" >/dev/null || die "there is no program $tool: install it."
done
mkdir -p -- "$dir"
claim "$dir"
work=$dir.partial
rm -rf --one-file-system -- "$work"
mkdir -p -- "$work"
# shellcheck disable=SC2064 # the value of now is meant
trap "rm -rf --one-file-system -- $(printf %q "$work")" EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

make_roots
# This project's own program, so that a step may come from another folder's assembly.
go build -o "$work/buildstep" "$root/internal/buildstep"
for step in "$@"; do
	run "$step"
done
