#!/usr/bin/env bash
# Runs `cdk bootstrap`, `cdk deploy`, `cdk diff` and `cdk destroy` of one environment against moto, an emulator of AWS's
# APIs: which assets are published where, in which order the stacks go, and what a second deployment finds to change. What
# moto cannot make is listed at the end: nothing is shown of how these work. `make emulator` calls it.
#
#	scripts/emulator/run.sh ENV
set -euo pipefail

env=$1
cdk=node_modules/.bin/cdk
account=123456789012 # moto's
region=us-east-1

folder=$(mktemp -d)
server=
stop() {
	[[ -z $server ]] || kill "$server" 2>/dev/null || true
	rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM

say() { printf '\n== %s\n' "$*"; }

port=$(.tools/emulator/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
LACKING=$folder/lacking .tools/emulator/bin/python -W ignore scripts/emulator/server.py "$port" >"$folder/server.log" 2>&1 &
server=$!
for ((i = 0; ; i++)); do
	if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
	if ((i == 300)) || ! kill -0 "$server" 2>/dev/null; then
		echo "make emulator: moto does not start; it says:" >&2
		cat "$folder/server.log" >&2
		exit 1
	fi
	sleep 0.1
done

# Nothing of a real account is looked at, whatever this machine has.
unset AWS_PROFILE AWS_SESSION_TOKEN
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID=emulator AWS_SECRET_ACCESS_KEY=emulator AWS_REGION=$region AWS_DEFAULT_REGION=$region
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION=http://localhost:$port
export CDK_VALIDATION=false NODE_NO_WARNINGS=1

# run CDK-ARGUMENTS... shows what the CLI says, and keeps it in the file log.
run() { "$cdk" --no-notices "$@" 2>&1 | tee "$folder/log" | grep -v '^$' | grep -E "${show:-.}" || [[ ${PIPESTATUS[0]} == 0 ]]; }

say "cdk bootstrap"
show='✅|❌|‣|rror' run bootstrap --app '' "aws://$account/$region"

say "cdk synth"
$cdk synth --build true --quiet --no-lookups --context "env=$env" --output "$folder/cdk.out" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }

say "cdk deploy --all"
show='Published|deploying\.\.\.|✅|❌|‣|rror' run deploy --all --app "$folder/cdk.out" --require-approval never --concurrency 1

say "cdk diff --all: what a second deployment would change"
show='^Stack|no differences|^\[|❌|‣|rror' run diff --all --app "$folder/cdk.out" --method template --fail

say "cdk destroy --all"
show='destroying|✅|❌|‣' run destroy --all --force --app "$folder/cdk.out" || echo "moto could not delete everything: how CloudFormation deletes is not shown"

say "what moto lacks, of what the templates take (nothing is shown of these)"
sort -u "$folder/lacking"
