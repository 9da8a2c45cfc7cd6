#!/usr/bin/env bash
# Gets and runs a private MySQL server for tests and for trying things out.
# It needs no root, installs nothing, and keeps everything in one folder.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: scripts/mysql.sh fetch [DIR]            get a MySQL server into DIR (default: .tools/mysql)
       scripts/mysql.sh start DIR_DATA [PORT]  run it on 127.0.0.1:PORT (default 3306) until Ctrl-C
       scripts/mysql.sh version                print the version of the server that would be used

A server named by $MYSQLD, or a `mysqld` on the PATH, is used instead of a
fetched one when it is MySQL (not MariaDB), 8.4 or newer. Fetching works on
Debian: the server comes from the suite `sid` of the mirror that this machine
is configured with, and apt checks its signature.
TEXT
}

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
default_dir=$root/.tools/mysql
# What to do where no server can be fetched.
by_hand="install MySQL 8.4 or newer and put its mysqld on the PATH (or name it in \$MYSQLD)"

say() { printf '%s\n' "$*" >&2; }
die() {
	say "scripts/mysql.sh: $*"
	exit 1
}
# shellcheck source=scripts/debian.sh
source "$root/scripts/debian.sh"

# server_version MYSQLD prints what MYSQLD says of itself.
server_version() { "$1" --no-defaults --version 2>/dev/null; }

