# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of menus: what a KVM does, and the answers that leave a menu in the true state where it does not."""

import io
import itertools

import pytest
from PIL import Image

from devices import dial, logged_in
from peer import pb
from peer.agent import PASSWORD
from peer.hands import Hands

PRV_NOT_SUPPORTED, BLOCK_ON_FAILED, BLOCK_OFF_SUCCEEDED = 3, 3, 4


def test_block_input_flips_back(client):
    """Block input is refused with a state, and words, that flip the menu back."""
    client.block_input(True)
    msg = client.wait_for("misc.back_notification", 5).msg
    assert msg.block_input_state == BLOCK_ON_FAILED and msg.details


def test_unblock_input_is_true_already(client):
    """Asked to unblock input the device says that it is not blocked."""
    client.block_input(False)
    assert client.wait_for("misc.back_notification", 5).msg.block_input_state == BLOCK_OFF_SUCCEEDED


@pytest.mark.parametrize("key", ["privacy_mode_impl_mag", "privacy_mode_impl_virtual_display", ""])
@pytest.mark.parametrize("on", [True, False])
def test_privacy_mode_is_not_supported(client, key, on):
    """Privacy mode is answered as not supported, with the client's key repeated."""
    client.privacy_mode(on, key)
    msg = client.wait_for("misc.back_notification", 5).msg
    assert msg.privacy_mode_state == PRV_NOT_SUPPORTED and msg.impl_key == key


def test_privacy_mode_of_old_clients(client):
    """Clients before 1.2.4 ask by an option, and get the same answer."""
    client.privacy_mode(True, None)
    assert client.wait_for("misc.back_notification", 5).msg.privacy_mode_state == PRV_NOT_SUPPORTED


@pytest.mark.parametrize("credentials", [(), ("admin", "secret")])
def test_elevation_is_not_needed(client, credentials):
    """A request for elevation is answered with words: an empty answer would leave the client waiting."""
    client.elevation(*credentials)
    assert client.wait_for("misc.elevation_response", 5).msg == "No need to elevate"


def test_voice_call_is_declined(client):
    """A voice call is answered with accepted=false and the client's own timestamp."""
    stamp = client.voice_call(timestamp=1234567890123)
    msg = client.wait_for("voice_call_response", 5).msg
    assert not msg.accepted and msg.req_timestamp == stamp and msg.ack_timestamp > 1600000000000


def test_hanging_up_needs_no_answer(client):
    """Hanging up a call is not answered."""
    client.voice_call(connect=False)
    client.voice_call(timestamp=7)
    client.wait_for("voice_call_response", 5)
    assert len(client.received("voice_call_response")) == 1


def test_screenshot_is_a_png_of_the_screen(start_agent):
    """A screenshot is answered with the client's sid, no error, and a PNG of the picture's size."""
    with logged_in(start_agent()) as client:
        client.screenshot(0, "sid-1")
        msg = client.wait_for("screenshot_response", 15).msg
        assert (msg.sid, msg.msg) == ("sid-1", "")
        assert Image.open(io.BytesIO(msg.data)).size == (640, 360)


def test_screenshot_of_another_display_is_refused_in_words(client):
    """A screenshot of a display that is not there is answered with the sid and an error, which frees the button."""
    client.screenshot(3, "sid-3")
    msg = client.wait_for("screenshot_response", 5).msg
    assert msg.sid == "sid-3" and msg.msg and not msg.data


def box(client):
    """The message box that the device shows."""
    return client.wait_for("message_box", 5).msg


@pytest.mark.parametrize("ask", ["restart_remote", "switch_sides", "toggle_virtual_display"])
def test_what_a_kvm_has_not_is_said_in_a_box(client, ask):
    """Requests without an answer of their own are answered by a box that can be closed and does not end the session."""
    getattr(client, ask)(*((1, True) if ask == "toggle_virtual_display" else ()))
    msg = box(client)
    assert msg.text and "nocancel" in msg.msgtype and "hasclose" in msg.msgtype and not msg.link
    assert client.frame()


