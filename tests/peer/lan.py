# SPDX-License-Identifier: GPL-3.0-or-later
"""LAN discovery as a client does it (wire.md §7.2)."""

import socket

from . import pb
from .conn import Deadline, resolve

DISCOVERY_PORT = 21119


def discover(host="127.0.0.1", port=DISCOVERY_PORT, *, my_id="", timeout=3.0, count=1, local=None):
    """Send one ping, return up to `count` pongs [(address, PeerDiscovery)] that come before `timeout`.

    local: our address.
    """
    ping = pb.rendezvous(peer_discovery=pb.PeerDiscovery(cmd="ping", id=my_id)).SerializeToString()
    family, target = resolve(host, port)
    pongs, deadline = [], Deadline(timeout)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if local:
            sock.bind((local, 0))
        sock.sendto(ping, target)
        while len(pongs) < count and not deadline.passed():
            sock.settimeout(max(deadline.left(), 0.001))
            try:
                data, source = sock.recvfrom(65536)
            except TimeoutError:
                break
            msg = pb.RendezvousMessage.FromString(data)
            if msg.WhichOneof("union") == "peer_discovery" and msg.peer_discovery.cmd == "pong":
                pongs.append((source, msg.peer_discovery))
    return pongs
