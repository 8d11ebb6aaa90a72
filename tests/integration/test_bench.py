# SPDX-License-Identifier: GPL-3.0-or-later
"""What ./dev bench measures with, measured itself: without it a figure could be of anything."""

import sys

import numpy as np
import pytest
from PIL import Image

from peer.agent import TESTS
from peer.likeness import psnr, ssim

sys.path.insert(0, str(TESTS / "bench"))

import delay  # noqa: E402
import quality  # noqa: E402
import rig  # noqa: E402
import scenes  # noqa: E402

WIDTH, HEIGHT = 320, 240


@pytest.fixture(name="stripes")
def fixture_stripes():
    """Four pictures, each grey with a white stripe elsewhere."""
    images = []
    for n in range(4):
        image = Image.new("RGB", (WIDTH, HEIGHT), (90, 90, 90))
        image.paste((255, 255, 255), (0, n * 60, WIDTH, n * 60 + 60))
        images.append(image)
    return images


def test_prepared_pictures_come_out_at_the_other_end(tmp_path, stripes):
    frames = scenes.Frames(tmp_path / "stripes.frames", WIDTH, HEIGHT, stripes)
    stream = tmp_path / "stream"
    with rig.House(tmp_path / "house", frames, save=stream) as house:
        house.device.play(1, [0])
        first = house.agent.cpu_ns()
        before = house.viewers[0].frames
        for n in (1, 2, 3, 1):
            house.step(n)
        assert house.agent.cpu_ns() > first
        assert house.viewers[0].frames >= before + 4
        assert house.viewers[0].bytes > house.viewers[0].picture_bytes > 0
        stages = house.agent.status()["picture"]["stages"]
        assert stages["whole"]["p50_us"] >= stages["encode"]["p50_us"]
    shown = list(quality.luma(quality.saved(stream)))
    for n in range(4):
        wanted = scenes.yuyv_to_i420(frames.pictures[n], WIDTH, HEIGHT)[0]
        assert max(psnr(picture, wanted) for picture in shown) > 35


def test_likeness_is_one_for_the_same_and_falls_with_noise():
    rng = np.random.default_rng(1)
    plane = rng.integers(0, 256, (64, 80), np.uint8)
    noisy = np.clip(plane + rng.normal(0, 20, plane.shape), 0, 255).astype(np.uint8)
    assert ssim(plane, plane) == pytest.approx(1)
    assert 0.5 < ssim(plane, noisy) < 0.98
    # Flat planes: only the term of the means is left; 6.5025 = (0.01 * 255) ** 2.
    assert ssim(np.full((32, 32), 100), np.full((32, 32), 110)) == pytest.approx(
        (2 * 100 * 110 + 6.5025) / (100 ** 2 + 110 ** 2 + 6.5025), abs=1e-4)
    assert psnr(plane, plane) == 99
    assert psnr(np.zeros((4, 4)), np.full((4, 4), 255)) == pytest.approx(0)


def test_percentiles_are_of_nearest_rank():
    assert [delay.percentile(range(1, 101), p) for p in (1, 50, 95, 100)] == [1, 50, 95, 100]
    assert delay.percentile([7], 95) == 7
