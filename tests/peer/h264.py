# SPDX-License-Identifier: GPL-3.0-or-later
"""Just enough H.264 parsing to judge a stream: NAL units, frame numbers, slice types (ITU-T H.264 §7.3)."""

import dataclasses

NAL_SLICE, NAL_IDR, NAL_SEI, NAL_SPS, NAL_PPS = 1, 5, 6, 7, 8
_HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128)
_SLICE_B = 1


class BadStream(Exception):
    """The bitstream breaks a rule."""


class _Bits:
    """MSB-first bit reader over an RBSP; runs out with BadStream."""

    def __init__(self, data):
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def u(self, count):
        if count > self._left:
            raise BadStream("truncated header")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def ue(self):
        zeros = 0
        while self.u(1) == 0:
            zeros += 1
            if zeros > 32:
                raise BadStream("bad exp-golomb code")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self):
        value = self.ue()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def nal_units(data):
    """The NAL units (without start codes) of an Annex-B access unit, in order."""
    if not data.startswith((b"\0\0\1", b"\0\0\0\1")):
        raise BadStream(f"no start code in front: {data[:8].hex()}")
    return [unit.rstrip(b"\0") for unit in data.split(b"\0\0\1") if unit.rstrip(b"\0")]


def _rbsp(nal, limit=64):
    """The first bytes of a NAL unit's body without emulation prevention."""
    return nal[1:limit].replace(b"\0\0\3", b"\0\0") + bytes(8)


@dataclasses.dataclass
class Sps:
    """What of a sequence parameter set matters here."""

    profile: int
    frame_num_bits: int
    separate_planes: bool


def _skip_scaling_list(bits, size):
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def parse_sps(nal):
    bits = _Bits(_rbsp(nal, len(nal)))
    profile = bits.u(8)
    bits.u(16)  # constraint flags, level
    bits.ue()
    separate = False
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        if chroma == 3:
            separate = bool(bits.u(1))
        bits.ue()
        bits.ue()
        bits.u(1)
        if bits.u(1):
            for i in range(12 if chroma == 3 else 8):
                if bits.u(1):
                    _skip_scaling_list(bits, 16 if i < 6 else 64)
    return Sps(profile, bits.ue() + 4, separate)


class StreamCheck:
    """Checks one decoder's worth of access units for what a decoder would silently conceal.

    `feed` returns the NAL types of the access unit and raises BadStream on: no Annex-B, an IDR without SPS and PPS in
    front, B slices, several pictures in one access unit, a gap in frame_num (a lost reference).
    """

    def __init__(self):
        self._sps = None
        self._expected = None  # frame_num of the next picture

    def feed(self, data):
        types, slices = [], []
        for nal in nal_units(data):
            kind = nal[0] & 0x1F
            types.append(kind)
            if kind == NAL_SPS:
                self._sps = parse_sps(nal)
            elif kind in (NAL_SLICE, NAL_IDR):
                slices.append(self._slice(nal, kind))
        if not slices:
            raise BadStream(f"no picture in the access unit: NAL types {types}")
        if NAL_IDR in types:
            before = types[:types.index(NAL_IDR)]
            if NAL_SPS not in before or NAL_PPS not in before:
                raise BadStream(f"IDR without SPS and PPS in front: NAL types {types}")
        self._follow(slices)
        return types

    def _slice(self, nal, kind):
        """(starts a picture, is IDR, is reference, frame_num)"""
        if self._sps is None:
            raise BadStream("slice before any SPS")
        bits = _Bits(_rbsp(nal))
        first_mb, slice_type = bits.ue(), bits.ue()
        bits.ue()
        if self._sps.separate_planes:
            bits.u(2)
        if slice_type % 5 == _SLICE_B:
            raise BadStream("B slice")
        return first_mb == 0, kind == NAL_IDR, nal[0] >> 5 & 3 != 0, bits.u(self._sps.frame_num_bits)

    def _follow(self, slices):
        if [s[0] for s in slices].count(True) != 1:
            raise BadStream("not exactly one picture in the access unit")
        _, idr, reference, number = slices[0]
        if idr:
            self._expected = 0
        if self._expected is not None and number != self._expected:
            raise BadStream(f"frame_num {number} where {self._expected} was due: a picture was lost")
        self._expected = (number + reference) % (1 << self._sps.frame_num_bits)
