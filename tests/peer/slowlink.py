#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A slow link between two network namespaces: rate, delay and loss as `tc netem` and `tbf` would make them, on kernels
that have neither. Each side is a TUN device; this program carries the packets between them.

    with SlowLink("ka-near", "ka-far") as link:      # 10.83.0.1 in ka-near, 10.83.0.2 in ka-far
        link.set(kbps=2000, delay_ms=20, loss=0.01, queue_bytes=65536)

Needs root and /dev/net/tun. In both directions the delay; the rate and the queue towards the far side only.
"""
import collections
import contextlib
import ctypes
import fcntl
import json
import os
import random
import select
import struct
import subprocess
import sys
import threading
import time

NEAR, FAR = "10.83.0.1", "10.83.0.2"
_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def available():
    return os.geteuid() == 0 and os.path.exists("/dev/net/tun")


def enter(netns):
    """Moves this thread, and nothing else, into a namespace."""
    with open(f"/run/netns/{netns}", encoding="ascii") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {netns}")


def inside(netns, function):
    """The function's result, called in a namespace; sockets it makes stay there."""
    result = []

    def run():
        enter(netns)
        result.append(function())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]


def _open_tun(netns):
    def make():
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", b"ka0", _IFF_TUN | _IFF_NO_PI))
        return fd
    return inside(netns, make)


class SlowLink:
    """Makes the namespaces, and takes them down."""

    def __init__(self, near, far):
        self.names = near, far
        self.lan, self.far = (near, "127.0.0.1"), (far, NEAR)  # where controllers are, and how they call the near side
        self._process = None

    def __enter__(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
            subprocess.run(["ip", "netns", "add", name], check=True)
        self._process = subprocess.Popen([sys.executable, __file__, *self.names], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "READY\n"
        for name, address in zip(self.names, (NEAR, FAR)):
            for command in (f"addr add {address}/24 dev ka0", "link set ka0 up", "link set lo up"):
                subprocess.run(["ip", "-n", name, *command.split()], check=True)
        return self

    def set(self, **values):
        """kbps (0 = unlimited), delay_ms (one way), loss (0..1, towards the far side), queue_bytes."""
        self._process.stdin.write(json.dumps(values) + "\n")
        self._process.stdin.flush()

    def __exit__(self, *_):
        if self._process:
            self._process.stdin.close()
            self._process.wait(10)
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False)


class _Way:
    """One direction."""

    def __init__(self, source, target, settings, slow):
        self.source, self.target, self.settings, self.slow = source, target, settings, slow
        self.packets = collections.deque()  # (when it leaves, packet)
        self.queued = 0  # bytes not yet on the line
        self.line = collections.deque()  # (when it is on the line, size)
        self.busy_until = 0.0

    def take(self, now):
        s = self.settings
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(self.source, 65536)
                while self.line and self.line[0][0] <= now:
                    self.queued -= self.line.popleft()[1]
                if self.slow and (random.random() < s["loss"] or self.queued + len(packet) > s["queue_bytes"]):
                    continue
                start = max(now, self.busy_until)
                if self.slow and s["kbps"]:
                    self.busy_until = start + len(packet) / (s["kbps"] * 125)
                    self.line.append((self.busy_until, len(packet)))
                    self.queued += len(packet)
                    start = self.busy_until
                self.packets.append((start + s["delay_ms"] / 1000, packet))

    def deliver(self, now):
        """Seconds until the next packet is due."""
        while self.packets and self.packets[0][0] <= now:
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(self.target, self.packets[0][1])
            self.packets.popleft()
        return self.packets[0][0] - now if self.packets else 1.0


def main(near, far):
    settings = {"kbps": 0, "delay_ms": 0, "loss": 0, "queue_bytes": 1 << 18}
    fds = _open_tun(near), _open_tun(far)
    ways = _Way(fds[0], fds[1], settings, True), _Way(fds[1], fds[0], settings, False)
    print("READY", flush=True)
    wait = 1.0
    while True:
        ready, _, _ = select.select([sys.stdin, *fds], [], [], max(wait, 0))
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            settings.update(json.loads(line))
        now = time.monotonic()
        for way in ways:
            if way.source in ready:
                way.take(now)
        now = time.monotonic()
        wait = min(way.deliver(now) for way in ways)


if __name__ == "__main__":
    main(*sys.argv[1:])
