# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny device in Python, so that controller and mocks can be tested before, and without, the agent.

It takes the shortest correct way through wire.md §3, §5, §8, §9, §10.8: registration, the three signalling flows, a
direct listener, password login, a moving H.264 test picture with a frame number. It is a test double, not a model.
"""

import fractions
import os
import select
import socket
import threading
import time
import uuid

import av
import numpy as np
from google.protobuf.message import DecodeError
from nacl import bindings as sodium

from . import addr, card, handshake, pb, rendezvous
from .conn import Conn, PeerClosed, PeerTimeout, reusable_socket, resolve, split_address

SALT = "abcdefghijkmnpqrstuvwxyz23456789"
VERSION = "1.3.8"


class Encoder:
    """x264 without delay; pictures are grey with the card's number strip."""

    def __init__(self, width, height, start=None):
        self._context = av.CodecContext.create("libx264", "w")
        self._context.width, self._context.height = width, height
        self._context.pix_fmt = "yuv420p"
        self._context.time_base = fractions.Fraction(1, 1000)
        self._context.framerate = fractions.Fraction(30, 1)
        self._context.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "9999"}
        self._size = width, height
        self._start = time.monotonic() if start is None else start
        self._last = -1

    def encode(self, number):
        width, height = self._size
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        planes[:height] = 16 + (np.arange(width) + 4 * number) % 220
        card.draw_number(planes[:height], number)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        self._last = frame.pts = max(self._last + 1, int((time.monotonic() - self._start) * 1000))
        (packet,) = self._context.encode(frame)
        return pb.EncodedVideoFrame(data=bytes(packet), key=packet.is_keyframe, pts=frame.pts)


class FakeSession:
    """One peer connection on the device side; runs until the client leaves."""

    def __init__(self, device, conn):
        self.device, self.conn = device, conn
        self.challenge = "k3m9zx"
        self.authorised = False
        self.inputs = []
        self._number = 0
        self._start = time.monotonic()
        self._encoder = None
        self._size = device.size

    def secure(self):
        """Device side of the handshake (wire.md §8.2)."""
        box_public, box_secret = sodium.crypto_box_keypair()
        signed = handshake.sign_id_pk(self.device.id, box_public, self.device.secret)
        self.conn.send_msg(pb.message(signed_id=pb.SignedId(id=signed)))
        reply = self.conn.recv_msg(pb.Message, 18)
        if reply.WhichOneof("union") == "public_key" and reply.public_key.asymmetric_value:
            if len(reply.public_key.asymmetric_value) != 32:
                raise handshake.HandshakeError("bad public key")
            self.conn.seal(handshake.open_symmetric(reply.public_key, box_secret))

    def run(self):
        self.conn.send_msg(pb.message(hash=pb.Hash(salt=SALT, challenge=self.challenge)))
        self.conn.send_msg(pb.misc(permission_info=pb.PermissionInfo(permission=pb.PERM_FILE)))
        self.conn.send_msg(pb.message(test_delay=pb.TestDelay()))
        while not self.device.stopping:
            try:
                self._react(self.conn.recv_msg(pb.Message, 0.03))
            except PeerTimeout:
                if self._encoder:
                    self._send_frame()

    def _react(self, msg):
        kind = msg.WhichOneof("union")
        self.device.note(msg)
        if kind == "login_request":
            self._login(msg.login_request)
        elif kind in ("key_event", "mouse_event"):
            self.inputs.append(getattr(msg, kind))
        elif kind == "misc":
            self._misc(msg.misc)

    def _login(self, request):
        if not request.password:
            return
        h1 = handshake.password_h1(self.device.password, SALT)
        if request.password != handshake.password_proof(h1, self.challenge):
            self.conn.send_msg(pb.message(login_response=pb.LoginResponse(error="Wrong Password")))
            return
        width, height = self._size
        self.conn.send_msg(pb.message(login_response=pb.LoginResponse(peer_info=pb.PeerInfo(
            username="kvm", hostname="fake", platform="Linux", version=VERSION, displays=[pb.DisplayInfo(
                width=width, height=height, online=True, cursor_embedded=True)]))))
        self._restart()

    def _misc(self, misc):
        kind = misc.WhichOneof("union")
        if kind in ("refresh_video", "refresh_video_display"):
            self._restart()
        elif kind == "message_query":
            self.resize(*self._size)
        elif kind == "change_display_resolution":
            resolution = misc.change_display_resolution.resolution
            self.resize(resolution.width, resolution.height)
        elif kind == "close_reason":
            raise PeerClosed("close_reason")

    def resize(self, width, height):
        self._size = width, height
        self.conn.send_msg(pb.misc(switch_display=pb.SwitchDisplay(width=width, height=height)))
        self._restart()

    def _restart(self):
        self._encoder = Encoder(*self._size, self._start)
        self._send_frame()

    def _send_frame(self):
        self._number += 1
        if self.device.drop_frame == self._number:
            self._encoder.encode(self._number)  # encoded, never sent: breaks the chain of references
            return
        frame = self._encoder.encode(self._number)
        self.conn.send_msg(pb.message(video_frame=pb.VideoFrame(h264s=pb.EncodedVideoFrames(frames=[frame]))))


