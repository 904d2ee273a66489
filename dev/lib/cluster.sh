#!/bin/bash
# A private PostgreSQL 17 with TimescaleDB in a folder of its own: unix socket only, reached by
# nobody but root and the user it runs as. dev/run, dev/db and the tests use it.
#
#   cluster.sh start DIR [--fast] [--while PID] [-c NAME=VALUE]...
#       Makes the cluster in DIR/data unless it is there, starts it, waits until it answers, makes
#       the database `tickd`, and prints the libpq connection string.
#       --fast       gives up durability (fsync off): for tests that do not crash the machine
#       --while PID  ends the cluster and removes DIR when the process PID is gone, so that a test
#                    that aborts leaves nothing behind
#       --standby-of DIR  instead of an empty cluster, makes a streaming standby of the running one
#                    there, under the replication name `standby`; DIR/data must not exist yet
#       -c           a line of postgresql.conf. Kept; a start without any option keeps the last ones.
#   cluster.sh stop DIR [fast|immediate]   ends it and keeps the files; no error when it is not up
#   cluster.sh url DIR                     prints the connection string
#   cluster.sh status DIR                  exit code 0: up, 3: not up
#
# DIR is absolute, at most 91 bytes long. The server's log is DIR/log. Exit code 64: wrong call.
set -euo pipefail

fail() {
    printf 'cluster.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

bin=/usr/lib/postgresql/17/bin
[ -x "$bin/initdb" ] || fail "PostgreSQL 17 is not here: run this through dev/shell"
[ $# -ge 2 ] || fail "usage: cluster.sh start|stop|url|status DIR [OPTION]..." 64
verb=$1 dir=$2
shift 2

case $dir in
    /*) ;;
    *) fail "DIR must be an absolute path: $dir" 64 ;;
esac
case $dir in *[!A-Za-z0-9/._+-]*) fail "DIR may hold letters, digits and / . _ + - only: $dir" 64 ;; esac
# A socket's address has room for 107 bytes, and PostgreSQL adds `/.s.PGSQL.5432` and `.lock`.
[ "${#dir}" -le 91 ] || fail "DIR is too long for a unix socket (${#dir} bytes, 91 at most): $dir" 64

# PostgreSQL refuses to run as root.
as_server() {
    if [ "$EUID" -eq 0 ]; then
        setpriv --reuid=postgres --regid=postgres --init-groups --reset-env -- env LC_ALL=C.UTF-8 "$@"
    else
        "$@"
    fi
}

# A killed server that nobody has reaped yet looks alive to PostgreSQL, for as long as that lasts.
is_unreaped() {
    local pid
    read -r pid 2>/dev/null <"$dir/data/postmaster.pid" && grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null
}

is_up() {
    [ -d "$dir/data" ] && as_server "$bin/pg_ctl" status -D "$dir/data" >/dev/null && ! is_unreaped
}

url() { printf 'host=%s user=postgres dbname=tickd\n' "$dir"; }

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "host=$dir user=postgres dbname=postgres" -c "$1"; }

make_folder() {
    mkdir -p "$dir"
    if [ "$EUID" -eq 0 ]; then chown postgres:postgres "$dir"; fi
    chmod 700 "$dir"
    cd / # the caller's folder may be closed to the server's user
    as_server test -x "$dir" || fail "the user postgres cannot reach $dir: its parents must let it pass"
}

# What every cluster here has in common. Speed, but durable: fsync and full_page_writes stay on.
write_settings() { # FAST [NAME=VALUE]...
    local fast=$1 setting
    shift
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$dir'"
        echo "unix_socket_permissions = 0700"
        echo "shared_preload_libraries = 'timescaledb'"
        echo "timescaledb.telemetry_level = off"
        echo "max_connections = 100"
        echo "shared_buffers = 512MB"
        echo "max_wal_size = 4GB"
        echo "checkpoint_timeout = 15min"
        echo "jit = off"
        echo "timezone = 'UTC'"
        echo "log_timezone = 'UTC'"
        echo "log_line_prefix = '%m [%p] %u '"
        if [ "$fast" = yes ]; then
            echo "fsync = off"
            echo "full_page_writes = off"
        fi
        for setting in "$@"; do
            printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}"
        done
    } | as_server tee "$dir/data/tickd.conf" >/dev/null
}

# Waits for PID and for nothing else, away from the caller's terminal and pipes.
watch_process() { # PID
    setsid bash -c '
        tail --pid="$1" -s 0.5 -f /dev/null
        if [ -e "$2/data/postmaster.pid" ]; then "$3" stop "$2" immediate; fi
        rm -rf --one-file-system "$2"' \
        bash "$1" "$dir" "$(realpath "${BASH_SOURCE[0]}")" </dev/null >/dev/null 2>&1 &
}

start() {
    local fast=no watched='' primary='' settings=() given=$#
    while [ $# -gt 0 ]; do
        case $1 in
            --fast) fast=yes ;;
            --while)
                watched=${2:?--while needs a process id}
                shift
                ;;
            --standby-of)
                primary=${2:?--standby-of needs a folder}
                shift
                ;;
            -c)
                case ${2:-} in
                    [a-z]*=*) settings+=("$2") ;;
                    *) fail "-c needs NAME=VALUE" 64 ;;
                esac
                shift
                ;;
            *) fail "unknown option: $1" 64 ;;
        esac
        shift
    done

    make_folder
    if is_up; then
        url
        return
    fi
    if [ -n "$primary" ] && [ ! -e "$dir/data/PG_VERSION" ]; then
        as_server "$bin/pg_basebackup" -D "$dir/data" -R -X stream -c fast --no-sync \
            -d "host=$primary user=postgres application_name=standby" ||
            fail "pg_basebackup failed"
        write_settings "$fast" "${settings[@]}"
    elif [ ! -e "$dir/data/PG_VERSION" ]; then
        as_server rm -rf "$dir/data"
        as_server "$bin/initdb" -D "$dir/data" -U postgres --auth=trust --encoding=UTF8 \
            --locale=C.UTF-8 --no-sync --no-instructions >"$dir/initdb.log" 2>&1 || {
            cat "$dir/initdb.log" >&2
            fail "initdb failed"
        }
        echo "include 'tickd.conf'" | as_server tee -a "$dir/data/postgresql.conf" >/dev/null
        write_settings "$fast" "${settings[@]}"
    elif [ "$given" -gt 0 ]; then
        write_settings "$fast" "${settings[@]}"
    fi
    if is_unreaped; then rm -f "$dir/data/postmaster.pid" "$dir"/.s.PGSQL.5432*; fi
    [ -z "$watched" ] || watch_process "$watched"
    as_server "$bin/pg_ctl" start -w -t 60 -s -D "$dir/data" -l "$dir/log" >/dev/null || {
        tail -n 20 "$dir/log" >&2
        fail "PostgreSQL did not start in $dir"
    }
    if [ -z "$(sql "select 1 from pg_database where datname = 'tickd'")" ]; then
        sql 'create database tickd'
    fi
    url
}

stop() {
    local mode=${1:-fast}
    case $mode in
        fast | immediate) ;;
        *) fail "stop fast or stop immediate" 64 ;;
    esac
    is_up || return 0
    cd /
    as_server "$bin/pg_ctl" stop -w -t 60 -s -m "$mode" -D "$dir/data" >/dev/null
}

case $verb in
    start) start "$@" ;;
    stop) stop "$@" ;;
    url) url ;;
    status) is_up || exit 3 ;;
    *) fail "unknown verb: $verb" 64 ;;
esac
