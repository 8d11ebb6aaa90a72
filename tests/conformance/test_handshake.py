# SPDX-License-Identifier: GPL-3.0-or-later
"""Key exchange and sealing, on the session port of the device's own service: a stream like a punched one."""

import os
import re

import pytest
from nacl import bindings as sodium

from devices import SERVE
from peer import handshake, pb
from peer.agent import PASSWORD
from peer.conn import Conn, PeerClosed
from peer.controller import Controller
from peer.framing import frame
from peer.keys import x11

REFUSAL = "This device accepts encrypted sessions only"




@pytest.fixture(scope="module", name="strict")
def fixture_strict(run_agent):
    return _serve(run_agent)


@pytest.fixture(scope="module", name="lenient")
def fixture_lenient(run_agent):
    return _serve(run_agent, encryption="optional")


def _serve(run_agent, **rustdesk):
    agent = run_agent(rustdesk={"serve": SERVE, **rustdesk})
    request = pb.PunchHoleRequest(id=agent.id, licence_key=re.search(r"\?key=(\S{44})", agent.log).group(1))
    with Conn.connect("127.0.0.1", agent.serve_port, timeout=5) as conn:
        conn.send_msg(pb.rendezvous(punch_hole_request=request))
        answer = conn.recv_msg(pb.RendezvousMessage, 5).punch_hole_response
    agent.session_port = int(answer.relay_server.rpartition(":")[2])
    key = re.search(r"device-key key=(\S{44})", agent.log).group(1)
    agent.device_pk = handshake.decode_server_key(key)
    return agent


def stream(agent):
    return Conn.connect("127.0.0.1", agent.session_port, timeout=5)


def read_signed_id(conn):
    return conn.recv_msg(pb.Message, 5).signed_id.id


def exchange(agent, key=None, box_secret=None):
    """A stream after the key exchange, not sealed by us yet, and the key."""
    conn, key = stream(agent), key or os.urandom(32)
    box = handshake.verify_id_pk(read_signed_id(conn), agent.device_pk)[1]
    conn.send_msg(pb.message(public_key=handshake.make_public_key(box, key, box_secret)))
    return conn, key


def sealed(agent):
    conn, key = exchange(agent)
    conn.seal(key)
    return Controller(conn, agent.id, path="session port")


def nonce(count):
    return count.to_bytes(8, "little") + bytes(16)


def test_device_speaks_first_with_a_signed_id(strict):
    """The device sends SignedId at once, in the clear, before anything else."""
    with stream(strict) as conn:
        assert conn.recv_msg(pb.Message, 5).WhichOneof("union") == "signed_id"


def test_signed_id_is_signed_in_combined_form_by_the_devices_key(strict):
    """SignedId is signature and IdPk in one piece, signed with the device's registered Ed25519 key."""
    with stream(strict) as conn:
        signed = read_signed_id(conn)
        plain = sodium.crypto_sign_open(signed, strict.device_pk)
        assert len(signed) == 64 + len(plain) and signed[64:] == plain


def test_signed_id_holds_the_id_and_a_box_key(strict):
    """IdPk holds the device's own id and a Curve25519 key, which is not the signing key."""
    with stream(strict) as conn:
        id_, box = handshake.verify_id_pk(read_signed_id(conn), strict.device_pk)
        assert id_ == strict.id and len(box) == 32 and box != strict.device_pk


def test_box_key_is_another_one_each_time(strict):
    """Every stream has a box key pair of its own."""
    with stream(strict) as one, stream(strict) as two:
        assert handshake.verify_id_pk(read_signed_id(one), strict.device_pk)[1] != \
            handshake.verify_id_pk(read_signed_id(two), strict.device_pk)[1]


def test_sealing_starts_with_the_message_after_public_key(strict):
    """What follows PublicKey is sealed, first of all the Hash, which has nonce 1; TestDelay and the rest count on."""
    conn, key = exchange(strict)
    with conn:
        kinds = []
        for count in range(1, 9):
            payload = conn.recv_frame(5)
            plain = sodium.crypto_secretbox_open(payload, nonce(count), key)
            assert len(payload) == len(plain) + 16
            kinds.append(pb.Message.FromString(plain).WhichOneof("union"))
        assert kinds[0] == "hash" and "test_delay" in kinds


