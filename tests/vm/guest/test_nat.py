# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pairs of networks connect directly and which by relay, through the kernel's own NAT (wire.md §4 to §6).

With the mock servers and with the real ones. What was seen is left as a table in nat-paths.txt beside the result.
"""
import contextlib
import time

import lib
import nat
import pytest
from tests.peer import pb, real
from tests.peer.conn import Conn
from tests.peer.controller import Controller
from tests.peer.servers import MockServers

REAL = pytest.mark.skipif(bool(real.unavailable()), reason=real.unavailable() or "available")
BAD = "delay 60ms 10ms loss 3%"  # each way on each line: 240 ms there and back between two sites
PATIENCE_S = 60


@pytest.fixture(scope="module")
def box():
    with nat.Box({f"{side}-{kind}": kind for side in ("kvm", "pc") for kind in nat.KINDS}) as networks:
        yield networks


@pytest.fixture(scope="module", params=["mock", pytest.param("real", marks=REAL)])
def servers(request, box):
    with nat.inside("srv"):
        made = MockServers((nat.SERVER,)) if request.param == "mock" else real.RealServers(network=nat.Network)
        with made as running:
            running.name = request.param
            yield running


@pytest.fixture(scope="module")
def devices(servers, tmp_path_factory):
    """kind -> an agent behind that kind of router, registered and with its NAT type measured."""
    with contextlib.ExitStack() as stack:
        agents = {}
        for kind in nat.KINDS:
            folder = tmp_path_factory.mktemp(f"{servers.name}-{kind}")
            with nat.inside(f"kvm-{kind}"):
                agents[kind] = stack.enter_context(lib.Agent(folder, rustdesk={
                    "server": servers.address, "key": servers.key, "direct": {"enabled": False}}))
        for agent in agents.values():
            agent.wait_log("registered with")
            agent.wait_log("nat: type known")
        yield agents


@pytest.fixture(scope="module")
def table():
    """Rows of what was seen, written when all is done."""
    rows = []
    yield rows
    text = "".join(f"{' | '.join(f'{cell:<14}' for cell in row)}\n" for row in rows)
    (lib.OUT / "nat-paths.txt").write_text(text)
    print(f"\n{text}")


def nat_type(servers):
    """What a stock client at this place finds out about its own router (wire.md §4)."""
    host, port = servers.address.rsplit(":", 1)
    ports, local = [], ("0.0.0.0", 0)
    for server_port in (int(port), int(port) - 1):
        with Conn.connect(host, server_port, local=local, timeout=PATIENCE_S) as conn:
            conn.send_msg(pb.rendezvous(test_nat_request=pb.TestNatRequest()))
            ports.append(conn.recv_msg(pb.RendezvousMessage, PATIENCE_S).test_nat_response.port)
            local = conn.local[:2]
    return pb.NAT_ASYMMETRIC if ports[0] == ports[1] else pb.NAT_SYMMETRIC


def dial(servers, agent, place, **how):
    """A session from that namespace, with a picture on its screen; (path, seconds until it stood)."""
    with nat.inside(place):
        how.setdefault("nat_type", nat_type(servers))
        start = time.monotonic()
        peer = real.despite_pairing_race(lambda: Controller.via_hbbs(
            servers.address, agent.id, server_key=servers.key, handshake_timeout=PATIENCE_S / 6, **how))
        took = time.monotonic() - start
    with peer:
        assert peer.secure
        peer.login(lib.PASSWORD, timeout=PATIENCE_S)
        assert peer.frame(PATIENCE_S).key
    return peer.path, took


@pytest.mark.parametrize("theirs", nat.KINDS)
@pytest.mark.parametrize("ours", nat.KINDS)
def test_from_another_network(servers, devices, table, ours, theirs):
    """Symmetric on either side is known to both by then, and goes to the relay at once."""
    path, took = dial(servers, devices[ours], f"pc-{theirs}")
    table.append((servers.name, ours, theirs, "good", path, f"{took:.1f} s"))
    assert path == ("device-relay" if "symmetric" in (ours, theirs) else "punched")


@pytest.mark.parametrize("ours", ["cone", "symmetric"])
def test_from_the_same_lan(servers, devices, table, ours):
    """One public address for both: the server has them meet inside, whatever the router does."""
    path, took = dial(servers, devices[ours], f"kvm-{ours}-lan")
    table.append((servers.name, ours, "same LAN", "good", path, f"{took:.1f} s"))
    assert path == "local"


def test_client_that_does_not_know_of_its_symmetric_router(servers, devices, table):
    """The punch goes to a port that is not the one the client comes from; the client asks for a relay then."""
    path, took = dial(servers, devices["cone"], "pc-symmetric", nat_type=pb.NAT_UNKNOWN)
    table.append((servers.name, "cone", "symmetric (?)", "good", path, f"{took:.1f} s"))
    assert path == "relay"


@pytest.mark.parametrize("ours, theirs, expected", [
    ("cone", "cone", "punched"), ("symmetric", "cone", "device-relay"), ("cone", "symmetric", "device-relay")])
def test_over_lines_that_delay_and_lose(servers, devices, box, table, ours, theirs, expected):
    with box.bad_lines((f"kvm-{ours}", f"pc-{theirs}"), BAD):
        path, took = dial(servers, devices[ours], f"pc-{theirs}")
    table.append((servers.name, ours, theirs, "bad", path, f"{took:.1f} s"))
    assert path == expected


def test_agent_measured_its_router(devices):
    for kind, agent in devices.items():
        assert ("symmetric: relay only" in agent.log()) == (kind == "symmetric"), kind
