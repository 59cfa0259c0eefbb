#!/usr/bin/env bash
# Runs a command with TEST_POSTGRES_URL naming a server of Debian's PostgreSQL, which lives in a folder of its own and ends
# with the command.
set -euo pipefail

programs=$(find /usr/lib/postgresql/*/bin -maxdepth 0 | sort -V | tail -n 1)
folder=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
password=$(openssl rand -hex 16)
echo "$password" >"$folder/password"

# PostgreSQL does not run as root.
owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then
  chown -R postgres "$folder"
  owner() { runuser -u postgres -- "$@"; }
fi

remove() {
  owner "$programs/pg_ctl" stop --pgdata="$folder/data" --mode=immediate --silent || true
  rm -rf "$folder"
}
trap remove EXIT

cd "$folder"
owner "$programs/initdb" --pgdata="$folder/data" --username=postgres --pwfile="$folder/password" --auth=scram-sha-256 \
  --encoding=UTF8 --locale=C --no-sync >/dev/null
owner "$programs/pg_ctl" start --pgdata="$folder/data" --log="$folder/log" --silent --wait --options="-p $port \
  -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=400 -c fsync=off -c full_page_writes=off"
cd "$OLDPWD"

TEST_POSTGRES_URL="postgres://postgres:$password@127.0.0.1:$port/postgres" "$@"
