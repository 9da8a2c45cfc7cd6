#!/usr/bin/env bash
# Everything that reads the code and the templates without running them. `make lint` calls it after `make synth`.
set -euo pipefail

tags=$1
staticcheck=$2
failed=0

# check NAME COMMAND... runs one linter and goes on when it fails.
check() {
	local name=$1
	shift
	echo "$name ..."
	"$@" || failed=1
}

# unformatted names Go files that gofmt would change.
unformatted() {
	local files
	files=$(git ls-files -z --cached --others --exclude-standard -- '*.go' | xargs -0 -r ls -d 2>/dev/null | tr '\n' '\0' | xargs -0 -r gofmt -l)
	[[ -z $files ]] || { printf 'not formatted: %s\n' "$files" && return 1; }
}

# other_systems compiles what a laptop with another system would.
other_systems() {
	local goos
	for goos in darwin windows; do
		GOOS=$goos go vet -tags "$tags" ./... || return 1
	done
}

check gofmt unformatted
check "go vet" go vet -tags "$tags" ./...
check staticcheck go run "$staticcheck" -tags "$tags" ./...
check "go vet for macOS and Windows" other_systems
check "go.mod and go.sum" go mod tidy -diff
check shellcheck shellcheck scripts/*.sh .ci/run
check cfn-lint .tools/venv/bin/cfn-lint
exit "$failed"
