# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller finds the agent by each path: through the mock servers and, the same cases, through the real ones."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

import pytest

from peer import card, lan, pb, real, rendezvous
from peer.agent import PASSWORD
from peer.conn import PeerClosed, PeerTimeout
from peer.controller import Controller
from peer.netloop import free_port_block
from peer.servers import MockServers

REAL = pytest.mark.skipif(bool(real.unavailable()), reason=real.unavailable() or "available")


@pytest.fixture(name="servers", params=["mock", pytest.param("real", marks=REAL)])
def fixture_servers(request):
    with MockServers() if request.param == "mock" else real.RealServers() as servers:
        yield servers


@pytest.fixture(name="mock")
def fixture_mock():
    with MockServers() as servers:
        yield servers


def registered(start_agent, servers, server=None, netns=None, **rustdesk):
    agent = start_agent(netns=netns, rustdesk={"server": server or servers.address, "key": servers.key,
                                               "direct": {"enabled": False}, **rustdesk})
    agent.wait_log(r"rendezvous: registered with")
    return agent


def dial(servers, agent, address=None, **kw):
    """The real hbbr now and then loses two legs that arrive at the same moment; see real.despite_pairing_race."""
    options = {"server_key": servers.key, "handshake_timeout": 5, **kw}
    return real.despite_pairing_race(lambda: Controller.via_hbbs(address or servers.address, agent.id, **options))


def assert_session_works(client):
    assert client.secure and client.device_pk
    client.login(PASSWORD)
    got = [card.read_number(p.y) for p in client.frames(10, timeout=20)]
    assert None not in got and all(b >= a for a, b in zip(got, got[1:])) and got[-1] > got[0], got


@pytest.mark.parametrize("far, how, path, named", [
    (False, {}, "local", "same LAN"),
    (True, {}, "punched", "punched"),
    (True, {"direct": False}, "relay", "relay"),
    (False, {"direct": False}, "relay", "relay"),
    (True, {"force_relay": True}, "device-relay", "relay"),
], ids=["same-LAN", "punched", "relay-by-client", "relay-after-same-LAN", "relay-by-device"])
def test_session_by_every_path(start_agent, servers, far, how, path, named):
    """wire.md §5.1-§5.4, §6: sealed, with pictures"""
    agent = registered(start_agent, servers)
    with dial(servers, agent, local_host=servers.client_hosts[1 if far else 0], **how) as client:
        assert client.path == path
        assert_session_works(client)
    agent.wait_log(f"(?i)path=\"?{named}")


def test_three_paths_at_once(start_agent, servers):
    agent = registered(start_agent, servers)
    far = servers.client_hosts[1]
    with dial(servers, agent, local_host=servers.client_hosts[0]) as one, \
            dial(servers, agent, local_host=far) as two, \
            dial(servers, agent, local_host=far, force_relay=True) as three:
        assert [c.path for c in (one, two, three)] == ["local", "punched", "device-relay"]
        for client in (one, two, three):
            assert_session_works(client)


def test_found_again_after_the_servers_restart(start_agent, servers):
    """wire.md §2.4, §3.1: the restarted server asks for the key, and knows the address at the next RegisterPeer"""
    agent = registered(start_agent, servers)
    servers.restart()
    deadline = time.monotonic() + 25
    while True:
        try:
            client = dial(servers, agent, local_host=servers.client_hosts[1])
            break
        except rendezvous.RendezvousError:
            assert time.monotonic() < deadline, agent.log
            time.sleep(0.3)
    with client:
        assert_session_works(client)


def test_found_again_after_a_new_start_with_the_same_key(start_agent, servers):
    agent = registered(start_agent, servers)
    with dial(servers, agent, local_host=servers.client_hosts[1]) as client:
        client.login(PASSWORD)
        first = client.device_pk
    agent.stop()
    agent.start()
    agent.wait_log(r"rendezvous: registered with", count=2)
    with dial(servers, agent, local_host=servers.client_hosts[1]) as client:
        assert_session_works(client)
        assert client.device_pk == first


