#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Include arrows: agent -> capture, hid, rustdesk -> base; rustdesk -> proto; a folder's other headers are private."""
import re
import sys
from pathlib import Path

import tree

MAY_INCLUDE = {
    "base": {"base"},
    "proto": {"proto"},
    "capture": {"capture", "base"},
    "hid": {"hid", "base"},
    "rustdesk": {"rustdesk", "base", "proto"},
    "agent": {"agent", "capture", "hid", "rustdesk", "base"},
}
# What a folder shows to others; base and proto show everything.
PUBLIC = {"capture/capture.h", "hid/hid.h", "rustdesk/rustdesk.h", "rustdesk/host.h"}
# Libraries that only one folder may know.
ONLY_IN = {
    "libconfig.h": "agent",
    "jansson.h": "agent",
    "systemd/": "agent",
    "usbg/": "hid",
    "x264.h": "capture",
    "vpx/": "capture",
    "libyuv": "capture",
    "libv4l2.h": "capture",
    "linux/videodev2.h": "capture",
    "jpeglib.h": "capture",
    "png.h": "capture",
    "protobuf-c/": "rustdesk",
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.MULTILINE)


def judge(folder, quote, name):
    """Why this include is wrong, or None."""
    if quote == "<":
        for prefix, owner in ONLY_IN.items():
            if name.startswith(prefix) and folder != owner:
                return f"<{name}> belongs to {owner}/"
        return None
    target = name.split("/")[0]
    if "/" not in name:
        return f'"{name}": includes are written from the root, "folder/x.h"'
    if target not in MAY_INCLUDE[folder]:
        return f'"{name}": {folder}/ may not include {target}/'
    if target != folder and target not in ("base", "proto") and name not in PUBLIC:
        return f'"{name}" is private to {target}/'
    return None


def check(root):
    """All complaints about the tree under root."""
    found = []
    for path in tree.files(root, ".c", ".h"):
        where = path.relative_to(root)
        if where.parts[0] not in MAY_INCLUDE:
            continue
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            why = judge(where.parts[0], match.group(1), match.group(2))
            if why:
                found.append(f"{where}:{text.count(chr(10), 0, match.start()) + 1}: {why}")
    return found


if __name__ == "__main__":
    complaints = check(Path(sys.argv[1]) if len(sys.argv) > 1 else tree.ROOT)
    print("\n".join(complaints))
    sys.exit(1 if complaints else 0)
