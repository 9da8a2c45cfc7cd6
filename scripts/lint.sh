#!/usr/bin/env bash
# Everything that reads the code and the templates without running them. `make lint` calls it after `make synth`, which has
# cdk-nag and CloudFormation Validate read the templates.
#
#	scripts/lint.sh TAGS ASSEMBLY...
#
# shellcheck disable=SC2317 # check calls functions by their names
set -euo pipefail

tags=$1
assemblies=("${@:2}")
failed=0

staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.9.0
gitleaks=github.com/zricethezav/gitleaks/v8@v8.30.1

# check NAME COMMAND... runs one linter, and goes on when it fails.
check() {
	echo "$1 ..."
	"${@:2}" || failed=1
}

# The database of Go's vulnerabilities as a module: it is what vuln.go.dev serves, and is there wherever modules are. The
# newest on purpose: what is found in Go tomorrow is found here tomorrow.
vulnerabilities() {
	local module
	if ! module=$(go mod download -json golang.org/x/vulndb@latest); then
		printf 'govulncheck: its database, the Go module golang.org/x/vulndb, cannot be fetched:\n%s\n' "$module" >&2
		return 1
	fi
	module=$(awk -F '"' '$2 == "Dir" { print $4 }' <<<"$module")
	go run "$govulncheck" -db "file://$module/data/osv" -tags "$tags,root,sqlmap" ./...
}

secrets() {
	local options=(--verbose --redact --no-banner --no-color --log-level warn --config .gitleaks.toml)
	go run "$gitleaks" dir . "${options[@]}" || return 1
	# What was once committed is known to whoever has a clone.
	if git rev-parse --git-dir >/dev/null 2>&1; then
		go run "$gitleaks" git . "${options[@]}"
	fi
}

echo "gofmt ..."
unformatted=$(find . -name '*.go' -not -path './.tools/*' -not -path '*/node_modules/*' -exec gofmt -l {} +)
if [[ -n $unformatted ]]; then
	printf 'not formatted: %s\n' "$unformatted"
	failed=1
fi
check "go vet" go vet -tags "$tags,root,sqlmap" ./...
check "go vet for macOS" env GOOS=darwin go vet -tags "$tags" ./...
check "go vet for Windows" env GOOS=windows go vet -tags "$tags" ./...
check staticcheck go run "$staticcheck" -tags "$tags,root,sqlmap" ./...
check "go.mod and go.sum" go mod tidy -diff
check "govulncheck, known vulnerabilities in what is called" vulnerabilities
check "gitleaks, secrets in the files and in the history" secrets
check shellcheck shellcheck scripts/*.sh scripts/*/*.sh .ci/run constructs/userdata.sh rehearsal/machine/boot.sh
# The stages in the pipeline's folder are the environments again.
check cfn-lint .tools/venv/bin/cfn-lint "${assemblies[@]/%//*.template.json}"
exit "$failed"
