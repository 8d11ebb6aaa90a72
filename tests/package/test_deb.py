# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian package in build/deb (or $KVMAGENT_DEB_DIR) without installing it: contents, and how it was compiled."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import hardening  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("usr/sbin/kvmagent", "usr/bin/kvmagentctl")
DEBS = sorted(Path(os.environ.get("KVMAGENT_DEB_DIR", ROOT / "build" / "deb")).glob("kvmagent_*.deb"))


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def field(deb, name):
    return run("dpkg-deb", "-f", deb, name).strip()


def test_there_is_one_package():
    assert len(DEBS) == 1


@pytest.fixture(params=DEBS, ids=lambda deb: deb.parent.name)
def deb(request):
    return request.param


@pytest.fixture
def unpacked(deb, tmp_path):
    run("dpkg-deb", "-x", deb, tmp_path)
    return tmp_path


def test_programs_are_hardened(deb, unpacked):
    for name in PROGRAMS:
        assert hardening.lacking(unpacked / name, field(deb, "Architecture")) == [], name


def test_every_source_is_compiled_with_hardening(deb, tmp_path):
    symbols = deb.with_name(deb.name.replace("kvmagent_", "kvmagent-dbgsym_"))
    run("dpkg-deb", "-x", symbols, tmp_path)
    files = [path for path in tmp_path.rglob("*.debug") if ".dwz" not in path.parts]
    assert len(files) == len(PROGRAMS)
    for path in files:
        assert hardening.compiled_without(path, field(deb, "Architecture")) == []


def test_hardening_check_refuses_a_soft_program(tmp_path):
    source = tmp_path / "soft.c"
    source.write_text('#include <stdio.h>\n'
                      'int main(int c, char **v) { char b[9]; sprintf(b, "%s", v[c - 1]); puts(b); }\n')
    soft = tmp_path / "soft"
    run("gcc", "-g", "-O0", "-U_FORTIFY_SOURCE", "-no-pie", "-fno-stack-protector", "-fcf-protection=none",
        "-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/opt", "-o", soft, source)
    lacks = hardening.lacking(soft, "amd64")
    assert len(lacks) == 8 and "no writable code" not in lacks
    assert {flag for flag, _ in hardening.compiled_without(soft, "amd64")} >= {"-fstack-clash-protection"}


def test_package_has_what_it_needs_and_no_more(deb):
    files = {line.split()[5][2:]: line.split()[0] for line in run("dpkg-deb", "-c", deb).splitlines()
             if not line.startswith("d")}
    assert {*PROGRAMS, "etc/kvmagent.cfg", "lib/systemd/system/kvmagent.service",
            "usr/lib/modules-load.d/kvmagent.conf", "usr/lib/sysusers.d/kvmagent.conf",
            "usr/share/man/man1/kvmagentctl.1.gz", "usr/share/man/man5/kvmagent.cfg.5.gz",
            "usr/share/man/man8/kvmagent.8.gz"} <= set(files)
    stray = [name for name in files if not re.match(
        r"(etc/kvmagent\.cfg|lib/systemd/system/|lib/udev/rules\.d/|usr/(sbin|bin)/kvmagent|"
        r"usr/lib/(modules-load|sysusers|tmpfiles)\.d/kvmagent\.conf|"
        r"usr/share/(doc/kvmagent|man/man[158]|lintian/overrides|bash-completion)/)", name)]
    assert stray == []
    assert files["etc/kvmagent.cfg"] == "-rw-r-----"
    assert not any("s" in mode for mode in files.values()), "nothing runs with its owner's rights"


def test_unit_leaves_little_open(unpacked):
    """systemd's own measure of 0 to 10; threshold in tenths."""
    run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
        unpacked / "lib" / "systemd" / "system" / "kvmagent.service")
