# SPDX-License-Identifier: GPL-3.0-or-later
"""What text looks like: the agent's stream against that of x264's own program with the same settings and pictures."""

import subprocess

import av
import numpy as np

from peer.likeness import psnr, ssim

import scenes
from rig import FPS, House, x264_options

PAGES = 10
LOOPS = 12
COUNT = LOOPS * PAGES
LOOK_AT = range(61, COUNT, 7)  # both have come to the rate
# The same picture in buffers of its own, as a device has it: the program may hold some.
FIRST, LAST = (0, 10, 11), (9, 12, 13)
QUALITIES = (25, 50, 100)  # percent in the client's menu
BLOCK = (480, 270, 1440, 810)  # where text scrolls: x, y, x, y


def page_scenes(width, height):
    pages = [scenes.page(width, height, n, BLOCK) for n in range(PAGES)]
    return pages + [pages[0]] * 2 + [pages[-1]] * 2


def luma(packets):
    """Decoded luma of each packet."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    decoder.flags |= av.codec.context.Flags.LOW_DELAY
    for data in packets:
        for frame in decoder.decode(av.Packet(data)):
            plane = frame.planes[0]
            yield np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:frame.height, :frame.width].copy()


def saved(path):
    """Packets that watch.py kept."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "little")
        yield data[at + 4:at + 4 + size]
        at += 4 + size


def record(bench, frames, quality):
    """The agent's stream: (packets, how many before the first of the rounds, kbit/s asked of the encoder)."""
    path = bench.folder(f"quality-{quality}.h264s")
    with House(bench.folder(f"quality-{quality}"), frames, quality=quality, save=path) as house:
        house.settle(4, FIRST)
        kbps, before = house.kbps(), house.viewers[0].frames
        for n in range(1, COUNT):
            house.step(n % PAGES)
        house.settle(5, LAST)
    return list(saved(path)), before, kbps


def encode_with_x264(bench, frames, kbps):
    """Luma of what x264's program makes of the same: the first page for a second, then the rounds."""
    order = [0] * FPS + [n % PAGES for n in range(1, COUNT)]
    out = bench.folder("x264.h264")
    options = [word for key, value in x264_options(kbps).items() if key != "sliced-threads"
               for word in (f"--{key}", value)]
    program = subprocess.Popen(
        ["x264", "--log-level", "error", "--no-progress", "--preset", "ultrafast", "--tune", "zerolatency",
         "--profile", "high", *options,
         "--sliced-threads", "--demuxer", "raw", "--input-csp", "i420", "--fps", str(FPS),
         "--input-res", f"{frames.width}x{frames.height}", "-o", str(out), "-"], stdin=subprocess.PIPE)
    with program.stdin:
        for n in order:
            for plane in scenes.yuyv_to_i420(frames.pictures[n], frames.width, frames.height):
                program.stdin.write(plane.tobytes())
    if program.wait():
        raise RuntimeError("x264 failed")
    with av.open(str(out)) as container:
        packets = [bytes(packet) for packet in container.demux() if packet.size]
    sizes = [len(packet) for packet in packets[FPS:]]
    return list(luma(packets))[FPS:], sizes


def block(plane):
    """Where text scrolls: the rest has been at rest for long, and is ever better."""
    return plane[BLOCK[1]:BLOCK[3], BLOCK[0]:BLOCK[2]]


def judge(pictures, pages):
    """(mean SSIM, mean PSNR) of what moves in some pictures of the rounds."""
    pairs = [(block(pictures[n - 1]), block(pages[n % PAGES])) for n in LOOK_AT]
    found = [(ssim(*pair), psnr(*pair)) for pair in pairs]
    return tuple(float(np.mean(column)) for column in zip(*found))


def rate(sizes):
    """kbit/s of the pictures looked at."""
    return sum(sizes[LOOK_AT[0] - 1:]) * 8 * FPS / 1000 / (COUNT - LOOK_AT[0])


def compare(bench):
    """For each quality: rates, and SSIM and PSNR of both; and what the last page comes to when it stands still."""
    frames = bench.frames("pages", page_scenes)
    pages = [scenes.yuyv_to_i420(data, frames.width, frames.height)[0] for data in frames.pictures]
    rows = []
    for quality in QUALITIES:
        packets, before, kbps = record(bench, frames, quality)
        sizes = [len(p) for p in packets[before:before + COUNT - 1]]
        pictures = list(luma(packets))
        theirs, their_sizes = encode_with_x264(bench, frames, kbps)
        ours = judge(pictures[before:before + COUNT - 1], pages)
        x264 = judge(theirs, pages)
        last = pages[PAGES - 1]
        rows.append({"kbps": kbps, "ours_ssim": ours[0], "ours_psnr": ours[1], "x264_ssim": x264[0],
                     "x264_psnr": x264[1], "ours_kbps": rate(sizes),
                     "x264_kbps": rate(their_sizes),
                     "rest_ssim": ssim(pictures[-1], last), "rest_psnr": psnr(pictures[-1], last),
                     "rest_bytes": sum(len(p) for p in packets[before + COUNT - 1:])})
    return rows
