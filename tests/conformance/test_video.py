# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures: how they are packed, encoded and when they come. (peer.video breaks off at what clients cannot bear.)"""

import time

import pytest

from devices import dial, logged_in
from peer import h264, pb
from peer.agent import PASSWORD
from peer.controller import LoginError
from peer.controls import supported_decoding

ALL = ("vp9s", "h264s", "h265s", "vp8s", "av1s")


@pytest.fixture(scope="module", name="stream")
def fixture_stream(device):
    """VideoFrame messages of a session in which a key picture was asked for twice."""
    with dial(device, record_video=True) as client:
        client.login(PASSWORD)
        for _ in range(2):
            list(client.frames(10, timeout=20))
            client.refresh_video()
            client.key_frame(10)
        return [(m, m.h264s.frames[0]) for m in client.received("video_frame")]


def sps_of(frame):
    return next(nal for nal in h264.nal_units(frame.data) if nal[0] & 31 == h264.NAL_SPS)


def types(frame):
    return [nal[0] & 31 for nal in h264.nal_units(frame.data)]


def test_pictures_are_h264(stream):
    """VideoFrame holds h264s."""
    assert {m.WhichOneof("codec") for m, _ in stream} == {"h264s"}


def test_pictures_are_of_display_0(stream):
    """VideoFrame is for display 0."""
    assert {m.display for m, _ in stream} == {0}


def test_one_picture_a_message(stream):
    """There is one EncodedVideoFrame in a VideoFrame."""
    assert {len(m.h264s.frames) for m, _ in stream} == {1}


def test_first_picture_is_a_key_picture(stream):
    """The first picture of a session is a key picture."""
    assert stream[0][1].key


def test_key_is_said_of_key_pictures_only(stream):
    """key is set exactly where a decoder can start."""
    assert all(f.key == (h264.NAL_IDR in types(f)) for _, f in stream)
    assert {f.key for _, f in stream} == {True, False}


def test_pts_rises_in_milliseconds(stream):
    """pts never goes back and counts milliseconds."""
    pts = [f.pts for _, f in stream]
    assert all(b >= a for a, b in zip(pts, pts[1:])) and 10 < (pts[-1] - pts[0]) / len(pts) < 500


def test_access_units_have_start_codes(stream):
    """Access units are Annex B: start codes, not lengths."""
    assert all(f.data.startswith((b"\0\0\1", b"\0\0\0\1")) for _, f in stream)


def test_parameter_sets_stand_before_each_key_picture(stream):
    """SPS and PPS are in the stream, in front of every key picture."""
    for _, frame in stream:
        if frame.key:
            found = types(frame)
            assert found.index(h264.NAL_SPS) < found.index(h264.NAL_PPS) < found.index(h264.NAL_IDR)


def test_pictures_are_never_reordered(stream):
    """Each packet decodes to its picture at once: there are no B pictures and no lost references."""
    check = h264.StreamCheck()
    for _, frame in stream:
        check.feed(frame.data)


def test_profile_is_one_that_all_decoders_have(stream):
    """The profile is Baseline, Main or High: 8 bit, 4:2:0."""
    assert h264.parse_sps(sps_of(stream[0][1])).profile in (66, 77, 100)


def test_range_is_limited(device):
    """The decoded picture is 4:2:0 of limited range: black is 16, white is 235."""
    with logged_in(device) as client:
        luma = client.frame().y[60]
        assert luma.min() >= 14 and luma.max() <= 237


def test_first_picture_comes_before_clients_lose_patience(device):
    """The first picture comes within 1.5 s of PeerInfo; after that clients click around to wake the screen."""
    with dial(device) as client:
        client.login(PASSWORD)
        start = time.monotonic()
        client.frame()
        assert time.monotonic() - start < 1.5


def test_no_signal_is_a_picture(start_agent):
    """Without a capture device the session stays and shows a picture that says so, of a size that was announced."""
    agent = start_agent(video={"source": "v4l2", "device": "/dev/video-none", "width": 0, "height": 0})
    with dial(agent) as client:
        shown = client.login(PASSWORD).displays[0]
        picture = client.frame(10)
        assert (picture.width, picture.height) == (shown.width, shown.height) and picture.key


