# SPDX-License-Identifier: GPL-3.0-or-later
"""The target's buttons, on a GPIO chip of the kernel (tests/vm/gpio.asl)."""
import re
from pathlib import Path

import pytest

import lib
from tests.peer.controller import Controller

DEBUG = Path("/sys/kernel/debug/gpio")
RESET = 3


@pytest.fixture(scope="module")
def chip():
    lib.modprobe("gpio-amdpt")
    if not DEBUG.exists():
        lib.run("mount", "-t", "debugfs", "debugfs", "/sys/kernel/debug")
    name = lib.eventually(lambda: re.search(r"^(gpiochip\d+) \[AMDF030", lib.run("gpiodetect"), re.MULTILINE),
                          "the chip")[1]
    base = int(re.search(rf"^{name}: GPIOs (\d+)-", DEBUG.read_text(), re.MULTILINE)[1])
    return name, base


def level(base, line):
    """'hi' or 'lo' as the chip has it, None when nobody holds the line."""
    held = re.search(rf"^ gpio-{base + line} .*\|kvmagent +\) out (hi|lo)", DEBUG.read_text(), re.MULTILINE)
    return held and held[1]


def connect(agent):
    peer = Controller.direct("127.0.0.1", agent.port, timeout=lib.PATIENCE_S)
    peer.login(lib.PASSWORD, timeout=lib.PATIENCE_S)
    return peer


@pytest.mark.parametrize("active_low", [False, True], ids=["active-high", "active-low"])
def test_restart_of_the_client_presses_reset(chip, tmp_path, active_low):
    name, base = chip
    idle, pressed = ("hi", "lo") if active_low else ("lo", "hi")
    power = {"chip": name, "reset_line": str(RESET), "active_low": active_low, "press_ms": 2000}
    with lib.Agent(tmp_path, power=power) as agent:
        assert level(base, RESET) == idle
        with connect(agent) as peer:
            peer.send_misc(restart_remote_device=True)
            lib.eventually(lambda: level(base, RESET) == pressed, "the button is pressed")
            lib.eventually(lambda: level(base, RESET) == idle, "the button is let go")
            # The session goes on: the target is another machine.
            peer.frame(lib.PATIENCE_S)
        assert agent.log().count('button="reset"') == 1
    assert level(base, RESET) is None


def test_operator_presses_power_and_holds_it_to_the_end(chip, tmp_path):
    name, base = chip
    power = {"chip": name, "power_line": "1", "led_line": "2", "hold_ms": 20000}
    with lib.Agent(tmp_path, power=power) as agent:
        ctl = (lib.ROOT / "build/release/agent/kvmagentctl", "--socket", agent.folder / "run/control")
        assert lib.run(*ctl, "power") == "the target is off\n"
        assert lib.run(*ctl, "power", "hold") == "power button held\n"
        lib.eventually(lambda: level(base, 1) == "hi", "the button is held")
        # The end of the agent lets go at once, however long it was to be held.
        assert agent.stop() < lib.PATIENCE_S / 2
    assert level(base, 1) is None


def test_without_wiring_it_is_said_in_words(tmp_path):
    with lib.Agent(tmp_path) as agent, connect(agent) as peer:
        peer.send_misc(restart_remote_device=True)
        assert peer.wait_for("message_box", lib.PATIENCE_S).msg.text


def test_wrong_line_is_named_and_costs_nothing_else(chip, tmp_path):
    name, _ = chip
    with lib.Agent(tmp_path, power={"chip": name, "reset_line": "no-such-line"}) as agent, connect(agent) as peer:
        peer.frame(lib.PATIENCE_S)
        assert f"GPIO chip {name} has no line no-such-line" in agent.log()
