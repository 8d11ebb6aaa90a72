# SPDX-License-Identifier: GPL-3.0-or-later
"""Direct sessions on the test card: pictures, login, menus, hostile peers."""

import signal
import socket
import subprocess
import time

import pytest

from peer import card, pb
from peer.agent import PASSWORD, PROGRAM, to_libconfig
from peer.conn import PeerClosed
from peer.controller import Controller, LoginError
from peer.controls import LEFT, RIGHT
from peer.framing import frame


def connect(agent, **kw):
    return Controller.direct("127.0.0.1", agent.port, **kw)


def rises(got):
    """None is older than the one before; a key picture for somebody else, or a slow machine, may repeat a few."""
    return all(b >= a for a, b in zip(got, got[1:])) and len(set(got)) > len(got) * 3 // 4


def numbers(client, n, timeout=30):
    got = [card.read_number(p.y) for p in client.frames(n, timeout=timeout)]
    assert None not in got, "a frame number could not be read"
    return got


def test_frame_number_rises_and_none_is_older_than_the_one_before(agent):
    with connect(agent) as client:
        info = client.login(PASSWORD)
        assert (info.displays[0].width, info.displays[0].height) == (640, 360)
        assert info.displays[0].cursor_embedded and info.displays[0].online and info.encoding.h264
        assert not client.secure
        got = numbers(client, 60)
        assert rises(got), got
        # 60 pictures of a 30 fps card: a source frame left out now and then is the newest-wins rule, half is not.
        assert got[-1] - got[0] < 120


