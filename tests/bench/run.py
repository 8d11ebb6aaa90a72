#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements on this machine: ./dev bench. Ratios compare two things in one run; plain figures depend on the
machine."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("KVMAGENT", str(ROOT / "build/release/agent/kvmagent"))

from peer import agent as process  # noqa: E402
from peer.controller import Controller  # noqa: E402

REPEATS = 9


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connect(agent, **kw):
    client = Controller.direct("127.0.0.1", agent.port, **kw)
    client.wait_hash()
    return client


def first_picture(agent):
    """Milliseconds from the LoginRequest leaving to the first picture's arrival, nobody else watching."""
    times = []
    for _ in range(REPEATS):
        with connect(agent) as client:
            client.decode = False
            start = time.monotonic()
            client.send_login(process.PASSWORD)
            client.wait_login()
            client.wait_for("video_frame", 5)
            times.append((time.monotonic() - start) * 1000)
            client.close()
        agent.wait_log("capture: idle", 5, count=len(times))
    return statistics.median(times)


def whole_path(agent, seconds=6):
    """CPU milliseconds of the agent per picture delivered to one viewer, and its resident memory in MiB."""
    with connect(agent) as client:
        client.decode = False
        client.login(process.PASSWORD)
        client.run(1)
        before, count = cpu_seconds(agent.pid), len(client.received("video_frame"))
        client.run(seconds)
        pictures = len(client.received("video_frame")) - count
        return (cpu_seconds(agent.pid) - before) * 1000 / pictures, pictures / seconds, agent.rss_kib() / 1024


def main():
    for program in sorted((ROOT / "build/release").glob("*/bench_*")):
        if os.access(program, os.X_OK) and program.is_file():
            print(f"== {program.name}", flush=True)
            subprocess.run([program], check=True)
    print("== the agent, test card, one viewer on loopback", flush=True)
    for size in ((1280, 720), (1920, 1080)):
        with tempfile.TemporaryDirectory() as folder:
            agent = process.Agent(pathlib.Path(folder), video={"width": size[0], "height": size[1], "fps": 30})
            idle = agent.rss_kib() / 1024
            first = first_picture(agent)
            cpu, rate, busy = whole_path(agent)
            agent.stop()
        print(f"{size[0]}x{size[1]}: login to first picture {first:.1f} ms (median of {REPEATS}); "
              f"{cpu:.2f} ms CPU a picture at {rate:.1f} pictures/s; "
              f"resident {idle:.1f} MiB idle, {busy:.1f} MiB streaming", flush=True)


if __name__ == "__main__":
    main()
