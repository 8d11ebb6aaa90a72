# SPDX-License-Identifier: GPL-3.0-or-later
"""Two capture devices as the displays of one target: vivid's single-planar one and its multi-planar one."""
import lib
import pytest
import vivid
from test_video import bars, watch


@pytest.fixture(name="agent")
def fixture_agent(sources, tmp_path):
    sources[0].plug("640x480p59")
    sources[1].plug("800x600p60")
    displays = [{"device": source.path, "name": name} for source, name in zip(sources, ("left", "right"))]
    picture = {"source": "v4l2", "width": 0, "height": 0, "fps": 2, "edid": "", "displays": displays}
    with lib.Agent(tmp_path, video=picture) as agent:
        yield agent


@pytest.fixture(name="peer")
def fixture_peer(agent):
    with watch(agent) as peer:
        yield peer


def picture_of(peer, display, wanted):
    """Each picture counts: of a display where nothing moves there is but one."""
    return peer.frame_where(lambda p: p.display == display and wanted(p), 2 * lib.PATIENCE_S)


def size(picture):
    return picture.width, picture.height


def test_both_are_shown_at_once_and_neither_before_it_is_watched(agent, peer):
    assert [d.name for d in peer.peer_info.displays] == ["left", "right"]
    assert size(picture_of(peer, 0, bars)) == (640, 480)
    assert "w=800" not in agent.log()
    peer.capture_displays(set=[0, 1])
    right = picture_of(peer, 1, bars)
    assert size(right) == (800, 600)
    lib.keep_picture("display-1", right)
    peer.refresh_video_display(0)
    picture_of(peer, 0, bars)
    assert [(d.x, d.width) for d in peer.displays] == [(0, 640), (640, 800)]


def test_one_without_a_signal_does_not_disturb_the_other(agent, sources, peer):
    peer.capture_displays(set=[0, 1])
    picture_of(peer, 0, bars)
    picture_of(peer, 1, bars)
    sources[1].signal(vivid.NO_SIGNAL)
    picture_of(peer, 1, lambda p: not vivid.shows_bars(p.rgb, 60))
    # Nothing moves there, so nothing comes unless it is asked for.
    for _ in range(3):
        peer.refresh_video_display(0)
        assert bars(picture_of(peer, 0, lambda p: p.key))
    agent.wait_log('video: slate display=1 name="right"')
    sources[1].plug("800x600p60")
    picture_of(peer, 1, bars)


def test_a_new_size_on_the_left_moves_the_right(sources, peer):
    peer.capture_displays(set=[0, 1])
    picture_of(peer, 0, bars)
    picture_of(peer, 1, bars)
    sources[0].plug("1024x768p60")
    assert size(picture_of(peer, 0, lambda p: bars(p) and p.width == 1024)) == (1024, 768)
    lib.eventually(lambda: peer.run(0.2) is not None and [d.x for d in peer.displays] == [0, 1024], "the new places")
    assert picture_of(peer, 1, bars).width == 800
    # Back to one: what nobody watches is let go of.
    peer.capture_displays(set=[1])
    peer.message_query(1)
    assert (peer.wait_for("misc.switch_display", lib.PATIENCE_S).msg.x, len(peer.displays)) == (1024, 2)
