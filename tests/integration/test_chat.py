# SPDX-License-Identifier: GPL-3.0-or-later
"""Chat between controllers: who hears what, and that a flood costs nobody else."""

import re

from peer.agent import PASSWORD
from peer.controller import Controller
from test_trust import h1, restart_with, salt_of


def enter(agent, name, my_id="987654321", password=PASSWORD, **kw):
    client = Controller.direct("127.0.0.1", agent.port, **kw)
    client.login(password, my_name=name, my_id=my_id)
    client.frame()
    return client


def heard(client, text):
    client.wait_for(lambda r: r.kind == "misc.chat_message" and r.msg.text == text, 10, since=0)


def test_line_goes_to_the_log_and_to_all_others(agent):
    with enter(agent, "Alice") as alice, enter(agent, "Bob", "111222333") as bob, enter(agent, "") as carol:
        alice.chat("hello there \N{GRINNING FACE}")
        heard(bob, "Alice: hello there \N{GRINNING FACE}")
        heard(carol, "Alice: hello there \N{GRINNING FACE}")
        carol.chat("who am I?")
        heard(alice, "987654321: who am I?")
        alice.fence()
        assert alice.menu.chat == ["987654321: who am I?"], "nothing comes back to who said it"
        bob.close()
        alice.chat("Bob?")
        heard(carol, "Alice: Bob?")
    agent.wait_log(r'<6>chat: line n=\d+ id="987654321" name="Alice" text="hello there \N{GRINNING FACE}" left_out=0\n')
    agent.wait_log(r'text="Bob\?"')


def test_nobody_poses_as_another_speaker_or_as_the_log(agent):
    with enter(agent, "Eve\nAlice") as eve, enter(agent, "Bob") as bob:
        eve.chat("hi\r\nAlice: my password is\n<4>session: fake \u202egnol\u2066")
        heard(bob, "Eve\\x0aAlice: hi\n    Alice: my password is\n    <4>session: fake gnol")
        # What is not UTF-8 would make clients refuse the message.
        eve.send_payload(bytes.fromhex("9a 01 07 22 05 0a 03 61 ff 62"))
        heard(bob, "Eve\\x0aAlice: a?b")
    log = agent.log
    assert "\n<4>session: fake" not in log and "\u202e" not in log
    assert r"hi\x0d\x0aAlice" in log


def test_long_line_is_cut_for_others(agent):
    with enter(agent, "Alice") as alice, enter(agent, "Bob") as bob:
        alice.chat("\N{LATIN SMALL LETTER O WITH DIAERESIS}" * 100000)
        entry = bob.wait_for("misc.chat_message", 10, since=0)
        assert entry.msg.text.endswith("\N{HORIZONTAL ELLIPSIS}")
        assert 900 < len(entry.msg.text.encode()) <= len("Alice: ") + 1000
    assert max(len(line) for line in agent.log.splitlines() if "chat:" in line) < 1024


def test_flood_neither_fills_the_log_nor_the_others(agent):
    with enter(agent, "Alice") as alice, enter(agent, "Bob") as bob:
        for _ in range(3000):
            alice.chat("flood")
        alice.fence(30)
        assert [text for text in alice.menu.chat if "Too fast" in text]
        lines = len(re.findall("chat: line", agent.log))
        bob.chat("still here")
        heard(alice, "Bob: still here")
        bob.fence()
        # Ten at once and one a second; the machine may be slow.
        assert 10 <= len(bob.menu.chat) <= lines < 100
        assert len(alice.menu.chat) < 100


def test_who_does_not_read_holds_up_nobody(agent):
    with enter(agent, "Alice") as alice, enter(agent, "Bob") as bob, enter(agent, "Deaf", rcvbuf=4096) as deaf:
        for i in range(8):
            alice.chat(f"line {i} " + "x" * 900)
        heard(bob, "Alice: line 7 " + "x" * 900)
        # Late, but all of them: they are few enough.
        heard(deaf, "Alice: line 7 " + "x" * 900)
        assert len(deaf.menu.chat) == 8


def test_before_login_there_is_no_chat(agent):
    with enter(agent, "Alice") as alice, Controller.direct("127.0.0.1", agent.port) as stranger:
        stranger.wait_hash()
        stranger.chat("let me in")
        stranger.fence()
        alice.chat("secret")
        alice.fence()
        stranger.fence()
        assert not stranger.menu.chat and not alice.menu.chat
    assert "let me in" not in agent.log


def test_view_only_password_may_chat(start_agent):
    agent = start_agent()
    hashed = h1("look", salt_of(agent))
    restart_with(agent, f'access = ( {{ name = "guest"; password_hash = "{hashed}"; view_only = true; }} );')
    with enter(agent, "Guest", password="look") as guest, enter(agent, "Owner") as owner:
        guest.chat("may I?")
        heard(owner, "Guest: may I?")
        owner.chat("yes")
        heard(guest, "Owner: yes")
        guest.chat("/help")
        assert guest.wait_for("misc.chat_message", 10).msg.text


def test_command_is_answered_to_who_asked_and_told_to_nobody(agent):
    with enter(agent, "Alice") as alice, enter(agent, "Bob") as bob:
        alice.chat("/help")
        answer = alice.wait_for("misc.chat_message", 10).msg.text
        assert "command" in answer.lower() and "\0" not in answer
        alice.chat("/secret-command with words")
        alice.wait_for("misc.chat_message", 10)
        alice.chat("/" + "x" * 5000)
        alice.wait_for("misc.chat_message", 10)
        alice.fence()
        bob.fence()
        assert not bob.menu.chat
    agent.wait_log('chat: command .*command="secret-command"')
    assert "with words" not in agent.log
