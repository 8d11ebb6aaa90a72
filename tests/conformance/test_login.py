# SPDX-License-Identifier: GPL-3.0-or-later
"""LoginRequest: who gets in, and what the others are told."""

import time

import pytest

from devices import dial
from peer import handshake, pb
from peer.agent import PASSWORD
from peer.controller import LoginError

KINDS = [
    ("file_transfer", pb.FileTransfer(dir="/"), "No permission of file transfer"),
    ("port_forward", pb.PortForward(host="localhost", port=22), "No permission of IP tunneling"),
    ("view_camera", pb.ViewCamera(), "No permission of viewing camera"),
    ("terminal", pb.Terminal(), "No permission of terminal"),
]


def one_time_password(agent, old=""):
    path, deadline = agent.folder / "run/one-time-password", time.monotonic() + 5
    while time.monotonic() < deadline:
        text = path.read_text().strip() if path.exists() else ""
        if text not in ("", old):
            return text
        time.sleep(0.02)
    raise AssertionError("no new one-time password")


def refused(client, words, *args, **kw):
    with pytest.raises(LoginError, match=f"^{words}$"):
        client.login(*args, **kw)


# ---- passwords

def test_proof_is_the_hash_of_hash_and_challenge(stranger):
    """The password is proven by SHA-256(SHA-256(password, salt), challenge), salt and challenge as text."""
    hello = stranger.wait_hash()
    proof = handshake.password_proof(handshake.password_h1(PASSWORD, hello.salt), hello.challenge)
    assert stranger.login(proof=proof)


@pytest.mark.parametrize("proof", [
    lambda c: handshake.password_h1(PASSWORD, c.hash.salt), lambda c: PASSWORD.encode(),
    lambda c: c.proof(PASSWORD)[:31], lambda c: c.proof(PASSWORD) + b"\0", lambda c: c.proof(PASSWORD).hex().encode(),
    lambda c: bytes(32)], ids=["h1", "text", "short", "long", "hex", "zeros"])
def test_anything_but_the_proof_is_wrong(stranger, proof):
    """Neither the stored hash nor the text nor part of the proof opens the device."""
    stranger.wait_hash()
    refused(stranger, "Wrong Password", proof=proof(stranger))


def test_answer_to_another_challenge_is_wrong(device, stranger):
    """The answer to one connection's challenge is no answer on another."""
    with dial(device) as other:
        other.wait_hash()
        stranger.wait_hash()
        refused(stranger, "Wrong Password", proof=other.proof(PASSWORD))


def test_empty_dialog_is_a_wrong_password(stranger):
    """What clients send when the dialog is submitted empty, SHA-256(challenge), never matches."""
    stranger.submit_empty_dialog()
    with pytest.raises(LoginError, match="^Wrong Password$"):
        stranger.wait_login(5)


def test_empty_password_never_matches(start_agent):
    """A device without a permanent password does not take the empty one for it."""
    agent = start_agent(rustdesk={"password": ""})
    with dial(agent) as client:
        hello = client.wait_hash()
        refused(client, "Wrong Password", handshake.password_h1("", hello.salt))


def test_right_password_after_wrong_ones(stranger):
    """Wrong Password can be followed by the right one, as often as the limit allows, on the same connection."""
    for _ in range(5):
        refused(stranger, "Wrong Password", "guess")
    assert stranger.login(PASSWORD)


def test_empty_request_then_the_password(stranger):
    """The usual start of a client without a stored password: an empty request, and the dialog's later."""
    assert stranger.login_like_dialog(PASSWORD)


def test_one_time_password_lets_in(start_agent):
    """The one-time password is checked with the same salt and lets in like the permanent one."""
    agent = start_agent()
    with dial(agent) as client:
        assert client.login(one_time_password(agent))


def test_one_time_password_is_eight_characters_of_the_stock_alphabet(device):
    """The one-time password has eight characters without confusing ones, unless configured otherwise."""
    text = one_time_password(device)
    assert len(text) == 8 and set(text) <= set("23456789abcdefghijkmnpqrstuvwxyz")


def test_one_time_password_can_be_of_digits(start_agent):
    """It can be longer, and of digits only."""
    agent = start_agent(rustdesk={"one_time_password_length": 10, "one_time_password_numeric": True})
    text = one_time_password(agent)
    assert len(text) == 10 and text.isdigit()


def test_one_time_password_changes_after_a_session(start_agent):
    """When a session that was logged in ends the one-time password is another one, and the old one is wrong."""
    agent = start_agent()
    first = one_time_password(agent)
    with dial(agent) as client:
        client.login(PASSWORD)
        client.close()
    second = one_time_password(agent, first)
    with dial(agent) as client:
        refused(client, "Wrong Password", first)
        client.login(second)


