# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine-readable frame number in the bottom strip of the test card.

40 cells in a strip of height H/16 at the bottom, each cw = (W/40) & ~1 wide, from x = 0; a cell is 1 when the
mean of its centre is at least 128. Cells 0-3: sync 1,0,1,0; 4-35: the number, MSB first; 36-39: XOR of its eight
nibbles, MSB first.
"""

CELLS = 40
_SYNC = [1, 0, 1, 0]


def _bits(value, count):
    return [value >> (count - 1 - i) & 1 for i in range(count)]


def _value(bits):
    value = 0
    for bit in bits:
        value = value << 1 | bit
    return value


def checksum(number):
    """XOR of the eight nibbles of a 32-bit number."""
    result = 0
    for shift in range(0, 32, 4):
        result ^= number >> shift & 15
    return result


def _geometry(luma):
    height, width = luma.shape
    return height // 16, (width // CELLS) & ~1


def read_number(luma):
    """The frame number in a luma plane (H x W, uint8), or None if sync or checksum is wrong."""
    strip, cell = _geometry(luma)
    if strip < 4 or cell < 4:
        return None
    y = luma.shape[0] - strip + strip // 2
    bits = []
    for i in range(CELLS):
        x = i * cell + cell // 2
        bits.append(int(luma[y - 2:y + 2, x - 2:x + 2].mean() >= 128))
    number = _value(bits[4:36])
    if bits[:4] != _SYNC or _value(bits[36:]) != checksum(number):
        return None
    return number


def draw_number(luma, number, low=16, high=235):
    """Draw the strip into a luma plane; for the fake device of the self-test."""
    strip, cell = _geometry(luma)
    bits = _SYNC + _bits(number, 32) + _bits(checksum(number), 4)
    luma[-strip:, :] = low
    for i, bit in enumerate(bits):
        luma[-strip:, i * cell:(i + 1) * cell] = high if bit else low
