# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in rendezvous service: a client without any server, given one string."""

import re
import socket
import subprocess

import pytest

from peer import card, pb
from peer.agent import PASSWORD, PROGRAM, ROOT
from peer.conn import Conn, PeerClosed
from peer.controller import Controller, LoginError
from peer.framing import frame

SERVE = {"enabled": True, "address": "127.0.0.1", "port": 0, "session_port": 0}


@pytest.fixture(name="served")
def fixture_served(start_agent):
    agent = start_agent(rustdesk={"serve": SERVE})
    agent.key = re.search(r"\?key=(\S{44})", agent.log).group(1)
    agent.device_key = re.search(r"device-key key=(\S{44})", agent.log).group(1)
    agent.box = f"{agent.id}@127.0.0.1:{agent.serve_port}?key={agent.key}"
    return agent


def ask(agent, **union):
    """One question to the service, as another client would put it; the answer, or None."""
    conn = Conn.connect("127.0.0.1", agent.serve_port, timeout=5)
    conn.send_msg(pb.rendezvous(**union))
    return pb.RendezvousMessage.FromString(conn.recv_frame(5))


def test_one_string_gives_an_encrypted_session(served):
    with Controller.via_id_box(served.box) as client:
        assert client.secure and client.path == "local"
        client.login(PASSWORD)
        got = [card.read_number(p.y) for p in client.frames(10, timeout=10)]
        assert got == sorted(got) and None not in got
        client.tap("a")
        served.wait_reports(lambda rows: any(r[1][2] == 4 for r in rows), "keyboard")
    served.wait_log(r'session: login .*path=own service .*encrypted=1')


@pytest.mark.parametrize("how", [{"force_relay": True}, {"direct": False}])
def test_clients_that_relay_reach_the_session_port_too(served, how):
    with Controller.via_hbbs(f"127.0.0.1:{served.serve_port}", served.id, server_key=served.key, **how) as client:
        assert client.secure and client.path in ("relay", "device-relay")
        client.login(PASSWORD)
        assert client.frame().key


def test_the_key_stays_over_restarts(served):
    served.stop()
    served.start()
    with Controller.via_hbbs(f"127.0.0.1:{served.serve_port}", served.id, server_key=served.key) as client:
        assert client.secure


def test_a_wrong_key_is_refused_before_the_id_is_looked_at(served):
    for device in (served.id, "999999999"):
        request = pb.PunchHoleRequest(id=device, licence_key="x" * 44)
        answer = ask(served, punch_hole_request=request).punch_hole_response
        assert answer.failure == pb.PunchHoleResponse.LICENSE_MISMATCH and not answer.socket_addr and not answer.pk


def test_an_unknown_id_does_not_exist(served):
    answer = ask(served, punch_hole_request=pb.PunchHoleRequest(id="999999999", licence_key=served.key))
    assert answer.WhichOneof("union") == "punch_hole_response"
    assert answer.punch_hole_response.failure == pb.PunchHoleResponse.ID_NOT_EXIST
    # The key has been shown: now the words may be plain.
    answer = ask(served, request_relay=pb.RequestRelay(id="999999999", uuid="u"))
    assert answer.relay_response.refuse_reason


def test_a_client_with_another_key_cannot_be_fooled(served):
    """The service's answer does not verify: the client goes on without a key and is refused in words."""
    other = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
    with Controller.via_hbbs(f"127.0.0.1:{served.serve_port}", served.id, server_key=served.key,
                             handshake_mode="keyless") as client:
        assert not client.secure
        assert client.wait_for("login_response", 5).msg.error.startswith("This device accepts encrypted sessions only")
    with pytest.raises(Exception, match="(?i)mismatch"):
        Controller.via_hbbs(f"127.0.0.1:{served.serve_port}", served.id, server_key=other)


def test_nat_test_and_online_query_are_answered(served):
    for port in (served.serve_port, served.serve_port - 1):
        conn = Conn.connect("127.0.0.1", port, timeout=5)
        conn.send_msg(pb.rendezvous(test_nat_request=pb.TestNatRequest(serial=1)))
        answer = pb.RendezvousMessage.FromString(conn.recv_frame(5))
        assert answer.test_nat_response.port == conn.sock.getsockname()[1]
    answer = ask(served, online_request=pb.OnlineRequest(id="1", peers=["111111111", served.id, "222222222"]))
    assert answer.online_response.states == b"\x40"


def has_key(served):
    """Shows the service's key from this address, as a client that connects does."""
    answer = ask(served, punch_hole_request=pb.PunchHoleRequest(id=served.id, licence_key=served.key))
    assert answer.punch_hole_response.pk


def test_a_stream_gets_one_answer_and_is_closed(served):
    conn = Conn.connect("127.0.0.1", served.serve_port, timeout=5)
    question = pb.rendezvous(online_request=pb.OnlineRequest(id="1", peers=[served.id]))
    for _ in range(3):
        conn.send_msg(question)
    assert pb.RendezvousMessage.FromString(conn.recv_frame(5)).online_response.states == b"\x80"
    conn.wait_closed(5)


