#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays prepared pictures to bench_device.c until standard input ends: play.py FIFO COUNT FPS FIRST"""

import os
import select
import struct
import sys
import time


def main():
    fifo, fps = os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK), float(sys.argv[3])
    count, first = int(sys.argv[2]), int(sys.argv[4])
    start, n = time.monotonic(), 0
    while not select.select([0], [], [], max(0.0, start + n / fps - time.monotonic()))[0]:
        try:
            os.write(fifo, struct.pack("=IIq", first + n % count, 0, time.monotonic_ns() // 1000))
        except BlockingIOError:
            pass  # nobody looks
        n += 1


if __name__ == "__main__":
    main()
