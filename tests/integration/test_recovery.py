# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that are killed and a link that is cut, in the middle of sessions: who survives, and how long until
everything is as it was.

Controllers try again every second, as the stock client does. Figures go to $KVMAGENT_FIGURES, one line of
JSON a test; the long cuts are made with KVMAGENT_SOAK only (./dev soak)."""

import os
import subprocess
import time

import pytest

from peer import real
from peer.agent import PASSWORD
from peer.conn import CONNECT_TIMEOUT, DecryptError, PeerClosed, PeerTimeout
from peer.controller import Controller
from peer.handshake import HandshakeError
from peer.hostile import note
from peer.rendezvous import RendezvousError
from peer.servers import MockServers

SOAK = bool(os.environ.get("KVMAGENT_SOAK"))
REAL = pytest.mark.skipif(bool(real.unavailable()), reason=real.unavailable() or "available")
DOWN_S = 5
GONE = (PeerClosed, PeerTimeout, RendezvousError, HandshakeError, DecryptError, OSError)


@pytest.fixture(name="servers", params=["mock", pytest.param("real", marks=REAL)])
def fixture_servers(request):
    with MockServers() if request.param == "mock" else real.RealServers() as servers:
        servers.kind = request.param
        yield servers


def registered(start_agent, servers, netns=None):
    agent = start_agent(netns=netns, rustdesk={"server": servers.address, "key": servers.key,
                                               "direct": {"enabled": False}})
    agent.wait_log(r"rendezvous: registered with")
    return agent


def dial(servers, agent, host=None, **kw):
    return Controller.via_hbbs(servers.address, agent.id, server_key=servers.key, handshake_timeout=5,
                               local_host=host or servers.client_hosts[1], **kw)


def watch(client):
    client.login(PASSWORD)
    client.frame(CONNECT_TIMEOUT)
    return client


def reconnect(limit, *args, **kw):
    """A controller that has a picture, and the seconds until then."""
    start = time.monotonic()
    while True:
        attempt = time.monotonic()
        try:
            return watch(dial(*args, **kw)), time.monotonic() - start
        except GONE as error:
            assert time.monotonic() - start < limit, f"no picture after {limit} s: {error!r}"
        while time.monotonic() < attempt + 1:
            time.sleep(0.05)


def longest_gap(client, seconds):
    """The longest time without a picture; the session must last."""
    client.pictures.clear()
    end, last, worst = time.monotonic() + seconds, time.monotonic(), 0.0
    while time.monotonic() < end:
        try:
            client.pump(0.2)
        except PeerTimeout:
            pass
        now = client.pictures[-1].arrival if client.pictures else last
        worst, last = max(worst, time.monotonic() - last if now == last else now - last), now
        client.pictures.clear()
    return worst


def wait_released(agent, limit):
    """Seconds until no key is held."""
    start = time.monotonic()
    agent.wait_reports(lambda rows: rows and not any(rows[-1][1]), "keyboard", timeout=limit)
    return time.monotonic() - start


def hold_shift(agent, client):
    client.control_key("Shift")
    agent.wait_reports(lambda rows: rows and any(rows[-1][1]), "keyboard")


def test_hbbs_killed(start_agent, servers):
    """Sessions go on without it, and once it is back the device is found again."""
    agent = registered(start_agent, servers)
    with watch(dial(servers, agent)) as direct, \
            watch(real.despite_pairing_race(lambda: dial(servers, agent, force_relay=True))) as relayed:
        assert (direct.path, relayed.path) == ("punched", "device-relay")
        servers.kill_hbbs()
        gap = longest_gap(direct, DOWN_S)
        assert gap < 3
        servers.start_hbbs()
        start = time.monotonic()
        again, pictures_s = reconnect(90, servers, agent)
        agent.wait_log("rendezvous: registered with", timeout=60)
        with again:
            hold_shift(agent, direct)
            relayed.frame(20)
        note("hbbs killed", servers=servers.kind, down_s=DOWN_S, direct_longest_gap_s=round(gap, 2),
             found_again_s=round(pictures_s, 1), seconds=round(time.monotonic() - start, 1))


def test_hbbr_killed(start_agent, servers):
    """Its sessions end, their keys are released, and controllers that try again come in by the new one."""
    agent = registered(start_agent, servers)
    with watch(real.despite_pairing_race(lambda: dial(servers, agent, force_relay=True))) as relayed, \
            watch(dial(servers, agent)) as direct:
        hold_shift(agent, relayed)
        start = time.monotonic()
        servers.kill_hbbr()
        wait_released(agent, 40)
        released_s = time.monotonic() - start
        agent.wait_log(r"session: end .*path=relay", timeout=40)
        ended_s = time.monotonic() - start
        gap = longest_gap(direct, 1)
        assert ended_s < 40 and gap < 3
        servers.start_hbbr()
        again, pictures_s = reconnect(90, servers, agent, force_relay=True)
        with again:
            assert again.path == "device-relay"
        note("hbbr killed", servers=servers.kind, released_s=round(released_s, 2), ended_s=round(ended_s, 2),
             direct_longest_gap_s=round(gap, 2), relayed_again_s=round(pictures_s, 1))


# ---------------------------------------------------------------- the link

class Line:
    """The device's own network: a namespace at the end of a cable that can be cut in two ways."""

    server, device = "10.214.9.1", "10.214.9.2"

    def __init__(self):
        self.name, self.link = f"ka-line-{os.getpid()}", f"kl{os.getpid() % 10**7}"

    def _ip(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)

    def __enter__(self):
        self._ip("netns", "add", self.name)
        self._ip("link", "add", self.link, "type", "veth", "peer", "name", "lan", "netns", self.name)
        self._ip("addr", "add", f"{self.server}/24", "dev", self.link)
        self._ip("link", "set", self.link, "up")
        self._ip("-n", self.name, "addr", "add", f"{self.device}/24", "dev", "lan")
        for link in ("lo", "lan"):
            self._ip("-n", self.name, "link", "set", link, "up")
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "link", "del", self.link], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def _neighbours(self, *words):
        """Both ends' idea of where the other one is."""
        self._ip("neigh", *words[:1], self.device, *words[1:], "dev", self.link)
        self._ip("-n", self.name, "neigh", *words[:1], self.server, *words[1:], "dev", "lan")

    def cut(self, how):
        if how == "unplugged":
            self._ip("link", "set", self.link, "down")  # no carrier at the device
        else:
            self._neighbours("replace", "lladdr", "02:00:00:00:00:99", "nud", "permanent")  # to nobody

    def mend(self, how):
        if how == "unplugged":
            self._ip("link", "set", self.link, "up")
        else:
            self._neighbours("del")


