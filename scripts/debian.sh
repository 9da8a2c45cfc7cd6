#!/usr/bin/env bash
# Gets packages from the Debian mirror that this machine is configured with, without root, without installing them, and
# without touching apt's own state. For other scripts to source; it needs apt-get and dpkg-deb.

# debian_mirror prints the address of the Debian archive that apt is set up
# with. Security archives carry no `sid`. Where apt has fetched no lists yet, it
# does not know whose archive it is: the usual path must do.
debian_mirror() {
	local mirror
	# shellcheck disable=SC2016 # apt fills these in
	mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
	# shellcheck disable=SC2016
	[[ -n $mirror ]] || mirror=$(apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk '/\/debian\/?$/ { print; exit }')
	printf '%s\n' "$mirror"
}

# debian_download WORK MIRROR SUITE PACKAGE puts the package and what it
# depends on into WORK/archives. Where it fails it prints why, on one line.
debian_download() {
	local work=$1 mirror=$2 suite=$3 package=$4 file keyring=
	mkdir -p -- "$work"/{lists/partial,archives/partial,etc}
	for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[[ ! -r $file ]] || keyring=" signed-by=$file"
	done
	printf 'deb [target=Packages%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$work/etc/sources.list"
	: >"$work/status"
	# The machine's own hooks are for its own package state.
	cat >"$work/etc/apt.conf" <<'CONF'
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
CONF
	local apt=(apt-get -q -c "$work/etc/apt.conf"
		-o "Dir::State=$work" -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status"
		-o "Dir::State::extended_states=$work/extended_states"
		-o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives"
		-o "Dir::Etc::sourcelist=$work/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
		-o "APT::Sandbox::User=$(id -un)" -o APT::Install-Recommends=false
		-o Acquire::Languages=none -o Acquire::Retries=3 -o Debug::NoLocking=true)

	if ! "${apt[@]}" -o APT::Update::Error-Mode=any update >"$work/log" 2>&1; then
		printf "the Debian mirror %s gave no signed list of %s's packages (%s)" "$mirror" "$suite" "$(first_error "$work/log")"
		return 1
	fi
	if ! "${apt[@]}" --yes --download-only install "$package" >"$work/log" 2>&1; then
		printf 'the Debian mirror %s gave no %s (%s)' "$mirror" "$package" "$(first_error "$work/log")"
		return 1
	fi
}

# first_error LOG prints apt's first error on one line.
first_error() {
	local line
	line=$(grep -m 1 '^E: ' "$1" || grep -m 1 '^W: ' "$1") || line='no reason given'
	line=${line#[EW]: }
	printf '%s' "${line%.}"
}

# claim DIR waits until no other process fetches into the folder, and keeps it for this one: tests of several packages may
# ask for the same at once. It speaks through the script's own `say`.
claim() {
	exec 9>"$1.lock"
	if ! flock --nonblock 9; then
		say "Waiting for another fetch into $1 …"
		flock 9
	fi
}

# refuse_foreign DIR ends the script, through its own `die`, where the folder holds something that no fetch has made.
refuse_foreign() {
	if [[ -e $1 && ! -e $1/.fetched-by-drawbridge ]] && ! rmdir -- "$1" 2>/dev/null; then
		die "$1 exists and was not made by this script: move it away or name another folder."
	fi
}