@REAL
@pytest.mark.parametrize("how, path", [({}, "local"), ({"direct": False}, "relay")], ids=["direct", "relay"])
def test_real_servers_over_ipv6(start_agent, how, path):
    with real.RealServers() as servers:
        agent = registered(start_agent, servers, server=servers.address6)
        with dial(servers, agent, servers.address6, **how) as client:
            assert client.path == path
            assert_session_works(client)


@pytest.mark.parametrize("mode, how, path", [
    ("punch", {}, "punched"), ("fetch-local", {}, "local"), ("relay", {}, "device-relay"),
    ("punch", {"direct": False}, "relay")])
def test_mock_servers_over_ipv6(start_agent, mode, how, path):
    with MockServers(("::1",)) as servers:
        servers.hbbs.mode = mode
        agent = registered(start_agent, servers)
        with dial(servers, agent, **how) as client:
            assert client.path == path
            assert_session_works(client)


def test_server_by_name(start_agent, mock):
    """localhost may stand for ::1 first, where no server listens"""
    agent = registered(start_agent, mock, server=f"localhost:{mock.hbbs.port}")
    with dial(mock, agent) as client:
        assert_session_works(client)


def test_relay_of_the_configuration_is_what_controllers_are_told(start_agent, mock):
    agent = registered(start_agent, mock, relay=f"localhost:{mock.hbbr.port}")
    with dial(mock, agent, local_host=mock.client_hosts[1], force_relay=True) as client:
        assert mock.hbbs.wait_for("relay_response", 1).msg.relay_server == f"localhost:{mock.hbbr.port}"
        assert_session_works(client)


def test_nat_test_says_symmetric_then_only_relays(start_agent, mock):
    """wire.md §4, §5.1"""
    mock.hbbs.symmetric_nat = True
    agent = registered(start_agent, mock)
    agent.wait_log("nat: .*symmetric: relay only")
    with dial(mock, agent, local_host=mock.client_hosts[1]) as client:
        assert client.path == "device-relay"
        assert_session_works(client)


def test_nat_test_says_asymmetric(start_agent, servers):
    agent = registered(start_agent, servers)
    agent.wait_log("nat: .*asymmetric")


def test_punch_hole_sent_tells_the_truth(start_agent, mock):
    agent = registered(start_agent, mock)
    agent.wait_log("nat: .*asymmetric")
    with dial(mock, agent, local_host=mock.client_hosts[1]) as client:
        sent = mock.hbbs.wait_for("punch_hole_sent", 1)
        assert sent.info["via"] == "tcp"
        assert sent.msg.id == agent.id and sent.msg.version and sent.msg.nat_type == pb.NAT_ASYMMETRIC
        assert sent.msg.relay_server == mock.relay_address
        assert not sent.msg.socket_addr_v6 and not sent.msg.upnp_port
        assert client.conn.remote[:2] == sent.peer[:2]  # one port for hbbs and for the controller


@pytest.mark.parametrize("result, words", [
    ("UUID_MISMATCH", "belongs to another device"), ("TOO_FREQUENT", "too many registrations"),
    ("NOT_DEPLOYED", "not deployed"), ("INVALID_ID_FORMAT", "INVALID_ID_FORMAT")])
def test_refused_registration_is_said_once_and_the_id_stays(start_agent, mock, result, words):
    """wire.md §2.5"""
    mock.hbbs.script_register_pk(result)
    agent = start_agent(rustdesk={"server": mock.address, "key": mock.key})
    agent.wait_log(f"refused: .*{words}")
    start = time.monotonic()
    if result in ("TOO_FREQUENT", "UUID_MISMATCH"):
        agent.wait_log("rendezvous: registered with", timeout=15)
        assert time.monotonic() - start > 8
    asked = [e for e in mock.hbbs.events if e.kind == "register_pk"]
    assert len(asked) <= 2 and {e.msg.id for e in asked} == {agent.id}
    assert agent.log.count("refused: ") == 1


def test_silent_server_is_said_and_left_behind_when_it_answers(start_agent, mock):
    mock.hbbs.silent = True
    agent = start_agent(rustdesk={"server": mock.address, "key": mock.key})
    agent.wait_log("no answer from server", timeout=20)
    mock.hbbs.silent = False
    agent.wait_log("rendezvous: registered with", timeout=10)


