# SPDX-License-Identifier: GPL-3.0-or-later
"""The stock client's video side: what it decodes, when it starts afresh, and what it cannot forgive (wire.md §10).

A `Screen` follows one session. Every rule that a real client punishes by a blank or frozen picture, or by declaring the
codec unsupported, raises ProtocolViolation here.
"""

import dataclasses
import functools

import av
import numpy as np

from . import h264

CODECS = {"vp9s": "vp9", "h264s": "h264", "h265s": "hevc", "vp8s": "vp8", "av1s": "libdav1d"}
"""VideoFrame member -> FFmpeg decoder."""

ABILITIES = {"vp9s": "ability_vp9", "h264s": "ability_h264", "h265s": "ability_h265",
             "vp8s": "ability_vp8", "av1s": "ability_av1"}


class ProtocolViolation(Exception):
    """The device did something a stock client cannot cope with."""


@dataclasses.dataclass
class Picture:
    """One decoded picture with what came with it. Planes are views of padded decoder memory cut to size."""

    display: int
    key: bool
    pts: int
    arrival: float  # time.monotonic() when the message was read
    size: int  # bytes of the access unit
    codec: str
    y: np.ndarray
    u: np.ndarray
    v: np.ndarray

    @property
    def width(self):
        return self.y.shape[1]

    @property
    def height(self):
        return self.y.shape[0]

    @property
    def full_chroma(self):
        """A sample of chroma for each pixel: 4:4:4."""
        return self.u.shape == self.y.shape

    @functools.cached_property
    def rgb(self):
        """H x W x 3, as the client shows it: BT.601 limited range whatever the VUI says (wire.md §10.2)."""
        return i420_to_rgb(self.y, self.u, self.v)


def i420_to_rgb(y, u, v):
    """BT.601 limited-range conversion with replicated chroma, as libyuv does it for the client; of 4:4:4 as well."""
    height, width = y.shape
    luma = (y.astype(np.float32) - 16) * 1.164
    if u.shape != y.shape:
        u, v = (np.repeat(np.repeat(c, 2, 0), 2, 1)[:height, :width] for c in (u, v))
    cb, cr = u.astype(np.float32) - 128, v.astype(np.float32) - 128
    rgb = np.stack((luma + 1.596 * cr, luma - 0.391 * cb - 0.813 * cr, luma + 2.018 * cb), axis=-1)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


class _Decoder:
    """A decoder as the client makes it: no extradata, whole packets in, low delay, one thread."""

    def __init__(self, member):
        self.member = member
        self._context = av.CodecContext.create(CODECS[member], "r")
        self._context.thread_count = 1
        if member != "av1s":
            self._context.flags |= av.codec.context.Flags.LOW_DELAY
            self._context.options = {"err_detect": "explode"}  # stricter than the client: report lost references

    def decode(self, data):
        try:
            pictures = self._context.decode(av.Packet(data))
        except av.AVError as error:
            raise ProtocolViolation(f"{self.member}: frame does not decode: {error}") from error
        if len(pictures) != 1:
            raise ProtocolViolation(f"{self.member}: one packet gave {len(pictures)} pictures (reordering?)")
        if pictures[0].is_corrupt:
            raise ProtocolViolation(f"{self.member}: frame decodes to a damaged picture (a reference is missing?)")
        return pictures[0]


def _plane(plane, height, width):
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, :width]


def _planes(frame, full):
    """Y, U, V of a decoded frame; only what the client's converter takes (wire.md §10.2). full: 4:4:4 was asked for."""
    if frame.format.name == "yuv444p" and full:
        half = frame.height, frame.width
    elif frame.format.name == "yuv420p":
        half = (frame.height + 1) // 2, (frame.width + 1) // 2
    else:
        raise ProtocolViolation(f"decoder output is {frame.format.name}, the client takes 8-bit 4:2:0 limited range")
    # Copies: the planes' memory goes back to the decoder with the frame.
    return (_plane(frame.planes[0], frame.height, frame.width).copy(),
            _plane(frame.planes[1], *half).copy(), _plane(frame.planes[2], *half).copy())