def test_chosen_codec_that_is_not_sent_is_said_in_a_box(start_agent):
    """A client whose user chose a codec that the configuration forbids is told so; the picture goes on."""
    agent = start_agent(video={"codecs": "h264"})
    with dial(agent) as client:
        client.login(PASSWORD)
        client.set_decoding(("vp9s", "h264s"), prefer=pb.PREFER_VP9)
        assert "does not send" in box(client).text
        assert client.frame().codec == "h264s"


def test_chat_goes_to_the_other_controllers(device, client):
    """A line of chat goes to the other controllers."""
    with logged_in(device) as other:
        client.chat("hello there")
        assert "hello there" in other.wait_for("misc.chat_message", 5).msg.text


def test_chat_answers_help(client):
    """/help is answered in the chat."""
    client.chat("/help")
    assert "help" in client.wait_for("misc.chat_message", 5).msg.text


@pytest.mark.parametrize("option", [
    {"lock_after_session_end": 1}, {"show_remote_cursor": 2}, {"disable_audio": 2}, {"disable_clipboard": 2},
    {"enable_file_transfer": 2}, {"follow_remote_cursor": 2}, {"follow_remote_window": 2}, {"disable_camera": 2},
    {"terminal_persistent": 2}], ids=lambda o: next(iter(o)))
def test_options_of_no_concern_are_accepted_silently(client, option):
    """Options that do not concern a KVM are accepted without a word."""
    client.send_misc(option=pb.OptionMessage(**option))
    client.expect_silence(0.2, but=("test_delay", "video_frame"))


def test_session_can_lock_the_target_at_its_end(device, client):
    """With lock_after_session_end the target gets Meta and L when the session ends."""
    hands = Hands(device, client)
    client.set_option(lock_after_session_end=True)
    hands.keys()
    client.close()
    device.wait_log("session: end")
    rows = device.wait_reports(lambda rows: any(0x0f in r[1][2:] for r in rows[hands.at:]), "keyboard")
    assert any(r[1][0] == 8 and 0x0f in r[1][2:] for r in rows)
    device.wait_reports(lambda rows: device.all_released())


IGNORED = {
    "uac": pb.misc(uac=True), "foreground window": pb.misc(foreground_window_elevated=True),
    "portable service": pb.misc(portable_service_running=True), "stop service": pb.misc(stop_service=True),
    "switch back": pb.misc(switch_back=pb.SwitchBack()), "selected session": pb.misc(selected_sid=3),
    "plugin request": pb.misc(plugin_request=pb.PluginRequest(id="x")),
    "follow display": pb.misc(follow_current_display=1), "supported encoding": pb.misc(
        supported_encoding=pb.SupportedEncoding(vp8=True)),
    "back notification": pb.misc(back_notification=pb.BackNotification(privacy_mode_state=4)),
    "permission": pb.misc(permission_info=pb.PermissionInfo(permission=2, enabled=True)),
    "elevation answer": pb.misc(elevation_response="x"), "audio format": pb.misc(audio_format=pb.AudioFormat()),
    "nothing": pb.misc(), "hash": pb.message(hash=pb.Hash(salt="x")), "video": pb.message(video_frame=pb.VideoFrame()),
    "login answer": pb.message(login_response=pb.LoginResponse(error="x")),
    "peer info": pb.message(peer_info=pb.PeerInfo()), "code": pb.message(auth_2fa=pb.Auth2FA(code="1")),
    "signed id": pb.message(signed_id=pb.SignedId()), "public key": pb.message(public_key=pb.PublicKey()),
    "cursor": pb.message(cursor_data=pb.CursorData()), "cursor id": pb.message(cursor_id=4),
    "cursor position": pb.message(cursor_position=pb.CursorPosition(x=1)),
    "clipboard": pb.message(clipboard=pb.Clipboard(content=b"x", compress=True)),
    "clipboards": pb.message(multi_clipboards=pb.MultiClipboards(clipboards=[pb.Clipboard(content=b"x")])),
    "file clipboard": b"\xa2\x01\x00", "message box": pb.message(message_box=pb.MessageBox(text="x")),
    "call answer": pb.message(voice_call_response=pb.VoiceCallResponse(accepted=True)),
    "screenshot answer": pb.message(screenshot_response=pb.ScreenshotResponse(sid="x")),
    "sides answer": pb.message(switch_sides_response=pb.SwitchSidesResponse()),
    "audio": pb.message(audio_frame=pb.AudioFrame(data=b"x")),
    "file action": pb.message(file_action=pb.FileAction(read_dir=pb.ReadDir(path="/"))),
    "file response": pb.message(file_response=pb.FileResponse()),
    "terminal": pb.message(terminal_action=pb.TerminalAction()),
    "terminal answer": pb.message(terminal_response=pb.TerminalResponse()), "empty": pb.Message(),
}


