# SPDX-License-Identifier: GPL-3.0-or-later
"""BytesCodec: the length-prefixed frames of every TCP conversation (wire.md §1.1)."""

MAX_PAYLOAD = 0x3FFFFFFF


class FramingError(Exception):
    """A payload too long to frame."""


def header(length):
    """The shortest header for a payload of `length` bytes."""
    for size, limit in ((1, 0x3F), (2, 0x3FFF), (3, 0x3FFFFF), (4, MAX_PAYLOAD)):
        if length <= limit:
            return (length << 2 | size - 1).to_bytes(size, "little")
    raise FramingError(f"payload of {length} bytes")


def frame(payload):
    """Header and payload."""
    return header(len(payload)) + payload


class Decoder:
    """Cuts a byte stream into payloads; keeps what is incomplete."""

    def __init__(self):
        self._buffer = bytearray()

    def feed(self, data):
        self._buffer += data

    def next(self):
        """The next whole payload, or None. b"" is a legal payload (the empty message)."""
        if not self._buffer:
            return None
        size = (self._buffer[0] & 3) + 1
        if len(self._buffer) < size:
            return None
        end = size + (int.from_bytes(self._buffer[:size], "little") >> 2)
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[size:end])
        del self._buffer[:end]
        return payload

    def take_rest(self):
        """Everything not consumed yet; for raw mode (port forwarding, the relay)."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest
