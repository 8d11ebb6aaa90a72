# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bench itself, without the agent: vivid gives the picture it should, dummy_hcd carries keys and LEDs."""
import gadget
import lib
import numpy as np
import pytest
import target
import vivid
from evdev import ecodes


@pytest.mark.parametrize("which", [0, 1], ids=["single-planar", "multi-planar"])
def test_vivid_shows_bars(sources, tmp_path, which):
    source = sources[which]
    source.plug("640x480p59")
    raw = tmp_path / "frame"
    lib.run("v4l2-ctl", "-d", source.path, "--set-dv-bt-timings", "query")
    lib.run("v4l2-ctl", "-d", source.path, "-v", "pixelformat=RGB3", "--stream-mmap", "--stream-count=1",
            f"--stream-to={raw}")
    rgb = np.fromfile(raw, np.uint8).reshape(480, 640, 3)
    assert vivid.shows_bars(rgb, tolerance=3)
    assert not vivid.shows_bars(rgb[:, ::-1])


def test_vivid_loses_its_signal(sources):
    source = sources[0]
    source.plug()
    assert "640" in lib.run("v4l2-ctl", "-d", source.path, "--query-dv-timings")
    source.signal(vivid.NO_SIGNAL)
    with pytest.raises(AssertionError, match="(?i)link"):
        lib.run("v4l2-ctl", "-d", source.path, "--query-dv-timings")
    source.plug()


def test_usb_carries_keys_and_leds(usb):
    with gadget.Keyboard() as keyboard, target.Target(["keyboard"]) as host:
        keyboard.report(0x04)
        keyboard.report()
        assert host.events(2) == [("keyboard", "KEY_A", 1), ("keyboard", "KEY_A", 0)]
        host.set_led(ecodes.LED_CAPSL, True)
        keyboard.wait_leds(2)
    assert target.gadgets() == []