class _Display:
    """State of one display index."""

    def __init__(self, width, height):
        self.size = (width, height)
        self.decoder = None
        self.stream = None  # h264.StreamCheck, as old as the decoder
        self.last_pts = None
        self.awaiting_key = False


class Screen:
    """All displays of a session. Tell it about PeerInfo, SwitchDisplay and refreshes; give it the VideoFrames."""

    def __init__(self):
        self.abilities = {}  # SupportedDecoding of the session, by field name; empty = VP9 only (wire.md §10.3)
        self.true_colour = False  # 4:4:4 VP9 has been asked for
        self.discarded = 0  # non-key frames thrown away while a key frame was awaited, as the client does
        self._displays = {}

    def announce(self, displays):
        """PeerInfo of the login response: all sizes, all decoders fresh."""
        self._displays = {i: _Display(d.width, d.height) for i, d in enumerate(displays)}

    def update(self, displays):
        """PeerInfo in the session: sizes of displays that are not shown; decoders stay."""
        for i, display in enumerate(displays):
            state = self._displays.setdefault(i, _Display(0, 0))
            if state.decoder is None:
                state.size = (display.width, display.height)

    def switch(self, msg):
        """SwitchDisplay: the decoder goes, whatever changed (wire.md §10.8); 0x0 = size as it was."""
        state = self._displays.setdefault(msg.display, _Display(0, 0))
        state.decoder = None
        state.last_pts = None
        if msg.width and msg.height:
            state.size = (msg.width, msg.height)

    def refresh_asked(self, display=None):
        """A refresh went out: non-key frames are discarded until a key frame comes (wire.md §10.5)."""
        for index, state in self._displays.items():
            if display is None or index == display:
                state.awaiting_key = True

    def size(self, display=0):
        return self._displays[display].size

    def show(self, msg, arrival):
        """Decode a VideoFrame message; returns its pictures."""
        member = msg.WhichOneof("codec")
        if member not in CODECS:
            raise ProtocolViolation(f"VideoFrame holds {member}")
        if not self._able(member):
            raise ProtocolViolation(f"{member} sent to a client without that ability ({self.abilities})")
        if msg.display not in self._displays:
            raise ProtocolViolation(f"VideoFrame for display {msg.display}, which was never announced")
        frames = getattr(msg, member).frames
        if not frames:
            raise ProtocolViolation("VideoFrame without frames")
        state = self._displays[msg.display]
        if state.awaiting_key:
            if not any(f.key for f in frames):
                self.discarded += 1
                return []
            state.awaiting_key = False
        return [self._decode(state, member, msg.display, f, arrival) for f in frames]

    def _able(self, member):
        if not self.abilities:
            return member == "vp9s"
        return self.abilities.get(ABILITIES[member], 0) > 0

    def _decode(self, state, member, index, frame, arrival):
        if state.decoder is None or state.decoder.member != member:
            if not frame.key:
                raise ProtocolViolation("first frame for a fresh decoder is not marked key")
            state.decoder = _Decoder(member)
            state.stream = h264.StreamCheck()
            state.last_pts = None
        if member == "h264s":
            self._check_h264(state, frame)
        if state.last_pts is not None and frame.pts < state.last_pts:
            raise ProtocolViolation(f"pts went back from {state.last_pts} to {frame.pts}")
        state.last_pts = frame.pts
        decoded = state.decoder.decode(frame.data)
        if (decoded.width, decoded.height) != state.size:
            raise ProtocolViolation(f"picture is {decoded.width}x{decoded.height}, announced was "
                                    f"{state.size[0]}x{state.size[1]}")
        y, u, v = _planes(decoded, member == "vp9s" and self.true_colour)
        return Picture(index, frame.key, frame.pts, arrival, len(frame.data), member, y, u, v)

    @staticmethod
    def _check_h264(state, frame):
        try:
            types = state.stream.feed(frame.data)
        except h264.BadStream as error:
            raise ProtocolViolation(f"h264s: {error}") from error
        if (h264.NAL_IDR in types) != frame.key:
            raise ProtocolViolation(f"key={frame.key} but NAL types are {types}")
