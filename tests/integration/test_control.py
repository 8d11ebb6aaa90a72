# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's way in: kvmagentctl and its socket against the running agent."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time

import pytest

from peer import pb
from peer.agent import KVMAGENTCTL, PASSWORD
from peer.controller import Controller, LoginError

# Clients that are closed with such words do not call again by themselves (docs/PROTOCOL.md).
NO_RETRY = re.compile("offline|not exist|handshake|failed|resolve|mismatch|manually|restricted|incoming only|"
                      "not allowed")

pytestmark = pytest.mark.tsan


def socket_of(agent):
    return agent.folder / "run/control"


def ctl(path, *words, prefix=(), timeout=60):
    """What kvmagentctl says to an agent, or to one at a path."""
    path = path if isinstance(path, (str, pathlib.Path)) else socket_of(path)
    return subprocess.run([*prefix, KVMAGENTCTL, "--socket", str(path), *words], capture_output=True, text=True,
                          timeout=timeout, stdin=subprocess.DEVNULL)


def good(agent, *words):
    """Its output, of a command that is carried out."""
    done = ctl(agent, *words)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def data(agent, *words):
    return json.loads(good(agent, "--json", *words))


def sessions(agent):
    return data(agent, "sessions")["sessions"]


def wait_sessions(agent, predicate, timeout=20):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = sessions(agent)
        if predicate(found):
            return found
        time.sleep(0.02)
    raise AssertionError(f"sessions never as wanted: {found}")


def connect(agent, **kw):
    return Controller.direct("127.0.0.1", agent.port, **kw)


def knock(agent, **kw):
    """A client without a password that asks to be let in, once the agent has it on its list."""
    before = {s["number"] for s in sessions(agent)}
    client = connect(agent)
    client.send_login(None, **kw)
    found = wait_sessions(agent, lambda now: {s["number"] for s in now} - before)
    return client, next(s for s in found if s["number"] not in before)


@pytest.fixture(name="house")
def fixture_house(start_agent):
    """An agent without any password, whose operator lets people in."""
    return start_agent(rustdesk={"password": "", "one_time_password_length": 0, "approval": True})


def test_operator_lets_a_waiting_controller_in(house):
    client, entry = knock(house, my_name="Alice")
    with client:
        assert (entry["waiting"], entry["name"], entry["profile"]) == (True, "Alice", "")
        with pytest.raises(LoginError, match="^No Password Access$"):
            client.wait_login()
        assert "WAITS to be let in" in good(house, "status")
        said = good(house, "approve")
        assert said == f"session {entry['number']} approved: {entry['id']} \"Alice\" from {entry['address']}\n"
        client.wait_login()
        assert client.frame().key
        client.tap("k")
        house.wait_reports(lambda rows: any(b[2] for _, b in rows), "keyboard")
        now, = sessions(house)
        assert (now["number"], now["waiting"], now["profile"]) == (entry["number"], False, "approved")
    assert re.search(rf'console: approved n={entry["number"]} from=127\S+ id="\S+" name="Alice" uid=0', house.log)


def test_with_a_password_too_the_operator_may_be_quicker(start_agent):
    agent = start_agent(rustdesk={"approval": True})
    client, entry = knock(agent)
    with client:
        assert good(agent, "approve", str(entry["number"])).startswith(f"session {entry['number']} approved: ")
        client.wait_login()
        assert client.frame().key


def test_several_who_wait_are_told_apart(house):
    first, one = knock(house, my_id="111111111")
    second, two = knock(house, my_id="222222222")
    with first, second:
        done = ctl(house, "approve")
        assert done.returncode == 1 and done.stdout == ""
        assert "several wait" in done.stderr and "111111111" in done.stderr and "222222222" in done.stderr
        listed = json.loads(ctl(house, "--json", "refuse").stdout)
        assert {s["number"] for s in listed["waiting"]} == {one["number"], two["number"]}
        good(house, "approve", str(two["number"]))
        with pytest.raises(LoginError, match="No Password"):
            second.wait_login()
        second.wait_login()
        # Of two one is left: no number needed.
        assert good(house, "refuse").startswith(f"session {one['number']} refused: ")
        first.wait_closed(20)
        assert second.frame()


