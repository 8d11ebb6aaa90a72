# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and pointer from a controller to the target's input layer, and LEDs back, through a real USB gadget."""
import itertools

import lib
import pytest
import target
from evdev import ecodes
from tests.peer import controller, keys
from tests.peer.controller import Controller

WIDTH, HEIGHT = 320, 240
BUTTONS = {
    controller.LEFT: "BTN_LEFT",
    controller.RIGHT: "BTN_RIGHT",
    controller.MIDDLE: "BTN_MIDDLE",
    controller.BACK: "BTN_SIDE",
    controller.FORWARD: "BTN_EXTRA",
}


def down_and_up(role, name):
    return [(role, name, 1), (role, name, 0)]


@pytest.fixture(scope="module")
def agent(usb, tmp_path_factory):
    with lib.Agent(tmp_path_factory.mktemp("input"), hid={"backend": "gadget"}) as running:
        yield running


@pytest.fixture
def host(agent):
    with target.Target() as devices:
        yield devices


@pytest.fixture
def peer(agent):
    with Controller.direct("127.0.0.1", agent.port, timeout=lib.PATIENCE_S) as session:
        session.login(lib.PASSWORD, timeout=lib.PATIENCE_S)
        session.frame(lib.PATIENCE_S)  # pointer events count from the first picture on
        yield session


SPOTS = itertools.count(10)


def use_pointer(host, peer):
    """Makes the absolute pointer the device in hand, by a move to where it is not."""
    x = next(SPOTS)
    peer.mouse_move(x, x)
    assert len(host.events(2)) == 2


def pixel(value, size):
    """Which of `size` pixels the target's pointer is on: its 32768 steps spread over them evenly."""
    return value * size // 32768


@pytest.mark.parametrize("name, code", [
    ("a", "KEY_A"), ("Return", "KEY_ENTER"), ("F12", "KEY_F12"), ("LMeta", "KEY_LEFTMETA"), ("RAlt", "KEY_RIGHTALT"),
    ("ISO", "KEY_102ND"), ("KPEnter", "KEY_KPENTER"), ("Delete", "KEY_DELETE"), ("Pause", "KEY_PAUSE"),
])
def test_key_arrives(host, peer, name, code):
    peer.tap(name)
    assert host.events(2) == down_and_up("keyboard", code)


def test_combination_arrives_in_order(host, peer):
    peer.tap("LControl", "LAlt", "Delete")
    names = ["KEY_LEFTCTRL", "KEY_LEFTALT", "KEY_DELETE"]
    assert host.events(6) == [("keyboard", n, 1) for n in names] + [("keyboard", n, 0) for n in reversed(names)]


def test_every_key_of_the_table_is_a_different_key(host, peer):
    # NumLock has its effect on what follows: the agent brings the target's in line with the controller's.
    wanted = [name for name in keys.KEYS if name not in (*keys.MODIFIERS, "NumLock")]
    events = []
    for start in range(0, len(wanted), 8):  # evdev keeps no more than some 20 keys for a slow reader
        part = wanted[start:start + 8]
        for name in part:
            peer.tap(name)
        events += host.events(2 * len(part), settle=0.1)
        peer.run(0.05)
    assert len(events) == 2 * len(wanted)
    assert [(role, code, 1) for role, code, _ in events[1::2]] == events[0::2], "each goes down, then up"
    assert len({code for _, code, _ in events}) == len(wanted)


def test_numlock_is_brought_in_line_before_the_keypad(agent, host, peer):
    off = agent.log().count("num=0")
    host.set_led(ecodes.LED_NUML, True)
    agent.wait_log("num=1")
    peer.tap("KP1")  # from a controller whose NumLock is off
    assert host.events(4) == down_and_up("keyboard", "KEY_NUMLOCK") + down_and_up("keyboard", "KEY_KP1")
    host.set_led(ecodes.LED_NUML, False)
    agent.wait_log("num=0", off + 1)


@pytest.mark.parametrize("x, y", [(WIDTH - 1, HEIGHT - 1), (0, 0), (160, 120), (1, 238)])
def test_absolute_move_hits_the_pixel(host, peer, x, y):
    use_pointer(host, peer)
    peer.mouse_move(x, y)
    where = {code: value for role, code, value in host.events(2) if role == "pointer"}
    assert (pixel(where["ABS_X"], WIDTH), pixel(where["ABS_Y"], HEIGHT)) == (x, y)


def test_relative_move_is_exact(host, peer):
    peer.mouse_relative(7, -3)
    assert host.events(2) == [("mouse", "REL_X", 7), ("mouse", "REL_Y", -3)]
    peer.mouse_relative(-300, 200)
    events = host.events(4)
    sums = {axis: sum(v for _, code, v in events if code == axis) for axis in ("REL_X", "REL_Y")}
    assert {role for role, _, _ in events} == {"mouse"} and sums == {"REL_X": -300, "REL_Y": 200}


@pytest.mark.parametrize("button", BUTTONS, ids=BUTTONS.values())
def test_button_on_the_absolute_pointer(host, peer, button):
    use_pointer(host, peer)
    peer.mouse_down(button)
    peer.mouse_up(button)
    assert host.events(2) == down_and_up("pointer", BUTTONS[button])


@pytest.mark.parametrize("button", BUTTONS, ids=BUTTONS.values())
def test_button_on_the_relative_mouse(host, peer, button):
    peer.mouse_relative(1, 0)
    host.events(1)
    peer.mouse_down(button)
    peer.mouse_up(button)
    assert host.events(2) == down_and_up("mouse", BUTTONS[button])


@pytest.mark.parametrize("role", ["pointer", "mouse"])
def test_both_wheels(host, peer, role):
    if role == "pointer":
        use_pointer(host, peer)
    else:
        peer.mouse_relative(1, 0)
        host.events(1)
    peer.mouse_wheel(vertical=1)
    assert host.events(1) == [(role, "REL_WHEEL", 1)]
    peer.mouse_wheel(vertical=-1)
    assert host.events(1) == [(role, "REL_WHEEL", -1)]
    peer.mouse_wheel(horizontal=1)
    assert host.events(1) == [(role, "REL_HWHEEL", -1)]
    peer.mouse_wheel(horizontal=-1)
    assert host.events(1) == [(role, "REL_HWHEEL", 1)]


def test_caps_lock_of_the_target_comes_back(agent, host, peer):
    before = agent.log().count("num=0 caps=1 scroll=0")
    host.set_led(ecodes.LED_CAPSL, True)
    agent.wait_log("num=0 caps=1 scroll=0", before + 1)
    gone = agent.log().count("caps=0")
    host.set_led(ecodes.LED_CAPSL, False)
    agent.wait_log("caps=0", gone + 1)


@pytest.mark.parametrize("goodbye", ["close", "abort"])
def test_session_end_releases_everything(agent, host, goodbye):
    peer = Controller.direct("127.0.0.1", agent.port, timeout=lib.PATIENCE_S)
    peer.login(lib.PASSWORD, timeout=lib.PATIENCE_S)
    peer.frame(lib.PATIENCE_S)
    peer.send_key("LShift")
    peer.send_key("x")
    peer.mouse_relative(2, 2)
    peer.mouse_down(controller.RIGHT)
    held = ["BTN_RIGHT", "KEY_LEFTSHIFT", "KEY_X"]
    lib.eventually(lambda: host.keys_held() == held, "three held keys")
    getattr(peer, goodbye)()
    lib.eventually(lambda: host.keys_held() == [], "nothing held after the session")