def test_relays_are_for_those_who_have_shown_the_key(served):
    """RequestRelay carries no key: without an earlier question that did, known and unknown ids are refused alike."""
    def answer(device):
        return ask(served, request_relay=pb.RequestRelay(id=device, uuid="u")).relay_response.refuse_reason

    assert answer(served.id) == answer("999999999") == "The key has not been shown from this address"
    ask(served, punch_hole_request=pb.PunchHoleRequest(id=served.id, licence_key="x" * 44))
    assert answer(served.id) == answer("999999999") != ""
    has_key(served)
    assert answer(served.id) == "" and answer("999999999") == "ID does not exist"


def test_neighbours_are_online_for_those_who_have_shown_the_key(start_agent):
    agent = start_agent(rustdesk={"serve": {**SERVE, "peers": [
        {"id": "kvm-two", "address": "127.0.0.1:9", "key": "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}]}})
    agent.key = re.search(r"\?key=(\S{44})", agent.log).group(1)
    query = pb.OnlineRequest(id="1", peers=["kvm-two", agent.id, "kvm-six"])
    assert ask(agent, online_request=query).online_response.states == b"\x40"
    has_key(agent)
    assert ask(agent, online_request=query).online_response.states == b"\xc0"


def test_questions_are_limited(served):
    query = pb.OnlineRequest(id="1", peers=["111111111"])
    answered = 0
    # A minute may end meanwhile: then twice as many.
    for _ in range(260):
        try:
            ask(served, online_request=query)
            answered += 1
        except PeerClosed:
            break
    assert 120 <= answered <= 240
    served.wait_log('serve: refused .*why="too many questions"')


def test_one_device_answers_for_another(start_agent):
    two = start_agent(rustdesk={"id": "kvm-two", "serve": SERVE})
    # What the first device is told of the second: its key, and where its session port is.
    answer = ask(two, punch_hole_request=pb.PunchHoleRequest(
        id="kvm-two", licence_key=re.search(r"\?key=(\S{44})", two.log).group(1))).punch_hole_response
    device_key = re.search(r"device-key key=(\S{44})", two.log).group(1)
    one = start_agent(rustdesk={"id": "kvm-one", "serve": {
        **SERVE, "peers": [{"id": "kvm-two", "address": answer.relay_server, "key": device_key}]}})
    key = re.search(r"\?key=(\S{44})", one.log).group(1)
    with Controller.via_id_box(f"kvm-two@127.0.0.1:{one.serve_port}?key={key}") as client:
        assert client.secure
        client.login(PASSWORD)
        assert client.frame().key
    two.wait_log("session: login")
    assert "session: login" not in one.log


def test_garbage_and_crowds_leave_the_service_standing(served):
    rss = served.rss_kib()
    for junk in (b"\xff" * 4000, frame(b"\xff" * 100), b"\x03\xff\xff\xff", frame(b"") * 100):
        with socket.create_connection(("127.0.0.1", served.serve_port)) as sock:
            sock.sendall(junk)
    crowd = [socket.create_connection(("127.0.0.1", served.serve_port)) for _ in range(60)]
    served.wait_log("serve: too-many-streams")
    for sock in crowd:
        sock.close()
    with Controller.via_id_box(served.box) as client:
        assert client.secure
        with pytest.raises(LoginError, match="Wrong Password"):
            client.login("wrong")
    assert served.rss_kib() - rss < 20_000


def banner(config, ready=b"Ctrl-C stops"):
    """What kvmagent --banner prints until it is ready, and the process."""
    process = subprocess.Popen([PROGRAM, "--config", str(config), "--banner"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    text = b""
    while ready not in text:
        more = process.stdout.read1()
        assert more, text
        text += more
    return text.decode(), process


def connect_as_printed(text):
    """With the first string of the banner that this machine's loopback has, as pasted."""
    strings = re.findall(r"^ +(\w+@127\.0\.0\.1\S*\?key=\S{44})$", text, re.M)
    assert strings, text
    with Controller.via_id_box(strings[0]) as client:
        assert client.secure
        client.wait_hash()


def test_banner_prints_the_string_that_connects(served):
    served.stop()
    text, process = banner(served.config)
    try:
        connect_as_printed(text)
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_demo_prints_the_string_that_connects(tmp_path):
    """etc/kvmagent-demo.cfg as ./dev run uses it, but for the folders and ports, which may be taken here."""
    config = (ROOT / "etc/kvmagent-demo.cfg").read_text()
    assert "serve = {\n\t\tenabled = true;" in config and "direct = {\n\t\tenabled = true;" in config
    config = config.replace('"build/demo', f'"{tmp_path}')
    config = config.replace("serve = {", "lan_discovery = false; serve = { port = 0; session_port = 0;")
    config = config.replace("direct = {", "direct = { port = 0;")
    path = tmp_path / "demo.cfg"
    path.write_text(config)
    path.chmod(0o600)
    (tmp_path / "run").mkdir()
    text, process = banner(path)
    try:
        connect_as_printed(text)
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_neighbours_need_no_open_service(start_agent):
    """Off by default: nothing listens."""
    agent = start_agent()
    assert agent.serve_port == 0
