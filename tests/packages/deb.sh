#!/bin/bash
# deb.sh BUILD: the package's whole life in a bare Debian 13 of its own: installed by apt, looked at,
# run, upgraded over a changed configuration, removed and purged. BUILD is the release's folder.
#
# Exit code 4: skipped, and why.
set -euo pipefail
build=$(realpath "$1")
# shellcheck source=tests/packages/bare_system.sh
. "$(dirname "$0")/bare_system.sh"
in_own_mounts "$0" "$@"

daemon=''
clean_up() {
    local status=$?
    trap '' INT TERM
    [ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null || true
    remove_folder
    exit "$status"
}
make_folder deb
trap clean_up EXIT
trap 'exit 130' INT TERM

as_tickd=(chroot "$root" "${clean_environment[@]}" setpriv --reuid=tickd --regid=tickd --init-groups /usr/bin/env)
mode_of() { inside stat -c '%a %U:%G' "$1" 2>&1; }

# Files that are neither apt's and dpkg's own books nor caches.
all_files() {
    inside find / -xdev \( -path /dev -o -path /proc -o -path /tmp -o -path /var/cache -o -path /var/log \
        -o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune -o -print | sort
}

check_control() { # PACKAGE
    local control contents
    control=$(dpkg-deb -f "$1")
    contents=$(dpkg-deb -c "$1")
    expect_text "architecture" "^Architecture: $(dpkg --print-architecture)$" "$control"
    for library in libpq5 libssl3t64 libspdlog1 libyaml-cpp0 libsimdjson libsystemd0 libprometheus-cpp-core libc6; do
        expect_text "depends" "^Depends: .*$library" "$control"
    done
    expect "conffiles" /etc/tickd/tickd.yaml "$(dpkg-deb --info "$1" conffiles)"
    expect "files that are not root's" "" "$(awk '$2 != "root/root"' <<<"$contents")"
    expect "files that others may write" "" "$(grep -E '^[^l].{7}w' <<<"$contents" || true)"
}

check_debug_symbols() { # PACKAGE DBGSYM
    local id
    dpkg-deb -x "$1" "$temp/stripped"
    id=$(readelf -n "$temp/stripped/usr/bin/tickd" | sed -n 's/.*Build ID: //p')
    expect_text "debug symbols of this very binary" "\.build-id/${id:0:2}/${id:2}\.debug" "$(dpkg-deb -c "$2")"
    expect_text "the binary is stripped" "^0$" "$(readelf -SW "$temp/stripped/usr/bin/tickd" | grep -c '\.debug_info' || true)"
}

check_installed() {
    expect "its user" "/var/lib/tickd /usr/sbin/nologin" "$(inside getent passwd tickd | cut -d: -f6,7 | tr : ' ')"
    expect "/var/lib/tickd" "750 tickd:tickd" "$(mode_of /var/lib/tickd)"
    expect "/etc/tickd" "755 root:root" "$(mode_of /etc/tickd)"
    expect "/etc/tickd/tickd.yaml" "644 root:root" "$(mode_of /etc/tickd/tickd.yaml)"
    expect "/usr/bin/tickd" "755 root:root" "$(mode_of /usr/bin/tickd)"
    expect_text "tickd version" "^tickd [0-9]" "$(inside tickd version)"
    expect "the configuration it brings" "ok" "$("${as_tickd[@]}" tickd config check)"
    for file in lib/systemd/system/tickd.service lib/systemd/system/tickd.socket lib/sysusers.d/tickd.conf \
        lib/tmpfiles.d/tickd.conf share/bash-completion/completions/tickd share/doc/tickd/copyright \
        share/doc/tickd/changelog.gz share/doc/tickd/README.md share/doc/tickd/docs/operations.md \
        share/doc/tickd/conf/tickd.yaml share/doc/tickd/examples/feed_handler.py \
        share/doc/tickd/clients/python/verify_activity.py share/doc/tickd/sql/checks \
        share/doc/tickd/monitoring/alerts.yaml share/doc/tickd/monitoring/dashboard.json; do
        [ -e "$root/usr/$file" ] || complain "/usr/$file is missing"
    done
    expect "units" "" "$(inside systemd-analyze verify /usr/lib/systemd/system/tickd.service \
        /usr/lib/systemd/system/tickd.socket 2>&1 | grep -E 'tickd\.(service|socket)' || true)"
    expect "it is not enabled" "disabled" "$(inside systemctl is-enabled tickd.service 2>&1)"
    expect "completion" "serve" "$(inside bash -c '. /usr/share/bash-completion/completions/tickd
        COMP_WORDS=(tickd se) COMP_CWORD=1; _tickd; printf "%s\n" "${COMPREPLY[@]}" | grep -x serve')"
    check_pages
    check_links
}

check_pages() {
    local page text
    for page in 'tickd tickd db migrate' 'tickd.yaml database\.url'; do
        text=$(inside man --warnings=w -E UTF-8 "${page%% *}" 2>"$temp/warnings")
        expect "warnings about the page ${page%% *}" "" "$(cat "$temp/warnings")"
        expect_text "the page ${page%% *}" "${page#* }" "$text"
    done
}

# Pages point at each other; what they point at is installed, too.
check_links() {
    local folder=$root/usr/share/doc/tickd/docs page link
    while IFS=: read -r page link; do
        link=${link#](}
        link=${link%)}
        link=${link%%#*}
        [ -z "$link" ] || [ -e "$folder/$link" ] || complain "${page##*/} points at $link, which is not installed"
    done < <(grep -oE '\]\([^)]*\)' "$folder"/*.md | grep -vE '\]\((https?:|#)')
}

# Without a database: what it has taken goes to the spool, and its end is in order.
run_without_database() {
    local address deadline=$((SECONDS + 30)) log=$temp/tickd.log status=0
    # No function: the signal is for tickd, not for a shell around it.
    "${as_tickd[@]}" TICKD_LISTEN=127.0.0.1:0 TICKD_ADMIN_ADDRESS=none tickd serve >"$log" 2>&1 &
    daemon=$!
    until grep -q '"ready"' "$log"; do
        if ! kill -0 "$daemon" || [ "$SECONDS" -ge "$deadline" ]; then
            complain "tickd serve did not start: $(cat "$log")"
            return
        fi
        sleep 0.05
    done
    address=$(grep -oE 'listening on [0-9.:]+' "$log" | cut -d' ' -f3)
    printf '%s\n' '{"symbol":"A","bid":1,"ask":2}' | inside tickd send - --to "$address" --no-progress >/dev/null 2>&1
    kill -TERM "$daemon"
    wait "$daemon" || status=$?
    daemon=''
    expect "the daemon's exit code" 0 "$status"
    expect_text "its record is spooled" '1 record.* in the spool' "$(cat "$log")"
}

make_bare
copy_bare
for path in /dev /proc; do mount --rbind "$path" "$root$path"; done
step "packages"
make_packages "$build"
check_control "$package"
check_debug_symbols "$package" "$symbols"
install -m 644 "$package" "$root/tmp/tickd.deb"

step "install"
said=$(apt install /tmp/tickd.deb) || complain "it cannot be installed: $said"
expect_text "installing says what comes next" "not started.*" "$said"
check_installed

step "run"
run_without_database
inside systemctl enable tickd.socket tickd.service >/dev/null 2>&1 || complain "the units cannot be enabled"

step "upgrade over a changed configuration"
echo '# changed by hand' >>"$root/etc/tickd/tickd.yaml"
make_next "$package" "$root/tmp/next.deb"
said=$(apt install /tmp/next.deb) || complain "it cannot be upgraded: $said"
expect "the version" 999.0-1 "$(inside dpkg-query -W -f '${Version}' tickd)"
expect "the changed configuration" "# changed by hand" "$(tail -n 1 "$root/etc/tickd/tickd.yaml")"
expect "it is still enabled" "enabled" "$(inside systemctl is-enabled tickd.service 2>&1)"
if grep -q 'not started' <<<"$said"; then complain "an upgrade speaks as if it were the first"; fi

step "remove"
said=$(apt remove tickd) || complain "it cannot be removed: $said"
[ ! -e "$root/usr/bin/tickd" ] || complain "/usr/bin/tickd is still there"
[ -e "$root/etc/tickd/tickd.yaml" ] || complain "removing has deleted the configuration"
[ -n "$(find "$root/var/lib/tickd/spool" -name '*.spool')" ] || complain "removing has deleted spooled records"

step "purge with records in the spool, and files of others"
echo secret >"$root/etc/tickd/database-password"
echo signed >"$root/var/lib/tickd/notary.state"
said=$(apt purge tickd) || complain "it cannot be purged: $said"
expect_text "purging says what it keeps" "spool is kept" "$said"
expect_text "purging says what it keeps" "notary.state is kept" "$said"
expect_text "purging says what it keeps" "/etc/tickd is kept" "$said"
[ -n "$(find "$root/var/lib/tickd/spool" -name '*.spool')" ] || complain "purging has deleted spooled records"
rm -r "$root/etc/tickd" "$root/var/lib/tickd"
before=$(all_files)

step "install, purge: nothing is left"
said=$(apt install /tmp/tickd.deb) || complain "it cannot be installed again: $said"
inside systemctl enable tickd.socket tickd.service >/dev/null 2>&1
inside install -d -o tickd -g tickd /var/lib/tickd/spool/lane-0
: >"$root/var/lib/tickd/spool/lane-0/lock"
said=$(apt purge tickd) || complain "it cannot be purged: $said"
expect "what a purge leaves" "" "$(diff <(echo "$before") <(all_files) | grep '^[<>]' || true)"
expect "what bears its name" "" "$(all_files | grep tickd || true)"

step "done"
exit "$failed"
