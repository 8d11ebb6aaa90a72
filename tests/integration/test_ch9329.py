# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and mouse through a CH9329 at a serial line, which is a pseudo-terminal with a simulated chip behind it."""

import pytest

from peer import controller
from peer.agent import PASSWORD
from peer.ch9329 import ABS, KEYBOARD, MEDIA, REL, Chip
from peer.controller import Controller

WIDTH, HEIGHT = 640, 360  # of the test card
FAST = 115200


@pytest.fixture(name="chip")
def fixture_chip(tmp_path):
    chip = Chip(tmp_path / "tty")
    yield chip
    chip.close()
    assert chip.faults == []


def start(start_agent, chip, **hid):
    """The agent, once the chip knows that nothing is pressed."""
    agent = start_agent(hid={"backend": "ch9329", "serial_device": chip.path, **hid})
    chip.wait(lambda: len(chip.told()) >= 4, "the chip is told how things are")
    return agent


@pytest.fixture(name="device")
def fixture_device(start_agent, chip):
    agent = start(start_agent, chip, serial_baud=FAST)
    agent.wait_log("host state=configured")
    return agent


@pytest.fixture(name="peer")
def fixture_peer(device):
    with Controller.direct("127.0.0.1", device.port) as session:
        session.login(PASSWORD)
        session.frame(10)
        yield session


def downs(chip):
    return [data[2] for data in chip.told(KEYBOARD) if any(data)]


def test_first_word_lets_go_of_everything(device, chip):
    assert device.process
    assert chip.told_all()[:4] == [(KEYBOARD, bytes(8)), (REL, b"\1" + bytes(4)), (MEDIA, b"\2" + bytes(3)),
                                   (MEDIA, b"\1\0")]


def test_keys_arrive_in_order(chip, peer):
    peer.tap("LControl", "LAlt", "Delete")
    chip.wait(lambda: len(chip.told(KEYBOARD)) == 7, "three keys down and up")
    assert [data[0] for data in chip.told(KEYBOARD)] == [0, 1, 5, 5, 5, 1, 0]
    assert [data[2] for data in chip.told(KEYBOARD)] == [0, 0, 0, 0x4C, 0, 0, 0]


@pytest.mark.parametrize("x, y, place", [(0, 0, "00000000"), (WIDTH - 1, 0, "ff0f0000"), (0, HEIGHT - 1, "0000ff0f"),
                                         (WIDTH - 1, HEIGHT - 1, "ff0fff0f")])
def test_corners_are_the_corners(chip, peer, x, y, place):
    peer.mouse_move(300, 200)
    peer.mouse_move(x, y)
    chip.wait(lambda: chip.told(ABS)[-1:] == [bytes.fromhex("0200" + place + "00")], f"the pointer at {x}, {y}")


def test_buttons_wheel_and_relative_moves(chip, peer):
    peer.mouse_relative(300, -2)
    peer.mouse_down(controller.RIGHT)
    peer.mouse_up(controller.RIGHT)
    peer.mouse_wheel(vertical=-1)
    chip.wait(lambda: chip.told(REL)[-1:] == [bytes.fromhex("01000000ff")], "one notch towards the user")
    moves = [data for data in chip.told(REL) if data[2] or data[3]]
    assert sum(int.from_bytes(data[2:3], "little", signed=True) for data in moves) == 300
    assert sum(int.from_bytes(data[3:4], "little", signed=True) for data in moves) == -2
    assert bytes.fromhex("0102000000") in chip.told(REL)


def test_lock_key_shows_in_the_leds(device, chip):
    chip.leds = 2
    device.wait_log("leds num=0 caps=1 scroll=0")
    chip.leds = 5
    device.wait_log("leds num=1 caps=0 scroll=1")


def test_last_move_before_a_click_is_not_lost(start_agent, chip):
    agent = start(start_agent, chip)
    with Controller.direct("127.0.0.1", agent.port) as peer:
        peer.login(PASSWORD)
        peer.frame(10)
        for x in range(WIDTH):
            peer.mouse_move(x, 100)
        peer.mouse_down(controller.LEFT)
        peer.mouse_up(controller.LEFT)
        chip.wait(lambda: any(data[1] for data in chip.told(ABS)), "the button")
        chip.wait(lambda: not chip.told(ABS)[-1][1], "the button's release")
    pressed = next(n for n, data in enumerate(chip.told(ABS)) if data[1])
    assert all(data[2:4] == b"\xff\x0f" for data in chip.told(ABS)[pressed - 1:pressed + 2])
    assert len(chip.told(ABS)) < WIDTH  # they folded


@pytest.mark.parametrize("noise", [{"no answer": 10}, {"bad answer": 10}, {"bad command": 20},
                                   {"no answer": 5, "bad answer": 5, "bad command": 5}], ids=str)
def test_bad_line_loses_no_key(chip, peer, noise):
    chip.noise = noise
    keys = "abcdefghijklmnopqrst"
    for key in keys:
        peer.tap(key)
    wanted = list(range(4, 4 + len(keys)))
    chip.wait(lambda: downs(chip)[-1:] == wanted[-1:] and not chip.held(), "all keys", timeout=40)
    got = downs(chip)
    # A command whose answer was lost is carried out twice; the host sees no difference.
    assert [usage for n, usage in enumerate(got) if n == 0 or got[n - 1] != usage] == wanted, chip.told_all()
    assert noise.keys() == {"bad command"} or chip.bad_lines


def test_host_that_goes_and_comes(device, chip, peer):
    peer.send_key("x")
    chip.wait(lambda: downs(chip), "the key")
    chip.host = False
    device.wait_log("host state=detached")
    peer.send_key("x", down=False)
    chip.host = True
    device.wait_log("host state=configured", count=2)
    chip.wait(lambda: not chip.held(), "the release that the host missed")


def test_release_that_the_chip_could_not_do_comes_again(chip, peer):
    peer.send_key("x")
    chip.wait(lambda: downs(chip), "the key")
    chip.unable = True
    peer.send_key("x", down=False)
    before = chip.questions
    chip.wait(lambda: chip.questions > before + 1, "two questions")
    chip.unable = False
    chip.wait(lambda: not chip.held(), "the release")


def test_silent_chip_is_a_state_and_comes_back(device, chip, peer):
    peer.send_key("x")
    chip.wait(lambda: downs(chip), "the key")
    chip.silent = True
    device.wait_log("ch9329: silent")
    peer.send_key("x", down=False)
    chip.silent = False
    device.wait_log("host state=configured", count=2)
    chip.wait(lambda: not chip.held(), "the release")


def test_pulled_out_and_put_in(device, chip, peer):
    peer.send_key("x")
    chip.wait(lambda: downs(chip), "the key")
    chip.pull_out()
    device.wait_log("ch9329: no_line")
    peer.send_key("x", down=False)
    chip.put_in()
    device.wait_log("host state=configured", count=2)
    chip.wait(lambda: not chip.held(), "the release")
    peer.tap("y")
    chip.wait(lambda: downs(chip)[-1] == 0x1C and not chip.held(), "a key after it")


def test_end_of_the_agent_releases(device, chip, peer):
    peer.send_key("x")
    peer.send_key("LShift")
    chip.wait(lambda: chip.held(), "two keys")
    device.stop()
    assert chip.held() == []


def test_missing_line_is_no_reason_to_exit(start_agent, tmp_path):
    agent = start_agent(hid={"backend": "ch9329", "serial_device": tmp_path / "none"})
    agent.wait_log("ch9329: no_line .*No such file")
    assert agent.process.poll() is None
