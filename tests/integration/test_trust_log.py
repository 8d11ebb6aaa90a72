# SPDX-License-Identifier: GPL-3.0-or-later
"""Every login, every refusal and every end is one line with who, from where, by which path and why; never a secret."""

import re
import socket
import time

import pytest

from peer import addr, pb
from peer.agent import PASSWORD
from peer.conn import Conn, DecryptError, PeerClosed, PeerTimeout
from peer.controller import Controller, LoginError
from peer.servers import MockServers
from test_trust import TOTP_SECRET, connect, h1, one_time_password, salt_of, totp

GUESS = "a guess nobody makes"
RUDE = 'Eve"\n<4>fake: \u202eline\\'
ME = {"my_id": '55"5\n', "my_name": RUDE}
WHO = r'id="55\\x225\\x0a" name="Eve\\x22\\x0a<4>fake: [^"\n]*line\\x5c"'
NOBODY = 'id="" name=""'
SERVE = {"enabled": True, "address": "127.0.0.1", "port": 0, "session_port": 0}


def lines(agent):
    """[(event, number, path, from, the quoted rest)] of all sessions."""
    return re.findall(r'^<\d>session: (login|refused|end|gone) n=(\d+) path=(.+?) from=(\S+) (.*)$', agent.log, re.M)


def refused(client, words, password=PASSWORD, **login):
    with pytest.raises(LoginError, match=f"^{words}$"):
        client.login(password, **{**ME, **login})


def wrong_password(client):
    refused(client, "Wrong Password", GUESS)


def too_often(client):
    for _ in range(14):
        client.send_login(GUESS, **ME)
        if "minute" in client.wait_for("login_response", 5).msg.error:
            break
    # Once said, it is not said again however often somebody asks.
    for _ in range(3):
        refused(client, "Please try 1 minute later", GUESS)


def wrong_code(client):
    refused(client, "2FA Required", session_id=7)
    with pytest.raises(LoginError, match="^Wrong 2FA Code$"):
        client.auth_2fa("000000" if totp() != "000000" else "000001")


def address(client):
    with pytest.raises(LoginError, match="^Your ip is blocked by the peer$"):
        client.wait_login()


def no_codec_of_ours(client):
    refused(client, "This device sends nothing that this client can decode", codecs=("av1s",))


def other_scope(client):
    client.send_login(None, **ME)
    refused(client, "Connection not allowed", terminal=pb.Terminal())


