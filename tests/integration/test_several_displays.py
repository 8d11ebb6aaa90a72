# SPDX-License-Identifier: GPL-3.0-or-later
"""Several displays on the real agent: test cards of different sizes, and one whose device is missing."""

import time

import pytest

from peer import card
from peer.agent import CARD, PASSWORD
from peer.controller import Controller
from peer.hands import position

# Left to right; the second is what `video` says.
CARDS = [{"name": "left", "width": 800, "height": 600}, {}, {"name": "right", "width": 1024, "height": 480, "fps": 15}]
SIZES = [(800, 600), (640, 360), (1024, 480)]
LEFTS = [0, 800, 1440]
WIDTH, HEIGHT = 2464, 600
MISSING = {"source": "v4l2", "device": "/dev/video-of-nobody"}


def connect(agent, **kw):
    return Controller.direct("127.0.0.1", agent.port, **kw)


@pytest.fixture(name="three")
def fixture_three(start_agent):
    return start_agent(video={**CARD, "displays": CARDS}, hid={"hold_ms": 0})


def states(agent):
    return [d["state"] for d in agent.status()["displays"]]


def wait_states(agent, wanted, timeout=20):
    deadline = time.monotonic() + timeout
    while states(agent) != wanted:
        assert time.monotonic() < deadline, states(agent)
        time.sleep(0.05)


def collect(client, displays, n, timeout=30):
    """Until there are n pictures of each of these; all by display."""
    got = {d: [] for d in displays}
    deadline = time.monotonic() + timeout
    while any(len(p) < n for p in got.values()):
        picture = client.frame(deadline - time.monotonic())
        if picture.display in got:
            got[picture.display].append(picture)
    return got


def drop_what_is_on_its_way(client):
    client.message_query(0)
    client.wait_for("misc.switch_display", 10)
    client.pictures.clear()


def rises(pictures):
    numbers = [card.read_number(p.y) for p in pictures]
    assert None not in numbers
    return all(b >= a for a, b in zip(numbers, numbers[1:])) and len(set(numbers)) > len(numbers) // 2


def test_all_displays_are_listed_and_the_first_is_shown(three):
    with connect(three) as client:
        info = client.login(PASSWORD)
        assert [d.name for d in info.displays] == ["left", "HDMI-2", "right"]
        assert [(d.width, d.height) for d in info.displays] == SIZES
        assert [(d.x, d.y) for d in info.displays] == [(x, 0) for x in LEFTS]
        assert info.current_display == 0 and all(d.online for d in info.displays)
        assert {p.display for p in client.frames(20, timeout=20)} == {0}
        wait_states(three, ["live", "idle", "idle"])
    # What nobody watches is not captured, let alone encoded.
    assert "w=800 h=600" in three.log and "w=1024" not in three.log


def test_all_displays_at_once(three):
    with connect(three) as client:
        client.login(PASSWORD)
        client.capture_displays(set=[0, 1, 2])
        for i in range(3):
            client.refresh_video_display(i)
        got = collect(client, range(3), 20)
        for i, pictures in got.items():
            assert pictures[0].key
            assert {(p.y.shape[1], p.y.shape[0]) for p in pictures} == {SIZES[i]}
            assert rises(pictures)
        wait_states(three, ["live"] * 3)
        client.capture_displays(set=[1])
        wait_states(three, ["idle", "live", "idle"])
        drop_what_is_on_its_way(client)
        assert {p.display for p in client.frames(10, timeout=20)} == {1}
        assert three.threads() < 40


def test_switching_as_the_desktop_client_does(three):
    with connect(three) as client:
        client.login(PASSWORD)
        client.frame()
        for display in (2, 1, 0, 2):
            client.switch_display(display)
            client.capture_displays(set=[display])
            client.refresh_video_display(display)
            told = client.wait_for("misc.switch_display", 10).msg
            assert (told.display, told.x, told.width, told.height) == (display, LEFTS[display], *SIZES[display])
            assert client.frame_where(lambda p, d=display: p.display == d, 20).key
        wait_states(three, ["idle", "idle", "live"])


def test_two_controllers_watch_different_displays(three):
    with connect(three) as one, connect(three) as two:
        one.login(PASSWORD)
        two.login(PASSWORD)
        two.capture_displays(set=[2])
        assert two.frame_where(lambda p: p.display == 2, 20).key
        wait_states(three, ["live", "idle", "live"])
        drop_what_is_on_its_way(one)
        assert {p.display for p in one.frames(10, timeout=20)} == {0}
        two.close()
        wait_states(three, ["live", "idle", "idle"])


