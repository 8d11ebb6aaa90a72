# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens after a long time. Each scenario runs in a thread that starts with the first test of the run; the test
takes its outcome."""

import threading
import time

import pytest

from devices import SERVE, dial, far_hosts, registered
from peer import addr, pb
from peer.agent import PASSWORD
from peer.agent import Agent
from peer.conn import Conn, PeerClosed, PeerTimeout
from peer.controller import Controller, LoginError
from peer.fixtures import end
from peer.servers import MockServers

pytestmark = pytest.mark.slow
SCENARIOS = {}


def scenario(function):
    """Registers a function(start_agent): what it returns, or raises, is the test's."""
    SCENARIOS[function.__name__] = function
    return function


class Runs:
    """All scenarios, each in a thread with agents of its own."""

    def __init__(self, tmp_path_factory):
        self._folders = tmp_path_factory
        self._lock = threading.Lock()
        self._outcomes = {}
        self._threads = {name: threading.Thread(target=self._run, args=(name, function), daemon=True)
                         for name, function in SCENARIOS.items()}
        for thread in self._threads.values():
            thread.start()

    def _run(self, name, function):
        agents = []

        def start(**sections):
            with self._lock:
                folder = self._folders.mktemp(name)
            agents.append(Agent(folder, **sections))
            return agents[-1]

        try:
            self._outcomes[name] = function(start), None
            for agent in agents:
                end(agent)
        except BaseException as error:  # pylint: disable=broad-except
            self._outcomes[name] = None, error
            for agent in agents:
                if agent.process:
                    agent.process.kill()

    def outcome(self, name, timeout=120):
        self._threads[name].join(timeout)
        result, error = self._outcomes[name]
        if error:
            raise error
        return result

    def join(self):
        for thread in self._threads.values():
            thread.join(60)


def start_all(tmp_path_factory):
    return Runs(tmp_path_factory)


def seconds_until_closed(client, timeout=50):
    """(how long, close_reason)"""
    start = time.monotonic()
    reason = client.wait_closed(timeout)
    return time.monotonic() - start, reason


@scenario
def silent_stranger(start_agent):
    with dial(start_agent()) as client:
        client.echo_test_delay = False
        client.wait_hash()
        return seconds_until_closed(client)


def test_silence_of_30_seconds_ends_a_stream_before_login(slow_facts):
    """A stream on which nothing comes for 30 s is closed, with words, and not earlier: a user may be asked things."""
    took, reason = slow_facts.outcome("silent_stranger")
    assert 28 < took < 36 and reason == "Timeout"


@scenario
def silent_controller(start_agent):
    with dial(start_agent(video={"fps": 1})) as client:
        client.login(PASSWORD)
        client.frame()
        client.echo_test_delay = False
        return seconds_until_closed(client)


def test_silence_of_30_seconds_ends_a_session(slow_facts):
    """A session whose client does not answer probes for 30 s is closed."""
    took, reason = slow_facts.outcome("silent_controller")
    assert 27 < took < 36 and reason == "Timeout"


@scenario
def patient_dialog(start_agent):
    with dial(start_agent()) as client:
        client.send_login()
        client.run(33)
        client.login(PASSWORD)
        return len(client.received("test_delay"))


def test_user_at_the_password_dialog_stays_connected(slow_facts):
    """A client that just answers probes, its user looking for the password, stays connected."""
    assert slow_facts.outcome("patient_dialog") > 25


@scenario
def silent_exchange(start_agent):
    agent = start_agent(rustdesk={"serve": SERVE})
    request = pb.PunchHoleRequest(id=agent.id, licence_key=agent.wait_log(r"\?key=(\S{44})")[0])
    with Conn.connect("127.0.0.1", agent.serve_port, timeout=5) as conn:
        conn.send_msg(pb.rendezvous(punch_hole_request=request))
        reply = conn.recv_msg(pb.RendezvousMessage, 5).punch_hole_response
    with Conn.connect("127.0.0.1", int(reply.relay_server.rpartition(":")[2]), timeout=5) as conn:
        start = time.monotonic()
        conn.wait_closed(40)
        return time.monotonic() - start


def test_key_exchange_waits_18_seconds(slow_facts):
    """A client that does not answer SignedId within 18 s is hung up on."""
    assert 17 < slow_facts.outcome("silent_exchange") < 23


