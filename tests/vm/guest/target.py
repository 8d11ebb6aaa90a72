# SPDX-License-Identifier: GPL-3.0-or-later
"""The target machine, which is this same guest: what its input layer makes of the USB gadget plugged into it."""
import select
import time
from pathlib import Path

import evdev
from evdev import ecodes

import lib

# dummy_hcd: a USB device controller and the host it is plugged into, in one kernel.
MODULES = ("libcomposite", "usb_f_hid", "usbhid", "hid-generic", "evdev", "dummy_hcd")
SHOWN = (ecodes.EV_KEY, ecodes.EV_REL, ecodes.EV_ABS)


def load():
    for module in MODULES:
        lib.modprobe(module)
    if not lib.CONFIGFS.is_mount():
        lib.run("mount", "-t", "configfs", "configfs", str(lib.CONFIGFS))


def gadgets():
    """Names of the gadgets that exist in configfs."""
    folder = lib.CONFIGFS / "usb_gadget"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def role_of(device):
    """Which of the agent's devices it is, by what it can do."""
    can = device.capabilities(absinfo=False)
    if ecodes.ABS_X in can.get(ecodes.EV_ABS, []):
        return "pointer"
    if ecodes.REL_X in can.get(ecodes.EV_REL, []):
        return "mouse"
    keys = can.get(ecodes.EV_KEY, [])
    if ecodes.KEY_A in keys:
        return "keyboard"
    if ecodes.KEY_VOLUMEUP in keys:
        return "media"
    return "system" if ecodes.KEY_SLEEP in keys else None


def on_usb(path):
    """Whether an event node belongs to a device behind dummy_hcd."""
    return "dummy_hcd" in str(Path(f"/sys/class/input/{Path(path).name}").resolve())


def nodes():
    """{role: path} of the event nodes the gadget has now."""
    found = {}
    for path in evdev.list_devices():
        try:
            if not on_usb(path):
                continue
            device = evdev.InputDevice(path)
        except OSError:
            continue  # unplugged meanwhile
        found[role_of(device)] = path
        device.close()
    return found


class Target:
    """The event devices of these roles, grabbed so that the guest's console does not act on the keys."""

    def __init__(self, roles=("keyboard", "pointer", "mouse")):
        lib.eventually(lambda: set(roles) <= set(nodes()), f"{roles} on the target")
        self.devices = {role: evdev.InputDevice(path) for role, path in nodes().items() if role in roles}
        for device in self.devices.values():
            device.grab()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for device in self.devices.values():
            device.close()

    def events(self, count, timeout=10, settle=0.3):
        """(role, code name, value) of the next count events and of any that come within settle seconds after them.

        Synchronisation, scan codes, autorepeat and the high-resolution twins of wheel events are left out.
        """
        got = []
        end = time.monotonic() + timeout
        by_fd = {device.fd: (role, device) for role, device in self.devices.items()}
        while by_fd:
            left = end - time.monotonic()
            ready = select.select(by_fd, [], [], left)[0] if left > 0 else []
            if not ready:
                break
            new = [event for fd in ready for event in self._read(by_fd, fd)]
            got += new
            if new and len(got) >= count:
                end = time.monotonic() + settle
        return got

    @staticmethod
    def _read(by_fd, fd):
        role, device = by_fd[fd]
        try:
            return [(role, *shown) for shown in map(show, device.read()) if shown]
        except OSError:
            del by_fd[fd]  # unplugged
            return []

    def keys_held(self):
        """Names of keys and buttons the target believes to be down."""
        return sorted(key_name(code) for device in self.devices.values() for code in device.active_keys())

    def set_led(self, led, on):
        """What the target's own system does when a lock key toggles."""
        self.devices["keyboard"].set_led(led, 1 if on else 0)


def key_name(code):
    name = ecodes.bytype[ecodes.EV_KEY][code]
    # KEY_MIN_INTERESTING is a bound, not a key: KEY_MUTE.
    return name if isinstance(name, str) else next(n for n in name if n != "KEY_MIN_INTERESTING")


def show(event):
    """(code name, value) of an event that counts, else None."""
    if event.type not in SHOWN or (event.type == ecodes.EV_KEY and event.value == 2):
        return None
    if event.type == ecodes.EV_REL and event.code in (ecodes.REL_WHEEL_HI_RES, ecodes.REL_HWHEEL_HI_RES):
        return None
    if event.type == ecodes.EV_KEY:
        return key_name(event.code), event.value
    return ecodes.bytype[event.type][event.code], event.value
