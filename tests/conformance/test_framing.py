# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames on TCP: length header and payload."""

import socket

import pytest

from devices import dial
from peer import framing, pb, sockets
from peer.agent import PASSWORD


def with_header(payload, size):
    """The payload behind a header of `size` bytes, which may be longer than needed."""
    return (len(payload) << 2 | size - 1).to_bytes(size, "little") + payload


def login_request(client, **fields):
    return pb.message(login_request=pb.LoginRequest(
        username=client.username, password=client.proof(PASSWORD), my_id="1", my_name="n", version="1.4.9",
        option=pb.OptionMessage(supported_decoding=pb.SupportedDecoding(ability_h264=1)), **fields)).SerializeToString()


def headers(data):
    """(length of a header, length of its payload) of each whole frame of a stream."""
    at = 0
    while at < len(data):
        size = (data[at] & 3) + 1
        length = int.from_bytes(data[at:at + size], "little") >> 2
        yield size, length
        at += size + length


def test_headers_are_the_shortest_possible(start_agent):
    """The device uses the shortest header that holds the length: 1, 2 or 3 bytes for what it sends."""
    agent = start_agent(video={"width": 1280, "height": 720, "card_noise": 100})
    taken = []
    with dial(agent) as client:
        feed = client.conn._decoder.feed  # pylint: disable=protected-access
        client.conn._decoder.feed = lambda data: (taken.append(data), feed(data))
        client.login(PASSWORD)
        client.wait_for(lambda _: any(length > 0x3fff for _, length in headers(b"".join(taken))), 20)
    found = list(headers(b"".join(taken)))
    assert [size for size, _ in found] == [len(framing.header(length)) for _, length in found]
    assert {size for size, _ in found} == {1, 2, 3}


@pytest.mark.parametrize("size", [2, 3, 4])
def test_headers_longer_than_needed_are_read(stranger, size):
    """A header may be longer than its length needs."""
    stranger.conn.send_bytes(with_header(login_request(stranger), size))
    assert stranger.wait_login(5)


def unknown(size):
    """A Message of `size` bytes that holds nothing known."""
    for digits in (1, 2, 3):
        body = size - 2 - digits
        length = bytes((body >> 7 * i & 127) | (128 if i < digits - 1 else 0) for i in range(digits))
        if body >> 7 * digits == 0 and len(length) == digits:
            return b"\xba\x3e" + length + bytes(body)
    raise ValueError(size)


@pytest.mark.parametrize("size", [63, 64, 16383, 16384])
def test_every_form_of_header_is_read(stranger, size):
    """Payloads at each border between the forms of a header are read to their end."""
    payload = unknown(size)
    assert len(payload) == size
    stranger.send_payload(payload)
    assert stranger.login(PASSWORD)


def test_frame_may_come_byte_by_byte(stranger):
    """A frame is read also when each byte of it comes alone."""
    for byte in framing.frame(login_request(stranger)):
        stranger.conn.send_bytes(bytes([byte]))
    assert stranger.wait_login(5)


def test_frame_of_no_bytes_is_no_end_and_no_error(client):
    """A zero-length frame is neither the end of the stream nor an error."""
    for _ in range(20):
        client.conn.send_bytes(b"\0")
    assert client.frame()


def test_large_login_request_is_read(stranger):
    """A LoginRequest with an avatar of some tens of KiB is accepted."""
    stranger.send_payload(login_request(stranger, avatar="data:image/png;base64," + "A" * 50_000))
    assert stranger.wait_login(5)


def test_large_message_after_login_is_read(client):
    """After login a message of 3 MiB, as clipboard pictures are, is read and does no harm."""
    client.clipboard(bytes(3 << 20), format_=pb.CF_IMAGE_PNG)
    assert client.frame(20)


@pytest.mark.parametrize("announced", [(64 << 10) + 1, 1 << 24, (1 << 30) - 1])
def test_length_over_the_limit_ends_the_stream_before_it_costs_memory(device, announced):
    """Before login more than 64 KiB announced ends the stream at once, and is never allocated."""
    before = device.rss_kib()
    with dial(device) as client:
        client.wait_hash()
        client.conn.send_bytes(framing.header(announced) + b"x" * 100)
        client.wait_closed(5)
    assert device.rss_kib() - before < 8192


def test_sessions_do_not_wait_to_fill_segments(device, client):
    """TCP_NODELAY is set on the sockets of sessions."""
    with sockets.of_process(device.pid) as found:
        mine = [s for s in found if not s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                and s.getpeername() == client.conn.local]
        assert len(mine) == 1 and mine[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
