# SPDX-License-Identifier: GPL-3.0-or-later
"""Ill-behaved controllers, and a well-behaved one that watches what it loses by them."""

import json
import os
import re
import socket
import struct
import threading
import time

from . import card, handshake, pb
from .conn import Conn, PeerTimeout
from .controller import Controller
from .framing import frame

ONE_GIB = struct.pack("<I", (1 << 30) - 1 << 2 | 3)  # header of the longest frame there can be
LEAST_PICTURES = 30
DROP = struct.pack("ii", 1, 0)


def note(test, **figures):
    """What was measured: to the output, and to the file $KVMAGENT_FIGURES as a line of JSON."""
    print(test, figures)
    if "KVMAGENT_FIGURES" in os.environ:
        with open(os.environ["KVMAGENT_FIGURES"], "a", encoding="utf-8") as out:
            out.write(json.dumps({"test": test, **figures}) + "\n")


class Witness(threading.Thread):
    """A controller in a thread of its own: watches, types now and then, and remembers how it was served."""

    def __init__(self, agent, password, pause=0.5):
        super().__init__()
        self.agent, self.pause = agent, pause
        self.client = Controller.direct("127.0.0.1", agent.port)
        self.client.login(password)
        self.client.frame(20)
        self.arrivals, self.numbers, self.taps, self.error = [], [], 0, None
        self.before = presses(agent.reports("keyboard"))
        self.done = threading.Event()

    def run(self):
        try:
            self._watch()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def _watch(self):
        next_tap = time.monotonic()
        while not self.done.is_set():
            try:
                self.client.pump(0.1)
            except PeerTimeout:
                pass
            for picture in self.client.pictures:
                self.arrivals.append(picture.arrival)
                self.numbers.append(card.read_number(picture.y))
            self.client.pictures.clear()
            self.client.log.clear()
            if time.monotonic() >= next_tap:
                next_tap = time.monotonic() + self.pause
                self.client.tap("a")
                self.taps += 1

    def stop(self):
        """Ends it, and says how it was: all of its keys must have arrived, and nearly all pictures in order."""
        deadline = time.monotonic() + 30
        while len(self.arrivals) < LEAST_PICTURES and self.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)  # the strangers may be done before it has seen anything
        self.done.set()
        self.join()
        assert self.error is None, self.error
        assert len(self.arrivals) >= LEAST_PICTURES
        odd = [(i, a, b) for i, (a, b) in enumerate(zip(self.numbers, self.numbers[1:])) if None in (a, b) or b < a]
        # When the machine is busy, the other rendition's first picture may be the older one.
        assert len(odd) <= len(self.numbers) // 50, odd
        self.agent.wait_reports(lambda rows: presses(rows) >= self.taps + self.before, "keyboard")
        assert presses(self.agent.reports("keyboard")) == self.taps + self.before
        self.client.close()
        gaps = [b - a for a, b in zip(self.arrivals, self.arrivals[1:])]
        seconds = self.arrivals[-1] - self.arrivals[0]
        return {"good_fps": round(len(gaps) / seconds, 1), "good_longest_gap_s": round(max(gaps), 2),
                "good_keys": self.taps, "good_odd_pictures": len(odd)}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.done.set()


def presses(rows, usage=4):
    """How often a key went down, whatever others hold."""
    held = [usage in report[2:] for _, report in rows]
    return sum(now and not before for before, now in zip([False, *held], held))


