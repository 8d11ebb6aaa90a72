#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Process 1 of the guest after switch_root: what an init leaves behind, then the tests, then power off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 KA_GUEST=1
cd "$1" || exit 1

mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/pts /dev/shm /run/out /run/lock
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out /run/out
ln -s /proc/self/fd /dev/fd
busybox ip link set lo up
hostname kvmagent-vm
kernel=$(uname -r)
rm -rf "/lib/modules/$kernel"
mkdir -p /lib/modules
ln -s "$1/build/vm/kernel/lib/modules/$kernel" "/lib/modules/$kernel"

echo 0 >/proc/sys/kernel/ctrl-alt-del
read -r tests </run/out/arguments
# shellcheck disable=SC2086 # several arguments
/usr/bin/python3 -m pytest -v --color=no -p no:cacheprovider --junit-xml /run/out/junit.xml $tests
echo "vm: pytest's exit status is $?"
sync
busybox poweroff -f
