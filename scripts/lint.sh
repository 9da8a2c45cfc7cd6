#!/usr/bin/env bash
# Everything that reads the code and the templates without running them. `make lint` calls it after `make synth`.
#
#	scripts/lint.sh TAGS STATICCHECK
set -euo pipefail

tags=$1
staticcheck=$2
failed=0

# check NAME COMMAND... runs one linter, and goes on when it fails.
check() {
	echo "$1 ..."
	"${@:2}" || failed=1
}

echo "gofmt ..."
unformatted=$(gofmt -l ./*.go bench cmd config constructs host internal lambda local operate reach rehearsal stacks webapp)
if [[ -n $unformatted ]]; then
	printf 'not formatted: %s\n' "$unformatted"
	failed=1
fi
check "go vet" go vet -tags "$tags,root,sqlmap" ./...
check "go vet for macOS" env GOOS=darwin go vet -tags "$tags" ./...
check "go vet for Windows" env GOOS=windows go vet -tags "$tags" ./...
check staticcheck go run "$staticcheck" -tags "$tags,root,sqlmap" ./...
check "go.mod and go.sum" go mod tidy -diff
check shellcheck shellcheck scripts/*.sh .ci/run constructs/userdata.sh rehearsal/machine/boot.sh
check cfn-lint .tools/venv/bin/cfn-lint
exit "$failed"
