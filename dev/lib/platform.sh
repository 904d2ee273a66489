# Puts the tool that sources this on the platform: Debian 13 with dev/packages installed.
#
#     . "$(dirname "$(realpath "$0")")/lib/platform.sh"
#     on_platform "$0" "$@"
#
# On Debian 13 the missing packages are installed. On anything else with apt, a Debian 13 root file
# system is made once in a cache folder, and the tool runs itself again inside it, in the folder it
# was called from, with the checkout at its own path. The host is not changed beyond the package
# `mmdebstrap`, and nothing stays mounted on it.
#
#   TICKD_CACHE       the cache folder (default: $XDG_CACHE_HOME/tickd or ~/.cache/tickd)
#   TICKD_APT_MIRROR  address of a Debian archive, in place of the one in the machine's apt sources
#
# A tool that also needs dev/packages-all sets `tickd_package_lists` before on_platform.
# shellcheck shell=bash

# shellcheck source=dev/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

tickd_cache=$(realpath -m "${TICKD_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/tickd}")
tickd_root=$tickd_cache/trixie
tickd_package_lists=(packages)

# The finished root takes about 1.5 GB, the downloads on the way to it another one, a build a third.
platform_kib_min=$((4 * 1024 * 1024))

# on_platform SCRIPT [ARGUMENT...]: returns on the platform; elsewhere SCRIPT starts again there.
on_platform() {
    [ "${TICKD_PLATFORM:-}" != ready ] || return 0
    if _is_trixie; then
        _install_missing_here
        _platform_environment
        return 0
    fi
    command -v apt-get >/dev/null || die "this is not a Debian or a relative of it" \
        "Use a machine or a container with Debian 12 or 13."
    [ "$EUID" -eq 0 ] || die "must run as root here, to change into the Debian 13 platform" \
        "Run it again with: sudo $0 ..."
    _prepare_root
    _platform_environment
    _enter_root "$@"
}

_is_trixie() {
    local ID='' VERSION_ID=''
    # shellcheck source=/dev/null
    . /etc/os-release
    [ "$ID" = debian ] && [ "$VERSION_ID" = 13 ]
}

_wanted_packages() {
    local lists=("${tickd_package_lists[@]/#/$tickd_checkout/dev/}")
    sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "${lists[@]}"
}

# What of dev/packages is not installed. With a command before it (`chroot ROOT`) there.
_missing_packages() {
    local wanted
    mapfile -t wanted < <(_wanted_packages)
    "$@" dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
        awk -v wanted="${wanted[*]}" '
            $2 == "installed" { have[$1] = 1 }
            END { n = split(wanted, name, " "); for (i = 1; i <= n; ++i) if (!(name[i] in have)) print name[i] }'
}

# Debian's postgresql packages create and start a cluster of their own unless told otherwise.
_forbid_main_cluster() { # ROOT
    local file=$1/etc/postgresql-common/createcluster.conf
    [ ! -e "$file" ] || return 0
    mkdir -p "${file%/*}"
    echo 'create_main_cluster = false' >"$file"
}

# apt-get that never asks, and waits for another one to end.
_apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@"
}

_update_and_install() { # PACKAGE...
    # A vendor's broken source must not stop it: the install itself says what is really missing.
    _apt_get update || true
    _apt_get install "$@"
}

_network_advice() {
    printf '%s' "Is the network up? When it is, run the same command again."
}

_install_missing_here() {
    local missing
    mapfile -t missing < <(_missing_packages)
    [ "${#missing[@]}" -gt 0 ] || return 0
    [ "$EUID" -eq 0 ] || die "packages are missing: ${missing[*]}" \
        "Run it once as root, which installs them, or install them yourself."
    mkdir -p "$tickd_cache"
    _lock
    mapfile -t missing < <(_missing_packages)
    if [ "${#missing[@]}" -gt 0 ]; then
        _require_space /var
        dpkg-query -W -f '${db:Status-Status}' postgresql-common 2>/dev/null | grep -qx installed ||
            _forbid_main_cluster ''
        heading "platform: installing ${#missing[@]} packages from this machine's apt sources (once)"
        quietly "installing" "$tickd_cache/install.log" _update_and_install "${missing[@]}" ||
            die "the packages could not be installed" "$(_network_advice)"
    fi
    _unlock
}

