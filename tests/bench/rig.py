# SPDX-License-Identifier: GPL-3.0-or-later
"""What the measurements are made of: the agent on a device that plays prepared pictures, viewers in processes of their
own, and what it is compared with. All are driven one picture at a time by whoever measures, in turn."""

import fcntl
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import sys
import threading
import time

from peer import agent as process

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(process.PROGRAM).parents[1]
FPS = 30
PATIENCE = 20.0
TRIES = 3
BASE_KBPS = 4073  # of ka_bitrate_base_kbps() for 1920x1080
SERVE = {"enabled": True, "address": "127.0.0.1", "port": 0, "session_port": 0}


def cpu_ns(pid):
    """CPU time of all threads of a process, ended ones too (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns(~pid << 3 | 2)


class Device:
    """The camera's side of bench_device.h."""

    def __init__(self, folder, frames):
        self.path = folder / "device"
        self.frames = frames
        os.mkfifo(self.path)
        os.symlink(frames.path, f"{self.path}.frames")
        self._fifo = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self._due = 0.0

    def show(self, index):
        """The next picture, not before it is due at FPS."""
        time.sleep(max(0.0, self._due - time.monotonic()))
        now = time.monotonic()
        self._due = max(self._due, now - 0.2 / FPS) + 1 / FPS
        try:
            os.write(self._fifo, struct.pack("=IIq", index % self.frames.count, 0, time.monotonic_ns() // 1000))
        except BlockingIOError:
            pass  # nobody has been looking for a long time

    def play(self, seconds, indexes=()):
        """These pictures, or all, again and again for so long."""
        end, count = time.monotonic() + seconds, 0
        indexes = indexes or range(self.frames.count)
        while time.monotonic() < end:
            self.show(indexes[count % len(indexes)])
            count += 1

    def close(self):
        os.close(self._fifo)


class BackgroundPlayer:
    """Shows all pictures, or `count` from `first` on, until stopped, from a process of its own: so its pace does not
    depend on who measures."""

    def __init__(self, device, first=0, count=None):
        self._process = subprocess.Popen([sys.executable, str(HERE / "play.py"), str(device.path),
                                          str(count or device.frames.count), str(FPS), str(first)],
                                         stdin=subprocess.PIPE)

    def close(self):
        self._process.stdin.close()
        self._process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Agent(process.Agent):
    """The agent, on such a device, with its own rendezvous service for encrypted sessions."""

    def __init__(self, folder, device, **video):
        folder.mkdir()
        super().__init__(folder, program=BUILD / "agent/bench_agent", rustdesk={"serve": SERVE},
                         video={"source": "v4l2", "device": str(device.path), "fps": FPS, **video},
                         top={"log": {"level": "info"}})
        key = re.search(r"\?key=(\S{44})", self.log).group(1)
        self.box = f"{self.id}@127.0.0.1:{self.serve_port}?key={key}"

    def cpu_ns(self):
        return cpu_ns(self.pid)


class Viewer:
    """A stock client's session in a process of its own (watch.py)."""

    def __init__(self, agent, *, quality=0, save=None):
        command = [sys.executable, str(HERE / "watch.py"), agent.box, process.PASSWORD, str(quality), str(save or "")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._rest = b""
        self.frames = 0
        self.bytes = 0  # off the socket, all messages
        self.picture_bytes = 0
        self.arrived_us = 0

    def _take(self, data):
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            arrived, size, total = map(int, line.split())
            self.bytes = total
            if size:
                self.frames += 1
                self.picture_bytes += size
                self.arrived_us = arrived

    def poll(self, timeout=0.0):
        """Reads what the viewer has said; False when it said nothing."""
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            return False
        data = os.read(self._process.stdout.fileno(), 65536)
        if not data:
            raise RuntimeError("a viewer has ended")
        self._take(data)
        return True

    def wait_frames(self, count, timeout=PATIENCE):
        """Until so many pictures have come in all; False when they do not."""
        end = time.monotonic() + timeout
        while self.frames < count and time.monotonic() < end:
            self.poll(end - time.monotonic())
        return self.frames >= count

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(PATIENCE)


class House:
    """A device, an agent on it, and viewers."""

    def __init__(self, folder, frames, viewers=1, quality=0, save=None):
        folder.mkdir()
        self.device = Device(folder, frames)
        self.agent = Agent(folder / "agent", self.device)
        self.viewers = [Viewer(self.agent, quality=quality, save=save) for _ in range(viewers)]
        self.full_kbps = BASE_KBPS * (quality * 2 if quality else 67) // 100
        end = time.monotonic() + PATIENCE
        while any(not v.frames for v in self.viewers):
            self.device.show(0)
            for viewer in self.viewers:
                viewer.poll()
            if time.monotonic() > end:
                raise RuntimeError(f"no picture:\n{self.agent.log}")

    def settle(self, seconds=3, indexes=()):
        """What comes after a login (repeats, a better picture) is over, and the link is known to be a fast one."""
        self.device.play(seconds, indexes)
        end = time.monotonic() + PATIENCE
        while self.kbps() < self.full_kbps and time.monotonic() < end:
            self.device.play(1, indexes)
            self.drain()
        time.sleep(0.5)  # nothing of this may come later
        self.drain()

    def kbps(self):
        """What is asked of the encoder."""
        return self.agent.status()["picture"]["kbps"]

    def drain(self):
        for viewer in self.viewers:
            while viewer.poll():
                pass

    def step(self, index):
        """Shows one picture and waits until all viewers have it."""
        self.drain()
        missing = {v: v.frames for v in self.viewers}
        for _ in range(TRIES):
            self.device.show(index)
            missing = {v: count for v, count in missing.items() if not v.wait_frames(count + 1, 1)}
            if not missing:
                return
        raise RuntimeError(f"picture {index} never came:\n{self.agent.log[-2000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for viewer in self.viewers:
            viewer.close()
        self.agent.stop()
        self.device.close()


class Bare:
    """bench_bare: x264 alone."""

    def __init__(self, frames, kbps):
        self._process = subprocess.Popen([BUILD / "capture/bench_bare", frames.path, str(FPS), str(kbps)],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def _ask(self, what, index):
        self._process.stdin.write(f"{what} {index}\n")
        return tuple(map(int, self._process.stdout.readline().split()))

    def encode(self, index):
        """(CPU us, wall us, bytes)"""
        return self._ask("p", index)

    def convert_and_encode(self, index):
        """(CPU us of converting, CPU us of encoding, bytes)"""
        return self._ask("c", index)

    def key(self, index):
        return self._ask("k", index)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(PATIENCE)


def x264_options(kbps):
    """The agent's settings in libx264's words, but for rates (capture/enc_x264.c)."""
    return {"crf": "21", "vbv-maxrate": str(kbps), "vbv-bufsize": str(kbps * 750 // 1000), "keyint": "infinite",
            "scenecut": "0", "ref": "1", "bframes": "0", "sliced-threads": "1", "threads": str(threads())}


def threads():
    """As choose_threads() of capture/enc_x264.c for 1080p30."""
    return min(4, os.cpu_count() or 1)


class Ffmpeg:
    """ffmpeg: raw pictures by a pipe, libx264, the stream to a socket on loopback."""

    def __init__(self, frames, kbps):
        listener = socket.create_server(("127.0.0.1", 0))
        options = ":".join(f"{k}={v}" for k, v in x264_options(kbps).items())
        self._frames = frames
        self._process = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-analyzeduration", "0", "-probesize", "32", "-f", "rawvideo",
             "-pix_fmt", "yuyv422", "-s", f"{frames.width}x{frames.height}", "-r", str(FPS), "-blocksize", "1048576",
             "-i", "pipe:0", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
             "-x264-params", options, "-flush_packets", "1", "-f", "h264",
             f"tcp://127.0.0.1:{listener.getsockname()[1]}"], stdin=subprocess.PIPE)
        # Fewer wake-ups, which is in its favour.
        fcntl.fcntl(self._process.stdin, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.bytes = 0
        self._news = threading.Event()
        threading.Thread(target=self._read, args=(listener,), daemon=True).start()

    def _read(self, listener):
        with listener, listener.accept()[0] as stream:
            while data := stream.recv(1 << 18):
                self.bytes += len(data)
                self._news.set()

    def step(self, index):
        """Encodes one picture; returns when its first bytes are out."""
        self._news.clear()
        self._process.stdin.write(self._frames.pictures[index % self._frames.count])
        self._process.stdin.flush()
        self._news.wait(2)

    def cpu_ns(self):
        return cpu_ns(self._process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(PATIENCE)
