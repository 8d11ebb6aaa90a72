# SPDX-License-Identifier: GPL-3.0-or-later
"""A CH9329 at a pseudo-terminal: checks every byte it is told, answers as the chip does, and can be a bad line or be
pulled out."""

import os
import random
import select
import threading
import time
import tty

HEAD = b"\x57\xab"
GET_INFO, KEYBOARD, MEDIA, ABS, REL = range(1, 6)
LENGTHS = {GET_INFO: (0,), KEYBOARD: (8,), MEDIA: (2, 4), ABS: (7,), REL: (5,)}
DONE, BAD_SUM, CANNOT = 0x00, 0xE4, 0xE6


def frame(command, data):
    body = HEAD + bytes([0, command, len(data)]) + data
    return body + bytes([sum(body) & 0xFF])


class Chip:
    """`path` stays the same when it is pulled out and put in again. `done`: (command, data) that it carried out."""

    def __init__(self, path):
        self.path = path
        self.host = True
        self.leds = 0
        self.done = []
        self.faults = []  # what was wrong with what it was told
        self.silent = False
        self.unable = False  # answers that it could not do it
        self.noise = {}  # kind: how many of 100; "no answer", "bad answer", "bad command"
        self.questions = 0
        self.bad_lines = 0
        self._random = random.Random(5)
        self._stop, self._stopped = os.pipe()
        self._lock = threading.Lock()
        self._master = -1
        self._thread = None
        self.put_in()

    # ---- for tests ----

    def put_in(self):
        self._master, slave = os.openpty()
        tty.setraw(slave)
        name = os.ttyname(slave)
        self._slave = slave
        new = self.path.with_suffix(".new")
        new.symlink_to(name)
        new.rename(self.path)
        self._thread = threading.Thread(target=self._run, args=(self._master,), daemon=True)
        self._thread.start()

    def pull_out(self):
        """The line hangs up."""
        os.write(self._stopped, b"x")
        self._thread.join()
        os.read(self._stop, 1)
        self.path.unlink()
        os.close(self._slave)
        os.close(self._master)
        self._master = -1

    def close(self):
        if self._master >= 0:
            self.pull_out()
        os.close(self._stop)
        os.close(self._stopped)

    def told(self, command=None):
        with self._lock:
            return [data for told, data in self.done if command in (None, told)]

    def wait(self, predicate, what, timeout=15):
        deadline = time.monotonic() + timeout
        while not predicate():
            assert time.monotonic() < deadline, f"{what}: {self.done[-10:]} {self.faults}"
            time.sleep(0.01)

    def held(self):
        """What the host believes to be pressed."""
        last = {}
        for command, data in self.told_all():
            last[(command, data[0] if command == MEDIA else 0)] = data
        found = []
        for (command, kind), data in last.items():
            pressed = {KEYBOARD: data, MEDIA: data[1:], ABS: data[1:2], REL: data[1:2]}[command]
            if any(pressed):
                found.append((command, kind, data.hex()))
        return found

    def told_all(self):
        with self._lock:
            return list(self.done)

    # ---- the chip ----

    def _run(self, master):
        data = b""
        while True:
            ready = select.select([master, self._stop], [], [], 0.2)[0]
            if self._stop in ready:
                return
            if not ready:
                if data:
                    self.faults.append(f"half a frame: {data.hex()}")
                    data = b""
                continue
            data = self._take(data + os.read(master, 4096), master)

    def _take(self, data, master):
        while len(data) >= 6:
            size = data[4] + 6
            if data[:2] != HEAD or size > 70:
                self.faults.append(f"no frame: {data.hex()}")
                return b""
            if len(data) < size:
                break
            one, data = data[:size], data[size:]
            if data:
                self.faults.append(f"told more before it had answered: {data.hex()}")
            self._judge(one, master)
        return data

    def _random_hit(self, kind):
        return self._random.randrange(100) < self.noise.get(kind, 0)

    def _judge(self, one, master):
        command, data = one[3], one[5:-1]
        if one[2] != 0 or sum(one[:-1]) & 0xFF != one[-1] or len(data) not in LENGTHS.get(command, ()):
            self.faults.append(f"bad frame: {one.hex()}")
            return
        self._judge_data(command, data)
        if self.silent:
            return
        if self._random_hit("bad command"):
            self._answer(master, frame(command | 0xC0, bytes([BAD_SUM])))
            return
        if command == GET_INFO:
            self.questions += 1
            answer = frame(0x81, bytes([0x31, self.host, self.leds, 0, 0, 0, 0, 0]))
        elif self.unable or not self.host:
            answer = frame(command | 0xC0, bytes([CANNOT]))
        else:
            with self._lock:
                self.done.append((command, data))
            answer = frame(command | 0x80, bytes([DONE]))
        self._answer(master, answer)

    def _judge_data(self, command, data):
        fine = {
            GET_INFO: lambda: True,
            KEYBOARD: lambda: data[1] == 0,
            MEDIA: lambda: (data[0], len(data)) in ((1, 2), (2, 4)),
            ABS: lambda: data[0] == 2 and data[1] < 32 and data[3] < 16 and data[5] < 16,
            REL: lambda: data[0] == 1 and data[1] < 32 and 0x80 not in data[2:5],
        }[command]()
        if not fine:
            self.faults.append(f"bad data: {command} {data.hex()}")

    def _answer(self, master, answer):
        if self._random_hit("no answer"):
            self.bad_lines += 1
            return
        if self._random_hit("bad answer"):
            self.bad_lines += 1
            at = self._random.randrange(len(answer))
            answer = answer[:at] + bytes([answer[at] ^ (1 << self._random.randrange(8))]) + answer[at + 1:]
        os.write(master, answer)