def test_closed_port_and_unknown_name_have_words(start_agent):
    agent = start_agent(rustdesk={"server": f"127.0.0.1:{free_port_block(('127.0.0.1',), 1)}"})
    agent.wait_log("unreachable: no server listens at 127.0.0.1")
    agent = start_agent(rustdesk={"server": "no-such-host.invalid"})
    agent.wait_log("server no-such-host.invalid cannot be resolved")


def test_spoofed_pushes_do_nothing(start_agent, mock):
    """Only datagrams from the server's own address count (wire.md §3.1, §17.6)"""
    agent = registered(start_agent, mock)
    before = len(mock.hbbs.events)
    call = pb.PunchHole(socket_addr=b"\x43\x1a\xf1\xac\x68\x24\x86\xae\x4a\xbf")
    mock.hbbs.push(agent.id, spoof=True, punch_hole=call)
    mock.hbbs.push(agent.id, punch_hole=call)
    mock.hbbs.wait_for("punch_hole_sent", 5)
    assert sum(e.kind == "punch_hole_sent" for e in list(mock.hbbs.events)[before:]) == 1


def test_garbage_from_the_server_is_survived(start_agent, mock):
    agent = registered(start_agent, mock)
    for data in (b"", b"\0", b"\xff" * 100, b"\x4a\x00", b"\x4a\xff\xff\xff\xff\x0f", bytes(1400), b"\x12" * 1400):
        mock.hbbs.push_raw(agent.id, data)
    with dial(mock, agent) as client:
        assert_session_works(client)


def test_wrong_relay_key_gives_no_session_and_harms_nothing(start_agent, mock):
    """hbbr drops silently (wire.md §6)"""
    agent = registered(start_agent, mock, key="A" * 43 + "=")
    with pytest.raises((PeerClosed, PeerTimeout)):
        Controller.via_hbbs(mock.address, agent.id, server_key=mock.key, direct=False, handshake_timeout=2)
    assert mock.hbbr.wait_for("dropped", 5).info["why"] == "wrong key"
    agent.wait_log("the relay hung up at once: is 'key' the server's public key")
    with dial(mock, agent) as client:
        assert_session_works(client)


def test_unpaired_relays_end_and_leave_nothing(start_agent, mock):
    """The controller never comes (wire.md §5.6)"""
    agent = registered(start_agent, mock)
    mock.hbbr.park_seconds = 1
    threads = agent.threads()
    for i in range(3):
        mock.hbbs.push(agent.id, request_relay=pb.RequestRelay(
            uuid=f"nobody-{i}", socket_addr=b"\x43\x1a\xf1\xac\x68\x24\x86\xae" + bytes([0x4a + i, 0xbf]),
            relay_server=mock.relay_address, secure=True))
    mock.hbbr.wait_for(lambda e: e.kind == "unpaired" and e.info["uuid"] == "nobody-2", 5)
    deadline = time.monotonic() + 10
    while agent.threads() > threads and time.monotonic() < deadline:
        time.sleep(0.05)
    assert agent.threads() <= threads
    with dial(mock, agent) as client:
        assert_session_works(client)


def test_relay_that_cannot_be_reached_is_refused_in_words(start_agent, mock):
    agent = registered(start_agent, mock)
    mock.hbbr.stop()
    with pytest.raises(rendezvous.RendezvousError, match="failed to connect to the relay: refused"):
        Controller.via_hbbs(mock.address, agent.id, server_key=mock.key, direct=False)


def test_flood_of_calls_is_bounded(start_agent, mock):
    """At most 8 at a time, and a limited rate; afterwards everything works (wire.md §17.6)"""
    agent = registered(start_agent, mock)
    before = agent.rss_kib()
    for i in range(2000):
        mock.hbbs.push(agent.id, punch_hole=pb.PunchHole(
            socket_addr=b"\x43\x1a\xf1\xac\x68\x24\x86\xae" + bytes([i & 0xff, i >> 8 & 1]) + b"\x01"))
    agent.wait_log("too many calls")
    answered = sum(e.kind == "punch_hole_sent" for e in mock.hbbs.events)
    assert answered < 60
    assert agent.rss_kib() - before < 16384  # a sanitizer keeps what is freed for a while
    deadline = time.monotonic() + 10
    while True:  # the allowance comes back at ten calls a second
        try:
            client = dial(mock, agent)
            break
        except rendezvous.RendezvousError:
            assert time.monotonic() < deadline
    with client:
        assert_session_works(client)