@pytest.mark.parametrize("display, x, y", [(0, 0, 0), (0, 799, 599), (1, 0, 0), (1, 639, 359), (2, 0, 10),
                                           (2, 1023, 479)])
def test_pointer_spans_the_whole_desktop(three, display, x, y):
    with connect(three) as client:
        client.login(PASSWORD)
        client.frame()
        at = LEFTS[display] + x
        client.mouse_move(at, y)
        wanted = (round(at * 32767 / (WIDTH - 1)), round(y * 32767 / (HEIGHT - 1)))
        rows = three.wait_reports(lambda r: r and position(r[-1][1]) == wanted, "abs")
        assert position(rows[-1][1]) == wanted


def test_places_that_are_said(start_agent):
    agent = start_agent(video={**CARD, "displays": [{}, {"x": -640, "y": -40}, {"x": 100, "y": 100}]})
    with connect(agent) as client:
        info = client.login(PASSWORD)
        # The third would cover the first: it moves aside, to the nearest side.
        assert [(d.x, d.y) for d in info.displays] == [(0, 0), (-640, -40), (100, 360)]
        client.frame()
        client.mouse_move(-640, -40)
        agent.wait_reports(lambda r: r and position(r[-1][1]) == (0, 0), "abs")
        client.mouse_move(739, 719)
        agent.wait_reports(lambda r: r and position(r[-1][1]) == (32767, 32767), "abs")


def test_a_missing_device_is_a_slate_and_affects_nobody(start_agent):
    agent = start_agent(video={**CARD, "displays": [{}, {**MISSING, "width": 800, "height": 600}]}, hid={"hold_ms": 0})
    with connect(agent) as client:
        client.login(PASSWORD)
        client.capture_displays(set=[0, 1])
        got = collect(client, [0, 1], 5)
        assert (got[1][0].y.shape[1], got[1][0].y.shape[0]) == (800, 600) and card.read_number(got[1][0].y) is None
        assert rises(collect(client, [0], 20)[0])
        wait_states(agent, ["live", "slate"])
        assert agent.status()["displays"][1]["cause"]
        # The target has one display only, and the pointer's range is that one.
        client.run(1.5)
        client.mouse_move(639, 359)
        agent.wait_reports(lambda r: r and position(r[-1][1]) == (32767, 32767), "abs")


def test_a_screenshot_is_of_the_display_asked_for(three):
    with connect(three) as client:
        client.login(PASSWORD)
        client.capture_displays(set=[0, 2])
        collect(client, [0, 2], 2)
        at = len(client.log)
        client.screenshot(2, "two")
        shot = client.wait_for("screenshot_response", 20, since=at).msg
        assert not shot.msg and shot.sid == "two"
        assert (int.from_bytes(shot.data[16:20], "big"), int.from_bytes(shot.data[20:24], "big")) == SIZES[2]
        client.run(1.1)
        client.screenshot(1, "unwatched")
        assert "nobody watches" in client.wait_for("screenshot_response", 20).msg.msg
        client.screenshot(3, "none")
        assert "no such screen" in client.wait_for("screenshot_response", 20).msg.msg


def test_flipping_displays_does_not_storm_the_others(three):
    with connect(three) as client, connect(three) as other:
        client.login(PASSWORD)
        other.login(PASSWORD)
        list(other.frames(10, timeout=20))
        for i in range(60):
            client.switch_display(i % 3)
            client.capture_displays(set=[i % 3])
            client.run(0.05)
            other.run(0)
        keys = sum(p.key for p in other.frames(60, timeout=20))
        assert keys < 20, keys
        # The grace of a moment: nothing was stopped and started meanwhile.
        assert len(three.wait_log(r"encode: opened [^\n]*w=1024")) == 1
        wait_states(three, ["live", "idle", "live"])


def test_flood_of_requests_leaves_no_trace(three):
    with connect(three) as client:
        client.login(PASSWORD)
        client.frame()
        rss = three.rss_kib()
        for i in range(3000):
            client.capture_displays(set=[-1, 99, 2**31 - 1] * 50, add=[-i, 4 + i], sub=[i % 5])
            client.capture_displays(sub=[-5, 4])
            client.capture_displays(set=[-2**31])
            client.switch_display(3 + i)
            client.send_misc(refresh_video_display=-1 - i)
        client.run(0.5)
        client.pictures.clear()
        assert client.frame(20).display == 0
        assert states(three) == ["live", "idle", "idle"]
        assert three.rss_kib() - rss < 20_000