def test_first_sealed_frame_of_the_client_has_nonce_1(strict):
    """The client's counter is its own and starts before 1 as well: its first frame has nonce 1, the next 2."""
    with sealed(strict) as client:
        client.wait_hash()
        for count in (1, 2):
            echo = pb.message(test_delay=pb.TestDelay(time=count, from_client=True)).SerializeToString()
            client.conn.send_bytes(frame(sodium.crypto_secretbox(echo, nonce(client.conn._tx.count + 1), _key(client))))
            client.conn._tx.count += 1  # pylint: disable=protected-access
            client.wait_for(lambda r, n=count: r.kind == "test_delay" and r.msg.from_client and r.msg.time == n, 5,
                            since=0)


def _key(client):
    return client.conn._tx._key  # pylint: disable=protected-access


def test_same_key_both_ways(strict):
    """One key serves both directions."""
    with sealed(strict) as client:
        client.login(PASSWORD)
        assert client.frame().key


def test_empty_frame_does_not_count(strict):
    """A frame without bytes is not sealed and does not advance the counter."""
    with sealed(strict) as client:
        client.wait_hash()
        for _ in range(3):
            client.conn.send_bytes(b"\0")
        client.login(PASSWORD)


def test_device_sends_no_frame_that_would_not_be_sealed(strict):
    """Once sealed the device never sends a frame of one byte or none."""
    with sealed(strict) as client:
        sizes, take = [], client.conn._decoder.next  # pylint: disable=protected-access

        def counted():
            payload = take()
            if payload is not None:
                sizes.append(len(payload))
            return payload

        client.conn._decoder.next = counted
        client.login(PASSWORD)
        client.run(1.2)
        assert len(sizes) > 5 and min(sizes) >= 16


@pytest.mark.parametrize("payload", [b"\0" * 15, b"\0" * 40, None], ids=["too short", "forged", "replayed"])
def test_frame_that_does_not_open_ends_the_stream(strict, payload):
    """A frame that does not open ends the stream: nothing is taken unsealed or twice."""
    with sealed(strict) as client:
        client.wait_hash()
        if payload is None:
            once = frame(client.conn._tx.seal(pb.Message(  # pylint: disable=protected-access
                test_delay=pb.TestDelay(time=1, from_client=True)).SerializeToString()))
            client.conn.send_bytes(once + once)
        else:
            client.conn.send_bytes(frame(payload))
        client.wait_closed(5)


def test_plain_message_after_the_exchange_ends_the_stream(strict):
    """After the exchange nothing is taken in the clear."""
    with sealed(strict) as client:
        client.wait_hash()
        client.conn.send_bytes(frame(pb.message(misc=pb.Misc(close_reason="x")).SerializeToString()))
        with pytest.raises(PeerClosed):
            client.run(5)


def expect_plain(agent, conn, optional):
    """Without encryption: goes on in the clear when that is allowed, else is told why not."""
    client = Controller(conn, agent.id)
    if optional:
        client.login(PASSWORD)
        assert client.frame().key and not client.secure
    else:
        assert client.wait_for("login_response", 5).msg.error.startswith(REFUSAL)
        assert client.hash is None


@pytest.fixture(name="plain", params=["required", "optional"])
def fixture_plain(request, strict, lenient):
    """A stream, and what to expect when no key is agreed on."""
    agent = lenient if request.param == "optional" else strict
    with stream(agent) as conn:
        yield conn, lambda: expect_plain(agent, conn, request.param == "optional")


def test_empty_message_means_no_encryption(plain):
    """The empty Message, a frame of no bytes, is a client without the key: in the clear if allowed, else refused."""
    conn, expect = plain
    read_signed_id(conn)
    conn.send_bytes(b"\0")
    expect()


def test_empty_message_may_come_before_signed_id_is_read(plain):
    """A client without the key sends its empty Message before it reads anything, and ignores SignedId later."""
    conn, expect = plain
    conn.send_bytes(b"\0")
    expect()


def test_refusal_for_want_of_encryption_ends_the_stream(strict):
    """A client that is refused because it does not encrypt is hung up on."""
    with stream(strict) as conn:
        conn.send_bytes(b"\0")
        conn.wait_closed(5)


def test_other_message_means_no_encryption(plain):
    """Any other message instead of PublicKey is a client that will not encrypt."""
    conn, expect = plain
    read_signed_id(conn)
    conn.send_msg(pb.message(test_delay=pb.TestDelay()))
    expect()


