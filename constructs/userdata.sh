#!/bin/bash
# Fetches this host's program, checks it, and lets it set the host up; then tells CloudFormation how that ended. It can
# be run again, as root: bash /var/lib/cloud/instance/user-data.txt
set -euo pipefail
umask 022
export AWS_DEFAULT_REGION='@REGION@' DEBIAN_FRONTEND=noninteractive

readonly program=/opt/drawbridge/drawbridge-host
readonly log=/var/log/drawbridge-setup.log
readonly last=/run/drawbridge-setup.last # what the last command said

# tell STATUS REASON answers CloudFormation's wait condition. cloud-init is written in Python, so that is always there.
tell() {
	python3 - "$1" "$2" <<'PYTHON' || echo "drawbridge: CloudFormation was not told; it waits for the first start of a host alone"
import json, sys, urllib.request

status, reason = sys.argv[1], sys.argv[2].encode("ascii", "replace").decode()[:800]  # CloudFormation takes 4 KiB
with open("/var/lib/cloud/data/instance-id") as file:
    instance = file.read().strip()
answer = {"Status": status, "Reason": reason, "UniqueId": instance, "Data": reason}
# S3 wants no content type: the address was signed without one.
request = urllib.request.Request("@SIGNAL_URL@", json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")
try:
    urllib.request.urlopen(request, timeout=30)
except Exception as error:  # its text may hold the address
    sys.exit("drawbridge: " + type(error).__name__)
PYTHON
}

# step TRIES WHAT COMMAND... runs a command until it succeeds. The reason, when it fails for good, is apt's first error or
# else the last line.
step() {
	local tries=$1 what=$2 try reason
	shift 2
	for ((try = 1; try <= tries; try++)); do
		((try == 1)) || sleep $((try * 10))
		echo "drawbridge: $what ..."
		if "$@" 2>&1 | tee "$last"; then
			return
		fi
	done
	reason=$(grep -m 1 '^E: ' "$last" || grep -v '^[[:space:]]*$' "$last" | tail -n 1 || true)
	failed "$what failed: ${reason:-it said nothing}"
}

# failed REASON is the end of a host that cannot set itself up.
failed() {
	trap - EXIT
	echo "drawbridge: $1"
	tell FAILURE "$1"
	exit 1
}

install_cli() {
	local options=(-q -y -o Acquire::Retries=3 -o Acquire::http::Timeout=20 -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=120)
	apt-get "${options[@]}" update && apt-get "${options[@]}" install --no-install-recommends awscli
}

fetch() {
	mkdir -p "${program%/*}" &&
		aws s3 cp --only-show-errors 's3://@BUCKET@/@KEY@' "$program.new" &&
		echo "@SHA256@  $program.new" | sha256sum --check --quiet &&
		chmod 755 "$program.new" &&
		mv "$program.new" "$program"
}

main() {
	trap 'failed "The user data ended early: see $log"' EXIT
	mkdir -p /etc/drawbridge
	cat >/etc/drawbridge/host.json <<'SETTINGS'
@SETTINGS@
SETTINGS
	# Debian's image comes without it.
	command -v aws >/dev/null || step 3 "Installing the AWS CLI" install_cli
	step 3 "Fetching the host program" fetch
	# It tries again by itself where that may help, and ends within 15 minutes.
	step 1 "Setting up" "$program" setup
	trap - EXIT
	tell SUCCESS "ready$(sed -n 's/^warning: /; /p' "$last" | tr -d '\n')"
}

main > >(tee -a "$log") 2>&1
