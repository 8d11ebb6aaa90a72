# SPDX-License-Identifier: GPL-3.0-or-later
"""PeerInfo: what the client learns at login, and what its menus look like after it."""

import json
import re

import pytest

from devices import dial
from peer import pb
from peer.agent import PASSWORD, VERSION


@pytest.fixture(scope="module", name="info")
def fixture_info(device):
    with dial(device) as client:
        return client.login(PASSWORD)


def version_number(text):
    """As clients compare versions: a.b.c[-p]."""
    a, b, c, p = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:-(\d+))?", text).groups("0")
    return (int(a) * 1000 + int(b)) * 1000 + int(c) * 10 + int(p)


def test_names_are_not_empty(info):
    """username and hostname are not empty."""
    assert info.username == "kvm" and info.hostname


def test_names_can_be_configured(start_agent):
    """They can be configured."""
    agent = start_agent(rustdesk={"username": "operator", "hostname": "rack-7"})
    with dial(agent) as client:
        seen = client.login(PASSWORD)
        assert (seen.username, seen.hostname) == ("operator", "rack-7")


def test_platform_is_linux(info):
    """platform is "Linux": clients send X11 key codes and offer Ctrl+Alt+Del."""
    assert info.platform == "Linux"


def test_version_offers_what_works_and_nothing_else(info):
    """The version is at least 1.2.4, for displays and Map mode, and the configured one: it decides which menus show."""
    assert info.version == VERSION and version_number(info.version) >= version_number("1.2.4")


def test_platform_and_version_can_be_configured(windows):
    """Both can be configured."""
    with dial(windows) as client:
        seen = client.login(PASSWORD)
        assert (seen.platform, seen.version) == ("Windows", "1.4.5")


def test_there_is_one_display_at_the_origin(info):
    """There is one display, index 0, at 0,0."""
    assert len(info.displays) == 1 and info.current_display == 0
    assert (info.displays[0].x, info.displays[0].y) == (0, 0)


def test_display_has_the_size_of_the_picture(device):
    """The size of the display is that of the decoded picture, and even."""
    with dial(device) as client:
        shown = client.login(PASSWORD).displays[0]
        picture = client.frame()
        assert (shown.width, shown.height) == (picture.width, picture.height) == (640, 360)


@pytest.mark.parametrize("size", [(642, 358), (64, 64), (1366, 768)])
def test_sizes_of_no_whole_macroblocks_are_cropped(start_agent, size):
    """Where the size is no multiple of 16 the stream is cropped to exactly the announced size."""
    agent = start_agent(video={"width": size[0], "height": size[1]})
    with dial(agent) as client:
        shown = client.login(PASSWORD).displays[0]
        picture = client.frame()
        assert (shown.width, shown.height) == (picture.width, picture.height) == size


def test_display_is_online(info):
    """The display is online."""
    assert info.displays[0].online


def test_cursor_is_embedded(info):
    """The target's pointer is in the picture already: clients draw none."""
    assert info.displays[0].cursor_embedded


def test_scale_does_not_divide(info):
    """The scale is 0 or 1: clients divide the width by it."""
    assert info.displays[0].scale in (0.0, 1.0)


def test_encoding_is_what_the_device_encodes(info):
    """encoding names H.264, VP8 and true colour by VP9, and nothing else: the codec menu offers what works."""
    encoding = info.encoding
    assert encoding.h264 and encoding.vp8 and not (encoding.h265 or encoding.av1)
    assert encoding.i444 == pb.CodecAbility(vp9=True)


def test_resolutions_offer_nothing_to_choose(info):
    """resolutions has the present one alone: the device cannot change the target's mode."""
    assert [(r.width, r.height) for r in info.resolutions.resolutions] == [(640, 360)]


def test_features_promise_nothing_that_is_missing(info):
    """features has neither privacy mode nor terminal."""
    assert not info.features.privacy_mode and not info.features.terminal


def test_ctrl_alt_del_is_offered(info, windows):
    """sas_enabled, which shows Ctrl+Alt+Del towards "Windows" devices, is on."""
    assert info.sas_enabled
    with dial(windows) as client:
        assert client.login(PASSWORD).sas_enabled


def test_no_choice_of_windows_sessions(info):
    """windows_sessions is unset: the client would wait for a choice."""
    assert not info.HasField("windows_sessions")


@pytest.mark.parametrize("key", ["is_wayland", "has_file_clipboard", "idd_impl", "supported_privacy_mode_impl"])
def test_platform_additions_promise_nothing(info, key):
    """platform_additions is empty or JSON without what a KVM does not have."""
    assert key not in json.loads(info.platform_additions or "{}")


def test_peer_info_is_the_first_answer_to_a_login(device):
    """LoginResponse comes before everything else that follows a login."""
    with dial(device) as client:
        client.wait_for("test_delay", 5, since=0)
        at = len(client.log)
        client.login(PASSWORD)
        client.frame()
        assert next(r.kind for r in client.log[at:] if r.kind != "test_delay") == "login_response"


def test_options_of_the_request_are_applied(device):
    """The options in LoginRequest count like ones that come later: view-only from the start."""
    with dial(device) as client:
        client.login(PASSWORD, option={"disable_keyboard": 2})
        client.frame()
        before = device.reports()
        client.tap("a")
        client.set_view_only(False)
        client.tap("b")
        rows = device.wait_reports(lambda rows: any(r[1][2] == 5 for r in rows[len(before):]), "keyboard")
        assert not any(r[1][2] == 4 for r in rows)
