# SPDX-License-Identifier: GPL-3.0-or-later
"""Every format of vivid in colours and sizes of all kinds, through capture, conversion and encoder; decoded as the
stock client does it: as BT.601 limited, whatever the stream says. All colours of all formats are in test_convert.c."""
import re

import av
import lib
import numpy as np
import pytest
import vivid

DUMP = lib.ROOT / "build" / "release" / "capture" / "capture_dump"
SINGLE = ("NV12", "NV21", "NV16", "NV61", "NV24", "NV42", "YU12", "YV12", "422P", "GREY", "YUYV", "YVYU", "UYVY",
          "VYUY", "RGB3", "BGR3", "XR24", "AR24", "BGR4", "XB24", "AB24", "BX24", "BA24", "RGB4", "RX24",
          "RA24")
MULTI = ("NM12", "NM21", "NM16", "NM61", "YM12", "YM21", "YM16", "YM61", "YM24", "YM42")
RGB = SINGLE[SINGLE.index("RGB3"):]
# The same samples as another of the list.
ALSO = ("AR24", "BGR4", "AB24", "BA24", "RGB4", "RA24", *MULTI)
# Colour space, encoding and range as vivid's menus name them; matrix and range as the agent logs them.
COLOURS = {
    "601-limited": ("SMPTE 170M", "ITU-R 601", "Limited Range", 1, 1),
    "709-limited": ("Rec. 709", "Rec. 709", "Limited Range", 2, 1),
    "601-full": ("SMPTE 170M", "ITU-R 601", "Full Range", 1, 2),
    "709-full": ("Rec. 709", "Rec. 709", "Full Range", 2, 2),
    "srgb-full": ("sRGB", "Default", "Full Range", 1, 2),
    "2020-limited": ("BT.2020", "BT.2020", "Limited Range", 3, 1),
}
# vivid's own grey: BT.709 luma from 0 to 255, whatever range and encoding are set.
GREY = (0.2126, 0.7152, 0.0722)
# vivid truncates where it converts, and a step of chroma moves blue by two; then ours, then the encoder's. 3.4 and 44.9
# were seen.
WORST, PSNR_DB = 5, 42


@pytest.fixture
def colour_of():
    """Sets a source's colour; puts it back."""
    touched = {}

    def put(source, space, encoding, quantization):
        if source.path not in touched:
            touched[source.path] = source, {name: source.menu(name)
                                            for name in ("colorspace", "y_cbcr_encoding", "quantization")}
        menus = touched[source.path][1]
        source.set(colorspace=menus["colorspace"][space], y_cbcr_encoding=menus["y_cbcr_encoding"][encoding],
                   quantization=menus["quantization"][quantization])

    yield put
    for source, menus in touched.values():
        source.set(colorspace=menus["colorspace"]["sRGB"], y_cbcr_encoding=0, quantization=0)


def client_rgb(frame):
    """BT.601 limited to RGB, chroma repeated."""
    planes = [np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, :plane.width].astype(np.float32)
              for plane in frame.planes]
    y, u, v = planes[0], *(plane.repeat(2, 0).repeat(2, 1)[:frame.height, :frame.width] for plane in planes[1:])
    y, u, v = (y - 16) * (255 / 219), (u - 128) * (255 / 224), (v - 128) * (255 / 224)
    r, b = y + 1.402 * v, y + 1.772 * u
    g = (y - 0.299 * r - 0.114 * b) / 0.587
    return np.clip(np.dstack((r, g, b)), 0, 255)


def last_picture(source, form, folder):
    """What a viewer sees of this source after two pictures, and the log."""
    path = folder / f"{form}.h264"
    done = lib.subprocess.run([DUMP, source.path, f"={form}", "30", "90", path, "2"], capture_output=True, text=True)
    assert done.returncode == 0 and "capture: live" in done.stderr, done.stdout + done.stderr
    with av.open(str(path), format="h264") as stream:
        frame = [*stream.decode(video=0)][-1]
    assert frame.format.name in ("yuv420p", "yuvj420p")
    print(done.stdout + done.stderr)
    return client_rgb(frame), done.stderr


