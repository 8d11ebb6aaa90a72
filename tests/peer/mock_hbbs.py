# SPDX-License-Identifier: GPL-3.0-or-later
"""A mock rendezvous server that decides as the open source hbbs does (wire.md §2.4, §3, §4, §5).

In process:  with MockHbbs() as hbbs: ... hbbs.address, hbbs.key, hbbs.wait_for("register_pk", 5)
As program:  mock_hbbs.py [--host H] [--port P] [--seed HEX] [--no-key]   -> "READY port=.. nat=.. relay=.. key=.."

Events: every message received is one, `kind` = its name ("register_peer", "punch_hole_sent", ...), `info["via"]` =
"udp", "tcp" or "nat"; everything sent is "sent:<name>"; besides "garbage", "dropped", "tcp_open", "tcp_close",
"refused" (with `info["why"]`), "undeliverable", "restart", "down".
"""

import sys

if __package__ in (None, ""):  # run as a program
    import pathlib
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    __package__ = "peer"  # pylint: disable=redefined-builtin
    import peer  # noqa: F401  pylint: disable=unused-import

import argparse
import base64
import collections
import dataclasses
import ipaddress
import os
import socket
import time

from google.protobuf.message import DecodeError
from nacl import bindings as sodium

from . import addr, handshake, netloop, pb

OFFLINE_AFTER = 30.0
_IDLE = 30.0
_Result = pb.RegisterPkResponse


@dataclasses.dataclass
class _Peer:
    """A device as hbbs remembers it; only uuid, pk and ip survive a restart (its database)."""

    uuid: bytes = b""
    pk: bytes = b""
    ip: str = ""
    address: tuple = ("0.0.0.0", 0)
    last_registration: float = float("-inf")
    pk_count: int = 0
    pk_time: float = float("-inf")


