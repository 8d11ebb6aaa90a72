# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller on a slow link next to one on the LAN: how old its picture is, and what the other one notices."""

import json
import os
import pathlib
import statistics
import threading
import time

import pytest

from conftest import PASSWORD
from peer import card, slowlink
from peer.controller import Controller, PeerTimeout

pytestmark = pytest.mark.skipif(not slowlink.available(), reason="needs root and /dev/net/tun")

CURVES = os.environ.get("KVMAGENT_QOS_CURVES")  # a file for what was measured, one line of JSON a test


class Watcher(threading.Thread):
    """Watches until stopped; `seen` is [(when, frame number)]."""

    def __init__(self, netns, host, agent):
        super().__init__()
        self.client = slowlink.inside(netns, lambda: Controller.direct(host, agent.port))
        self.client.login(PASSWORD)
        self.client.set_custom_quality(500)  # about 6 Mbit/s
        self.seen, self.keys, self.bytes, self.unread = [], 0, [], 0
        self.error = None
        self.done = threading.Event()

    def run(self):
        try:
            while not self.done.is_set():
                try:
                    self.client.pump(0.1)
                except PeerTimeout:
                    continue
                for picture in self.client.pictures:
                    number = card.read_number(picture.y)
                    self.keys += picture.key
                    self.bytes.append((picture.arrival, picture.size))
                    self.unread += number is None
                    if number is not None:
                        self.seen.append((picture.arrival, number))
                self.client.pictures.clear()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def stop(self):
        self.done.set()
        self.join()
        self.client.conn.sock.close()
        assert self.error is None, self.error

    def fps(self, start, end):
        return sum(start <= at < end for at, _ in self.seen) / (end - start)

    def kbps(self, start, end):
        return sum(size for at, size in self.bytes if start <= at < end) * 8 / 1000 / (end - start)


def ages(watcher, reference, start, end, step=0.02):
    """How old the picture on the screen is, each 20 ms: since the other one, on the LAN, had seen it or a later one."""
    result = []
    at = ref = 0
    number = watcher.seen[0][1]
    now = start
    while now < end:
        while at < len(watcher.seen) and watcher.seen[at][0] <= now:
            number = watcher.seen[at][1]
            at += 1
        ref = 0 if reference.seen[ref][1] > number else ref
        while ref < len(reference.seen) - 1 and reference.seen[ref][1] < number:
            ref += 1
        result.append((now - start, now - reference.seen[ref][0]))
        now += step
    return result


def quantile(values, q):
    return sorted(values)[int(len(values) * q)]


def report(name, **values):
    text = json.dumps({"name": name, **values})
    print(text[:300])
    if CURVES:
        with pathlib.Path(CURVES).open("a", encoding="ascii") as file:
            file.write(text + "\n")


@pytest.fixture(name="link")
def fixture_link():
    names = f"ka-near-{os.getpid()}", f"ka-far-{os.getpid()}"
    with slowlink.SlowLink(*names) as link:
        yield link


def start(start_agent, link, **video):
    """An agent with a picture that needs more than the link carries, seen from the LAN and from afar."""
    return start_agent(
        video={"width": 640, "height": 360, "fps": 30, "card_noise": 40, **video}, netns=link.names[0],
        rustdesk={"direct": {"enabled": True, "address": "", "port": 0}})


def lan(link, agent):
    return Watcher(link.names[0], "127.0.0.1", agent)


def far(link, agent):
    return Watcher(link.names[1], slowlink.NEAR, agent)


@pytest.mark.parametrize("name, kbps, delay_ms, loss, queue_bytes, median, p95", [
    ("2 Mbit/s, 40 ms, deep queue", 2000, 20, 0, 1 << 18, 0.5, 0.8),
    ("2 Mbit/s, 40 ms, 1 % loss", 2000, 20, 0.01, 1 << 16, 0.5, 1.0),
])
def test_slow_controller_sees_young_pictures_and_the_other_notices_nothing(
        start_agent, link, name, kbps, delay_ms, loss, queue_bytes, median, p95):
    agent = start(start_agent, link)
    link.set(kbps=kbps, delay_ms=delay_ms, loss=loss, queue_bytes=queue_bytes)
    near = lan(link, agent)
    near.start()
    time.sleep(5)
    alone = time.monotonic()
    slow = far(link, agent)
    slow.start()
    time.sleep(20)
    end = time.monotonic()
    near.stop()
    slow.stop()
    curve = ages(slow, near, alone + 5, end - 1)
    age = [a for _, a in curve]
    report(name, kbps=kbps, delay_ms=delay_ms, loss=loss, curve=ages(slow, near, alone + 0.5, end - 1),
           median=statistics.median(age), p95=quantile(age, 0.95), worst=max(age), keys=slow.keys, unread=slow.unread,
           near_alone_kbps=near.kbps(alone - 4, alone), near_kbps=near.kbps(alone + 5, end),
           near_alone_fps=near.fps(alone - 4, alone), near_fps=near.fps(alone + 5, end), near_keys=near.keys,
           slow_kbps=slow.kbps(alone + 5, end), slow_fps=slow.fps(alone + 5, end))
    assert statistics.median(age) < median
    assert quantile(age, 0.95) < p95
    assert near.fps(alone + 5, end) > 0.8 * near.fps(alone - 4, alone)
    assert near.kbps(alone + 5, end) > 0.8 * near.kbps(alone - 4, alone)


def test_link_that_breaks_down_and_recovers(start_agent, link):
    """20 Mbit/s, 1 Mbit/s for ten seconds, 20 Mbit/s: the rate follows both ways."""
    agent = start(start_agent, link)
    link.set(kbps=20000, delay_ms=10, queue_bytes=1 << 18)
    near, slow = lan(link, agent), far(link, agent)
    near.start()
    slow.start()
    time.sleep(6)
    down = time.monotonic()
    link.set(kbps=1000)
    time.sleep(10)
    up = time.monotonic()
    link.set(kbps=20000)
    time.sleep(24)
    end = time.monotonic()
    near.stop()
    slow.stop()
    curve = ages(slow, near, down - 4, end - 1)
    age = [a for t, a in curve if down - (down - 4) + 3 < t < up - (down - 4)]
    report("20, 1, 20 Mbit/s", curve=curve, median=statistics.median(age), worst=max(a for _, a in curve),
           before=slow.kbps(down - 4, down), during=slow.kbps(down + 3, up), after=slow.kbps(end - 4, end),
           keys=slow.keys, near_fps=near.fps(down, up), rates=[slow.kbps(t, t + 1) for t in
                                                               (down - 4 + i for i in range(int(end - down) + 4))])
    assert statistics.median(age) < 0.5
    assert slow.kbps(down + 3, up) < 1100
    assert slow.kbps(end - 4, end) > 0.6 * slow.kbps(down - 4, down)
