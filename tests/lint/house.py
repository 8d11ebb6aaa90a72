#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""House rules that a machine can see: sizes, banned calls, hidden state, thread names, licence line, stray text."""
import ast
import re
import sys
from pathlib import Path

import tree

MAX_FILE = 500
MAX_FUNCTION = 80
MAX_COLUMNS = 120
MAX_THREAD_NAME = 15
# Generated or drawn data, not logic.
DATA_TABLE = re.compile(r"(_tables?|_data|_font)\.[ch]$")
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atof|strtok|usleep|sleep|alloca)\s*\(")
HIDDEN_STATE = re.compile(r"^\t+static\s+(?!const\b|inline\b|_Static_assert)[^(]*[;=]", re.MULTILINE)
FILE_STATE = re.compile(r"^(?:static\s+)?(?!typedef|__extension__|extern|struct \w+;|enum \w+;|union \w+;)"
                        r"(?:[A-Za-z_]\w*[\s*]+)+\w+(?:\[[^\]]*\])*\s*(?:=[^;]*)?;", re.MULTILINE)
# The only global state the house has: where log lines go, and a call site's count of lines left out.
STATE_ALLOWED = {"base/log.c", "base/log.h"}
# Written in pieces, so that the rule does not find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATH = re.compile("/" r"(?:work|root|home/\w+|opt/notes)/" r"|\b(?:deb\.debian|pypi|registry\.npmjs)\.org")
LICENCE = "SPDX-License-Identifier: GPL-3.0-or-later"
LICENSED = {".c", ".h", ".py", ".sh", ".proto"}
# Texts the rules do not fit: somebody else's words, or bytes.
NOT_OURS = re.compile(r"^LICENSE$|^tests/fuzz/corpus/|\.(?:png|jpg|bin|h264)$")
LIBC_HEADERS = {f"{name}.h" for name in (
    "assert ctype errno fcntl float getopt glob grp iconv limits locale math netdb poll pwd sched search semaphore "
    "signal spawn stdarg stdatomic stdbool stddef stdint stdio stdlib string syslog termios threads time unistd "
    "utime wchar wordexp").split()}


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def check_text(where, text):
    """Rules for every text file."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip() and where.suffix != ".md":
            found.append(f"{where}:{number}: trailing blanks")
        if where.suffix in (".py", ".sh") and len(line.expandtabs(8)) > MAX_COLUMNS:
            found.append(f"{where}:{number}: longer than {MAX_COLUMNS} columns")
    if text and not text.endswith("\n"):
        found.append(f"{where}: no newline at the end")
    for rule, what in ((UNFINISHED, "unfinished"), (MACHINE_PATH, "names a place of one machine or registry")):
        found += [f"{where}:{line_of(text, m.start())}: {what}: {m.group(0)}" for m in rule.finditer(text)]
    licensed = where.suffix in LICENSED or text.startswith("#!")
    lines = len(text.splitlines())
    if text.strip() and licensed and LICENCE not in "".join(text.splitlines(True)[:2]):
        found.append(f"{where}: no line '{LICENCE}' on top")
    if lines > MAX_FILE and where.suffix in LICENSED - {".proto"} and not DATA_TABLE.search(where.name):
        found.append(f"{where}: {lines} lines, more than {MAX_FILE}")
    return found


def functions(code):
    """(line, length) of each C function; the house format puts its braces alone in column 0."""
    start = None
    for number, line in enumerate(code.split("\n"), 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            yield start, number - start + 1
            start = None


def file_state(code):
    """(line, text) of variables at file scope that can change."""
    flat = re.sub(r"^\{$.*?^\}", lambda m: "\n" * m.group(0).count("\n"), code, flags=re.DOTALL | re.MULTILINE)
    for match in FILE_STATE.finditer(flat):
        text = match.group(0)
        if "(" not in text.split("=")[0] and not re.search(r"\bconst\b", text) and not text.startswith("return"):
            yield line_of(flat, match.start()), text.split("\n")[0]


def check_c(where, text):
    found = []
    code = tree.code_only(text)
    if not DATA_TABLE.search(where.name):
        found += [f"{where}:{line}: function of {length} lines, more than {MAX_FUNCTION}"
                  for line, length in functions(code) if length > MAX_FUNCTION]
    found += [f"{where}:{line_of(code, m.start())}: {m.group(1)}() is banned" for m in BANNED.finditer(code)]
    if where.parts[0] in tree.PRODUCT and str(where) not in STATE_ALLOWED:
        found += [f"{where}:{line_of(code, m.start())}: state hidden in a function: {m.group(0).strip()}"
                  for m in HIDDEN_STATE.finditer(code)]
        found += [f"{where}:{line}: global state: {what}" for line, what in file_state(code)]
    for line, literal in tree.strings(text):
        name = re.sub(r"%[a-z]+", "00", literal)
        if re.fullmatch(r"ka-[a-z0-9-]+", name) and len(name) > MAX_THREAD_NAME:
            found.append(f"{where}:{line}: thread name '{literal}' has more than {MAX_THREAD_NAME} bytes")
    return found


def check_python(where, text):
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1
            if length > MAX_FUNCTION:
                found.append(f"{where}:{node.lineno}: function of {length} lines, more than {MAX_FUNCTION}")
    return found


def check_names(paths):
    """A symbol names its file, so file names are unique in the product and differ from libc's headers."""
    found, seen = [], {}
    for where in paths:
        if where.parts[0] not in tree.PRODUCT or where.suffix not in (".c", ".h"):
            continue
        if where.name in LIBC_HEADERS:
            found.append(f"{where}: libc has a header of this name")
        if where.name in seen:
            found.append(f"{where}: {seen[where.name]} has the same name")
        seen[where.name] = where
    return found


def check(root):
    """All complaints about the tree under root."""
    paths = [p.relative_to(root) for p in tree.files(root)]
    found = check_names(paths)
    for where in paths:
        if NOT_OURS.search(str(where)):
            continue
        try:
            text = (root / where).read_text()
        except UnicodeDecodeError:
            found.append(f"{where}: not UTF-8 text")
            continue
        found += check_text(where, text)
        if where.suffix in (".c", ".h"):
            found += check_c(where, text)
        elif where.suffix == ".py":
            found += check_python(where, text)
    return found


if __name__ == "__main__":
    complaints = check(Path(sys.argv[1]) if len(sys.argv) > 1 else tree.ROOT)
    print("\n".join(complaints))
    sys.exit(1 if complaints else 0)
