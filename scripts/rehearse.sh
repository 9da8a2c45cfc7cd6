#!/usr/bin/env bash
# Synthesizes one environment in both phases and plays its deployment on this machine. `make rehearse` builds and fetches
# what it needs before.
#
#	scripts/rehearse.sh ARCHITECTURE ENV CONFIG [OPTION...]
#
# CONFIG is a JSON file in place of cdk.json's environments, or "". Options are build/rehearse's own.
set -euo pipefail

architecture=$1 env=$2 config=$3
shift 3
out=cdk.out/rehearsal

synth() { # synth PHASE [CONTEXT...]
	local context=(--context "env=$env" --context "architecture=$architecture")
	[[ -z $config ]] || context+=(--context "config=$config")
	rm -rf -- "${out:?}/$1"
	CDK_VALIDATION=false node_modules/.bin/cdk synth --build true --quiet --no-lookups --no-notices "${context[@]}" "${@:2}" --output "$out/$1"
}

# The templates lie in one place, for one run at a time.
mkdir -p -- "$out"
exec 9>"$out/lock"
flock --nonblock 9 || {
	echo "make rehearse: another one runs in this folder: stop it first, or wait" >&2
	exit 1
}

# Where the config says public, private comes by the same word.
echo "Synthesizing $env, private ..."
if ! synth private --context exposure=private >"$out/log" 2>&1; then
	grep -v '^[[:space:]]*$' "$out/log" >&2
	exit 1
fi
phases=()
echo "Synthesizing $env, public ..."
if synth public --context exposure=public >"$out/log" 2>&1; then
	phases=(-public "$out/public")
else
	# A config may refuse that phase, as prod's does. Everything else would have failed above.
	echo "The public phase and the flip are left out: $(grep -m 1 -i exposure "$out/log" || grep -v '^[[:space:]]*$' "$out/log" | head -n 1)"
fi

PATH=$PWD/.tools/programs/bin:$PATH:/usr/sbin:/sbin exec build/rehearse "${phases[@]}" "$@" "$out/private"