@scenario
def punch_nobody_uses(start_agent):
    with MockServers() as servers:
        agent = registered(start_agent, servers)
        servers.hbbs.push(agent.id, fetch_local_addr=pb.FetchLocalAddr(
            socket_addr=addr.encode((next(far_hosts), 4000))))
        answer = servers.hbbs.wait_for("local_addr", 10)
        threads = agent.threads()
        start, found = time.monotonic(), []
        agent.wait_log("punch: nobody came", timeout=40)
        found.append(time.monotonic() - start)
        with pytest.raises((PeerClosed, PeerTimeout)):
            Conn.connect(*answer.peer[:2], timeout=5)
        return found[0], agent.threads() - threads


def test_punched_port_waits_18_seconds(slow_facts):
    """A port that was opened for a client that does not come is closed after 18 s."""
    took, threads = slow_facts.outcome("punch_nobody_uses")
    assert 16 < took < 23 and threads <= 0


@scenario
def reader_that_stopped(start_agent):
    agent = start_agent(video={"width": 1280, "height": 720, "card_noise": 100, "fps": 10})
    with dial(agent, rcvbuf=4096) as client:
        client.login(PASSWORD)
        start = time.monotonic()
        agent.wait_log("the controller stopped reading", timeout=60)
        return time.monotonic() - start


def test_session_that_is_not_read_for_12_seconds_ends(slow_facts):
    """A client that takes nothing for 12 s is given up."""
    assert 11 < slow_facts.outcome("reader_that_stopped") < 30


@scenario
def late_resumption(start_agent):
    agent = start_agent()
    path, deadline = agent.folder / "run/one-time-password", time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    first = path.read_text().strip()
    with dial(agent) as client:
        client.login(first, session_id=5)
        client.abort()
    agent.wait_log("session: end")
    with dial(agent) as client:
        client.run(31)
        with pytest.raises(LoginError) as error:
            client.login(first, session_id=5)
        return error.value.text


def test_dropped_session_is_forgotten_after_30_seconds(slow_facts):
    """After 30 s a dropped session does not resume any more."""
    assert slow_facts.outcome("late_resumption") == "Wrong Password"


@scenario
def forgetful_server(start_agent):
    with MockServers() as servers:
        hbbs = servers.hbbs
        agent = registered(start_agent, servers)
        first = hbbs.wait_for("register_peer", 10)
        mark = hbbs.mark()
        hbbs.call(hbbs.forget_memory)
        second = hbbs.wait_for("register_peer", 25, mark)
        key = hbbs.wait_for("register_pk", 5, mark)
        hbbs.wait_for(lambda e: e.kind == "register_peer" and e.time > key.time, 5, mark)
        with Controller.via_hbbs(servers.address, agent.id, server_key=servers.key) as client:
            client.login(PASSWORD)
        return second.time - first.time, key.time - second.time


def test_register_peer_is_repeated_each_15_seconds(slow_facts):
    """RegisterPeer is repeated each 15 s, well within the 30 s after which the server takes a device for gone."""
    assert 13 < slow_facts.outcome("forgetful_server")[0] < 18


def test_server_that_forgot_the_device_gets_its_key_at_once(slow_facts):
    """A server that was restarted asks for the key, gets RegisterPk at once, and clients find the device again."""
    assert slow_facts.outcome("forgetful_server")[1] < 2


@scenario
def silent_server(start_agent):
    with MockServers() as servers:
        hbbs = servers.hbbs
        agent = registered(start_agent, servers)
        hbbs.wait_for("register_peer", 10)
        hbbs.silent = True
        mark = hbbs.mark()
        agent.wait_log("no answer from server", timeout=60)
        agent.wait_log("new socket", timeout=60, count=2)
        hbbs.wait_for(lambda e: e.kind.startswith("register_") and e.peer[1] != hbbs.events[mark].peer[1], 20, mark)
        sent = [e.time for e in list(hbbs.events)[mark:] if e.kind.startswith("register_")]
        hbbs.silent = False
        agent.wait_log("rendezvous: registered with", timeout=20, count=2)
        return [b - a for a, b in zip(sent, sent[1:])]


def test_silent_server_is_asked_again_each_3_seconds(slow_facts):
    """Without an answer the registration is repeated each 3 s, and never given up."""
    gaps = slow_facts.outcome("silent_server")
    assert len(gaps) >= 3 and all(2 < gap < 6 for gap in gaps[:3])


def test_silent_server_gets_a_new_socket(slow_facts):
    """After four of them the name is looked up again and another socket used."""
    assert slow_facts.outcome("silent_server")


@scenario
def rejected_key(start_agent):
    with MockServers() as servers:
        agent = registered(start_agent, servers)
        servers.hbbs.wait_for("register_peer", 5)
        mark = servers.hbbs.mark()
        with Controller.via_hbbs(servers.address, agent.id, server_key=servers.key,
                                 handshake_mode="wrong-key") as client:
            client.wait_for("login_response", 5)
        return servers.hbbs.wait_for("register_pk", 20, mark).msg.id == agent.id