# ---- codecs

@pytest.mark.parametrize("prefer, member", [(pb.PREFER_VP9, "vp9s"), (pb.PREFER_VP8, "vp8s"), (pb.PREFER_H264, "h264s"),
                                            (pb.PREFER_AUTO, "h264s"), (pb.PREFER_AV1, "h264s"),
                                            (pb.PREFER_H265, "h264s")])
def test_preferred_codec_is_sent(device, prefer, member):
    """A client gets VP9, VP8 or H.264 as its user prefers; AV1 and H.265 are never sent, and H.264 comes instead."""
    with dial(device) as client:
        client.login(PASSWORD, prefer=prefer)
        assert client.frame().codec == member


def test_true_colour_is_vp9_of_profile_1(device):
    """A client that asks for I444 and can decode it gets VP9 in 4:4:4."""
    with dial(device) as client:
        client.login(PASSWORD, i444=True)
        picture = client.frame()
        assert picture.codec == "vp9s" and picture.full_chroma


def test_client_that_says_nothing_gets_vp9(device):
    """A client without SupportedDecoding (the old web client) is one that decodes VP9 only."""
    with dial(device) as client:
        client.login(PASSWORD, decoding=False)
        assert client.frame().codec == "vp9s"


@pytest.mark.parametrize("codecs, member", [(("vp9s",), "vp9s"), (("vp8s", "av1s", "h265s"), "vp8s")])
def test_client_without_h264_gets_what_it_can(device, codecs, member):
    """A client that cannot decode H.264 gets VP9 or VP8."""
    with dial(device) as client:
        client.login(PASSWORD, codecs=codecs)
        assert client.frame().codec == member


@pytest.mark.parametrize("codecs", [("av1s", "h265s"), ()])
def test_client_that_decodes_nothing_of_ours_is_told_at_login(device, codecs):
    """A client that can decode none of what this device sends is refused in words."""
    with dial(device) as client:
        with pytest.raises(LoginError, match="decode"):
            client.login(PASSWORD, codecs=codecs)


def test_client_that_loses_h264_gets_another_codec(device):
    """A client that says in the session that it failed to decode H.264 gets a VP9 key picture, and H.264 no more."""
    with logged_in(device) as client:
        client.frame()
        client.send_misc(option=pb.OptionMessage(supported_decoding=supported_decoding(("vp9s",))))
        assert client.frame_where(lambda p: p.codec == "vp9s", 5).key
        client.set_decoding(("vp9s",))
        assert all(p.codec == "vp9s" for p in client.frames(5, timeout=10))


def test_client_that_loses_all_is_told(device):
    """A client that can decode nothing any more is told that decoding failed and sent away, not left blank."""
    with logged_in(device) as client:
        client.send_misc(option=pb.OptionMessage(supported_decoding=supported_decoding(("av1s",))))
        client.wait_closed(5)
        assert "failed" in client.close_reason


def test_preference_in_the_session_counts(device):
    """A codec chosen in the menu comes with a key picture, without a SwitchDisplay."""
    with logged_in(device) as client:
        client.frame()
        client.set_decoding(ALL, prefer=pb.PREFER_VP8)
        assert client.frame_where(lambda p: p.codec == "vp8s", 5).key
        assert not client.received("misc.switch_display")


def test_new_abilities_replace_the_old(device):
    """A SupportedDecoding in the session replaces the one of the login; with H.264 in it the picture goes on."""
    with logged_in(device) as client:
        client.set_decoding(("h264s",))
        client.pictures.clear()
        assert client.frame()


def test_one_encoder_serves_clients_of_different_abilities(device):
    """Clients with different abilities watch at the same time."""
    with dial(device) as one, dial(device) as two:
        one.login(PASSWORD, codecs=("h264s",))
        two.login(PASSWORD, codecs=ALL)
        assert one.frame().key and two.frame().key


# ---- key pictures on demand

ASK = {
    "refresh_video": lambda c: c.refresh_video(),
    "refresh_video_display": lambda c: c.refresh_video_display(0),
    "capture set": lambda c: c.capture_displays(set=[0]),
    "capture add": lambda c: c.capture_displays(add=[0]),
    "query": lambda c: c.message_query(0),
}


