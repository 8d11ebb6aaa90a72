# SPDX-License-Identifier: GPL-3.0-or-later
"""Mouse events, as the target sees them. Wheel: positive is up, pan: positive is right, as HID has it."""

import pytest

from devices import dial
from peer import pb
from peer.agent import PASSWORD
from peer.controller import BACK, FORWARD, LEFT, MIDDLE, RIGHT
from peer.hands import Hands
from peer.hands import position

W, H = 640, 360


def last(hands):
    return hands.pointer()[-1]


@pytest.mark.parametrize("x, y", [(0, 0), (W - 1, H - 1), (W - 1, 0), (320, 180), (1, 1), (638, 2)])
def test_moves_are_scaled_to_the_whole_screen(client, hands, x, y):
    """x and y are pixels of the display; the first is the target's left edge, the last its right one."""
    client.mouse_move(x, y)
    assert position(last(hands)[1]) == (round(x * 32767 / (W - 1)), round(y * 32767 / (H - 1)))


@pytest.mark.parametrize("x, y, wanted", [(W, H, (32767, 32767)), (10**6, -5, (32767, 0)), (-10**6, 0, (0, 0)),
                                          (2**31 - 1, -2**31, (32767, 0))])
def test_moves_outside_are_clamped(client, hands, x, y, wanted):
    """Coordinates may reach width and height, and are clamped to the screen."""
    client.mouse_move(x, y)
    assert position(last(hands)[1]) == wanted


@pytest.mark.parametrize("button, bit", [(LEFT, 1), (RIGHT, 2), (MIDDLE, 4), (BACK, 8), (FORWARD, 16)])
def test_buttons_are_left_right_middle_back_forward(client, hands, button, bit):
    """The five buttons go down and up."""
    client.mouse_move(5, 5)
    client.mouse_down(button)
    assert last(hands)[1][0] == bit
    client.mouse_up(button)
    assert last(hands)[1][0] == 0


@pytest.mark.parametrize("x, y", [(0, 0), (600, 300)])
def test_buttons_do_not_move_the_pointer(client, hands, x, y):
    """Coordinates of button events, normally zero, do not move the pointer."""
    client.mouse_move(100, 100)
    before = position(last(hands)[1])
    client.mouse_down(LEFT, x=x, y=y)
    client.mouse_up(LEFT, x=x, y=y)
    assert {position(r) for _, r in hands.pointer()} == {before}


def test_button_bits_of_a_move_are_not_clicks(client, hands):
    """The buttons that a move carries during a drag are not clicks."""
    client.mouse_move(50, 50, buttons=LEFT)
    assert not any(r[0] for _, r in hands.pointer())


@pytest.mark.parametrize("mask", [3, 0, 32, 31, 5])
def test_events_of_no_or_several_buttons_are_ignored(client, hands, mask):
    """A button event names exactly one button; others are ignored."""
    client.mouse_move(7, 7)
    hands.rows()
    client.mouse_down(mask)
    client.mouse_up(mask)
    assert not any(r[0] for _, r in hands.pointer())


def test_moves_before_a_click_are_not_lost(client, hands):
    """However fast moves come, a click is where the last of them went."""
    for x in range(200):
        client.mouse_move(x, x)
    client.mouse_down(LEFT)
    client.mouse_up(LEFT)
    down = next(r for _, r in hands.pointer() if r[0])
    assert position(down) == (round(199 * 32767 / (W - 1)), round(199 * 32767 / (H - 1)))


