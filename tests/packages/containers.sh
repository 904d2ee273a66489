#!/bin/bash
# containers.sh BUILD: builds both images from a bare Debian 13 and runs them together: a record goes
# in over TCP and comes out of the database. Exit code 4: skipped, and why.
set -euo pipefail
build=$(realpath "$1")
checkout=$(realpath "$(dirname "$0")/../..")
# shellcheck source=dev/lib/platform.sh
. "$checkout/dev/lib/platform.sh"
# shellcheck source=dev/lib/packages.sh
. "$checkout/dev/lib/packages.sh"

skip() {
    echo "skipped: $1"
    exit 4
}
command -v podman >/dev/null || skip "podman is not installed"
[ -d "$tickd_cache/bare" ] || skip "there is no bare Debian 13 yet: package.deb makes it"
temp=$(mktemp -d /tmp/tickd-containers.XXXXXX)
clean_up() {
    local status=$?
    podman rm -f tickd-test-daemon tickd-test-database >/dev/null 2>&1 || true
    podman volume rm -f tickd-test-data tickd-test-socket >/dev/null 2>&1 || true
    rm -rf "$temp"
    exit "$status"
}
trap clean_up EXIT
tar -C "$tickd_cache/bare" -c . | podman import - tickd-test-base >/dev/null 2>&1 ||
    skip "podman cannot keep images here"
podman run --rm --network none tickd-test-base true >/dev/null 2>&1 || skip "podman cannot run a container here"

mkdir -p "$temp/build"
cp -a "$checkout/containers" "$temp/"
tickd_packages "$build" "$temp/build/packages" >/dev/null
for image in '' .database; do
    podman build -q --network host --build-arg BASE=tickd-test-base -f "$temp/containers/Containerfile$image" \
        -t "tickd-test$image" "$temp" >"$temp/log" 2>&1 || {
        tail -n 20 "$temp/log"
        exit 1
    }
done

# They meet at a socket: no network is needed but each container's own loopback.
volumes=(-v tickd-test-socket:/run/postgresql)
podman run -d --network none --name tickd-test-database "${volumes[@]}" \
    -v tickd-test-data:/var/lib/postgresql/data tickd-test.database >/dev/null
sql() { podman exec tickd-test-database psql -qAt -h /run/postgresql -U postgres -d tickd -c "$1"; }
await() { # WHAT COMMAND...
    local deadline=$((SECONDS + 60))
    until "${@:2}"; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            echo "FAILED: $1"
            exit 1
        fi
        sleep 0.2
    done
}
await "the database does not answer" sql 'SELECT 1' >/dev/null 2>&1
podman run --rm --network none "${volumes[@]}" \
    -e TICKD_DATABASE_URL='host=/run/postgresql user=postgres dbname=tickd' tickd-test db migrate
podman run -d --network none --name tickd-test-daemon "${volumes[@]}" \
    -e TICKD_DATABASE_URL='host=/run/postgresql user=tickd_ingest dbname=tickd' tickd-test >/dev/null
echo '{"symbol":"A","bid":1,"ask":2}' >"$temp/tick"
send() { podman exec -i tickd-test-daemon tickd send - --no-progress <"$temp/tick" >/dev/null 2>&1; }
await "tickd takes no record" send
stored() { [ "$(sql 'SELECT count(*) FROM price_telemetry')" = 1 ]; }
await "the record is not in the database" stored
podman stop -t 45 tickd-test-daemon >/dev/null
[ "$(podman inspect -f '{{.State.ExitCode}}' tickd-test-daemon)" = 0 ] || {
    echo "FAILED: tickd did not end in order"
    exit 1
}
