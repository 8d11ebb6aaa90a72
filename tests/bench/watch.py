#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One viewer: watch.py ID_BOX PASSWORD QUALITY_PERCENT FILE. Says for each message, until standard input ends, when it
came (CLOCK_MONOTONIC us), the size of its picture (0: none) and how many bytes have come in all. FILE: pictures are
kept there, each behind its size in four bytes."""

import pathlib
import select
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from peer.controller import Controller, PeerTimeout  # noqa: E402


def main():
    box, password, quality, save = sys.argv[1:]
    client = Controller.via_id_box(box, record_video=True)
    client.decode = False
    option = {"custom_image_quality": int(quality) << 8} if int(quality) else None
    client.login(password, codecs=("h264s",), option=option)
    file = open(save, "wb") if save else None  # pylint: disable=consider-using-with
    while True:
        ready = select.select([0, client.conn], [], [])[0]
        if 0 in ready:
            break
        try:
            while True:
                entry = client.pump(0)
                frames = entry.msg.h264s.frames if entry.kind == "video_frame" else ()
                for frame in frames:
                    if file:
                        file.write(len(frame.data).to_bytes(4, "little") + frame.data)
                size = sum(len(f.data) for f in frames)
                print(time.monotonic_ns() // 1000, size, client.conn.received_bytes, flush=True)
                client.log.clear()
        except PeerTimeout:
            continue
    if file:
        file.close()
    client.close()


if __name__ == "__main__":
    main()
