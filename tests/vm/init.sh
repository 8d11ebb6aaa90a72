#!/bin/busybox sh
# SPDX-License-Identifier: GPL-3.0-or-later
# First program of the guest: the host's root over 9p, read-only, under a tmpfs overlay; then guest/boot.sh in it.
PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
echo "vm: userland"

while read -r module; do
	insmod "/modules/$module" || echo "vm: $module does not load"
done </modules/order

root=$(sed 's/.*ka\.root=\([^ ]*\).*/\1/' /proc/cmdline)
mkdir -p /host /over /new
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host &&
	mount -t tmpfs -o size=80% over /over &&
	mkdir /over/upper /over/work &&
	mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work overlay /new || exit 1
for folder in dev proc sys; do
	mount --move "/$folder" "/new/$folder"
done
exec switch_root /new "$root/tests/vm/guest/boot.sh" "$root"
