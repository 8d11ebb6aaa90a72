# SPDX-License-Identifier: GPL-3.0-or-later
"""What both mock servers share: one thread around a selector, framed connections, timers and a list of events."""

import contextlib
import dataclasses
import random
import selectors
import socket
import threading
import time

from . import framing

_OUT_LIMIT = 1 << 16
_PORT_RANGE = range(20000, 32000, 8)  # below the usual range of ephemeral ports
_given = set()  # blocks that this process has handed out: a thread's probe must not be in another's way
_giving = threading.Lock()


@dataclasses.dataclass
class Event:
    """Something that happened in a server: `kind` names it, `peer` is the other address, `msg` a protobuf or None."""

    time: float
    kind: str
    peer: tuple = None
    msg: object = None
    info: dict = dataclasses.field(default_factory=dict)


class EventLog:
    """A list of events that tests can wait on."""

    def __init__(self):
        self._changed = threading.Condition()
        self.events = []

    def add(self, kind, peer=None, msg=None, **info):
        with self._changed:
            self.events.append(Event(time.monotonic(), kind, peer, msg, info))
            self._changed.notify_all()

    def mark(self):
        """A position for `since`."""
        with self._changed:
            return len(self.events)

    def wait_for(self, what, timeout, since=0):
        """The first event (from position `since`) of the kind, or matching the predicate, `what`; else TimeoutError."""
        return self.wait_count(what, 1, timeout, since)[0]

    def wait_count(self, what, count, timeout, since=0):
        """The first `count` such events."""
        matches = what if callable(what) else lambda e: e.kind == what
        found = []

        def enough():
            found[:] = [e for e in self.events[since:] if matches(e)]
            return len(found) >= count

        with self._changed:
            if not self._changed.wait_for(enough, timeout):
                seen = [e.kind for e in self.events[since:]]
                raise TimeoutError(f"{len(found)} of {count} {what} within {timeout} s; seen: {seen[-20:]}")
        return found[:count]

    def all(self, kind, since=0):
        with self._changed:
            return [e for e in self.events[since:] if e.kind == kind]


