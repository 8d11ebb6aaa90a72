# SPDX-License-Identifier: GPL-3.0-or-later
"""A source in trouble: vivid loses its signal in every way it knows, fails where it can be made to, and goes away. The
controller always has a picture, and the source's own is back with its first one."""
import os
import re
import time

import lib
import pytest
import vivid
from test_video import agent_for, bars, watch

# Signal modes, what the slate says and what the log does.
CAUSES = {"no-signal": (vivid.NO_SIGNAL, "no_cable"), "no-lock": (vivid.NO_LOCK, "no_sync"),
          "out-of-range": (vivid.OUT_OF_RANGE, "out_of_range")}


def one_colour(picture):
    return picture.rgb.std(axis=(0, 1)).max() < 5


def no_bars(picture):
    return not vivid.shows_bars(picture.rgb, 60)


@pytest.fixture
def session(sources, tmp_path):
    """A source that shows bars, the agent, and a controller that sees them."""
    source = sources[0]
    source.plug("640x480p59")
    with agent_for(source, tmp_path, slate_fps=4) as agent, watch(agent) as peer:
        lib.picture_where(peer, bars, "bars")
        yield source, agent, peer
        assert peer.close_reason is None
    source.set(percentage_of_dropped_buffers=0)


def expect_slate(agent, peer, state, count=1):
    agent.wait_log(f"capture: no_picture state={state} ", count)
    return lib.picture_where(peer, no_bars, "a slate")


@pytest.mark.parametrize("name", CAUSES)
def test_every_loss_is_told_in_words(session, name):
    source, agent, peer = session
    mode, state = CAUSES[name]
    source.quickly("dv_timings_signal_mode", mode)
    slate = expect_slate(agent, peer, state)
    assert slate.rgb.std() > 5, "the slate has something written on it"
    lib.keep_picture(f"trouble-{name}", slate)
    source.quickly("dv_timings_signal_mode", vivid.SELECTED)
    lib.picture_where(peer, bars, "bars")


def test_return_is_seen_within_a_frame_or_two(session):
    """Counted in frames of the source: how many it gave in its new run until one was shown."""
    source, agent, peer = session
    for lost in range(1, 6):
        source.quickly("dv_timings_signal_mode", vivid.NO_SIGNAL)
        expect_slate(agent, peer, "no_cable", lost)
        source.quickly("dv_timings_signal_mode", vivid.SELECTED)
        lib.picture_where(peer, bars, "bars")
    frames = [(int(n), int(ms)) for n, ms in re.findall(r"capture: live .* pictures=(\d+) ms=(\d+)", agent.log())]
    print(f"frames until live, and ms since the start of the stream: {frames}")
    assert len(frames) == 6 and max(n for n, _ in frames) <= 2


@pytest.mark.parametrize("button", ["inject_v4l2_buf_flag_error", "inject_vidioc_qbuf_error",
                                    "inject_fatal_streaming_error"])
def test_failing_pictures_do_not_end_the_stream(session, button):
    source, agent, peer = session
    for _ in range(3):
        source.quickly(button, 1)
        peer.pictures.clear()
        for _ in range(3):
            source.move()
            lib.picture_where(peer, bars, "bars")
    assert "capture: live" in agent.log()


@pytest.mark.parametrize("button", ["inject_vidioc_reqbufs_error", "inject_vidioc_streamon_error"])
def test_failing_start_is_tried_again(session, button):
    source, agent, peer = session
    source.quickly("dv_timings_signal_mode", vivid.NO_SIGNAL)
    expect_slate(agent, peer, "no_cable")
    source.quickly(button, 1)
    source.quickly("dv_timings_signal_mode", vivid.SELECTED)
    agent.wait_log("capture: no_picture state=failed")
    lib.picture_where(peer, bars, "bars")


def test_most_pictures_lost_on_the_way(session):
    source, _, peer = session
    source.set(percentage_of_dropped_buffers=90)
    peer.pictures.clear()
    for _ in range(3):
        source.move()
        lib.picture_where(peer, bars, "bars")


def test_flapping_floods_no_log(session):
    source, agent, peer = session
    before = agent.log().count("\n")
    start = time.monotonic()
    for _ in range(100):
        source.quickly("dv_timings_signal_mode", vivid.NO_LOCK)
        time.sleep(0.02)
        source.quickly("dv_timings_signal_mode", vivid.SELECTED)
        time.sleep(0.03)
    lib.picture_where(peer, bars, "bars")
    took = time.monotonic() - start
    lines = [line for line in agent.log().splitlines()[before:] if not line.startswith("<7>")]
    print(f"{len(lines)} lines in {took:.0f} s")
    # Of each kind eight at once, then ten a minute; six kinds.
    assert len(lines) <= 6 * (8 + took / 6 + 1)


def test_unplugged_and_back_under_another_number(sources, tmp_path):
    link = tmp_path / "by-path"
    source = sources[0]
    source.plug("640x480p59")
    link.symlink_to(source.path)
    try:
        with agent_for(vivid.Device(str(link), False), tmp_path, slate_fps=4) as agent, watch(agent) as peer:
            lib.picture_where(peer, bars, "bars")
            source.quickly("disconnect", 1)
            lib.keep_picture("trouble-no-device", expect_slate(agent, peer, "no_device"))
            lib.eventually(vivid.unload, "nobody has it open")
            again = vivid.load(vid_cap_nr="7,8")[0]
            assert again.path == "/dev/video7"
            again.plug("640x480p59")
            new = tmp_path / "new"
            new.symlink_to(again.path)
            os.replace(new, link)
            lib.picture_where(peer, bars, "bars")
            assert peer.close_reason is None
    finally:
        lib.eventually(vivid.unload, "nobody has it open")
        assert [device.path for device in vivid.load()] == [device.path for device in sources]


@pytest.fixture
def stick(sources):
    """The same device as a webcam: it has no timings."""
    source = sources[0]
    lib.run("v4l2-ctl", "-d", source.path, "--set-input", "1")
    source.show_bars()
    yield source
    source.show_bars()
    lib.run("v4l2-ctl", "-d", source.path, "--set-input", "0")


def test_stick_that_sends_one_colour(stick, tmp_path):
    patterns = stick.menu("test_pattern")
    with agent_for(stick, tmp_path, blank_slate=2, width=640, height=480) as agent, watch(agent) as peer:
        lib.picture_where(peer, bars, "bars")
        for count, (pattern, words) in enumerate((("100% Black", "#000000 (black)"), ("100% Blue", "(blue)")), 1):
            stick.quickly("test_pattern", patterns[pattern])
            # First it is a picture like any other.
            lib.picture_where(peer, one_colour, "one colour")
            agent.wait_log("capture: no_picture state=blank ", count)
            slate = lib.picture_where(peer, lambda p: not one_colour(p), "a slate")
            assert words in agent.log()
            lib.keep_picture(f"trouble-blank-{count}", slate)
            stick.quickly("test_pattern", patterns["100% Colorbar"])
            lib.picture_where(peer, bars, "bars")
        assert peer.close_reason is None
