#!/usr/bin/env bash
# Writes what each program's zip says of the third-party software in it. `make licenses` calls it.
set -euo pipefail

# Licences that ask for no more than to be passed on; go-licenses refuses the others.
allowed=Apache-2.0,BSD-2-Clause,BSD-3-Clause,ISC,MIT,MPL-2.0
tool=build/tools/go-licenses

if [[ ! -x $tool ]]; then
	echo "Compiling go-licenses ..."
	GOBIN=$PWD/build/tools go install github.com/google/go-licenses@v1.6.0
fi
# It tells Go's own packages by where they lie.
GOROOT=$(go env GOROOT)
export GOROOT
template=$(mktemp)
trap 'rm -f "$template"' EXIT
printf '{{range .}}{{.Name}}\t{{.Version}}\t{{.LicenseName}}\t{{.LicensePath}}\n{{end}}' >"$template"

# licenses PROGRAM TITLE [LINE...] reads the licences of a program's modules; the lines are of what else is in it.
licenses() {
	echo "Reading the licences in $1 ..."
	local log=build/licenses.log
	GOOS=linux GOARCH=arm64 "$tool" check "./$1" --ignore drawbridge --allowed_licenses "$allowed" 2>"$log" || { cat "$log" >&2; exit 1; }
	{
		printf 'Go\t%s\tBSD-3-Clause\t%s\n' "$(go env GOVERSION | sed s/^go//)" "$GOROOT/LICENSE"
		printf '%b\n' "${@:3}"
		# It warns of what it cannot look up on the web, which nobody asked it for.
		GOOS=linux GOARCH=arm64 "$tool" report "./$1" --ignore drawbridge --template "$template" 2>"$log" || { cat "$log" >&2; exit 1; }
	} | go run ./internal/notices "$2" >"$1/THIRD_PARTY_NOTICES.txt.partial"
	mv "$1/THIRD_PARTY_NOTICES.txt.partial" "$1/THIRD_PARTY_NOTICES.txt"
}

licenses webapp "Third-party software in Drawbridge's web app" \
	'd3\t7.9.0\tISC\twebapp/static/vendor/d3.LICENSE' \
	'@observablehq/plot\t0.6.17\tISC\twebapp/static/vendor/plot.LICENSE'
licenses lambda "Third-party software in Drawbridge's Lambda function"
