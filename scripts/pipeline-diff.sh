#!/usr/bin/env bash
# Says what a deployment of an environment would change: all of it on stderr, and a summary of one line on stdout. The
# pipeline shows it to whoever approves.
#
#	scripts/pipeline-diff.sh ASSEMBLY ENV     ASSEMBLY is the folder that `cdk synth` wrote for the pipeline
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
assembly=$1 env=$2

# In that folder there is no cdk.json whose build the CLI would start. Comparing templates takes the bootstrap's lookup role;
# a change set would take one that may deploy.
cd -- "$assembly"
diff=$("$root/node_modules/.bin/cdk" diff --app . --method=template --no-notices --no-color "$env/*" 2>&1) || {
	printf '%s\n' "$diff" >&2
	echo "scripts/pipeline-diff.sh: the stacks of $env could not be compared with what is deployed (see above)" >&2
	exit 1
}
printf '%s\n' "$diff" >&2

# The approval shows the summary and the address of this build, of about 170 characters, in its comment, which has 1000 (AWS
# CodePipeline User Guide, "Manual approval action reference"). What goes or is made anew stands first, and of that what
# holds data, so that it is not what is cut.
printf '%s\n' "$diff" | awk -v env="$env" '
	function end_of_stack() {
		if (stack != "" && added + changed + removed > 0)
			counts = counts sprintf(" %s: %d added, %d changed, %d removed.", stack, added, changed, removed)
	}
	/^Stack / {
		end_of_stack()
		stack = $2; sub(/.*\//, "", stack); stacks++
		added = changed = removed = 0
	}
	/^\[\+\] / { added++ }
	/^\[~\] / { changed++ }
	/^\[-\] / { removed++ }
	/^\[[-~]\] .* (destroy|replace|may be replaced)$/ {
		verb = /destroy$/ ? "DELETED" : /may be replaced$/ ? "MAYBE REPLACED" : "REPLACED"
		what = " " verb " " $2 " " $3 ";"
		if ($2 ~ /::(RDS|SecretsManager|S3|KMS)::|::EC2::(EIP|VPC|Subnet)$|::ElasticBeanstalk::Environment$/) data = data what
		else others = others what
	}
	END {
		end_of_stack()
		if (stacks == 0) { print "no stack was compared" >"/dev/stderr"; exit 1 }
		lost = data others
		sub(/;$/, ".", lost)
		text = lost counts
		if (text == "") text = " nothing changes."
		text = env ":" text
		if (length(text) > 700) text = substr(text, 1, 690) " and more."
		print text
	}'
