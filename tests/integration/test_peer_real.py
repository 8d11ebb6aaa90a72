# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller <-> the real hbbs and hbbr <-> the fake device: do our mocks and our client agree with the real thing?"""

import pathlib
import socket
import sys
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from peer import pb, real, rendezvous  # noqa: E402
from peer.conn import Conn, split_address  # noqa: E402
from peer.controller import Controller  # noqa: E402
from peer.fake_device import FakeDevice  # noqa: E402
from peer.netloop import EventLog  # noqa: E402
from peer.servers import MockServers  # noqa: E402

PASSWORD = "Passw0rd!"
RESULT = pb.RegisterPkResponse

pytestmark = pytest.mark.skipif(bool(real.unavailable()), reason=real.unavailable() or "available")


@pytest.fixture(name="servers", scope="module")
def fixture_servers():
    with real.RealServers() as servers:
        yield servers


def device_at(servers, device_id, address=None, host=None):
    return FakeDevice(address or servers.address, device_id, server_key=servers.key,
                      host=host or servers.client_hosts[0])


def dial(servers, device, **kw):
    device.wait_online(10)
    options = {"server_key": servers.key, "handshake_timeout": 3, **kw}
    return real.despite_pairing_race(lambda: Controller.via_hbbs(servers.address, device.id, **options))


@pytest.mark.parametrize("far, how, path", [
    (False, {}, "local"), (True, {}, "punched"), (True, {"direct": False}, "relay"),
    (True, {"force_relay": True}, "device-relay")])
def test_sealed_session_by_every_path(servers, far, how, path):
    """wire.md §5, §6, §8 against the real servers"""
    host = servers.client_hosts[1 if far else 0]
    with device_at(servers, f"10{path}") as device, dial(servers, device, local_host=host, **how) as client:
        assert client.path == path and client.secure and client.device_pk == device.public
        client.login(PASSWORD)
        assert client.frame().key
        assert not device.errors


def test_ipv6_relay(servers):
    with device_at(servers, "100000002", servers.address6, f"fd00:213:{servers.network.third}::1") as device:
        device.wait_online(10)
        with real.despite_pairing_race(lambda: Controller.via_hbbs(
                servers.address6, device.id, server_key=servers.key, direct=False, handshake_timeout=3)) as client:
            client.login(PASSWORD)
            assert client.path == "relay" and client.secure and client.frame().key


def test_refusals(servers):
    with device_at(servers, "100000003") as device:
        with pytest.raises(rendezvous.RendezvousError, match="Key mismatch"):
            dial(servers, device, server_key="wrong")
        with pytest.raises(rendezvous.RendezvousError, match="does not exist"):
            dial(servers, device).via_hbbs(servers.address, "999999999", server_key=servers.key)


def test_restart_keeps_the_database_and_forgets_addresses(servers):
    with device_at(servers, "100000004") as device:
        device.wait_online(10)
        servers.restart()
        before = device.registrations
        with pytest.raises(rendezvous.RendezvousError, match="offline"):
            Controller.via_hbbs(servers.address, device.id, server_key=servers.key)
        device.wait_online(10, more_than=before)
        with dial(servers, device) as client:
            client.login(PASSWORD)


# ---------------------------------------------------------------- mock and real side by side

class Registrar:
    """A UDP socket that registers by hand."""

    def __init__(self, address, local):
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind((local, 0))
        self._sock.settimeout(5)
        self._target = split_address(address, 0)

    def ask(self, **union):
        self._sock.sendto(pb.rendezvous(**union).SerializeToString(), self._target)
        return pb.RendezvousMessage.FromString(self._sock.recv(4096))

    def pk(self, **fields):
        return self.ask(register_pk=pb.RegisterPk(**fields)).register_pk_response.result

    def peer(self, id_):
        return self.ask(register_peer=pb.RegisterPeer(id=id_, serial=3)).register_peer_response.request_pk

    def close(self):
        self._sock.close()


def registration_story(servers):
    """What a server says to a row of registrations (wire.md §2.4, §3.1)."""
    one, two = (Registrar(servers.address, host) for host in servers.client_hosts[:2])
    good = {"id": "200000001", "uuid": b"uuid", "pk": b"\1" * 32}
    story = [
        one.peer(good["id"]), one.pk(**{**good, "id": "12345"}), one.pk(**good), one.peer(good["id"]),
        one.pk(**{**good, "uuid": b"other"}), one.pk(**{**good, "pk": b"\2" * 32}), one.pk(**good),
        one.pk(**good), two.pk(**{**good, "id": "200000002"}), two.peer("200000002"),
    ]
    one.close()
    two.close()
    return story


def nat_story(servers):
    """NAT test on both ports, and RegisterPk over TCP (wire.md §4, §2.4)."""
    host, port = split_address(servers.address, 0)
    request = pb.rendezvous(test_nat_request=pb.TestNatRequest(serial=3))
    with Conn.connect(host, port) as conn:
        local = conn.local
        conn.send_msg(request)
        first = conn.recv_msg(pb.RendezvousMessage, 5).test_nat_response
        closed = conn.wait_closed(5)
    with Conn.connect(host, port - 1, local=local) as conn:
        conn.send_msg(request)
        second = conn.recv_msg(pb.RendezvousMessage, 5).test_nat_response
    with Conn.connect(host, port) as conn:
        conn.send_msg(pb.rendezvous(register_pk=pb.RegisterPk(id="300000001", uuid=b"u", pk=bytes(32))))
        over_tcp = conn.recv_msg(pb.RendezvousMessage, 5).register_pk_response.result
    return [first.port - local[1], first.HasField("cu"), closed, second.port - local[1], over_tcp]


def relay_story(servers):
    """Wrong key, empty uuid, no RequestRelay: how hbbr ends them; and early bytes of both sides (wire.md §6)."""
    host, port = split_address(servers.relay_address, 0)
    story = []
    for msg in (pb.rendezvous(request_relay=pb.RequestRelay(uuid="u", licence_key="wrong")),
                pb.rendezvous(request_relay=pb.RequestRelay(licence_key=servers.key)),
                pb.rendezvous(test_nat_request=pb.TestNatRequest())):
        with Conn.connect(host, port) as conn:
            conn.send_msg(msg)
            story.append(conn.wait_closed(5))
    good = pb.rendezvous(request_relay=pb.RequestRelay(uuid=str(uuid.uuid4()), licence_key=servers.key))
    with Conn.connect(host, port) as first, Conn.connect(host, port) as second:
        for conn, text in ((first, b"early"), (second, b"late")):
            conn.send_msg(good)
            conn.send_frame(text)
        story += [first.recv_frame(5), second.recv_frame(5)]
        first.send_frame(b"")
        first.send_frame(b"after an empty frame")
        story += [second.recv_frame(5), second.recv_frame(5)]
        first.close()
        story.append(second.wait_closed(5))
    return story


@pytest.mark.parametrize("story", [registration_story, nat_story, relay_story])
def test_mock_and_real_tell_the_same_story(servers, story):
    with MockServers() as mocks:
        expected = story(mocks)
    assert real.despite_pairing_race(lambda: story(servers)) == expected


def test_event_log_waits():
    log = EventLog()
    log.add("a")
    assert log.wait_for("a", 0).kind == "a"
    with pytest.raises(TimeoutError):
        log.wait_for("a", 0.01, since=log.mark())