_lock() {
    exec {tickd_lock_fd}>"$tickd_cache/lock"
    if ! flock -n "$tickd_lock_fd"; then
        say "platform: another run is preparing it; waiting for that"
        flock "$tickd_lock_fd"
    fi
}

_unlock() { exec {tickd_lock_fd}>&-; }

_require_space() { # FOLDER
    local free_kib
    free_kib=$(df -Pk "$1" | awk 'NR == 2 { print $4 }')
    [ "$free_kib" -ge "$platform_kib_min" ] || die \
        "$1 has $((free_kib / 1024)) MiB free; the platform needs $((platform_kib_min / 1024)) MiB" \
        "Make room, or set TICKD_CACHE to a folder on a larger disk."
}

# Prints the address of the Debian archive that this machine itself installs from. apt reads its own
# sources, in whatever form they are, and says what it found.
_debian_archive() {
    if [ -n "${TICKD_APT_MIRROR:-}" ]; then
        printf '%s' "$TICKD_APT_MIRROR"
        return
    fi
    local ID='' VERSION_CODENAME='' address
    # shellcheck source=/dev/null
    . /etc/os-release
    [ "$ID" = debian ] || return 1
    # Other vendors use the distribution's suite names too. The origin tells them apart, but apt
    # knows it only after an update; before that, the archive's usual path does.
    address=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
        'Created-By: Packages' | awk -v suite="$VERSION_CODENAME" '
            $3 != "main" || $1 ~ /security/ { next }
            $2 == suite || $2 ~ /^(stable|oldstable|oldoldstable|testing)$/ {
                if ($4 == "Debian") { print 1, $1 }
                else if ($4 == "" && $1 ~ /\/debian\/?$/) { print 2, $1 }
            }' | sort -n | awk 'NR == 1 { print $2 }')
    case $address in
        # A file that lists mirrors, as on some cloud images.
        mirror+file:*) address=$(awk '/^[a-z]+:/ { print $1; exit }' "${address#mirror+file:}") ;;
    esac
    [ -n "$address" ] || return 1
    printf '%s' "${address%/}"
}

_prepare_root() {
    local want
    want=$(_wanted_packages | sha256sum | cut -c1-64)
    [ "$(cat "$tickd_root/.tickd-packages" 2>/dev/null)" != "$want" ] || return 0
    mkdir -p "$tickd_cache"
    _lock
    if [ ! -d "$tickd_root" ]; then
        _make_root
        printf '%s' "$want" >"$tickd_root/.tickd-packages"
    elif [ "$(cat "$tickd_root/.tickd-packages" 2>/dev/null)" != "$want" ]; then
        _complete_root
        printf '%s' "$want" >"$tickd_root/.tickd-packages"
    fi
    _unlock
}

_archive_or_die() {
    _debian_archive || die "no Debian archive was found in this machine's apt sources" \
        "Set TICKD_APT_MIRROR to the address of one and run it again."
}

# Makes the root under another name and renames it when it is whole.
_make_root() {
    local archive partial=$tickd_cache/trixie.partial packages key value options=()
    archive=$(_archive_or_die) || exit 1
    _require_space "$tickd_cache"
    heading "platform: making a Debian 13 root file system in $tickd_root (once, about two minutes)"
    if ! command -v mmdebstrap >/dev/null; then
        quietly "installing mmdebstrap" "$tickd_cache/install.log" _update_and_install mmdebstrap ||
            die "mmdebstrap could not be installed" "$(_network_advice)"
    fi
    # A proxy that this machine's apt uses serves the new root too.
    for key in Acquire::http::Proxy Acquire::https::Proxy; do
        value=$(apt-config dump --format '%v' "$key")
        [ -z "$value" ] || options+=("--aptopt=$key \"$value\"")
    done
    packages=$(_wanted_packages | paste -sd, -)
    rm -rf --one-file-system "$partial"
    trap 'rm -rf --one-file-system "$tickd_cache/trixie.partial"; exit 130' INT TERM
    # In a mount namespace of its own, so that not even a killed run leaves something mounted.
    # No documentation, and no fsync per file: a root that a power cut spoils was never renamed.
    if ! quietly "root file system" "$tickd_cache/install.log" \
        unshare --mount --propagation private -- mmdebstrap --mode=root --variant=apt --verbose \
        --include="$packages" "${options[@]}" --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --essential-hook='mkdir -p "$1/etc/postgresql-common"' \
        --essential-hook='echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
        trixie "$partial" "deb $archive trixie main"; then
        rm -rf --one-file-system "$partial"
        die "the Debian 13 root file system could not be made from $archive" "$(_network_advice)" \
            "The whole log: $tickd_cache/install.log"
    fi
    sync -f "$partial"
    mv -T "$partial" "$tickd_root"
    trap - INT TERM
}

