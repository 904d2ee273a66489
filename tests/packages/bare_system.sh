# A bare Debian 13 to install a package into, for the tests beside this file, and their words.
#
#     . "$(dirname "$0")/bare_system.sh"
#
# It is made once, in TICKD_CACHE, and each run works on a copy that goes with it. Sets `temp`, a
# folder of this run's, and `root` in it. Exit code 4: skipped, and why.
# shellcheck shell=bash

checkout=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
# shellcheck source=dev/lib/platform.sh
. "$checkout/dev/lib/platform.sh"
# shellcheck source=dev/lib/packages.sh
. "$checkout/dev/lib/packages.sh"

skip() {
    echo "skipped: $1"
    exit 4
}

# in_own_mounts SCRIPT ARGUMENT...: SCRIPT again, with `inside` as its last argument, in a mount
# namespace of its own: whatever becomes of it, nothing stays mounted.
in_own_mounts() {
    [ "${!#}" != inside ] || return 0
    [ "$EUID" -eq 0 ] || skip "only root can change into another root file system"
    command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
    # In a changed root, which is no mount point, nothing can be made private; the platform's
    # already is.
    local propagation=private
    unshare --mount --propagation private true 2>/dev/null || propagation=unchanged
    unshare --mount --propagation "$propagation" true 2>/dev/null || skip "no mount namespaces here"
    exec unshare --mount --propagation "$propagation" -- bash "$@" inside
}

failed=0
complain() {
    printf 'FAILED: %s\n' "$1"
    failed=1
}
expect() { # WHAT WANTED SEEN
    if [ "$2" != "$3" ]; then complain "$1: wanted '$2', found '$3'"; fi
}
expect_text() { # WHAT PATTERN TEXT
    grep -Eq -- "$2" <<<"$3" || complain "$1: no '$2' in: $3"
}
step() { printf '%4d s  %s\n' "$SECONDS" "$1"; }

# In the bare system, with an environment of its own.
clean_environment=(/usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
inside() { chroot "$root" "${clean_environment[@]}" "$@"; }
apt_options=(-qq -y --no-install-recommends -o Dpkg::Options::=--force-confold)
apt() { inside apt-get "${apt_options[@]}" "$@" 2>&1; }

make_folder() { # NAME
    temp=$(mktemp -d "/tmp/tickd-$1.XXXXXX")
    root=$temp/root
}

remove_folder() {
    # The mounts in it are this namespace's; none may be walked into.
    umount -R "$root" 2>/dev/null || true
    rm -rf --one-file-system "$temp"
}

# make_debian NAME OPTION...: a Debian 13 by mmdebstrap in the cache, unless it is there.
make_debian() {
    local archive made=$tickd_cache/$1
    mkdir -p "$tickd_cache"
    exec {bare_lock_fd}>"$tickd_cache/bare.lock"
    flock "$bare_lock_fd"
    if [ ! -e "$made" ]; then
        archive=$(_debian_archive) || skip "no Debian archive in this machine's apt sources"
        step "making $made (once)"
        rm -rf --one-file-system "$tickd_cache/partial-$1"
        mmdebstrap --mode=root --quiet --dpkgopt=force-unsafe-io "${@:2}" \
            trixie "$tickd_cache/partial-$1" "deb $archive trixie main" ||
            skip "a Debian 13 could not be made: is the network up?"
        mv -T "$tickd_cache/partial-$1" "$made"
    fi
    exec {bare_lock_fd}>&-
}

# systemd: it comes with every Debian machine, and judges the units. man-db: it renders the pages.
make_bare() { make_debian bare --variant=apt --include=systemd,man-db --skip=cleanup/apt/lists; }

copy_bare() {
    mkdir -p "$root" "$temp/upper" "$temp/work" "$tickd_cache/bare-debs/partial"
    mount -t overlay overlay -o "lowerdir=$tickd_cache/bare,upperdir=$temp/upper,workdir=$temp/work" "$root" 2>/dev/null ||
        cp -a --reflink=auto "$tickd_cache/bare/." "$root/"
    cat /etc/resolv.conf >"$root/etc/resolv.conf"
    # What is installed is fetched by the first run only.
    mount --bind "$tickd_cache/bare-debs" "$root/var/cache/apt/archives"
    echo 'Binary::apt-get::APT::Keep-Downloaded-Packages "true";' >"$root/etc/apt/apt.conf.d/99keep"
}

# make_packages BUILD: sets `package` and `symbols`.
make_packages() {
    local made file
    mapfile -t made < <(tickd_packages "$1" "$temp/packages")
    for file in "${made[@]}"; do
        case ${file##*/} in
            tickd-dbgsym_*) symbols=$file ;;
            tickd_*) package=$file ;;
        esac
    done
    : "${package:?no package was made}" "${symbols:?no package of debug symbols was made}"
}

# make_next PACKAGE FILE: the same package under a later version, with another default configuration.
make_next() {
    dpkg-deb -R "$1" "$temp/next"
    sed -i 's/^Version: .*/Version: 999.0-1/' "$temp/next/DEBIAN/control"
    echo '# a later version has more to say' >>"$temp/next/etc/tickd/tickd.yaml"
    (cd "$temp/next" && find etc usr -type f -print0 | xargs -0 md5sum >DEBIAN/md5sums)
    dpkg-deb --root-owner-group -Znone -b "$temp/next" "$2" >/dev/null
}