def test_drag_keeps_its_order(client, hands):
    """Down, moves, up arrive in that order."""
    client.mouse_move(10, 10)
    client.mouse_down(LEFT)
    client.mouse_move(20, 20, buttons=LEFT)
    client.mouse_up(LEFT)
    client.mouse_move(30, 30)
    seen = [(r[0], position(r)[0] * (W - 1) // 32767) for _, r in hands.pointer()]
    assert [s for i, s in enumerate(seen) if i == 0 or s != seen[i - 1]][-1][0] == 0
    assert {x for held, x in seen if held} <= {9, 10, 19, 20}


@pytest.mark.parametrize("notches", [1, -1, 3, -3, 100])
def test_wheel_turns_up_when_positive(client, hands, notches):
    """Positive y is up, negative down."""
    client.mouse_wheel(notches)
    assert hands.wheel() == (notches, 0)


@pytest.mark.parametrize("notches", [1, -2])
def test_wheel_pans_left_when_positive(client, hands, notches):
    """Positive x is left; the target's pan is positive to the right."""
    client.mouse_wheel(0, notches)
    assert hands.wheel() == (0, -notches)


def test_wheel_without_a_way_does_nothing(client, hands):
    """A wheel event of zero and zero does nothing."""
    client.mouse_wheel(0, 0)
    client.mouse_trackpad(0, 0)
    assert hands.pointer() == []


def test_wheel_does_not_move_the_pointer(client, hands):
    """A wheel event leaves the pointer where it is."""
    client.mouse_move(100, 50)
    before = position(last(hands)[1])
    client.mouse_wheel(1)
    assert {position(r) for f, r in hands.pointer() if f == "abs"} == {before}


def test_absurd_wheel_is_bounded(client, hands):
    """An absurd number of notches is bounded and does not block what follows."""
    client.mouse_wheel(2**31 - 1, -2**31)
    up, right = hands.wheel()
    assert 0 < up <= 1000 and 0 < right <= 1000


def test_trackpad_of_linux_comes_in_notches(client, hands):
    """Towards "Linux" devices trackpads send whole notches."""
    client.mouse_trackpad(2, -1)
    assert hands.wheel() == (2, 1)


def test_trackpad_of_windows_adds_up_to_notches(windows_client, windows_hands):
    """Towards "Windows" devices trackpads send 1/120 notches: what is left over is kept."""
    windows_client.mouse_move(1, 1)
    for _ in range(4):
        windows_client.mouse_trackpad(50)
    assert windows_hands.wheel() == (1, 0)
    windows_client.mouse_trackpad(40)
    assert windows_hands.wheel() == (1, 0)


@pytest.mark.parametrize("dx, dy", [(3, -4), (-127, 127), (300, 0)])
def test_relative_moves_are_counts(windows_client, windows_hands, dx, dy):
    """Relative moves arrive as so many counts, in steps that a report can carry."""
    windows_client.mouse_relative(dx, dy)
    steps = [[b - 256 if b > 127 else b for b in r[1:3]] for _, r in windows_hands.pointer("rel")]
    assert (sum(s[0] for s in steps), sum(s[1] for s in steps)) == (dx, dy)


def test_absurd_relative_moves_are_bounded(windows_client, windows_hands):
    """A relative move is bounded to 10000 counts."""
    windows_client.mouse_relative(2**31 - 1, -2**31)
    steps = [[b - 256 if b > 127 else b for b in r[1:3]] for _, r in windows_hands.pointer("rel")]
    assert 0 < sum(s[0] for s in steps) <= 12700 and -12700 <= sum(s[1] for s in steps) < 0


def test_relative_move_of_nothing_is_no_report(windows_client, windows_hands):
    """The relative move of 0,0 that switches the mode on does nothing."""
    windows_client.mouse_relative(0, 0)
    assert windows_hands.pointer() == []


@pytest.mark.parametrize("kind", [6, 7])
def test_unknown_kinds_of_mouse_event_are_ignored(client, hands, kind):
    """Mouse events of a type that is not known are ignored."""
    client.mouse(kind | LEFT << 3, 10, 10)
    client.mouse(-1 & ~7 | kind, 10, 10)
    assert hands.pointer() == []


def test_modifiers_of_a_click_are_held_while_it_is_down(client, hands):
    """Modifiers listed with a button are pressed for it, when they are not held already."""
    client.mouse_move(1, 1)
    hands.rows()
    client.mouse_down(LEFT, modifiers=("Control",))
    client.mouse_up(LEFT)
    assert hands.keys() == ["+LControl", "-LControl"]


def test_modifiers_that_are_held_are_not_pressed_again(client, hands):
    """A modifier that is held already is not let go by a click that lists it."""
    client.mouse_move(1, 1)
    client.send_key("LControl")
    client.mouse_down(LEFT, modifiers=("Control",))
    client.mouse_up(LEFT)
    assert hands.keys() == ["+LControl"]
    client.send_key("LControl", False)


def test_pointer_waits_for_the_first_picture(start_agent):
    """Before the first picture was sent pointer events are ignored: clients then send clicks to wake a sleeping
    desktop."""
    agent = start_agent()
    with dial(agent) as client:
        frames, send = [], client.conn.send_bytes
        client.wait_hash()
        client.conn.send_bytes = lambda data, timeout=0: frames.append(bytes(data))
        client.send_login(PASSWORD)
        client.wake_sequence()
        client.conn.send_bytes = send
        client.conn.send_bytes(b"".join(frames))
        client.wait_login(5)
        client.frame()
        hands = Hands(agent, client)
        hands.at = 0
        assert hands.pointer() == []


def test_button_of_a_session_that_ends_is_let_go(device, client, hands):
    """Buttons are let go when the session ends."""
    client.mouse_move(5, 5)
    client.mouse_down(RIGHT)
    assert last(hands)[1][0] == 2
    client.close()
    device.wait_reports(lambda rows: device.all_released())


@pytest.mark.parametrize("event", [
    pb.TouchEvent(scale_update=pb.TouchScale(scale=120)), pb.TouchEvent(pan_start=pb.TouchPan(x=1, y=2)),
    pb.TouchEvent(pan_update=pb.TouchPan(x=-5, y=2)), pb.TouchEvent(pan_end=pb.TouchPan()), pb.TouchEvent()],
    ids=["scale", "pan start", "pan", "pan end", "nothing"])
def test_touch_gestures_do_no_harm(client, hands, event):
    """Touch gestures, which other devices map to their own, are ignored."""
    client.send(pointer_device_event=pb.PointerDeviceEvent(touch_event=event))
    assert hands.rows()[:-2] == [] and client.frame()
