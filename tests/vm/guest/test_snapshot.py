# SPDX-License-Identifier: GPL-3.0-or-later
"""Screenshots of real driver frames: every format of vivid, right in colour to the last digit but two."""
import io
import re

import lib
import numpy as np
import pytest
import vivid
from PIL import Image
from test_video import FORMATS, agent_for, bars, watch

WIDTH, HEIGHT = 640, 480
# Red's and blue's part of luma, by the number that the agent logs.
WEIGHTS = {1: (0.299, 0.114), 2: (0.2126, 0.0722), 3: (0.2627, 0.0593)}
# What the driver makes of its bars by truncating to 8-bit YUV; a step of chroma moves blue by two.
ROUNDING = 4


def take(peer):
    peer.screenshot(0, "vm")
    response = peer.wait_for("screenshot_response", lib.PATIENCE_S).msg
    assert response.msg == ""
    image = Image.open(io.BytesIO(response.data))
    image.load()
    assert (image.format, image.mode) == ("PNG", "RGB")
    return np.asarray(image), response.data


def check_bars(rgb, tolerance):
    height, width, _ = rgb.shape
    for i, want in enumerate(vivid.BARS):
        # Away from the seams, where two bars share a chroma sample.
        block = rgb[height // 4:height // 2, width * i // 8 + 4:width * (i + 1) // 8 - 4].astype(int)
        assert (block == block[0, 0]).all(), f"bar {i} is not of one colour"
        assert np.abs(block[0, 0] - want).max() <= tolerance, (i, block[0, 0], want)


def raw_frame(source, name, folder):
    """One frame as the driver gives it, without the agent."""
    fourcc = {"RGB24": "RGB3", "BGR24": "BGR3"}.get(name, name)
    path = folder / "raw"
    lib.run("v4l2-ctl", "-d", source.path, f"--set-fmt-video=width={WIDTH},height={HEIGHT},pixelformat={fourcc}",
            "--stream-mmap", "--stream-count=1", f"--stream-to={path}")
    return np.frombuffer(path.read_bytes(), np.uint8)


def samples(raw, name):
    """Y, U, V of each pixel, chroma repeated; as the formats are described by V4L2."""
    luma = raw[:WIDTH * HEIGHT].reshape(HEIGHT, WIDTH)
    rest = raw[WIDTH * HEIGHT:]
    if name in ("YUYV", "UYVY"):
        pixels = raw.reshape(HEIGHT, WIDTH // 2, 4)
        first = 0 if name == "YUYV" else 1
        luma = pixels[:, :, [first, first + 2]].reshape(HEIGHT, WIDTH)
        chroma = pixels[:, :, [1 - first, 3 - first]].repeat(2, 1)
    elif name == "NV24":
        chroma = rest.reshape(HEIGHT, WIDTH, 2)
    elif name == "NV16":
        chroma = rest.reshape(HEIGHT, WIDTH // 2, 2).repeat(2, 1)
    else:
        chroma = rest.reshape(HEIGHT // 2, WIDTH // 2, 2).repeat(2, 0).repeat(2, 1)
    return np.dstack((luma, chroma)).astype(np.float64)


def exact_rgb(raw, name, matrix, full):
    """What such samples mean, to the nearest integer."""
    if name.endswith("24") and name != "NV24":
        rgb = raw.reshape(HEIGHT, WIDTH, 3)[:, :, ::1 if name == "RGB24" else -1].astype(np.float64)
        return rgb if full else np.rint(np.clip((rgb - 16) * 255 / 219, 0, 255))
    y, u, v = np.moveaxis(samples(raw, name), 2, 0)
    red, blue = WEIGHTS[matrix]
    y, u, v = (y, u - 128, v - 128) if full else ((y - 16) * 255 / 219, (u - 128) * 255 / 224, (v - 128) * 255 / 224)
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.rint(np.clip(np.dstack((r, g, b)), 0, 255))


def check_exactness(source, name, folder, logged, rgb):
    """The file against the driver's own bytes; all of the picture, seams and all."""
    matrix, full = (int(re.search(rf"{word}=(\d)", logged).group(1)) for word in ("matrix", "range"))
    assert (rgb == exact_rgb(raw_frame(source, name, folder), name, matrix, full == 2)).all()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("which", [0, 1], ids=["single-planar", "multi-planar"])
def test_every_format(sources, tmp_path, which, name):
    sources[which].plug("640x480p59")
    with agent_for(sources[which], tmp_path, format=name) as agent, watch(agent) as peer:
        lib.picture_where(peer, bars, "bars")
        rgb, data = take(peer)
        (lib.OUT / f"screenshot-{name}-{which}.png").write_bytes(data)
        assert rgb.shape == (480, 640, 3)
        check_bars(rgb, 0 if name.endswith("24") and name != "NV24" else ROUNDING)
        # The buffer went back: the stream goes on.
        for _ in range(6):
            sources[which].move()
            peer.pictures.clear()
            peer.frame(lib.PATIENCE_S)
        logged = agent.log()
    check_exactness(sources[which], name, tmp_path, logged, rgb)


@pytest.mark.parametrize("quantization", ["Full Range", "Limited Range"])
@pytest.mark.parametrize("encoding", ["ITU-R 601", "Rec. 709"])
@pytest.mark.parametrize("name", ["YUYV", "NV24"])
def test_every_matrix_and_range(sources, tmp_path, name, encoding, quantization):
    source = sources[0]
    source.plug("640x480p59")
    source.set(y_cbcr_encoding=source.menu("y_cbcr_encoding")[encoding],
               quantization=source.menu("quantization")[quantization])
    try:
        with agent_for(source, tmp_path, format=name) as agent, watch(agent) as peer:
            lib.picture_where(peer, bars, "bars")
            rgb, _ = take(peer)
            check_bars(rgb, ROUNDING)
            agent.wait_log("matrix=" + ("1" if encoding == "ITU-R 601" else "2"))
            agent.wait_log("range=" + ("2" if quantization == "Full Range" else "1"))
            logged = agent.log()
        check_exactness(source, name, tmp_path, logged, rgb)
    finally:
        source.set(y_cbcr_encoding=0, quantization=0)


def test_slate_while_the_cable_is_out(sources, tmp_path):
    source = sources[0]
    source.plug("640x480p59")
    source.signal(vivid.NO_SIGNAL)
    with agent_for(source, tmp_path) as agent, watch(agent) as peer:
        slate = peer.frame(lib.PATIENCE_S)
        rgb, _ = take(peer)
        assert rgb.shape == (slate.height, slate.width, 3)
        assert np.abs(rgb.astype(int) - slate.rgb).mean() < 4 and rgb.std() > 5
        source.plug("640x480p59")
        lib.picture_where(peer, bars, "bars")
        check_bars(take(peer)[0], ROUNDING)