def test_lan_discovery(start_agent):
    """wire.md §7.2"""
    port = free_port_block(("127.0.0.1",), 1)
    agent = start_agent(rustdesk={"lan_discovery": True, "lan_port": port, "hostname": "kvm-7", "username": "operator"})
    pongs = lan.discover("127.0.0.1", port, timeout=5)
    assert len(pongs) == 1
    pong = pongs[0][1]
    assert (pong.id, pong.hostname, pong.username) == (agent.id, "kvm-7", "operator")
    assert pong.platform in ("Linux", "Windows")
    assert not lan.discover("127.0.0.1", port, my_id=agent.id, timeout=0.5)


def test_lan_port_taken_is_only_a_warning(start_agent):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        agent = start_agent(rustdesk={"lan_discovery": True, "lan_port": taken.getsockname()[1]})
        agent.wait_log("lan: discovery does not answer")
        with Controller.direct("127.0.0.1", agent.port) as client:
            client.login(PASSWORD)


@pytest.mark.parametrize("address, hosts", [("", ("127.0.0.1", "::1")), ("::", ("127.0.0.1", "::1")),
                                            ("127.0.0.1", ("127.0.0.1",)), ("::1", ("::1",))])
def test_direct_access_on_any_family(start_agent, address, hosts):
    """wire.md §7.1"""
    agent = start_agent(rustdesk={"direct": {"enabled": True, "address": address, "port": 0}})
    for host in hosts:
        with Controller.direct(host, agent.port) as client:
            client.login(PASSWORD)
            assert not client.secure and client.frame().key


@pytest.mark.parametrize("address", ["127.0.0.1, ::1", "127.0.0.2,127.0.0.1"])
def test_direct_access_on_listed_addresses(start_agent, address):
    agent = start_agent(rustdesk={"direct": {"enabled": True, "address": address, "port": 0}})
    for host in address.replace(" ", "").split(","):
        with Controller.direct(host, agent.port) as client:
            client.login(PASSWORD)
    with pytest.raises(PeerClosed):
        Controller.direct("127.0.0.3", agent.port)


def test_next_server_takes_over_from_one_that_goes_silent(start_agent, servers, mock):
    """And sessions come through it. The way back takes a minute: unit.reach has it."""
    agent = registered(start_agent, mock, server=f"{mock.address}, {servers.address}", key=servers.key)
    mock.hbbs.silent = True
    agent.wait_log("no answer from server", timeout=30)
    agent.wait_log(f"server changed from={mock.address} to={servers.address}", timeout=10)
    agent.wait_log(f"rendezvous: registered with {re.escape(servers.address)}")
    with dial(servers, agent, local_host=servers.client_hosts[1]) as client:
        assert_session_works(client)


def test_nat_type_is_kept_until_it_is_measured_again(start_agent, mock):
    mock.hbbs.symmetric_nat = True
    agent = registered(start_agent, mock)
    kept = agent.folder / "state" / "nat"
    deadline = time.monotonic() + 10
    while not kept.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    written = kept.stat()
    agent.stop()
    mock.hbbs.nat_test = False
    agent.start()
    agent.wait_log("rendezvous: registered with", count=2)
    with dial(mock, agent, local_host=mock.client_hosts[1]) as client:
        assert client.path == "device-relay"
    assert agent.log.count("nat: type known") == 1
    assert kept.stat().st_mtime_ns == written.st_mtime_ns


@pytest.mark.parametrize("content", ["", "type = 7; serial = 3;", "type = 2;", "\0\0\0", "type = 2; serial = 3"])
def test_damaged_nat_type_is_none(start_agent, mock, content):
    mock.hbbs.nat_test = False
    agent = registered(start_agent, mock)
    agent.stop()
    (agent.folder / "state" / "nat").write_text(content)
    agent.start()
    agent.wait_log("rendezvous: registered with", count=2)
    with dial(mock, agent, local_host=mock.client_hosts[1]) as client:
        assert client.path == ("device-relay" if content.startswith("type = 2; s") else "punched")


