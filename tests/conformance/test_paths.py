# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds on every way to the device: direct, own service, punched, same LAN, relayed; mock and real servers."""

import pytest

from peer.agent import PASSWORD
from peer.controller import LoginError
from peer.framing import frame
from peer.hands import Hands


def test_session_is_sealed_wherever_the_protocol_can(path):
    """Streams are sealed on every way but direct access, where the protocol has no key exchange."""
    with path.connect() as client:
        assert client.secure == path.secure
        assert bool(client.device_pk) == path.secure


def test_hash_is_the_first_message_of_the_session(path):
    """Hash comes first, at once, and without being asked."""
    with path.connect() as client:
        client.wait_hash(5)
        assert client.log[0].kind == "hash"


def test_login_brings_peer_info_and_a_key_picture_first(path):
    """The right password is answered by PeerInfo, and the first picture is a key picture."""
    with path.connect() as client:
        assert client.login(PASSWORD).displays
        assert client.frame().key


def test_wrong_password_keeps_the_connection_and_the_challenge(path):
    """Wrong Password leaves the connection open; the next try answers the same challenge."""
    with path.connect() as client:
        with pytest.raises(LoginError, match="^Wrong Password$"):
            client.login("guess")
        client.login(PASSWORD)
        assert len(client.received("hash")) == 1


def test_empty_password_is_met_with_silence(path):
    """The first LoginRequest without a password gets no answer: the client shows its dialog."""
    with path.connect() as client:
        client.send_login()
        client.wait_for("test_delay", 5)
        client.login(PASSWORD)
        assert len(client.received("login_response")) == 1


def test_probe_comes_before_login_and_does_not_wait_for_it(path):
    """TestDelay comes before login already."""
    with path.connect() as client:
        client.wait_for("test_delay", 5, since=0)
        assert not client.received("login_response")


def test_empty_message_after_the_handshake_does_nothing(path):
    """An empty Message is a no-op, before login and after it."""
    with path.connect() as client:
        client.wait_hash()
        client.send_empty()
        client.login(PASSWORD)
        client.send_empty()
        assert client.frame().key


def test_good_bye_before_login_ends_the_stream(path):
    """CloseReason is obeyed before login: the device closes at once."""
    with path.connect() as client:
        client.wait_hash()
        client.send_misc(close_reason="")
        client.wait_closed(5)


def test_lost_stream_releases_what_was_held(path):
    """Keys and buttons held are released when the stream just breaks."""
    with path.connect() as client:
        client.login(PASSWORD)
        client.frame()
        hands = Hands(path.agent, client)
        client.send_key("LShift")
        client.send_key("a")
        client.mouse_move(9, 9)
        client.mouse_down()
        assert hands.keys() == ["+LShift", "+a"]
        client.abort()
        path.agent.wait_reports(lambda rows: path.agent.all_released())


def test_id_of_somebody_else_is_offline(path):
    """A LoginRequest for another id is refused as Offline, and closed; direct access is dialled by address."""
    with path.connect() as client:
        client.send_login(PASSWORD, username="someone-else")
        if path.secure:
            with pytest.raises(LoginError, match="^Offline$"):
                client.wait_login(5)
            if path.name == "local":  # it takes a second
                client.wait_closed(5)
        else:
            client.wait_login(5)


def test_message_in_pieces_is_put_together(path):
    """A frame may arrive in any number of pieces."""
    with path.connect() as client:
        client.wait_hash()
        whole = _captured(client, lambda: client.send_login(PASSWORD))
        for at in range(0, len(whole), 7):
            client.conn.send_bytes(whole[at:at + 7])
        client.wait_login(5)


def _captured(client, send):
    """The bytes that `send` would have put on the wire."""
    conn, taken = client.conn, []
    real_send, conn.send_bytes = conn.send_bytes, lambda data, timeout=0: taken.append(bytes(data))
    try:
        send()
    finally:
        conn.send_bytes = real_send
    return b"".join(taken)


def test_several_messages_in_one_segment_all_count(path):
    """Messages that arrive together are all obeyed, in order."""
    with path.connect() as client:
        client.login(PASSWORD)
        client.frame()
        hands = Hands(path.agent, client)
        client.conn.send_bytes(_captured(client, lambda: client.tap("LControl", "c")))
        assert hands.keys() == ["+LControl", "+c", "-c", "-LControl"]


def test_garbage_ends_the_stream_it_came_on_alone(path):
    """What is no Message ends that stream; others go on."""
    with path.connect() as good, path.connect() as bad:
        good.login(PASSWORD)
        bad.wait_hash()
        bad.conn.send_bytes(frame(b"\xff" * 40))
        bad.wait_closed(5)
        assert good.frame().key
