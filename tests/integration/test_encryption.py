# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody but the operator decides that a session may be in the clear: not the controller, not the server."""

import socket

import pytest

from peer import addr, pb
from peer.agent import PASSWORD
from peer.conn import Conn
from peer.controller import Controller, LoginError
from peer.servers import MockServers


@pytest.fixture(name="mock")
def fixture_mock():
    with MockServers() as servers:
        yield servers


def start(start_agent, mock, **rustdesk):
    agent = start_agent(rustdesk={"server": mock.address, "key": mock.key, "direct": {"enabled": False}, **rustdesk})
    agent.wait_log(r"rendezvous: registered with")
    return agent


def plain_relay(agent, mock):
    """hbbs asks for a relay without encryption; what arrives at that relay (a listener of ours)."""
    with socket.create_server(("127.0.0.1", 0)) as relay:
        mock.hbbs.push(agent.id, request_relay=pb.RequestRelay(
            uuid="plain", socket_addr=addr.encode(("203.0.113.9", 4000)), secure=False,
            relay_server=f"127.0.0.1:{relay.getsockname()[1]}"))
        relay.settimeout(10)
        conn = Conn(relay.accept()[0])
    hello = pb.RendezvousMessage.FromString(conn.recv_frame(10))
    assert hello.request_relay.uuid == "plain"
    return Controller(conn, agent.id, path="relay")


def test_server_cannot_switch_encryption_off(start_agent, mock):
    agent = start(start_agent, mock)
    client = plain_relay(agent, mock)
    reply = client.wait_for("login_response", 10).msg
    assert reply.error.startswith("This device accepts encrypted sessions only")
    assert client.hash is None
    client.wait_closed(5)
    agent.wait_log("let in without encryption by the server")


def test_optional_means_optional(start_agent, mock):
    agent = start(start_agent, mock, encryption="optional")
    client = plain_relay(agent, mock)
    client.login(PASSWORD)
    assert client.frame().key
    client.close()


@pytest.mark.parametrize("mode", ["keyless", "wrong-key", "other-message"])
def test_controller_cannot_either(start_agent, mock, mode):
    agent = start(start_agent, mock)
    with Controller.via_hbbs(mock.address, agent.id, server_key=mock.key, handshake_mode=mode,
                             local_host="127.0.0.2") as client:
        reply = client.wait_for("login_response", 10).msg
        assert reply.error.startswith("This device accepts encrypted sessions only")
        with pytest.raises((LoginError, Exception)):
            client.login(PASSWORD, timeout=3)
    assert "session: login" not in agent.log