# dev/packages has grown since the root was made.
_complete_root() {
    local archive missing
    mapfile -t missing < <(_missing_packages chroot "$tickd_root")
    [ "${#missing[@]}" -gt 0 ] || return 0
    archive=$(_archive_or_die) || exit 1
    _require_space "$tickd_cache"
    heading "platform: adding to $tickd_root: ${missing[*]}"
    echo "deb $archive trixie main" >"$tickd_root/etc/apt/sources.list"
    quietly "installing" "$tickd_cache/install.log" \
        unshare --mount --propagation private -- bash "$tickd_checkout/dev/lib/enter.sh" \
        "$tickd_root" / -- env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c 'dpkg --configure -a && apt-get -q update &&
            apt-get -qy --no-install-recommends install "$@"' bash "${missing[@]}" ||
        die "packages could not be added to the platform" "$(_network_advice)"
}

# The same on a Debian 13 machine and in the root: what the host's environment says about compilers
# and libraries of its own is not true here.
_platform_environment() {
    export TICKD_PLATFORM=ready TICKD_CACHE=$tickd_cache
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin
    export LC_ALL=C.UTF-8
    export CCACHE_DIR=${CCACHE_DIR:-$tickd_cache/ccache}
    unset LANG LANGUAGE CC CXX CPP CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CPATH CPLUS_INCLUDE_PATH \
        LIBRARY_PATH LD_LIBRARY_PATH LD_PRELOAD PKG_CONFIG_PATH CMAKE_PREFIX_PATH PYTHONPATH \
        PYTHONHOME PERL5LIB BASH_ENV ENV
    # The checkout often belongs to another user than root, which git refuses to read.
    local n=${GIT_CONFIG_COUNT:-0}
    export "GIT_CONFIG_KEY_$n=safe.directory" "GIT_CONFIG_VALUE_$n=$tickd_checkout"
    export GIT_CONFIG_COUNT=$((n + 1))
    mkdir -p "$CCACHE_DIR"
}

_enter_root() { # SCRIPT [ARGUMENT...]
    local script folder shared path binds=() sorted
    script=$(realpath "$1")
    shift
    folder=$(pwd -P)
    binds=(/tmp "$tickd_checkout" "$(realpath "$CCACHE_DIR")")
    if [ -n "${TMPDIR:-}" ] && [ -d "$TMPDIR" ]; then binds+=("$(realpath "$TMPDIR")"); fi
    case $folder in
        / | /bin | /boot* | /dev* | /etc* | /lib* | /proc* | /run* | /sbin | /sys* | /usr* | /var) ;;
        *) binds+=("$folder") ;;
    esac
    mapfile -t sorted < <(printf '%s\n' "${binds[@]}" | LC_ALL=C sort -u)
    shared=$(dirname "$tickd_checkout")/shared
    if [ -d "$shared" ]; then sorted+=("ro:$shared"); fi
    for path in "${sorted[@]}"; do
        case $path in
            / | *$'\n'*) die "cannot work with the folder '$path'" "Move the checkout to another one." ;;
        esac
    done
    exec unshare --mount --propagation private -- bash "$tickd_checkout/dev/lib/enter.sh" \
        "$tickd_root" "$folder" "${sorted[@]}" -- "$script" "$@"
}
