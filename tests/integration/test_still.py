# SPDX-License-Identifier: GPL-3.0-or-later
"""What a screen costs that does not change: one better picture, then silence. The agent runs on a device whose pictures
are known (tests/bench/bench_device.h), so what arrives is compared with what was shown."""

import contextlib
import time

import pytest
from PIL import Image, ImageDraw

from bench import rig, scenes
from peer import agent as process
from peer.controller import Controller
from peer.likeness import ssim

WIDTH, HEIGHT = 1280, 720
PATIENCE = 60


def text_page(mark=None):
    image = Image.new("RGB", (WIDTH, HEIGHT), "#f4f4f0")
    draw = ImageDraw.Draw(image)
    scenes.text_block(draw, (16, 16, WIDTH - 16, HEIGHT - 16), 5, 13, "#101010", scenes.SANS)
    if mark:
        draw.rectangle(mark, fill="#305090")
    return image


MARK = (304, 304, 415, 335)


class Screen:
    """The camera: shows one of two pages at 30 a second until told to show the other. Each is there so often that the
    driver finds a buffer for it."""

    def __init__(self, folder):
        self.frames = scenes.Frames(folder / "frames", WIDTH, HEIGHT, [text_page()] * 8 + [text_page(MARK)] * 8)
        self.device = rig.Device(folder, self.frames)
        self._player = None

    def show(self, page):
        self.pause()
        self._player = rig.BackgroundPlayer(self.device, 8 * page, 8)

    def pause(self):
        if self._player:
            self._player.close()
        self._player = None

    def luma(self, page):
        return scenes.yuyv_to_i420(self.frames.pictures[8 * page], WIDTH, HEIGHT)[0]

    def close(self):
        self.pause()
        self.device.close()


@pytest.fixture(name="screen")
def fixture_screen(tmp_path):
    folder = tmp_path / "screen"
    folder.mkdir()
    screen = Screen(folder)
    screen.show(0)
    yield screen
    screen.close()


@pytest.fixture(name="agent")
def fixture_agent(screen, tmp_path):
    folder = tmp_path / "agent"
    folder.mkdir()
    agent = process.Agent(folder, program=rig.BUILD / "agent/bench_agent",
                          video={"source": "v4l2", "device": str(screen.device.path), "fps": rig.FPS})
    yield agent
    agent.stop()


def pictures(client):
    return [e for e in client.log if e.kind == "video_frame"]


def size_of(entry):
    return sum(len(f.data) for f in entry.msg.h264s.frames)


def wait_silence(client, seconds=2.0):
    """Until no picture has come for so long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        count = len(pictures(client))
        client.run(seconds)
        if len(pictures(client)) == count:
            return
    raise AssertionError("pictures never cease")


def connect(agent, **kw):
    return Controller.direct("127.0.0.1", agent.port, record_video=True, **kw)


def test_a_still_screen_becomes_perfect_and_then_silent(agent, screen):
    with connect(agent) as client:
        client.login(process.PASSWORD)
        first = client.frame_where(lambda p: p.width == WIDTH, PATIENCE).y
        wait_silence(client)
        assert ssim(screen.luma(0), first) < ssim(screen.luma(0), client.pictures[-1].y)
        assert ssim(screen.luma(0), client.pictures[-1].y) >= 0.995
        # Only TestDelay, however long.
        client.expect_silence(4)
        # A change comes at once, alone, and takes nothing from the rest.
        count = len(pictures(client))
        screen.show(1)
        client.frame_where(lambda p: ssim(screen.luma(1), p.y) > 0.98, PATIENCE)
        wait_silence(client)
        assert ssim(screen.luma(1), client.pictures[-1].y) >= 0.995
        new = pictures(client)[count:]
        assert not any(f.key for e in new for f in e.msg.h264s.frames)
        assert len(new) <= 8
        assert sum(map(size_of, new)) < 20000 < sum(map(size_of, pictures(client)[:count]))


def test_who_comes_in_the_silence_sees_all_at_once(agent, screen):
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(connect(agent))
        first.login(process.PASSWORD)
        first.frame(PATIENCE)
        wait_silence(first)
        second = stack.enter_context(connect(agent))
        second.login(process.PASSWORD)
        entry = second.wait_for("video_frame", PATIENCE)
        assert entry.msg.h264s.frames[0].key
        # The protocol's repeats, so that no client keeps a picture back; then silence again, and as good as before.
        wait_silence(second)
        assert len(pictures(second)) >= 4
        assert ssim(screen.luma(0), second.pictures[-1].y) >= 0.995
        wait_silence(first)
        assert ssim(screen.luma(0), first.pictures[-1].y) >= 0.995
        # Asked for one, it comes although nothing has changed.
        count = len(pictures(second))
        second.refresh_video()
        second.frame_where(lambda _: any(f.key for e in pictures(second)[count:] for f in e.msg.h264s.frames), PATIENCE)


def test_all_leave_and_somebody_returns(agent, screen):
    for _ in range(3):
        with connect(agent) as client:
            client.login(process.PASSWORD)
            client.frame_where(lambda p: ssim(screen.luma(0), p.y) > 0.9, PATIENCE)
            client.close()