def test_refused_controller_is_told_and_does_not_come_back(house):
    client, entry = knock(house)
    with client:
        good(house, "refuse", str(entry["number"]))
        reason = client.wait_closed(20)
        assert reason == "The connection was not allowed by the operator" and NO_RETRY.search(reason.lower())
    wait_sessions(house, lambda now: not now)
    assert ctl(house, "refuse").stderr == "kvmagentctl: nobody waits to be let in\n"


@pytest.mark.parametrize("unable", [{"codecs": ("av1s",)}, {"codecs": ()}])
def test_client_that_could_show_nothing_is_told_and_does_not_wait(house, unable):
    with connect(house) as client:
        client.send_login(None, **unable)
        with pytest.raises(LoginError, match="can decode"):
            client.wait_login()
        client.wait_closed(20)
    assert sessions(house) == []


def test_nobody_waits_where_approval_is_off(agent):
    with connect(agent) as client:
        client.send_login(None)
        done = ctl(agent, "approve")
        assert done.returncode == 1 and "'approval' is off" in done.stderr


def test_kicked_controller_is_told_by_hand(agent):
    with connect(agent) as client, connect(agent) as other:
        client.login(PASSWORD, my_id="111111111")
        other.login(PASSWORD, my_id="222222222")
        number = next(s["number"] for s in sessions(agent) if s["id"] == "111111111")
        assert good(agent, "kick", str(number)).startswith(f"session {number} kicked: ")
        reason = client.wait_closed(20)
        assert reason == "Closed manually by the peer" and NO_RETRY.search(reason.lower())
        left, = wait_sessions(agent, lambda now: len(now) == 1)
        assert left["id"] == "222222222"
        assert other.frame()
        done = ctl(agent, "kick", str(number))
        assert (done.returncode, done.stdout) == (1, "") and f"no session {number}" in done.stderr
    assert re.search(f'session: end n={number} .*reason="Closed manually by the peer"', agent.log)


def test_sessions_are_listed_as_text_and_json_without_escapes(agent):
    rude = "Eve\x1b[2J\u009b31m\n\"x\u202e"
    with connect(agent) as client:
        client.login(PASSWORD, my_name=rude)
        entry, = sessions(agent)
        assert entry["id"] == "987654321" and entry["path"] == "direct" and not entry["encrypted"]
        assert entry["profile"] == "permanent" and not entry["waiting"]
        assert entry["address"].startswith("127.0.0.1:") and abs(entry["since"] - time.time()) < 60
        raw = ctl(agent, "sessions").stdout
        assert "987654321" in raw and "Eve\\x1b[2J" in raw and "NOT encrypted" in raw
        for text in (raw, ctl(agent, "status").stdout, ctl(agent, "--json", "status").stdout):
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    wait_sessions(agent, lambda now: not now)
    assert good(agent, "sessions") == "nobody is connected\n"


def check_stages(stages):
    """Each has had the pictures that came, and the parts come to the whole."""
    parts = ["arrive", "prepare", "wait", "encode", "queue", "send"]
    assert set(stages) == {*parts, "beside", "whole"}
    for stage in stages.values():
        assert stage["pictures"] >= 20 and 0 <= stage["p50_us"] <= stage["p95_us"] <= stage["p99_us"]
    assert stages["encode"]["p50_us"] > 0
    assert stages["whole"]["p50_us"] >= max(stages[part]["p50_us"] for part in parts) * 0.9
    assert stages["beside"]["p50_us"] < stages["whole"]["p50_us"]