@pytest.fixture(name="line")
def fixture_line():
    if os.geteuid():
        pytest.skip("needs root for a network namespace")
    with Line() as line:
        yield line


def wait_registration(servers, since, limit):
    """Seconds until hbbs has heard from the device again."""
    servers.hbbs.wait_for(lambda e: e.kind in ("register_peer", "register_pk") and e.time >= since, limit)
    return time.monotonic() - since


LONG = pytest.mark.skipif(not SOAK, reason="long: ./dev soak")


@pytest.mark.parametrize("seconds", [6, pytest.param(20, marks=LONG), pytest.param(60, marks=LONG)])
@pytest.mark.parametrize("how", ["unplugged", "silent"])
def test_link_cut(start_agent, line, how, seconds):
    """A short cut is survived by the session; after a long one it has ended, and released its keys, by itself."""
    with MockServers((line.server,)) as servers:
        agent = registered(start_agent, servers, netns=line.name)
        client = watch(dial(servers, agent, host=line.server))
        hold_shift(agent, client)
        line.cut(how)
        cut = time.monotonic()
        figures = {"how": how, "cut_s": seconds}
        if seconds > 40:
            wait_released(agent, 50)
            figures["released_after_s"] = round(time.monotonic() - cut, 1)
            agent.wait_log("session: end", timeout=10)
        while time.monotonic() < cut + seconds:
            time.sleep(0.05)
        line.mend(how)
        mended = time.monotonic()
        if seconds < 10:
            client.pictures.clear()
            client.frame_where(lambda p: p.arrival > mended, 60)
            figures["same_session_s"] = round(time.monotonic() - mended, 1)
        again, figures["reconnected_s"] = reconnect(120, servers, agent, host=line.server)
        figures["reconnected_s"] = round(figures["reconnected_s"], 1)
        figures["registered_s"] = round(wait_registration(servers, mended, 60), 1)
        client.abort()
        again.close()
        note("link cut", **figures)
