#!/usr/bin/env bash
# Runs in new namespaces: lays out the root directory that it is given, with the programs of the machine read-only, and becomes
# systemd there.
set -euo pipefail
root=$1

mount --make-rprivate /
mount --bind "$root" "$root"
mount --rbind --options ro /usr "$root/usr"
mount --options remount,bind,ro "$root/usr"
for directory in bin lib lib64 sbin; do
    # Where they are not links into /usr.
    if [[ -d $root/$directory && ! -L $root/$directory ]]; then mount --bind "/$directory" "$root/$directory"; fi
done
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --options remount,bind,ro "$root/proc/sys"
mount -t sysfs --options ro sysfs "$root/sys"
mount -t tmpfs --options mode=755 tmpfs "$root/run"
mount -t tmpfs --options mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue" "$root/dev/hugepages"
mount -t devpts --options newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"

mkdir "$root/machine"
cd "$root"
pivot_root . machine
umount --lazy /machine
# As systemd would have it, were this not a container: credentials are mounts that must be seen outside of where they are made.
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=questions.service --show-status=no --log-target=journal
