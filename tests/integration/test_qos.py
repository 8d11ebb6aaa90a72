# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller on a slow link next to one on the LAN, at this machine's speed: see peer/qos.py.
tests/vm/guest/test_qos.py is the same with a real kernel's tc."""

import os
import time

import pytest

from peer import qos, slowlink
from peer.agent import PASSWORD
from peer.controller import Controller

pytestmark = pytest.mark.skipif(not slowlink.available(), reason="needs root and /dev/net/tun")


@pytest.fixture(name="link")
def fixture_link():
    with slowlink.SlowLink(f"ka-near-{os.getpid()}", f"ka-far-{os.getpid()}") as link:
        yield link


# The guest runs all of them each time.
HERE = qos.SCENARIOS if os.environ.get("KVMAGENT_SOAK") else qos.SCENARIOS[:1]


@pytest.mark.parametrize("scenario", HERE, ids=lambda s: s.name)
def test_slow_controller_sees_young_pictures_and_the_other_notices_nothing(start_agent, link, scenario):
    agent = start_agent(video={"width": 640, "height": 360, "fps": 30, "card_noise": 40}, netns=link.names[0],
                        rustdesk={"direct": {"enabled": True, "address": "", "port": 0}})
    if not qos.check(lambda: qos.measure(scenario, agent, link, PASSWORD)):
        pytest.skip("this machine is too busy with other things")


class Photographer(qos.Watcher):
    """Watches, and asks for one screenshot."""

    def __init__(self, place, port):
        super().__init__(place, port, PASSWORD, 500, False)
        self.file = None  # (when, ScreenshotResponse)

    def _note(self):
        for entry in self.client.log:
            if entry.kind == "screenshot_response":
                self.file = entry.time, entry.msg
        super()._note()


def measure_screenshot(agent, link):
    """How long the file took, and what it did to both: {figure: number}."""
    near, slow = Photographer(link.lan, agent.port), Photographer(link.far, agent.port)
    near.start()
    slow.start()
    time.sleep(12)
    asked = time.monotonic()
    slow.client.screenshot(0, "far")
    while not slow.file and time.monotonic() < asked + 60 and not slow.error:
        time.sleep(0.05)
    time.sleep(12)
    near.stop()
    slow.stop()
    came, response = slow.file
    assert response.msg == "" and len(response.data) > 150000
    end = came + 10
    return {"bytes": len(response.data), "took": came - asked,
            "pause": next(s.at for s in slow.shown if s.at > came) - came,
            "near": near.fps(asked, end) / near.fps(asked - 5, asked),
            "rate": slow.kbps(end - 6, end) / slow.kbps(asked - 6, asked)}


def test_screenshot_over_a_slow_link_leaves_the_stream_as_it_was(start_agent, link):
    """A file that takes more than a second: nobody else notices, and afterwards pictures come as before."""
    agent = start_agent(video={"width": 1280, "height": 720, "fps": 15, "card_noise": 100}, netns=link.names[0],
                        rustdesk={"direct": {"enabled": True, "address": "", "port": 0}})
    link.set(kbps=2000, delay_ms=10, queue_bytes=1 << 16)
    seen = measure_screenshot(agent, link)
    print(seen)
    assert seen["took"] < 20 and seen["pause"] < 5, seen
    assert seen["near"] > 0.8 and seen["rate"] > 0.6, seen


def measure_displays(agent, link):
    """Both displays over the slow link: {figure: number}, each display's under its number."""
    namespace, host = link.far
    with slowlink.inside(namespace, lambda: Controller.direct(host, agent.port, record_video=True)) as client:
        client.decode = False
        client.login(PASSWORD, option={"custom_image_quality": 500 << 8})
        client.capture_displays(set=[0, 1])
        client.run(20)
        rows = [(e.msg.display, e.time, e.time - f.pts / 1000, len(f.data)) for e in client.log
                if e.kind == "video_frame" for f in e.msg.h264s.frames]
    end = max(at for _, at, _, _ in rows)
    late = [row for row in rows if row[1] > end - 12]
    seen = {"kbps": sum(size for *_, size in late) * 8 / 12000}
    for display in (0, 1):
        ages = sorted(age - min(a for d, _, a, _ in rows if d == display) for d, _, age, _ in late if d == display)
        times = [at for d, at, *_ in late if d == display]
        seen[display] = {"pictures": len(ages), "age": ages[len(ages) * 95 // 100],
                         "gap": max(b - a for a, b in zip(times, times[1:]))}
    return seen


def test_two_displays_share_a_slow_link(start_agent, link):
    """Pictures of both are young, none starves, and together they take what the link carries."""
    displays = [{}, {"width": 480, "height": 270}]
    agent = start_agent(video={"width": 640, "height": 360, "fps": 15, "card_noise": 100, "displays": displays},
                        netns=link.names[0], rustdesk={"direct": {"enabled": True, "address": "", "port": 0}})
    link.set(kbps=2000, delay_ms=20, queue_bytes=1 << 16)
    seen = measure_displays(agent, link)
    print(seen)
    assert 700 < seen["kbps"] < 2100, seen
    for display in (0, 1):
        assert seen[display]["pictures"] > 40 and seen[display]["age"] < 1 and seen[display]["gap"] < 2, seen
    assert 0.5 < seen[0]["pictures"] / seen[1]["pictures"] < 2, seen
