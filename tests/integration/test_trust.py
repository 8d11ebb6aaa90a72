# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may enter and what that opens: passwords, profiles, second factor, lists, limits."""

import base64
import hashlib
import hmac
import os
import pty
import re
import subprocess
import time

import pytest

from peer import pb
from peer.agent import PASSWORD, PROGRAM
from peer.controller import Controller, LoginError


def connect(agent, **kw):
    return Controller.direct("127.0.0.1", agent.port, **kw)


def salt_of(agent):
    return re.search(r'salt = "(\w+)"', (agent.folder / "state/identity").read_text()).group(1)


def h1(password, salt):
    return hashlib.sha256((password + salt).encode()).hexdigest()


def restart_with(agent, text):
    """Adds a line to section rustdesk (its later closing brace is the file's last)."""
    agent.stop()
    config = agent.config.read_text()
    assert "rustdesk = {" in config
    agent.config.write_text(config.replace("rustdesk = {", "rustdesk = { " + text, 1))
    agent.start()


def hash_password(agent, stdin):
    return subprocess.run([PROGRAM, "--config", str(agent.config), "--hash-password"], input=stdin, text=True,
                          capture_output=True, timeout=20)


def one_time_password(agent, old=""):
    """The one of the moment, once it is another than `old`."""
    path = agent.folder / "run/one-time-password"
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        text = path.read_text().strip() if path.exists() else ""
        if text not in ("", old):
            return text
        time.sleep(0.02)
    raise AssertionError("no new one-time password")


def test_hash_printed_by_the_program_lets_in_and_the_text_is_nowhere(start_agent):
    agent = start_agent(rustdesk={"password": ""})
    out = hash_password(agent, "correct horse\n")
    assert out.returncode == 0 and out.stderr == ""
    assert out.stdout == f'password_hash = "{h1("correct horse", salt_of(agent))}";\n'
    restart_with(agent, out.stdout.strip())
    with connect(agent) as client:
        with pytest.raises(LoginError, match="Wrong Password"):
            client.login(PASSWORD)
        client.login("correct horse")
        assert client.frame().key
    assert "correct horse" not in agent.log and "plain-password" not in agent.log


@pytest.mark.parametrize("stdin, words", [("", "empty password"), ("\n", "empty password"), ("x" * 129, "at most 128")])
def test_hash_of_no_or_too_long_a_password_is_refused(start_agent, stdin, words):
    out = hash_password(start_agent(), stdin)
    assert out.returncode == 1 and out.stdout == "" and words in out.stderr


def test_typed_password_is_not_shown(start_agent):
    agent = start_agent()
    ours, theirs = pty.openpty()
    process = subprocess.Popen([PROGRAM, "--config", str(agent.config), "--hash-password"], stdin=theirs,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = b""
    for prompt in (b"Password: ", b"Once more: "):
        while not seen.endswith(prompt):
            seen += process.stderr.read(1)
        os.write(ours, b"hidden words\n")
    out, rest = process.communicate(timeout=20)
    assert process.returncode == 0 and h1("hidden words", salt_of(agent)).encode() in out
    os.set_blocking(ours, False)
    try:
        echoed = os.read(ours, 4096)
    except BlockingIOError:
        echoed = b""
    assert b"hidden" not in echoed + out + seen + rest
    os.close(ours)
    os.close(theirs)


def test_plain_password_works_with_a_warning(agent):
    assert "plain-password" in agent.log and "--hash-password" in agent.log
    assert PASSWORD not in agent.log
    with connect(agent) as client:
        client.login(PASSWORD)


def test_view_only_password_is_announced_and_enforced(start_agent):
    agent = start_agent()
    hashed = h1("look", salt_of(agent))
    restart_with(agent, f'access = ( {{ name = "guest"; password_hash = "{hashed}"; view_only = true; '
                        'recording = false; } );')
    with connect(agent) as guest, connect(agent) as owner:
        guest.login("look")
        guest.frame()
        # Before login what the device gives, after it what the password opens.
        assert list(guest.permissions.items()) == [(n, False) for n in (2, 3, 4, 5, 7, 8, 0, 6)]
        guest.send_misc(option=pb.OptionMessage(disable_keyboard=1))
        guest.send_key("a")
        guest.mouse_move(100, 100)
        guest.run(0.5)
        assert not agent.reports()
        owner.login(PASSWORD)
        owner.frame()
        assert not {0, 6} & set(owner.permissions)
        owner.send_key("a")
        agent.wait_reports(lambda rows: any(b[2] for _, b in rows), "keyboard")
    assert 'profile="guest"' in agent.log and 'profile="permanent"' in agent.log


def test_addresses_that_may_not_come_get_no_hash(start_agent):
    agent = start_agent(rustdesk={"allow_addresses": "192.168.0.0/16, 2001:db8::/32"})
    with connect(agent) as client:
        with pytest.raises(LoginError, match="^Your ip is blocked by the peer$"):
            client.wait_login()
        assert client.hash is None
        client.wait_closed(5)
    agent.wait_log('refused .*reason="Your ip is blocked by the peer"')


def test_addresses_that_may_come(start_agent):
    agent = start_agent(rustdesk={"allow_addresses": "127.0.0.0/8"})
    with connect(agent) as client:
        client.login(PASSWORD)


def test_ids_that_may_come(start_agent):
    agent = start_agent(rustdesk={"allow_ids": "111222333, 444555666"})
    with connect(agent) as client:
        with pytest.raises(LoginError, match="^Your ID is blocked by the peer$"):
            client.login(PASSWORD, my_id="987654321")
        client.wait_closed(5)
    with connect(agent) as client:
        client.login(PASSWORD, my_id="444555666@hbbs.example.com")


def test_numeric_one_time_password(start_agent):
    agent = start_agent(rustdesk={"password": "", "one_time_password_length": 12, "one_time_password_numeric": True})
    otp = one_time_password(agent)
    assert re.fullmatch(r"\d{12}", otp)
    with connect(agent) as client:
        client.login(otp)


TOTP_KEY = b"12345678901234567890"
TOTP_SECRET = base64.b32encode(TOTP_KEY).decode()


def totp(at=None, steps=0):
    step = int((time.time() if at is None else at) // 30) + steps
    digest = hmac.digest(TOTP_KEY, step.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start:start + 4], 'big') & 0x7fffffff) % 1000000:06}"


