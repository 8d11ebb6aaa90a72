# SPDX-License-Identifier: GPL-3.0-or-later
"""Key events, as the target sees them."""

import re

import pytest

from devices import logged_in
from peer import keys, pb
from peer.hands import Hands
from peer.hands import SENTINEL

EVERY = sorted(set(keys.KEYS) - {SENTINEL})


def assert_taps(hands, name):
    assert hands.keys() == [f"+{name}", f"-{name}"]


# ---- Map mode

def each_taken(names):
    """What the target sees of one key after the other."""
    return [step for name in names for step in (f"+{name}", f"-{name}")]


def test_map_mode_of_linux_is_x11_codes(client, hands):
    """In Map mode towards "Linux" chr is an X11 code, evdev plus 8, for every key of the table."""
    for name in EVERY:
        client.tap(name)
    assert hands.keys() == each_taken(EVERY)


def test_map_mode_of_windows_is_set_1_codes(windows_client, windows_hands):
    """In Map mode towards "Windows" chr is a set-1 scan code, E0 in the high byte for extended keys."""
    for name in EVERY:
        windows_client.send_set1(name)
        windows_client.send_set1(name, False)
    assert windows_hands.keys() == each_taken(EVERY)


@pytest.mark.parametrize("name, usage", [("Mute", 0xe2), ("VolumeDown", 0xea), ("VolumeUp", 0xe9)])
def test_media_keys_are_consumer_keys(client, hands, name, usage):
    """Mute and volume go to the consumer page."""
    for down in (True, False):
        client.send_key(keys.MEDIA[name][0], down)
    wanted = [b"\x01" + usage.to_bytes(2, "little"), b"\x01\0\0"]
    assert [r for f, r in hands.rows() if f == "control"] == wanted


def test_key_repeated_while_down_is_one_press(client, hands):
    """A key that repeats while held goes down once: the target repeats by itself."""
    for _ in range(5):
        client.send_key("a")
    client.send_key("a", False)
    assert_taps(hands, "a")


def test_key_stays_down_until_it_is_let_go(client, hands):
    """A key is down until its own release comes, as games need it."""
    client.send_key("w")
    assert hands.keys() == ["+w"]
    client.tap("a")
    client.send_key("w", False)
    assert hands.keys()[-1] == "-w"


def test_shortcut_is_modifiers_and_key(client, hands):
    """Modifiers come as keys of their own and are held around the key."""
    client.tap("LControl", "LShift", "Escape")
    assert hands.typed() == ["LControl+LShift+Escape"]


@pytest.mark.parametrize("flag, name", [("CapsLock", "a"), ("NumLock", "KP1"), ("CapsLock", "F1"), ("NumLock", "a")])
def test_lock_flags_are_not_modifiers(client, hands, flag, name):
    """CapsLock and NumLock among the modifiers say how the client's locks are; they are not keys to be pressed."""
    client.tap(name, modifiers=(flag,))
    assert_taps(hands, name)


@pytest.mark.parametrize("code", [0, 1, 7, 8, 255, 256, 1000, 0xe000, 0xffff, 0x10000, 0xffffffff])
def test_codes_outside_the_table_are_ignored(client, hands, code):
    """Codes that no key has are ignored."""
    client.send_key(code)
    client.send_key(code, False)
    assert hands.keys() == []


@pytest.mark.parametrize("code", [0, 0xe000, 0xe0ff, 0xffff, 0x10000, 0xffffffff])
def test_scan_codes_outside_the_table_are_ignored(windows_client, windows_hands, code):
    """Scan codes that no key has are ignored."""
    windows_client.send_key(code)
    windows_client.send_key(code, False)
    assert windows_hands.keys() == []


def test_release_of_a_key_that_is_not_down_is_ignored(client, hands):
    """A release without a press does nothing."""
    client.send_key("a", False)
    assert hands.keys() == []


def test_seven_keys_at_once_roll_over(client, hands):
    """More keys than a report holds do not lose the modifiers, and all end released."""
    for name in "asdfghj":
        client.send_key(name)
    for name in "asdfghj":
        client.send_key(name, False)
    hands.keys()
    client.tap("LShift", "q")
    assert hands.typed() == ["LShift+q"]


def test_pause_of_windows_comes_as_control_key(windows_client, windows_hands):
    """Towards "Windows" Pause comes as a control key of Legacy mode."""
    windows_client.control_key("Pause")
    windows_client.control_key("Pause", False)
    assert_taps(windows_hands, "Pause")


