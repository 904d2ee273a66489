#!/bin/bash
# systemd.sh BUILD: an operator's first day. Boots a bare Debian 13 under its own systemd, then goes by
# docs/operations.md as the package brings it: installs tickd, sets up the database, starts, sends,
# looks. Then what a machine does to it: killed, stuck, reloaded, restarted and upgraded under load,
# the database stopped. Nothing acknowledged may be missing, nothing there twice.
#
# BUILD is the release's folder. Exit code 4: skipped, and why.
set -euo pipefail
build=$(realpath "$1")
# shellcheck source=tests/packages/bare_system.sh
. "$(dirname "$0")/bare_system.sh"
in_own_mounts "$0" "$@"

machine='' init='' group=''
clean_up() {
    local status=$?
    trap '' INT TERM
    # A namespace ends with its first process, which is only reaped when all the others are gone.
    process=${init:-$machine}
    [ -z "$process" ] || kill -KILL "$process" 2>/dev/null || true
    wait 2>/dev/null || true
    [ -z "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    umount "$temp/cgroup" 2>/dev/null || true
    remove_folder
    exit "$status"
}
make_folder systemd
trap clean_up EXIT
trap 'exit 130' INT TERM

boot() {
    mkdir "$temp/cgroup"
    mount -t cgroup2 cgroup2 "$temp/cgroup" 2>/dev/null || skip "this kernel's cgroups cannot be mounted"
    mkdir "$temp/cgroup/tickd-test-$$" 2>/dev/null || skip "no cgroup of its own can be made here"
    group=$temp/cgroup/tickd-test-$$
    echo tickd-test >"$root/etc/hostname"
    : >"$temp/console"
    bash -c 'echo $$ >"$1/cgroup.procs" && shift &&
        exec unshare --mount --propagation unchanged --pid --fork --kill-child --uts --ipc --net --cgroup -- bash "$@"' \
        boot "$group" "$(dirname "$0")/boot.sh" "$root" "$temp/console" </dev/null >"$temp/boot.log" 2>&1 &
    machine=$!
    local deadline=$((SECONDS + 60)) state=''
    until [ "$state" = running ] || [ "$state" = degraded ]; do
        if ! kill -0 "$machine" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
            cat "$temp/boot.log" "$temp/console"
            skip "systemd does not boot here"
        fi
        sleep 0.1
        read -r init _ <"/proc/$machine/task/$machine/children" || true
        [ -z "$init" ] || state=$(live systemctl is-system-running 2>/dev/null) || true
    done
}

live() { nsenter --target "$init" --all --root --wd -- "${clean_environment[@]}" "$@"; }
of_unit() { live systemctl show --value -p "$1" tickd.service; } # PROPERTY
journal() { live journalctl --no-pager -o cat -u tickd.service; }

await() { # WHAT COMMAND...
    local deadline=$((SECONDS + 60))
    until "${@:2}" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            complain "waited in vain: $1"
            live systemctl status --no-pager --full tickd.service || true
            journal | tail -n 30
            exit 1
        fi
        sleep 0.1
    done
}
must() { # COMMAND...: in the machine
    local said status=0
    said=$(live "$@" 2>&1) || status=$?
    [ "$status" -eq 0 ] || complain "$* ended with $status: $said"
}
page() { live curl -sS --max-time 10 "http://127.0.0.1:9464$1"; }
answers() { # PATH STATUS
    [ "$(live curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:9464$1")" = "$2" ]
}
sql() { live bash -c 'cd / && exec runuser -u postgres -- psql -qAtX -d tickd -c "$1"' bash "$1"; }
in_journal() { journal | grep -Eq -- "$1"; }

# --- load: acked ticks, at a rate, while something happens --------------------------------------

loads=0 load='' sent=0
start_load() { # RECORDS [A-SECOND]
    ((++loads))
    awk -v n="$1" -v load="$loads" 'BEGIN { for (i = 0; i < n; ++i)
        printf "{\"symbol\":\"S%d\",\"time\":%d,\"bid\":%d.5,\"ask\":%d.75}\n", i % 50,
            1700000000000000 + load * 1000000000 + i, i, i + 1 }' >"$root/srv/load-$loads"
    live tickd send "/srv/load-$loads" --producer "walk-$loads" --rate "${2:-4000}" --no-progress \
        >"$temp/load-$loads" 2>&1 &
    load=$!
    sent=$((sent + $1))
}
is_flowing() { [ "$(sql "SELECT count(*) > $sent - $1 FROM price_telemetry")" = t ]; } # RECORDS of the load
await_flow() { await "records of load $loads" is_flowing "$1"; }
finish_load() {
    local status=0
    wait "$load" || status=$?
    expect "the sender's exit code in load $loads ($(tail -n 3 "$temp/load-$loads"))" 0 "$status"
    expect "rows after load $loads" "$sent" "$(sql "SELECT count(*) FROM price_telemetry")"
    expect "rows that are there once" "$sent" \
        "$(sql "SELECT count(*) FROM (SELECT DISTINCT symbol, time FROM price_telemetry) AS d")"
}

