# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian package on a machine with systemd: installed, edited, upgraded, removed, purged."""
import json
import re
import shutil
import stat
import subprocess
from pathlib import Path

import lib
import pytest
import target
import vivid
from tests.peer.controller import Controller

CONFIG = Path("/etc/kvmagent.cfg")
STATE = Path("/var/lib/kvmagent")
PORT = 21118
# What a user changes in the packaged configuration: a commented default and what takes its place.
EDITS = {
    "//fps = 30;": "fps = 5;",
    '//password = "";': f'password = "{lib.PASSWORD}";',
    "direct = {\n\t\t//enabled = false;": "direct = {\n\t\tenabled = true;",
    "//lan_discovery = true;": "lan_discovery = false;",
}


def edit():
    text = CONFIG.read_text()
    for old, new in EDITS.items():
        assert text.count(old) == 1, f"one commented default {old}"
        text = text.replace(old, new)
    CONFIG.write_text(text)


def edited():
    text = CONFIG.read_text()
    return all(new in text and f"//{new}" not in text for new in EDITS.values())


def dpkg(*arguments):
    return lib.run("dpkg", *arguments)


def status():
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", "kvmagent"], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else "unknown"


def unit(key):
    return lib.run("systemctl", "show", "--value", "--property", key, "kvmagent.service").strip()


def journal():
    return lib.run("journalctl", "--no-pager", "-o", "cat", "-u", "kvmagent.service")


def leftovers():
    """Files with the package's name where it could put any."""
    folders = ("/etc", "/etc/systemd/system", "/var/lib", "/var/lib/dpkg/info", "/var/lib/systemd", "/usr/sbin",
               "/var/lib/systemd/deb-systemd-helper-enabled", "/usr/lib/modules-load.d", "/lib/systemd/system",
               "/usr/share/doc", "/usr/share/lintian/overrides", "/usr/share/man/man8", "/usr/share/man/man5",
               "/usr/bin", "/usr/share/man/man1", "/usr/lib/sysusers.d", "/run")
    return sorted(str(path) for folder in folders for path in Path(folder).glob("*kvmagent*"))


@pytest.fixture(scope="module")
def deb():
    found = list((lib.ROOT / "build" / "deb").glob("kvmagent_*.deb"))
    assert len(found) == 1, "one package in build/deb"
    return found[0]


def forget_other_packages_files(folder):
    """dpkg reads the file list of every installed package, a thousand of them, through the emulated 9p: half a minute
    each time. Here it works on a copy in memory in which those lists are empty; dependencies are in another file."""
    base = Path("/var/lib/dpkg")
    copy = folder / "dpkg"
    shutil.copytree(base, copy, ignore=shutil.ignore_patterns("info"))
    (copy / "info").mkdir()
    for path in base.glob("info/*.list"):
        (copy / "info" / path.name).touch()
    shutil.copy(base / "info" / "format", copy / "info")
    lib.run("mount", "--bind", str(copy), str(base))


@pytest.fixture(scope="module")
def installed(deb, usb, sources, tmp_path_factory):
    """The package, installed as a user would, while a picture and a USB host are there."""
    forget_other_packages_files(tmp_path_factory.mktemp("dpkg"))
    sources[0].plug()
    before = leftovers()
    dpkg("-i", str(deb))
    yield deb
    (lib.OUT / "unit.log").write_text(journal())
    if status() != "unknown":
        dpkg("--purge", "kvmagent")
    assert leftovers() == before


def test_install_protects_the_configuration(installed):
    assert f"{CONFIG} " in lib.run("dpkg-query", "-W", "-f", "${Conffiles}", "kvmagent")
    info = CONFIG.stat()
    assert (stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid) == (0o640, 0, 0)


def test_install_starts_the_unit(installed):
    assert lib.run("systemd-analyze", "verify", "--man=no", "kvmagent.service") == ""
    assert unit("ActiveState") == "active", journal()
    assert unit("UnitFileState") == "enabled"
    lib.run("/usr/sbin/kvmagent", "--config", str(CONFIG), "--check-config")
    assert stat.S_IMODE(STATE.stat().st_mode) == 0o700
    lib.eventually(lambda: "kvmagent" in target.gadgets(), "a gadget made inside the unit's sandbox")


