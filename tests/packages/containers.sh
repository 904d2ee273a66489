#!/bin/bash
# containers.sh BUILD: builds the images and starts compose.yaml with podman, as the operations page
# says: a record goes in over TCP and comes out of the database, and again after a restart.
#
# BUILD is the release's folder. Everything podman keeps lies in a folder of the test's own, and its
# network in a namespace of its own. Exit code 4: skipped, and why.
set -euo pipefail
build=$(realpath "$1")
# shellcheck source=tests/packages/bare_system.sh
. "$(dirname "$0")/bare_system.sh"
for program in podman podman-compose crun; do
    command -v "$program" >/dev/null || skip "$program is not installed"
done
in_own_mounts "$0" "$@"

compose() { (cd "$temp/containers" && podman-compose "$@"); }
# In the network namespace that the containers' ports are published in.
network=''
up_there() { nsenter --target "$network" --net -- "$@"; }

clean_up() {
    local status=$?
    trap '' INT TERM
    if [ -n "$network" ]; then
        (cd "$temp/containers" && up_there podman-compose down -t 5 -v) >/dev/null 2>&1 || true
        up_there podman rm -fa >/dev/null 2>&1 || true
        kill "$network" 2>/dev/null || true
    fi
    remove_folder
    exit "$status"
}
make_folder containers
trap clean_up EXIT
trap 'exit 130' INT TERM

# Where the machine's cgroups are of the old kind, or some of both, podman finds no controller in
# them: it gets a tree of the new kind, and asks for no limit that needs one.
if ! mountpoint -q /sys/fs/cgroup || [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    umount -R /sys/fs/cgroup 2>/dev/null || true
    mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || skip "this kernel's cgroups cannot be mounted"
fi
limits=("nofile=$(ulimit -Hn):$(ulimit -Hn)" "nproc=$(ulimit -Hu):$(ulimit -Hu)")
mkdir "$temp/etc"
cat >"$temp/etc/containers.conf" <<SETTINGS
[containers]
pids_limit = 0
default_ulimits = ["${limits[0]}", "${limits[1]}"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
SETTINGS
cat >"$temp/etc/storage.conf" <<SETTINGS
[storage]
driver = "overlay"
graphroot = "$temp/storage"
runroot = "$temp/run"
SETTINGS
export CONTAINERS_CONF=$temp/etc/containers.conf CONTAINERS_STORAGE_CONF=$temp/etc/storage.conf

step "base image"
make_debian slim.tar --variant=minbase
podman import -q "$tickd_cache/slim.tar" debian:trixie-slim >/dev/null 2>"$temp/log" ||
    skip "podman cannot keep images here: $(tail -n 1 "$temp/log")"
podman run --rm --network none debian:trixie-slim true >/dev/null 2>"$temp/log" ||
    skip "podman cannot run a container here: $(tail -n 1 "$temp/log")"

step "images"
cp -a "$checkout/containers" "$temp/"
mkdir "$temp/build"
tickd_packages "$build" "$temp/build/packages" >/dev/null
compose --podman-build-args="--network=host --ulimit ${limits[0]} --ulimit ${limits[1]}" build >"$temp/log" 2>&1 || {
    tail -n 30 "$temp/log"
    exit 1
}

step "up"
mkfifo "$temp/there"
unshare --net bash -c 'echo >"$1" && exec sleep infinity' bash "$temp/there" &
network=$!
read -r <"$temp/there"
up_there ip link set lo up
(cd "$temp/containers" && up_there podman-compose up -d) >"$temp/log" 2>&1 || {
    tail -n 30 "$temp/log"
    exit 1
}

await() { # WHAT COMMAND...
    local deadline=$((SECONDS + 90))
    until "${@:2}" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            echo "FAILED: $1"
            for name in database migrate tickd; do
                echo "--- $name"
                podman logs "containers_${name}_1" 2>&1 | tail -n 15
            done
            exit 1
        fi
        sleep 0.2
    done
}
# Through the socket that the volume holds. Not by exec: on the platform, which is a changed root,
# that leaves the container's.
sql() {
    podman run --rm --network none -v containers_socket:/run/postgresql --entrypoint psql tickd-database \
        -qAt -h /run/postgresql -U postgres -d tickd -c "$1"
}
stored() { [ "$(sql 'SELECT count(*) FROM price_telemetry')" = "$1" ]; }
is_ready() { up_there bash -c 'exec 3<>/dev/tcp/127.0.0.1/9464 && printf "GET /readyz HTTP/1.0\r\n\r\n" >&3 &&
    grep -q " 200 " <&3'; }
send() { # TIME
    up_there "$build/tickd" send - --to 127.0.0.1:7450 --producer "test-$1" --no-progress \
        <<<"{\"symbol\":\"A\",\"time\":$1,\"bid\":1,\"ask\":2}" >/dev/null 2>"$temp/log" ||
        complain "a record is not taken: $(cat "$temp/log")"
}
await "tickd is not ready" is_ready
send 1700000000000001
await "the record is not in the database" stored 1

step "again, on the same volumes"
up_there podman stop -t 45 containers_tickd_1 >/dev/null
expect "tickd's exit code" 0 "$(podman inspect -f '{{.State.ExitCode}}' containers_tickd_1)"
up_there podman stop -t 60 containers_database_1 >/dev/null
expect "the database's exit code" 0 "$(podman inspect -f '{{.State.ExitCode}}' containers_database_1)"
up_there podman start containers_database_1 containers_tickd_1 >/dev/null
await "tickd is not ready again" is_ready
send 1700000000000002
await "the records are not in the database" stored 2

step "done"
exit "$failed"
