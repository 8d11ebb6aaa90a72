# SPDX-License-Identifier: GPL-3.0-or-later
"""The HDMI source: the kernel's vivid driver with a single-planar and a multi-planar device."""
import fcntl
import os
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import lib
import numpy as np

# vivid's "100% Colorbar", left to right, as R, G, B.
BARS = ((255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0),
        (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0))
S_CTRL = 0xc008561c  # VIDIOC_S_CTRL of <linux/videodev2.h>
# Positions in the menu of dv_timings_signal_mode.
CURRENT, NO_SIGNAL, NO_LOCK, OUT_OF_RANGE, SELECTED = range(5)

NUMBERS = {}  # of controls, by name


@dataclass
class Device:
    path: str
    multiplanar: bool
    moved: bool = False

    def set(self, **controls):
        lib.run("v4l2-ctl", "-d", self.path, "--set-ctrl", ",".join(f"{k}={v}" for k, v in controls.items()))

    def signal(self, mode):
        self.set(dv_timings_signal_mode=mode)

    def quickly(self, control, value):
        """One control, without the time that a program takes to start."""
        if control not in NUMBERS:
            text = lib.run("v4l2-ctl", "-d", self.path, "--list-ctrls")
            NUMBERS.update((name, int(number, 16)) for name, number in re.findall(r"(\w+) (0x[0-9a-f]{8}) \(", text))
        device = os.open(self.path, os.O_RDWR)
        try:
            fcntl.ioctl(device, S_CTRL, struct.pack("Ii", NUMBERS[control], value))
        finally:
            os.close(device)

    def move(self):
        """Another picture than before, though still bars: a little brighter or darker."""
        self.moved = not self.moved
        self.quickly("brightness", 128 + 2 * self.moved)

    def menu(self, control):
        """{text: index} of a menu control."""
        text = lib.run("v4l2-ctl", "-d", self.path, "--list-ctrls-menus")
        block = re.search(rf"^\s*{control} .*\n((?:\s+\d+: .*\n?)+)", text, re.MULTILINE).group(1)
        return {name.strip(): int(index) for index, name in re.findall(r"(\d+): (.*)", block)}

    def show_bars(self):
        self.set(test_pattern=self.menu("test_pattern")["100% Colorbar"], osd_text_mode=2)

    def plug(self, timings="640x480p59"):
        """A source with these timings (beginning of the menu's text), still 100 % bars, nothing written over them."""
        menu = self.menu("dv_timings")
        index = next(i for name, i in menu.items() if name.replace(" ", "").startswith(timings))
        self.show_bars()
        self.set(dv_timings=index)
        self.signal(SELECTED)


def load(**more):
    """Loads the driver and finds its two devices; (single-planar, multi-planar). One offers cached buffers, the other
    can be a webcam as well: its second input."""
    lib.modprobe("vivid", n_devs=2, node_types="0x1,0x1", num_inputs="2,1", input_types="3,3", multiplanar="1,2",
                 cache_hints="0,1", **more)
    lib.eventually(lambda: len(list(Path("/dev").glob("video*"))) >= 2, "two video nodes")
    found = {}
    for path in sorted(Path("/dev").glob("video*")):
        info = lib.run("v4l2-ctl", "-d", str(path), "--info")
        multiplanar = "Video Capture Multiplanar" in info
        found[multiplanar] = Device(str(path), multiplanar)
    return found[False], found[True]


def unload():
    """Whether that could be done: not while somebody has a device open."""
    return subprocess.run(["modprobe", "-r", "vivid"], capture_output=True).returncode == 0


def bar_colours(rgb):
    """Mean colour at the middle of each of the eight bars."""
    height, width, _ = rgb.shape
    half = width // 64
    middles = [(2 * bar + 1) * width // 16 for bar in range(8)]
    return [rgb[height // 4:height // 2, x - half:x + half].mean(axis=(0, 1)) for x in middles]


def shows_bars(rgb, tolerance=16):
    """Whether a picture shows vivid's bars. The encoder's losses and two roundings stay well under the tolerance."""
    return np.abs(np.array(bar_colours(rgb)) - BARS).max() <= tolerance