def test_one_time_password_stays_when_nobody_got_in(start_agent):
    """A connection that was never logged in leaves the one-time password as it is."""
    agent = start_agent()
    first = one_time_password(agent)
    with dial(agent) as client:
        client.wait_hash()
        client.close()
    agent.wait_log("session: gone|session: .*closed by the controller")
    with dial(agent) as client:
        client.login(first)


def test_one_time_password_changes_after_ten_failures(start_agent):
    """Ten wrong passwords in a row change the one-time password."""
    agent = start_agent()
    first = one_time_password(agent)
    for _ in range(2):
        with dial(agent) as client:
            for _ in range(5):
                refused(client, "Wrong Password", "guess")
    assert one_time_password(agent, first) != first


# ---- the request

@pytest.mark.parametrize("kind, value, words", KINDS, ids=[k[0] for k in KINDS])
def test_kinds_of_session_that_are_not_offered(device, kind, value, words):
    """Files, tunnels, camera and terminal are refused in the words that clients know, and the stream closed."""
    with dial(device) as client:
        refused(client, words, PASSWORD, **{kind: value})
        if kind == "terminal":  # it takes a second
            client.wait_closed(5)


@pytest.mark.parametrize("kind, value, words", KINDS, ids=[k[0] for k in KINDS])
def test_kind_is_refused_before_the_password_is_looked_at(device, kind, value, words):
    """A kind of session that is not offered is refused whether or not the password is right."""
    with dial(device) as client:
        refused(client, words, "guess", **{kind: value})


def test_last_words_arrive_before_the_stream_ends(device):
    """After a refusal the device waits a second before it closes, so that the words arrive."""
    with dial(device) as client:
        refused(client, KINDS[0][2], PASSWORD, file_transfer=KINDS[0][1])
        start = time.monotonic()
        client.wait_closed(5)
        assert time.monotonic() - start > 0.5


@pytest.mark.parametrize("fields", [
    {"avatar": "data:image/png;base64,AAAA"}, {"os_login": pb.OsLogin()}, {"os_login": pb.OsLogin(username="a")},
    {"version": ""}, {"version": "1.2.0"}, {"my_platform": ""}, {"my_platform": "Android"}, {"hwid": b"h" * 32},
    {"session_id": (1 << 64) - 1}, {"my_id": "987654321@rs.example:21116"}, {"my_id": ""},
    {"my_name": "Zoë \u202e \x07\n<b>"}, {"my_name": "x" * 3000}, {"video_ack_required": True},
], ids=lambda f: "-".join(str(x)[:12].strip() for x in next(iter(f.items()))))
def test_login_request_may_hold_all_that_clients_send(stranger, fields):
    """Fields that say nothing to a KVM, are empty, or are odd, do not keep anybody out."""
    assert stranger.login(PASSWORD, **fields)


def test_options_may_be_absent(stranger):
    """A client without options is let in as well."""
    assert stranger.login(PASSWORD, decoding=False)


def test_second_login_request_is_ignored(client):
    """Once logged in a LoginRequest is ignored."""
    client.send_login("guess")
    client.send_login(PASSWORD)
    client.run(0.3)
    assert len(client.received("login_response")) == 1 and client.frame()


def test_login_of_another_kind_in_a_session_is_ignored(client):
    """A session cannot become another kind of session."""
    client.send_login(PASSWORD, file_transfer=pb.FileTransfer(dir="/"))
    client.run(0.3)
    assert len(client.received("login_response")) == 1 and client.frame()


def test_input_in_the_same_segment_as_a_bad_login_does_nothing(device, stranger):
    """Input that comes right behind a wrong password, in the same segment, is not obeyed."""
    before, frames = device.reports(), []
    stranger.wait_hash()
    send, stranger.conn.send_bytes = stranger.conn.send_bytes, lambda data, timeout=0: frames.append(bytes(data))
    stranger.send_login("guess")
    stranger.tap("a")
    stranger.click(5, 5)
    stranger.conn.send_bytes = send
    stranger.conn.send_bytes(b"".join(frames))
    with pytest.raises(LoginError):
        stranger.wait_login(5)
    stranger.send(test_delay=pb.TestDelay(time=9, from_client=True))
    stranger.wait_for(lambda r: r.kind == "test_delay" and r.msg.time == 9, 5)
    assert device.reports() == before


def test_switched_sides_are_no_way_in(stranger):
    """SwitchSidesResponse, which holds a LoginRequest, is never taken for a login."""
    stranger.wait_hash()
    stranger.send(switch_sides_response=pb.SwitchSidesResponse(uuid=bytes(16), lr=pb.LoginRequest(
        username=stranger.username, my_id="1", password=stranger.proof(PASSWORD))))
    stranger.expect_silence(0.5, but=("test_delay", "misc.permission_info"))


