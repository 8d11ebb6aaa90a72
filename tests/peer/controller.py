# SPDX-License-Identifier: GPL-3.0-or-later
"""The stock RustDesk client, as far as a device can tell: connect, log in, watch, type, ask (wire.md §8-§12).

Single-threaded: nothing is read unless a method of the Controller waits. Every message that was read is kept in
`log`; TestDelay is echoed on the way, video is decoded on the way, and a rule that a real client would not forgive
raises video.ProtocolViolation from whatever method was reading.
"""

import dataclasses
import time

from google.protobuf.message import DecodeError

from . import handshake, pb, rendezvous
from .conn import CONNECT_TIMEOUT, Conn, Deadline, DecryptError, PeerClosed, PeerTimeout
from .controls import BACK, FORWARD, LEFT, MIDDLE, RIGHT, Controls, supported_decoding
from .menus import Menus
from .video import ABILITIES, Picture, ProtocolViolation, Screen

DIRECT_PORT = 21118

__all__ = ["Controller", "LoginError", "PeerClosed", "PeerTimeout", "ProtocolViolation",
           "supported_decoding", "LEFT", "RIGHT", "MIDDLE", "BACK", "FORWARD"]


class LoginError(Exception):
    """LoginResponse.error; the connection is still open unless the device closed it. `text` is the exact string."""

    def __init__(self, text):
        super().__init__(text)
        self.text = text


@dataclasses.dataclass
class Received:
    """One message from the device: `kind` is "hash", "video_frame", ... and for Misc "misc.switch_display", ..."""

    time: float
    kind: str
    msg: object  # the sub-message (or scalar)


def kind_of(message):
    """(kind, content) of a peer Message; ("empty", None) for the empty one."""
    union = message.WhichOneof("union")
    if union is None:
        return "empty", None
    content = getattr(message, union)
    if union != "misc":
        return union, content
    inner = content.WhichOneof("union")
    return (f"misc.{inner}", getattr(content, inner)) if inner else ("misc", None)


