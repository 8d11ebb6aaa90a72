# SPDX-License-Identifier: GPL-3.0-or-later
"""RequestRelay, offers of a relay, and what is said to hbbr."""

import re
import socket

import pytest

from devices import far_hosts, registered
from peer import addr, handshake, pb
from peer.agent import PASSWORD, VERSION
from peer.conn import Conn
from peer.controller import Controller
from peer.servers import MockServers

UUID = "3f2b8c1e-0d4a-4c5b-9e6f-7a8b9c0d1e2f"


@pytest.fixture(name="relay")
def fixture_relay():
    """A relay that just listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.settimeout(10)
        yield sock


def name_of(relay):
    return "127.0.0.1:%d" % relay.getsockname()[1]


def ask(servers, agent, relay_server, **fields):
    """Pushes a RequestRelay; its socket_addr."""
    where = fields.pop("socket_addr", None) or addr.encode((next(far_hosts), 4000))
    fields = {"uuid": UUID, "secure": True, **fields}
    servers.hbbs.push(agent.id, request_relay=pb.RequestRelay(socket_addr=where, relay_server=relay_server, **fields))
    return where


def answer(servers, where):
    """The RelayResponse for a socket_addr."""
    return servers.hbbs.wait_for(lambda e: e.kind == "relay_response" and e.msg.socket_addr == where, 10)


def offer(servers, agent, **fields):
    """Pushes a PunchHole that must end at a relay; the device's RelayResponse."""
    where = addr.encode((next(far_hosts), 4000))
    servers.hbbs.push(agent.id, punch_hole=pb.PunchHole(socket_addr=where, nat_type=pb.NAT_SYMMETRIC, **fields))
    return answer(servers, where)


def leg(relay):
    """The device's connection to the relay."""
    return Conn(relay.accept()[0])


# ---- asked by the client

def test_answer_to_request_relay_says_nothing_but_address_and_version(servers, known, relay):
    """RelayResponse to a RequestRelay has socket_addr, echoed, and version; no uuid, relay or id."""
    where = ask(servers, known, name_of(relay))
    msg = answer(servers, where).msg
    assert msg == pb.RelayResponse(socket_addr=where, version=VERSION)


def test_request_relay_is_answered_over_a_new_connection(servers, known, relay):
    """The answer goes over a TCP connection of its own."""
    assert answer(servers, ask(servers, known, name_of(relay))).info["via"] == "tcp"


def test_relay_asked_for_is_used_as_it_is(start_agent, mock, relay):
    """The relay in a RequestRelay is used, whatever the configuration says."""
    agent = registered(start_agent, mock, relay="elsewhere.example:9")
    ask(mock, agent, name_of(relay))
    with leg(relay) as conn:
        assert conn.recv_msg(pb.RendezvousMessage, 5).request_relay.uuid == UUID


def test_first_frame_at_the_relay_is_uuid_and_key(servers, known, relay):
    """The first frame to the relay is RequestRelay with the uuid of the request and the server's key, nothing else."""
    ask(servers, known, name_of(relay))
    with leg(relay) as conn:
        assert conn.recv_frame(5) == pb.rendezvous(request_relay=pb.RequestRelay(
            uuid=UUID, licence_key=servers.key)).SerializeToString()


def test_first_frame_is_the_documented_one(servers, known, relay):
    """With a uuid of 36 and a key of 44 characters that frame starts 5d 01, 92 01 54 12 24."""
    ask(servers, known, name_of(relay))
    data, conn = b"", relay.accept()[0]
    with conn:
        while len(data) < 89:
            data += conn.recv(200)
    assert data[:7] == bytes.fromhex("5d019201541224") and data[43:45] == bytes.fromhex("322c")


def test_device_does_not_wait_for_the_relay(servers, known, relay):
    """SignedId follows at once: the relay never says anything, and keeps what comes before the client does."""
    ask(servers, known, name_of(relay))
    with leg(relay) as conn:
        conn.recv_frame(5)
        assert conn.recv_msg(pb.Message, 5).WhichOneof("union") == "signed_id"


def test_device_is_the_server_of_the_key_exchange_through_a_relay(servers, known, relay):
    """Through a relay the device has the same part in the key exchange as directly, and the session works."""
    ask(servers, known, name_of(relay))
    with leg(relay) as conn:
        conn.recv_frame(5)
        signed = conn.recv_msg(pb.Message, 5).signed_id.id
        pk = servers.hbbs.all("register_pk")[0].msg.pk
        id_, box = handshake.verify_id_pk(signed, pk)
        assert id_ == known.id
        conn.send_msg(pb.message(public_key=handshake.make_public_key(box, b"k" * 32)))
        conn.seal(b"k" * 32)
        Controller(conn, known.id).login(PASSWORD)


def test_relay_without_port_is_at_21117(start_agent):
    """A relay named without a port is at 21117."""
    with MockServers(("127.0.21.17",)) as servers, socket.create_server(("127.0.21.17", 21117)) as relay:
        relay.settimeout(10)
        agent = registered(start_agent, servers)
        ask(servers, agent, "127.0.21.17")
        with leg(relay) as conn:
            assert conn.recv_frame(5)


@pytest.mark.parametrize("secure", [True, False])
def test_relayed_stream_is_encrypted_as_asked(start_agent, mock, relay, secure):
    """With secure=false the device sends no SignedId and goes straight to Hash, where encryption is optional."""
    agent = registered(start_agent, mock, encryption="optional")
    ask(mock, agent, name_of(relay), secure=secure)
    with leg(relay) as conn:
        conn.recv_frame(5)
        kind = conn.recv_msg(pb.Message, 5).WhichOneof("union")
        assert kind == ("signed_id" if secure else "hash")


