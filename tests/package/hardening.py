# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program lacks of the protections that compiler and linker can give; read from the file itself."""
import re
import subprocess

# Instructions that only control-flow protection makes: endbr64, paciasp. The notes that say so of a whole program would
# be the linker's, but Debian 12's start files have none, so that it leaves them out.
MARKS = {"amd64": bytes.fromhex("f30f1efa"), "arm64": bytes.fromhex("3f2303d5")}
# Functions of a program that are called through pointers or call others; far fewer than ours have.
ENOUGH_FUNCTIONS = 9
COMPILED_WITH = {
    "-fstack-protector-strong": {"amd64", "arm64", "armhf"},
    "-fstack-clash-protection": {"amd64", "arm64", "armhf"},
    "-fcf-protection=full": {"amd64"},
    "-mbranch-protection=standard": {"arm64"},
}


def readelf(path, *options):
    return subprocess.run(["readelf", "-W", *options, path], check=True, capture_output=True, text=True).stdout


def lacking(path, arch):
    """What the program at path lacks, in words."""
    headers, dynamic = readelf(path, "-hl"), readelf(path, "-d")
    symbols = readelf(path, "--dyn-syms")
    stack = re.search(r"GNU_STACK .*", headers)
    writable_code = re.search(r"^ +LOAD .* RWE ", headers, re.M)
    wanted = {
        "position independent": "DYN (Position-Independent" in headers and "PIE" in dynamic,
        "read-only relocations": "GNU_RELRO" in headers,
        "bound at once": "BIND_NOW" in dynamic,
        "no executable stack": stack is not None and "RWE" not in stack.group(0),
        "no writable code": writable_code is None,
        "stack protector": "__stack_chk_fail" in symbols,
        "fortified calls": re.search(r"__\w+_chk@", symbols.replace("__stack_chk_fail", "")) is not None,
        "no path to libraries": "RPATH" not in dynamic and "RUNPATH" not in dynamic,
    }
    if arch in MARKS:
        wanted["control flow"] = path.read_bytes().count(MARKS[arch]) >= ENOUGH_FUNCTIONS
    return [name for name, there in wanted.items() if not there]


def compiled_without(debug, arch):
    """(flag, source file) of what was compiled without a flag that belongs there; GCC notes them beside symbols."""
    found = []
    units = 0
    for unit in readelf(debug, "--debug-dump=info", "--dwarf-depth=1").split("DW_TAG_compile_unit")[1:]:
        producer = re.search(r"DW_AT_producer .*", unit).group(0)
        name = re.search(r"DW_AT_name .*: (\S+)$", unit, re.M).group(1)
        if "GNU C" not in producer:
            continue
        units += 1
        found += [(flag, name) for flag, where in COMPILED_WITH.items() if arch in where and flag not in producer]
    assert units, f"{debug} has no notes on compilation"
    return found
