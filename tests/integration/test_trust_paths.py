# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of who may enter hold on every encrypted path: own service, same LAN, punched and relay, through the mock
servers and through the real ones. test_trust.py has them in the clear."""

import re
import socket
import time

import pytest

from peer import addr, handshake, pb, real
from peer.agent import PASSWORD
from peer.conn import Conn, PeerClosed
from peer.controller import Controller, LoginError
from peer.servers import MockServers
from test_control import good, wait_sessions
from test_trust import TOTP_SECRET, h1, one_time_password, restart_with, salt_of, totp

REAL = pytest.mark.skipif(bool(real.unavailable()), reason=real.unavailable() or "available")
SERVE = {"enabled": True, "address": "127.0.0.1", "port": 0, "session_port": 0}
# Calls come faster here than the device serves one network, so a lost one must not cost much.
# path in the log; is the client on another machine, and how does it dial
WAYS = {"lan": ("same LAN", False, {}), "punched": ("punched", True, {}),
        "relay": ("relay", True, {"direct": False, "relay_timeout": 2.0}),
        "device-relay": ("relay", True, {"force_relay": True})}
ALL = ["served", *(f"mock-{way}" for way in WAYS),
       *(pytest.param(f"real-{way}", marks=REAL) for way in ("lan", "punched", "relay"))]


@pytest.fixture(name="mock", scope="module")
def fixture_mock():
    with MockServers() as servers:
        servers.hbbs.rate_limits = False  # one device after the other from one address
        yield servers


@pytest.fixture(name="real_servers", scope="module")
def fixture_real():
    with real.RealServers() as servers:
        yield servers


class Way:
    """A device and how to reach it encrypted."""

    def __init__(self, start_agent, name, servers):
        self._start_agent, self.name, self.servers = start_agent, name, servers
        self.path, self._far, self._how = WAYS[name.partition("-")[2]] if servers else ("own service", False, {})
        self.relayed = self.path == "relay"
        self.agent = None
        self._starts = 0

    def start(self, **rustdesk):
        reach = {"server": self.servers.address, "key": self.servers.key} if self.servers else {"serve": SERVE}
        self.agent = self._start_agent(rustdesk={"direct": {"enabled": False}, **reach, **rustdesk})
        self.ready()
        return self.agent

    def restart_with(self, text):
        restart_with(self.agent, text)
        self.ready()

    def ready(self):
        self._starts += 1
        if self.servers:
            self.agent.wait_log(r"rendezvous: registered with", count=self._starts)

    def dial(self):
        """An encrypted stream that awaits the login."""
        if not self.servers:
            key = re.search(r"\?key=(\S{44})", self.agent.log).group(1)
            client = Controller.via_id_box(f"{self.agent.id}@127.0.0.1:{self.agent.serve_port}?key={key}")
        else:
            host = self.servers.client_hosts[1 if self._far else 0]
            client = real.despite_pairing_race(lambda: Controller.via_hbbs(
                self.servers.address, self.agent.id, server_key=self.servers.key, handshake_timeout=5,
                local_host=host, **self._how))
        assert client.secure
        return client


@pytest.fixture(name="way", params=ALL)
def fixture_way(request, start_agent):
    kind = request.param.partition("-")[0]
    servers = {"served": None, "mock": "mock", "real": "real_servers"}[kind]
    return Way(start_agent, request.param, request.getfixturevalue(servers) if servers else None)


def refused(way, words, password=PASSWORD, closed=False, **login):
    with way.dial() as client:
        with pytest.raises(LoginError, match=f"^{words}$"):
            client.login(password, **login)
        if closed:
            client.wait_closed(5)


def test_login_and_its_lines(way):
    agent = way.start()
    refused(way, "Wrong Password", "guess", my_id="555666777", my_name="Eve")
    with way.dial() as client:
        client.login(PASSWORD, my_id="555666777", my_name="Eve")
        assert client.frame().key
        client.close()
    who = rf'n=\d+ path={way.path} from=\S+:\d+ id="555666777" name="Eve" '
    agent.wait_log("session: end " + who + 'reason="closed by the controller"')
    for line in ("refused " + who + 'reason="Wrong Password"', "login " + who + "encrypted=1",
                 "end " + who + 'reason="closed by the controller"'):
        assert len(re.findall(f"session: {line}", agent.log)) == 1, agent.log
    assert PASSWORD not in agent.log and "guess" not in agent.log


def test_second_factor_and_trusted_device(way):
    agent = way.start(totp_secret=TOTP_SECRET)
    with way.dial() as client:
        client.send_login(PASSWORD, session_id=1)
        assert client.wait_for("login_response", 5).msg.error == "2FA Required"
        with pytest.raises(LoginError, match="^Wrong 2FA Code$"):
            client.auth_2fa(totp(steps=-5), hwid=b"my machine")
        code = totp()
        client.auth_2fa(code, hwid=b"my machine")
        assert client.frame().key
        client.close()
    with way.dial() as client:
        client.login(PASSWORD, hwid=b"my machine", session_id=2)
        assert client.frame().key
        client.close()
    refused(way, "2FA Required", hwid=b"another machine", session_id=3)
    assert code not in agent.log and "my machine" not in agent.log


def test_dropped_session_resumes(way):
    agent = way.start(password="", totp_secret=TOTP_SECRET)
    first = one_time_password(agent)
    with way.dial() as client:
        client.send_login(first, session_id=4711)
        assert client.wait_for("login_response", 5).msg.error == "2FA Required"
        client.auth_2fa(totp())
        client.frame()
        client.abort()
    one_time_password(agent, first)
    refused(way, "Wrong Password", first, session_id=4712)
    with way.dial() as again:
        again.login(first, session_id=4711)
        assert again.frame().key
        again.close()
    agent.wait_log('session: end .*reason="closed by the controller"')
    refused(way, "Wrong Password", first, session_id=4711)
    assert first not in agent.log


def test_lists_of_ids_and_of_addresses(way):
    agent = way.start(allow_ids="111222333")
    refused(way, "Your ID is blocked by the peer", closed=True)
    with way.dial() as client:
        client.login(PASSWORD, my_id="111222333")
        client.close()
    way.restart_with('allow_addresses = "203.0.113.0/24";')
    with way.dial() as client:
        with pytest.raises(LoginError, match="^Your ip is blocked by the peer$"):
            client.wait_login()
        assert client.hash is None
        client.wait_closed(5)
    assert len(re.findall(rf'session: refused n=\d+ path={way.path} from=\S+ .*reason="Your ', agent.log)) == 2


def test_permissions_of_a_password(way):
    agent = way.start()
    hashed = h1("look", salt_of(agent))
    way.restart_with(f'access = ( {{ name = "guest"; password_hash = "{hashed}"; view_only = true; }} );')
    with way.dial() as guest:
        guest.login("look")
        guest.frame()
        assert guest.permissions[0] is False
        guest.send_key("a")
        guest.mouse_move(100, 100)
        guest.run(0.3)
        assert not agent.reports()
        guest.close()
    agent.wait_log('session: login .*profile="guest"')


def test_operator_lets_in_and_sends_away(way):
    agent = way.start(password="", one_time_password_length=0, approval=True)
    with way.dial() as client:
        client.send_login(None)
        assert client.wait_for("login_response", 5).msg.error == "No Password Access"
        [waiting] = wait_sessions(agent, lambda found: found)
        assert waiting["waiting"] and waiting["path"] == way.path and waiting["encrypted"]
        good(agent, "approve", str(waiting["number"]))
        client.wait_login()
        assert client.frame().key
        good(agent, "kick", str(waiting["number"]))
        assert client.wait_for("misc.close_reason", 5).msg == "Closed manually by the peer"
        client.wait_closed(5)
    line = rf'n={waiting["number"]} path={way.path} from=\S+:\d+ id="987654321" name="Test Client" '
    agent.wait_log("session: end " + line + 'reason="Closed manually by the peer"')
    assert re.search("session: login " + line + 'encrypted=1 profile="approved"', agent.log)


def test_guessing_is_limited(way):
    """And on a relay apart from what the kernel sees: a server's word must not lock out the address it names."""
    serve = {"serve": SERVE} if way.relayed else {}
    agent = way.start(**serve)
    words = []
    # A minute may end meanwhile, and the limit with it: then it takes as many again.
    while len(words) < 14 and "Please try 1 minute later" not in words:
        with way.dial() as client:
            with pytest.raises(LoginError) as error:
                client.login("guess")
            words.append(str(error.value))
    assert words[-1] == "Please try 1 minute later" and len(words) >= 8, words
    assert set(words[:-1]) == {"Wrong Password"}
    assert len(agent.wait_log('session: refused .*reason="Wrong Password"')) == len(words) - 1
    if way.relayed and way.name.startswith("mock"):
        key = re.search(r"\?key=(\S{44})", agent.log).group(1)
        with Controller.via_id_box(f"{agent.id}@127.0.0.1:{agent.serve_port}?key={key}",
                                   local_host=way.servers.client_hosts[1]) as client:
            client.login(PASSWORD)
            assert client.frame().key