@pytest.fixture(name="moving")
def fixture_moving():
    """(namespace, ip function in it, our address there): two machines; ours is .1 and .4, the agent's .2."""
    if os.geteuid():
        pytest.skip("needs root for a network namespace")
    name, link = f"ka-move-{os.getpid()}", f"km{os.getpid() % 10**7}"

    def inside(*words):
        subprocess.run(["ip", "-n", name, *words], check=True, capture_output=True, text=True)

    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "link", "add", link, "type", "veth", "peer", "name", "lan", "netns", name], check=True)
        for host in (1, 4):
            subprocess.run(["ip", "addr", "add", f"10.214.7.{host}/24", "brd", "+", "dev", link], check=True)
        subprocess.run(["ip", "link", "set", link, "up"], check=True)
        inside("addr", "add", "10.214.7.2/24", "dev", "lan")
        inside("link", "set", "lo", "up")
        inside("link", "set", "lan", "up")
        yield name, inside, "10.214.7.1"
    finally:
        subprocess.run(["ip", "link", "del", link], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", name], check=False)


def test_own_address_changes_are_noticed(start_agent, moving):
    """A new socket, registration at once and not at the next keep-alive, and the NAT test again"""
    name, inside, server = moving
    with MockServers((server,)) as servers:
        agent = registered(start_agent, servers, netns=name)
        agent.wait_log("nat: type known")
        # what does not concern the way to the server: no new socket
        inside("addr", "add", "10.99.0.1/24", "dev", "lan")
        inside("addr", "del", "10.99.0.1/24", "dev", "lan")
        start = time.monotonic()
        inside("addr", "add", "10.214.7.3/24", "dev", "lan")
        inside("addr", "del", "10.214.7.2/24", "dev", "lan")  # takes .3, its secondary, along
        agent.wait_log("no way to server")
        inside("addr", "add", "10.214.7.3/24", "dev", "lan")
        servers.hbbs.wait_for(lambda e: e.kind == "online" and e.peer[0] == "10.214.7.3", 10)
        assert time.monotonic() - start < 10
        agent.wait_log("rendezvous: registered with", count=2)
        agent.wait_log("nat: type known", count=2)
        assert agent.log.count("own address changed") == 1
        with dial(servers, agent, local_host=server) as client:
            assert_session_works(client)


def test_name_is_looked_up_again_when_the_network_changes(start_agent, moving):
    """The server moved with it: another address, and no registration is lost to the old one"""
    name, inside, server = moving
    hosts = pathlib.Path(f"/etc/netns/{name}/hosts")  # ip netns exec puts it over /etc/hosts
    hosts.parent.mkdir(parents=True)
    try:
        old, new = MockServers((server,)), MockServers(("10.214.7.4",))
        new.hbbs.port, new.hbbr.port = old.hbbs.port, old.hbbr.port
        with old, new:
            hosts.write_text(f"{server} hbbs.test\n")
            agent = registered(start_agent, old, server=f"hbbs.test:{old.hbbs.port}", netns=name)
            hosts.write_text("10.214.7.4 hbbs.test\n")
            inside("addr", "del", "10.214.7.2/24", "dev", "lan")
            inside("addr", "add", "10.214.7.9/24", "dev", "lan")
            new.hbbs.wait_online(agent.id, 10)
            agent.wait_log("rendezvous: registered with hbbs.test", count=2)
    finally:
        shutil.rmtree(hosts.parent)


def test_lan_discovery_answers_a_broadcast_with_the_interfaces_address(start_agent, moving):
    """wire.md §7.2"""
    name, _, _ = moving
    port = free_port_block(("127.0.0.1",), 1)
    agent = start_agent(netns=name, rustdesk={"lan_discovery": True, "lan_port": port})
    link = subprocess.run(["ip", "-n", name, "-o", "link", "show", "lan"], check=True, capture_output=True, text=True)
    pongs = lan.discover("10.214.7.255", port, timeout=5)
    assert [(source[0], pong.id) for source, pong in pongs] == [("10.214.7.2", agent.id)]
    assert pongs[0][1].mac == re.search("link/ether ([0-9a-f:]{17})", link.stdout).group(1)
