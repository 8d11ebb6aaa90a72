#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The guest's one service: the tests, their result into the host's folder, power off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 KA_GUEST=1
cd "$1" || exit 1
busybox ip link set lo up
echo 0 >/proc/sys/kernel/ctrl-alt-del

mapfile -t tests </run/out/arguments
/usr/bin/python3 -m pytest -v --color=no --tb=short -p no:cacheprovider -o faulthandler_timeout=180 \
	--junit-xml /run/out/junit.xml "${tests[@]}"
echo "vm: pytest's exit status is $?"
sync
busybox poweroff -f
