# SPDX-License-Identifier: GPL-3.0-or-later
"""Beginning and end of the agent on a machine with a USB gadget: clean exit, crash, leftovers of others."""
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gadget
import lib
import pytest
import target
from tests.peer import controller
from tests.peer.controller import Controller


def log_in(agent):
    peer = Controller.direct("127.0.0.1", agent.port, timeout=lib.PATIENCE_S)
    peer.login(lib.PASSWORD, timeout=lib.PATIENCE_S)
    peer.frame(lib.PATIENCE_S)  # pointer events count from the first picture on
    return peer


@pytest.fixture
def agent(usb, tmp_path):
    with lib.Agent(tmp_path, hid={"backend": "gadget"}) as running:
        yield running


def hold_keys(peer, host):
    peer.send_key("LControl")
    peer.send_key("q")
    peer.mouse_relative(1, 1)
    peer.mouse_down(controller.LEFT)
    lib.eventually(lambda: host.keys_held() == ["BTN_LEFT", "KEY_LEFTCTRL", "KEY_Q"], "three held keys")


def test_clean_exit_releases_keys_and_removes_the_gadget(agent):
    with target.Target() as host, log_in(agent) as peer:
        hold_keys(peer, host)
        host.events(2)  # the move; asking for the keys has emptied the queue of theirs
        # Read while it stops: what was not read when the device goes is lost.
        with ThreadPoolExecutor(1) as pool:
            released = pool.submit(host.events, 3)
            took = agent.stop()
    assert set(released.result()) == {
        ("keyboard", "KEY_Q", 0), ("keyboard", "KEY_LEFTCTRL", 0), ("mouse", "BTN_LEFT", 0)}
    assert "undelivered" not in agent.log()
    assert target.gadgets() == []
    assert not list(Path("/dev").glob("hidg*"))
    assert took < 1.0


def test_restart_after_a_crash_takes_over_the_gadget(agent):
    device_id = agent.id
    with target.Target() as host, log_in(agent) as peer:
        hold_keys(peer, host)
        agent.kill()
    assert target.gadgets() == ["kvmagent"], "a killed agent leaves its gadget behind"
    agent.start()
    assert agent.id == device_id
    # The hid thread composes it after the agent has said that it is ready.
    agent.wait_log("gadget: leftover_removed")
    lib.eventually(lambda: target.gadgets() == ["kvmagent"], "the gadget, taken over")
    with target.Target() as host, log_in(agent) as peer:
        assert host.keys_held() == []
        peer.tap("b")
        assert host.events(2) == [("keyboard", "KEY_B", 1), ("keyboard", "KEY_B", 0)]
    agent.stop()
    assert target.gadgets() == []


def test_what_a_killed_agent_holds_is_let_go(usb, tmp_path):
    """As the service manager does once the agent has ended: the keyboard is unplugged, and so lets go."""
    with lib.Agent(tmp_path, hid={"backend": "gadget"}) as agent:
        with target.Target() as host, log_in(agent) as peer:
            hold_keys(peer, host)
            agent.kill()
            assert host.keys_held(), "the kernel keeps the gadget plugged in"
            lib.run(lib.BINARY, "--config", agent.config, "--let-go")
        lib.eventually(lambda: not target.nodes(), "nothing plugged into the target")
        assert target.gadgets() == []
        lib.run(lib.BINARY, "--config", agent.config, "--let-go")


def test_controller_taken_by_another_gadget_is_left_alone(usb, tmp_path):
    with gadget.Keyboard("foreign"), lib.Agent(tmp_path, hid={"backend": "gadget"}) as agent:
        agent.wait_log("usb: none")
        with log_in(agent) as peer:
            peer.tap("a")
            peer.frame(lib.PATIENCE_S)
        assert "foreign" in target.gadgets()
        assert (lib.CONFIGFS / "usb_gadget/foreign/UDC").read_text().strip(), "still bound"
        agent.stop()
    assert target.gadgets() == []
