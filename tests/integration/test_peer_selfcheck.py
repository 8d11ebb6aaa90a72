# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller <-> mocks <-> a fake device in Python: the tools checked by themselves.

No agent is involved. A failure here means that the tools are wrong, not the product.
"""

import pathlib
import socket
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from peer import card, framing, pb, rendezvous, video  # noqa: E402
from peer.conn import Conn, PeerClosed, PeerTimeout  # noqa: E402
from peer.controller import Controller, LoginError, RIGHT  # noqa: E402
from peer.fake_device import SALT, FakeDevice  # noqa: E402
from peer.servers import MockServers  # noqa: E402

PASSWORD = "Passw0rd!"


# ---------------------------------------------------------------- controller <-> fake device, direct

def test_direct_session():
    """wire.md §7.1, §9, §10"""
    with FakeDevice() as device, Controller.direct("127.0.0.1", device.direct_port) as client:
        assert client.wait_hash().salt == SALT
        client.send_login(None)
        with pytest.raises(LoginError, match="Wrong Password"):
            client.login("not it")
        info = client.login(PASSWORD)
        assert info.displays[0].width == 640 and not client.secure
        numbers = [card.read_number(p.y) for p in client.frames(5, 10)]
        assert numbers == list(range(numbers[0], numbers[0] + 5)) and None not in numbers
        assert client.pictures == [] or not client.pictures[0].key
        client.message_query(0)
        client.wait_for("misc.switch_display", 5)
        client.change_resolution(320, 180, display=0)
        assert client.frame_where(lambda p: p.width == 320).key
        client.refresh_video_display(0)
        assert client.key_frame().rgb.shape == (180, 320, 3)
        client.tap("LControl", "c")
        client.click(10, 20, RIGHT)
        assert client.permissions == {pb.PERM_FILE: False}
        client.close("")
        device.wait_for(lambda: any(m.misc.WhichOneof("union") == "close_reason" for m in device.messages), 5)
        kinds = [m.WhichOneof("union") for m in device.messages]
        assert kinds.count("test_delay") == 1 and kinds.count("key_event") == 4 and kinds.count("mouse_event") == 3
        assert not device.errors
    names = [m.login_request.username for m in device.messages if m.WhichOneof("union") == "login_request"]
    assert names == [f"127.0.0.1:{device.direct_port}"] * 3


def test_direct_session_reports_a_lost_frame():
    with FakeDevice() as device:
        device.drop_frame = 3
        with Controller.direct("127.0.0.1", device.direct_port) as client:
            client.login(PASSWORD)
            with pytest.raises(video.ProtocolViolation, match="frame_num"):
                list(client.frames(5, 10))


# ---------------------------------------------------------------- through the mocks

@pytest.fixture(name="servers")
def fixture_servers():
    with MockServers() as servers:
        yield servers


def device_at(servers, **kw):
    return FakeDevice(servers.address, server_key=servers.key, **kw)


def dial(servers, device, **kw):
    servers.hbbs.wait_online(device.id, 10)
    return Controller.via_hbbs(servers.address, device.id, **{"server_key": servers.key, **kw})


@pytest.mark.parametrize("how, path", [
    ({}, "local"), ({"local_host": "127.0.0.2"}, "punched"), ({"direct": False}, "relay"),
    ({"force_relay": True, "local_host": "127.0.0.2"}, "device-relay"), ({"force_relay": True}, "relay")])
def test_sealed_session_by_every_path(servers, how, path):
    """wire.md §5.1, §5.2, §5.3, §5.4, §6, §8"""
    with device_at(servers) as device, dial(servers, device, **how) as client:
        assert client.path == path and client.secure and client.device_pk == device.public
        client.login(PASSWORD)
        assert client.frame().key
        assert servers.hbbr.pairs() == (1 if "relay" in path else 0)
        assert not device.errors


@pytest.mark.parametrize("mode", ["keyless", "wrong-key", "other-message"])
def test_plaintext_fallbacks(servers, mode):
    """wire.md §8.2: anything but a good PublicKey continues in clear"""
    with device_at(servers) as device, dial(servers, device, handshake_mode=mode) as client:
        assert not client.secure
        if mode == "keyless":
            client.wait_for("signed_id", 5)
        client.login(PASSWORD)
        assert client.frame().key


@pytest.mark.parametrize("mode", ["garbage", "wrong-size", "bad-seal"])
def test_bad_handshakes_end_the_connection(servers, mode):
    with device_at(servers) as device, dial(servers, device, handshake_mode=mode) as client:
        with pytest.raises(PeerClosed):
            client.run(10)


def test_client_without_the_key_is_refused(servers):
    """wire.md §3.4"""
    with device_at(servers) as device:
        with pytest.raises(rendezvous.RendezvousError, match="Key mismatch"):
            dial(servers, device, server_key="")
        with pytest.raises(rendezvous.RendezvousError, match="does not exist"):
            Controller.via_hbbs(servers.address, "000000000", server_key=servers.key)


@pytest.mark.parametrize("direct", [True, False])
def test_server_without_signing_gives_keyless_sessions(direct):
    """wire.md §5.3: without signed pk RequestRelay says secure=false, and no SignedId may come"""
    with MockServers(signing=False) as servers:
        with device_at(servers) as device, dial(servers, device, direct=direct) as client:
            assert not client.secure
            client.login(PASSWORD)
            assert bool(client.received("signed_id")) == direct


def test_ipv6():
    with MockServers("::1") as servers:
        with device_at(servers, host="::1") as device:
            with dial(servers, device) as client:
                assert client.path == "local" and client.secure
            with dial(servers, device, direct=False) as client:
                client.login(PASSWORD)
                assert client.path == "relay" and client.frame().key


def test_dual_stack_listener_serves_ipv4():
    """As the real servers listen: IPv4 sources look like ::ffff:a.b.c.d to them"""
    with MockServers("::") as servers:
        address = f"127.0.0.1:{servers.hbbs.port}"
        with FakeDevice(address, server_key=servers.key) as device:
            servers.hbbs.wait_online(device.id, 10)
            for how, path in (({}, "local"), ({"local_host": "127.0.0.2"}, "punched"), ({"direct": False}, "relay")):
                with Controller.via_hbbs(address, device.id, server_key=servers.key, **how) as client:
                    assert client.path == path and client.secure


def test_lost_pairing_race(servers):
    """What hbbr does to two legs that arrive at once: the first is closed, the second waits alone"""
    servers.hbbr.pairing_races = 1
    with device_at(servers) as device:
        with pytest.raises((PeerClosed, PeerTimeout)):
            dial(servers, device, direct=False, handshake_timeout=0.3)
        assert [e.info["why"] for e in servers.hbbr.all("dropped")] == ["lost the race"]
        dial(servers, device, direct=False).close()


def test_client_that_never_answers_or_leaves(servers):
    with device_at(servers) as device:
        with dial(servers, device, handshake_mode="silent") as client:
            assert client.wait_for("signed_id", 5)
        dial(servers, device, handshake_mode="eof")
        with dial(servers, device) as client:
            client.login(PASSWORD)


def test_restart_forgets_and_device_comes_back(servers):
    """wire.md §2.4: the trap of an unchanged RegisterPk after a restart"""
    with device_at(servers) as device:
        servers.hbbs.wait_online(device.id, 10)
        mark = servers.hbbs.mark()
        servers.restart()
        # The device tells its key again only because the server has forgotten it.
        servers.hbbs.wait_for("register_pk", 10, since=mark)
        servers.hbbs.wait_for("online", 10, since=mark)
        with dial(servers, device) as client:
            client.login(PASSWORD)


def test_scripted_results_and_faults(servers):
    hbbs = servers.hbbs
    hbbs.script_register_pk("UUID_MISMATCH", "TOO_FREQUENT")
    hbbs.drop_incoming = 1
    with device_at(servers) as device:
        hbbs.wait_online(device.id, 10)
        results = [e.msg.result for e in hbbs.all("sent:register_pk_response")]
        assert results[:3] == [pb.RegisterPkResponse.UUID_MISMATCH, pb.RegisterPkResponse.TOO_FREQUENT, 0]
        assert hbbs.all("dropped")
        hbbs.push(device.id, spoof=True, request_relay=pb.RequestRelay(uuid="x", relay_server="127.0.0.1:1"))
        hbbs.push_raw(device.id, b"\xff\xff")
        hbbs.silent = True
        mark = hbbs.mark()
        hbbs.wait_for("register_peer", 5, since=mark)
        assert not [e for e in hbbs.events[mark:] if e.kind.startswith("sent:register_peer")]
        hbbs.silent = False


def ask(address, msg, local=None):
    with Conn.connect(*address, local=local) as conn:
        conn.send_msg(msg)
        return conn.local, conn.recv_msg(pb.RendezvousMessage, 5)


@pytest.mark.parametrize("symmetric", [False, True])
def test_nat_test(servers, symmetric):
    """wire.md §4"""
    hbbs = servers.hbbs
    hbbs.symmetric_nat = symmetric
    hbbs.serial = 5
    request = pb.rendezvous(test_nat_request=pb.TestNatRequest(serial=3))
    local, first = ask((hbbs.host, hbbs.port), request)
    _, second = ask((hbbs.host, hbbs.port - 1), request, local)
    assert first.test_nat_response.port == local[1] and first.test_nat_response.cu.serial == 5
    assert (second.test_nat_response.port != local[1]) == symmetric


def test_register_pk_rules(servers):
    """wire.md §2.4"""
    results = pb.RegisterPkResponse
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(5)

        def register(**fields):
            udp.sendto(pb.rendezvous(register_pk=pb.RegisterPk(**fields)).SerializeToString(),
                       (servers.hbbs.host, servers.hbbs.port))
            return pb.RendezvousMessage.FromString(udp.recv(4096)).register_pk_response.result

        good = {"id": "555555", "uuid": b"u", "pk": bytes(32)}
        assert register(**{**good, "id": "short"}) == results.UUID_MISMATCH
        assert register(**good) == results.OK
        assert register(**{**good, "uuid": b"other"}) == results.UUID_MISMATCH
        assert register(**{**good, "pk": b"\1" * 32}) == results.OK  # same address: a new key is accepted
        assert register(**good) == results.OK
        assert register(**good) == results.TOO_FREQUENT


def test_relay_rules(servers):
    """wire.md §6: wrong key and empty uuid are dropped without a word; nothing is ever answered"""
    hbbr = servers.hbbr
    hbbr.park_seconds = 0.3
    for request in (pb.RequestRelay(uuid="a", licence_key="wrong"), pb.RequestRelay(licence_key=servers.key)):
        with Conn.connect(hbbr.hosts[0], hbbr.port) as conn:
            conn.send_msg(pb.rendezvous(request_relay=request))
            assert conn.wait_closed(5) == []
    good = pb.rendezvous(request_relay=pb.RequestRelay(uuid="a", licence_key=servers.key))
    with Conn.connect(hbbr.hosts[0], hbbr.port) as lonely:
        lonely.send_msg(good)
        assert lonely.wait_closed(5) == []
    hbbr.park_seconds = 30
    with Conn.connect(hbbr.hosts[0], hbbr.port) as first, Conn.connect(hbbr.hosts[0], hbbr.port) as second:
        first.send_msg(good)
        first.send_frame(b"early")
        hbbr.wait_for("parked", 5, since=hbbr.mark() - 2)
        second.send_msg(good)
        second.send_frame(b"too")
        assert (second.recv_frame(5), first.recv_frame(5)) == (b"early", b"too")
        hbbr.stall()
        second.send_frame(b"late")
        with pytest.raises(PeerTimeout):
            first.recv_frame(0.2)
        hbbr.stall(False)
        assert first.recv_frame(5) == b"late"
        big = bytes(3 << 20)
        second.send_frame(b"x")
        first.recv_frame(5)
        for _ in range(2):
            second_sent = framing.frame(big)
            _exchange(second, first, second_sent, big)
        hbbr.cut()
        assert first.wait_closed(5) == []


def _exchange(sender, receiver, data, expected):
    thread = threading.Thread(target=sender.send_bytes, args=(data,))
    thread.start()
    assert receiver.recv_frame(20) == expected
    thread.join()


@pytest.mark.parametrize("program", ["mock_hbbs.py", "mock_hbbr.py"])
def test_mocks_run_as_programs(program):
    path = pathlib.Path(__file__).resolve().parents[1] / "peer" / program
    with subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, text=True) as process:
        words = process.stdout.readline().split()
        assert words[0] == "READY"
        port = int(dict(w.split("=", 1) for w in words[1:])["port"])
        Conn.connect("127.0.0.1", port).close()
        process.terminate()
        assert process.wait(10) == 0
