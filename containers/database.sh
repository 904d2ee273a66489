#!/bin/bash
# The server of compose.yaml: makes its files on the first start, then runs in the foreground.
set -euo pipefail
data=/var/lib/postgresql/data
if [ ! -e "$data/PG_VERSION" ]; then
    initdb -D "$data" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-instructions
    cat >>"$data/postgresql.conf" <<'SETTINGS'
listen_addresses = ''
unix_socket_directories = '/run/postgresql'
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
max_wal_size = 4GB
checkpoint_timeout = 15min
jit = off
SETTINGS
    echo 'CREATE DATABASE tickd' | postgres --single -j -D "$data" postgres >/dev/null
fi
exec postgres -D "$data"