# What it does, whom the line names, how often which reason stands there, and what of the configuration it needs.
REFUSALS = {
    "password": (wrong_password, WHO, {"Wrong Password": 1}, {}),
    "limit": (too_often, WHO, {"Wrong Password": None, "Please try 1 minute later": 1}, {}),
    "code": (wrong_code, WHO, {"Wrong 2FA Code": 1}, {"totp_secret": TOTP_SECRET}),
    "address": (address, NOBODY, {"Your ip is blocked by the peer": 1}, {"allow_addresses": "192.0.2.1"}),
    "id": (lambda c: refused(c, "Your ID is blocked by the peer"), WHO, {"Your ID is blocked by the peer": 1},
           {"allow_ids": "1"}),
    "files": (lambda c: refused(c, "No permission of file transfer", file_transfer=pb.FileTransfer()), WHO,
              {"No permission of file transfer": 1}, {}),
    "tunnel": (lambda c: refused(c, "No permission of IP tunneling", port_forward=pb.PortForward()), WHO,
               {"No permission of IP tunneling": 1}, {}),
    "terminal": (lambda c: refused(c, "No permission of terminal", terminal=pb.Terminal()), WHO,
                 {"No permission of terminal": 1}, {}),
    "camera": (lambda c: refused(c, "No permission of viewing camera", view_camera=pb.ViewCamera()), WHO,
               {"No permission of viewing camera": 1}, {}),
    "codec": (no_codec_of_ours, WHO, {"This device sends nothing that this client can decode": 1}, {}),
    "scope": (other_scope, WHO, {"Connection not allowed": 1}, {}),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_each_kind_of_refusal_is_one_line(start_agent, kind):
    act, who, reasons, config = REFUSALS[kind]
    agent = start_agent(rustdesk=config, top={"log": {"level": "trace"}})
    with connect(agent) as client:
        act(client)
        client.close()
    agent.wait_log("session: (gone|closed) ")
    rows = lines(agent)
    assert {r[1] for r in rows} == {rows[0][1]} and {r[2] for r in rows} == {"direct"}
    assert all(re.match(r"127\.0\.0\.1:\d+$", r[3]) for r in rows)
    refusals = [r[4] for r in rows if r[0] == "refused"]
    assert all(re.match(who + ' reason="[^"]+"$', text) for text in refusals), refusals
    for reason, count in reasons.items():
        found = sum(text.endswith(f'reason="{reason}"') for text in refusals)
        assert found == count or (count is None and found), (reason, refusals)
    assert len(refusals) == sum(sum(t.endswith(f'reason="{r}"') for t in refusals) for r in reasons)
    # Who was sent away for good has no second line; who could have tried again has one for the end of the stream.
    ends = [r for r in rows if r[0] == "gone"]
    again = kind in ("password", "limit", "code")
    assert len(ends) == (1 if again else 0) and not [r for r in rows if r[0] in ("login", "end")]
    assert_no_secrets(agent)


def assert_no_secrets(agent, *more):
    text = agent.log
    for secret in (PASSWORD, GUESS, TOTP_SECRET, h1(PASSWORD, salt_of(agent)), salt_of(agent), *more):
        assert secret not in text
    assert "\n<4>fake" not in text and "\u202e" not in text


def test_last_place_taken(start_agent):
    agent = start_agent(rustdesk={"max_sessions": 1})
    with connect(agent) as one, connect(agent) as two:
        one.login(PASSWORD)
        refused(two, "All places on this device are taken")
        two.wait_closed(5)
        # The first has not noticed.
        assert one.frame().key
    rows = [r[4] for r in lines(agent) if r[0] == "refused"]
    assert len(rows) == 1 and re.match(WHO + ' reason="All places on this device are taken"$', rows[0]), rows


def hang_up(client):
    client.conn.shutdown_send()
    client.wait_closed(5)


def garbage(client):
    client.send_payload(b"\xff" * 50)


def huge(client):
    client.conn.send_bytes(b"\xff\xff\xff\xff")


def no_codec(client):
    client.send_misc(option=pb.OptionMessage(supported_decoding=pb.SupportedDecoding(ability_av1=1)))


ENDS = {
    "good-bye": (lambda c: c.send_misc(close_reason="bye"), "closed by the controller"),
    "end of stream": (hang_up, "closed by the controller"),
    "reset": (lambda c: c.abort(), "Connection reset by peer"),
    "garbage": (garbage, "protocol error by the peer"),
    "too large": (huge, "limit exceeded"),
    "no codec": (no_codec, "Decoding failed in this client, and this device sends nothing else"),
    "stop": (None, "The KVM service is stopping"),
}


@pytest.mark.parametrize("kind", ENDS)
def test_each_kind_of_end_is_one_line(start_agent, kind):
    act, reason = ENDS[kind]
    agent = start_agent(top={"log": {"level": "trace"}})
    client = connect(agent)
    client.login(PASSWORD, **ME)
    client.frame()
    if act:
        act(client)
        agent.wait_log("session: end ")
    else:
        agent.stop()
    client.close(None, linger=0)
    assert [r[0] for r in lines(agent)] == ["login", "end"]
    login, end = (r[4] for r in lines(agent))
    assert re.match(WHO + ' encrypted=0 profile="permanent"$', login), login
    assert re.match(WHO + f' reason="{reason}" seconds=\\d+ pictures=\\d+$', end), end
    assert lines(agent)[0][1:4] == lines(agent)[1][1:4]
    assert_no_secrets(agent)


@pytest.mark.parametrize("act, reason", [
    (lambda c: c.send_misc(close_reason="bye"), "closed by the controller"), (hang_up, "closed by the controller"),
    (garbage, "protocol error by the peer"), (huge, "limit exceeded")])
def test_end_before_the_login_is_one_line(start_agent, act, reason):
    agent = start_agent()
    with connect(agent) as client:
        client.send_login(None, **ME)
        client.expect_silence(0.1, but=("test_delay", "misc.permission_info"))
        act(client)
        agent.wait_log("session: gone ")
    rows = lines(agent)
    assert len(rows) == 1 and re.match(WHO + f' reason="{reason}"$', rows[0][4]), rows


def test_strangers_who_say_nothing_do_not_fill_the_log(agent):
    begun = time.monotonic()
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", agent.port)):
            pass
    agent.wait_log("session: gone ")
    with connect(agent) as client:
        client.login(PASSWORD, **ME)
        client.close()
    agent.wait_log("session: end ")
    gone = len([r for r in lines(agent) if r[0] == "gone"])
    assert 1 <= gone <= time.monotonic() - begun + 2 and "left_out=" in agent.log


@pytest.mark.parametrize("event, stays", [("refused", True), ("gone", False)])
def test_strangers_with_names_do_not_fill_the_log(agent, event, stays):
    asked = pb.FileTransfer() if stays else None  # refused at once, or gone without having tried a password
    begun = time.monotonic()
    for _ in range(150):
        with connect(agent) as client:
            client.send_login(None, **ME, **({"file_transfer": asked} if stays else {}))
            if stays:
                assert "No permission" in client.wait_for("login_response", 5).msg.error
    with connect(agent) as client:
        wrong_password(client)
    agent.wait_log('session: refused .*reason="Wrong Password"')
    rows = [r for r in lines(agent) if r[0] == event and "Wrong Password" not in r[4]]
    assert 30 <= len(rows) <= 60 + time.monotonic() - begun + 2
    # Later lines tell how many are missing.
    while "left_out=" not in agent.log:
        assert time.monotonic() < begun + 60
        with connect(agent) as client:
            client.send_login(None, **ME, **({"file_transfer": asked} if stays else {}))
            client.run(0.5)


@pytest.mark.parametrize("mode, reason", [
    ("keyless", "the controller has no key to verify this device"),
    ("wrong-key", "the controller knows another key of this device"),
    ("other-message", "the controller has no key to verify this device")])
def test_refusal_of_who_cannot_encrypt_is_one_line(start_agent, mode, reason):
    agent = start_agent(rustdesk={"serve": SERVE, "direct": {"enabled": False}})
    key = re.search(r"\?key=(\S{44})", agent.log).group(1)
    with Controller.via_hbbs(f"127.0.0.1:{agent.serve_port}", agent.id, server_key=key,
                             handshake_mode=mode) as client:
        assert "encrypted sessions only" in client.wait_for("login_response", 5).msg.error
        client.wait_closed(5)
    rows = lines(agent)
    assert [(r[0], r[2], r[4]) for r in rows] == [("refused", "own service", f'{NOBODY} reason="{reason}"')]


def test_refusal_of_what_was_meant_for_another_is_one_line(start_agent):
    agent = start_agent(rustdesk={"serve": SERVE, "direct": {"enabled": False}})
    key = re.search(r"\?key=(\S{44})", agent.log).group(1)
    with Controller.via_id_box(f"{agent.id}@127.0.0.1:{agent.serve_port}?key={key}") as client:
        refused(client, "Offline", username="another")
        client.wait_closed(5)
    rows = lines(agent)
    assert len(rows) == 1 and rows[0][0] == "refused" and re.match(WHO + ' reason="Offline"$', rows[0][4]), rows


def test_refusal_of_what_the_server_left_in_the_clear_is_one_line(start_agent):
    with MockServers() as mock, socket.create_server(("127.0.0.1", 0)) as relay:
        agent = start_agent(rustdesk={"server": mock.address, "key": mock.key, "direct": {"enabled": False}})
        agent.wait_log("rendezvous: registered with")
        mock.hbbs.push(agent.id, request_relay=pb.RequestRelay(
            uuid="plain", socket_addr=addr.encode(("203.0.113.9", 4000)), secure=False,
            relay_server=f"127.0.0.1:{relay.getsockname()[1]}"))
        relay.settimeout(10)
        conn = Conn(relay.accept()[0])
        conn.recv_frame(10)
        client = Controller(conn, agent.id, path="relay")
        assert "encrypted sessions only" in client.wait_for("login_response", 10).msg.error
        client.wait_closed(5)
        rows = lines(agent)
        assert len(rows) == 1 and rows[0][:4:2] == ("refused", "relay") and rows[0][3] == "203.0.113.9:4000", rows
        assert rows[0][4] == f'{NOBODY} reason="the controller was let in without encryption by the server"'


def test_one_time_password_and_codes_are_in_no_line(start_agent):
    agent = start_agent(rustdesk={"password": "", "totp_secret": TOTP_SECRET}, top={"log": {"level": "trace"}})
    otp = one_time_password(agent)
    code = totp()
    with connect(agent) as client:
        refused(client, "2FA Required", otp, session_id=3, hwid=b"hardware id of it")
        with pytest.raises(LoginError):
            client.auth_2fa("424242", hwid=b"hardware id of it")
        client.auth_2fa(code, hwid=b"hardware id of it")
        client.close()
    new = one_time_password(agent, otp)
    agent.wait_log("session: end ")
    assert_no_secrets(agent, otp, new, code, "424242", "hardware id")
    try:
        with connect(agent) as client:
            client.send_login(new, **ME)
            client.wait_for("login_response", 5)
    except (DecryptError, PeerClosed, PeerTimeout):
        pass
    assert_no_secrets(agent, otp, new, code)
