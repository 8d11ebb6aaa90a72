#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh RESULT LIBRARY...: builds for arm64 and runs unit tests and fuzz corpora under QEMU's user emulation.
# Debian's arm64 libraries are unpacked into build/arm64/sysroot; the host's package database is not touched.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
result=$1
shift

work=$PWD/build/arm64
sysroot=$work/sysroot

# apt with a state of its own, in which nothing is installed.
apt_arm64() {
	apt-get -q -y -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root \
		-o Dir::State="$work/apt" -o Dir::State::status="$work/apt/status" -o Dir::Cache="$work/apt" "$@"
}

make_sysroot() {
	rm -rf "$work/apt" "$sysroot"
	mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$sysroot"
	touch "$work/apt/status"
	apt_arm64 update
	apt_arm64 --no-install-recommends --download-only install "$@"
	for package in "$work"/apt/archives/*.deb; do
		dpkg -x "$package" "$sysroot"
	done
	rm -rf "$work/apt/archives"
	echo "$*" >"$work/libraries"
}

[[ -e $work/libraries && $(<"$work/libraries") == "$*" ]] || make_sysroot "$@"

export KA_SYSROOT=$sysroot PKG_CONFIG_SYSROOT_DIR=$sysroot
export PKG_CONFIG_LIBDIR=$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$sysroot/usr/share/pkgconfig
cmake -S . -B "$work/build" -G Ninja -DCMAKE_TOOLCHAIN_FILE=tests/arm64/toolchain.cmake \
	-DCMAKE_INSTALL_LIBDIR=lib/aarch64-linux-gnu -DKA_TEST_TIMEOUT=600 >"$work/cmake.log" || {
	cat "$work/cmake.log" >&2
	exit 1
}
ninja -C "$work/build"
ctest --test-dir "$work/build" -j2 --output-on-failure --output-junit "$result"