@pytest.mark.parametrize("name", IGNORED)
def test_messages_that_are_not_for_a_kvm_are_ignored(client, name):
    """Messages for other kinds of devices or sessions, and those only devices send, are ignored: no answer, no end."""
    message, at = IGNORED[name], len(client.log)
    client.send_payload(message if isinstance(message, bytes) else message.SerializeToString())
    client.send(test_delay=pb.TestDelay(time=8, from_client=True))
    client.wait_for(lambda r: r.kind == "test_delay" and r.msg.time == 8, 5)
    assert {r.kind for r in client.log[at:]} <= {"test_delay", "video_frame"}


def test_compressed_clipboard_is_not_unpacked(device, client):
    """Compressed content is never unpacked: a bomb costs nothing."""
    bomb = bytes.fromhex("28b52ffda0ffffff7f") + b"\x55\x00\x00\x00" * 10000
    before = device.rss_kib()
    for _ in range(20):
        client.clipboard(bomb, compress=True)
    assert client.frame() and device.rss_kib() - before < 20_000


def test_what_may_not_be_done_is_not_done(start_agent):
    """What a password does not open is announced after login and not done, whatever is asked."""
    agent = start_agent(rustdesk={"permissions": {"keyboard": False, "power": False}})
    with logged_in(agent) as client:
        assert client.permissions[0] is False and client.permissions[5] is False
        client.restart_remote()
        client.ctrl_alt_del()
        client.input_string("text")
        client.mouse_wheel(3)
        client.run(0.3)
        assert agent.reports() == []


SCOPES = [{"my_id": "555444333"}, {"file_transfer": pb.FileTransfer(dir="/")}, {"terminal": pb.Terminal()}]


@pytest.mark.parametrize("other", SCOPES, ids=["another id", "files", "terminal"])
def test_connection_cannot_change_what_it_is(stranger, other):
    """A second LoginRequest of another id or kind on a connection is not allowed, and ends it."""
    stranger.send_login("guess")
    stranger.wait_for("login_response", 5)
    stranger.send_login("guess", **other)
    reply = stranger.wait_for("login_response", 5).msg
    assert reply.error == "Connection not allowed"
    if "terminal" in other:  # it takes a second
        stranger.wait_closed(5)


def test_all_messages_of_the_protocol_were_tried():
    """Every member of Message has a test: it is handled, or in the list of those that are ignored."""
    handled = {"test_delay", "login_request", "mouse_event", "key_event", "misc", "pointer_device_event",
               "voice_call_request", "screenshot_request", "login_response", "cliprdr"}
    tried = {m.WhichOneof("union") for m in IGNORED.values() if not isinstance(m, bytes)}
    names = set(itertools.chain(pb.Message.DESCRIPTOR.oneofs_by_name["union"].fields))
    assert {f.name for f in names} - handled - tried == set()