def test_status_tells_what_is_true(start_agent):
    agent = start_agent(rustdesk={"serve": {"enabled": True, "address": "127.0.0.1", "port": 0, "session_port": 0}})
    idle = data(agent, "status")
    assert idle["picture"]["state"] == "idle" and idle["usb"]["state"] == "configured"
    assert (idle["id"], idle["direct_port"], idle["serve_port"]) == (agent.id, agent.port, agent.serve_port)
    assert idle["rendezvous"] == {"server": "", "state": idle["rendezvous"]["state"], "registered": False}
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        live = data(agent, "status")
        assert (live["picture"]["state"], live["picture"]["width"], live["picture"]["height"]) == ("live", 640, 360)
        assert len(live["sessions"]) == 1 and "picture   live, 640x360" in good(agent, "status")
        list(client.frames(30, timeout=20))
        check_stages(data(agent, "status")["picture"]["stages"])
        assert "driver to socket" in good(agent, "status")
    version = subprocess.run([KVMAGENTCTL, "--version"], capture_output=True, text=True, timeout=20)
    assert version.stdout == f"kvmagentctl {live['version']}\n" and version.returncode == 0
    link, = data(agent, "id")["connect_with"]
    with Controller.via_id_box(link) as client:
        client.login(PASSWORD)
        assert client.secure and client.frame().key


def test_password_is_the_one_of_the_moment_and_not_logged(start_agent):
    agent = start_agent(rustdesk={"password": ""})
    first = good(agent, "password").strip()
    assert first == (agent.folder / "run/one-time-password").read_text().strip()
    with connect(agent) as client:
        client.login(first)
    deadline = time.monotonic() + 20
    while good(agent, "password").strip() == first:
        assert time.monotonic() < deadline, "the password stays"
    assert first not in agent.log


