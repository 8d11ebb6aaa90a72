# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's side of signalling: from a device id to a connected stream (wire.md §5.6, §6, §7.3)."""

import dataclasses
import time
import urllib.parse
import uuid

from . import addr, pb
from .conn import CONNECT_TIMEOUT, Conn, Deadline, PeerClosed, PeerTimeout, split_address

HBBS_PORT, HBBR_PORT = 21116, 21117
CLIENT_VERSION = "1.4.9"
_FAILURES = {0: "ID does not exist", 2: "Remote desktop is offline", 3: "Key mismatch", 4: "Key overuse"}


class RendezvousError(Exception):
    """What the client would show instead of a session."""


@dataclasses.dataclass
class Route:
    """A connected stream to the device, before the peer handshake."""

    conn: Conn
    kind: str  # "local", "punched", "relay" (we asked for it) or "device-relay" (the device chose it)
    signed_pk: bytes  # server-signed IdPk, may be empty
    messages: list  # everything hbbs told us: [(time, RendezvousMessage)]


@dataclasses.dataclass
class Dial:
    """What a client knows when it dials."""

    hbbs: str  # "host[:port]"
    device_id: str
    server_key: str = ""
    force_relay: bool = False
    nat_type: int = pb.NAT_ASYMMETRIC
    conn_type: int = pb.CONN_DEFAULT
    version: str = CLIENT_VERSION
    local_host: str = None  # source address, to look like another machine
    direct: bool = True  # False: behave as if the direct connection always failed
    direct_timeout: float = None  # None: the client's own rule
    attempts: tuple = (3.0, 6.0, 9.0)  # patience per PunchHoleRequest
    relay_timeout: float = CONNECT_TIMEOUT
    rcvbuf: int = None

    def hbbs_address(self):
        return split_address(self.hbbs, HBBS_PORT)


def parse_id_box(text):
    """Dial arguments of "<id>[/r]@<server>[:port][?key=...]" (wire.md §7.3)."""
    id_, _, rest = text.partition("@")
    server, _, query = rest.partition("?")
    force_relay = id_.endswith("/r")
    arguments = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        arguments[name.lower()] = value
    return {"device_id": id_[:-2] if force_relay else id_, "hbbs": server, "force_relay": force_relay,
            "server_key": urllib.parse.unquote(arguments.get("key", ""))}


def dial(call):
    """Find a way to the device. Raises RendezvousError with the client's text, or PeerTimeout."""
    messages = []
    answer, local = _ask_for_device(call, messages)
    if answer.WhichOneof("union") == "relay_response":
        reply = answer.relay_response
        if reply.refuse_reason:
            raise RendezvousError(reply.refuse_reason)
        conn = connect_relay(call, reply.relay_server, reply.uuid)
        return Route(conn, "device-relay", reply.pk, messages)
    reply = answer.punch_hole_response
    if call.direct and not call.force_relay:
        conn = _connect_directly(call, reply, local)
        if conn:
            return Route(conn, "local" if reply.is_local else "punched", reply.pk, messages)
    return Route(_ask_for_relay(call, reply, messages), "relay", reply.pk, messages)


def _open_hbbs(call):
    host, port = call.hbbs_address()
    return Conn.connect(host, port, local=(call.local_host, 0) if call.local_host else None)


def _ask_for_device(call, messages):
    """(PunchHoleResponse or RelayResponse message, our local address). One TCP connection, up to three requests."""
    nat_type = pb.NAT_SYMMETRIC if call.force_relay else call.nat_type
    request = pb.rendezvous(punch_hole_request=pb.PunchHoleRequest(
        id=call.device_id, nat_type=nat_type, licence_key=call.server_key, conn_type=call.conn_type,
        version=call.version, force_relay=call.force_relay))
    with _open_hbbs(call) as hbbs:
        for patience in call.attempts:
            hbbs.send_msg(request)
            msg = _wait(hbbs, ("punch_hole_response", "relay_response"), patience, messages)
            if msg is None:
                continue
            if msg.WhichOneof("union") == "punch_hole_response":
                _check_failure(msg.punch_hole_response)
            return msg, hbbs.local
    raise RendezvousError("Failed to make connection with the rendezvous server: no answer")


def _wait(hbbs, kinds, timeout, messages):
    deadline = Deadline(timeout)
    while True:
        try:
            msg = hbbs.recv_msg(pb.RendezvousMessage, deadline.left())
        except PeerTimeout:
            return None
        except PeerClosed as error:
            raise RendezvousError("Reset by the rendezvous server") from error
        messages.append((time.monotonic(), msg))
        if msg.WhichOneof("union") in kinds:
            return msg


def _check_failure(reply):
    if reply.socket_addr:
        return
    raise RendezvousError(reply.other_failure or _FAILURES[reply.failure])


def direct_patience(call, reply):
    """How long the client tries the direct way: short for the LAN and for a symmetric device (wire.md §5.6)."""
    if call.direct_timeout is not None:
        return call.direct_timeout
    if reply.is_local or reply.nat_type == pb.NAT_SYMMETRIC:
        return 1.0
    if not reply.relay_server or (reply.nat_type == call.nat_type == pb.NAT_ASYMMETRIC):
        return CONNECT_TIMEOUT
    return 3.0


def _connect_directly(call, reply, local):
    """Connect from the port that hbbs saw; None if the device cannot be reached in time.

    A refused connect ends the attempt, as with the client: a device that listens too late loses.
    """
    host, port = addr.decode(reply.socket_addr)
    try:
        return Conn.connect(host, port, local=local[:2], timeout=direct_patience(call, reply), rcvbuf=call.rcvbuf)
    except (PeerClosed, PeerTimeout):
        return None


def _ask_for_relay(call, reply, messages):
    """RequestRelay with a fresh uuid and connection each, three times; then the relay of the *earlier* answer."""
    for _ in range(3):
        relay_uuid = str(uuid.uuid4())
        with _open_hbbs(call) as hbbs:
            hbbs.send_msg(pb.rendezvous(request_relay=pb.RequestRelay(
                id=call.device_id, uuid=relay_uuid, relay_server=reply.relay_server, secure=bool(reply.pk),
                conn_type=call.conn_type)))
            msg = _wait(hbbs, ("relay_response",), call.relay_timeout, messages)
        if msg is None:
            continue
        if msg.relay_response.refuse_reason:
            raise RendezvousError(msg.relay_response.refuse_reason)
        return connect_relay(call, reply.relay_server, relay_uuid)
    raise RendezvousError("Failed to connect via relay server: no answer of the device")


def connect_relay(call, relay_server, relay_uuid):
    """The client's leg to hbbr: one RequestRelay, no answer awaited (wire.md §6)."""
    if not relay_server:
        raise RendezvousError("Failed to connect to relay server: the device gave none")
    host, port = split_address(relay_server, HBBR_PORT)
    conn = Conn.connect(host, port, local=(call.local_host, 0) if call.local_host else None, rcvbuf=call.rcvbuf)
    conn.send_msg(pb.rendezvous(request_relay=pb.RequestRelay(
        id=call.device_id, uuid=relay_uuid, licence_key=call.server_key, conn_type=call.conn_type)))
    return conn
