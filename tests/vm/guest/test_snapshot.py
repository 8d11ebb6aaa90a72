# SPDX-License-Identifier: GPL-3.0-or-later
"""Screenshots of real driver frames: every format of vivid, right in colour to the last digit but two."""
import io

import lib
import numpy as np
import pytest
import vivid
from PIL import Image
from test_video import FORMATS, agent_for, bars, watch

# Two roundings: the driver's to 8-bit YUV, and ours back. One step of chroma moves blue by two.
ROUNDING = 2


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
        list(peer.frames(5, timeout=lib.PATIENCE_S))


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
            check_bars(take(peer)[0], ROUNDING)
            agent.wait_log("matrix=" + ("1" if encoding == "ITU-R 601" else "2"))
            agent.wait_log("range=" + ("2" if quantization == "Full Range" else "1"))
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
