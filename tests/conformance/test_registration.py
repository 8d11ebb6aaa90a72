# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration at hbbs by UDP."""

import contextlib

import pytest

from devices import far_hosts, registered
from peer import pb
from peer.agent import PASSWORD
from peer.controller import Controller
from peer.servers import MockServers


def starting(start_agent, mock, **rustdesk):
    return start_agent(rustdesk={"server": mock.address, "key": mock.key, **rustdesk})


def events(mock, *kinds):
    return [e for e in list(mock.hbbs.events) if e.kind in kinds]


def test_first_word_is_register_pk(start_agent, mock):
    """A device that nobody has confirmed begins with RegisterPk."""
    registered(start_agent, mock)
    assert events(mock, "register_pk", "register_peer")[0].kind == "register_pk"


def test_register_peer_follows_ok_at_once(start_agent, mock):
    """RegisterPk OK alone does not make a known device reachable: RegisterPeer follows at once, not with the timer."""
    mock.hbbs.online_after_pk_only = False
    registered(start_agent, mock)
    peer = mock.hbbs.wait_for("register_peer", 2)
    assert peer.time - events(mock, "sent:register_pk_response")[0].time < 2


def test_register_peer_names_id_and_a_serial_of_3_or_more(start_agent, mock):
    """RegisterPeer holds the id and a serial of at least 3, so that no server with a low one sends its list."""
    agent = registered(start_agent, mock)
    sent = mock.hbbs.wait_for("register_peer", 5).msg
    assert sent.id == agent.id and sent.serial >= 3


def test_all_registration_comes_from_one_socket(start_agent, mock):
    """RegisterPk and RegisterPeer come from one UDP socket: that is where the server pushes to."""
    registered(start_agent, mock)
    mock.hbbs.wait_for("register_peer", 5)
    assert len({e.peer for e in events(mock, "register_pk", "register_peer")}) == 1


def test_registration_is_by_udp_only(start_agent, mock):
    """Nothing of the registration goes over TCP, where the server would not accept it."""
    registered(start_agent, mock)
    mock.hbbs.wait_for("register_peer", 5)
    assert {e.info["via"] for e in events(mock, "register_pk", "register_peer")} == {"udp"}


REFUSALS = ["UUID_MISMATCH", "ID_EXISTS", "TOO_FREQUENT", "INVALID_ID_FORMAT", "NOT_SUPPORT", "SERVER_ERROR",
            "NOT_DEPLOYED", 99]


@pytest.fixture(scope="module", name="refused")
def fixture_refused(run_agent):
    """{result: (servers, agent)} for each refusal of RegisterPk, two seconds after it was heard."""
    with contextlib.ExitStack() as stack:
        found = {}
        for result in REFUSALS:
            servers = stack.enter_context(MockServers())
            servers.hbbs.script_register_pk(*[result] * 5)
            found[result] = servers, starting(run_agent, servers)
        for servers, agent in found.values():
            agent.wait_log("refused: ")
        with pytest.raises(TimeoutError):
            servers.hbbs.wait_count("register_pk", 9, 2)
        yield found


@pytest.mark.parametrize("result", REFUSALS)
def test_refusal_is_said_once(refused, result):
    """Each refusal of RegisterPk is one line for the operator."""
    assert refused[result][1].log.count("refused: ") == 1


@pytest.mark.parametrize("result", REFUSALS)
def test_refusal_is_not_hammered_on(refused, result):
    """A refused RegisterPk is not sent again within two seconds."""
    assert len(refused[result][0].hbbs.all("register_pk")) == 1


def test_pushes_from_elsewhere_do_not_count(servers, known):
    """Pushes from another address than the server's do nothing."""
    start = servers.hbbs.mark()
    call = pb.PunchHole(socket_addr=bytes.fromhex("431af1ac682486ae4abf"), nat_type=pb.NAT_SYMMETRIC)
    servers.hbbs.push(known.id, spoof=True, punch_hole=call)
    servers.hbbs.push(known.id, punch_hole=call)
    servers.hbbs.wait_for("relay_response", 5, start)
    assert len(servers.hbbs.all("relay_response", start)) == 1


@pytest.mark.parametrize("data", ["", "00", "ff" * 100, "4a00", "4affffffff0f", "00" * 1400, "12" * 1400, "3a03100101"])
def test_datagrams_without_sense_are_ignored(servers, known, data):
    """What does not parse, or says nothing, is ignored without a word."""
    servers.hbbs.push_raw(known.id, bytes.fromhex(data))
    assert_alive(servers, known)


@pytest.mark.parametrize("union", [
    {"register_peer": pb.RegisterPeer(id="x")}, {"register_pk": pb.RegisterPk(id="x")},
    {"punch_hole_request": pb.PunchHoleRequest(id="x")}, {"punch_hole_sent": pb.PunchHoleSent(id="x")},
    {"punch_hole_response": pb.PunchHoleResponse()}, {"local_addr": pb.LocalAddr(id="x")},
    {"relay_response": pb.RelayResponse(uuid="x")}, {"test_nat_request": pb.TestNatRequest()},
    {"test_nat_response": pb.TestNatResponse(port=1)}, {"peer_discovery": pb.PeerDiscovery(cmd="ping")},
    {"online_request": pb.OnlineRequest(id="x")}, {"register_peer_response": pb.RegisterPeerResponse()},
    {"register_pk_response": pb.RegisterPkResponse(result=2)}, {"key_exchange": pb.KeyExchange()},
], ids=lambda u: next(iter(u)))
def test_other_messages_of_the_server_are_ignored(servers, known, union):
    """Messages that are not for a device, or that it did not ask for, are ignored."""
    start = servers.hbbs.mark()
    servers.hbbs.push(known.id, **union)
    assert_alive(servers, known)
    assert not [e for e in servers.hbbs.events[start:] if e.kind in ("register_pk", "garbage")]
    assert "refused: " not in known.log


def assert_alive(servers, agent):
    """A call that comes after it is answered."""
    with Controller.via_hbbs(servers.address, agent.id, server_key=servers.key,
                             local_host=next(far_hosts)) as client:
        client.wait_hash(5)


def test_list_of_servers_is_not_obeyed(start_agent, mock):
    """ConfigureUpdate does not move the device to other servers; the configuration says which one it is."""
    mock.hbbs.serial, mock.hbbs.rendezvous_servers = 9, ["192.0.2.1"]
    agent = registered(start_agent, mock)
    mock.hbbs.wait_for("sent:configure_update", 5)
    with Controller.via_hbbs(mock.address, agent.id, server_key=mock.key) as client:
        client.login(PASSWORD)
    assert "192.0.2.1" not in agent.log


def test_server_without_port_is_at_21116(start_agent):
    """A server named without a port is asked at 21116."""
    servers = MockServers(("127.0.21.16",))
    servers.hbbs.port = 21116
    with servers:
        start_agent(rustdesk={"server": "127.0.21.16"})
        servers.hbbs.wait_for("register_pk", 5)


def test_ipv6_server_is_registered_with(start_agent):
    """An IPv6 server is registered with over IPv6."""
    with MockServers(("::1",)) as servers:
        registered(start_agent, servers)
        assert ":" in servers.hbbs.wait_for("register_peer", 5).peer[0]
