# SPDX-License-Identifier: GPL-3.0-or-later
"""The second factor: six digits that change, and devices that are trusted without."""

import base64
import hashlib
import hmac
import itertools
import time

import pytest

from devices import dial
from peer import pb
from peer.agent import PASSWORD
from peer.controller import LoginError

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
sessions = itertools.count(1000)


def totp(steps=0):
    counter = (int(time.time()) // 30 + steps).to_bytes(8, "big")
    digest = hmac.new(base64.b32decode(SECRET), counter, hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 10**6:06}"


@pytest.fixture(name="guarded")
def fixture_guarded(start_agent):
    return start_agent(rustdesk={"totp_secret": SECRET})


def asked(agent, **kw):
    """A client that gave the right password."""
    client = dial(agent)
    client.send_login(PASSWORD, session_id=next(sessions), **kw)
    reply = client.wait_for("login_response", 5).msg
    assert reply.error == "2FA Required"
    return client, reply


def test_code_is_asked_for_after_the_password(guarded):
    """The right password is answered by 2FA Required, which says that devices can be trusted."""
    client, reply = asked(guarded)
    with client:
        assert reply.enable_trusted_devices


def test_trust_is_not_offered_where_it_is_off(start_agent):
    """Where devices are not trusted the answer does not offer it."""
    client, reply = asked(start_agent(rustdesk={"totp_secret": SECRET, "trusted_days": 0}))
    with client:
        assert not reply.enable_trusted_devices


def test_wrong_password_is_said_before_any_code(guarded):
    """A wrong password is Wrong Password: nobody learns that there is a second factor."""
    with dial(guarded) as client:
        with pytest.raises(LoginError, match="^Wrong Password$"):
            client.login("guess")


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_code_of_now_or_next_to_it_lets_in(guarded, steps):
    """The code of this half minute, the one before and the one after let in."""
    client, _ = asked(guarded)
    with client:
        assert client.auth_2fa(totp(steps))


@pytest.mark.parametrize("code", [lambda: totp(-4), lambda: totp(4), lambda: "", lambda: "000000"[:5],
                                  lambda: totp() + "0", lambda: " " + totp()[1:], lambda: "x" * 500],
                         ids=["old", "future", "empty", "short", "long", "blank", "huge"])
def test_other_codes_are_wrong(guarded, code):
    """Other codes are Wrong 2FA Code, and the connection stays for another try."""
    client, _ = asked(guarded)
    with client:
        with pytest.raises(LoginError, match="^Wrong 2FA Code$"):
            client.auth_2fa(code())
        assert client.auth_2fa(totp())


def test_code_is_ignored_unless_asked_for(guarded):
    """A code before the password is ignored, and lets nobody in."""
    with dial(guarded) as client:
        client.wait_hash()
        client.send(auth_2fa=pb.Auth2FA(code=totp()))
        client.expect_silence(0.3, but=("test_delay", "misc.permission_info"))


def test_code_is_good_once(guarded):
    """A code that was used is wrong the next time."""
    code = totp()
    client, _ = asked(guarded)
    with client:
        client.auth_2fa(code)
    client, _ = asked(guarded)
    with client:
        with pytest.raises(LoginError, match="^Wrong 2FA Code$"):
            client.auth_2fa(code)


def test_nothing_is_obeyed_while_the_code_is_missing(guarded):
    """Between password and code there is no session: no picture, no input."""
    client, _ = asked(guarded)
    with client:
        client.tap("a")
        client.refresh_video()
        client.expect_silence(0.4)
        assert guarded.reports() == []


def test_trusted_device_needs_no_code(guarded):
    """A client that gave its hardware id with the code logs in by password alone later."""
    client, _ = asked(guarded)
    with client:
        client.auth_2fa(totp(), hwid=b"hardware")
    with dial(guarded) as client:
        assert client.login(PASSWORD, hwid=b"hardware", session_id=next(sessions))


@pytest.mark.parametrize("other", [{"hwid": b"another"}, {"hwid": b""}, {"my_id": "1"}, {"my_name": "x"},
                                   {"my_platform": "Windows"}], ids=lambda o: next(iter(o)) + str(len(str(o))))
def test_trust_is_for_id_name_platform_and_hardware(guarded, other):
    """Hardware id, id, name and platform must all be the same for that."""
    client, _ = asked(guarded)
    with client:
        client.auth_2fa(totp(), hwid=b"hardware")
    client, _ = asked(guarded, **{"hwid": b"hardware", **other})
    client.close()


def test_hardware_id_without_a_right_code_is_not_trusted(guarded):
    """A hardware id that came with a wrong code is not remembered."""
    client, _ = asked(guarded)
    with client:
        with pytest.raises(LoginError):
            client.auth_2fa("123", hwid=b"hardware")
    asked(guarded, hwid=b"hardware")[0].close()


def test_dropped_session_resumes_without_a_code(guarded):
    """A session that had given a code and was dropped needs none within 30 s."""
    client = dial(guarded)
    client.send_login(PASSWORD, session_id=4711)
    client.wait_for("login_response", 5)
    client.auth_2fa(totp())
    client.abort()
    guarded.wait_log("session: end")
    with dial(guarded) as client:
        assert client.login(PASSWORD, session_id=4711)
