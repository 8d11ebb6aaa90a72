# SPDX-License-Identifier: GPL-3.0-or-later
"""AddrMangle: how rendezvous messages carry socket addresses (wire.md §1.4).

Addresses are (host, port) tuples with the host as text, as the socket module gives them.
"""

import ipaddress
import time

_MASK32 = 0xFFFFFFFF


def normalise(host):
    """The host's ip_address; IPv4-mapped and IPv4-compatible IPv6 addresses (not ::1) become IPv4."""
    ip = ipaddress.ip_address(host.split("%")[0])
    if ip.version == 6 and not ip.is_loopback:
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if int(ip) >> 32 == 0:
            return ipaddress.IPv4Address(int(ip))
    return ip


def key(address):
    """Comparable form of an address: what hbbs keys its open client connections by."""
    return str(normalise(address[0])), address[1]


def encode(address, tm=None):
    """Mangle (host, port); `tm` is the 32-bit blur value, the current microseconds unless given."""
    host, port = address[0], address[1]
    ip = normalise(host)
    if ip.version == 6:
        return ip.packed + port.to_bytes(2, "little")
    if tm is None:
        tm = time.time_ns() // 1000 & _MASK32
    v4 = int.from_bytes(ip.packed, "little")
    number = (v4 + tm) << 49 | tm << 17 | (port + (tm & 0xFFFF))
    return number.to_bytes(16, "little").rstrip(b"\0")


def decode(data):
    """The (host, port) in `data`; empty is ("0.0.0.0", 0) and a wrong length ("::", 0)."""
    if len(data) == 18:
        return str(ipaddress.IPv6Address(data[:16])), int.from_bytes(data[16:], "little")
    if len(data) > 16:
        return "::", 0
    number = int.from_bytes(data, "little")
    tm = number >> 17 & _MASK32
    v4 = ((number >> 49) - tm) & _MASK32
    port = ((number & 0xFFFFFF) - (tm & 0xFFFF)) & 0xFFFF
    return str(ipaddress.IPv4Address(v4.to_bytes(4, "little"))), port
