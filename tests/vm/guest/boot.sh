#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# First program after switch_root: prepares the overlay and hands over to systemd, whose only goal is session.sh.
root=$1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

mount -t tmpfs tmpfs /run
mkdir -p /run/out /run/systemd/system
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 out /run/out

kernel=$(uname -r)
rm -rf "/lib/modules/$kernel"
mkdir -p /lib/modules
ln -s "$root/build/vm/kernel/lib/modules/$kernel" "/lib/modules/$kernel"

# What container images and the host's own set-up bring along and a machine must not have.
rm -f /usr/sbin/policy-rc.d /.dockerenv
: >/etc/fstab
echo kvmagent-vm >/etc/hostname

# Only what a unit asks for is started: emulated, each service costs a second or so.
rm -rf /lib/systemd/system-generators /lib/systemd/system/*.target.wants /etc/systemd/system/*.wants
touch /etc/.updated /var/.updated

cat >/run/systemd/system/kvmagent-tests.target <<-END
	[Unit]
	Requires=basic.target systemd-journald.service sys-kernel-config.mount kvmagent-tests.service
	AllowIsolate=yes
END
cat >/run/systemd/system/kvmagent-tests.service <<-END
	[Unit]
	After=basic.target systemd-journald.service sys-kernel-config.mount
	[Service]
	Type=oneshot
	ExecStart=$root/tests/vm/guest/session.sh $root
	StandardOutput=tty
	StandardError=inherit
	TTYPath=/dev/ttyS0
	TimeoutStartSec=infinity
END
exec /lib/systemd/systemd --unit=kvmagent-tests.target --show-status=no --log-level=warning