def test_client_with_an_old_key_makes_the_device_register_again(slow_facts):
    """A client that answers SignedId with an empty PublicKey holds an old key: RegisterPk is sent again."""
    assert slow_facts.outcome("rejected_key")


@scenario
def failing_nat_test(start_agent):
    with MockServers() as servers:
        servers.hbbs.refuse_tcp = True
        start_agent(rustdesk={"server": servers.address, "key": servers.key})
        opened = servers.hbbs.wait_count("tcp_open", 3, 40)
        return [b.time - a.time for a, b in zip(opened, opened[1:])]


def test_failed_nat_test_is_repeated_later_and_later(slow_facts):
    """A NAT test that fails is repeated after 1 s, then 3 s, and so on."""
    first, second = slow_facts.outcome("failing_nat_test")
    assert 0.9 < first and 2.9 < second


@scenario
def lost_datagram(start_agent):
    with MockServers() as servers:
        servers.hbbs.drop_incoming = 1
        start_agent(rustdesk={"server": servers.address, "key": servers.key})
        lost = servers.hbbs.wait_for("dropped", 5)
        return servers.hbbs.wait_for("register_pk", 20).time - lost.time


def test_registration_goes_on_after_a_lost_datagram(slow_facts):
    """A registration that nobody answers is repeated after three seconds or so."""
    assert 2 < slow_facts.outcome("lost_datagram") < 6


@scenario
def answers_from_elsewhere(start_agent):
    with MockServers() as servers:
        servers.hbbs.spoof_replies = True
        agent = start_agent(rustdesk={"server": servers.address, "key": servers.key})
        servers.hbbs.wait_for("sent:register_pk_response", 10)
        servers.hbbs.wait_count("register_pk", 2, 20)
        return agent.log


def test_answers_from_elsewhere_do_not_count(slow_facts):
    """Answers from another address than the server's are not answers."""
    assert "registered with" not in slow_facts.outcome("answers_from_elsewhere")


@scenario
def stop_watching(start_agent):
    with dial(start_agent()) as client:
        client.login(PASSWORD)
        client.frame()
        client.capture_displays()
        client.wait_for(lambda _: time.monotonic() - max(r.time for r in client.log if r.kind == "video_frame") > 0.7,
                        20)
        client.pictures.clear()
        client.capture_displays(add=[0])
        return client.frame(5).key


def test_watching_can_stop_and_start(slow_facts):
    """sub stops the picture, and add starts it again with a key picture."""
    assert slow_facts.outcome("stop_watching")


@scenario
def still_picture(start_agent):
    with dial(start_agent(video={"fps": 1})) as client:
        client.login(PASSWORD)
        client.frame()
        client.run(2.5)
        return len(client.pictures)


def test_pictures_repeat_after_the_first(slow_facts):
    """While the picture stands still, some more follow the first within two seconds: one that came too early for the
    window is not the only one."""
    assert slow_facts.outcome("still_picture") >= 2


@scenario
def unanswered_probe(start_agent):
    with dial(start_agent()) as client:
        client.login(PASSWORD)
        client.echo_test_delay = False
        client.wait_for("test_delay", 5)
        before = len(client.received("test_delay"))
        client.run(2.5)
        return len(client.received("test_delay")) - before


def test_unanswered_probe_is_not_repeated_in_a_session(slow_facts):
    """In a session too a probe that is not answered is not repeated."""
    assert slow_facts.outcome("unanswered_probe") == 0


@scenario
def missing_acknowledgement(start_agent):
    with dial(start_agent()) as client:
        client.login(PASSWORD, video_ack_required=True)
        first = client.frame()
        return client.frame(20).arrival - first.arrival


def test_missing_acknowledgement_does_not_hold_for_ever(slow_facts):
    """After three seconds without video_received pictures go on."""
    assert 2.5 < slow_facts.outcome("missing_acknowledgement") < 8


@scenario
def other_quality(start_agent):
    with dial(start_agent()) as client:
        client.login(PASSWORD)
        found = []
        for quality in (2, 4):
            client.set_image_quality(quality)
            client.wait_for("test_delay", 5)
            found.append(client.wait_for("test_delay", 5).msg.target_bitrate)
        return found


def test_quality_can_change_in_the_session(slow_facts):
    """A quality chosen in the session counts from then on."""
    low, best = slow_facts.outcome("other_quality")
    assert best > 2 * low
