# SPDX-License-Identifier: GPL-3.0-or-later
"""Strangers who misbehave at every door, while a well-behaved controller watches and types: it keeps getting pictures
and its keys arrive; memory, descriptors and threads are afterwards what they were.

Counts are a twentieth of the full ones unless KVMAGENT_SOAK is set (./dev soak); figures go to $KVMAGENT_FIGURES, one
line of JSON a test."""

import base64
import itertools
import os
import re
import threading
import time

import pytest

from peer import hostile, pb
from peer.agent import PASSWORD
from peer.conn import PeerClosed, PeerTimeout
from peer.controller import Controller, LoginError
from peer.framing import frame
from peer.netloop import free_port_block
from peer.rendezvous import RendezvousError
from peer.servers import MockServers

SOAK = bool(os.environ.get("KVMAGENT_SOAK"))
CYCLES = 10000 if SOAK else 500
HALF_OPEN = 500 if SOAK else 100
RELAYED = 500 if SOAK else 30
GROWN_KIB = 10 * 1024  # of the release build: what the allocator keeps of a second encoder, threads and buffers
GOOD_FPS = 20 if SOAK else 0.5  # of 30; the latter on a busy machine under a sanitizer

QUIET = {"log": {"level": "info"}}
ALONE = {"hold_ms": 0}  # strangers who are in may type too: nobody waits for them


@pytest.fixture(name="served")
def fixture_served(start_agent):
    """An agent with the direct port and its own rendezvous service."""
    session_port = free_port_block(("127.0.0.1",), 1)
    serve = {"enabled": True, "address": "127.0.0.1", "port": 0, "session_port": session_port}
    agent = start_agent(rustdesk={"serve": serve}, hid=ALONE, top=QUIET)
    agent.session_port = session_port
    agent.key = re.search(r"\?key=(\S{44})", agent.log).group(1)
    agent.device_key = base64.b64decode(re.search(r"device-key key=(\S{44})", agent.log).group(1))
    return agent


def watched(name, agent, witness, footprint, **figures):
    """The end of a test: what the witness saw and what the agent kept."""
    good = witness.stop()
    assert good["good_fps"] >= GOOD_FPS, good
    flat = footprint.wait_flat(GROWN_KIB)
    hostile.note(name, **figures, **good, **flat)
    assert agent.process.poll() is None


def start_watching(agent):
    """The footprint counts from before the witness, once everything has run once (libuv keeps a spare descriptor)."""
    if agent.serve_port:
        hostile.at_once(agent.serve_port, "127.0.0.2", False)
    for n in range(20):
        hostile.after_login(agent.port, "127.0.0.2", True, PASSWORD)
        agent.wait_log("session: end", timeout=60, count=n + 1)
    with Controller.direct("127.0.0.1", agent.port) as client:
        client.login(PASSWORD)
        client.frame(20)
        client.tap("a")
        agent.wait_reports(lambda rows: hostile.presses(rows) == 1 and not any(rows[-1][1]), "keyboard")
    agent.wait_log("session: end", timeout=60, count=21)
    footprint = hostile.Footprint(agent)
    return hostile.Witness(agent, PASSWORD), footprint


def stages(agent):
    """(weight, function of port, source, reset): where a stream is dropped."""
    return [
        (40, agent.port, hostile.at_once), (5, agent.serve_port, hostile.at_once),
        (5, agent.session_port, hostile.at_once),
        (20, agent.port, hostile.in_header), (5, agent.serve_port, hostile.in_header),
        (5, agent.port, hostile.in_message),
        (10, agent.port, hostile.after_hash),
        (5, agent.session_port, lambda *a: hostile.after_handshake(*a, agent.id, agent.device_key)),
        (5, agent.port, lambda *a: hostile.after_login(*a, PASSWORD)),
    ]


