# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures to measure with, drawn with PIL, as YUYV in BT.601 limited range (tests/bench/bench_device.h)."""

import functools
import struct

import numpy as np
from PIL import Image, ImageDraw, ImageFont

MAGIC, HEADER, PAGE = 0x4B414245, 4096, 4096
MONO = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
SANS = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
WORDS = ("the", "kernel", "starts", "with", "a", "list", "of", "devices;", "each", "says", "what", "it", "can", "do",
         "and", "how", "long", "that", "takes:", "error", "0x1f4", "[ok]", "reached", "target", "mount", "/dev/sda1",
         "network", "is", "up", "at", "1000", "Mbit/s", "Linux", "bootloader", "BIOS", "setup", "press", "F2")


@functools.cache
def font(path, size):
    return ImageFont.truetype(path, size)


def words(seed, count):
    """So many words that depend on the seed alone."""
    state, out = seed * 2654435761 % 2 ** 32 or 1, []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2 ** 32
        out.append(WORDS[(state >> 16) % len(WORDS)])
    return " ".join(out)


def text_block(draw, box, first_line, size=15, ink="#d0d0d0", face=MONO):
    """Lines of text from number `first_line` on, as many as the box holds."""
    left, top, right, bottom = box
    step = size + 4
    for i in range(int((bottom - top) // step)):
        line = words(first_line + i, 24)[:int((right - left) / (size * 0.602))]
        draw.text((left, top + i * step), line, fill=ink, font=font(face, size))


@functools.cache
def wallpaper(width, height):
    rows = np.arange(height)[:, None] / height
    columns = np.arange(width)[None, :] / width
    rgb = np.stack([20 + 40 * rows + 0 * columns, 50 + 60 * rows * columns, 90 + 80 * columns + 0 * rows], axis=-1)
    return Image.fromarray(rgb.astype(np.uint8))


def desktop(width, height, n=0, count=16):
    """Picture n of `count` of a moving desktop: a terminal scrolls, a window is dragged to and fro, a pointer flies."""
    image = wallpaper(width, height).copy()
    draw = ImageDraw.Draw(image)
    scale = width / 1920
    swing = min(n, count - n)

    def box(*xy):
        return tuple(int(v * scale) for v in xy)

    draw.rectangle(box(60, 60, 860, 960), fill="#101010")
    text_block(draw, box(70, 70, 855, 955), n, int(15 * scale))
    left = 900 + swing * 16
    draw.rectangle(box(left, 200, left + 620, 720), fill="#f0f0f0")
    draw.rectangle(box(left, 200, left + 620, 230), fill="#3060a0")
    text_block(draw, box(left + 10, 240, left + 610, 715), 500, int(15 * scale), "#202020", SANS)
    x, y = (400 + n * 67) * scale, (500 + swing * 40) * scale
    draw.polygon([(x, y), (x, y + 18), (x + 12, y + 12)], fill="white")
    return image


def partly(width, height, n, percent):
    """A desktop of which only a block in the middle changes, `percent` of the picture's area."""
    image = desktop(width, height)
    if not percent:
        return image
    part = (percent / 100) ** 0.5
    block_width, block_height = max(16, int(width * part)), max(16, int(height * part))
    left, top = (width - block_width) // 2 & ~1, (height - block_height) // 2 & ~1
    block = Image.new("RGB", (block_width, block_height), "#101010")
    text_block(ImageDraw.Draw(block), (2, 2, block_width, block_height), n * 40)
    block.paste((n * 16, 255 - n * 16, 128), (0, 0, 4, 4))  # no two alike, however little text there is
    image.paste(block, (left, top))
    return image


def page(width, height, n, block):
    """A page of text, black on white, with a block in which text scrolls by a line each picture."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    text_block(draw, (20, 10, width // 2, height), 3000, 14, "black")
    text_block(draw, (width // 2 + 20, 10, width, height), 5000, 13, "#203060", SANS)
    draw.rectangle(block, fill="#f4f4f0")
    text_block(draw, (block[0] + 8, block[1] + 4, *block[2:]), 100 + n, 15, "#101010")
    return image


def to_yuyv(image):
    """Bytes of a PIL picture, chroma halved across."""
    rgb = np.asarray(image.convert("RGB"), np.float32)
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    y = 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255
    u = 128 + (-37.797 * r - 74.203 * g + 112 * b) / 255
    v = 128 + (112 * r - 93.786 * g - 18.214 * b) / 255
    out = np.empty((*y.shape, 2), np.uint8)
    out[..., 0] = np.rint(y)
    out[:, 0::2, 1] = np.rint((u[:, 0::2] + u[:, 1::2]) / 2)
    out[:, 1::2, 1] = np.rint((v[:, 0::2] + v[:, 1::2]) / 2)
    return out.tobytes()


def yuyv_to_i420(data, width, height):
    """(y, u, v) planes; chroma rows averaged as the converter does it (rounded up)."""
    pairs = np.frombuffer(data, np.uint8)[:width * height * 2].reshape(height, width // 2, 4)
    y = np.stack([pairs[..., 0], pairs[..., 2]], axis=-1).reshape(height, width)
    u, v = pairs[..., 1].astype(np.uint16), pairs[..., 3].astype(np.uint16)
    return y, ((u[0::2] + u[1::2] + 1) >> 1).astype(np.uint8), ((v[0::2] + v[1::2] + 1) >> 1).astype(np.uint8)


class Frames:
    """A file of at most 16 pictures."""

    def __init__(self, path, width, height, images):
        self.path, self.width, self.height, self.count = path, width, height, len(images)
        self.pictures = [to_yuyv(image) for image in images]
        step = (width * height * 2 + PAGE - 1) // PAGE * PAGE
        with open(path, "wb") as file:
            file.write(struct.pack("=4I", MAGIC, width, height, self.count).ljust(HEADER, b"\0"))
            for data in self.pictures:
                file.write(data.ljust(step, b"\0"))
