# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a controller waits: for its first picture, and for each picture beyond its encoding."""

import statistics
import time

from peer.agent import PASSWORD
from peer.controller import Controller

import cost
from rig import BASE_KBPS, FPS, BackgroundPlayer, Bare, House

INTERVAL_MS = 1000 / FPS


def percentile(values, percent):
    """Nearest rank."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


def log_in(agent):
    """Milliseconds from the LoginRequest leaving to the first picture's arrival, and whether that one is decodable."""
    with Controller.via_id_box(agent.box, record_video=True) as client:
        client.decode = False
        client.wait_hash()
        start = time.monotonic()
        client.send_login(PASSWORD, codecs=("h264s",))
        entry = client.wait_for("video_frame", 20, since=0)
        if not entry.msg.h264s.frames[0].key:
            raise RuntimeError("the first picture is no key picture")
        return (entry.time - start) * 1000


def first_pictures(bench, busy):
    """Milliseconds of each login, less the median time of encoding such a key picture; and that median. busy: somebody
    watches already, so the device and an encoder run."""
    frames = bench.frames("moving", cost.moving_scenes)
    took, key_ms = [], []
    with House(bench.folder(f"login-{busy}"), frames, viewers=int(busy)) as house, \
            BackgroundPlayer(house.device), Bare(frames, BASE_KBPS * 67 // 100) as bare:
        for n in range(10 if bench.quick else 40):
            took.append(log_in(house.agent))
            key_ms.append(bare.key(n % frames.count)[1] / 1000)
            if not busy:
                house.agent.wait_log("capture: idle", count=n + 1)
            house.drain()
    encode = statistics.median(key_ms)
    return [ms - encode for ms in took], encode


def stages(bench):
    """What kvmagentctl says of its pictures' delays, after a while of a moving desktop at full rate."""
    frames = bench.frames("moving", cost.moving_scenes)
    with House(bench.folder("stages"), frames) as house, BackgroundPlayer(house.device):
        viewer = house.viewers[0]
        first = viewer.frames
        seconds = 20 if bench.quick else 60
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            viewer.poll(end - time.monotonic())
        rate = (viewer.frames - first) / seconds
        return house.agent.status()["picture"]["stages"], rate