class Controller(Controls):
    """One session of a stock client. Use the constructors `direct`, `via_hbbs`, `via_id_box`.

    What the user does (keys, mouse, menus) is in controls.Controls.
    """

    def __init__(self, conn, username, *, device_pk=None, path="direct", signalling=(), record_video=False):
        self.conn = conn
        self.username = username  # what LoginRequest.username will say
        self.device_pk = device_pk  # Ed25519 key the server vouched for; None on unsealed streams
        self.path = path  # "direct", "local", "punched", "relay" or "device-relay"
        self.signalling = list(signalling)  # [(time, RendezvousMessage)] from hbbs
        self.log = []  # [Received]; video_frame content only with record_video=True (else None)
        self.hash = None
        self.peer_info = None
        self.displays = []  # last complete list (login or peer_info update)
        self.permissions = {}  # Permission number -> last announced bool
        self.menu = Menus()  # what the user sees in the menus
        self.screen = Screen()
        self.pictures = []  # [Picture] not yet taken by frames()
        self.close_reason = None
        self.echo_test_delay = True
        self.decode = True  # False: count and log video, but do not decode it
        self._record_video = record_video

    # ------------------------------------------------------------------ constructors

    @classmethod
    def direct(cls, host, port=DIRECT_PORT, *, username=None, local=None, timeout=CONNECT_TIMEOUT, rcvbuf=None, **kw):
        """By address: no handshake, no encryption, nothing is sent first (wire.md §7.1).

        `username` is the text that the user typed; the host (with the port, when unusual) unless given.
        """
        conn = Conn.connect(host, port, local=local, timeout=timeout, rcvbuf=rcvbuf)
        if username is None:
            shown = f"[{host}]" if ":" in host else host
            username = host if port == DIRECT_PORT else f"{shown}:{port}"
        return cls(conn, username, **kw)

    @classmethod
    def via_hbbs(cls, hbbs_addr, device_id, *, server_key="", handshake_mode="auto",
                 handshake_timeout=CONNECT_TIMEOUT, record_video=False, **dial):
        """By id through a rendezvous server, as the client does it (wire.md §5.6).

        handshake_mode: see handshake.client_secure. Other keywords are those of rendezvous.Dial: force_relay,
        nat_type, direct=False (pretend that direct connects fail), direct_timeout, local_host, conn_type, ...
        """
        call = rendezvous.Dial(hbbs=hbbs_addr, device_id=device_id, server_key=server_key, **dial)
        route = rendezvous.dial(call)
        try:
            device_pk = handshake.client_secure(route.conn, device_id, route.signed_pk, server_key, handshake_mode,
                                                handshake_timeout)
        except BaseException:
            route.conn.close()
            raise
        return cls(route.conn, device_id, device_pk=device_pk, path=route.kind, signalling=route.messages,
                   record_video=record_video)

    @classmethod
    def via_id_box(cls, text, **kw):
        """By "<id>[/r]@<server>[:port][?key=...]", as typed into the client's id field (wire.md §7.3)."""
        return cls.via_hbbs(**{**_renamed(rendezvous.parse_id_box(text)), **kw})

    # ------------------------------------------------------------------ receiving

    @property
    def secure(self):
        return self.conn.sealed

    def pump(self, timeout):
        """Read and treat one message; PeerTimeout if none comes, PeerClosed at the end. Returns the Received."""
        payload = self.conn.recv_frame(timeout)
        try:
            message = pb.Message.FromString(payload)
        except DecodeError as error:
            raise ProtocolViolation(f"frame of {len(payload)} bytes is no Message: {payload[:32].hex()}") from error
        kind, content = kind_of(message)
        entry = Received(time.monotonic(), kind, content)
        if kind == "video_frame" and not self._record_video:
            entry.msg = None
        self.log.append(entry)
        handler = self._HANDLERS.get(kind)
        if handler:
            handler(self, content, entry.time)
        return entry

    def run(self, seconds):
        """Do nothing but react for so long, as a client whose user is idle. Returns what was received."""
        start, deadline = len(self.log), Deadline(seconds)
        while not deadline.passed():
            try:
                self.pump(deadline.left())
            except PeerTimeout:
                break
        return self.log[start:]

    def wait_for(self, what, timeout, *, since=None):
        """The first message that is, or matches, `what` (a kind or a predicate on Received).

        since: index into `log` to look back to; by default only messages read from now on count.
        """
        matches = what if callable(what) else lambda r: r.kind == what
        at = len(self.log) if since is None else since
        deadline = Deadline(timeout)
        while True:
            for entry in self.log[at:]:
                if matches(entry):
                    return entry
            at = len(self.log)
            try:
                self.pump(deadline.left())
            except PeerTimeout:
                raise PeerTimeout(f"no {what} within {timeout} s; last: {[r.kind for r in self.log[-8:]]}") from None

    def received(self, kind):
        """All messages of a kind so far."""
        return [r.msg for r in self.log if r.kind == kind]

    def expect_silence(self, seconds, *, but=("test_delay",)):
        """Nothing except the kinds in `but` may come for so long."""
        for entry in self.run(seconds):
            if entry.kind not in but:
                raise ProtocolViolation(f"unexpected {entry.kind}: {entry.msg}")

    def wait_closed(self, timeout):
        """React until the device ends the connection; returns its close_reason (or None)."""
        deadline = Deadline(timeout)
        while True:
            try:
                self.pump(deadline.left())
            except PeerClosed:
                return self.close_reason

    def _on_test_delay(self, msg, _):
        if self.echo_test_delay and not msg.from_client:
            self.send(test_delay=msg)  # verbatim (wire.md §10.6)

    def _on_hash(self, msg, _):
        if self.hash is not None:
            raise ProtocolViolation("second Hash on one connection")
        if not msg.salt or not msg.challenge:
            raise ProtocolViolation(f"Hash with empty salt or challenge: {msg}")
        self.hash = msg

    def _on_login_response(self, msg, _):
        if msg.WhichOneof("result") != "peer_info":
            return
        self.peer_info = msg.peer_info
        self.displays = list(msg.peer_info.displays)
        self.screen.announce(self.displays)

    def _on_peer_info(self, msg, _):
        if not msg.displays:
            raise ProtocolViolation("peer_info update with an empty display list: the client shows No Displays")
        if self.displays and len(msg.displays) != len(self.displays):
            raise ProtocolViolation(f"{len(msg.displays)} displays, there were {len(self.displays)}")
        self.displays = list(msg.displays)
        self.screen.update(self.displays)

    def _on_switch_display(self, msg, _):
        self.screen.switch(msg)
        self.menu.on_switch_display(msg)

    def _on_message_box(self, msg, _):
        if not self.menu.on_message_box(msg):
            raise ProtocolViolation(f"box of type {msg.msgtype!r} would end the session or stay for ever")

    def _on_permission(self, msg, _):
        self.permissions[msg.permission] = msg.enabled

    def _on_close_reason(self, text, _):
        self.close_reason = text

    def _on_video(self, msg, arrival):
        if self.peer_info is None:
            raise ProtocolViolation("VideoFrame before a successful login")
        if self.decode:
            self.pictures += self.screen.show(msg, arrival)

    def _on_cursor_position(self, msg, _):
        raise ProtocolViolation("CursorPosition makes the client ignore its own mouse moves (wire.md §10.11)")

    _HANDLERS = {
        "test_delay": _on_test_delay, "hash": _on_hash, "login_response": _on_login_response,
        "peer_info": _on_peer_info, "misc.switch_display": _on_switch_display,
        "misc.permission_info": _on_permission, "misc.close_reason": _on_close_reason,
        "video_frame": _on_video, "cursor_position": _on_cursor_position, "message_box": _on_message_box,
        "misc.back_notification": lambda self, msg, _: self.menu.on_back_notification(msg),
        "misc.elevation_response": lambda self, text, _: self.menu.on_elevation_response(text),
        "misc.chat_message": lambda self, msg, _: self.menu.on_chat(msg.text),
        "voice_call_response": lambda self, msg, _: self.menu.on_voice_call_response(msg),
    }

    # ------------------------------------------------------------------ video

    def frames(self, count, timeout):
        """Yield `count` decoded pictures (video.Picture: .y .u .v .rgb .key .pts .display .arrival), oldest first."""
        deadline = Deadline(timeout)
        for taken in range(count):
            while not self.pictures:
                try:
                    self.pump(deadline.left())
                except PeerTimeout:
                    raise PeerTimeout(f"{taken} of {count} pictures within {timeout} s") from None
            yield self.pictures.pop(0)

    def frame(self, timeout=5.0):
        """The next picture."""
        return next(iter(self.frames(1, timeout)))

    def key_frame(self, timeout=5.0):
        """The next picture that is a key frame; drops the others."""
        return self.frame_where(lambda picture: picture.key, timeout)

    def frame_where(self, predicate, timeout=5.0) -> Picture:
        """The next picture for which `predicate(picture)` holds; drops the others."""
        deadline = Deadline(timeout)
        while True:
            picture = self.frame(deadline.left())
            if predicate(picture):
                return picture

    # ------------------------------------------------------------------ login

    def wait_hash(self, timeout=CONNECT_TIMEOUT):
        if self.hash is None:
            self.wait_for("hash", timeout)
        return self.hash

    def proof(self, password):
        """LoginRequest.password for a text, for b"" / None (no password yet), or for 32 remembered bytes (h1)."""
        if not password:
            return b""
        challenge = self.wait_hash()
        h1 = handshake.password_h1(password, challenge.salt) if isinstance(password, str) else password
        return handshake.password_proof(h1, challenge.challenge)

    def send_login(self, password=None, *, proof=None, username=None, my_id="987654321", my_name="Test Client",
                   codecs=("vp9s", "h264s", "h265s", "vp8s", "av1s"), prefer=pb.PREFER_AUTO, decoding=True,
                   i444=False, option=None, session_id=1, version=rendezvous.CLIENT_VERSION, my_platform="Linux",
                   hwid=b"", **fields):
        """Send a LoginRequest, wait for nothing but the Hash. Without password: the client's first, empty one.

        codecs/prefer: what this client can decode; decoding=False leaves supported_decoding out (an old web client).
        option: further OptionMessage fields as a dict. fields: any LoginRequest field, such as
        file_transfer=pb.FileTransfer(...), port_forward=..., view_camera=..., terminal=..., os_login=..., avatar=...
        """
        self.wait_hash()
        request = pb.LoginRequest(
            username=self.username if username is None else username,
            password=self.proof(password) if proof is None else proof, my_id=my_id, my_name=my_name,
            session_id=session_id, version=version, my_platform=my_platform, hwid=hwid, **fields)
        if not {"file_transfer", "port_forward"} & set(fields):
            request.option.CopyFrom(pb.OptionMessage(**(option or {})))
            if decoding:
                request.option.supported_decoding.CopyFrom(supported_decoding(codecs, prefer, i444))
            self._note_decoding(request.option)
        self.send(login_request=request)

    def wait_login(self, timeout=CONNECT_TIMEOUT):
        """The PeerInfo of the next LoginResponse, or LoginError."""
        reply = self.wait_for("login_response", timeout).msg
        if reply.WhichOneof("result") == "peer_info":
            return self._checked(reply.peer_info)
        raise LoginError(reply.error)

    def login(self, password=None, timeout=CONNECT_TIMEOUT, **kw):
        """send_login + wait_login."""
        self.send_login(password, **kw)
        return self.wait_login(timeout)

    def login_like_dialog(self, password, timeout=CONNECT_TIMEOUT, **kw):
        """As a client without a stored password: an empty LoginRequest at once, then the one from the dialog."""
        self.send_login(None, **kw)
        return self.login(password, timeout, **kw)

    def submit_empty_dialog(self, **kw):
        """LoginRequest of a user who submits an empty dialog: SHA-256(challenge) (wire.md §9.6)."""
        self.send_login(proof=handshake.empty_submit_proof(self.wait_hash().challenge), **kw)

    def auth_2fa(self, code, hwid=b"", timeout=CONNECT_TIMEOUT):
        self.send(auth_2fa=pb.Auth2FA(code=code, hwid=hwid))
        return self.wait_login(timeout)

    def _checked(self, info):
        """What a desktop client needs from PeerInfo (wire.md §9.7)."""
        for display in info.displays:
            if display.width % 2 or display.height % 2 or display.width <= 0 or display.height <= 0:
                raise ProtocolViolation(f"display of {display.width}x{display.height}")
            if not display.online:
                raise ProtocolViolation("display is not online")
            if display.scale not in (0.0, 1.0):
                raise ProtocolViolation(f"display scale {display.scale} divides the width in the client")
        if info.current_display and info.current_display >= len(info.displays):
            raise ProtocolViolation(f"current_display {info.current_display} of {len(info.displays)}")
        if info.HasField("windows_sessions") and info.windows_sessions.sessions:
            raise ProtocolViolation("windows_sessions makes the client wait for a choice")
        return info

    # ------------------------------------------------------------------ sending

    def send(self, **union):
        """Send a Message with one member: send(mouse_event=pb.MouseEvent(...))."""
        self.conn.send_msg(pb.message(**union))

    def send_misc(self, **union):
        self.conn.send_msg(pb.misc(**union))

    def send_empty(self):
        """The empty Message: must be a no-op at any time (wire.md §5.3)."""
        self.conn.send_msg(pb.Message())

    def send_payload(self, payload):
        """Any bytes as one (sealed) frame: unknown fields, rubbish."""
        self.conn.send_frame(payload)

    def close(self, reason="", linger=2.0):
        """As the client leaves: close_reason, then FIN. reason=None: only FIN.

        linger: read on so long for the device to close too. A client that closes with unread input makes the kernel
        send RST, which may overtake its last messages; linger=0 does that.
        """
        try:
            if reason is not None:
                self.send_misc(close_reason=reason)
            if linger:
                self.conn.shutdown_send()
                self.conn.wait_closed(linger)
        except (PeerClosed, PeerTimeout, DecryptError, OSError):
            pass
        self.conn.close()

    def abort(self):
        """RST instead of a goodbye."""
        self.conn.reset()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close(None, linger=0)

    def _note_decoding(self, option):
        if option.HasField("supported_decoding"):
            msg = option.supported_decoding
            self.screen.abilities = {name: getattr(msg, name) for name in ABILITIES.values()}
            # Once asked for it may come, until pictures of a later choice do.
            self.screen.true_colour |= msg.i444.vp9 and msg.prefer_chroma == pb.CHROMA_I444


def _renamed(box):
    return {"hbbs_addr": box.pop("hbbs"), **box}
