# SPDX-License-Identifier: GPL-3.0-or-later
"""How like one picture is to another."""

import numpy as np


def gauss(plane):
    """Blurred by 11 x 11 Gaussian weights of sigma 1.5; only where the window fits."""
    weights = np.exp(-np.arange(-5, 6) ** 2 / (2 * 1.5 ** 2)).astype(np.float32)
    weights /= weights.sum()
    for axis in (0, 1):
        length = plane.shape[axis] - 10
        parts = (w * plane.take(range(i, i + length), axis) for i, w in enumerate(weights))
        plane = sum(parts)
    return plane


def ssim(one, other):
    """Mean structural similarity of two planes of 8 bits (Wang et al. 2004, its constants and window)."""
    x, y = one.astype(np.float32), other.astype(np.float32)
    mean_x, mean_y = gauss(x), gauss(y)
    var_x, var_y = gauss(x * x) - mean_x ** 2, gauss(y * y) - mean_y ** 2
    both = gauss(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = (2 * mean_x * mean_y + c1) * (2 * both + c2) / (
        (mean_x ** 2 + mean_y ** 2 + c1) * (var_x + var_y + c2))
    return float(values.mean(dtype=np.float64))


def psnr(one, other):
    error = np.mean((one.astype(np.float32) - other) ** 2, dtype=np.float64)
    return float(10 * np.log10(255 ** 2 / error)) if error else 99.0