def test_press_is_down_and_up(client, hands):
    """press makes a click of it, whatever down says."""
    for down in (False, True):
        client.key_event(chr=keys.x11("a"), press=True, down=down, mode=pb.KM_MAP)
        assert_taps(hands, "a")


# ---- Legacy mode

CONTROL_KEYS = {
    "Alt": "LAlt", "Backspace": "Backspace", "CapsLock": "CapsLock", "Control": "LControl", "Delete": "Delete",
    "DownArrow": "Down", "End": "End", "Escape": "Escape", **{f"F{n}": f"F{n}" for n in range(1, 13)}, "Home": "Home",
    "LeftArrow": "Left", "Meta": "LMeta", "PageDown": "PageDown", "PageUp": "PageUp", "Return": "Return",
    "RightArrow": "Right", "Shift": "LShift", "Space": "Space", "Tab": "Tab", "UpArrow": "Up",
    **{f"Numpad{n}": f"KP{n}" for n in range(10)}, "Snapshot": "PrintScreen", "Insert": "Insert",
    "Scroll": "ScrollLock", "NumLock": "NumLock", "RWin": "RMeta", "Apps": "Menu", "Multiply": "KPMultiply",
    "Add": "KPAdd", "Subtract": "KPSubtract", "Decimal": "KPDecimal", "Divide": "KPDivide", "Equals": "KPEqual",
    "NumpadEnter": "KPEnter", "RShift": "RShift", "RControl": "RControl", "RAlt": "RAlt", "Pause": "Pause",
}


def test_control_keys_are_keys(client, hands):
    """Each control key is the key of its name; F10 to F12 come before F2 in their numbering."""
    for name in CONTROL_KEYS:
        client.control_key(name)
        client.control_key(name, False)
    assert hands.keys() == each_taken(CONTROL_KEYS.values())


@pytest.mark.parametrize("name, usage", [("VolumeMute", 0xe2), ("VolumeUp", 0xe9), ("VolumeDown", 0xea)])
def test_volume_keys_of_phones(client, hands, name, usage):
    """The volume buttons of phones come as control keys of Translate mode."""
    client.control_key(name, mode=pb.KM_TRANSLATE)
    client.control_key(name, False, mode=pb.KM_TRANSLATE)
    assert [r for f, r in hands.rows() if f == "control"][0] == b"\x01" + usage.to_bytes(2, "little")


@pytest.mark.parametrize("number", [0, 102, 9999, 2**31 - 1])
def test_unknown_control_keys_are_ignored(client, hands, number):
    """Control keys that are not known are ignored."""
    client.control_key(number)
    client.control_key(number, False)
    assert hands.keys() == []


def test_soft_keyboard_presses_control_keys(client, hands):
    """Soft keyboards send control keys with press."""
    client.control_key("Return", press=True)
    assert_taps(hands, "Return")


CHARACTERS = [("a", "a"), ("A", "LShift+a"), ("1", "1"), ("!", "LShift+1"), ("/", "slash"), ("?", "LShift+slash"),
              (" ", "Space"), ("~", "LShift+grave"), ("|", "LShift+backslash"), ('"', "LShift+apostrophe")]


@pytest.mark.parametrize("char, typed", CHARACTERS)
def test_legacy_characters_are_typed_as_the_layout_has_them(client, hands, char, typed):
    """In Legacy mode chr is the character itself; the device presses what makes it in the target's layout."""
    client.legacy_char(char)
    client.legacy_char(char, False)
    assert hands.wait_typed(1) == [typed]


@pytest.mark.parametrize("char, typed", CHARACTERS)
def test_soft_keyboard_presses_characters(client, hands, char, typed):
    """Soft keyboards send characters with press."""
    client.legacy_char(char, press=True)
    assert hands.wait_typed(1) == [typed]


@pytest.mark.parametrize("down, press", [(True, False), (False, True), (False, False)])
def test_unicode_is_typed_once_whatever_down_and_press_say(client, hands, down, press):
    """A character in unicode, as older soft keyboards send it, is typed once."""
    client.key_event(unicode=ord("K"), down=down, press=press)
    assert hands.wait_typed(1) == ["LShift+k"]
    assert hands.keys() == []


def test_shift_of_a_finished_character_is_not_doubled(client, hands):
    """A character that is shifted already is typed right while Shift is listed or held."""
    client.control_key("Shift")
    client.legacy_char("A", modifiers=("Shift",))
    client.legacy_char("A", False, modifiers=("Shift",))
    client.control_key("Shift", False)
    assert [t for t in hands.typed() if t.endswith("a")][0] in ("LShift+a",)