@pytest.mark.tsan
def test_connect_and_drop(served):
    """At every stage, with FIN and with RST."""
    witness, footprint = start_watching(served)
    start, done, refused = time.monotonic(), 0, 0
    plan = list(itertools.chain.from_iterable([(port, act)] * weight for weight, port, act in stages(served)))
    source = hostile.sources()
    with witness:
        while done < CYCLES:
            port, act = plan[(done * 37) % len(plan)]  # mixed
            try:
                act(port, next(source), bool(done & 1))
            except (LoginError, PeerClosed, PeerTimeout, ConnectionError):
                refused += 1  # pushed out by the next stranger, or all places are taken for a moment
            done += 1
    seconds = time.monotonic() - start
    assert refused <= CYCLES // 20, refused
    logins = served.log.count("session: login")
    assert len(served.log.splitlines()) <= 4 * logins + 8 * seconds + 200
    watched("connect and drop", served, witness, footprint, cycles=done, refused=refused, seconds=round(seconds, 1))


@pytest.mark.tsan
def test_half_open(served):
    """They come, say nothing and stay, at all three ports; others come in all the same."""
    witness, footprint = start_watching(served)
    start, source, idle = time.monotonic(), hostile.sources(), []
    with witness, Controller.direct("127.0.0.1", served.port, local=("127.0.0.98", 0)) as typing:
        typing.send_login(None)  # somebody at the password dialog does not have to give way
        typing.send(test_delay=pb.TestDelay(time=1, from_client=True))
        typing.wait_for(lambda r: r.kind == "test_delay" and r.msg.from_client, 20)
        for n in range(HALF_OPEN):
            idle.append(hostile.connect((served.port, served.serve_port, served.session_port)[n % 3], next(source)))
        most = footprint.wait_at_most(threads=26, fds=300)  # while they all stay
        for host in ("127.0.0.1", "127.0.0.99"):
            with Controller.direct("127.0.0.1", served.port, local=(host, 0)) as client:
                client.login(PASSWORD)
                client.frame(20)
        box = f"{served.id}@127.0.0.1:{served.serve_port}?key={served.key}"
        with Controller.via_id_box(box) as client:
            assert client.secure
            client.login(PASSWORD)
        typing.login(PASSWORD)
    seconds = time.monotonic() - start
    for sock in idle:
        sock.close()
    watched("half open", served, witness, footprint, connections=HALF_OPEN, seconds=round(seconds, 1), most=most)


def test_one_byte_a_second(served):
    """Whoever never gets a message finished is sent away: 18 s in the handshake, 30 s elsewhere."""
    witness, footprint = start_watching(served)
    request = frame(pb.message(login_request=pb.LoginRequest(username="x" * 400)).SerializeToString())
    question = frame(pb.rendezvous(punch_hole_request=pb.PunchHoleRequest(id="y" * 400)).SerializeToString())
    took, errors = {}, []

    def dripping(name, port, data):
        try:
            took[name] = round(hostile.drip(hostile.connect(port, "127.0.0.5"), data, 120), 1)
        except Exception as error:  # pylint: disable=broad-except
            errors.append((name, error))

    with witness:
        drippers = [threading.Thread(target=dripping, args=args) for args in (
            ("login", served.port, request), ("handshake", served.session_port, request),
            ("service", served.serve_port, question), ("header", served.port, hostile.ONE_GIB[:3] + bytes(400)))]
        for thread in drippers:
            thread.start()
        for thread in drippers:
            thread.join()
    assert not errors, errors
    assert took["handshake"] < took["login"] and took["login"] > 25, took
    watched("one byte a second", served, witness, footprint, sent_away_after_s=took)


