# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session begins with, before anybody has logged in."""

import itertools
import re
import statistics

import pytest

from devices import dial
from peer import pb

KEYBOARD, CLIPBOARD, AUDIO, FILE, RESTART, RECORDING, BLOCK_INPUT, PRIVACY = 0, 2, 3, 4, 5, 6, 7, 8


def greeting(agent):
    """Kinds and contents up to the first probe."""
    with dial(agent) as client:
        client.wait_for("test_delay", 5, since=0)
        return client.log


def test_order_is_hash_permissions_probe(device):
    """First Hash, then a PermissionInfo for each thing that is off, then TestDelay."""
    kinds = [kind for kind, _ in itertools.groupby(r.kind for r in greeting(device))]
    assert kinds == ["hash", "misc.permission_info", "test_delay"]


def test_only_what_is_off_is_announced_in_stock_order(device):
    """PermissionInfo is sent only for what is off, in the order of the stock endpoint."""
    told = [(r.msg.permission, r.msg.enabled) for r in greeting(device) if r.kind == "misc.permission_info"]
    order = [KEYBOARD, CLIPBOARD, AUDIO, FILE, RESTART, RECORDING, BLOCK_INPUT, PRIVACY]
    assert told == sorted(told, key=lambda t: order.index(t[0])) and not any(enabled for _, enabled in told)


@pytest.mark.parametrize("permission", [CLIPBOARD, BLOCK_INPUT, PRIVACY])
def test_what_a_kvm_cannot_do_is_off(device, permission):
    """Clipboard, blocked input and privacy mode are switched off in the client's menus."""
    assert permission in {r.msg.permission for r in greeting(device) if r.kind == "misc.permission_info"}


def test_what_nobody_may_is_announced_before_login(start_agent):
    """A permission that no password gives is announced as off before login."""
    agent = start_agent(rustdesk={"permissions": {"keyboard": False, "recording": False}})
    told = [r.msg.permission for r in greeting(agent) if r.kind == "misc.permission_info"]
    assert told[0] == KEYBOARD and RECORDING in told


def test_hash_comes_once(stranger):
    """Hash is never sent a second time on a connection."""
    stranger.run(1.2)
    assert len(stranger.received("hash")) == 1


def hashes(agent, count):
    found = []
    for _ in range(count):
        with dial(agent) as client:
            found.append(client.wait_hash(5))
    return found


def test_salt_is_one_for_all(device):
    """The salt is the same on every connection: clients remember hashes made with it."""
    assert len({h.salt for h in hashes(device, 3)}) == 1


def test_salt_is_text_without_confusing_characters(device):
    """The salt is text in the stock alphabet, 32 characters as since 1.4.7."""
    assert re.fullmatch("[2-9a-km-np-z]{32}", hashes(device, 1)[0].salt)


def test_challenge_is_six_characters_of_the_stock_alphabet(device):
    """The challenge is six characters of the stock alphabet."""
    assert all(re.fullmatch("[2-9a-km-np-z]{6}", h.challenge) for h in hashes(device, 10))


def test_challenge_is_another_one_each_time(device):
    """The challenge is random: an answer recorded once is of no use later."""
    seen = [h.challenge for h in hashes(device, 20)]
    assert len(set(seen)) == 20
    assert statistics.mean(len({s[i] for s in seen}) for i in range(6)) > 8


def test_probe_is_not_repeated_while_unanswered(stranger):
    """A TestDelay that is not answered is not followed by another."""
    stranger.echo_test_delay = False
    stranger.run(2.2)
    assert len(stranger.received("test_delay")) == 1


def test_probe_is_repeated_each_second_before_login(stranger):
    """Before login TestDelay comes each second, which keeps a user at the password dialog connected."""
    stranger.run(2.3)
    assert len(stranger.received("test_delay")) == 3


def test_address_that_may_not_come_gets_no_hash(start_agent):
    """An address that is not on the list is told so instead of Hash, and the stream is closed."""
    agent = start_agent(rustdesk={"allow_addresses": "192.0.2.0/24"})
    with dial(agent) as client:
        assert client.wait_for("login_response", 5).msg.error == "Your ip is blocked by the peer"
        client.wait_closed(5)
        assert client.hash is None


@pytest.mark.parametrize("lists", ["127.0.0.0/8", "192.0.2.1, 127.0.0.0/8", "0.0.0.0/0"])
def test_address_on_the_list_gets_a_hash(start_agent, lists):
    """Addresses and networks, separated by commas, let in whom they hold."""
    with dial(start_agent(rustdesk={"allow_addresses": lists})) as client:
        assert client.wait_hash(5)


@pytest.mark.parametrize("union", [
    {"mouse_event": pb.MouseEvent(mask=9)}, {"key_event": pb.KeyEvent(chr=38, down=True, mode=1)},
    {"pointer_device_event": pb.PointerDeviceEvent()}, {"misc": pb.Misc(refresh_video=True)},
    {"misc": pb.Misc(restart_remote_device=True)}, {"misc": pb.Misc(chat_message=pb.ChatMessage(text="x"))},
    {"misc": pb.Misc(option=pb.OptionMessage(block_input=2))},
    {"misc": pb.Misc(elevation_request=pb.ElevationRequest(direct=True))},
    {"voice_call_request": pb.VoiceCallRequest(req_timestamp=1, is_connect=True)},
    {"screenshot_request": pb.ScreenshotRequest(sid="s")}, {"file_action": pb.FileAction()},
    {"terminal_action": pb.TerminalAction()}, {"auth_2fa": pb.Auth2FA(code="123456")},
    {"switch_sides_response": pb.SwitchSidesResponse(lr=pb.LoginRequest(my_id="1"))},
    {"clipboard": pb.Clipboard(content=b"x")}, {"login_response": pb.LoginResponse()},
], ids=lambda u: next(iter(u)))
def test_nothing_else_counts_before_login(device, stranger, union):
    """Before login nothing but login, probes and good-bye is looked at: no answer, no effect, no end."""
    stranger.wait_for("test_delay", 5, since=0)
    before = device.reports()
    at = len(stranger.log)
    stranger.send(**union)
    stranger.send(test_delay=pb.TestDelay(time=5, from_client=True))
    stranger.wait_for(lambda r: r.kind == "test_delay" and r.msg.from_client, 5)
    assert {r.kind for r in stranger.log[at:]} == {"test_delay"}
    assert device.reports() == before
