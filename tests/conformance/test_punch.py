# SPDX-License-Identifier: GPL-3.0-or-later
"""PunchHole and FetchLocalAddr: the client connects to a port that the device opened for it."""

import itertools
import socket

import pytest

from devices import far_hosts, registered
from peer import addr, pb, sockets
from peer.agent import PASSWORD, VERSION
from peer.conn import Conn, PeerClosed
from peer.controller import Controller

ports = itertools.count(40001)


class Call:
    """One push and what came of it."""

    def __init__(self, servers, agent, kind, expect, **fields):
        self.servers, self.start = servers, servers.hbbs.mark()
        self.socket_addr = fields.pop("socket_addr", None) or addr.encode((next(far_hosts), next(ports)), 0x12345678)
        make = {"punch_hole": pb.PunchHole, "fetch_local_addr": pb.FetchLocalAddr}[kind]
        servers.hbbs.push(agent.id, **{kind: make(socket_addr=self.socket_addr, **fields)})
        self.answer = servers.hbbs.wait_for(expect, 10, self.start)
        self.msg = self.answer.msg

    def connect(self, host="127.0.0.1", **kw):
        """To the port that the answer names."""
        target = addr.decode(self.msg.local_addr) if hasattr(self.msg, "local_addr") else self.answer.peer
        return Conn.connect(target[0], target[1], timeout=5, local=(host, 0), **kw)


@pytest.fixture(name="punch")
def fixture_punch(servers, known):
    """punch(**fields of PunchHole): a Call that PunchHoleSent answered."""
    return lambda expect="punch_hole_sent", **fields: Call(servers, known, "punch_hole", expect, **fields)


@pytest.fixture(name="local")
def fixture_local(servers, known):
    return lambda expect="local_addr", **fields: Call(servers, known, "fetch_local_addr", expect, **fields)


def greeting(conn):
    return conn.recv_msg(pb.Message, 5).WhichOneof("union")


# ---- PunchHole

def test_punch_hole_is_answered_by_tcp_never_by_udp(punch, servers):
    """PunchHoleSent goes over a TCP connection; by UDP the server would not pass it on."""
    call = punch()
    assert {e.info["via"] for e in servers.hbbs.all("punch_hole_sent", call.start)} == {"tcp"}


def test_each_call_has_a_connection_of_its_own(punch):
    """Each PunchHole is answered over a connection of its own, from a port of its own."""
    assert punch().answer.peer != punch().answer.peer


def test_punch_hole_sent_echoes_the_address(punch):
    """PunchHoleSent gives back socket_addr byte for byte."""
    call = punch()
    assert call.msg.socket_addr == call.socket_addr


def test_punch_hole_sent_says_id_version_and_own_nat_type(punch, known):
    """PunchHoleSent has the device's id, a version that is not empty, and its own NAT type, not the client's."""
    msg = punch(nat_type=pb.NAT_UNKNOWN).msg
    assert msg.id == known.id and msg.version == VERSION and msg.nat_type == pb.NAT_ASYMMETRIC


def test_punch_hole_sent_offers_neither_upnp_nor_ipv6(punch):
    """PunchHoleSent leaves upnp_port and socket_addr_v6 empty, also when the client has an IPv6 address."""
    msg = punch(socket_addr_v6=addr.encode(("2001:db8::1", 4000))).msg
    assert not msg.upnp_port and not msg.socket_addr_v6


def test_punch_by_udp_is_answered_by_tcp(punch):
    """A client that could punch by UDP gets the TCP answer: this device does not speak KCP."""
    assert punch(udp_port=4711, upnp_port=4712).answer.info["via"] == "tcp"


def test_fields_of_commercial_servers_are_skipped(punch):
    """Permissions and audit references that only commercial servers send do not disturb."""
    assert punch(control_permissions=pb.ControlPermissions(permissions=0x5555)).msg.id


