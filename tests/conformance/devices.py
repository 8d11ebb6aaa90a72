# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices and ways to them for the conformance tests. Each test states one fact; docs/PROTOCOL.md lists them."""

import itertools
import re

import pytest

from peer import real
from peer.agent import PASSWORD, Agent
from peer.controller import Controller
from peer.fixtures import end
from peer.hands import Hands
from peer.servers import MockServers

SERVE = {"enabled": True, "address": "127.0.0.1", "port": 0, "session_port": 0}
HANDS_OFF = {"hold_ms": 0}
REAL = pytest.mark.skipif(bool(real.unavailable()), reason=real.unavailable() or "available")
# Addresses nobody has come from: the device counts failures and bounds calls for each.
far_hosts = map(lambda n: f"127.1.{n // 250}.{n % 250 + 1}", itertools.count())


def dial(agent, **kw):
    """Direct access, from an address that nobody has failed from."""
    return Controller.direct("127.0.0.1", agent.port, **{"local": (next(far_hosts), 0), **kw})


@pytest.fixture(scope="module", name="run_agent")
def fixture_run_agent(tmp_path_factory):
    """run_agent(**sections): an agent for all tests of a file."""
    agents = []

    def run(**sections):
        agents.append(Agent(tmp_path_factory.mktemp("agent"), **sections))
        return agents[-1]

    yield run
    for agent in agents:
        end(agent)


@pytest.fixture(scope="module", name="device")
def fixture_device(run_agent):
    """Direct access, otherwise as packaged; but who typed last, maybe the last test, keeps nobody else from typing."""
    return run_agent(hid=HANDS_OFF)


@pytest.fixture(scope="module", name="windows")
def fixture_windows(run_agent):
    """One that calls itself a Windows of a version with relative mouse mode."""
    return run_agent(hid=HANDS_OFF, rustdesk={"platform": "Windows", "version": "1.4.5"})


def logged_in(agent):
    client = dial(agent)
    client.login(PASSWORD)
    client.frame()
    return client


@pytest.fixture(name="stranger")
def fixture_stranger(device):
    """Connected, not logged in."""
    with dial(device) as client:
        yield client


@pytest.fixture(name="client")
def fixture_client(device):
    """Logged in, and has seen a picture."""
    with logged_in(device) as client:
        yield client


@pytest.fixture(name="hands")
def fixture_hands(device, client):
    """What the target sees of what `client` does."""
    return Hands(device, client)


@pytest.fixture(name="windows_client")
def fixture_windows_client(windows):
    with logged_in(windows) as client:
        yield client


@pytest.fixture(name="windows_hands")
def fixture_windows_hands(windows, windows_client):
    return Hands(windows, windows_client)


# ---- rendezvous

def registered(start, servers, **rustdesk):
    """An agent that the servers know."""
    agent = start(rustdesk={"server": servers.address, "key": servers.key, "direct": {"enabled": False}, **rustdesk})
    agent.wait_log(r"rendezvous: registered with")
    return agent


@pytest.fixture(name="mock")
def fixture_mock():
    """Servers of one test, to be scripted."""
    with MockServers() as servers:
        yield servers


@pytest.fixture(scope="module", name="servers")
def fixture_servers():
    """Servers of one file; nobody scripts them."""
    with MockServers() as servers:
        yield servers


@pytest.fixture(scope="module", name="known")
def fixture_known(run_agent, servers):
    """An agent that `servers` know, for all tests of a file."""
    agent = registered(run_agent, servers)
    agent.wait_log("nat: type known")
    return agent


# ---- the same fact by every way

class World:
    """One agent that can be reached by all ways through a pair of servers."""

    def __init__(self, agent, servers):
        self.agent, self.servers = agent, servers
        self._far = itertools.cycle(servers.client_hosts[1:])
        self.own_key = re.search(r"\?key=(\S{44})", agent.log).group(1)


    def far_host(self):
        """An address unlike the device's. The device bounds the calls from each: real ones are few, mock ones many."""
        real_ones = self.servers.client_hosts[1:]
        return next(far_hosts) if real_ones[0].startswith("127.") else next(self._far)


class Path:
    """A way to the device. connect() gives a Controller before login."""

    def __init__(self, world, name):
        self.agent, self.name, self._world = world.agent, name, world
        self.secure = name != "direct"

    def connect(self, **kw):
        servers, agent = self._world.servers, self.agent
        if self.name == "direct":
            return dial(agent, **kw)
        if self.name == "own service":
            return Controller.via_id_box(f"{agent.id}@127.0.0.1:{agent.serve_port}?key={self._world.own_key}", **kw)
        near, far = servers.client_hosts[0], self._world.far_host()
        how = {"local": {"local_host": near}, "punched": {"local_host": far},
               "relay": {"local_host": far, "direct": False},
               "device-relay": {"local_host": far, "force_relay": True}}[self.name]
        options = {"server_key": servers.key, "handshake_timeout": 5, **how, **kw}
        client = real.despite_pairing_race(lambda: Controller.via_hbbs(servers.address, agent.id, **options))
        assert client.path == self.name
        return client


def _world(tmp_path_factory, servers, name):
    with servers:
        agent = Agent(tmp_path_factory.mktemp(name), hid=HANDS_OFF, rustdesk={
            "server": servers.address, "key": servers.key, "serve": SERVE})
        agent.wait_log(r"rendezvous: registered with")
        agent.wait_log("nat: type known")
        yield World(agent, servers)
        end(agent)


@pytest.fixture(scope="session", name="mock_world")
def fixture_mock_world(tmp_path_factory):
    yield from _world(tmp_path_factory, MockServers(), "mock")


@pytest.fixture(scope="session", name="real_world")
def fixture_real_world(tmp_path_factory):
    yield from _world(tmp_path_factory, real.RealServers(), "real")


WAYS = ("local", "punched", "relay", "device-relay")
PATHS = [("mock_world", name) for name in ("direct", "own service", *WAYS)] + [("real_world", name) for name in WAYS]


@pytest.fixture(name="path", params=[
    pytest.param(p, id=p[1].replace(" ", "-") if p[0] == "mock_world" else f"{p[1]}-real",
                 marks=REAL if p[0] == "real_world" else ()) for p in PATHS])
def fixture_path(request):
    world, name = request.param
    return Path(request.getfixturevalue(world), name)


# ---- facts that take their time

@pytest.fixture(scope="session", autouse=True, name="slow_facts")
def fixture_slow_facts(request, tmp_path_factory):
    """What test_timeouts.py looks at runs from the beginning, beside the other tests."""
    wanted = {item.module for item in request.session.items if item.get_closest_marker("slow")}
    runs = [module.start_all(tmp_path_factory) for module in wanted]
    yield runs[0] if runs else None
    for run in runs:
        run.join()