def test_never_reads(served):
    """Logged in and deaf: no picture is queued, and it is sent away. Not logged in: its questions have a limit."""
    witness, footprint = start_watching(served)
    with witness:
        deaf = []
        for n in range(3):
            client = Controller.direct("127.0.0.1", served.port, local=(f"127.0.0.{n + 5}", 0), rcvbuf=4096)
            client.login(PASSWORD)
            client.send_misc(option=pb.OptionMessage(custom_image_quality=0x64 << 8))
            deaf.append(client)
        start = time.monotonic()
        served.wait_log(r"session: end .*stopped reading", timeout=120, count=len(deaf))
        sent_away = round(time.monotonic() - start, 1)
        most = footprint.now()
        sock = hostile.connect(served.port, "127.0.0.9")
        probe = frame(pb.message(test_delay=pb.TestDelay(time=1, from_client=True)).SerializeToString()) * 100
        asked = 0
        with pytest.raises(ConnectionError):
            while asked < 1e6:
                sock.sendall(probe)
                asked += 100
        sock.close()
        for client in deaf:
            client.conn.close()
    assert footprint.sanitized or most["rss_kib"] - footprint.start["rss_kib"] < 64 * 1024, most
    watched("never reads", served, witness, footprint, sent_away_after_s=sent_away, questions_at_most=asked, most=most)


def test_frames_of_one_gib(served):
    """Announced is not sent: before login such a stream ends at once, after it too, and nothing is set aside."""
    witness, footprint = start_watching(served)
    with witness:
        for n, port in enumerate((served.port, served.session_port, served.serve_port) * (10 if SOAK else 3)):
            sock = hostile.connect(port, f"127.0.0.{n % 20 + 2}")
            try:
                sock.sendall(hostile.ONE_GIB + bytes(4096))
            except ConnectionError:
                pass
            assert hostile.wait_closed(sock, 20) < 20
            sock.close()
        for _ in range(3):
            client = Controller.direct("127.0.0.1", served.port)
            client.login(PASSWORD)
            client.conn.send_bytes(hostile.ONE_GIB + bytes(4096))
            hostile.wait_closed(client.conn.sock, 20)
            client.conn.close()
        # The most that may be announced, by all who may be in, and a little of it sent.
        holders = []
        for n in range(5):
            client = Controller.direct("127.0.0.1", served.port, local=(f"127.0.0.{n + 5}", 0))
            client.login(PASSWORD)
            client.conn.send_bytes(frame(bytes(4 * 1024 * 1024))[:65536])
            holders.append(client)
        most = footprint.now()
        for client in holders:
            client.conn.close()
    assert footprint.sanitized or most["rss_kib"] - footprint.start["rss_kib"] < 16 * 1024, most
    watched("frames of 1 GiB", served, witness, footprint, most=most)


def relayed(servers, agent):
    return Controller.via_hbbs(servers.address, agent.id, server_key=servers.key, force_relay=True,
                               local_host="127.0.0.2", handshake_timeout=10)


def test_by_the_relay(start_agent):
    """Streams that come through hbbr and end, or stay, at every stage; and calls that nobody joins."""
    with MockServers() as servers:
        agent = start_agent(rustdesk={"server": servers.address, "key": servers.key}, hid=ALONE, top=QUIET)
        agent.wait_log(r"rendezvous: registered with")
        witness, footprint = start_watching(agent)
        start, failed = time.monotonic(), 0
        with witness:
            for n in range(RELAYED):
                try:
                    client = relayed(servers, agent)
                except (PeerClosed, PeerTimeout, RendezvousError):
                    failed += 1  # the device takes six calls a second
                    continue
                if n % 3 == 1:
                    client.conn.send_bytes(hostile.ONE_GIB + bytes(64))
                elif n % 3 == 2:
                    client.login(PASSWORD)
                drop = client.abort if n & 1 else client.conn.close
                drop()
            for n in range(RELAYED):
                servers.hbbs.push(agent.id, request_relay=pb.RequestRelay(
                    uuid=f"nobody-{n}", relay_server=servers.relay_address, secure=True, socket_addr=bytes(6)))
            most = footprint.wait_at_most(threads=26, fds=300)
        seconds = time.monotonic() - start
        assert failed <= RELAYED // 2, failed
        assert most["threads"] <= footprint.start["threads"] + 26, most
        # Those that nobody joined are parked for up to 30 s.
        servers.hbbr.restart()
        watched("by the relay", agent, witness, footprint, streams=RELAYED, failed=failed, seconds=round(seconds, 1),
                most=most)