def test_connection_to_the_server_ends_after_the_answer(punch, servers):
    """The connection to the server is closed once the answer is out."""
    call = punch()
    servers.hbbs.wait_for(lambda e: e.kind == "tcp_close" and e.peer == call.answer.peer, 5, call.start)


def test_device_listens_where_the_server_saw_it_at_once(punch):
    """When the server has the answer the device listens already, on the very address the answer came from."""
    with punch().connect() as conn:
        assert conn.remote[:2]


def test_punched_stream_begins_with_signed_id(punch):
    """On the punched stream the device speaks first, with SignedId."""
    with punch().connect() as conn:
        assert greeting(conn) == "signed_id"


def test_only_one_connection_is_accepted(punch):
    """The port takes exactly one connection and is closed then."""
    call = punch()
    with call.connect() as conn:
        greeting(conn)
        with pytest.raises(PeerClosed):
            call.connect().recv_frame(5)


def test_caller_may_come_from_any_address(punch):
    """Who connects is not compared with socket_addr."""
    with punch().connect(host=next(far_hosts)) as conn:
        assert greeting(conn) == "signed_id"


def test_way_through_the_nat_is_opened_before_the_answer(punch, servers):
    """Before the answer the device connects to the client from the port it will listen on; that this succeeds is of no
    importance: the connection is dropped."""
    with socket.create_server(("127.0.0.1", 0)) as ours:
        call = punch(socket_addr=addr.encode(ours.getsockname()))
        ours.settimeout(5)
        opened, source = ours.accept()
        assert source == call.answer.peer
        with opened:
            opened.settimeout(5)
            assert opened.recv(1) == b""


def test_sockets_of_a_punch_can_be_reused(punch, known):
    """SO_REUSEADDR and SO_REUSEPORT are set on the listener, which shares its port with the connections out of it."""
    call = punch()
    with sockets.of_process(known.pid) as found:
        mine = [s for s in found if s.getsockname()[:2] == call.answer.peer[:2]]
        assert mine and any(s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for s in mine)
        for sock in mine:
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)


def test_symmetric_client_is_offered_a_relay(punch):
    """A client behind a symmetric NAT is offered a relay."""
    assert punch("relay_response", nat_type=pb.NAT_SYMMETRIC).msg.relay_server


def test_forced_relay_is_offered(punch):
    """force_relay is obeyed."""
    assert punch("relay_response", force_relay=True).msg.relay_server


def test_doubled_call_is_answered_once(servers, known):
    """The same call again within 100 ms is dropped; the same address in a RequestRelay is another call."""
    start, where = servers.hbbs.mark(), addr.encode((next(far_hosts), 4001))
    for _ in range(2):
        servers.hbbs.push(known.id, punch_hole=pb.PunchHole(socket_addr=where))
    servers.hbbs.push(known.id, request_relay=pb.RequestRelay(
        socket_addr=where, uuid="u-1", relay_server=servers.relay_address))
    servers.hbbs.wait_for("relay_response", 10, start)
    servers.hbbs.wait_for("punch_hole_sent", 10, start)
    Call(servers, known, "punch_hole", lambda e: e.kind == "punch_hole_sent" and e.msg.socket_addr != where)
    assert len([e for e in servers.hbbs.all("punch_hole_sent", start) if e.msg.socket_addr == where]) == 1


@pytest.mark.parametrize("where", [b"", bytes(17), bytes(19), bytes(40), addr.encode(("127.0.0.1", 0))])
def test_call_without_an_address_is_ignored(servers, known, where):
    """A call whose socket_addr is empty, of an impossible length or without a port is ignored."""
    start = servers.hbbs.mark()
    servers.hbbs.push(known.id, punch_hole=pb.PunchHole(socket_addr=where))
    Call(servers, known, "punch_hole", "punch_hole_sent")
    assert len(servers.hbbs.all("punch_hole_sent", start)) == 1