def test_release_lets_go_of_what_is_held(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        client.send_key("a")
        agent.wait_reports(lambda rows: rows and rows[-1][1][2], "keyboard")
        good(agent, "release")
        agent.wait_reports(lambda rows: rows and not any(rows[-1][1]), "keyboard")


def say(client, text):
    """The answer to a line of the chat."""
    since = len(client.log)
    client.send_misc(chat_message=pb.ChatMessage(text=text))
    return client.wait_for("misc.chat_message", 20, since=since).msg.text


def test_chat_has_the_commands_that_its_password_opens(start_agent):
    agent = start_agent()
    salt = re.search(r'salt = "(\w+)"', (agent.folder / "state/identity").read_text()).group(1)
    agent.stop()
    hashed = hashlib.sha256(("look" + salt).encode()).hexdigest()
    access = f'access = ( {{ name = "guest"; password_hash = "{hashed}"; view_only = true; }} );'
    agent.config.write_text(agent.config.read_text().replace("rustdesk = {", f"rustdesk = {{ {access}"))
    agent.start()
    with connect(agent) as owner, connect(agent) as guest:
        owner.login(PASSWORD, my_id="111111111", my_name="Olga")
        guest.login("look", my_id="222222222", my_name="Gus")
        owner.send_key("a")
        agent.wait_reports(lambda rows: rows and rows[-1][1][2], "keyboard")
        text = say(guest, "/help")
        assert "status" in text and "sessions" in text
        assert not any(word in text for word in ("release", "kick", "approve", "password", "refuse"))
        assert "your password does not open 'release'" in say(guest, "/release")
        listed = say(guest, "/sessions")
        assert "Olga" in listed and "Gus" in listed and listed.count("(you)") == 1 and "127.0.0.1" not in listed
        for command in ("/kick 1", "/password", "/approve", "/id", "/refuse 1"):
            assert "no command" in say(owner, command), command
        assert agent.reports("keyboard")[-1][1][2], "the key is still down"
        assert "released" in say(owner, "/release")
        agent.wait_reports(lambda rows: not any(rows[-1][1]), "keyboard")
        assert "picture" in say(guest, "/status")
        assert len(sessions(agent)) == 2


def test_commands_from_everywhere_at_once_and_a_stop_among_them(start_agent):
    agent = start_agent(rustdesk={"approval": True})
    stop = threading.Event()
    failed = []

    def operate(words):
        while not stop.is_set():
            done = ctl(agent, *words)
            if done.returncode not in (0, 1):
                failed.append(done)

    def talk(number):
        try:
            with connect(agent) as client:
                client.login(PASSWORD, my_id=f"11111111{number}")
                for command in ("/status", "/sessions", "/release", "/help") * 2:
                    assert say(client, command)
        except Exception as error:  # told by the test's own thread
            failed.append(error)

    operators = [threading.Thread(target=operate, args=[words])
                 for words in (["status"], ["--json", "sessions"], ["approve"], ["kick", "4000000000"], ["release"])]
    talkers = [threading.Thread(target=talk, args=[n]) for n in range(4)]
    for thread in operators + talkers:
        thread.start()
    for thread in talkers:
        thread.join()
    quiet = not failed
    # From here on they find nobody.
    agent.stop()
    stop.set()
    for thread in operators:
        thread.join()
    assert quiet and all(done.returncode == 3 for done in failed), failed
    assert not socket_of(agent).exists()


def test_wrong_use_is_told_without_an_agent(tmp_path):
    for words in ([], ["frobnicate"], ["kick"], ["kick", "x"], ["kick", "1", "2"], ["--nonsense"], ["status", "x"]):
        done = ctl(tmp_path / "none", *words)
        assert done.returncode == 2 and done.stdout == "" and done.stderr, words
    shown = ctl(tmp_path / "none", "--help")
    assert shown.returncode == 0
    for command in ("status", "sessions", "kick N", "approve", "refuse", "password", "release", "version", "id"):
        assert re.search(f"^  {command}", re.sub(" +", " ", shown.stdout).replace("\n ", "\n  "), re.MULTILINE), command


def test_no_agent_is_told_in_plain_words(tmp_path):
    path = tmp_path / "control"
    for words in (["status"], ["--json", "status"]):
        done = ctl(path, *words)
        assert (done.returncode, done.stdout) == (3, "")
        assert str(path) in done.stderr and "The agent does not run" in done.stderr
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    done = ctl(path, "status")
    assert done.returncode == 3 and "The agent does not run" in done.stderr
    assert ctl("/tmp/" + "x" * 120, "status").returncode == 3


@pytest.mark.parametrize("reply, code", [
    (b"", 3), (b"nonsense\n", 1), (b"[]\n", 1), (b'{"code": 0, "text": 5, "data": {}}\n', 1),
    (b'{"code": 77, "text": "x", "data": {}}\n', 1),
    (b'{"code": 0, "text": "a\\u001b[2J\\u009bb\\u007f\\u0000\\n", "data": {}}\n', 0)])
def test_answers_that_make_no_sense(tmp_path, reply, code):
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        process = subprocess.Popen([KVMAGENTCTL, "-s", str(path), "status"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        server.settimeout(20)
        client, _ = server.accept()
        with client:
            assert client.makefile("rb").readline() == b'["status"]\n'
            client.sendall(reply)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out + err)
    if code == 0:
        assert out == b"a\\x1b[2J\\xc2\\x9bb\\x7f\\x00\n"


def raw(agent, request):
    """All that the agent answers to these bytes."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(socket_of(agent)))
        try:
            client.sendall(request)
            parts = list(iter(lambda: client.recv(65536), b""))
        except (BrokenPipeError, ConnectionResetError):
            parts = [b""]
        return b"".join(parts)


def test_garbage_harms_nobody(agent):
    for request in (b"\n", b"GET / HTTP/1.1\r\n\r\n", b"[" * 4000 + b"\n", b"\xff\x00\n", b'["kick", 3]\n',
                    b'{"a": 1}\n'):
        assert json.loads(raw(agent, request))["code"] == 2, request
    for size in (4096, 100000):
        answer = raw(agent, b"x" * size)
        assert not answer or json.loads(answer)["code"] == 2
    assert json.loads(raw(agent, b'["version"]\n'))["code"] == 0
    assert agent.process.poll() is None


def test_two_hundred_idle_connections_keep_nobody_out(agent):
    files = f"/proc/{agent.pid}/fd"
    before = len(os.listdir(files))
    idle = []
    for _ in range(200):
        idle.append(socket.socket(socket.AF_UNIX))
        idle[-1].connect(str(socket_of(agent)))
    assert data(agent, "version")["version"]
    assert len(os.listdir(files)) < before + 30
    with connect(agent) as client:
        client.login(PASSWORD)
        assert client.frame().key
    for client in idle:
        client.close()


def test_stop_is_quick_with_clients_on_the_line_and_leaves_no_socket(agent):
    idle = [socket.socket(socket.AF_UNIX) for _ in range(5)]
    for client in idle:
        client.connect(str(socket_of(agent)))
    idle[0].sendall(b'["sta')
    assert data(agent, "version")
    agent.stop()
    assert int(re.search(r"stopped after_ms=(\d+)", agent.log).group(1)) < 5000
    assert not socket_of(agent).exists()
    assert idle[0].recv(10) == b""
    for client in idle:
        client.close()
    assert ctl(agent, "status").returncode == 3


def test_socket_of_a_dead_agent_is_replaced(agent):
    os.kill(agent.pid, signal.SIGKILL)
    agent.process.wait(20)
    assert socket_of(agent).exists()
    assert ctl(agent, "status").returncode == 3
    agent.start()
    assert data(agent, "status")["id"] == agent.id


def test_living_agent_keeps_its_socket(start_agent):
    first = start_agent()
    second = start_agent(top={"runtime_dir": first.folder / "run"}, rustdesk={"one_time_password_length": 0})
    assert "no-control" in second.log and "another kvmagent uses this folder" in second.log
    assert data(first, "status")["id"] == first.id
    second.stop()
    assert data(first, "status")["id"] == first.id


def test_agent_serves_on_without_a_socket(start_agent):
    agent = start_agent(top={"runtime_dir": f"/tmp/{'x' * 120}"}, rustdesk={"one_time_password_length": 0})
    assert "no-control" in agent.log and "at most 107 bytes" in agent.log
    with connect(agent) as client:
        client.login(PASSWORD)
    silent = start_agent(top={"runtime_dir": ""})
    assert "ctl:" not in silent.log


@pytest.fixture(name="open_house")
def fixture_open_house(start_agent):
    """An agent in a folder that everybody may enter, and its group."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become somebody else")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        run = pathlib.Path(folder) / "run"
        agent = start_agent(top={"runtime_dir": run, "control_group": "games"})
        yield run, agent
        agent.stop()


def somebody(group, extra=None):
    more = ["--groups", extra] if extra else ["--clear-groups"]
    return ["setpriv", "--reuid", "nobody", "--regid", group, *more]


def test_members_of_the_group_may_and_nobody_else(open_house):
    run, agent = open_house
    path = run / "control"
    program = run.parent / "kvmagentctl"
    shutil.copy(KVMAGENTCTL, program)
    program.chmod(0o755)
    assert (stat.S_IMODE(run.stat().st_mode), run.group()) == (0o750, "games")
    assert (stat.S_IMODE(path.stat().st_mode), path.group()) == (0o660, "games")

    def as_somebody(*who):
        return subprocess.run([*somebody(*who), str(program), "-s", str(path), "password"], capture_output=True,
                              text=True, timeout=60)

    shut = as_somebody("nogroup")
    assert shut.returncode == 3 and "Permission denied" in shut.stderr and "members of the group" in shut.stderr
    for who in (("games",), ("nogroup", "games")):
        member = as_somebody(*who)
        assert (member.returncode, member.stderr) == (0, ""), who
    # Were the file's mode wide open, the agent itself would see who it is.
    run.chmod(0o755)
    path.chmod(0o666)
    foreign = as_somebody("nogroup")
    assert foreign.returncode == 1 and foreign.stdout == "" and "you may not command" in foreign.stderr
    assert agent.wait_log(r"ctl: refused uid=\d+")
    assert as_somebody("games").returncode == 0