@pytest.mark.parametrize("ask", ASK)
def test_requests_bring_a_key_picture(client, ask):
    """Whatever makes a client's decoder start afresh brings a key picture."""
    list(client.frames(3, timeout=5))
    client.pictures.clear()
    ASK[ask](client)
    assert client.key_frame(5)


def test_switch_display_is_followed_by_a_key_picture_at_once(client):
    """The first picture after SwitchDisplay is a key picture: no difference picture slips in between."""
    ASK["query"](client)
    at = client.log.index(client.wait_for("misc.switch_display", 5))
    client.pictures.clear()
    assert client.frame(5).key
    assert [r.kind for r in client.log[at:]].count("video_frame") == 1


def test_refresh_that_is_false_is_none(client):
    """refresh_video=false does nothing."""
    client.run(1.0)
    client.pictures.clear()
    client.refresh_video(False)
    assert not any(p.key for p in client.frames(5, timeout=5))


def test_newcomer_starts_with_a_key_picture(device, client):
    """A newcomer's first picture is a key picture, also while others watch."""
    assert client.frame()
    with dial(device) as other:
        other.login(PASSWORD)
        assert other.frame().key


# ---- displays

@pytest.mark.parametrize("display", [1, 7, -1, 2**31 - 1])
def test_displays_that_are_not_there_are_ignored(client, display):
    """Requests for displays that are not there are ignored, and never stop the picture."""
    client.capture_displays(set=[display])
    client.capture_displays(add=[display])
    client.capture_displays(sub=[display])
    client.message_query(display)
    client.switch_display(display)
    client.send_misc(refresh_video_display=display)
    client.run(0.3)
    assert not client.received("misc.switch_display")
    client.pictures.clear()
    assert client.frame()


def test_add_goes_before_sub_before_set(client):
    """In CaptureDisplays add goes before sub, and sub before set."""
    client.capture_displays(add=[0], sub=[0], set=[3])
    assert client.key_frame(5)
    client.run(0.3)
    assert client.frame()


def test_answer_to_a_query_is_the_display(client):
    """MessageQuery is answered with index, position, size, cursor and resolutions."""
    client.message_query(0)
    msg = client.wait_for("misc.switch_display", 5).msg
    assert (msg.display, msg.x, msg.y, msg.width, msg.height) == (0, 0, 0, 640, 360)
    assert msg.cursor_embedded and len(msg.resolutions.resolutions) == 1


def test_display_list_stays_complete(client):
    """A PeerInfo in the session always has the whole list of displays."""
    client.message_query(0)
    client.wait_for("misc.switch_display", 5)
    client.run(0.2)
    assert all(len(m.displays) == 1 and m.displays[0].width == 640 for m in client.received("peer_info"))


@pytest.mark.parametrize("display", [None, 0])
def test_resolution_cannot_be_changed(client, display):
    """A request for another resolution changes nothing; the client is told the size anew."""
    client.change_resolution(1920, 1080, display)
    msg = client.wait_for("misc.switch_display", 5).msg
    assert (msg.width, msg.height) == (640, 360)
    client.pictures.clear()
    assert client.frame().width == 640


def test_switch_to_the_display_that_is_shown_says_nothing(client):
    """SwitchDisplay to the display that is shown already is not answered, whatever size comes with it."""
    client.switch_display(0)
    client.switch_display(0, 1920, 1080)
    client.run(0.5)
    assert not client.received("misc.switch_display")


def test_no_cursor_is_ever_sent(device):
    """Neither position nor shape of a pointer is sent, whatever options say: it is in the picture."""
    with dial(device) as client:
        client.login(PASSWORD, option={"show_remote_cursor": 2, "follow_remote_cursor": 2, "follow_remote_window": 2})
        client.mouse_move(50, 50)
        client.run(0.5)
        assert not [r for r in client.log if r.kind.startswith("cursor")]


def test_no_sound_is_announced(client):
    """Without sound there is neither AudioFormat nor AudioFrame, also when the client wants it."""
    client.set_option(disable_audio=False)
    client.run(0.3)
    assert not [r for r in client.log if "audio" in r.kind]