def relayed_as(agent, mock, claim):
    """An encrypted stream over a relay of ours, from the address that the server claims."""
    with socket.create_server(("127.0.0.1", 0)) as relay:
        mock.hbbs.push(agent.id, request_relay=pb.RequestRelay(
            uuid="mine", socket_addr=addr.encode((claim, 4000)), secure=True,
            relay_server=f"127.0.0.1:{relay.getsockname()[1]}"))
        relay.settimeout(10)
        conn = Conn(relay.accept()[0])
    conn.recv_frame(10)
    signed = mock.hbbs.call(lambda: mock.hbbs._signed_pk(agent.id, "1.4.9"))
    device_pk = handshake.client_secure(conn, agent.id, signed, mock.key)
    client = Controller(conn, agent.id, device_pk=device_pk, path="relay")
    assert client.secure
    return client


def test_address_that_the_server_names_is_taken_as_its_word(start_agent, mock):
    """On the list or not by what it says, but never by an address that means another machine there than here."""
    way = Way(start_agent, "mock-relay", mock)
    agent = way.start(allow_addresses="203.0.113.0/24, 127.0.0.0/8, 169.254.0.0/16")
    for claim in ("198.51.100.1", "127.0.0.1", "169.254.1.1"):
        with relayed_as(agent, mock, claim) as client:
            with pytest.raises(LoginError, match="^Your ip is blocked by the peer$"):
                client.wait_login()
        agent.wait_log(rf'refused .*path=relay from={claim}:4000 .*reason="Your ip is blocked by the peer"')
    with relayed_as(agent, mock, "203.0.113.9") as client:
        client.login(PASSWORD)
        assert client.frame().key
    agent.wait_log(r"session: login .*path=relay from=203\.0\.113\.9:4000 ")


def test_lying_server_locks_out_only_what_comes_over_a_relay(start_agent, mock):
    """All failures that a relay spreads over claimed addresses are one crowd, and leave other paths alone."""
    agent = Way(start_agent, "mock-relay", mock).start()
    begun = time.monotonic()
    failures = 0
    words = ""
    # At most 20 calls a second are served; a minute may end once.
    while failures < 121 and "minute" not in words:
        try:
            with relayed_as(agent, mock, f"203.0.{failures}.{failures % 200 + 1}") as client:
                with pytest.raises(LoginError) as error:
                    client.login("guess")
        except (TimeoutError, PeerClosed):
            continue
        words = str(error.value)
        failures += 1
    assert words == "Please try 1 minute later" and 61 <= failures <= 121, (failures, time.monotonic() - begun)
    way = Way(start_agent, "mock-punched", mock)
    way.agent = agent
    with way.dial() as client:
        client.login(PASSWORD)
        assert client.frame().key
