# SPDX-License-Identifier: GPL-3.0-or-later
"""Every key of every table, in every mode, through a session and a USB gadget: what code the target's kernel makes of
it. A controller that runs Linux says a key by its evdev code, and the target must find that very code."""
import itertools
import re

import lib
import pytest
import target
from evdev import ecodes
from tests.peer.controller import Controller

ROLES = ("keyboard", "media", "system")
PLATFORMS = {"Linux": 0, "Windows": 1, "Mac OS": 2}  # and the column of its codes
NONE = {0: 0, 1: 0, 2: 0xffff}
LOCKS = (ecodes.KEY_CAPSLOCK, ecodes.KEY_NUMLOCK, ecodes.KEY_SCROLLLOCK)
AT_A_TIME = 6  # evdev keeps no more than some 20 keys for a slow reader

# Control key numbers (wire.md §11.9) and what they are on the target.
CONTROL = dict(zip(range(1, 80), """
    LEFTALT BACKSPACE CAPSLOCK LEFTCTRL DELETE DOWN END ESC F1 F10 F11 F12 F2 F3 F4 F5 F6 F7 F8 F9 HOME LEFT LEFTMETA
    LEFTALT PAGEDOWN PAGEUP ENTER RIGHT LEFTSHIFT SPACE TAB UP KP0 KP1 KP2 KP3 KP4 KP5 KP6 KP7 KP8 KP9 PAUSE KP5 COMPOSE
    PAUSE KATAKANAHIRAGANA HANGEUL - - HANJA HANJA HENKAN FRONT SYSRQ OPEN SYSRQ INSERT HELP SLEEP KPCOMMA SCROLLLOCK
    NUMLOCK RIGHTMETA COMPOSE KPASTERISK KPPLUS KPMINUS KPDOT KPSLASH KPEQUAL KPENTER RIGHTSHIFT RIGHTCTRL RIGHTALT MUTE
    VOLUMEUP VOLUMEDOWN POWER""".split(), strict=True))


def rows():
    """(X11 code, set-1 code, macOS code, usage, page) of every name a key has."""
    text = (lib.ROOT / "tests" / "unit" / "keymap_rows_table.h").read_text()
    found = []
    for page, body in re.findall(r"key_names (\w+)_rows\[\] = \{(.*?)\n\};", text, re.S):
        for fields in re.findall(r"\{([^{}]+)\}", body):
            found.append((*(0xffff if f.strip() == "NO_MAC" else int(f, 0) for f in fields.split(",")), page))
    return found


def codes(platform):
    """[(code on the wire, evdev code)] of one device of the target after another."""
    evdev = {(usage, page): x11 - 8 for x11, _, _, usage, page in rows() if x11}
    column = PLATFORMS[platform]
    pairs = [(row[column], evdev[row[3], row[4]]) for row in rows() if row[column] != NONE[column]]
    return in_order(pairs)


def device_of(evdev):
    return next((row[4] for row in rows() if row[0] == evdev + 8), "keyboard")


def in_order(pairs):
    """By device, for their events come by different ways; lock keys last: what follows them is brought in line."""
    return sorted(pairs, key=lambda pair: (LOCKS.index(pair[1]) if pair[1] in LOCKS else -1, device_of(pair[1])))


def parts(pairs):
    for _, group in itertools.groupby(pairs, key=lambda pair: device_of(pair[1])):
        group = list(group)
        for start in range(0, len(group), AT_A_TIME):
            yield group[start:start + AT_A_TIME]


@pytest.fixture(scope="module", params=PLATFORMS)
def agent(request, usb, tmp_path_factory):
    name = f"keys-{request.param.replace(' ', '')}"
    with lib.Agent(tmp_path_factory.mktemp(name), hid={"backend": "gadget"},
                   rustdesk={"platform": request.param}) as running:
        running.platform = request.param
        yield running


@pytest.fixture
def host(agent):
    with target.Target(ROLES) as devices:
        put_locks_out(devices, agent)
        yield devices


@pytest.fixture
def peer(agent):
    with Controller.direct("127.0.0.1", agent.port, timeout=lib.PATIENCE_S) as session:
        session.login(lib.PASSWORD, timeout=lib.PATIENCE_S)
        assert session.peer_info.platform == agent.platform
        yield session


def clicks(host, peer, pairs, click):
    """Has click() called with each first of a pair; the target must see down and up of each second, in that order."""
    for part in parts(pairs):
        for code, _ in part:
            click(code)
        seen = [(name, value) for _, name, value in host.events(2 * len(part), settle=0.1)]
        names = [target.key_name(evdev) for _, evdev in part]
        assert seen == [(name, value) for name in names for value in (1, 0)], f"codes {[hex(c) for c, _ in part]}"
        peer.run(0.02)
    assert host.keys_held() == []


def put_locks_out(host, agent):
    """The target's LEDs as its own system would show them after the lock keys: all off, and known to the agent."""
    set_led(host, agent, ecodes.LED_CAPSL, True, "caps=1")
    set_led(host, agent, ecodes.LED_CAPSL, False, "num=0 caps=0 scroll=0")


def set_led(host, agent, led, on, told):
    before = agent.log().count(told)
    host.set_led(led, on)
    agent.wait_log(told, before + 1)


def test_every_code_of_map_mode(agent, host, peer):
    pairs = codes(agent.platform)
    assert len(pairs) == {"Linux": 192, "Windows": 155, "Mac OS": 119}[agent.platform]

    def click(code):
        peer.send_key(code, True)
        peer.send_key(code, True)  # the controller's system repeats what is held; the target does so itself
        peer.send_key(code, False)

    clicks(host, peer, pairs, click)


