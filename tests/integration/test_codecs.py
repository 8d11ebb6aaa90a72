# SPDX-License-Identifier: GPL-3.0-or-later
"""Codecs as controllers get them from the real agent: decoded, compared, chosen, changed while watching."""

import contextlib
import time

import pytest

from peer import card, pb
from peer.agent import PASSWORD
from peer.controller import Controller
from peer.controls import supported_decoding
from peer.likeness import psnr

# What the thread sanitizer has to see: encoders that come and go.
pytestmark = pytest.mark.tsan

ALL = ("vp9s", "h264s", "h265s", "vp8s", "av1s")
CHOICES = {
    "h264": (dict(prefer=pb.PREFER_H264), "h264s"),
    "vp9": (dict(prefer=pb.PREFER_VP9), "vp9s"),
    "vp8": (dict(prefer=pb.PREFER_VP8), "vp8s"),
    "vp9-444": (dict(i444=True), "vp9s"),
}


def connect(agent, **kw):
    return Controller.direct("127.0.0.1", agent.port, **kw)


def sharp(client, timeout=30):
    """A picture of the card, not of a slate."""
    return client.frame_where(lambda p: card.read_number(p.y) is not None, timeout)


def frame_in(client, codec, timeout=30):
    return client.frame_where(lambda p: p.codec == codec, timeout)


def bars(picture):
    """What does not move on the card, as the client shows it."""
    return picture.rgb[: picture.height // 2, 16:-16]


@pytest.mark.parametrize("choice", CHOICES)
def test_every_codec_shows_the_same_picture(agent, choice):
    options, member = CHOICES[choice]
    with connect(agent) as reference, connect(agent) as client:
        reference.login(PASSWORD)
        client.login(PASSWORD, **options)
        want = sharp(reference)
        got = sharp(client)
        assert got.codec == member and got.full_chroma == (choice == "vp9-444")
        assert abs(card.read_number(got.y) - card.read_number(want.y)) < 300
        assert psnr(bars(got), bars(want)) > 28
        last = -1
        for picture in client.frames(30, timeout=30):
            number = card.read_number(picture.y)
            assert number is not None and number >= last
            last = number


def test_client_that_says_nothing_gets_vp9(agent):
    with connect(agent) as client:
        client.login(PASSWORD, decoding=False)
        assert sharp(client).codec == "vp9s"


@pytest.mark.parametrize("codecs, member", [(("vp9s",), "vp9s"), (("vp8s", "av1s"), "vp8s")])
def test_client_without_h264_gets_what_it_can(agent, codecs, member):
    with connect(agent) as client:
        client.login(PASSWORD, codecs=codecs)
        assert sharp(client).codec == member


def test_viewers_with_different_codecs_watch_together(agent):
    with contextlib.ExitStack() as stack:
        clients = {}
        for name, (options, _) in CHOICES.items():
            clients[name] = stack.enter_context(connect(agent))
            clients[name].login(PASSWORD, **options)
        for _ in range(3):
            for name, client in clients.items():
                assert all(p.codec == CHOICES[name][1] for p in client.frames(5, timeout=30))
        # Each codec has an encoder of its own, and no more.
        assert agent.log.count("encode: opened ") == len(CHOICES)


def test_viewers_of_one_codec_share_an_encoder(agent):
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            client = stack.enter_context(connect(agent))
            client.login(PASSWORD, prefer=pb.PREFER_VP9)
            frame_in(client, "vp9s")
        assert agent.log.count("encode: opened ") == 1


def test_menu_changes_the_codec_while_watching(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        assert sharp(client).codec == "h264s"
        for name in ("vp9", "vp9-444", "vp8", "h264", "vp9-444", "vp9", "h264"):
            options, member = CHOICES[name]
            full = name == "vp9-444"
            client.set_decoding(ALL, **options)
            assert client.frame_where(lambda p: p.codec == member and p.full_chroma == full, 30).key
            list(client.frames(3, timeout=30))
        assert not client.menu.boxes and not client.received("misc.switch_display")


def test_h264_marked_unsupported_brings_another_picture_at_once(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        sharp(client)
        took = []
        for _ in range(3):
            client.set_decoding(ALL)
            frame_in(client, "h264s")
            # Not set_decoding(): pictures already on their way are no breach.
            begin = time.monotonic()
            client.send_misc(option=pb.OptionMessage(supported_decoding=supported_decoding(("vp9s", "vp8s"))))
            assert frame_in(client, "vp9s").key
            took.append(time.monotonic() - begin)
        # Nothing of the old codec follows.
        client.set_decoding(("vp9s", "vp8s"))
        list(client.frames(10, timeout=30))
        assert min(took) < 1, took


def test_nothing_left_to_decode_ends_in_words(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        client.send_misc(option=pb.OptionMessage(supported_decoding=supported_decoding(("av1s", "h265s"))))
        client.wait_closed(5)
        assert "failed" in client.close_reason


def test_configuration_names_the_codecs(start_agent):
    agent = start_agent(video={"codecs": "vp8, h264"})
    assert "encode: encoder name=vpx-vp8 codec=vp8" in agent.log and "vp9" not in agent.log
    with connect(agent) as client:
        encoding = client.login(PASSWORD, i444=True).encoding
        assert encoding.h264 and encoding.vp8 and not encoding.i444.vp9
        assert sharp(client).codec == "vp8s"
        client.set_decoding(ALL, prefer=pb.PREFER_H264)
        frame_in(client, "h264s")
        client.set_decoding(ALL, prefer=pb.PREFER_VP9)
        frame_in(client, "vp8s")
        assert client.menu.boxes == [("Codec", "This device does not send what you chose")]
    with connect(agent) as client:
        with pytest.raises(Exception, match="decode"):
            client.login(PASSWORD, codecs=("vp9s",))
