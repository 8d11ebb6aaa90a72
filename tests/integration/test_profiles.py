# SPDX-License-Identifier: GPL-3.0-or-later
"""The configurations for boards are accepted as they stand, and docs/HARDWARE.md names each of them."""
import subprocess

import pytest

from peer.agent import PROGRAM, ROOT

PROFILES = sorted((ROOT / "etc" / "profiles").glob("*.cfg"))


def test_every_profile_is_explained():
    assert len(PROFILES) >= 6
    text = (ROOT / "docs" / "HARDWARE.md").read_text()
    assert [path.name for path in PROFILES if f"`{path.name}`" not in text] == []


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_profile_is_good(path):
    done = subprocess.run([PROGRAM, "--config", path, "--check-config"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{path}: good\n"), done.stderr


def test_check_refuses_a_profile_with_a_key_that_does_not_exist(tmp_path):
    bad = tmp_path / "bad.cfg"
    bad.write_text(PROFILES[0].read_text().replace("device =", "devcie ="))
    done = subprocess.run([PROGRAM, "--config", bad, "--check-config"], capture_output=True, text=True)
    assert done.returncode == 1 and "devcie" in done.stderr
