#!/usr/bin/env bash
# Looks at a deployed environment from outside, as anybody on the internet would: the site answers, its database is there,
# and the database itself does not answer. The pipeline runs it after each deployment. The environment says what to expect:
#
#	SITE_URL                         the WebApp stack's output WebAppURL
#	DATABASE_HOST, DATABASE_PORT     the Database stack's outputs
#	EXPOSURE                         private or public: whether the database's name may lead to a public address
#	VISITORS                         all, or some: whether this machine may see the site
#	PATIENCE                         seconds for which it tries again what is not yet as it should be (default 300)
# shellcheck disable=SC2317,SC2329 # expect calls what stands below it
set -euo pipefail

patience=${PATIENCE:-300}
# The longest that one attempt may take.
attempt=$((patience < 10 ? patience + 1 : 10))
failed=0

for name in SITE_URL DATABASE_HOST DATABASE_PORT EXPOSURE VISITORS; do
	[[ -n ${!name:-} ]] || {
		echo "scripts/pipeline-check.sh: $name is not set: its first lines say what it takes" >&2
		exit 2
	}
done
[[ $EXPOSURE == private || $EXPOSURE == public ]] || {
	echo "scripts/pipeline-check.sh: EXPOSURE is $EXPOSURE, not private or public" >&2
	exit 2
}
[[ $VISITORS == all || $VISITORS == some ]] || {
	echo "scripts/pipeline-check.sh: VISITORS is $VISITORS, not all or some" >&2
	exit 2
}

# expect WHAT COMMAND... tries until the command succeeds or patience ends. The command leaves what it saw in $seen.
expect() {
	local what=$1 end=$((SECONDS + patience))
	shift
	until "$@"; do
		if ((SECONDS >= end)); then
			echo "FAILED  $what: $seen"
			failed=1
			return
		fi
		sleep $((patience < 5 ? 1 : 5))
	done
	echo "ok      $what: $seen"
}

# status PATH prints the HTTP status of a page, or 000 where nothing answers. The URL names a host of AWS, which is not
# what the certificate of an HTTPS site names: this asks for an answer, not for whose it is.
status() {
	curl --silent --insecure --output /dev/null --max-time "$attempt" --write-out '%{http_code}' "${SITE_URL%/}$1" || true
}

answers_with_200() {
	seen=$(status "$1")
	[[ $seen == 200 ]]
}

# Nobody at the door is a connection that is refused (7) or that nothing comes of (28), as curl's exit codes have it: a
# name that leads nowhere is no such thing.
does_not_answer() {
	local code=0
	seen=$(curl --silent --insecure --output /dev/null --max-time "$attempt" --write-out '%{http_code}' "${SITE_URL%/}/") || code=$?
	case $code in
	0) return 1 ;;
	7 | 28) seen="no answer" ;;
	*)
		seen="curl failed with $code"
		return 1
		;;
	esac
}

# is_private ADDRESS: nobody can reach it across the internet. (RFC 1918, RFC 1122)
is_private() { [[ $1 =~ ^(10\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.|127\.) ]]; }

# addresses prints the IPv4 addresses of the database.
addresses() { getent ahostsv4 "$DATABASE_HOST" | awk '{ print $1 }' | sort -u; }

has_the_addresses_of_its_phase() {
	local address all
	all=$(addresses) || all=
	seen=${all:-no address}
	seen=${seen//$'\n'/, }
	[[ -n $all ]] || return
	for address in $all; do
		if is_private "$address"; then
			[[ $EXPOSURE == private ]] || return
		else
			[[ $EXPOSURE == public ]] || return
		fi
	done
}

# In the public phase it answers the developers' addresses, and this is none of them.
keeps_quiet() {
	local address all
	all=$(addresses) || all=
	seen="no address"
	[[ -n $all ]] || return
	for address in $all; do
		# shellcheck disable=SC2016 # for the inner shell
		if timeout "$attempt" bash -c ': <"/dev/tcp/$0/$1"' "$address" "$DATABASE_PORT" 2>/dev/null; then
			seen="$address answers on port $DATABASE_PORT"
			return 1
		fi
	done
	seen="no answer on port $DATABASE_PORT"
}

if [[ $VISITORS == all ]]; then
	expect "the site answers" answers_with_200 /healthz
	expect "the site has its database (/readyz)" answers_with_200 /readyz
else
	expect "the site does not answer whom it does not expect" does_not_answer
fi
expect "the database's address is $EXPOSURE" has_the_addresses_of_its_phase
expect "the database does not answer from outside" keeps_quiet
exit "$failed"