def test_control_and_alt_of_a_character_make_a_shortcut(client, hands):
    """Control, Alt and Meta listed with a character are held for it."""
    client.legacy_char("c", modifiers=("Control",))
    client.legacy_char("c", False, modifiers=("Control",))
    assert hands.typed() == ["LControl+c"]


@pytest.mark.parametrize("code", [0x4e2d, 0x1f600, 0xd800, 0x110000, 0xffffffff])
def test_characters_that_no_key_makes_are_left_out(client, hands, code):
    """Characters that the target's layout cannot type, or that are none, type nothing."""
    client.key_event(chr=code, press=True)
    client.key_event(unicode=code, press=True)
    assert hands.keys() == []


@pytest.mark.parametrize("mode", [pb.KM_AUTO, 4, 99])
def test_unknown_modes_are_legacy(client, hands, mode):
    """Modes that are not known, and Auto, are Legacy."""
    client.send_payload(
        b"\x7a\x06\x10\x01\x20\x7a\x48" + bytes([mode]))
    assert hands.wait_typed(1) == ["z"]


# ---- Translate mode and text

def test_text_of_translate_mode_is_typed(client, hands):
    """In Translate mode a key press comes as the text it made."""
    client.translate_text("x")
    client.translate_text("Y")
    assert hands.wait_typed(2) == ["x", "LShift+y"]


def test_release_after_translated_text_is_ignored(client, hands):
    """The release of a key that came as text is one of a key never pressed, and does nothing."""
    client.translate_text("x")
    client.translate_key("x", False)
    assert hands.wait_typed(1) == ["x"]
    assert hands.keys() == []


def test_keys_without_text_are_as_in_map_mode(client, hands):
    """In Translate mode keys without text come as in Map mode, the code in the low half of chr."""
    client.send_key(keys.x11("F5") | 0x740000, mode=pb.KM_TRANSLATE)
    client.send_key(keys.x11("F5") | 0x740000, False, mode=pb.KM_TRANSLATE)
    assert_taps(hands, "F5")


def test_hotkeys_between_windows(windows_client, windows_hands):
    """win2win_hotkey has the character in its low half."""
    windows_client.send_set1("LControl")
    windows_client.win2win_hotkey("c", 0x43)
    windows_client.win2win_hotkey("c", 0x43, False)
    windows_client.send_set1("LControl", False)
    assert windows_hands.wait_typed(1) == ["LControl+c"]


@pytest.mark.parametrize("down, press", [(False, False), (True, False), (False, True)])
def test_text_is_typed_once_whatever_down_and_press_say(client, hands, down, press):
    """seq is typed once: with neither down nor press too, as clipboard keystrokes come."""
    client.key_event(seq="Hi", down=down, press=press)
    assert hands.wait_typed(2) == ["LShift+h", "i"]
    assert hands.keys() == []


def test_text_may_have_several_lines(client, hands):
    """Line ends and tabs in text are typed as Return and Tab."""
    client.input_string("a\n\tb")
    assert hands.wait_typed(4) == ["a", "Return", "Tab", "b"]


def test_same_character_twice_is_two_presses(client, hands):
    """A doubled character is let go in between."""
    client.input_string("ee")
    assert hands.wait_typed(2) == ["e", "e"]


def test_text_the_layout_lacks_is_left_out(client, hands):
    """What the layout cannot type is left out of a text, the rest is typed."""
    client.input_string("a中\u0000b")
    assert hands.wait_typed(1)[0] == "a"


def told(client):
    """The next chat line from the device."""
    while not client.menu.chat:
        client.wait_for(lambda _: True, 10)
    return client.menu.chat.pop(0)


def test_what_was_left_out_is_told_by_name(client, hands):
    """What was left out of a text is told to its sender in the chat, by code and name, and how much it was."""
    client.input_string("a\u20acb\u2260\u20acc")
    assert hands.wait_typed(3) == ["a", "b", "c"]
    assert told(client) == ('Left out, keyboard layout "us" cannot type it: U+20AC EURO SIGN, '
                            "U+2260 NOT EQUAL TO (3 characters in all)")
    client.legacy_char("\u00e9")
    assert told(client) == ('Left out, keyboard layout "us" cannot type it: '
                            "U+00E9 LATIN SMALL LETTER E WITH ACUTE")


def test_escape_stops_the_text_of_who_presses_it(start_agent):
    """Escape while its text is being typed stops it; neither Escape nor keys that waited behind it are pressed."""
    agent = start_agent(hid={"type_interval_ms": 50})
    with logged_in(agent) as client:
        hands = Hands(agent, client)
        client.input_string("a" * 1000)
        client.control_key("Return", press=True)
        agent.wait_reports(lambda rows: len(rows) > 4, "keyboard")
        client.tap("Escape")
        assert re.fullmatch(r"Typing stopped, \d{3} characters before the end", told(client))
        client.tap("b")
        typed = hands.typed()
        assert set(typed[:-1]) == {"a"} and typed[-1] == "b"


