# SPDX-License-Identifier: GPL-3.0-or-later
"""A device between a good line and one that the kernel's own tc makes slow, long and lossy.

    ka-lan ── ka-dev ── ka-router ── ka-far
                             │          └ netem: delay
                             └ netem and tbf: delay, loss, rate

The router queues, as one on the way would: its queue pushes back on nobody's socket. What peer.slowlink does without
tc.
"""
import subprocess

import lib

_MODULES = ("veth", "sch_netem", "sch_tbf")
_PACKET = 1500


class Lines:
    """Use as a context manager."""

    device = "ka-dev"
    lan, far = ("ka-lan", "10.84.1.1"), ("ka-far", "10.84.2.1")  # where controllers are, and how they call the device
    _names = ("ka-lan", "ka-dev", "ka-router", "ka-far")

    def __init__(self):
        self._shaped = False

    def __enter__(self):
        for module in _MODULES:
            lib.modprobe(module)
        try:
            for name in self._names:
                lib.run("ip", "netns", "add", name)
                lib.run("ip", "-n", name, "link", "set", "lo", "up")
            self._cable("ka-dev", "10.84.1.1", "ka-lan", "10.84.1.2")
            self._cable("ka-dev", "10.84.2.1", "ka-router", "10.84.2.2")
            self._cable("ka-router", "10.84.3.1", "ka-far", "10.84.3.2")
            lib.run("ip", "-n", "ka-dev", "route", "add", "10.84.3.0/24", "via", "10.84.2.2")
            lib.run("ip", "-n", "ka-far", "route", "add", "10.84.2.0/24", "via", "10.84.3.1")
            lib.run("ip", "netns", "exec", "ka-router", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self._names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    @staticmethod
    def _cable(near, near_address, far, far_address):
        lib.run("ip", "link", "add", f"to-{far}", "netns", near, "type", "veth", "peer", "name", f"to-{near}",
                "netns", far)
        for namespace, link, address in ((near, f"to-{far}", near_address), (far, f"to-{near}", far_address)):
            lib.run("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", link)
            # Single packets, as on a wire: a queue of 64 KiB giants has other habits.
            lib.run("ip", "-n", namespace, "link", "set", link, "up", "gso_max_segs", "1")

    def set(self, kbps, delay_ms, loss, queue_bytes):
        """As peer.slowlink: the delay each way; rate, loss and queue towards the far side."""
        # Room for what the delay holds besides.
        limit = queue_bytes // _PACKET + kbps * delay_ms // 8 // _PACKET + 100
        verb = "change" if self._shaped else "add"
        self._tc("ka-router", "to-ka-far", f"{verb} root handle 1: netem limit {limit} delay {delay_ms}ms "
                 f"loss {loss * 100}%")
        self._tc("ka-router", "to-ka-far", f"{verb} parent 1:1 handle 2: tbf rate {kbps}kbit burst 4kb "
                 f"limit {queue_bytes}")
        self._tc("ka-far", "to-ka-router", f"{verb} root netem limit 1000 delay {delay_ms}ms")
        self._shaped = True

    @staticmethod
    def _tc(namespace, link, what):
        verb, rest = what.split(" ", 1)
        lib.run("tc", "-n", namespace, "qdisc", verb, "dev", link, *rest.split())
