# SPDX-License-Identifier: GPL-3.0-or-later
"""Protobuf as clients write it: set members that are zero, empty sub-messages, what is not known here."""

import pytest

from devices import dial
from peer import pb
from peer.agent import PASSWORD


def test_zero_in_a_oneof_is_a_request(client):
    """refresh_video_display = 0 is on the wire as f8 01 00, and is obeyed."""
    assert pb.misc(refresh_video_display=0).SerializeToString() == bytes.fromhex("9a0103f80100")
    client.screen.refresh_asked(0)
    client.send_payload(bytes.fromhex("9a0103f80100"))
    assert client.key_frame(5)


def test_empty_sub_message_is_a_request(client):
    """MessageQuery for display 0 is an empty sub-message, and is answered."""
    client.send_payload(bytes.fromhex("9a0103aa0200"))
    assert client.wait_for("misc.switch_display", 5).msg.width


def test_empty_mouse_event_moves_to_the_origin(client, hands):
    """MouseEvent without any field is a move to 0,0, not an absent event."""
    client.mouse_move(200, 200)
    client.send_payload(bytes.fromhex("5200"))
    assert hands.pointer("abs")[-1][1][:5] == bytes(5)


def test_keyboard_denied_is_an_empty_permission(start_agent):
    """PermissionInfo of the keyboard switched off has no field that is not zero, and is sent all the same."""
    agent = start_agent(rustdesk={"permissions": {"keyboard": False}})
    with dial(agent) as client:
        client.wait_for(lambda r: r.kind == "misc.permission_info" and not r.msg.ByteSize(), 5, since=0)


def test_empty_probe_is_an_answer(stranger):
    """TestDelay without any field answers the device's probe."""
    stranger.echo_test_delay = False
    stranger.wait_for("test_delay", 5, since=0)
    stranger.send_payload(bytes.fromhex("2a00"))
    stranger.wait_for("test_delay", 5)


@pytest.mark.parametrize("extra", ["a83f01", "aa3f03616263", "ad3f01020304", "a93f0102030405060708"])
def test_fields_that_are_not_known_are_skipped(client, hands, extra):
    """Fields of any type that the device does not know do not keep the rest from counting."""
    client.send_payload(bytes.fromhex(extra) + pb.message(key_event=pb.KeyEvent(
        chr=38, down=True, mode=pb.KM_MAP)).SerializeToString() + bytes.fromhex(extra))
    client.send_key("a", False)
    assert hands.typed() == ["a"]


def test_messages_that_are_not_known_are_skipped(client):
    """Members of Message that the device does not know are no error."""
    client.send_payload(bytes.fromhex("c23e021234"))
    client.send_payload(bytes.fromhex("9a0104c23e0112"))
    assert client.frame()


@pytest.mark.parametrize("modifiers", ["42021d04", "401d4004"], ids=["packed", "one by one"])
def test_repeated_numbers_come_packed_or_not(client, hands, modifiers):
    """Modifiers count whether they are packed, as stock sends them, or one by one."""
    client.send_payload(bytes.fromhex("7a08" + "08012061" + modifiers))
    client.send_payload(bytes.fromhex("7a08" + "08002061" + modifiers))
    assert hands.typed() == ["LControl+LShift+a"]


def test_negative_enum_takes_ten_bytes(client, hands):
    """A negative mode, which takes ten bytes on the wire, is Legacy like any unknown one."""
    client.send_payload(bytes.fromhex("7a0f" + "1001" + "2071" + "48ffffffffffffffffff01"))
    assert hands.typed() == ["q"]


def test_zigzag_numbers_are_read(client, hands):
    """Coordinates are zig-zag: 520610800f18b808 is a move to 960,540, clamped to this picture."""
    client.send_payload(bytes.fromhex("520610800f18b808"))
    assert hands.pointer("abs")[-1][1][1:5] == b"\xff\x7f\xff\x7f"


def test_samples_of_mouse_events_mean_what_they_say(client, hands):
    """52020809 presses the left button; 520408031801 is one notch down."""
    client.mouse_move(1, 1)
    hands.rows()
    client.send_payload(bytes.fromhex("52020809"))
    assert hands.pointer("abs")[-1][1][0] == 1
    client.send_payload(bytes.fromhex("520408031801"))
    assert hands.wheel() == (-1, 0)
    client.mouse_up()
    assert hands.pointer("abs")[-1][1][0] == 0


def test_login_request_of_hostile_depth_is_refused(device):
    """A message of endless nesting ends its stream and nothing else."""
    payload = b""
    for _ in range(3000):
        payload = b"\x12" + _varint(len(payload)) + payload
    with dial(device) as bad, dial(device) as good:
        bad.wait_hash()
        bad.send_payload(b"\xb2\x01" + _varint(len(payload)) + payload)
        assert good.login(PASSWORD)


def _varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])