def test_text_is_typed_at_a_pace(start_agent):
    """Text is typed at a pace the target can follow, and ends with the session."""
    agent = start_agent(hid={"type_interval_ms": 50})
    with logged_in(agent) as client:
        hands = Hands(agent, client)
        client.input_string("abcdefgh" * 50)
        agent.wait_reports(lambda rows: len(rows) > 4, "keyboard")
        client.close()
        agent.wait_reports(lambda rows: agent.all_released())
        agent.wait_log("session: end")
        hands.at = 0
        assert len(agent.reports("keyboard")) < 200


def test_endless_text_is_refused(client, device, hands):
    """A text of more than 16384 bytes is typed not even in part, and its sender is told in the chat."""
    client.input_string("a" * 16385)
    assert told(client) == "Not typed: 16385 bytes at once, 16384 can be"
    client.input_string("\u4e2d" * 100_000)
    assert told(client) == "Not typed: 300000 bytes at once, 16384 can be"
    device.wait_log("text-refused", count=2)
    assert hands.typed() == []


# ---- special actions

def test_ctrl_alt_del_towards_linux(client, hands):
    """Towards "Linux" the menu's Ctrl+Alt+Del is Delete with press and both modifiers listed."""
    client.ctrl_alt_del()
    assert [set(t.split("+")) for t in hands.typed()] == [{"LControl", "LAlt", "Delete"}]


def test_ctrl_alt_del_towards_windows(windows_client, windows_hands):
    """Towards "Windows" it is a control key of its own."""
    windows_client.ctrl_alt_del()
    assert [set(t.split("+")) for t in windows_hands.typed()] == [{"LControl", "LAlt", "Delete"}]


def test_lock_is_meta_l(client, hands):
    """The menu's Lock is Meta and L."""
    client.lock_screen()
    assert hands.typed() == ["LMeta+l"]


def test_password_for_the_targets_own_login(client, hands):
    """The client's "OS password" is text with press, then Return with press."""
    client.key_event(seq="pw", press=True)
    client.control_key("Return", press=True)
    assert hands.wait_typed(3) == ["p", "w", "Return"]


# ---- who may

def test_view_only_lets_go_and_drops(client, hands):
    """disable_keyboard lets go of what is held, and drops keys and mouse until it is taken back."""
    client.send_key("a")
    client.set_view_only(True)
    client.tap("b")
    client.click(9, 9)
    client.set_view_only(False)
    assert hands.keys() == ["+a", "-a"] and hands.pointer() == []


def test_view_only_of_the_password_cannot_be_taken_back(start_agent):
    """Where keyboard and mouse are not permitted the client's option does not give them."""
    agent = start_agent(rustdesk={"permissions": {"keyboard": False}})
    with logged_in(agent) as client:
        client.set_view_only(False)
        client.tap("a")
        client.click(5, 5)
        client.send(test_delay=pb.TestDelay(time=3, from_client=True))
        client.wait_for(lambda r: r.kind == "test_delay" and r.msg.time == 3, 5)
        assert agent.reports() == []


@pytest.mark.parametrize("how", ["good-bye", "end of stream", "reset", "garbage"])
def test_keys_are_let_go_however_the_session_ends(device, client, hands, how):
    """However a session ends, keys are let go."""
    client.send_key("LAlt")
    client.send_key("Tab")
    assert hands.keys() == ["+LAlt", "+Tab"]
    {"good-bye": client.close, "end of stream": client.conn.shutdown_send, "reset": client.abort,
     "garbage": lambda: client.send_payload(b"\xff" * 9)}[how]()
    device.wait_reports(lambda rows: device.all_released())


def test_keys_of_others_stay_down(start_agent):
    """When a session ends only its own keys are let go."""
    agent = start_agent(hid={"hold_ms": 0})
    with logged_in(agent) as one, logged_in(agent) as two:
        hands = Hands(agent, one)
        one.send_key("LShift")
        hands.keys()
        two.send_key("LShift")
        two.send_key("a")
        agent.wait_reports(lambda rows: any(4 in r[1][2:] for r in rows), "keyboard")
        two.close()
        agent.wait_reports(lambda rows: rows[-1][1] == bytes([2, 0, 0, 0, 0, 0, 0, 0]), "keyboard")
        one.send_key("LShift", False)