def test_every_code_of_translate_mode(agent, host, peer):

    def click(code):
        # Windows controllers put their virtual key above the code.
        peer.translate_key(code | (0x410000 if agent.platform == "Windows" else 0), True)
        peer.translate_key(code, False)

    clicks(host, peer, codes(agent.platform), click)


@pytest.mark.parametrize("how", ["down and up", "press"])
def test_every_control_key(host, peer, how):
    pairs = [(number, ecodes.ecodes[f"KEY_{name}"]) for number, name in CONTROL.items() if name != "-"]

    def click(number):
        if how == "press":
            peer.control_key(number, press=True)
        else:
            peer.control_key(number, True)
            peer.control_key(number, False)

    clicks(host, peer, in_order(pairs), click)


def names(events):
    return [(name, value) for _, name, value in events]


def chord(*keys):
    return [(f"KEY_{key}", 1) for key in keys] + [(f"KEY_{key}", 0) for key in reversed(keys)]


def test_legacy_characters_with_their_modifiers(host, peer):
    peer.legacy_char("q")
    peer.legacy_char("q", False)
    assert names(host.events(2)) == chord("Q")
    peer.legacy_char("Q", press=True)
    assert names(host.events(4)) == chord("LEFTSHIFT", "Q")
    peer.legacy_char("c", modifiers=("Control",))
    peer.legacy_char("c", False)
    assert names(host.events(4)) == chord("LEFTCTRL", "C")
    peer.legacy_unicode("#")
    assert names(host.events(4)) == chord("LEFTSHIFT", "3")
    # Shift is held for real, but the character was made with it already.
    peer.control_key("Shift")
    peer.legacy_char("1", press=True, modifiers=("Shift",))
    peer.control_key("Shift", False)
    seen = names(host.events(6))
    assert seen[0] == ("KEY_LEFTSHIFT", 1) and ("KEY_1", 1) in seen and seen[-1] == ("KEY_LEFTSHIFT", 0)
    assert seen.index(("KEY_LEFTSHIFT", 0)) < seen.index(("KEY_1", 1))
    assert host.keys_held() == []


def test_modifier_whose_way_up_was_lost_is_let_go(host, peer):
    peer.control_key("Alt")
    peer.legacy_char("x")
    peer.legacy_char("x", False)
    assert names(host.events(4)) == [("KEY_LEFTALT", 1), ("KEY_LEFTALT", 0), ("KEY_X", 1), ("KEY_X", 0)]


def test_client_that_loses_focus_leaves_nothing_down(host, peer):
    """It lets go of all it holds, and presses and lets go of Alt once more."""
    for name in ("LAlt", "LShift", "a"):
        peer.control_key({"LAlt": "Alt", "LShift": "Shift"}[name]) if name != "a" else peer.legacy_char("a")
    lib.eventually(lambda: "KEY_A" in host.keys_held(), "keys held")
    peer.legacy_char("a", False)
    for name in ("Alt", "Shift"):
        peer.control_key(name, False)
    peer.control_key("Alt")
    peer.control_key("Alt", False)
    host.events(8)
    lib.eventually(lambda: host.keys_held() == [], "nothing held")


def test_translate_text_and_hot_keys(agent, host, peer):
    peer.translate_text("hI")
    assert names(host.events(6)) == chord("H") + chord("LEFTSHIFT", "I")
    column = PLATFORMS[agent.platform]
    ctrl = next(row[column] for row in rows() if row[3] == 0xe0)
    peer.translate_key(ctrl)
    peer.translate_text("c")
    peer.win2win_hotkey("\x1b", 0x1b)
    peer.win2win_hotkey("\0", 0x1b, False)
    peer.translate_key(ctrl, False)
    assert names(host.events(6)) == [("KEY_LEFTCTRL", 1), *chord("C"), *chord("ESC"), ("KEY_LEFTCTRL", 0)]


def test_actions_of_the_menu(host, peer):
    peer.ctrl_alt_del()
    seen = names(host.events(6))
    assert seen[:3] == [("KEY_LEFTCTRL", 1), ("KEY_LEFTALT", 1), ("KEY_DELETE", 1)] and len(seen) == 6
    peer.lock_screen()
    assert names(host.events(4)) == [("KEY_LEFTMETA", 1), ("KEY_L", 1), ("KEY_L", 0), ("KEY_LEFTMETA", 0)]
    for number, name in ((79, "POWER"), (60, "SLEEP"), (76, "MUTE"), (77, "VOLUMEUP"), (78, "VOLUMEDOWN")):
        peer.control_key(number)
        peer.control_key(number, False)
        assert names(host.events(2)) == chord(name)


def test_locks_follow_the_controller(agent, host, peer):
    column = PLATFORMS[agent.platform]
    a, one = (next(row[column] for row in rows() if row[3] == usage and row[4] == "keyboard") for usage in (4, 0x59))
    for code, name, lock, led, flag in ((a, "A", "CAPSLOCK", ecodes.LED_CAPSL, "CapsLock"),
                                        (one, "KP1", "NUMLOCK", ecodes.LED_NUML, "NumLock")):
        peer.send_key(code, modifiers=(flag,))
        peer.send_key(code, False)
        assert names(host.events(4)) == chord(lock) + chord(name)
        set_led(host, agent, led, True, f"{flag[:-4].lower()}=1")
        peer.send_key(code, modifiers=(flag,))
        peer.send_key(code, False)
        assert names(host.events(2)) == chord(name)
        peer.send_key(code)
        peer.send_key(code, False)
        assert names(host.events(4)) == chord(lock) + chord(name)
        set_led(host, agent, led, False, "num=0 caps=0 scroll=0")