# is_suitable MYSQLD: is it MySQL, 8.4 or newer?
is_suitable() {
	local says
	says=$(server_version "$1") || return 1
	[[ $says != *MariaDB* && $says =~ Ver\ ([0-9]+)\.([0-9]+) ]] || return 1
	((10#${BASH_REMATCH[1]} > 8 || (10#${BASH_REMATCH[1]} == 8 && 10#${BASH_REMATCH[2]} >= 4)))
}

# own_server prints the path of a suitable server that the machine already has.
own_server() {
	local found
	found=${MYSQLD:-$(type -P mysqld)} && is_suitable "$found" && printf '%s\n' "$found"
}

# usable_server prints the path of the server to run, the fetched one last.
usable_server() {
	own_server && return
	is_suitable "$default_dir/bin/mysqld" || return 1
	printf '%s\n' "$default_dir/bin/mysqld"
}

# write_wrapper TREE writes TREE/bin/mysqld, which runs TREE's server through
# the C library and loader that came with it, from wherever TREE lies.
write_wrapper() {
	mkdir -p "$1/bin"
	cat >"$1/bin/mysqld" <<'WRAPPER'
#!/bin/sh
# Runs the MySQL server in this folder with its own C library, whatever the
# machine's is. Arguments are the server's; only --no-defaults may come first.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
[ "${1-}" != --no-defaults ] || shift
for libs in "$here"/usr/lib/*-linux-gnu*; do :; done
for loader in "$libs"/ld-linux*.so.* "$here"/usr/lib*/ld-linux*.so.*; do
	[ ! -x "$loader" ] || break
done
exec "$loader" --library-path "$libs:$here/usr/lib" "$here/usr/sbin/mysqld" --no-defaults \
	--basedir="$here/usr" --lc-messages-dir="$here/usr/share/mysql" \
	--character-sets-dir="$here/usr/share/mysql/charsets" --plugin-dir="$here/usr/lib/mysql/plugin" "$@"
WRAPPER
	chmod 755 "$1/bin/mysqld"
}

fetch() {
	local dir=${1:-$default_dir} parent found tool mirror work tree why
	if found=$(own_server); then
		say "This machine has a suitable server, nothing to fetch:"
		server_version "$found"
		return
	fi

	[[ $dir != *:* ]] || die "$dir holds a colon, which the loader's library path cannot: choose another folder."
	parent=$(dirname -- "$dir")
	mkdir -p -- "$parent"
	parent=$(cd -- "$parent" && pwd -P)
	dir=$parent/$(basename -- "$dir")

	if is_suitable "$dir/bin/mysqld"; then
		server_version "$dir/bin/mysqld"
		return
	fi
	[[ $(uname -s) == Linux ]] || die "no MySQL server can be fetched on $(uname -s): $by_hand."
	for tool in apt-get dpkg dpkg-deb flock; do
		type -P "$tool" >/dev/null || die "no MySQL server can be fetched without Debian's $tool: $by_hand."
	done
	mirror=$(debian_mirror)
	[[ -n $mirror ]] || die "no MySQL server can be fetched, as apt on this machine has no Debian mirror: $by_hand."

	claim "$dir"
	if is_suitable "$dir/bin/mysqld"; then
		server_version "$dir/bin/mysqld"
		return
	fi
	refuse_foreign "$dir"

	# All of the work is in one folder beside the result. What an interrupted
	# run left there goes first.
	work=$dir.partial tree=$dir.partial/tree
	rm -rf -- "$work"
	mkdir -p -- "$tree"
	# shellcheck disable=SC2064 # the value of now is meant
	trap "rm -rf -- $(printf %q "$work")" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	say "Fetching a MySQL server from $mirror (suite sid) …"
	why=$(debian_download "$work" "$mirror" sid mysql-server-core) || die "$why: try again later, or $by_hand."

	say "Unpacking …"
	local deb
	for deb in "$work"/archives/*.deb; do
		dpkg-deb --extract "$deb" "$tree"
		rm -- "$deb"
	done
	# The server alone is wanted: not Perl, tools, manuals, other packages' data.
	mv -- "$tree/usr/share/mysql" "$work/messages"
	rm -rf -- "${tree:?}"/{etc,var,usr/bin,usr/share} "$tree"/usr/lib/*/perl*
	mkdir -- "$tree/usr/share"
	mv -- "$work/messages" "$tree/usr/share/mysql"
	write_wrapper "$tree"
	is_suitable "$tree/bin/mysqld" ||
		die "the server fetched from $mirror does not run on this machine ($("$tree/bin/mysqld" --version 2>&1 | head -n 1)): $by_hand."
	: >"$tree/.fetched-by-drawbridge"
	rm -rf -- "$dir"
	mv -- "$tree" "$dir"
	say "MySQL is in $dir:"
	server_version "$dir/bin/mysqld"
}

start() {
	local data=$1 port=${2:-3306} mysqld version secret new pid status=0
	if [[ ! $port =~ ^[1-9][0-9]{0,4}$ ]] || ((port > 65535)); then
		die "the port is a number from 1 to 65535, not '$port'."
	fi
	! port_answers "$port" || die "another program listens on port $port: name another port."
	mysqld=$(usable_server) || {
		fetch >&2
		mysqld=$(usable_server) || die "there is no MySQL server on this machine: $by_hand."
	}
	version=$(server_version "$mysqld")
	mkdir -p -- "$(dirname -- "$data")"
	data=$(cd -- "$(dirname -- "$data")" && pwd -P)/$(basename -- "$data")
	secret=$data/root-password.txt
	local log=$data/error.log
	local common=(--no-defaults "--user=$(id -un)" --mysqlx=OFF --secure-file-priv=NULL)

	if [[ ! -e $data ]] || rmdir -- "$data" 2>/dev/null; then
		say "Preparing the empty data folder $data …"
		new=$data.partial
		rm -rf -- "$new"
		(
			umask 077
			mkdir -- "$new"
			head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$new.password"
			printf "ALTER USER root@localhost IDENTIFIED BY '%s';\n" "$(cat -- "$new.password")" >"$new.sql"
		)
		"$mysqld" "${common[@]}" --datadir="$new" --initialize-insecure --init-file="$new.sql" >"$new.log" 2>&1 ||
			{
				rm -- "$new.sql" "$new.password"
				die "the data folder could not be prepared: $mysqld wrote why to $new.log."
			}
		mv -- "$new.password" "$new/root-password.txt"
		rm -- "$new.sql" "$new.log"
		mv -- "$new" "$data"
	elif [[ ! -d $data/mysql || ! -e $secret ]]; then
		die "$data is not empty and was not prepared by this script: name another folder."
	fi

	if type -P flock >/dev/null; then
		exec 8>"$data/.drawbridge-lock"
		flock --nonblock 8 || die "another server runs on $data: stop it, or name another folder."
	fi
	rm -f -- "$log"
	# The certificates that MySQL makes for itself name no host, so nobody can verify them.
	(cd -- "$root" && go run ./internal/loopbacktls/write "$data") ||
		die "no TLS certificate could be made: it takes Go, see README.md."

	# Asynchronous commands of a script ignore Ctrl-C; the server is told to
	# stop by the signal that it shuts down cleanly on.
	trap 'say "Stopping …"; kill -TERM "$pid" 2>/dev/null || true' INT TERM HUP
	"$mysqld" "${common[@]}" --datadir="$data" --bind-address=127.0.0.1 --port="$port" \
		--ssl-ca="$data/ca.pem" --ssl-cert="$data/server-cert.pem" --ssl-key="$data/server-key.pem" \
		--socket=mysqld.sock --pid-file=mysqld.pid --log-error="$log" 8>&- &
	pid=$!
	while ! port_answers "$port"; do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.2
	done
	if kill -0 "$pid" 2>/dev/null; then
		cat >&2 <<TEXT
Running: ${version#*Ver }
on 127.0.0.1, port $port; Ctrl-C stops it. Connect as root with

  mysql --host=127.0.0.1 --port=$port --user=root --password="\$(cat $(printf %q "$secret"))"

and show it the sample data, in another terminal, with

  MYSQL_DSN="root:\$(cat $(printf %q "$secret"))@tcp(127.0.0.1:$port)/" DRAWBRIDGE_DB_CA_FILE=$(printf %q "$data/ca.pem") make local

TEXT
	fi
	# The first wait ends when a signal comes, the second when the server has stopped.
	wait "$pid" || status=$?
	if kill -0 "$pid" 2>/dev/null; then
		status=0
		wait "$pid" || status=$?
	fi
	((status == 0 || status == 143)) || die "the server ended with an error; it wrote why to $log: $(grep -F -m 1 '[ERROR]' "$log" || printf 'exit status %s' "$status")"
	say "Stopped."
}

port_answers() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

version() {
	local found
	found=$(usable_server) || die "there is no MySQL server on this machine yet: run 'scripts/mysql.sh fetch' first."
	server_version "$found"
}

# A server that was asked for by name is used or complained of, never passed over.
if [[ -n ${MYSQLD:-} ]] && ! is_suitable "$MYSQLD"; then
	die "\$MYSQLD names $MYSQLD, which is not a MySQL server of version 8.4 or newer: correct it or unset it."
fi

case ${1:-}:$# in
fetch:1 | fetch:2) fetch "${2:-}" ;;
start:2 | start:3) start "$2" "${3:-}" ;;
version:1) version ;;
help:* | --help:* | -h:*) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
