# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery on the LAN."""

import os
import re
import socket
import subprocess

import pytest

from devices import far_hosts
from peer import lan, pb
from peer.netloop import free_port_block


@pytest.fixture(scope="module", name="port")
def fixture_port():
    return free_port_block(("127.0.0.1",), 1)


@pytest.fixture(scope="module", name="listed")
def fixture_listed(run_agent, port):
    return run_agent(rustdesk={"lan_discovery": True, "lan_port": port, "hostname": "kvm-7", "username": "operator"})


@pytest.fixture(name="pong")
def fixture_pong(listed, port):
    """The answer to a ping, and where it came from."""
    del listed
    answers = lan.discover("127.0.0.1", port, timeout=5, local=next(far_hosts))
    assert len(answers) == 1
    return answers[0]


def test_ping_is_answered_by_unicast_from_the_same_port(pong, port):
    """The pong goes to the address and port of the ping, from the port that was asked."""
    assert pong[0] == ("127.0.0.1", port)


def test_pong_names_id_and_machine(pong, listed):
    """The pong has cmd "pong", the id, username, hostname and platform."""
    assert (pong[1].cmd, pong[1].id, pong[1].username, pong[1].hostname) == ("pong", listed.id, "operator", "kvm-7")
    assert pong[1].platform == "Linux"


def test_id_in_a_pong_is_one_that_clients_list(pong):
    """The id has no blanks, control characters or others that clients drop."""
    assert pong[1].id and not re.search(r'[\s"<>/\\|?*\x00-\x1f]', pong[1].id) and len(pong[1].id) <= 253


def test_every_ping_is_answered(listed, port):
    """A client pings from each of its addresses: each ping is answered."""
    del listed
    for _ in range(4):
        assert len(lan.discover("127.0.0.1", port, timeout=5)) == 1


def test_ping_of_a_client_with_an_id_is_answered(listed, port):
    """Mobile clients fill in their own id; they are answered too."""
    del listed
    assert lan.discover("127.0.0.1", port, my_id="999888777", timeout=5)


def unanswered(port, data, known_id):
    """True when `data` gets no answer but a ping sent after it does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((next(far_hosts), 0))
        sock.sendto(data, ("127.0.0.1", port))
        sock.sendto(pb.rendezvous(peer_discovery=pb.PeerDiscovery(cmd="ping")).SerializeToString(), ("127.0.0.1", port))
        sock.settimeout(5)
        assert pb.RendezvousMessage.FromString(sock.recv(2000)).peer_discovery.id == known_id
        sock.settimeout(0.1)
        try:
            sock.recv(2000)
        except TimeoutError:
            return True
    return False


def test_own_ping_is_not_answered(listed, port):
    """A ping with the device's own id is ignored."""
    assert unanswered(port, pb.rendezvous(peer_discovery=pb.PeerDiscovery(cmd="ping", id=listed.id))
                      .SerializeToString(), listed.id)


def test_pong_is_not_answered(listed, port):
    """A pong of somebody else is not answered."""
    assert unanswered(port, pb.rendezvous(peer_discovery=pb.PeerDiscovery(cmd="pong", id="x")).SerializeToString(),
                      listed.id)


@pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 50, b"ping", bytes(1400)],
                         ids=["nothing", "zero", "no protobuf", "text", "zeros"])
def test_garbage_is_not_answered(listed, port, data):
    """What is no ping is ignored."""
    assert unanswered(port, data, listed.id)


def test_host_named_localhost_is_unknown(start_agent):
    """A machine without a name of its own, "localhost", is called "unknown"."""
    port = free_port_block(("127.0.0.1",), 1)
    start_agent(rustdesk={"lan_discovery": True, "lan_port": port, "hostname": "localhost"})
    assert lan.discover("127.0.0.1", port, timeout=5)[0][1].hostname == "unknown"


def test_discovery_can_be_switched_off(start_agent):
    """Without lan_discovery nobody listens."""
    port = free_port_block(("127.0.0.1",), 1)
    start_agent(rustdesk={"lan_discovery": False, "lan_port": port})
    assert not lan.discover("127.0.0.1", port, timeout=0.3)


def test_platform_is_the_configured_one(start_agent):
    """The pong says the platform that PeerInfo will say."""
    port = free_port_block(("127.0.0.1",), 1)
    start_agent(rustdesk={"lan_discovery": True, "lan_port": port, "platform": "Windows"})
    assert lan.discover("127.0.0.1", port, timeout=5)[0][1].platform == "Windows"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a network namespace")
def test_pong_has_the_interfaces_address_and_answers_broadcasts(start_agent):
    """A broadcast is answered, with the hardware address, in lower case, of the interface towards the client."""
    name, link = f"ka-lan-{os.getpid()}", f"kl{os.getpid() % 10**7}"

    def ip(*words):
        return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout

    ip("netns", "add", name)
    try:
        ip("link", "add", link, "type", "veth", "peer", "name", "lan", "netns", name)
        ip("addr", "add", "10.215.7.1/24", "brd", "+", "dev", link)
        ip("link", "set", link, "up")
        for words in ("addr add 10.215.7.2/24 dev lan", "link set lo up", "link set lan up"):
            ip("-n", name, *words.split())
        port = free_port_block(("127.0.0.1",), 1)
        agent = start_agent(netns=name, rustdesk={"lan_discovery": True, "lan_port": port})
        pongs = lan.discover("10.215.7.255", port, timeout=5)
        assert [(source[0], pong.id) for source, pong in pongs] == [("10.215.7.2", agent.id)]
        mac = re.search("link/ether ([0-9a-f:]{17})", ip("-n", name, "-o", "link", "show", "lan")).group(1)
        assert pongs[0][1].mac == mac
    finally:
        subprocess.run(["ip", "link", "del", link], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", name], check=False)
