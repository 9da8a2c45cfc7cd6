#!/usr/bin/env bash
# Runs a command of go test, and then names the tests that could not run because this machine lacks something. go test
# itself shows nothing of packages that pass.
#
#	scripts/test.sh go test ./...
set -euo pipefail

DRAWBRIDGE_NOT_RUN=$(mktemp)
export DRAWBRIDGE_NOT_RUN
trap 'rm -f "$DRAWBRIDGE_NOT_RUN"' EXIT

status=0
"$@" || status=$?
if [[ -s $DRAWBRIDGE_NOT_RUN ]]; then
	echo
	sort "$DRAWBRIDGE_NOT_RUN"
fi
exit "$status"