def test_calls_are_served_side_by_side(punch):
    """Several punches wait for their clients at the same time, and none holds up another."""
    calls = [punch() for _ in range(5)]
    for call in reversed(calls):
        with call.connect() as conn:
            assert greeting(conn) == "signed_id"


def test_relay_is_served_while_a_punch_waits(punch, servers, known):
    """A RequestRelay is served while the port of the same client's punch is still open."""
    call = punch()
    start = servers.hbbs.mark()
    servers.hbbs.push(known.id, request_relay=pb.RequestRelay(
        socket_addr=call.socket_addr, uuid="u-2", relay_server=servers.relay_address, secure=True))
    servers.hbbs.wait_for("relay_response", 10, start)
    with call.connect() as conn:
        assert greeting(conn) == "signed_id"


# ---- which relay is named

def test_relay_named_by_the_server_is_passed_on(punch):
    """A relay that the call names is what the answer names."""
    assert punch(relay_server="relay.example:1234").msg.relay_server == "relay.example:1234"


def test_without_a_relay_named_it_is_the_servers_host_and_next_port(punch, servers):
    """When nobody names a relay it is the server's host with its port plus one: the answer is never empty."""
    assert punch().msg.relay_server == servers.relay_address


@pytest.mark.parametrize("said", ["", "other.example:1"])
def test_configured_relay_goes_before_all(start_agent, mock, said):
    """A relay in the configuration goes before one that the call names."""
    agent = registered(start_agent, mock, relay="mine.example:5")
    assert Call(mock, agent, "punch_hole", "punch_hole_sent", relay_server=said).msg.relay_server == "mine.example:5"


# ---- FetchLocalAddr

def test_local_addr_is_answered_by_tcp(local):
    """LocalAddr goes over TCP."""
    assert local().answer.info["via"] == "tcp"


def test_local_addr_is_the_address_of_that_connection(local):
    """local_addr is the address that the connection to the server has at the device."""
    call = local()
    assert addr.decode(call.msg.local_addr) == call.answer.peer[:2]


def test_local_addr_gives_back_whom_it_is_for(local):
    """socket_addr in LocalAddr has the value of the one in the call."""
    call = local()
    assert addr.decode(call.msg.socket_addr) == addr.decode(call.socket_addr)


def test_local_addr_says_id_version_and_relay(local, known, servers):
    """LocalAddr has id, a version that is not empty, and a relay; no IPv6 address."""
    msg = local().msg
    assert msg.id == known.id and msg.version and msg.relay_server == servers.relay_address
    assert not msg.socket_addr_v6


def test_local_stream_begins_with_signed_id(local):
    """The device listens at local_addr at once, and its stream begins with SignedId."""
    with local().connect() as conn:
        assert greeting(conn) == "signed_id"


def test_local_port_takes_one_connection(local):
    """The port of a LocalAddr takes exactly one connection."""
    call = local()
    with call.connect() as conn:
        greeting(conn)
        with pytest.raises(PeerClosed):
            call.connect().recv_frame(5)


# ---- limits

def test_number_of_open_punches_is_bounded(servers, known):
    """At most eight punches wait at a time: the oldest gives way, and a flood costs no more than that."""
    for i in range(60):
        servers.hbbs.push(known.id, punch_hole=pb.PunchHole(socket_addr=addr.encode((f"127.9.0.{i + 1}", 4000))))
    known.wait_log("crowded")
    with sockets.of_process(known.pid) as found:
        assert sum(bool(s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) for s in found) <= 8


def test_device_can_be_reached_after_a_flood(servers, known):
    """After a flood of calls clients get in again."""
    for i in range(60):
        servers.hbbs.push(known.id, punch_hole=pb.PunchHole(socket_addr=addr.encode((f"127.9.1.{i + 1}", 4000))))
    with Controller.via_hbbs(servers.address, known.id, server_key=servers.key, local_host=next(far_hosts)) as client:
        client.login(PASSWORD)
