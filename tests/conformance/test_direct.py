# SPDX-License-Identifier: GPL-3.0-or-later
"""Direct access by address: no server, no key exchange, no encryption."""

import pytest

from devices import dial
from peer.agent import PASSWORD
from peer.conn import Conn, PeerClosed
from peer.controller import Controller


def test_hash_comes_without_being_asked(device):
    """On direct access the device sends Hash at once; the client says nothing first."""
    with dial(device) as client:
        assert client.pump(5).kind == "hash"


def test_there_is_no_key_exchange(stranger):
    """There is neither SignedId nor encryption: a client that dialled an address would wait for Hash for ever."""
    stranger.wait_for("test_delay", 5)
    assert not stranger.received("signed_id") and not stranger.secure


@pytest.mark.parametrize("username", ["192.168.1.50", "192.168.1.50:21118", "[2001:db8::5]:21118", "kvm.example:21118",
                                      "kvm", "KVM.local"])
def test_any_text_may_have_been_dialled(stranger, username):
    """LoginRequest.username is what the user typed: an address, also with port, or a name. Stock refuses bare names."""
    assert stranger.login(PASSWORD, username=username)


def test_own_id_is_accepted_too(stranger, device):
    """The device's own id as username is as good as an address."""
    assert stranger.login(PASSWORD, username=device.id)


def test_many_clients_may_connect(device):
    """The port accepts any number of connections, one after the other and at a time."""
    clients = [dial(device) for _ in range(6)]
    for client in clients:
        assert client.wait_hash(5)
        client.conn.close()


def test_direct_access_is_off_unless_asked_for(start_agent):
    """Without configuration nothing listens for direct access."""
    agent = start_agent(rustdesk={"direct": {"enabled": False}})
    assert agent.port == 0


def test_port_is_21118_unless_said_otherwise(start_agent):
    """The port of direct access is 21118."""
    agent = start_agent(rustdesk={"direct": {"enabled": True, "address": "127.0.21.18"}})
    assert agent.port == 21118
    with Controller.direct("127.0.21.18") as client:
        client.login(PASSWORD)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_listener_takes_both_families(start_agent, host):
    """Unless told otherwise direct access listens on IPv4 and IPv6."""
    agent = start_agent(rustdesk={"direct": {"enabled": True, "address": "", "port": 0}})
    with Controller.direct(host, agent.port) as client:
        assert client.wait_hash(5)


def test_only_listed_addresses_listen(start_agent):
    """Direct access can be limited to addresses of this machine."""
    agent = start_agent(rustdesk={"direct": {"enabled": True, "address": "127.0.0.2", "port": 0}})
    with pytest.raises(PeerClosed):
        Conn.connect("127.0.0.1", agent.port)
    with Controller.direct("127.0.0.2", agent.port) as client:
        assert client.wait_hash(5)


def test_key_of_a_server_does_not_matter(start_agent):
    """A server key in the configuration does not turn direct access into something clients cannot read."""
    agent = start_agent(rustdesk={"key": "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="})
    with dial(agent) as client:
        client.login(PASSWORD)
        assert client.frame().key