def test_empty_message_after_a_plain_relay_does_nothing(start_agent, mock, relay):
    """The empty Message of a client without the key comes after the Hash then, and does nothing."""
    agent = registered(start_agent, mock, encryption="optional")
    ask(mock, agent, name_of(relay), secure=False)
    with leg(relay) as conn:
        conn.recv_frame(5)
        client = Controller(conn, agent.id)
        client.send_empty()
        client.login(PASSWORD)


def test_server_cannot_switch_encryption_off(servers, known, relay):
    """Where encryption is required, secure=false is refused in words; stock would go on in the clear."""
    ask(servers, known, name_of(relay), secure=False)
    with leg(relay) as conn:
        conn.recv_frame(5)
        client = Controller(conn, known.id)
        assert "encrypted sessions only" in client.wait_for("login_response", 5).msg.error
        client.wait_closed(5)


def test_request_without_uuid_is_ignored(servers, known, relay):
    """A RequestRelay without a uuid, which no relay would take, is ignored."""
    ask(servers, known, name_of(relay), uuid="")
    ask(servers, known, name_of(relay))
    with leg(relay) as conn:
        assert conn.recv_msg(pb.RendezvousMessage, 5).request_relay.uuid == UUID


def test_several_requests_are_served_independently(servers, known, relay):
    """A client asks up to three times, each time with another uuid: each gets a leg of its own."""
    for i in range(3):
        ask(servers, known, name_of(relay), uuid=f"uuid-{i}")
    legs = [leg(relay) for _ in range(3)]
    assert {c.recv_msg(pb.RendezvousMessage, 5).request_relay.uuid for c in legs} == {"uuid-0", "uuid-1", "uuid-2"}
    for conn in legs:
        conn.close()


def test_leg_that_is_never_joined_ends_without_harm(servers, known, relay):
    """A leg that the relay drops is the end of that leg only, and no error."""
    ask(servers, known, name_of(relay))
    leg(relay).close()
    ask(servers, known, name_of(relay), uuid="again")
    with leg(relay) as conn:
        assert conn.recv_frame(5)
    assert "<3>" not in known.log


def test_relay_that_cannot_be_reached_is_refused_in_words(servers, known):
    """refuse_reason, which clients show, says that the relay cannot be reached."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = name_of(closed)
    assert "failed to connect to the relay" in answer(servers, ask(servers, known, gone)).msg.refuse_reason


# ---- offered by the device

def test_offer_has_everything_a_client_needs(servers, known):
    """RelayResponse to a PunchHole has socket_addr, uuid, relay, id and version."""
    msg = offer(servers, known).msg
    assert msg.socket_addr and msg.uuid and msg.version == VERSION
    assert msg.relay_server == servers.relay_address and msg.id == known.id


def test_offered_uuid_is_a_fresh_random_one(servers, known):
    """The uuid is a version 4 one in 36 lower-case characters, another one each time."""
    one, two = offer(servers, known).msg.uuid, offer(servers, known).msg.uuid
    assert one != two
    for uuid in (one, two):
        assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", uuid)


def test_device_comes_to_the_relay_it_offered(servers, known):
    """The device connects to the relay it offered, with the uuid it offered and the server's key."""
    start = servers.hbbr.mark()
    uuid = offer(servers, known).msg.uuid
    sent = servers.hbbr.wait_for(lambda e: e.kind == "request_relay" and e.msg.uuid == uuid, 10, start).msg
    assert sent == pb.RequestRelay(uuid=uuid, licence_key=servers.key)


def test_offer_names_the_relay_of_the_call(servers, known, relay):
    """An offer names the relay that the call names, and the device goes there."""
    msg = offer(servers, known, relay_server=name_of(relay)).msg
    assert msg.relay_server == name_of(relay)
    with leg(relay) as conn:
        assert conn.recv_msg(pb.RendezvousMessage, 5).request_relay.uuid == msg.uuid


def test_offered_stream_is_encrypted(servers, known, relay):
    """What the device offers is always secure: SignedId comes first."""
    offer(servers, known, relay_server=name_of(relay))
    with leg(relay) as conn:
        conn.recv_frame(5)
        assert conn.recv_msg(pb.Message, 5).WhichOneof("union") == "signed_id"


def test_documented_answer_is_this_one(servers, known, relay):
    """RelayResponse to a RequestRelay is the documented sequence of bytes."""
    where = ask(servers, known, name_of(relay), socket_addr=bytes.fromhex("431af1ac682486ae4abf"))
    msg = answer(servers, where).msg
    msg.version = "1.4.5"
    assert pb.rendezvous(relay_response=msg).SerializeToString().hex() == \
        "9a01130a0a431af1ac682486ae4abf3a05312e342e35"


# ---- addresses in messages

@pytest.mark.parametrize("data, text", [
    ("0876f0ac6824eead6826", "127.0.0.1:8080"), ("7b52ffffffff7f51214002", "192.168.16.32:21116"),
    ("feffffff03009401e69a", "203.0.113.77:65535"), ("409c000000001400000a", "10.0.0.5:40000"),
    ("c2010e00000010", "1.0.0.0:443"), ("431af1ac682486ae4abf", "203.0.113.77:50123"),
    ("20010db80000000000000000000012347e52", "[2001:db8::1234]:21118")])
def test_mangled_addresses_are_understood(servers, known, relay, data, text):
    """Addresses are unmangled: carries beyond 32 bits, zero bytes left out at the end, IPv6."""
    answer(servers, ask(servers, known, name_of(relay), socket_addr=bytes.fromhex(data)))
    known.wait_log("call.*peer=" + re.escape(text))