# Connects again and again; each leaves a line.
start_connecting() {
    rm -f "$root"/srv/{stop,refused,accepted}
    live bash -c 'cd /srv && until [ -e stop ]; do
        if (exec 3<>/dev/tcp/127.0.0.1/7450) 2>/dev/null; then echo >>accepted; else echo >>refused; fi; done' &
    connecting=$!
}
finish_connecting() {
    : >"$root/srv/stop"
    wait "$connecting"
    expect "refused connections" 0 "$(cat "$root/srv/refused" 2>/dev/null | wc -l)"
    [ -s "$root/srv/accepted" ] || complain "nobody connected"
}

make_bare
copy_bare
step "packages"
make_packages "$build"
mkdir -p "$root/srv/packages"
install -m 644 "$package" "$root/srv/packages/"
make_next "$package" "$root/srv/packages/next.deb"
echo 'APT::Get::Assume-Yes "true"; APT::Install-Recommends "false"; Dpkg::Use-Pty "false";
Dpkg::Options { "--force-confold"; };' >>"$root/etc/apt/apt.conf.d/99keep"
# The machine has no network: everything is fetched before it boots.
said=$(apt --download-only install "/srv/packages/${package##*/}" postgresql-17-timescaledb curl) ||
    skip "packages cannot be fetched: $said"

step "boot"
boot
must apt-get -qq install curl

step "install"
folder=/usr/share/doc/tickd/docs
must bash -c "cd /srv/packages && apt-get -qq install ./${package##*/}"
expect "it is not started" inactive "$(live systemctl is-active tickd.service || true)"

step "the commands of its page for a server on the same machine"
# Every line of the first block behind that sentence, one after the other, as they stand there.
mapfile -t commands < <(awk '/^With the server on the same machine:/ { found = 1 }
    found && /^```$/ { exit } inside && !/^#/ { print } found && /^```sh$/ { inside = 1 }' "$root$folder/operations.md")
[ "${#commands[@]}" -ge 8 ] || complain "the page has no such commands"
for command in "${commands[@]}"; do
    echo "      \$ $command"
    case $command in
        # It answers 503 until the daemon has a connection, and a person looks again.
        curl*) await "$command" answers /readyz 200 ;;
        *) must bash -c "$command" ;;
    esac
done
expect "state" "active running" "$(of_unit ActiveState) $(of_unit SubState)"
expect "its user" "tickd" "$(of_unit User)"
expect_text "status line" "." "$(of_unit StatusText)"

step "send, and look"
start_load 4000
finish_load
expect_text "the page" "<title>" "$(page /)"
expect_text "metrics" "^tickd_records_received_total" "$(page /metrics)"
must runuser -u tickd -- tickd db health

