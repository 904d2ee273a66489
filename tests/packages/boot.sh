#!/bin/bash
# boot.sh ROOT CONSOLE: boots the systemd that is installed in ROOT, whose console is the file CONSOLE.
# Run it with PID, mount, network, UTS, IPC and cgroup namespaces of its own: they end with it.
set -euo pipefail
root=$1 console=$2

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for folder in run tmp; do mount -t tmpfs tmpfs "$root/$folder"; done
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
: >"$root/dev/console"
mount --bind "$console" "$root/dev/console"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
# What a container has no use for, and cannot do.
mkdir -p "$root/etc/systemd/system"
for unit in console-getty.service systemd-modules-load.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

exec chroot "$root" /usr/bin/env -i container=tickd-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd --system --unit=multi-user.target
