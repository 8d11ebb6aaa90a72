# SPDX-License-Identifier: GPL-3.0-or-later
"""What the device would tell a target about itself, judged by edid-decode."""
import os
import re
import subprocess
from pathlib import Path

import pytest

COMPOSE = Path(os.environ["KVMAGENT"]).parents[1] / "capture" / "edid_compose"
LISTS = [
    ["1920x1080@60", "1280x720@60", "1280x1024", "1024x768", "800x600", "1920x1200", "2560x1440", "3840x2160@30",
     "1920x1080@50", "1366x768"],
    ["3840x2160@60", "1920x1080@60"],
    ["1280x720@24"],
    ["640x480"],
    ["1024x600", "2048x1152", "1680x1050", "1600x900"],
]


@pytest.mark.parametrize("modes", LISTS, ids=lambda modes: modes[0])
@pytest.mark.parametrize("sound", ["audio", "silent"])
def test_composed_edid_conforms_and_lists_the_modes(modes, sound, tmp_path):
    path = tmp_path / "edid"
    path.write_bytes(subprocess.run([COMPOSE, "kvm in rack 3", sound, *modes], check=True, capture_output=True).stdout)
    said = subprocess.run(["edid-decode", "--check", path], capture_output=True, text=True).stdout
    assert "EDID conformity: PASS" in said and "Warnings" not in said, said
    listed = {(int(w), int(h), round(float(hz)))
              for w, h, hz in re.findall(r"(?:DMT \w+|VIC +\d+|DTD \d+): +(\d+)x(\d+) +([\d.]+) Hz", said)}
    for mode in modes:
        size, _, rate = mode.partition("@")
        assert (*map(int, size.split("x")), int(rate or 60)) in listed
    first = re.search(r"DTD 1: +(\d+)x(\d+)", said)
    assert f"{first[1]}x{first[2]}" == modes[0].partition("@")[0]
    assert "'kvm in rack 3'" in said
    assert ("Basic audio support" in said) == (sound == "audio")
