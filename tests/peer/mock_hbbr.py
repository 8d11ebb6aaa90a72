# SPDX-License-Identifier: GPL-3.0-or-later
"""A mock relay server: pairs two connections by uuid, then pipes raw bytes, and never says a word (wire.md §6).

In process:  with MockHbbr(port=hbbs.port + 1, key=hbbs.key) as hbbr: ... hbbr.wait_for("paired", 5)
As program:  mock_hbbr.py [--host H] [--port P] [--key KEY]   -> "READY port=.."

Events: "request_relay" (msg), "parked", "paired" (info uuid, sides), "dropped" (info why), "unpaired", "closed".
"""

import sys

if __package__ in (None, ""):  # run as a program
    import pathlib
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    __package__ = "peer"  # pylint: disable=redefined-builtin
    import peer  # noqa: F401  pylint: disable=unused-import

import argparse

from google.protobuf.message import DecodeError

from . import netloop, pb

FIRST_FRAME = 30.0
PARK = 30.0
IDLE = 30.0


class MockHbbr(netloop.ServerLoop):
    """The relay. Attributes marked (script) may be changed by tests at any time."""

    name = "mock-hbbr"

    def __init__(self, hosts=("127.0.0.1",), port=0, *, key=""):
        """key: what licence_key must equal, byte for byte; empty = not checked."""
        super().__init__()
        self.hosts = (hosts,) if isinstance(hosts, str) else tuple(hosts)
        self.port = port or netloop.free_port_block(self.hosts, 1)
        self.key = key
        self.park_seconds = PARK  # (script)
        self.idle_seconds = IDLE  # (script)
        self.refuse = False  # (script) accept and close at once
        self.stalled = False  # (script) read nothing from paired connections: a dead network
        self.pairing_races = 0  # (script) number of pairings to spoil as a race in the real hbbr does, see _lose_race
        self._parked = {}  # uuid -> Link
        self._other = {}  # Link -> Link

    @property
    def address(self):
        host = self.hosts[0]
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def open_sockets(self):
        for host in self.hosts:
            self.listen(host, self.port, "relay")

    def forget_memory(self):
        self._parked.clear()
        self._other.clear()

    def pairs(self):
        """How many sessions run now."""
        return len(self._other) // 2

    def cut(self):
        """End all relayed sessions."""
        self.call(lambda: [link.close() for link in list(self._other)])

    def stall(self, on=True):
        """Stop (or go on) forwarding, connections stay open."""
        def job():
            self.stalled = on
            for link in self._other:
                (link.pause if on else link.resume)()
        self.call(job)

    # ------------------------------------------------------------------ loop thread

    def on_accept(self, link):
        if self.refuse:
            link.close()
            return
        link.idle_limit = FIRST_FRAME

    def on_data(self, link, data):
        other = self._other.get(link)
        if other:
            other.last_input = link.last_input  # idle means: no data in either direction
            other.send_bytes(data)
            if other.out_full:
                link.pause()
            return
        link.decoder.feed(data)
        payload = link.decoder.next()
        if payload is not None:
            self._first_frame(link, payload)

    def on_drained(self, link):
        other = self._other.get(link)
        if other and not link.out_full and not self.stalled:
            other.resume()

    def on_close(self, link):
        other = self._other.pop(link, None)
        if other:
            self._other.pop(other, None)
            self.add("closed", link.peer)
            other.close()

    def _first_frame(self, link, payload):
        try:
            msg = pb.RendezvousMessage.FromString(payload)
        except DecodeError:
            msg = pb.RendezvousMessage()
        if msg.WhichOneof("union") != "request_relay":
            self._drop(link, "first frame is no RequestRelay")
            return
        request = msg.request_relay
        self.add("request_relay", link.peer, request)
        if self.key and request.licence_key != self.key:
            self._drop(link, "wrong key")
        elif not request.uuid:
            self._drop(link, "empty uuid")
        elif request.uuid in self._parked and self.pairing_races > 0:
            self._lose_race(link, request.uuid)
        elif request.uuid in self._parked:
            self._pair(self._parked.pop(request.uuid), link, request.uuid)
        else:
            self._park(link, request.uuid)

    def _drop(self, link, why):
        """Silently: the other side just sees the end of the stream."""
        self.add("dropped", link.peer, why=why)
        link.close()

    def _park(self, link, uuid):
        """Not read while parked, as hbbr: even its end goes unnoticed until paired or 30 s passed."""
        self._parked[uuid] = link
        link.idle_limit = None
        link.pause()
        self.add("parked", link.peer, uuid=uuid)

        def expire():
            if self._parked.get(uuid) is link:
                del self._parked[uuid]
                self.add("unpaired", link.peer, uuid=uuid)
                link.close()
        self.after(self.park_seconds, expire)

    def _lose_race(self, link, uuid):
        """Two legs that reach the real hbbr within microseconds both find nobody, and both park.

        The later one takes the place of the earlier, which is closed at once; the later is left alone. (hbbr looks
        and inserts under two separate locks; 13 of 300 simultaneous pairs on one machine.)
        """
        self.pairing_races -= 1
        self._drop(self._parked.pop(uuid), "lost the race")
        self._park(link, uuid)

    def _pair(self, first, second, uuid):
        self._other[first], self._other[second] = second, first
        for link in (first, second):
            link.idle_limit = self.idle_seconds
            link.last_input = second.last_input
        self.add("paired", second.peer, uuid=uuid, sides=(first.peer, second.peer))
        first.send_bytes(second.decoder.take_rest())
        second.send_bytes(first.decoder.take_rest())
        if self.stalled:
            second.pause()
        else:
            first.resume()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", action="append", help="address to listen on; may be repeated (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default="")
    args = parser.parse_args()
    server = MockHbbr(args.host or ("127.0.0.1",), args.port, key=args.key)
    netloop.serve_program(server, lambda s: {"port": s.port})


if __name__ == "__main__":
    main()