def test_first_frame_is_a_key_frame_and_comes_at_once(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        start = time.monotonic()
        picture = client.frame()
        assert picture.key
        # The client's own limit before it sends wake-up clicks is 1.5 s.
        assert time.monotonic() - start < 1.5


def test_colours_reach_the_client_as_painted(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        rgb = list(client.frames(5, timeout=10))[-1].rgb
        wanted = [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255),
                  (0, 0, 0)]
        for i, colour in enumerate(wanted):
            at = rgb[60, 40 + 80 * i].astype(int)
            assert abs(at - colour).max() <= 12, (i, at, colour)


def test_greeting_before_login_is_in_stock_order(agent):
    with connect(agent) as client:
        client.wait_for("test_delay", 3)
        assert client.hash.salt and len(client.hash.challenge) == 6
        # Clipboard, audio, file, restart, block input, privacy mode: off, and in that order.
        assert list(client.permissions.items()) == [(n, False) for n in (2, 3, 4, 5, 7, 8)]
        assert client.log[0].kind == "hash"
    with connect(agent) as again:
        assert again.wait_hash().salt == client.hash.salt
        assert again.hash.challenge != client.hash.challenge


def test_wrong_password_keeps_the_connection_and_the_challenge(agent):
    with connect(agent) as client:
        with pytest.raises(LoginError, match="Wrong Password"):
            client.login("a bad guess")
        client.login(PASSWORD)
        assert client.frame().key
    assert "bad guess" not in agent.log


def test_empty_password_is_answered_with_silence(agent):
    with connect(agent) as client:
        client.send_login()
        client.expect_silence(1.0, but=("test_delay", "misc.permission_info"))
        client.login(PASSWORD)


def test_too_many_wrong_passwords_lock_the_address_out(agent):
    with connect(agent) as client:
        seen = []
        for _ in range(8):
            with pytest.raises(LoginError) as error:
                client.login("wrong")
            seen.append(error.value.text)
        assert seen[:6] == ["Wrong Password"] * 6
        assert seen[-1] == "Please try 1 minute later"
        with pytest.raises(LoginError, match="1 minute later"):
            client.login(PASSWORD)


def test_one_time_password_works_once(start_agent):
    agent = start_agent(rustdesk={"password": "", "one_time_password_length": 10})
    path = agent.folder / "run/one-time-password"
    agent.wait_log("ready")
    first = wait_password(path, "")
    assert len(first) == 10 and path.stat().st_mode & 0o777 == 0o600
    with connect(agent) as client:
        client.login(first)
        assert client.frame().key
        client.close()
    second = wait_password(path, first)
    with connect(agent) as client:
        with pytest.raises(LoginError, match="Wrong Password"):
            client.login(first)
        client.login(second)
    assert first not in agent.log and second not in agent.log


def wait_password(path, old, timeout=5):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        text = path.read_text().strip() if path.exists() else ""
        if text and text != old:
            return text
        time.sleep(0.02)
    raise AssertionError("no new one-time password")


@pytest.mark.parametrize("field, value, error", [
    ("file_transfer", pb.FileTransfer(dir="/"), "No permission of file transfer"),
    ("port_forward", pb.PortForward(host="localhost", port=22), "No permission of IP tunneling"),
    ("view_camera", pb.ViewCamera(), "No permission of viewing camera"),
    ("terminal", pb.Terminal(), "No permission of terminal")])
def test_other_kinds_of_session_are_refused_in_stock_words(agent, field, value, error):
    with connect(agent) as client:
        with pytest.raises(LoginError, match=error):
            client.login(PASSWORD, **{field: value})
        client.wait_closed(5)


def test_nothing_but_login_counts_before_login(agent):
    with connect(agent) as client:
        client.send_key("a")
        client.mouse_move(100, 100)
        client.refresh_video()
        client.run(0.5)
        assert not client.received("video_frame")
        client.login(PASSWORD)
        client.frame()
    assert agent.reports() == [] or agent.all_released()
    assert not [r for r in agent.reports("keyboard") if any(r[1])]


def test_test_delay_comes_each_second_and_carries_the_delay(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.run(3.3)
        probes = client.received("test_delay")
        assert 3 <= len(probes) <= 6
        assert probes[-1].target_bitrate > 0 and not probes[-1].from_client


def test_unanswered_test_delay_is_not_repeated(agent):
    with connect(agent) as client:
        client.echo_test_delay = False
        client.login(PASSWORD)
        client.run(3.2)
        assert len(client.received("test_delay")) == 1


@pytest.mark.parametrize("ask", ["refresh_video", "refresh_video_display", "capture", "query"])
def test_requests_for_the_picture_bring_a_key_frame(agent, ask):
    with connect(agent) as client:
        client.login(PASSWORD)
        numbers(client, 5)
        {"refresh_video": client.refresh_video,
         "refresh_video_display": lambda: client.refresh_video_display(0),
         "capture": lambda: client.capture_displays(set=[0]),
         "query": lambda: client.message_query(0)}[ask]()
        if ask == "query":
            answer = client.wait_for("misc.switch_display", 3).msg
            assert (answer.width, answer.height, answer.cursor_embedded) == (640, 360, True)
        assert client.key_frame(3)
        numbers(client, 10)


def test_invalid_displays_do_not_stop_the_picture(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        numbers(client, 3)
        client.capture_displays(set=[7])
        client.refresh_video_display(3)
        client.message_query(9)
        numbers(client, 20)


def test_custom_fps_slows_the_picture(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.set_custom_fps(5)
        client.run(1.0)
        before = len(client.pictures)
        client.run(3.0)
        assert 8 <= len(client.pictures) - before <= 20


def test_requests_a_kvm_cannot_meet_are_answered(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.block_input(True)
        assert client.wait_for("misc.back_notification", 3).msg.block_input_state == 3
        client.privacy_mode(True)
        client.voice_call()
        assert not client.wait_for("voice_call_response", 3).msg.accepted
        client.elevation()
        assert client.wait_for("misc.elevation_response", 3)
        numbers(client, 5)


def test_view_only_drops_input_and_releases_keys(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        client.send_key("a")
        agent.wait_reports(lambda rows: rows and any(rows[-1][1]), "keyboard")
        client.set_view_only(True)
        agent.wait_reports(lambda rows: rows and not any(rows[-1][1]), "keyboard")
        client.send_key("b")
        client.click(10, 10, LEFT)
        client.set_view_only(False)
        client.tap("c")
        rows = agent.wait_reports(lambda rows: any(r[1][2] == 6 for r in rows), "keyboard")
        assert not any(r[1][2] == 5 for r in rows)


def test_keys_held_are_released_however_the_session_ends(agent):
    def held(client):
        client.login(PASSWORD)
        client.frame()
        count = len(agent.reports("keyboard"))
        client.send_key("LShift")
        client.send_key("a")
        client.mouse_move(10, 10)
        client.mouse_down(LEFT)
        agent.wait_reports(lambda rows: len(rows) >= count + 2 and rows[-1][1][0] == 2, "keyboard")
        agent.wait_reports(lambda rows: rows and rows[-1][1][0] == 1, "abs")

    for how in ("close", "eof", "reset", "garbage"):
        client = connect(agent)
        held(client)
        if how == "close":
            client.close("")
        elif how == "eof":
            client.conn.sock.shutdown(socket.SHUT_RDWR)
        elif how == "reset":
            client.abort()
        else:
            client.send_payload(b"\xff" * 50)
        agent.wait_reports(lambda rows: agent.all_released())
        client.conn.sock.close()


def test_mouse_before_the_first_picture_is_dropped(start_agent):
    agent = start_agent(video={"fps": 1})
    with connect(agent) as client:
        client.send_login(PASSWORD)
        client.click(5, 5, RIGHT)
        client.wait_login(5)
        client.frame()
    assert not [r for r in agent.reports("abs") if r[1][0]]


def test_eight_controllers_share_and_the_ninth_is_told(agent):
    clients = [connect(agent) for _ in range(9)]
    try:
        for client in clients[:8]:
            client.login(PASSWORD)
        with pytest.raises(LoginError, match="taken"):
            clients[8].login(PASSWORD)
        for client in clients[:8]:
            assert numbers(client, 3)
        clients[0].close()
        agent.wait_log("session: end", 5)
        with connect(agent) as late:
            late.login(PASSWORD)
            assert late.frame().key
    finally:
        for client in clients:
            client.conn.sock.close()


@pytest.mark.parametrize("what", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
    b"\xff\xff\xff\xff" + b"A" * 1000, frame(b"\xff" * 200), frame(b"\x3a\x7f" + b"\0" * 20), b"\0" * 5000])
def test_garbage_before_login_ends_that_stream_alone(agent, what):
    with connect(agent) as good:
        good.login(PASSWORD)
        good.frame()
        with socket.create_connection(("127.0.0.1", agent.port)) as bad:
            bad.sendall(what)
            bad.settimeout(0.5)
            try:
                while bad.recv(65536):
                    pass
            except (TimeoutError, ConnectionError):
                pass
        numbers(good, 10)


def test_half_open_connections_are_bounded_and_leave_room(agent):
    idle = [socket.create_connection(("127.0.0.1", agent.port)) for _ in range(40)]
    try:
        agent.wait_log("too-many-streams")
        assert agent.threads() < 40
        # They are all still there, and more come: a user gets in all the same.
        deadline = time.monotonic() + 5
        while True:
            try:
                with connect(agent) as client:
                    client.login(PASSWORD)
                    assert client.frame().key
                    break
            except (PeerClosed, ConnectionError):
                assert time.monotonic() < deadline, "no place became free"
    finally:
        for s in idle:
            s.close()


def test_questions_before_login_cost_no_memory(agent):
    """A stranger who asks without end and never reads."""
    rss = agent.rss_kib()
    probe = frame(pb.Message(test_delay=pb.TestDelay(time=1, from_client=True)).SerializeToString())
    with socket.create_connection(("127.0.0.1", agent.port)) as sock:
        sock.settimeout(2)
        try:
            for _ in range(2000):
                sock.sendall(probe * 1000)
        except OSError:
            pass
    assert agent.rss_kib() - rss < 20_000
    agent.wait_log('session: gone .*reason="(too many|limit exceeded)"')


def test_stopping_and_starting_to_watch_does_not_storm_the_others(agent):
    with connect(agent) as client, connect(agent) as other:
        client.login(PASSWORD)
        other.login(PASSWORD)
        numbers(other, 10)
        for _ in range(60):
            client.capture_displays()
            client.capture_displays(set=[0])
            client.run(0.05)
            other.run(0)
        keys = sum(p.key for p in other.frames(60, timeout=10))
        assert keys < 20, keys


def test_hang_up_releases_like_term(start_agent):
    agent = start_agent()
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        client.send_key("a")
        agent.wait_reports(lambda rows: rows and any(rows[-1][1]), "keyboard")
        agent.stop(signal.SIGHUP)
    assert agent.all_released()


def test_a_controller_that_stops_reading_loses_frames_not_the_others(start_agent):
    agent = start_agent(video={"width": 1280, "height": 720})
    with connect(agent, rcvbuf=8192) as slow, connect(agent) as good:
        slow.login(PASSWORD)
        good.login(PASSWORD)
        # Both renditions are being made by then.
        numbers(good, 50, timeout=60)
        rss = agent.rss_kib()
        got = numbers(good, 150, timeout=60)
        assert rises(got), got
        assert agent.rss_kib() - rss < 40_000
        # It reads again: what comes decodes, and soon is as new as what the other one sees.
        newest = 0
        deadline = time.monotonic() + 20
        while newest < got[-1] and time.monotonic() < deadline:
            newest = numbers(slow, 1)[0]
        assert newest >= got[-1]


def test_a_newcomer_costs_the_others_one_key_picture(agent):
    with connect(agent) as watching, connect(agent) as newcomer:
        watching.login(PASSWORD)
        # Past the picture that it got itself and those that repeat it.
        watching.run(1.0)
        watching.pictures.clear()
        newcomer.send_login(PASSWORD)
        newcomer.capture_displays(set=[0])
        newcomer.refresh_video()
        newcomer.refresh_video_display(0)
        assert newcomer.frame().key
        watching.run(1.5)
        assert sum(p.key for p in watching.pictures) == 1


def test_who_types_holds_the_keyboard_and_who_drags_the_pointer(start_agent):
    agent = start_agent(hid={"hold_ms": 60000})
    with connect(agent) as ann, connect(agent) as bob:
        for client in (ann, bob):
            client.login(PASSWORD)
            client.frame()
        ann.mouse_move(100, 100)
        ann.mouse_down(LEFT)
        agent.wait_reports(lambda rows: rows and rows[-1][1][0] == 1, "abs")
        ann.send_key("a")
        agent.wait_reports(lambda rows: rows and rows[-1][1][2] == 4, "keyboard")
        bob.tap("b")
        bob.mouse_move(300, 300)
        bob.click(300, 300, RIGHT)
        bob.run(0.3)
        ann.send_key("a", down=False)
        ann.mouse_up(LEFT)
        agent.wait_reports(lambda rows: agent.all_released())
        assert not any(r[1][2] == 5 for r in agent.reports("keyboard"))
        assert not any(r[1][0] & 2 for r in agent.reports("abs"))
        assert len({r[1][1:5] for r in agent.reports("abs")}) == 1
        # The pointer is free again, and so is the keyboard once Ann has gone.
        bob.mouse_move(300, 300)
        agent.wait_reports(lambda rows: len({r[1][1:5] for r in rows}) == 2, "abs")
        ann.close()
        agent.wait_log("session: end", 5)
        bob.tap("b")
        agent.wait_reports(lambda rows: any(r[1][2] == 5 for r in rows), "keyboard")


def test_stop_is_quick_and_says_good_bye(start_agent):
    agent = start_agent()
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        client.send_key("a")
        agent.wait_reports(lambda rows: rows and any(rows[-1][1]), "keyboard")
        took = agent.stop()
        assert took < 1.0, took
        client.wait_closed(3)
        assert client.close_reason
    assert agent.all_released()


def test_ctrl_c_stops_like_term(start_agent):
    agent = start_agent()
    assert agent.stop(signal.SIGINT) < 1.0


def test_taken_port_is_an_error_that_names_it(start_agent, tmp_path):
    agent = start_agent()
    config = tmp_path / "second.cfg"
    config.write_text(to_libconfig({
        "state_dir": tmp_path / "second", "runtime_dir": "", "video": {"source": "card"}, "hid": {"backend": "none"},
        "rustdesk": {"direct": {"enabled": True, "address": "127.0.0.1", "port": agent.port}}}))
    done = subprocess.run([PROGRAM, "--config", str(config)], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert str(agent.port) in done.stderr and "127.0.0.1" in done.stderr


def test_nothing_is_encoded_while_nobody_watches(agent):
    with connect(agent) as client:
        client.login(PASSWORD)
        client.frame()
        client.close()
    agent.wait_log("capture: idle", 5)