def bind(kind, host, port):
    """A listening TCP (SOCK_STREAM) or a UDP socket; "::" is dual-stack, as the real servers listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        sock.bind((host, port))
        if kind == socket.SOCK_STREAM:
            sock.listen(64)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def free_port_block(hosts=("127.0.0.1",), count=5):
    """The first of `count` consecutive ports that are free for TCP and UDP right now on all hosts."""
    with _giving:
        if len(_given) > len(_PORT_RANGE) // 2:
            _given.clear()
        first = _find_block(hosts, count)
        _given.add(first)
        return first


def _find_block(hosts, count):
    for first in random.sample(sorted(set(_PORT_RANGE) - _given), len(_PORT_RANGE) - len(_given)):
        socks = []
        try:
            for host in hosts:
                for port in range(first, first + count):
                    socks += [bind(socket.SOCK_STREAM, host, port), bind(socket.SOCK_DGRAM, host, port)]
            return first
        except OSError:
            continue
        finally:
            for sock in socks:
                sock.close()
    raise OSError("no block of free ports")


class Link:
    """One accepted TCP connection of a server loop. `tag` says which listener it came from."""

    def __init__(self, loop, sock, peer, tag):
        self.loop, self.sock, self.peer, self.tag = loop, sock, peer[:2], tag
        self.decoder = framing.Decoder()
        self.idle_limit = None  # seconds without input until closed
        self.last_input = time.monotonic()
        self.open = True
        self._out = bytearray()
        self._reading = True
        self._mask = 0
        self._closing = False

    @property
    def out_full(self):
        return len(self._out) >= _OUT_LIMIT

    def send(self, msg):
        self.send_bytes(framing.frame(msg.SerializeToString()))

    def send_bytes(self, data):
        self._out += data
        self._flush()

    def pause(self):
        """Stop reading: back-pressure."""
        self._reading = False
        self._watch()

    def resume(self):
        self._reading = True
        self._watch()

    def close(self):
        """Close once everything queued was sent."""
        self._closing = True
        if not self._out:
            self._drop()
        else:
            self._watch()

    def _drop(self):
        if self.open:
            self.open = False
            self.loop.forget(self)

    def _flush(self):
        if not self.open:
            return
        try:
            while self._out:
                sent = self.sock.send(self._out)
                del self._out[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop()
            return
        if self._closing and not self._out:
            self._drop()
        else:
            self._watch()

    def _watch(self):
        if not self.open:
            return
        mask = (selectors.EVENT_READ if self._reading and not self._closing else 0) | (
            selectors.EVENT_WRITE if self._out else 0)
        if mask != self._mask:
            self.loop.watch(self.sock, self._mask, mask, self._ready)
            self._mask = mask

    def _ready(self, mask):
        if mask & selectors.EVENT_WRITE:
            self._flush()
            self.loop.on_drained(self)
        if mask & selectors.EVENT_READ and self.open:
            try:
                data = self.sock.recv(1 << 16)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            self.last_input = time.monotonic()
            if data:
                self.loop.on_data(self, data)
            else:
                self._drop()


class ServerLoop(EventLog):
    """A server in a thread. Subclasses open listeners in `open_sockets` and react in the on_* methods (loop thread).

    Use as a context manager; `call(function)` runs something on the loop thread and waits for it.
    """

    name = "server"

    def __init__(self):
        super().__init__()
        self.links = set()
        self._selector = selectors.DefaultSelector()
        self._listeners = []
        self._timers = []  # [(time, function)]
        self._calls = []
        self._wake_r, self._wake_w = socket.socketpair()
        self._wake_r.setblocking(False)
        self._selector.register(self._wake_r, selectors.EVENT_READ, lambda _: self._wake_r.recv(4096))
        self._running = False
        self._thread = None

    # -- life

    def start(self):
        self.open_sockets()
        self._running = True
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()
        return self

    def stop(self):
        if self._thread:
            self.call(self._stop)
            self._thread.join(10)
            self._thread = None

    def __enter__(self):
        return self if self._thread else self.start()

    def __exit__(self, *_):
        self.stop()

    def restart(self):
        """Close everything, forget what lives in memory, listen on the same ports again."""
        self.call(self._restart)

    def pause_service(self):
        """Close all sockets but keep the ports in mind: the server is down until `resume_service`."""
        self.call(self._close_all)
        self.add("down")

    def resume_service(self):
        self.call(self._restart)

    def call(self, function, timeout=10):
        """Run `function` on the loop thread; returns its result."""
        if threading.current_thread() is self._thread:
            return function()
        done, box = threading.Event(), {}

        def job():
            try:
                box["result"] = function()
            except Exception as error:  # pylint: disable=broad-except
                box["error"] = error
            done.set()

        self._calls.append(job)
        with contextlib.suppress(OSError):  # the loop may have done it, and even ended, already
            self._wake_w.send(b"x")
        if not done.wait(timeout):
            raise TimeoutError(f"{self.name} does not react")
        if "error" in box:
            raise box["error"]
        return box.get("result")

    # -- for subclasses

    def open_sockets(self):
        raise NotImplementedError

    def forget_memory(self):
        """Called on restart."""

    def listen(self, host, port, tag):
        sock = bind(socket.SOCK_STREAM, host, port)
        self._listeners.append(sock)
        self._selector.register(sock, selectors.EVENT_READ, lambda _: self._accept(sock, tag))
        return sock.getsockname()[1]

    def listen_udp(self, host, port):
        sock = bind(socket.SOCK_DGRAM, host, port)
        self._listeners.append(sock)
        self._selector.register(sock, selectors.EVENT_READ, lambda _: self._datagram(sock))
        return sock

    def after(self, seconds, function):
        self._timers.append((time.monotonic() + seconds, function))

    def on_accept(self, link):
        pass

    def on_data(self, link, data):
        pass

    def on_drained(self, link):
        pass

    def on_close(self, link):
        pass

    def on_datagram(self, sock, data, peer):
        pass

    # -- inside

    def watch(self, sock, old, new, handler):
        if not old:
            self._selector.register(sock, new, handler)
        elif not new:
            self._selector.unregister(sock)
        else:
            self._selector.modify(sock, new, handler)

    def forget(self, link):
        if link._mask:  # pylint: disable=protected-access
            self._selector.unregister(link.sock)
        link.sock.close()
        self.links.discard(link)
        self.on_close(link)

    def _accept(self, sock, tag):
        try:
            accepted, peer = sock.accept()
        except OSError:
            return
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(self, accepted, peer, tag)
        self.links.add(link)
        link.resume()
        self.on_accept(link)

    def _datagram(self, sock):
        try:
            data, peer = sock.recvfrom(65536)
        except OSError:
            return
        self.on_datagram(sock, data, peer[:2])

    def _close_all(self):
        for sock in self._listeners:
            self._selector.unregister(sock)
            sock.close()
        self._listeners.clear()
        for link in list(self.links):
            link._drop()  # pylint: disable=protected-access
        self._timers.clear()

    def _restart(self):
        self._close_all()
        self.forget_memory()
        self.open_sockets()
        self.add("restart")

    def _stop(self):
        self._close_all()
        self._running = False

    def _run(self):
        while self._running:
            for key, mask in self._selector.select(self._next_wait()):
                key.data(mask)
            now = time.monotonic()
            due = [t for t in self._timers if t[0] <= now]
            self._timers = [t for t in self._timers if t[0] > now]
            for _, function in due:
                function()
            for link in list(self.links):
                if link.idle_limit and now - link.last_input > link.idle_limit:
                    link.close()
            while self._calls:
                self._calls.pop(0)()
        self._selector.close()
        self._wake_r.close()
        self._wake_w.close()

    def _next_wait(self):
        now = time.monotonic()
        due = [t[0] for t in self._timers]
        due += [link.last_input + link.idle_limit for link in self.links if link.idle_limit]
        return max(0.0, min(due) - now + 0.001) if due else None


def serve_program(server, ready):
    """Run a server as a program: print the READY line, then events as they come, until a signal or end of stdin."""
    import signal
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with server:
        print("READY", *(f"{k}={v}" for k, v in ready(server).items()), flush=True)
        stop.wait()
