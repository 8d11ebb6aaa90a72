#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws what tests/peer/qos.py measured (KVMAGENT_QOS_CURVES, or the guest's qos.json): one PNG a scenario.

    qos_curves.py CURVES.json FOLDER [PREFIX]    ->  FOLDER/PREFIX<scenario>.png
"""
import json
import pathlib
import sys

from PIL import Image, ImageDraw, ImageFont

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 900, 150, 56, 12, 40, 34
INK, GRID, LINK = (30, 30, 30), (225, 225, 225), (0, 0, 0)
FAR, LAN, WISH = (200, 60, 20), (30, 110, 190), (230, 160, 40)


def font(size):
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default()


SMALL, LARGE = font(11), font(14)


def ceiling(values, least):
    """A round number above nearly all: one outlier may stick out, and is cut off."""
    ordered = sorted(values) or [0]
    top = max(ordered[int(len(ordered) * 0.998)] if len(ordered) > 1 else ordered[0], least)
    for step in (1, 2, 2.5, 5, 10):
        scale = 10 ** (len(str(int(top))) - 1) if top >= 1 else 1
        if step * scale >= top:
            return step * scale
    return top


class Panel:
    """A plot with a title; values in the unit of the title."""

    def __init__(self, draw, number, title, seconds, top):
        self.draw, self.seconds, self.top = draw, seconds, top
        self.y0 = TOP + number * (PANEL + GAP)
        draw.text((LEFT, self.y0 - 16), title, INK, SMALL)
        for i in range(5):
            y = self.y0 + PANEL - PANEL * i / 4
            draw.line((LEFT, y, WIDTH - RIGHT, y), GRID)
            text = f"{top * i / 4:g}"
            draw.text((LEFT - 6 - draw.textlength(text, SMALL), y - 7), text, INK, SMALL)
        step = 5 if seconds <= 60 else 10
        for second in range(0, int(seconds) + 1, step):
            x = self._x(second)
            draw.line((x, self.y0, x, self.y0 + PANEL), GRID)
            draw.text((x - 6, self.y0 + PANEL + 2), str(second), INK, SMALL)

    def _x(self, second):
        return LEFT + (WIDTH - LEFT - RIGHT) * second / self.seconds

    def _point(self, second, value):
        return self._x(second), self.y0 + PANEL - PANEL * min(value, self.top) / self.top

    def line(self, curve, colour, scale=1.0, stairs=False, width=1):
        points = [self._point(at, value * scale) for at, value in curve if value is not None]
        if stairs:
            points = [p for a, b in zip(points, points[1:]) for p in (a, (b[0], a[1]))] + points[-1:]
        if len(points) > 1:
            self.draw.line(points, colour, width)

    def dots(self, curve, colour, scale=1.0):
        for at, value in curve:
            x, y = self._point(at, value * scale)
            self.draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)

    def mark(self, value, text):
        y = self._point(0, value)[1]
        self.draw.line((LEFT, y, WIDTH - RIGHT, y), (150, 150, 150))
        self.draw.text((WIDTH - RIGHT - self.draw.textlength(text, SMALL) - 2, y - 13), text, (110, 110, 110), SMALL)


def legend(draw, title):
    draw.text((LEFT, 2), title, INK, LARGE)
    x = WIDTH - RIGHT - 390
    for text, colour in (("on this link", FAR), ("on the LAN", LAN), ("asked of the encoder", WISH), ("link", LINK)):
        draw.rectangle((x, 6, x + 10, 14), fill=colour)
        draw.text((x + 14, 3), text, INK, SMALL)
        x += 26 + draw.textlength(text, SMALL)


def words(result):
    lines = [f"{p['kbps'] / 1000:g} Mbit/s" for p in result["phases"]]
    first = result["phases"][0]
    return f"{', '.join(lines)}; {2 * first['delay_ms']} ms round trip, {first['loss']:.0%} loss"


def draw_result(result):
    curves = result["curves"]
    seconds = curves["link"][-1][0]
    image = Image.new("RGB", (WIDTH, TOP + 5 * (PANEL + GAP)), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    legend(draw, words(result))
    age = Panel(draw, 0, "age of the picture on the screen, ms", seconds,
                ceiling([v * 1000 for _, v in curves["age"]], 600))
    age.mark(500, "500")
    age.line(curves["lan_age"], LAN, 1000)
    age.line(curves["age"], FAR, 1000)
    rates = curves["kbps"] + curves["lan_kbps"] + curves["wish"]
    rate = Panel(draw, 1, "video received, kbit/s", seconds, ceiling([v for _, v in rates], 100))
    link = curves["link"][:-1] + [(curves["link"][-1][0], curves["link"][-2][1])]
    rate.line(link, LINK, stairs=True, width=2)
    rate.line(curves["wish"], WISH, stairs=True)
    rate.line(curves["lan_kbps"], LAN)
    rate.line(curves["kbps"], FAR)
    fps = Panel(draw, 2, "pictures a second", seconds, ceiling([v for _, v in curves["fps"] + curves["lan_fps"]], 10))
    fps.line(curves["lan_fps"], LAN)
    fps.line(curves["fps"], FAR)
    queue = Panel(draw, 3, "not acknowledged in the device's TCP, KiB", seconds,
                  ceiling([v / 1024 for _, v in curves["queue"]], 10))
    queue.line(curves["queue"], FAR, 1 / 1024)
    keys = Panel(draw, 4, "from a key's leaving the controller to its report to the target, ms", seconds,
                 ceiling([v * 1000 for _, v in curves["input"]], 50))
    keys.dots(curves["input"], FAR, 1000)
    return image.quantize(32)


def main(source, folder, prefix="qos-"):
    for text in pathlib.Path(source).read_text(encoding="ascii").splitlines():
        result = json.loads(text)
        path = pathlib.Path(folder) / f"{prefix}{result['name']}.png"
        draw_result(result).save(path, optimize=True)
        print(f"{path} {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