class Footprint:
    """What the agent holds: memory, descriptors, threads, log."""

    def __init__(self, agent):
        self.agent = agent
        with open(f"/proc/{agent.pid}/maps", "rb") as maps:
            self.sanitized = re.search(b"lib[at]san", maps.read()) is not None
        self.start, self.links = self.now(), self._links()

    def now(self):
        pid = self.agent.pid
        return {"rss_kib": self.agent.rss_kib(), "fds": len(os.listdir(f"/proc/{pid}/fd")),
                "threads": self.agent.threads(), "log_bytes": self.agent.log_path.stat().st_size}

    def wait_at_most(self, threads, fds, timeout=30):
        """Until there are no more than so many more of each; what there are."""
        deadline = time.monotonic() + timeout
        while True:
            now = self.now()
            if now["threads"] - self.start["threads"] <= threads and now["fds"] - self.start["fds"] <= fds:
                return now
            assert time.monotonic() < deadline, f"before {self.start}, now {now}"
            time.sleep(0.05)

    def _links(self):
        folder = f"/proc/{self.agent.pid}/fd"
        links = []
        for n in os.listdir(folder):
            try:
                links.append(os.readlink(f"{folder}/{n}"))
            except FileNotFoundError:
                pass  # closed meanwhile
        return links

    def _new_links(self):
        now = self._links()
        for link in self.links:
            if link in now:
                now.remove(link)
        return now

    def wait_flat(self, grown_kib, timeout=60):
        """Until descriptors and threads are what they were, and memory nearly; a sanitizer keeps what is freed."""
        deadline = time.monotonic() + timeout
        while True:
            now = self.now()
            # A second encoder, once needed, stays at hand.
            flat = now["fds"] <= self.start["fds"] and now["threads"] <= self.start["threads"] + 1
            if flat and (self.sanitized or now["rss_kib"] - self.start["rss_kib"] <= grown_kib):
                return {"before": self.start, "after": now}
            assert time.monotonic() < deadline, f"before {self.start}, now {now}: {self._new_links()}"
            time.sleep(0.1)


# ---------------------------------------------------------------- one stream each

def connect(port, source, timeout=20):
    sock = socket.socket()
    sock.settimeout(timeout)
    sock.bind((source, 0))
    sock.connect(("127.0.0.1", port))
    return sock


def drop(sock, reset=False):
    """Gone, with a FIN or a RST."""
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, DROP)
    sock.close()


def sources(first=2, count=50):
    """Addresses of strangers, for ever."""
    while True:
        for n in range(first, first + count):
            yield f"127.0.0.{n}"


def at_once(port, source, reset):
    drop(connect(port, source), reset)


def in_header(port, source, reset):
    sock = connect(port, source)
    sock.sendall(ONE_GIB[:2])
    drop(sock, reset)


def in_message(port, source, reset):
    sock = connect(port, source)
    sock.sendall(frame(bytes(100))[:40])
    drop(sock, reset)


def after_hash(port, source, reset):
    conn = Conn(connect(port, source))
    assert conn.recv_msg(pb.Message, 20).WhichOneof("union") == "hash"
    drop(conn.sock, reset)


def after_login(port, source, reset, password):
    conn = Conn(connect(port, source))
    client = Controller(conn, "127.0.0.1")
    client.decode = False
    client.login(password)
    client.control_key("Shift")  # held: the device must let go of it
    drop(conn.sock, reset)


def after_handshake(port, source, reset, device_id, device_key):
    """At a session port that wants encryption."""
    conn = Conn(connect(port, source))
    signed = conn.recv_msg(pb.Message, 20).signed_id.id
    box_pk = handshake.verify_id_pk(signed, device_key)[1]
    key = os.urandom(32)
    conn.send_msg(pb.message(public_key=handshake.make_public_key(box_pk, key)))
    conn.seal(key)
    assert conn.recv_msg(pb.Message, 20).WhichOneof("union") == "hash"
    assert device_id
    drop(conn.sock, reset)


def wait_closed(sock, timeout):
    """Seconds until the device has ended the stream; reads away what it says."""
    start = time.monotonic()
    sock.settimeout(0.5)
    while time.monotonic() - start < timeout:
        try:
            if not sock.recv(65536):
                return time.monotonic() - start
        except TimeoutError:
            continue
        except ConnectionError:
            return time.monotonic() - start
    raise AssertionError(f"still open after {timeout} s")


def drip(sock, data, timeout, pause=1.0):
    """One byte a second until the device hangs up; seconds that took."""
    start = time.monotonic()
    sock.settimeout(pause)
    for byte in data:
        try:
            sock.sendall(bytes([byte]))
            while sock.recv(65536):
                pass
            return time.monotonic() - start
        except TimeoutError:
            pass
        except ConnectionError:
            return time.monotonic() - start
        assert time.monotonic() - start < timeout, "still listened to"
    raise AssertionError("heard to the end")