step "kill -9 under load"
start_load 20000
await_flow 20000
before=$(of_unit MainPID)
must systemctl kill --signal=KILL --kill-whom=main tickd.service
is_another() { [ "$(of_unit MainPID)" != "$before" ] && [ "$(of_unit ActiveState)" = active ]; }
await "systemd starts it again" is_another
finish_load
expect "restarts" 1 "$(of_unit NRestarts)"

step "stuck: the watchdog"
mkdir -p "$root/etc/systemd/system/tickd.service.d"
printf '[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n' >"$root/etc/systemd/system/tickd.service.d/test.conf"
must systemctl daemon-reload
must systemctl restart tickd.service
start_load 20000
await_flow 20000
restarts=$(of_unit NRestarts)
must systemctl kill --signal=STOP --kill-whom=main tickd.service
restarted() { [ "$(of_unit NRestarts)" -gt "$restarts" ]; }
await "the watchdog ends it" restarted
finish_load
in_journal 'Watchdog timeout' || complain "the journal does not name the watchdog"

step "reload"
printf 'log:\n  level: debug\n' >>"$root/etc/tickd/tickd.yaml"
before=$(of_unit MainPID)
must systemctl reload tickd.service
expect "the process after a reload" "$before" "$(of_unit MainPID)"
await "the log says what a reload changed" in_journal 'log\.level'
echo 'nonsense: 1' >>"$root/etc/tickd/tickd.yaml"
live systemctl reload tickd.service >/dev/null 2>&1 || true
await "the log says what a reload refused" in_journal 'nonsense'
expect "the process after a refused reload" "$before active" "$(of_unit MainPID) $(of_unit ActiveState)"
sed -i '$d' "$root/etc/tickd/tickd.yaml"

step "restart under load, nobody refused"
start_load 20000
start_connecting
await_flow 20000
must systemctl restart tickd.service
finish_load
finish_connecting
[ "$(of_unit MainPID)" != "$before" ] || complain "it was not restarted"

step "the database goes, and comes back"
start_load 40000
await_flow 40000
must systemctl stop postgresql.service
await "it is not ready" answers /readyz 503
answers /healthz 200 || complain "an absent database makes it unhealthy"
must systemctl start postgresql.service
await "it is ready again" answers /readyz 200
finish_load

step "upgrade under load, nobody refused"
start_load 20000
start_connecting
await_flow 20000
before=$(of_unit MainPID)
must apt-get -qq install /srv/packages/next.deb
finish_load
finish_connecting
expect "the version" 999.0-1 "$(live dpkg-query -W -f '${Version}' tickd)"
[ "$(of_unit MainPID)" != "$before" ] || complain "the old one still runs"
expect "state" active "$(of_unit ActiveState)"

step "a wrong configuration is not tried again and again"
echo 'nonsense: 1' >>"$root/etc/tickd/tickd.yaml"
live systemctl restart tickd.service >/dev/null 2>&1 && complain "it starts with a wrong configuration"
expect "exit code" 78 "$(of_unit ExecMainStatus)"
expect "state" failed "$(of_unit ActiveState)"
expect "restarts" 0 "$(of_unit NRestarts)"
sed -i '$d' "$root/etc/tickd/tickd.yaml"
must systemctl start tickd.service

step "stop"
must systemctl stop tickd.socket tickd.service
expect "its end" "success 0" "$(of_unit Result) $(of_unit ExecMainStatus)"
must runuser -u tickd -- tickd db health
must systemctl start tickd.service

step "remove"
must apt-get -qq purge tickd
expect "processes of tickd" "" "$(live bash -c 'for p in /proc/[0-9]*; do
    [ "$(cat "$p/comm" 2>/dev/null)" != tickd ] || echo "$p"; done')"
expect "failed units" "" "$(live systemctl list-units --failed --plain --no-legend)"

step "done"
exit "$failed"
