# SPDX-License-Identifier: GPL-3.0-or-later
"""A framed, optionally sealed TCP connection; blocking calls with deadlines, no threads (wire.md §1.1, §1.3, §1.5)."""

import errno
import select
import socket
import time

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from . import framing

CONNECT_TIMEOUT = 18.0
"""Seconds for a connect, an accept or one handshake step (wire.md §16)."""


class PeerClosed(Exception):
    """The other side ended the connection."""


class PeerTimeout(Exception):
    """Nothing (complete) arrived in time."""


class DecryptError(Exception):
    """A sealed frame did not open; fatal for the stream."""


class Deadline:
    """A point in time that several waits share."""

    def __init__(self, seconds):
        self._end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self._end - time.monotonic())

    def passed(self):
        return self.left() == 0.0


class Sealer:
    """One direction of secretbox sealing: counter nonce, incremented before use, so the first frame has 1."""

    def __init__(self, key):
        self._key = key
        self.count = 0

    def _nonce(self):
        self.count += 1
        return self.count.to_bytes(8, "little") + bytes(16)

    def seal(self, plain):
        return sodium.crypto_secretbox(plain, self._nonce(), self._key)

    def open(self, sealed):
        try:
            return sodium.crypto_secretbox_open(sealed, self._nonce(), self._key)
        except (CryptoError, ValueError) as error:
            raise DecryptError(f"frame {self.count} of {len(sealed)} bytes does not open") from error


def resolve(host, port, local=None):
    """The first (family, sockaddr) of a numeric or local name; of the family of `local`, an address to bind to."""
    family = socket.AF_UNSPEC
    if local:
        family = socket.AF_INET6 if ":" in local[0] else socket.AF_INET
    info = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)[0]
    return info[0], info[4]


def split_address(text, default_port):
    """("host", port) of "host", "host:port", "[v6]:port" or a bare IPv6 literal."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest else default_port
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, int(port)
    return text, default_port


def reusable_socket(family, local=None):
    """A TCP socket with both reuse flags set before an explicit bind, as stock makes every one (wire.md §1.5)."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    any_host = "::" if family == socket.AF_INET6 else "0.0.0.0"
    sock.bind(local or (any_host, 0))
    return sock


class Conn:
    """One framed connection. `sent` and `received` count frames; `received_bytes` counts what came off the socket."""

    def __init__(self, sock):
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.local = sock.getsockname()
        self.remote = sock.getpeername()
        self.sent = 0
        self.received = 0
        self.received_bytes = 0
        self._decoder = framing.Decoder()
        self._eof = None  # text once the peer ended the stream
        self._tx = None
        self._rx = None

    @classmethod
    def connect(cls, host, port, *, local=None, timeout=CONNECT_TIMEOUT, rcvbuf=None):
        """Connect; `local` is an address to bind to, `rcvbuf` a small receive buffer for slow-client tests."""
        family, target = resolve(host, port, local)
        sock = reusable_socket(family, local)
        if rcvbuf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        sock.settimeout(timeout)
        try:
            sock.connect(target)
        except (socket.timeout, TimeoutError) as error:
            sock.close()
            raise PeerTimeout(f"connect to {host}:{port}") from error
        except OSError as error:
            sock.close()
            if error.errno in (errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETUNREACH):
                raise PeerClosed(f"connect to {host}:{port}: {error}") from error
            raise
        return cls(sock)

    # -- sealing

    def seal(self, key):
        """Encrypt everything from now on, both ways."""
        self._tx, self._rx = Sealer(key), Sealer(key)

    @property
    def sealed(self):
        return self._tx is not None

    # -- frames

    def send_frame(self, payload, timeout=CONNECT_TIMEOUT):
        """Send one payload, sealed if sealing is on."""
        self.send_bytes(framing.frame(self._tx.seal(payload) if self._tx else payload), timeout)
        self.sent += 1

    def recv_frame(self, timeout):
        """The next payload. Payloads of 0 or 1 byte are never sealed and do not count (wire.md §1.3)."""
        deadline = Deadline(timeout)
        while True:
            payload = self._decoder.next()
            if payload is not None:
                self.received += 1
                if self._rx and len(payload) > 1:
                    return self._rx.open(payload)
                return payload
            self._fill(deadline)

    def send_msg(self, msg, timeout=CONNECT_TIMEOUT):
        self.send_frame(msg.SerializeToString(), timeout)

    def recv_msg(self, kind, timeout):
        """The next payload parsed as the protobuf class `kind`."""
        return kind.FromString(self.recv_frame(timeout))

    # -- raw bytes (port forwarding, deliberate rubbish)

    def send_bytes(self, data, timeout=CONNECT_TIMEOUT):
        """Bytes as they are. Reads on while the peer does not take them, so that both cannot wait for each other."""
        deadline = Deadline(timeout)
        view = memoryview(data)
        while view:
            try:
                view = view[self.sock.send(view):]
            except BlockingIOError:
                self._wait(select.POLLIN | select.POLLOUT, deadline, "send")
                self._read_some()
            except (BrokenPipeError, ConnectionResetError) as error:
                raise PeerClosed(f"send: {error}") from error

    def recv_bytes(self, timeout):
        """Whatever bytes are there next, without framing."""
        rest = self._decoder.take_rest()
        if not rest:
            self._fill(Deadline(timeout))
            rest = self._decoder.take_rest()
        return rest

    def wait_closed(self, timeout):
        """Wait until the peer ends the stream; returns the frames seen before that."""
        frames = []
        deadline = Deadline(timeout)
        while True:
            try:
                frames.append(self.recv_frame(deadline.left()))
            except PeerClosed:
                return frames

    # -- waiting

    def fileno(self):
        return self.sock.fileno()

    def _wait(self, events, deadline, what):
        poller = select.poll()
        poller.register(self.sock, events)
        if not poller.poll(deadline.left() * 1000):
            raise PeerTimeout(f"{what}: nothing for too long ({self.remote})")

    def _read_some(self):
        if self._eof:
            return
        try:
            data = self.sock.recv(1 << 18)
        except BlockingIOError:
            return
        except (ConnectionResetError, TimeoutError) as error:
            self._eof = str(error)
            return
        if not data:
            self._eof = "end of stream"
        self.received_bytes += len(data)
        self._decoder.feed(data)

    def _fill(self, deadline):
        if self._eof:
            raise PeerClosed(self._eof)
        self._wait(select.POLLIN, deadline, "receive")
        self._read_some()

    # -- end

    def shutdown_send(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """End with RST: no linger, as a crashed client or a lost mapping would."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, (1).to_bytes(4, "little") + bytes(4))
        self.sock.close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