def ask_code(agent, hwid=b""):
    """A client that has given the right password and is asked for a code."""
    client = connect(agent)
    # A session of its own: one that was dropped would be resumed without a code.
    client.send_login(PASSWORD, hwid=hwid, session_id=int.from_bytes(os.urandom(7), "big"))
    reply = client.wait_for("login_response", 5).msg
    assert reply.error == "2FA Required"
    return client, reply.enable_trusted_devices


def test_second_factor_is_asked_checked_and_good_once(start_agent):
    agent = start_agent(rustdesk={"totp_secret": TOTP_SECRET, "trusted_days": 0})
    with connect(agent) as stranger:
        stranger.wait_hash()
        stranger.send(auth_2fa=pb.Auth2FA(code=totp()))
        stranger.expect_silence(0.5, but=("test_delay", "misc.permission_info"))
        with pytest.raises(LoginError, match="^Wrong Password$"):
            stranger.login("guess")
    client, trust = ask_code(agent)
    with client:
        assert not trust
        client.send_key("a")
        with pytest.raises(LoginError, match="^Wrong 2FA Code$"):
            client.auth_2fa(totp(steps=-5))
        code = totp()
        client.auth_2fa(code)
        assert client.frame().key
    assert not [r for r in agent.reports("keyboard") if any(r[1])]
    client, _ = ask_code(agent)
    with client:
        with pytest.raises(LoginError, match="^Wrong 2FA Code$"):
            client.auth_2fa(code)
        # The next one is good already.
        client.auth_2fa(totp(steps=1))
    assert code not in agent.log and TOTP_SECRET not in agent.log


def test_trusted_device_is_remembered_over_a_restart(start_agent):
    agent = start_agent(rustdesk={"totp_secret": TOTP_SECRET})
    client, trust = ask_code(agent)
    with client:
        assert trust
        client.auth_2fa(totp(), hwid=b"my machine")
    path = agent.folder / "state/trusted_devices"
    agent.stop()
    assert path.stat().st_mode & 0o777 == 0o600 and b"my machine" not in path.read_bytes()
    agent.start()
    with connect(agent) as client:
        client.login(PASSWORD, hwid=b"my machine")
        assert client.frame().key
    ask_code(agent, hwid=b"another one")[0].close()


def test_secret_of_the_second_factor_in_its_file(start_agent):
    agent = start_agent()
    agent.stop()
    path = agent.folder / "state/totp_secret"
    path.write_text(TOTP_SECRET + "\n")
    path.chmod(0o644)
    out = subprocess.run([PROGRAM, "--config", str(agent.config)], capture_output=True, text=True, timeout=20)
    assert out.returncode == 1 and "chmod 0600" in out.stderr
    path.chmod(0o600)
    agent.start()
    client, _ = ask_code(agent)
    with client:
        client.auth_2fa(totp())


def test_dropped_session_resumes_though_the_one_time_password_is_another(start_agent):
    agent = start_agent(rustdesk={"password": "", "totp_secret": TOTP_SECRET})
    first = one_time_password(agent)
    with connect(agent) as client:
        client.send_login(first, session_id=4711)
        assert client.wait_for("login_response", 5).msg.error == "2FA Required"
        client.auth_2fa(totp())
        client.frame()
        client.abort()
    one_time_password(agent, first)
    with connect(agent) as stranger:
        with pytest.raises(LoginError, match="Wrong Password"):
            stranger.login(first, session_id=4712)
    with connect(agent) as again:
        again.login(first, session_id=4711)
        assert again.frame().key
        again.close()
    with connect(agent) as late:
        with pytest.raises(LoginError, match="Wrong Password"):
            late.login(first, session_id=4711)


def test_login_refusal_and_end_are_a_line_each(agent):
    with connect(agent) as client:
        with pytest.raises(LoginError):
            client.login("guess", my_id="555666777", my_name='Eve"\n<4>fake: line')
        client.login(PASSWORD, my_id="555666777", my_name='Eve"\n<4>fake: line')
        client.close()
    who = r'path=direct from=127\.0\.0\.1:\d+ id="555666777" name="Eve[^\n]*fake: line" '
    agent.wait_log(r"<4>session: refused n=\d+ " + who + 'reason="Wrong Password"')
    agent.wait_log(r"<6>session: login n=\d+ " + who + "encrypted=0")
    agent.wait_log(r"<6>session: end n=\d+ " + who + 'reason="closed by the controller"')
    assert "\n<4>fake" not in agent.log