def test_id_that_may_not_come_is_told_so(start_agent):
    """A controller whose id is not on the list is refused in stock's words, and the stream closed."""
    agent = start_agent(rustdesk={"allow_ids": "111222333"})
    with dial(agent) as client:
        refused(client, "Your ID is blocked by the peer", PASSWORD)
        client.wait_closed(5)
    with dial(agent) as client:
        assert client.login(PASSWORD, my_id="111222333")


def test_device_without_password_waits_for_approval(start_agent):
    """Without any password, and somebody to approve, the client is told No Password Access and stays connected."""
    agent = start_agent(rustdesk={"password": "", "one_time_password_length": 0, "approval": True})
    with dial(agent) as client:
        client.send_login()
        assert client.wait_for("login_response", 5).msg.error == "No Password Access"
        client.wait_for("test_delay", 5)


def test_text_of_strangers_is_escaped_in_the_log(start_agent):
    """Ids and names are attackers' text: line ends and quotes in them cannot make log lines."""
    agent = start_agent()
    with dial(agent) as client:
        refused(client, "Wrong Password", "guess", my_id='1"\n<3>forged: id', my_name='"\r\n<3>forged: name\x1b[2J')
    agent.wait_log("session: refused")
    assert "\n<3>forged" not in agent.log and "\x1b" not in agent.log


def test_passwords_are_not_logged(device, stranger):
    """Neither password nor proof nor challenge is in the log."""
    refused(stranger, "Wrong Password", "open sesame")
    stranger.login(PASSWORD)
    for secret in ("open sesame", PASSWORD, stranger.proof(PASSWORD).hex(), stranger.hash.challenge):
        assert secret not in device.log


# ---- resuming

def test_dropped_session_resumes_with_the_replaced_one_time_password(start_agent):
    """Within 30 s of a drop the same id, name and session number come back with the password they had."""
    agent = start_agent()
    first = one_time_password(agent)
    with dial(agent) as client:
        client.login(first, session_id=77)
        client.abort()
    one_time_password(agent, first)
    with dial(agent) as client:
        assert client.login(first, session_id=77)


@pytest.mark.parametrize("other", [{"session_id": 78}, {"my_id": "1"}, {"my_name": "Somebody"}, {"session_id": 0}])
def test_other_sessions_do_not_resume(start_agent, other):
    """Another id, name or session number does not resume it."""
    agent = start_agent()
    first = one_time_password(agent)
    with dial(agent) as client:
        client.login(first, **{"session_id": 77})
        client.abort()
    one_time_password(agent, first)
    with dial(agent) as client:
        refused(client, "Wrong Password", first, **{"session_id": 77, **other})


def test_session_that_was_closed_does_not_resume(start_agent):
    """After a good-bye nothing resumes."""
    agent = start_agent()
    first = one_time_password(agent)
    with dial(agent) as client:
        client.login(first, session_id=77)
        client.close("")
    one_time_password(agent, first)
    with dial(agent) as client:
        refused(client, "Wrong Password", first, session_id=77)


# ---- limits

def test_seven_failures_in_a_minute_are_too_many(agent):
    """More than six failures of an address in a clock minute: Please try 1 minute later, also for the right one."""
    with dial(agent) as client:
        # A minute may end in between; the next six then come in one.
        words = [_outcome(client, "guess") for _ in range(14)]
        assert words[:6] == ["Wrong Password"] * 6 and set(words) == {"Wrong Password", "Please try 1 minute later"}
        assert words[-1] == "Please try 1 minute later" == _outcome(client, PASSWORD)


def _outcome(client, password):
    try:
        client.login(password)
    except LoginError as error:
        return error.text
    return ""


def test_limit_leaves_the_connection_open(agent):
    """Who meets the limit is told so and stays connected."""
    with dial(agent) as client:
        for _ in range(14):
            _outcome(client, "guess")
        client.run(1.2)
        assert client.received("test_delay")


def test_limit_is_for_one_address(agent):
    """The limit is counted for each address: others get in."""
    with dial(agent) as client:
        for _ in range(14):
            _outcome(client, "guess")
    with dial(agent) as other:
        assert other.login(PASSWORD)


def test_success_forgives_the_failures(agent):
    """A login forgives the address what failed before."""
    with dial(agent) as client:
        for _ in range(5):
            _outcome(client, "guess")
        client.login(PASSWORD)
    host = client.conn.local[0]
    with dial(agent, local=(host, 0)) as again:
        assert [_outcome(again, "guess") for _ in range(5)] == ["Wrong Password"] * 5
        assert again.login(PASSWORD)


def test_empty_password_is_no_failure(agent):
    """The silent first request without a password does not count as a failure."""
    with dial(agent) as client:
        for _ in range(20):
            client.send_login()
        assert client.login(PASSWORD)
