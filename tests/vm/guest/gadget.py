# SPDX-License-Identifier: GPL-3.0-or-later
"""A keyboard gadget made by hand in configfs: proves the test bench, and serves as somebody else's gadget."""
import os
import select
from pathlib import Path

import lib

# HID 1.11 appendix B.1: boot keyboard, eight bytes in, one byte of LEDs out.
DESCRIPTOR = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810395057501050819012905910295017503910395067508150025650507"
    "190029658100c0")


class Keyboard:
    def __init__(self, name="byhand"):
        self.root = lib.CONFIGFS / "usb_gadget" / name
        self.fd = -1

    def __enter__(self):
        function = self.root / "functions" / "hid.usb0"
        config = self.root / "configs" / "c.1"
        for folder in (self.root, function, config, self.root / "strings" / "0x409"):
            folder.mkdir()
        for path, text in (("idVendor", "0x1d6b"), ("idProduct", "0x0104"), ("strings/0x409/product", "by hand")):
            (self.root / path).write_text(text)
        for name, value in (("protocol", 1), ("subclass", 1), ("report_length", 8)):
            (function / name).write_text(str(value))
        (function / "report_desc").write_bytes(DESCRIPTOR)
        (config / "hid.usb0").symlink_to(function)
        (self.root / "UDC").write_text(next(Path("/sys/class/udc").iterdir()).name)
        number = (function / "dev").read_text().strip()
        node = lib.eventually(lambda: self._node(number), "the gadget's device node")
        self.fd = os.open(node, os.O_RDWR | os.O_NONBLOCK)
        return self

    @staticmethod
    def _node(number):
        major, minor = map(int, number.split(":"))
        for path in Path("/dev").glob("hidg*"):
            if path.stat().st_rdev == os.makedev(major, minor):
                return path
        return None

    def report(self, *usages):
        """Writes the report in which these keys are down, when the host has taken the last one."""
        assert select.select([], [self.fd], [], lib.PATIENCE_S)[1], "the host does not poll"
        os.write(self.fd, bytes([0, 0, *usages]).ljust(8, b"\0"))

    def wait_leds(self, wanted):
        """Until the host set these LEDs; it sets all to 0 when it finds the keyboard."""
        seen = None
        while seen != wanted:
            assert select.select([self.fd], [], [], lib.PATIENCE_S)[0], f"no LED report after {seen}"
            seen = os.read(self.fd, 8)[0]

    def __exit__(self, *_):
        if self.fd >= 0:
            os.close(self.fd)
        (self.root / "UDC").write_text("\n")
        (self.root / "configs" / "c.1" / "hid.usb0").unlink()
        for path in ("configs/c.1", "functions/hid.usb0", "strings/0x409", ""):
            (self.root / path).rmdir()
