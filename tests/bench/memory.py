# SPDX-License-Identifier: GPL-3.0-or-later
"""Resident memory of the agent at 1080p30 with one viewer, and what becomes of it."""

import pathlib
import re
import time

import cost
from rig import BackgroundPlayer, House

BUFFERS = 5  # one less than capture/v4l2_buf.c asks for; real drivers give about that


def smaps(pid):
    """MiB resident: all, and the device's buffers, which are not the agent's on most drivers."""
    text = pathlib.Path(f"/proc/{pid}/smaps").read_text()
    total = device = 0
    mine = False
    for line in text.splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            mine = line.endswith(".frames")
        elif line.startswith("Rss:"):
            kib = int(line.split()[1])
            total += kib
            device += kib * mine
    return total / 1024, device / 1024


def watch(bench):
    """[(seconds, MiB)] while a desktop moves, and how many of these are the device's buffers."""
    frames = bench.frames("moving-5", lambda w, h: cost.moving_scenes(w, h)[:BUFFERS])
    rows = []
    with House(bench.folder("memory"), frames) as house, BackgroundPlayer(house.device):
        start = time.monotonic()
        length = 60 if bench.quick else 630
        while (now := time.monotonic() - start) < length:
            total, device = smaps(house.agent.pid)
            rows.append((round(now, 1), total))
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                house.viewers[0].poll(deadline - time.monotonic())
    return rows, device