def test_operators_reach_the_unit_and_nobody_else_does(installed):
    socket = Path("/run/kvmagent/control")
    lib.eventually(socket.exists, "the control socket")
    for path, mode in ((socket.parent, 0o750), (socket, 0o660)):
        info = path.stat()
        assert (stat.S_IMODE(info.st_mode), path.owner(), path.group()) == (mode, "root", "kvmagent"), path
    assert "usb " in lib.run("kvmagentctl", "status")
    # As installed: safe, and it says what is to be done.
    assert "\nNobody can connect: set 'server'" in lib.run("kvmagentctl", "status")
    assert "agent: no-way-in" in journal()
    listening = [line for line in lib.run("ss", "-Htulnp").splitlines() if "kvmagent" in line]
    assert len(listening) == 1 and listening[0].startswith("udp") and ":21119 " in listening[0]
    known = json.loads(lib.run("kvmagentctl", "--json", "status"))
    assert known["id"] == json.loads(lib.run("kvmagentctl", "--json", "id"))["id"]
    otp = Path("/run/kvmagent/one-time-password").read_text()
    member = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--groups", "kvmagent"]
    assert lib.run(*member, "kvmagentctl", "password") == otp
    stranger = subprocess.run([*member[:-2], "--clear-groups", "kvmagentctl", "password"], capture_output=True,
                              text=True)
    assert stranger.returncode == 3 and stranger.stdout == "" and "members of the group" in stranger.stderr


def test_unit_gives_picture_and_keys(installed):
    edit()
    lib.run("systemctl", "restart", "kvmagent.service")
    with target.Target() as host, Controller.direct("127.0.0.1", PORT, timeout=lib.PATIENCE_S) as peer:
        peer.login(lib.PASSWORD, timeout=lib.PATIENCE_S)
        lib.picture_where(peer, lambda p: vivid.shows_bars(p.rgb), "vivid's picture through the unit's device rules")
        peer.tap("k")
        assert host.events(2) == [("keyboard", "KEY_K", 1), ("keyboard", "KEY_K", 0)]


def test_killed_unit_lets_go_of_the_target(installed):
    drop_in = Path("/run/systemd/system/kvmagent.service.d/once.conf")
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nRestart=no\n")
    lib.run("systemctl", "daemon-reload")
    with target.Target() as host, Controller.direct("127.0.0.1", PORT, timeout=lib.PATIENCE_S) as peer:
        peer.login(lib.PASSWORD, timeout=lib.PATIENCE_S)
        peer.send_key("a")
        lib.eventually(lambda: host.keys_held() == ["KEY_A"], "a held key")
        lib.run("systemctl", "kill", "--signal=KILL", "kvmagent")
        lib.eventually(lambda: not target.nodes(), "the keyboard unplugged by the unit's stop step")
    assert target.gadgets() == []
    drop_in.unlink()
    lib.run("systemctl", "daemon-reload")
    lib.run("systemctl", "reset-failed", "kvmagent")
    lib.run("systemctl", "start", "kvmagent")


def test_upgrade_keeps_edits_and_state(installed, tmp_path):
    identity = snapshot(STATE)
    main = unit("MainPID")
    upgrade = tmp_path / "new"
    lib.run("dpkg-deb", "-R", str(installed), str(upgrade))
    control = upgrade / "DEBIAN" / "control"
    control.write_text(re.sub(r"^Version: (.*)$", r"Version: \1+1", control.read_text(), flags=re.MULTILINE))
    lib.run("dpkg-deb", "-b", str(upgrade), str(tmp_path / "new.deb"))
    dpkg("-i", str(tmp_path / "new.deb"))
    assert edited()
    assert stat.S_IMODE(CONFIG.stat().st_mode) == 0o640
    assert snapshot(STATE) == identity
    assert unit("ActiveState") == "active" and unit("MainPID") != main


def test_remove_keeps_edits_and_state(installed):
    identity = snapshot(STATE)
    dpkg("--remove", "kvmagent")
    assert target.gadgets() == []
    assert not Path("/usr/sbin/kvmagent").exists()
    assert edited() and snapshot(STATE) == identity
    dpkg("-i", str(installed))
    assert edited() and snapshot(STATE) == identity
    assert unit("ActiveState") == "active"


def test_purge_leaves_nothing(installed):
    dpkg("--purge", "kvmagent")
    assert status() == "unknown"
    assert not CONFIG.exists() and not STATE.exists()
    assert target.gadgets() == []
    for name in ("passwd", "group"):
        assert "kvmagent" not in Path("/etc", name).read_text()


def test_purge_leaves_a_group_that_was_there_before(installed):
    lib.run("groupadd", "--system", "kvmagent")
    dpkg("-i", str(installed))
    dpkg("--purge", "kvmagent")
    assert "kvmagent:" in Path("/etc/group").read_text()
    assert not STATE.exists()
    lib.run("groupdel", "kvmagent")


def snapshot(folder):
    """Names and contents of the files that make the device what it is."""
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
