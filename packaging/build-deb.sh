#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the Debian package of this working tree into build/deb: dpkg wants its folder at ./debian, the tree keeps it
# in packaging/, so a copy of the tree is built.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

out=build/deb
version=$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)
copy=$out/kvmagent-$version

grep -q "^project(kvmagent VERSION $version " CMakeLists.txt || {
	echo "build-deb: CMakeLists.txt and packaging/debian/changelog disagree about version $version" >&2
	exit 1
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

rm -rf "$out"
mkdir -p "$copy"
tree_files | tar -c --null -T - | tar -x -C "$copy"
cp -a packaging/debian "$copy/debian"
(cd "$copy" && DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" dpkg-buildpackage -b -us -uc)
lintian --allow-root --fail-on error,warning "$out/kvmagent_${version}_$(dpkg --print-architecture).changes"
ls -l "$out"/kvmagent_*.deb
