#!/usr/bin/env bash
# Tries a tunnel by hand, on its own host, through Session Manager: the vendor's banner, its host key, the login, the
# database. `make tunnel-test` calls it.
#
#	scripts/tunnel-test.sh ENV [TUNNEL]     without a tunnel's name: all of them
set -euo pipefail

env=$1
tunnel=${2:-}
stack=drawbridge-$env-Tunnel

die() {
	printf 'make tunnel-test: %s\n' "$*" >&2
	exit 1
}

for program in aws session-manager-plugin; do
	command -v "$program" >/dev/null || die "there is no $program on this machine: install the AWS CLI and its Session Manager plugin"
done
[[ -z $tunnel || $tunnel =~ ^[a-z][a-z0-9-]*$ ]] || die "$tunnel is not a tunnel's name: TUNNEL takes one of the config's tunnels"

instance=$(aws cloudformation describe-stacks --stack-name "$stack" \
	--query "Stacks[0].Outputs[?OutputKey=='TunnelInstanceId'].OutputValue" --output text) ||
	die "the stack $stack could not be read (see above): set credentials and region, deploy it, or name the environment with ENV=…"
[[ $instance == i-* ]] || die "the stack $stack has no tunnel host: deploy it with a tunnel in the config"

exec aws ssm start-session --target "$instance" --document-name AWS-StartInteractiveCommand \
	--parameters "{\"command\":[\"sudo /opt/drawbridge/drawbridge-host tunnel-test${tunnel:+ $tunnel}\"]}"
