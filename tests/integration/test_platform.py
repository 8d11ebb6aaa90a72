# SPDX-License-Identifier: GPL-3.0-or-later
"""What the platform decides: each key as a client sends it to that platform, and the report the target gets."""

import pytest

from peer import keys
from peer.agent import PASSWORD, VERSION
from peer.controller import Controller

PLATFORMS = ["Linux", "Windows"]
LOCKS = ("CapsLock", "NumLock")
MODIFIERS = {name: 1 << keys.hid(name) - 0xE0 for name in keys.MODIFIERS}


@pytest.fixture(name="device", params=PLATFORMS)
def fixture_device(request, start_agent):
    """(agent, client logged in, platform)."""
    agent = start_agent(rustdesk={"platform": request.param})
    with Controller.direct("127.0.0.1", agent.port) as client:
        client.login(PASSWORD)
        assert client.peer_info.platform == request.param
        assert client.peer_info.version == VERSION
        client.frame()
        yield agent, client, request.param


def press(client, platform, name, down):
    """In Map mode, as a client does it for that platform."""
    if platform == "Linux":
        client.send_key(keys.x11(name), down)
    elif name == "Pause":
        # Since 1.4.8; it has no scan code of its own.
        client.control_key("Pause", down=down)
    else:
        client.send_set1(name, down)


def test_each_key_reaches_the_target(device):
    agent, client, platform = device
    names = [name for name in keys.KEYS if name not in LOCKS]
    want = []
    for name in names:
        press(client, platform, name, True)
        press(client, platform, name, False)
        usage = keys.hid(name)
        want.append(bytes([MODIFIERS[name], 0, 0, 0, 0, 0, 0, 0]) if name in MODIFIERS
                    else bytes([0, 0, usage, 0, 0, 0, 0, 0]))
        want.append(bytes(8))
    rows = [data for _, data in agent.wait_reports(lambda rows: len(rows) >= len(want), "keyboard", timeout=60)]
    start = rows.index(want[0])
    for i, name in enumerate(names):
        assert rows[start + 2 * i:start + 2 * i + 2] == want[2 * i:2 * i + 2], name


def test_ctrl_alt_del_as_the_menu_sends_it(device):
    agent, client, _ = device
    client.ctrl_alt_del()
    held = bytes([MODIFIERS["LControl"] | MODIFIERS["LAlt"], 0, keys.hid("Delete"), 0, 0, 0, 0, 0])
    rows = agent.wait_reports(lambda rows: rows and ("keyboard", held) in rows and rows[-1][1] == bytes(8), "keyboard")
    assert ("keyboard", held) in rows


def test_media_keys(device):
    agent, client, platform = device
    for x11, set1 in keys.MEDIA.values():
        code = x11 if platform == "Linux" else set1
        client.send_key(code, True)
        client.send_key(code, False)
    rows = agent.wait_reports(lambda rows: len(rows) >= 6, "control")
    assert len({data for _, data in rows}) == 4  # three keys, and none


def test_trackpad_is_scaled_as_the_platform_wants(device):
    agent, client, platform = device
    # One notch: towards Linux clients count lines, towards Windows 1/120.
    client.mouse_trackpad(vertical=1 if platform == "Linux" else 120)
    first = agent.wait_reports(lambda rows: rows)
    client.mouse_wheel(vertical=1)
    rows = agent.wait_reports(lambda rows: len(rows) > len(first))
    assert len(first) == 1 and rows == 2 * first


def test_pointer_at_the_far_corner_stays_inside(device):
    agent, client, platform = device
    # Towards Windows the client's pointer may stand one pixel outside.
    beyond = 1 if platform == "Windows" else 0
    client.mouse_move(639 + beyond, 359 + beyond)
    rows = agent.wait_reports(lambda rows: rows, "abs")
    x, y = int.from_bytes(rows[-1][1][1:3], "little"), int.from_bytes(rows[-1][1][3:5], "little")
    assert (x, y) == (32767, 32767)


def test_relative_moves(device):
    agent, client, _ = device
    client.mouse_relative(0, 0)  # how the client begins
    client.mouse_relative(5, -7)
    agent.wait_reports(lambda rows: rows, "rel")


def test_nothing_is_offered_that_is_not_there(device):
    _, client, _ = device
    info = client.peer_info
    # Elevation is hidden by this, Ctrl+Alt+Del shown.
    assert info.sas_enabled
    # With 1.4.1 and later a client goes by these, not by the version.
    assert not info.features.terminal and not info.features.privacy_mode
    # No camera, no file clipboard, no virtual displays, no Wayland.
    assert info.platform_additions in ("", "{}")
    assert not info.HasField("windows_sessions")
    assert len(info.resolutions.resolutions) == 1
    # Clipboard, blocked input and privacy mode are taken away.
    for permission in (2, 7, 8):
        assert client.permissions[permission] is False