def test_empty_public_key_means_no_encryption(plain):
    """PublicKey without a key is a client that knows another key of this device."""
    conn, expect = plain
    read_signed_id(conn)
    conn.send_bytes(bytes.fromhex("082200"))
    expect()


def aborted(conn):
    with pytest.raises(PeerClosed):
        while True:
            assert conn.recv_msg(pb.Message, 5).WhichOneof("union") == "signed_id"


def test_what_is_no_message_aborts_the_exchange(lenient):
    """A frame that does not parse aborts the stream, also where encryption is optional."""
    with stream(lenient) as conn:
        conn.send_frame(b"\xff\xff\xff\xff\xff")
        aborted(conn)


@pytest.mark.parametrize("size", [1, 31, 33, 64])
def test_public_key_of_another_size_aborts(lenient, size):
    """A client's key that is neither empty nor 32 bytes aborts the stream."""
    with stream(lenient) as conn:
        conn.send_msg(pb.message(public_key=pb.PublicKey(asymmetric_value=b"k" * size, symmetric_value=bytes(48))))
        aborted(conn)


@pytest.mark.parametrize("value", [b"", bytes(47), bytes(48), bytes(49)], ids=len)
def test_sealed_key_that_does_not_open_aborts(lenient, value):
    """A symmetric key that does not open aborts the stream: there is no falling back to the clear."""
    with stream(lenient) as conn:
        public = sodium.crypto_scalarmult_base(b"2" * 32)
        conn.send_msg(pb.message(public_key=pb.PublicKey(asymmetric_value=public, symmetric_value=value)))
        aborted(conn)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_sealed_key_of_another_size_aborts(lenient, size):
    """A symmetric key that opens but is not 32 bytes long aborts the stream."""
    with stream(lenient) as conn:
        box = handshake.verify_id_pk(read_signed_id(conn), lenient.device_pk)[1]
        conn.send_msg(pb.message(public_key=handshake.make_public_key(box, bytes(size))))
        aborted(conn)


def test_key_sealed_for_another_stream_aborts(strict):
    """A symmetric key sealed for the box key of another stream does not open."""
    with stream(strict) as one, stream(strict) as two:
        box = handshake.verify_id_pk(read_signed_id(one), strict.device_pk)[1]
        read_signed_id(two)
        two.send_msg(pb.message(public_key=handshake.make_public_key(box, bytes(32))))
        aborted(two)


def test_stream_that_ends_in_the_exchange_is_no_error(strict):
    """A client that hangs up in the middle of the exchange is an everyday thing: no error is logged."""
    conn = stream(strict)
    read_signed_id(conn)
    conn.close()
    stream(strict).reset()
    with sealed(strict) as client:
        client.wait_hash()
    assert "<3>" not in strict.log


def test_messages_right_behind_public_key_are_read_sealed(strict):
    """The client may send its first sealed message in the same segment as PublicKey."""
    conn, key = stream(strict), os.urandom(32)
    with conn:
        box = handshake.verify_id_pk(read_signed_id(conn), strict.device_pk)[1]
        hello = frame(pb.message(public_key=handshake.make_public_key(box, key)).SerializeToString())
        conn.seal(key)
        echo = pb.message(test_delay=pb.TestDelay(time=77, from_client=True)).SerializeToString()
        conn.send_bytes(hello + frame(conn._tx.seal(echo)))  # pylint: disable=protected-access
        client = Controller(conn, strict.id)
        client.wait_for(lambda r: r.kind == "test_delay" and r.msg.time == 77, 5)


def test_second_public_key_changes_nothing(strict):
    """The exchange happens once: a later PublicKey is ignored."""
    with sealed(strict) as client:
        client.wait_hash()
        client.send(public_key=pb.PublicKey(asymmetric_value=bytes(32), symmetric_value=bytes(48)))
        client.login(PASSWORD)


def test_input_in_the_exchange_is_not_obeyed(lenient):
    """Messages that come before the exchange are not obeyed."""
    with stream(lenient) as conn:
        conn.send_msg(pb.message(key_event=pb.KeyEvent(chr=x11("a"), down=True, mode=pb.KM_MAP)))
        client = Controller(conn, lenient.id)
        client.login(PASSWORD)
        client.frame()
        client.tap("b")
        rows = lenient.wait_reports(lambda rows: any(r[1][2] == 5 for r in rows), "keyboard")
        assert not any(r[1][2] == 4 for r in rows)