class FakeDevice:
    """Registers at hbbs, answers pushes, serves sessions; use as a context manager."""

    def __init__(self, hbbs="", device_id="123456789", password="Passw0rd!", *, server_key="", relay_server="",
                 nat_type=pb.NAT_ASYMMETRIC, size=(640, 360), host="127.0.0.1"):
        self.hbbs, self.id, self.password, self.server_key = hbbs, device_id, password, server_key
        self.relay_server, self.nat_type, self.size, self.host = relay_server, nat_type, size, host
        self.public, self.secret = sodium.crypto_sign_keypair()
        self.uuid = os.urandom(16)
        self.stopping = False
        self.drop_frame = None
        self.messages = []
        self.registrations = 0
        self._changed = threading.Condition()
        self.errors = []
        self.direct_port = None
        self._sockets = []
        self._threads = []

    def note(self, msg):
        with self._changed:
            self.messages.append(msg)
            self._changed.notify_all()

    def wait_for(self, predicate, timeout):
        """Wait until `predicate()` holds; looked at whenever a session received something."""
        with self._changed:
            if not self._changed.wait_for(predicate, timeout):
                raise TimeoutError(f"last messages: {self.messages[-5:]}")

    # -- life

    def __enter__(self):
        listener = socket.create_server((self.host, 0), family=socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        self.direct_port = listener.getsockname()[1]
        self._sockets.append(listener)
        self._spawn(self._direct, listener)
        if self.hbbs:
            family, target = resolve(*split_address(self.hbbs, rendezvous.HBBS_PORT))
            udp = socket.socket(family, socket.SOCK_DGRAM)
            udp.bind((self.host, 0))
            self._sockets.append(udp)
            self._spawn(self._register, udp, target)
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self._threads:
            thread.join(10)
        for sock in self._sockets:
            sock.close()

    def _spawn(self, function, *args):
        def run():
            try:
                function(*args)
            except (PeerClosed, PeerTimeout):
                pass
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(error)
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _readable(self, sock):
        """Wait for input; False once the device stops."""
        while not self.stopping:
            if select.select([sock], [], [], 0.05)[0]:
                return True
        return False

    def _direct(self, listener):
        while self._readable(listener):
            self._spawn(self._serve, Conn(listener.accept()[0]), False)

    def _serve(self, conn, secure):
        with conn:
            session = FakeSession(self, conn)
            if secure:
                session.secure()
            session.run()

    # -- registration (wire.md §21.1)

    def wait_online(self, timeout, more_than=0):
        """Wait until hbbs took more than so many RegisterPeers without asking for the key."""
        self.wait_for(lambda: self.registrations > more_than, timeout)

    def _register(self, udp, server):
        def send(**union):
            udp.sendto(pb.rendezvous(**union).SerializeToString(), server)

        due = 0.0
        while not self.stopping:
            if time.monotonic() >= due:
                send(register_peer=pb.RegisterPeer(id=self.id, serial=3))
                due = time.monotonic() + 1.0
            if not select.select([udp], [], [], 0.05)[0]:
                continue
            data, source = udp.recvfrom(65536)
            if source[:2] != server[:2]:
                continue
            try:
                msg = pb.RendezvousMessage.FromString(data)
            except DecodeError:
                continue
            kind = msg.WhichOneof("union")
            if kind == "register_peer_response":
                if msg.register_peer_response.request_pk:
                    send(register_pk=pb.RegisterPk(id=self.id, uuid=self.uuid, pk=self.public))
                else:
                    with self._changed:
                        self.registrations += 1
                        self._changed.notify_all()
            elif kind == "register_pk_response":
                send(register_peer=pb.RegisterPeer(id=self.id, serial=3))
            elif kind in ("punch_hole", "fetch_local_addr", "request_relay"):
                self._spawn(getattr(self, "_" + kind), getattr(msg, kind))

    # -- signalling (wire.md §5)

    def _relay_name(self, given):
        host, port = split_address(self.hbbs, rendezvous.HBBS_PORT)
        bracketed = f"[{host}]" if ":" in host else host
        return self.relay_server or given or f"{bracketed}:{port + 1}"

    def _open_hbbs(self):
        return Conn.connect(*split_address(self.hbbs, rendezvous.HBBS_PORT), local=(self.host, 0))

    def _punch_hole(self, msg):
        if pb.NAT_SYMMETRIC in (msg.nat_type, self.nat_type):
            self._initiate_relay(msg)
            return
        with self._open_hbbs() as hbbs:
            peer = addr.decode(msg.socket_addr)
            try:
                Conn.connect(*peer, local=hbbs.local[:2], timeout=0.03).close()
            except (PeerClosed, PeerTimeout, OSError):
                pass
            listener = self._listen(hbbs.local[:2])
            hbbs.send_msg(pb.rendezvous(punch_hole_sent=pb.PunchHoleSent(
                socket_addr=msg.socket_addr, id=self.id, relay_server=self._relay_name(msg.relay_server),
                nat_type=self.nat_type, version=VERSION)))
        self._accept_one(listener)

    def _fetch_local_addr(self, msg):
        with self._open_hbbs() as hbbs:
            listener = self._listen(hbbs.local[:2])
            hbbs.send_msg(pb.rendezvous(local_addr=pb.LocalAddr(
                socket_addr=msg.socket_addr, local_addr=addr.encode(hbbs.local), id=self.id, version=VERSION,
                relay_server=self._relay_name(msg.relay_server))))
        self._accept_one(listener)

    @staticmethod
    def _listen(local):
        """Listen before the answer goes out: a client on the same machine connects within microseconds after it."""
        listener = reusable_socket(socket.AF_INET6 if ":" in local[0] else socket.AF_INET, local)
        listener.listen(1)
        return listener

    def _accept_one(self, listener):
        with listener:
            if not self._readable(listener):
                return
            conn = Conn(listener.accept()[0])
        self._serve(conn, True)

    def _initiate_relay(self, msg):
        relay_uuid, relay = str(uuid.uuid4()), self._relay_name(msg.relay_server)
        with self._open_hbbs() as hbbs:
            hbbs.send_msg(pb.rendezvous(relay_response=pb.RelayResponse(
                socket_addr=msg.socket_addr, uuid=relay_uuid, relay_server=relay, id=self.id, version=VERSION)))
        self._relay_leg(relay, relay_uuid, True)

    def _request_relay(self, msg):
        with self._open_hbbs() as hbbs:
            hbbs.send_msg(pb.rendezvous(relay_response=pb.RelayResponse(
                socket_addr=msg.socket_addr, version=VERSION)))
        self._relay_leg(msg.relay_server, msg.uuid, msg.secure)

    def _relay_leg(self, relay, relay_uuid, secure):
        conn = Conn.connect(*split_address(relay, rendezvous.HBBR_PORT))
        conn.send_msg(pb.rendezvous(request_relay=pb.RequestRelay(uuid=relay_uuid, licence_key=self.server_key)))
        self._serve(conn, secure)
