#!/bin/bash
# The last step onto the platform, in a mount namespace of its own: binds what the platform shares
# with the host into the root file system and changes root. The mounts belong to the namespace, so
# they are gone when the last process inside ends, however it ends.
#
# enter.sh ROOT FOLDER [BIND...] -- COMMAND [ARGUMENT...]
#
# FOLDER is where COMMAND starts. A BIND is an absolute path that appears at the same path inside,
# read-only when written `ro:PATH`; parents come before what lies in them.
set -euo pipefail

root=$1 folder=$2
shift 2

# A root that is a mount point: what makes namespaces inside (tests of packages) remounts it.
mount --bind "$root" "$root"
for path in /dev /proc /sys; do mount --rbind "$path" "$root$path"; done

# Names resolve inside as they do outside.
for path in /etc/resolv.conf /etc/hosts; do
    [ -e "$path" ] || continue
    [ -e "$root$path" ] || : >"$root$path"
    mount --bind "$(realpath "$path")" "$root$path"
done

while [ "$1" != -- ]; do
    path=${1#ro:}
    mkdir -p "$root$path"
    mount --rbind "$path" "$root$path"
    [ "$1" = "$path" ] || mount -o remount,bind,ro "$root$path"
    shift
done
shift

exec chroot "$root" /usr/bin/env --chdir="$folder" -- "$@"
