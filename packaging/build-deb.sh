#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# build-deb.sh [--arch A] [--check]: the Debian package of this working tree.
#
# Without --arch: for this machine, with its own packages, into build/deb, with the source package.
# --arch A (amd64, arm64, armhf): in a clean Debian 12 in build/deb-root, cross-built with Debian's multiarch packages
# when A is not what this machine runs, into build/deb-A. Its packages come from Debian's usual mirror, or from what
# the file $KVMAGENT_APT_SOURCES says (see sources.list(5)).
# --check: builds a second time, elsewhere and under other circumstances, and compares every byte.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

readonly root=$PWD/build/deb-root
arch=
check=

die() {
	echo "build-deb: $*" >&2
	exit 1
}

as_root() {
	if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

# The tree's own files, whether committed or not.
tree_files() {
	if [[ -e .git ]]; then
		git ls-files -z -co --exclude-standard
	else
		find . -path ./build -prune -o -type f -print0
	fi | while IFS= read -r -d '' name; do
		[[ ! -e $name ]] || printf '%s\0' "$name"
	done
}

# copy_tree FOLDER: dpkg wants its folder at ./debian, the tree keeps it in packaging/. When files were checked out, and
# with which umask, must not show in the package.
copy_tree() {
	rm -rf "$1"
	mkdir -p "$1"
	tree_files | tar -c --null -T - | tar -x -C "$1"
	cp -a packaging/debian "$1/debian"
	chmod -R u=rwX,go=rX "$1"
	find "$1" -print0 | xargs -0 touch -hd "$(dpkg-parsechangelog -l packaging/debian/changelog -S Date)"
}

# A Debian 12 with nothing but what building takes; made once, and again when what it takes changes.
make_root() {
	local stamp
	stamp="$(dpkg --print-architecture) $(sha256sum packaging/debian/control) ${KVMAGENT_APT_SOURCES:-}"
	[[ $(cat "$root.stamp" 2>/dev/null) != "$stamp" ]] || return 0
	rm -f "$root.stamp"
	as_root rm -rf "$root"
	as_root mmdebstrap --variant=buildd --include=build-essential,debhelper --skip=cleanup/apt/lists \
		bookworm "$root" ${KVMAGENT_APT_SOURCES:+"$KVMAGENT_APT_SOURCES"}
	echo "$stamp" >"$root.stamp"
}

# in_root COMMAND...: in the clean Debian, which sees no processes but its own.
in_root() {
	as_root unshare --mount --pid --fork --kill-child sh -c \
		'root=$1 && shift && mount -t proc proc "$root/proc" && exec chroot "$root" "$@"' sh "$root" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@"
}

# Compiler and libraries of the architecture, into the clean Debian.
equip_root() {
	local got=$root.got-$arch
	[[ ! $got -nt $root.stamp ]] || return 0
	if [[ $arch != "$(dpkg --print-architecture)" ]]; then
		in_root dpkg --add-architecture "$arch"
		in_root apt-get -q update
		in_root apt-get -qy -o Dpkg::Use-Pty=0 install --no-install-recommends "crossbuild-essential-$arch"
	fi
	in_root apt-get -qy -o Dpkg::Use-Pty=0 build-dep --no-install-recommends --host-architecture "$arch" \
		/build/packages
	touch "$got"
}

# build_here FOLDER JOBS: FOLDER/.. gets the packages.
build_here() {
	(cd "$1" && DEB_BUILD_OPTIONS="nocheck parallel=$2" dpkg-buildpackage -F -us -uc)
}

# build_in_root FOLDER JOBS: the same there; FOLDER lies inside of it.
build_in_root() {
	in_root sh -c 'cd "$1" && DEB_BUILD_OPTIONS="nocheck parallel=$2" dpkg-buildpackage -b -us -uc -a "$3"' sh \
		"$1" "$2" "$arch"
}

# into OUT BASE JOBS: builds below the folder BASE and puts what comes of it into OUT.
into() {
	local out=$1 base=$2 copy
	copy=$base/kvmagent-$version
	rm -rf "$out"
	mkdir -p "$out"
	if [[ -z $arch ]]; then
		copy_tree "$out$copy"
		build_here "$out$copy" "$3"
		find "$out$base" -maxdepth 1 -type f -exec mv -t "$out" {} +
		rm -rf "${out:?}/$(cut -d/ -f2 <<<"$base")"
		return
	fi
	copy_tree "$out/copy"
	as_root rm -rf "$root$base"
	as_root mkdir -p "$root$base"
	as_root cp -a "$out/copy" "$root$copy"
	rm -rf "$out/copy"
	as_root chown -R root:root "$root$base"
	build_in_root "$copy" "$3"
	find "$root$base" -maxdepth 1 -type f -exec cp -t "$out" {} +
	as_root rm -rf "$root$base"
}

# What .changes and .buildinfo say of time and machine differs by nature; the packages may not.
compare() {
	local name found=0
	for name in "$1"/*.{deb,dsc,tar.xz}; do
		[[ -e $name ]] || continue
		found=$((found + 1))
		cmp "$name" "$2/${name##*/}" || {
			! command -v diffoscope >/dev/null || diffoscope "$name" "$2/${name##*/}"
			die "${name##*/} comes out differently each time"
		}
	done
	((found >= 2)) || die "nothing to compare in $1"
	echo "build-deb: built twice, $found files the same to the byte"
}

while (($#)); do
	case $1 in
	--arch)
		[[ ${2:-} =~ ^(amd64|arm64|armhf)$ ]] || die "--arch takes amd64, arm64 or armhf"
		arch=$2
		shift
		;;
	--check) check=1 ;;
	*) die "unknown option: $1" ;;
	esac
	shift
done

version=$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)
grep -q "^project(kvmagent VERSION $version " CMakeLists.txt ||
	die "CMakeLists.txt and packaging/debian/changelog disagree about version $version"

out=build/deb
if [[ -n $arch ]]; then
	out=build/deb-$arch
	make_root
	as_root rm -rf "$root/build/packages"
	as_root mkdir -p "$root/build/packages"
	as_root cp -a packaging/debian "$root/build/packages/debian"
	equip_root
fi
into "$PWD/$out" /build "$(nproc)"
lintian --allow-root --display-info --pedantic --fail-on error,warning,info "$out"/*.changes
if [[ -n $check ]]; then
	(
		umask 0002
		export TZ=Pacific/Kiritimati LC_ALL=C LOGNAME=somebody
		into "$PWD/$out.again" /elsewhere/and/deeper 1
	)
	compare "$out" "$out.again"
	rm -rf "$out.again"
fi
ls -l "$out"/kvmagent_*.deb
