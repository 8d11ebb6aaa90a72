# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lint tools share: the files of a tree, and C text without its comments and strings."""
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("agent", "base", "capture", "hid", "rustdesk", "proto")

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def files(root, *suffixes):
    """Files that belong to the tree under root: known to git or new, not ignored; without git, all."""
    if (root / ".git").exists():
        out = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                             check=True, capture_output=True, text=True).stdout
        paths = [root / name for name in out.split("\0") if name]
    else:
        paths = root.rglob("*")
    return sorted(p for p in paths if p.is_file() and (not suffixes or p.suffix in suffixes))


def blank(match):
    text = match.group(0)
    lines = "\n" * text.count("\n")
    return f'"{lines}"' if text[0] in "\"'" else f" {lines}"


def code_only(text):
    """C text with comments and literals emptied; line numbers stay."""
    return TOKEN.sub(blank, text)


def strings(text):
    """(line, content) of every string literal outside comments."""
    for match in TOKEN.finditer(text):
        if match.group(0)[0] == '"':
            yield text.count("\n", 0, match.start()) + 1, match.group(0)[1:-1]