class MockHbbs(netloop.ServerLoop):
    """The server. Attributes marked (script) may be changed by tests at any time."""

    name = "mock-hbbs"

    def __init__(self, hosts=("127.0.0.1",), port=0, *, seed=None, enforce_key=True, signing=True, relay_servers=()):
        """hosts: addresses to listen on ("::1" for IPv6, "::" for dual-stack). port 0: a free block, nat = port - 1.

        seed: 32 bytes of the Ed25519 key. enforce_key=False: clients need no key (hbbs -k ""), pks are still signed.
        signing=False: no secret key, PunchHoleResponse.pk stays empty (hbbs -k some-word).
        """
        super().__init__()
        self.hosts = (hosts,) if isinstance(hosts, str) else tuple(hosts)
        self.port = port or netloop.free_port_block(self.hosts) + 1
        public, self._secret = sodium.crypto_sign_seed_keypair(seed or os.urandom(32))
        self.public_key = public
        self._enforce_key, self._signing = enforce_key, signing
        self.relay_servers = list(relay_servers)  # (script) given to both sides when not empty
        self._udp = []
        self._memory = {}  # id -> _Peer
        self._database = {}  # id -> (uuid, pk, ip)
        self._waiting = {}  # addr.key(client) -> Link, removed when an answer is delivered
        self._blocker = {}  # ip -> [count, last]
        # (script) behaviour
        self.mode = "auto"  # or "punch", "fetch-local", "relay": what a PunchHoleRequest turns into
        self.mode_for = {}  # client ip, or (ip, port) -> mode, overriding `mode`
        self.serial = 0
        self.rendezvous_servers = []
        self.symmetric_nat = False  # the NAT test port reports another port
        self.nat_test = True  # False: both NAT test ports stay silent
        self.rate_limits = True
        self.online_after_pk_only = False  # True: as if nothing but RegisterPk ever refreshed the address
        # (script) faults
        self.pk_results = collections.deque()  # results for the next RegisterPk's, by name or number
        self.drop_incoming = 0  # number of datagrams to ignore
        self.garbage_replies = 0  # number of datagrams to answer with rubbish
        self.force_request_pk = 0  # number of RegisterPeer's to answer with request_pk
        self.silent = False  # no UDP answer, no push; TCP is accepted and ignored
        self.refuse_tcp = False  # accept and close at once
        self.spoof_replies = False  # answers and pushes come from another socket
        self.swallow_answers = False  # device answers are not forwarded to the client

    # ------------------------------------------------------------------ what tests ask

    @property
    def host(self):
        return self.hosts[0]

    @property
    def address(self):
        """For the configuration of devices and clients: "host:port"."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def key(self):
        """The server key as users type it, or "" when it is not enforced and signs nothing."""
        return base64.b64encode(self.public_key).decode() if self._signing or self._enforce_key else ""

    def registered(self, device_id):
        """(address, pk) of a device that is online, else None."""
        peer = self._memory.get(device_id)
        if peer is None or time.monotonic() - peer.last_registration >= OFFLINE_AFTER:
            return None
        return peer.address, peer.pk

    def wait_online(self, device_id, timeout):
        """Wait until the device can be dialled; returns its UDP address."""
        self.wait_for(lambda e: e.kind == "online" and e.info["id"] == device_id and self.registered(device_id),
                      timeout)
        return self.registered(device_id)[0]

    def script_register_pk(self, *results):
        """Answer the next RegisterPk's so, before deciding again: "UUID_MISMATCH", "TOO_FREQUENT", ..."""
        self.pk_results.extend(_Result.Result.Value(r) if isinstance(r, str) else r for r in results)

    def push(self, device_id, spoof=False, **union):
        """Send any RendezvousMessage to the registered address of a device; spoof: from another socket."""
        msg = pb.rendezvous(**union)
        self.call(lambda: self._send_udp(msg, self._memory[device_id].address, spoof))

    def push_raw(self, device_id, data, spoof=False):
        """Send any bytes to a device."""
        self.call(lambda: self._send_datagram(data, self._memory[device_id].address, spoof))

    def take_over(self, device_id, uuid=b"another machine", pk=bytes(32)):
        """Let somebody else own the id, so that RegisterPk gives UUID_MISMATCH."""
        self.call(lambda: self._database.__setitem__(device_id, (uuid, pk, "192.0.2.1"))
                  or self._memory.pop(device_id, None))

    def forget_memory(self):
        self._memory.clear()
        self._waiting.clear()
        self._blocker.clear()

    def forget_database(self):
        """With the next restart, as if the sqlite file had been deleted."""
        self.call(self._database.clear)

    # ------------------------------------------------------------------ sockets

    def open_sockets(self):
        self._udp = []
        for host in self.hosts:
            self.listen(host, self.port, "tcp")
            self.listen(host, self.port - 1, "nat")
            self._udp.append(self.listen_udp(host, self.port))

    def _send_udp(self, msg, address, spoof=False):
        self.add("sent:" + msg.WhichOneof("union"), address, getattr(msg, msg.WhichOneof("union")), via="udp")
        self._send_datagram(msg.SerializeToString(), address, spoof)

    def _send_datagram(self, data, address, spoof=False):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        if spoof or self.spoof_replies:
            with socket.socket(family, socket.SOCK_DGRAM) as other:
                other.sendto(data, address)
            return
        for sock in self._udp:
            if sock.family == family:
                sock.sendto(data, address)
                return

    # ------------------------------------------------------------------ UDP 21116

    def on_datagram(self, sock, data, peer):
        if self.drop_incoming > 0:
            self.drop_incoming -= 1
            self.add("dropped", peer, data=data)
            return
        try:
            msg = pb.RendezvousMessage.FromString(data)
        except DecodeError:
            self.add("garbage", peer, via="udp", data=data)
            return
        kind = msg.WhichOneof("union")
        if kind is None:
            self.add("garbage", peer, via="udp", data=data)
            return
        content = getattr(msg, kind)
        self.add(kind, peer, content, via="udp")
        if self.silent:
            return
        if self.garbage_replies > 0:
            self.garbage_replies -= 1
            self._send_datagram(b"\xff\xff\xff rubbish", peer)
            return
        if kind == "register_peer" and content.id:
            self._register_peer(content, peer)
        elif kind == "register_pk":
            self._register_pk(content, peer)
        # PunchHoleSent, LocalAddr and PunchHoleRequest over UDP are ignored (wire.md §5.1)

    def _load(self, device_id):
        """The device from memory, else from the database into memory, else None."""
        peer = self._memory.get(device_id)
        if peer is None and device_id in self._database:
            uuid, pk, ip = self._database[device_id]
            peer = self._memory[device_id] = _Peer(uuid, pk, ip)
        return peer

    def _register_peer(self, msg, source):
        """wire.md §3.1: request_pk when unknown in memory, without pk, or from another (non-loopback) IP."""
        peer = self._memory.get(msg.id)
        request_pk = True
        if peer is not None:
            known = peer.address[0] if peer.address[1] else peer.ip
            moved = source[0] != known and not ipaddress.ip_address(source[0]).is_loopback
            request_pk = not peer.pk or moved
        if self.force_request_pk > 0:
            self.force_request_pk -= 1
            request_pk = True
        if not request_pk and not self.online_after_pk_only:
            self._set_online(msg.id, peer, source)
        self._send_udp(pb.rendezvous(register_peer_response=pb.RegisterPeerResponse(request_pk=request_pk)), source)
        if self.serial > msg.serial:
            self._send_udp(pb.rendezvous(configure_update=self._config_update()), source)

    def _set_online(self, device_id, peer, source):
        peer.address = source
        peer.last_registration = time.monotonic()
        self.add("online", source, id=device_id)

    def _register_pk(self, msg, source):
        """The decisions of wire.md §2.4, in order."""
        if not msg.uuid or not msg.pk:
            self.add("refused", source, msg, why="empty uuid or pk")
            return
        result = self.pk_results.popleft() if self.pk_results else self._judge_pk(msg, source)
        self._send_udp(pb.rendezvous(register_pk_response=_Result(result=result)), source)

    def _judge_pk(self, msg, source):
        ip = source[0]
        if len(msg.id.encode()) < 6:
            return _Result.UUID_MISMATCH
        if self.rate_limits and self._blocked(ip):
            return _Result.TOO_FREQUENT
        peer = self._load(msg.id) or self._memory.setdefault(msg.id, _Peer())
        changed = True
        if peer.uuid:
            if peer.uuid != msg.uuid or (peer.ip != ip and peer.pk != msg.pk):
                return _Result.UUID_MISMATCH
            changed = peer.pk != msg.pk or peer.ip != ip
        now = time.monotonic()
        if now - peer.pk_time >= 7:  # whole seconds > 6
            peer.pk_count = 0
        elif peer.pk_count > 2 and self.rate_limits:
            return _Result.TOO_FREQUENT
        peer.pk_count += 1
        peer.pk_time = now
        if changed:  # and only then is the address set: the trap of wire.md §2.4
            peer.uuid, peer.pk, peer.ip = msg.uuid, msg.pk, ip
            self._database[msg.id] = (msg.uuid, msg.pk, ip)
            self._set_online(msg.id, peer, source)
        return _Result.OK

    def _blocked(self, ip):
        now = time.monotonic()
        counter = self._blocker.setdefault(ip, [-1, now])
        if now - counter[1] >= 61:
            counter[0] = 0
        elif counter[0] > 30:
            return True
        counter[0] += 1
        counter[1] = now
        return False

    def _config_update(self):
        return pb.ConfigUpdate(serial=self.serial, rendezvous_servers=self.rendezvous_servers)

    # ------------------------------------------------------------------ TCP 21116 and 21115

    def on_accept(self, link):
        self.add("tcp_open", link.peer, via=link.tag)
        if self.refuse_tcp:
            link.close()
        link.idle_limit = _IDLE

    def on_close(self, link):
        if self._waiting.get(addr.key(link.peer)) is link:
            del self._waiting[addr.key(link.peer)]
        self.add("tcp_close", link.peer, via=link.tag)

    def on_data(self, link, data):
        link.decoder.feed(data)
        while link.open and (payload := link.decoder.next()) is not None:
            try:
                msg = pb.RendezvousMessage.FromString(payload)
            except DecodeError:
                msg = pb.RendezvousMessage()
            kind = msg.WhichOneof("union")
            if kind is None:
                self.add("garbage", link.peer, via=link.tag, data=payload)
                if not self.silent:
                    link.close()
                return
            content = getattr(msg, kind)
            self.add(kind, link.peer, content, via=link.tag)
            if self.silent:
                continue
            if not (self._on_nat_test if link.tag == "nat" else self._on_tcp)(link, kind, content):
                link.close()  # as hbbs: only PunchHoleRequest and RequestRelay keep the connection

    def _on_tcp(self, link, kind, msg):
        """One message on 21116; True keeps the connection."""
        if kind == "punch_hole_request":
            self._waiting[addr.key(link.peer)] = link
            self._punch_hole_request(msg, link.peer)
            return True
        if kind == "request_relay":
            self._waiting[addr.key(link.peer)] = link
            self._request_relay(msg, link.peer)
            return True
        if kind == "relay_response":
            self._relay_response(msg)
        elif kind == "punch_hole_sent":
            self._deliver(addr.decode(msg.socket_addr), pb.rendezvous(punch_hole_response=pb.PunchHoleResponse(
                socket_addr=addr.encode(link.peer), pk=self._signed_pk(msg.id, msg.version),
                relay_server=msg.relay_server, nat_type=msg.nat_type)))
        elif kind == "local_addr":
            self._deliver(addr.decode(msg.socket_addr), pb.rendezvous(punch_hole_response=pb.PunchHoleResponse(
                socket_addr=msg.local_addr, pk=self._signed_pk(msg.id, msg.version),
                relay_server=msg.relay_server, is_local=True)))
        elif kind == "test_nat_request":
            self._answer_nat_test(link, msg, 0)
            return not self.nat_test
        elif kind == "register_pk":
            self._send_tcp(link, pb.rendezvous(register_pk_response=_Result(result=_Result.NOT_SUPPORT)))
        return False

    def _on_nat_test(self, link, kind, msg):
        """One message on 21115."""
        if kind == "test_nat_request":
            self._answer_nat_test(link, msg, 1)
            return not self.nat_test
        if kind == "online_request":
            self._answer_online(link, msg)
        return False

    def _answer_nat_test(self, link, msg, which):
        if not self.nat_test:
            return
        port = link.peer[1] + (which if self.symmetric_nat else 0)
        answer = pb.TestNatResponse(port=port)
        if which == 0 and self.serial > msg.serial:
            answer.cu.CopyFrom(self._config_update())
        self._send_tcp(link, pb.rendezvous(test_nat_response=answer))

    def _answer_online(self, link, msg):
        states = bytearray((len(msg.peers) + 7) // 8)
        for i, device_id in enumerate(msg.peers):
            if self.registered(device_id):
                states[i // 8] |= 0x80 >> i % 8
        self._send_tcp(link, pb.rendezvous(online_response=pb.OnlineResponse(states=bytes(states))))

    def _send_tcp(self, link, msg):
        kind = msg.WhichOneof("union")
        self.add("sent:" + kind, link.peer, getattr(msg, kind), via=link.tag)
        link.send(msg)

    # ------------------------------------------------------------------ signalling (wire.md §5)

    def _punch_hole_request(self, msg, client):
        failure = self._refusal(msg)
        if failure is not None:
            self.add("refused", client, msg, why=pb.PunchHoleResponse.Failure.Name(failure))
            self._deliver(client, pb.rendezvous(punch_hole_response=pb.PunchHoleResponse(failure=failure)))
            return
        device = self._load(msg.id).address
        relay_server = self.relay_servers[0] if self.relay_servers else ""
        mode = self._mode(client, device)
        blurred = addr.encode(client)
        if mode == "fetch-local":
            push = pb.rendezvous(fetch_local_addr=pb.FetchLocalAddr(socket_addr=blurred, relay_server=relay_server))
        else:
            nat_type = pb.NAT_SYMMETRIC if mode == "relay" else msg.nat_type
            push = pb.rendezvous(punch_hole=pb.PunchHole(
                socket_addr=blurred, relay_server=relay_server, nat_type=nat_type))
        self._send_udp(push, device)

    def _refusal(self, msg):
        failures = pb.PunchHoleResponse
        if self._enforce_key and msg.licence_key != self.key:
            return failures.LICENSE_MISMATCH
        if self._load(msg.id) is None:
            return failures.ID_NOT_EXIST
        return None if self.registered(msg.id) else failures.OFFLINE

    def _mode(self, client, device):
        """FetchLocalAddr for two ends behind one public IP, else PunchHole; or as scripted."""
        mode = self.mode_for.get(client, self.mode_for.get(client[0], self.mode))
        if mode == "auto":
            same = addr.normalise(client[0]) == addr.normalise(device[0])
            return "fetch-local" if same else "punch"
        return mode

    def _request_relay(self, msg, client):
        """Forwarded only when the id is in memory, whether online or not; no key check (that is hbbr's)."""
        peer = self._memory.get(msg.id)
        if peer is None:
            self.add("refused", client, msg, why="not in memory")
            return
        push = pb.RequestRelay()
        push.CopyFrom(msg)
        push.socket_addr = addr.encode(client)
        self._send_udp(pb.rendezvous(request_relay=push), peer.address)

    def _relay_response(self, msg):
        """Device to client: socket_addr goes, id becomes the signed pk."""
        client = addr.decode(msg.socket_addr)
        answer = pb.RelayResponse()
        answer.CopyFrom(msg)
        answer.socket_addr = b""
        if msg.id:
            answer.pk = self._signed_pk(msg.id, msg.version)
        self._deliver(client, pb.rendezvous(relay_response=answer))

    def _signed_pk(self, device_id, version):
        """Empty without version or server secret, or for an unknown id (wire.md §5.1)."""
        peer = self._load(device_id)
        if not version or not self._signing or peer is None:
            return b""
        return handshake.sign_id_pk(device_id, peer.pk, self._secret)

    def _deliver(self, client, msg):
        """To the client's TCP connection that is still open and unanswered; once."""
        if self.swallow_answers:
            return
        link = self._waiting.pop(addr.key(client), None)
        if link is None or not link.open:
            kind = msg.WhichOneof("union")
            self.add("undeliverable", client, getattr(msg, kind), of=kind)
            return
        self._send_tcp(link, msg)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", action="append", help="address to listen on; may be repeated (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=bytes.fromhex, help="64 hex digits: seed of the server key")
    parser.add_argument("--no-key", action="store_true", help="do not ask clients for the key")
    parser.add_argument("--mode", default="auto", choices=("auto", "punch", "fetch-local", "relay"))
    args = parser.parse_args()
    server = MockHbbs(args.host or ("127.0.0.1",), args.port, seed=args.seed, enforce_key=not args.no_key)
    server.mode = args.mode
    netloop.serve_program(server, lambda s: {"port": s.port, "nat": s.port - 1, "relay": s.port + 1, "key": s.key})


if __name__ == "__main__":
    main()