def expected(width, height, grey):
    """The bars, and where no seam is near."""
    bars = np.array(vivid.BARS, np.float32)
    if grey:
        bars = (bars @ np.array(GREY, np.float32))[:, None].repeat(3, 1)
    column = np.arange(width)
    edge = column * 8 % width // 8
    clear = (edge >= 8) & (width // 8 - edge > 8)
    return bars[np.minimum(column * 8 // width, 7)][None].repeat(height, 0), clear


def check(rgb, form, size):
    width, height = size
    assert rgb.shape == (height, width, 3)
    want, clear = expected(width, height, form == "GREY")
    difference = (rgb - want)[:, clear]
    psnr = 10 * np.log10(255 ** 2 / max(float((difference ** 2).mean()), 1e-3))
    worst = np.abs(difference.mean(axis=0)).max()
    print(f"{form} {width}x{height}: PSNR {psnr:.1f} dB, worst column {worst:.1f}")
    assert psnr >= PSNR_DB and worst <= WORST, (form, psnr, worst, vivid.bar_colours(rgb))


def check_colour(source, form, folder, colour, put):
    space, encoding, quantization, matrix, quantized = COLOURS[colour]
    put(source, space, encoding, quantization)
    rgb, log = last_picture(source, form, folder)
    assert f"fourcc={form} " in log
    told = re.search(r"matrix=(\d) range=(\d)", log)
    assert int(told.group(2)) == quantized
    assert form in RGB or int(told.group(1)) == matrix
    check(rgb, form, (640, 480))
    return rgb


@pytest.mark.parametrize("form,colours", [
    (form, [list(COLOURS)[(i + 3 * more) % 6] for more in range(1 if form in ALSO else 2)])
    for i, form in enumerate(SINGLE + MULTI) if form != "GREY"
], ids=lambda value: value if isinstance(value, str) else "+".join(value))
def test_every_format(sources, tmp_path, colour_of, form, colours):
    source = sources[form in MULTI]
    source.plug("640x480p59")
    for colour in colours:
        lib.keep_rgb(f"format-{form}-{colour}", check_colour(source, form, tmp_path, colour, colour_of))


def test_grey(sources, tmp_path):
    sources[0].plug("640x480p59")
    rgb, log = last_picture(sources[0], "GREY", tmp_path)
    assert "fourcc=GREY " in log
    check(rgb, "GREY", (640, 480))


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("form", ["YUYV", "NV24"])
def test_every_colour(sources, tmp_path, colour_of, form, colour):
    sources[0].plug("640x480p59")
    check_colour(sources[0], form, tmp_path, colour, colour_of)


@pytest.mark.parametrize("size,forms", [
    ("720x576p50", ("YUYV",)),
    ("1024x768p60", ("NV16", "YV12")),
    # Not YV12: with an odd stride of chroma, vivid's own buffers are too short for it.
    ("1366x768p60", ("NV12", "YUYV", "422P", "NV24", "BGR3", "XR24", "GREY")),
    ("1920x1080p60", ("NV21", "UYVY")),
    ("3840x2160p24", ("NV12", "BGR3")),
], ids=lambda value: value if isinstance(value, str) else "-".join(value))
def test_sizes(sources, tmp_path, size, forms):
    source = sources[0]
    source.plug(size)
    width, height = map(int, re.match(r"(\d+)x(\d+)", size).groups())
    try:
        for form in forms:
            rgb, _ = last_picture(source, form, tmp_path)
            check(rgb, form, (width, height))
            lib.keep_rgb(f"size-{form}-{width}", rgb)
    finally:
        source.plug("640x480p59")


@pytest.mark.parametrize("which", [0, 1], ids=["without-hints", "with-hints"])
def test_buffers_are_cached_where_the_driver_can(sources, tmp_path, which):
    sources[which].plug("640x480p59")
    rgb, log = last_picture(sources[which], "YUYV", tmp_path)
    assert f"v4l2: buffers n=6 cached={'yes' if which else 'no'}" in log
    check(rgb, "YUYV", (640, 480))


@pytest.mark.parametrize("form", ["YM12", "YM61", "NM21"])
def test_odd_stride_in_planes_of_their_own(sources, tmp_path, form):
    source = sources[1]
    source.plug("1366x768p60")
    try:
        check(last_picture(source, form, tmp_path)[0], form, (1366, 768))
    finally:
        source.plug("640x480p59")
