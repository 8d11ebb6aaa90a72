# SPDX-License-Identifier: GPL-3.0-or-later
"""Screenshots as a stock client asks for them: a PNG file of the source's own picture, or a reason in words."""

import contextlib
import io
import time
import uuid

import numpy as np
import PIL.Image
import pytest

from peer import card
from peer.agent import PASSWORD
from peer.controller import Controller, PeerClosed

pytestmark = pytest.mark.tsan

PATIENCE = 30  # a client waits so long
BARS = [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)]


def connect(agent, **kw):
    return Controller.direct("127.0.0.1", agent.port, **kw)


def answer(client, sid):
    response = client.wait_for("screenshot_response", PATIENCE).msg
    assert response.sid == sid
    return response


def take(client):
    """H x W x 3 of a screenshot that must come."""
    sid = str(uuid.uuid4())
    client.screenshot(0, sid)
    response = answer(client, sid)
    assert response.msg == ""
    image = PIL.Image.open(io.BytesIO(response.data))
    image.load()
    assert (image.format, image.mode) == ("PNG", "RGB")
    return np.asarray(image)


def luma(rgb):
    return (rgb @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)


def live(client):
    """The frame number of the first picture of the card; a slow machine shows the slate before."""
    return card.read_number(client.frame_where(lambda p: card.read_number(p.y) is not None, PATIENCE).y)


def check_card(rgb, width, height):
    assert rgb.shape == (height, width, 3)
    for i, want in enumerate(BARS):
        block = rgb[height // 8:height // 4, width * i // 8 + 4:width * (i + 1) // 8 - 4].astype(int)
        # One colour all over: no trace of a codec.
        assert (block == block[0, 0]).all()
        assert abs(block[0, 0] - want).max() <= 2
    return card.read_number(luma(rgb))


def test_screenshot_is_the_source_s_own_picture(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        before = live(client)
        number = check_card(take(client), 640, 360)
        # Not an old one, and none the stream never comes to.
        assert number > before
        client.frame_where(lambda picture: card.read_number(picture.y) >= number, PATIENCE)


def test_screen_can_be_shot_before_the_first_picture_was_seen(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        assert take(client).shape == (360, 640, 3)
        assert live(client) is not None


def test_stream_at_few_bits_does_not_show_in_it(start_agent):
    agent = start_agent(video={"width": 1920, "height": 1080, "card_noise": 100, "fps": 10})
    with connect(agent) as client:
        client.login(PASSWORD)
        client.set_custom_quality(10)
        live(client)
        rgb = take(client)
        # The noise is grains of 2 x 2: a codec that starves blurs them, the file has each of them.
        top = rgb[:540]
        assert (top[0::2] == top[1::2]).all() and (top[:, 0::2] == top[:, 1::2]).all()
        assert len(np.unique(luma(top))) > 100
        assert any(r.kind == "video_frame" for r in client.run(1))


def test_slate_can_be_shot(start_agent):
    agent = start_agent(video={"source": "v4l2", "device": "/dev/no-such-device", "width": 0, "height": 0})
    with connect(agent) as client:
        client.login(PASSWORD)
        picture = client.frame(PATIENCE)
        rgb = take(client)
        assert rgb.shape == (picture.height, picture.width, 3)
        # The same words in the same place, but for the seconds of the clock.
        difference = np.abs(rgb.astype(int) - picture.rgb).max(axis=2) > 60
        assert difference.mean() < 0.01
        assert (luma(rgb) > 180).mean() > 0.001


def test_what_cannot_be_is_said_in_words(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        client.screenshot(3, "other screen")
        response = answer(client, "other screen")
        assert "one screen" in response.msg and not response.data
        client.screenshot(0, "a")
        client.screenshot(0, "b")
        both = [client.wait_for("screenshot_response", PATIENCE).msg for _ in range(2)]
        assert {r.sid for r in both} == {"a", "b"}
        assert {bool(r.data) for r in both if r.sid == "a"} == {True}
        assert {r.msg for r in both if r.sid == "b"} == {"A screenshot is being taken already"}


def test_controller_that_stopped_watching_is_told(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        client.capture_displays()
        agent.wait_log("capture: idle")
        client.screenshot(0, "x")
        assert "nobody watches" in answer(client, "x").msg


def test_view_only_controller_may(start_agent):
    agent = start_agent(rustdesk={"permissions": {"keyboard": False}})
    with connect(agent) as client:
        client.login(PASSWORD)
        live(client)
        check_card(take(client), 640, 360)


def test_two_controllers_at_once(start_agent):
    agent = start_agent(video={"width": 1280, "height": 720})
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(agent)) for _ in range(2)]
        for client in clients:
            client.login(PASSWORD)
            live(client)
        for client in clients:
            client.screenshot(0, "both")
        for client in clients:
            response = answer(client, "both")
            assert response.msg == ""
            check_card(np.asarray(PIL.Image.open(io.BytesIO(response.data))), 1280, 720)
        for client in clients:
            list(client.frames(5, timeout=PATIENCE))


def test_sessions_that_end_while_it_is_made(start_agent):
    agent = start_agent(video={"width": 1920, "height": 1080, "card_noise": 100, "fps": 5})
    with connect(agent) as watching:
        watching.login(PASSWORD)
        live(watching)
        threads = agent.threads()
        for n in range(20):
            client = connect(agent)
            client.login(PASSWORD)
            client.screenshot(0, f"{n}")
            time.sleep(0.01 * n)  # as far as it gets meanwhile: all outcomes are fine
            client.abort()
            watching.run(0)
        list(watching.frames(3, timeout=PATIENCE))
        deadline = time.monotonic() + PATIENCE
        while agent.threads() > threads + 1 and time.monotonic() < deadline:
            watching.run(0.05)
        # A second encoder, if a newcomer needed one, stays at hand.
        assert agent.threads() <= threads + 1
        # The places are free again.
        watching.screenshot(0, "after")
        assert answer(watching, "after").data


def test_agent_that_stops_while_it_is_made(start_agent):
    agent = start_agent(video={"width": 1920, "height": 1080, "card_noise": 100, "fps": 5})
    with connect(agent) as client:
        client.login(PASSWORD)
        live(client)
        client.screenshot(0, "late")
        agent.stop()
        with contextlib.suppress(PeerClosed):
            client.run(2)


def test_flood_of_requests_costs_one_picture_a_second(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        start = time.monotonic()
        for n in range(500):
            client.screenshot(0, f"{n}")
        responses = [client.wait_for("screenshot_response", PATIENCE).msg for _ in range(500)]
        took = time.monotonic() - start
        assert 1 <= sum(bool(r.data) for r in responses) <= took + 1
        assert all(bool(r.data) != bool(r.msg) for r in responses)
        list(client.frames(5, timeout=PATIENCE))
