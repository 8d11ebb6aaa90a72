# SPDX-License-Identifier: GPL-3.0-or-later
"""Every entry of a stock client's menus: what the device answers leaves the menu showing the true state."""

import pytest

from peer import pb
from peer.agent import PASSWORD
from peer.controller import Controller, LoginError
from peer.controls import LEFT, supported_decoding


def connect(agent, **kw):
    return Controller.direct("127.0.0.1", agent.port, **kw)


@pytest.fixture(name="client")
def fixture_client(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        yield client
        # Whatever was asked, pictures go on.
        client.pictures.clear()
        client.frame()


def test_menus_of_what_a_kvm_has_not_are_hidden(client):
    # Clipboard, audio, file, restart, block input, privacy mode.
    assert {n for n, on in client.permissions.items() if not on} == {2, 3, 4, 5, 7, 8}
    assert not client.peer_info.features.privacy_mode and not client.peer_info.features.terminal
    assert len(client.peer_info.resolutions.resolutions) == 1
    assert client.displays[0].cursor_embedded, "else the cursor's menu is shown"
    encoding = client.peer_info.encoding
    assert (encoding.h264, encoding.h265, encoding.vp8, encoding.av1) == (True, False, True, False)
    # No virtual displays, no file clipboard, no privacy modes, no camera.
    assert client.peer_info.platform_additions in ("", "{}")
    # "Insert Ctrl+Alt+Del" is there, "Request Elevation" is not.
    assert client.peer_info.sas_enabled


def test_block_input(client):
    client.block_input(True)
    assert client.menu.input_blocked
    client.fence()
    assert not client.menu.input_blocked
    assert "KVM" in client.received("misc.back_notification")[0].details
    # A client that believes otherwise is put right without a word.
    client.block_input(False)
    client.menu.input_blocked = True
    client.fence()
    assert not client.menu.input_blocked
    assert client.received("misc.back_notification")[1].details == ""


@pytest.mark.parametrize("impl_key", ["privacy_mode_impl_mag", None])
@pytest.mark.parametrize("on", [True, False])
def test_privacy_mode(client, impl_key, on):
    client.menu.privacy_mode = not on
    client.privacy_mode(on, impl_key)
    client.fence()
    assert not client.menu.privacy_mode
    answer, = client.received("misc.back_notification")
    assert answer.impl_key == (impl_key or "") and answer.privacy_mode_state == 3


@pytest.mark.parametrize("impl_key", [b"\xc3\x28", b"k" * 65])
def test_privacy_mode_by_a_name_that_is_none(client, impl_key):
    toggle = b"\x0a" + bytes([len(impl_key)]) + impl_key
    misc = b"\x8a\x02" + bytes([len(toggle)]) + toggle
    client.send_payload(b"\x9a\x01" + bytes([len(misc)]) + misc)
    client.fence()
    assert client.received("misc.back_notification")[0].impl_key == ""


def test_elevation(client):
    client.elevation()
    client.fence()
    assert client.menu.elevation == "refused: No need to elevate"
    client.elevation("Administrator", "s3cret-word")
    client.fence()
    assert client.menu.elevation.startswith("refused")


def test_voice_call(client):
    client.voice_call()
    assert client.menu.voice_call == "waiting"
    client.fence()
    assert client.menu.voice_call == "none" and "call" in client.menu.boxes[0][1]
    client.voice_call(timestamp=0)
    client.fence()
    assert client.menu.voice_call == "none"
    # Hanging up has no answer; speech nobody asked for is ignored.
    client.voice_call(connect=False)
    client.send_misc(audio_format=pb.AudioFormat(sample_rate=48000, channels=2))
    client.send(audio_frame=pb.AudioFrame(data=b"x" * 1000))
    client.fence()
    assert len(client.menu.boxes) == 2 and len(client.received("voice_call_response")) == 2


def test_restart_without_a_wire(client):
    client.restart_remote()
    client.fence()
    (title, text), = client.menu.boxes
    assert title == "Restart remote device" and "reset" in text


def test_switch_sides(agent, client):
    client.switch_sides()
    client.fence()
    assert client.menu.boxes[0][0] == "Switch Sides"
    # The answer of the other direction holds a login: it is none.
    with connect(agent) as stranger:
        stranger.wait_hash()
        stranger.send(switch_sides_response=pb.SwitchSidesResponse(
            uuid=bytes(16), lr=pb.LoginRequest(username=agent.id, my_id="1", my_name="x")))
        stranger.fence()
        assert not stranger.received("login_response")
        with pytest.raises(LoginError, match="Wrong Password"):
            stranger.login("guess")


@pytest.mark.parametrize("display", [None, 0])
@pytest.mark.parametrize("size", [(1920, 1080), (640, 360), (0, 0), (-1, 2**31 - 1)])
def test_size_is_what_the_target_makes_it(client, display, size):
    client.menu.wished_size = size
    client.change_resolution(*size, display=display)
    told = client.wait_for("misc.switch_display", 10).msg
    assert (told.display, told.width, told.height, told.cursor_embedded) == (0, 640, 360, True)
    assert len(told.resolutions.resolutions) == 1
    assert client.menu.wished_size is None


def test_other_displays_are_not_there(client):
    client.change_resolution(800, 600, display=1)
    client.switch_display(1)
    client.message_query(7)
    client.fence()
    assert not client.received("misc.switch_display")
    client.toggle_virtual_display(1, True)
    client.fence()
    assert client.menu.boxes[0][0] == "Virtual display"


def test_codec_that_is_not_sent(start_agent):
    agent = start_agent(video={"codecs": "h264"})
    with connect(agent) as client:
        client.login(PASSWORD)
        client.set_option(supported_decoding=supported_decoding(prefer=1))
        client.fence()
        assert client.menu.boxes == [("Codec", "This device does not send what you chose")]
        client.set_option(supported_decoding=supported_decoding(prefer=1))
        client.set_option(supported_decoding=supported_decoding(prefer=2))
        client.set_option(supported_decoding=supported_decoding(prefer=0))
        client.fence()
        assert len(client.menu.boxes) == 1


def test_choices_of_earlier_sessions_do_not_nag(agent):
    with connect(agent) as client:
        client.login(PASSWORD, prefer=1, option={"show_my_cursor": 2, "disable_keyboard": 2, "show_remote_cursor": 2,
                                                 "follow_remote_cursor": 2, "follow_remote_window": 2,
                                                 "disable_audio": 2, "disable_clipboard": 2})
        client.frame()
        client.fence()
        assert not client.menu.boxes


def test_view_only_and_its_cursor(agent, client):
    client.set_view_only(True)
    client.set_option(show_my_cursor=True)
    client.fence()
    assert client.menu.boxes[0][0] == "Show my cursor"
    client.mouse_move(100, 100)
    client.click(10, 10, LEFT)
    client.tap("a")
    client.fence()
    assert not [r for r in agent.reports() if any(r[1])]


def test_options_that_mean_nothing_here_are_taken_in_silence(client):
    before = len(client.log)
    for name in ("show_remote_cursor", "follow_remote_cursor", "follow_remote_window", "disable_audio",
                 "disable_clipboard", "enable_file_transfer", "disable_camera", "terminal_persistent"):
        client.set_option(**{name: True})
        client.set_option(**{name: False})
    client.record_status(True)
    client.record_status(False)
    client.clipboard(b"secret" * 10000)
    client.clipboard(b"\x28\xb5\x2f\xfd" + b"\xff" * 100, compress=True, multi=False)
    client.send_misc(selected_sid=1)
    client.send_misc(stop_service=True)
    client.send_misc(uac=True)
    client.send_misc(portable_service_running=True)
    client.fence()
    assert {r.kind for r in client.log[before:]} <= {"test_delay", "video_frame"}


def locked(agent):
    """Whether the target saw left GUI and L together."""
    return any(b[0] == 0x08 and b[2] == 0x0f for f, b in agent.reports("keyboard"))


@pytest.mark.parametrize("end", ["close", "abort", "stop"])
def test_target_is_locked_after_the_session(agent, end):
    with connect(agent) as client:
        client.login(PASSWORD, option={"lock_after_session_end": 2})
        client.frame()
        client.send_key("LControl")
        agent.wait_reports(lambda rows: any(r[1][0] for r in rows), "keyboard")
        {"close": client.close, "abort": client.abort, "stop": agent.stop}[end]()
    agent.wait_reports(lambda _: locked(agent), "keyboard")
    # What was held was let go of before: GUI+L alone.
    agent.wait_reports(lambda rows: not any(rows[-1][1]), "keyboard")


def test_target_is_not_locked_when_not_chosen_or_not_permitted(agent):
    with connect(agent) as client:
        client.login(PASSWORD, option={"lock_after_session_end": 2})
        client.set_option(lock_after_session_end=False)
        client.frame()
        client.close()
    with connect(agent) as client:
        client.login(PASSWORD, option={"lock_after_session_end": 2, "disable_keyboard": 2})
        client.frame()
        client.close()
    agent.wait_log("session: end ", count=2)
    assert not locked(agent)


@pytest.mark.parametrize("change", [{"my_id": "555666777"}, {"file_transfer": pb.FileTransfer(dir="/")},
                                    {"terminal": pb.Terminal(service_id="")}, {"view_camera": pb.ViewCamera()},
                                    {"port_forward": pb.PortForward(host="", port=22)}])
def test_another_request_than_the_first_is_not_allowed(agent, change):
    with connect(agent) as client:
        client.send_login()
        with pytest.raises(LoginError, match="^Connection not allowed$"):
            client.login(PASSWORD, **change)
        client.wait_closed(10)
    with connect(agent) as client:
        client.login_like_dialog(PASSWORD)
