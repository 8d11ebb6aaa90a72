# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU time of the agent against what else could be done with the same pictures. All that is compared gets each picture
in turn, so that whatever else the machine does hits all alike; a repeat is one round over all pictures."""

import statistics
import time

import scenes
from rig import Bare, Ffmpeg, House

MS = 1e6
TRIES = 4
PAUSE = 0.005  # before each turn, so that nobody begins in warmer caches than after a camera's interval


def moving_scenes(width, height):
    return [scenes.desktop(width, height, n) for n in range(16)]


def still_scenes(width, height):
    return [scenes.desktop(width, height)] * 8


def partly_scenes(width, height, percent):
    return [scenes.partly(width, height, n, percent) for n in range(16)]


def rounds(bench, houses, count, measure):
    """What `measure` yields, of the rounds in which each picture that was shown was sent once: where the machine is so
    busy that a pause becomes long, the agent sends the same picture again, in better quality."""
    rows = []
    for _ in range(TRIES * bench.repeats):
        before = [house.viewers[0].frames for house in houses]
        row = measure()
        for house in houses:
            house.drain()
        if all(house.viewers[0].frames == n + count for house, n in zip(houses, before)):
            rows.append(row)
        if len(rows) == bench.repeats:
            return rows
    if not rows:
        raise RuntimeError("the machine is too busy to measure anything")
    print(f"      only {len(rows)} of {TRIES * bench.repeats} rounds were without long pauses", flush=True)
    return rows


def whole_path(bench):
    """The agent with one viewer, bare x264 and ffmpeg, on a moving desktop. Milliseconds a picture."""
    frames = bench.frames("moving", moving_scenes)
    with House(bench.folder("whole"), frames) as house:
        house.settle()
        kbps = house.kbps()
        with Bare(frames, kbps) as bare, Ffmpeg(frames, kbps) as ffmpeg:
            def measure():
                agent_ns, ffmpeg_ns, bare_us = house.agent.cpu_ns(), ffmpeg.cpu_ns(), 0
                for n in range(frames.count):
                    house.step(n)
                    time.sleep(PAUSE)
                    bare_us += bare.encode(n)[0]
                    time.sleep(PAUSE)
                    ffmpeg.step(n)
                return {"agent": (house.agent.cpu_ns() - agent_ns) / MS / frames.count,
                        "bare": bare_us / 1e3 / frames.count,
                        "ffmpeg": (ffmpeg.cpu_ns() - ffmpeg_ns) / MS / frames.count}

            measure()
            return rounds(bench, [house], frames.count, measure), kbps


def still(bench):
    """The same picture again and again: CPU a picture of the source, bytes each second."""
    frames = bench.frames("still", still_scenes)
    rows = []
    with House(bench.folder("still"), frames) as house:
        house.settle(6)
        viewer = house.viewers[0]
        with Ffmpeg(frames, house.kbps()) as ffmpeg:
            for n in range(30):
                ffmpeg.step(n)
            for _ in range(bench.repeats):
                house.drain()
                agent_ns, ffmpeg_ns, received = house.agent.cpu_ns(), ffmpeg.cpu_ns(), viewer.bytes
                for n in range(60):
                    house.device.show(n)
                    time.sleep(PAUSE)
                    ffmpeg.step(n)
                house.drain()
                rows.append({"agent": (house.agent.cpu_ns() - agent_ns) / MS / 60,
                             "ffmpeg": (ffmpeg.cpu_ns() - ffmpeg_ns) / MS / 60,
                             "bytes_s": (viewer.bytes - received) / 2})
    return rows


def area(bench, percent):
    """The agent against converting every picture whole and plain x264, when `percent` of the picture changes."""
    frames = bench.frames(f"area-{percent}", partly_scenes, percent)
    with House(bench.folder(f"area-{percent}"), frames) as house:
        house.settle()
        with Bare(frames, house.kbps()) as bare:
            def measure():
                agent_ns, plain_us = house.agent.cpu_ns(), 0
                for n in range(frames.count):
                    house.step(n)
                    time.sleep(PAUSE)
                    plain_us += sum(bare.convert_and_encode(n)[:2])
                return {"agent": (house.agent.cpu_ns() - agent_ns) / MS / frames.count,
                        "plain": plain_us / 1e3 / frames.count}

            measure()
            return rounds(bench, [house], frames.count, measure)


def viewers(bench, count):
    """An agent with `count` viewers against one with a single viewer, in turn."""
    frames = bench.frames("moving", moving_scenes)
    with House(bench.folder(f"viewers-{count}-one"), frames) as one, \
            House(bench.folder(f"viewers-{count}"), frames, viewers=count) as many:
        def measure():
            one_ns, many_ns = one.agent.cpu_ns(), many.agent.cpu_ns()
            for n in range(frames.count):
                one.step(n)
                time.sleep(PAUSE)
                many.step(n)
            return {"one": (one.agent.cpu_ns() - one_ns) / MS / frames.count,
                    "many": (many.agent.cpu_ns() - many_ns) / MS / frames.count}

        for house in (one, many):
            house.settle()
        measure()
        return rounds(bench, [one, many], frames.count, measure)


def median(rows, name):
    return statistics.median(row[name] for row in rows)


def ratio(rows, over, under):
    """The median of each repeat's ratio."""
    return statistics.median(row[over] / row[under] for row in rows)
