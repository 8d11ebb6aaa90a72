#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes seeds for fuzz_session: everything the test controller says in a real session with the agent.

    tests/fuzz/record_seeds.py FOLDER

The layout of a program is that of tests/fuzz/fuzz_session.c."""

import inspect
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from peer.agent import PASSWORD, Agent  # noqa: E402 (the path above)
from peer import controls, pb  # noqa: E402
from peer.conn import Conn  # noqa: E402
from peer.controller import Controller  # noqa: E402

PAYLOAD, EXCHANGE, LOGIN, STEP, PUBLISH = 0, 3, 4, 6, 7
DIRECT, PUNCHED, SERVED = 0, 1, 4
MESSAGES_PER_SEED = 6
NEEDS = {"code": 4, "name": "Return", "char": "a", "text": "text ä", "virtual_key": 65, "mask": 1, "x": 10, "y": 20,
         "dx": 3, "dy": -3, "scale": 2, "phase": "start", "quality": 2, "percent": 80, "fps": 20, "codecs": ("h264s",),
         "width": 640, "height": 480, "display": 0, "on": True, "content": b"clip", "button": 1}
SKIP = {"change_resolution"}


class Tap(Conn):
    """Remembers what is sent, before it is sealed."""

    payloads = []

    def send_frame(self, payload, timeout=20.0):
        Tap.payloads.append(bytes(payload))
        super().send_frame(payload, timeout)


def use_every_control(client):
    """Calls each method of the controls once with made-up arguments."""
    for name, method in inspect.getmembers(client, inspect.ismethod):
        if name.startswith("_") or name in SKIP or name not in vars(controls.Controls):
            continue
        wanted = [p for p in inspect.signature(method).parameters.values()
                  if p.default is p.empty and p.kind == p.POSITIONAL_OR_KEYWORD]
        if name == "control_key":
            method("Return")
        else:
            method(*(NEEDS[p.name] for p in wanted))


def record():
    with tempfile.TemporaryDirectory() as folder:
        agent = Agent(pathlib.Path(folder))
        try:
            client = Controller(Tap.connect("127.0.0.1", agent.port), "127.0.0.1")
            client.login(PASSWORD)
            client.frames(3, timeout=20)
            use_every_control(client)
            client.run(1.5)
            client.close("bye")
        finally:
            agent.stop()
    return list(dict.fromkeys(Tap.payloads))


def say(payload):
    return bytes([PAYLOAD]) + len(payload).to_bytes(2, "little") + payload


def misc(**fields):
    return say(pb.misc(**fields).SerializeToString())


def capture(**lists):
    return misc(capture_displays=pb.CaptureDisplays(**lists))


def several_displays():
    """Programs for a device with four displays."""
    log_in = bytes([0, 128, DIRECT, 0, LOGIN, 1, 64, 0])
    of_old = bytes([0, 128, DIRECT, 0, LOGIN, 1, 0, 0])
    # A key picture of each display in turn, then others.
    keys = bytes([PUBLISH, 1, 0, 4] + [PUBLISH, 33, 0, 4] * 3)
    more = bytes([PUBLISH, 32, 0, 4] * 4)
    shot = say(pb.Message(screenshot_request=pb.ScreenshotRequest(display=2, sid="s")).SerializeToString())
    move = say(pb.Message(mouse_event=pb.MouseEvent(x=-5000, y=3000)).SerializeToString())
    sizes = {"width": 640, "height": 480}
    switches = b"".join(misc(switch_display=pb.SwitchDisplay(display=i, **sizes)) for i in (1, 3, 0, 9, -1))
    queries = b"".join(misc(message_query=pb.MessageQuery(switch_display=i)) for i in (0, 2, 4))
    return {
        "all": log_in + capture(set=[0, 1, 2, 3]) + keys + more + move + shot + bytes([STEP, 11]) + more,
        "lists": log_in + capture(add=[3, -1]) + keys + capture(sub=[3, 9]) + more + capture() + bytes([STEP, 12])
                 + keys + capture(set=[-7, 2**31 - 1]) + capture(set=[1]) + keys,
        "switch": log_in + switches + keys + queries + more + misc(refresh_video_display=3) + keys,
        "old": of_old + switches + keys + misc(refresh_video=True) + more
               + misc(change_resolution=pb.Resolution(width=640)),
        "sizes": log_in + capture(set=[0, 2]) + keys + bytes([PUBLISH, 35, 0, 4, PUBLISH, 37, 0, 4, STEP, 10]) + move
                 + bytes([PUBLISH, 39, 0, 4]) * 4 + more,
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    payloads = [p for p in record() if len(p) < 1500]
    log_in = bytes([LOGIN, 1, 0, 0, PUBLISH, 1, 0, 4])
    for i in range(0, len(payloads), MESSAGES_PER_SEED):
        said = b"".join(map(say, payloads[i:i + MESSAGES_PER_SEED]))
        (folder / f"real-early-{i}").write_bytes(bytes([0, 0, DIRECT, 0]) + said)
        (folder / f"real-direct-{i}").write_bytes(bytes([0, 0, DIRECT, 0]) + log_in + said + bytes([STEP, 12]))
        (folder / f"real-sealed-{i}").write_bytes(bytes([0, 0, SERVED, 0, EXCHANGE, 0]) + log_in + said)
    for name, seed in several_displays().items():
        (folder / f"displays-{name}").write_bytes(seed)
    print(f"{len(payloads)} messages")


main()
