# SPDX-License-Identifier: GPL-3.0-or-later
"""HDMI picture through the agent: vivid on one side, a controller that decodes it on the other."""
import lib
import pytest
import vivid
from tests.peer.controller import Controller

# Pixel formats vivid offers on both kinds of device, by the agent's names.
FORMATS = ("YUYV", "UYVY", "NV12", "NV16", "NV24", "RGB24", "BGR24")


def agent_for(source, folder, **video):
    picture = {"source": "v4l2", "device": source.path, "width": 0, "height": 0, "fps": 10}
    return lib.Agent(folder, video={**picture, **video})


def bars(picture):
    return vivid.shows_bars(picture.rgb)


def watch(agent):
    peer = Controller.direct("127.0.0.1", agent.port, timeout=lib.PATIENCE_S)
    peer.login(lib.PASSWORD, timeout=lib.PATIENCE_S)
    return peer


@pytest.mark.parametrize("which", [0, 1], ids=["single-planar", "multi-planar"])
def test_sixty_frames_show_the_bars(sources, tmp_path, which):
    sources[which].plug("640x480p59")
    with agent_for(sources[which], tmp_path) as agent, watch(agent) as peer:
        pictures = [peer.frame(lib.PATIENCE_S)]
        while len(pictures) < 60:
            sources[which].move()  # where nothing changes nothing is sent
            pictures.append(peer.frame(lib.PATIENCE_S))
        assert pictures[0].key and not any(picture.key for picture in pictures[1:])
        for picture in (pictures[0], pictures[30], pictures[59]):
            assert (picture.width, picture.height) == (640, 480)
            assert vivid.shows_bars(picture.rgb), vivid.bar_colours(picture.rgb)
        lib.keep_picture(f"vivid-{which}", pictures[59])


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("which", [0, 1], ids=["single-planar", "multi-planar"])
def test_every_format_shows_the_bars(sources, tmp_path, which, name):
    sources[which].plug("640x480p59")
    with agent_for(sources[which], tmp_path, format=name) as agent, watch(agent) as peer:
        picture = lib.picture_where(peer, bars, "bars")
        assert (picture.width, picture.height) == (640, 480)


def test_pulled_cable_keeps_the_session_and_says_why(sources, tmp_path):
    source = sources[0]
    source.plug("640x480p59")
    with agent_for(source, tmp_path) as agent, watch(agent) as peer:
        lib.picture_where(peer, bars, "bars")
        source.signal(vivid.NO_SIGNAL)
        slate = lib.picture_where(peer, lambda p: not vivid.shows_bars(p.rgb, 60), "a slate")
        peer.frame(lib.PATIENCE_S)
        agent.wait_log("video: slate")
        assert slate.rgb.std() > 5, "the slate has something written on it"
        lib.keep_picture("slate", slate)
        source.plug("640x480p59")
        lib.picture_where(peer, bars, "bars")
        assert peer.close_reason is None


def test_session_without_a_signal_gets_a_picture(sources, tmp_path):
    source = sources[0]
    source.plug("640x480p59")
    source.signal(vivid.NO_SIGNAL)
    with agent_for(source, tmp_path) as agent, watch(agent) as peer:
        assert peer.frame(lib.PATIENCE_S).key
        source.plug("640x480p59")
        picture = lib.picture_where(peer, bars, "bars")
        assert (picture.width, picture.height) == (640, 480)


@pytest.mark.parametrize("which", [0, 1], ids=["single-planar", "multi-planar"])
def test_new_resolution_is_announced_before_its_key_frame(sources, tmp_path, which):
    source = sources[which]
    source.plug("640x480p59")
    with agent_for(source, tmp_path) as agent, watch(agent) as peer:
        lib.picture_where(peer, bars, "bars")
        before = len(peer.log)
        source.plug("800x600p60")
        switch = peer.wait_for(lambda r: r.kind == "misc.switch_display" and r.msg.width == 800, lib.PATIENCE_S,
                               since=before).msg
        assert (switch.display, switch.width, switch.height) == (0, 800, 600)
        peer.pictures.clear()
        first = peer.frame(lib.PATIENCE_S)
        assert first.key and (first.width, first.height) == (800, 600)
        lib.picture_where(peer, bars, "bars")
        source.plug("640x480p59")
