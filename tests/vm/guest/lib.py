# SPDX-License-Identifier: GPL-3.0-or-later
"""What every guest test needs: modules, deadlines, and the agent as a process with its log."""
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[3]
BINARY = ROOT / "build" / "release" / "agent" / "kvmagent"
CONFIGFS = Path("/sys/kernel/config")
OUT = Path("/run/out")  # on the host: build/vm/out
PASSWORD = "guest-Passw0rd"
# The guest is emulated and runs 10 to 30 times slower than the machine it runs on.
PATIENCE_S = 30


def run(*command, **options):
    """A command's output; its failure is an error that shows it."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command} -> {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def modprobe(name, **parameters):
    run("modprobe", name, *(f"{key}={value}" for key, value in parameters.items()))


def eventually(predicate, what, timeout=PATIENCE_S):
    """The first true value of predicate()."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.02)


def libconfig(value):
    """Text of a Python value in libconfig's syntax."""
    if isinstance(value, dict):
        return "{ " + " ".join(f"{key} = {libconfig(item)};" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "( " + ", ".join(map(libconfig, value)) + " )"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def merged(base, more):
    result = dict(base)
    for key, value in more.items():
        result[key] = merged(base.get(key, {}), value) if isinstance(value, dict) else value
    return result


def keep_picture(name, picture):
    """For the eye: a PNG beside the logs."""
    keep_rgb(name, picture.rgb)


def keep_rgb(name, rgb):
    Image.fromarray(rgb.astype("uint8")).save(OUT / f"{name}.png")


class Agent:
    """One run of the agent after another on the same state folder; sections override the defaults below."""

    def __init__(self, folder, **sections):
        self.folder = Path(folder)
        self.log_path = OUT / f"agent-{self.folder.name}.log"
        self.process = None
        self.port = None
        self.id = None
        defaults = {
            "state_dir": str(self.folder / "state"),
            "runtime_dir": str(self.folder / "run"),
            "log": {"level": "debug"},
            "video": {"source": "card", "width": 320, "height": 240, "fps": 5},
            "hid": {"backend": "none"},
            "rustdesk": {"password": PASSWORD, "lan_discovery": False,
                         "direct": {"enabled": True, "address": "127.0.0.1", "port": 0}},
        }
        for name in ("state_dir", "runtime_dir"):
            Path(defaults[name]).mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "kvmagent.cfg"
        text = "\n".join(f"{key} = {libconfig(value)};" for key, value in merged(defaults, sections).items())
        self.config.write_text(text + "\n")
        self.config.chmod(0o600)

    def __enter__(self):
        return self.start() if not self.process else self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.stop()

    def start(self):
        """Starts it and waits until it says that it is ready."""
        ready, theirs = os.pipe()
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen([BINARY, "--config", self.config, "--ready-fd", str(theirs)],
                                            pass_fds=[theirs], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        os.close(theirs)
        line = read_line(ready, PATIENCE_S)
        os.close(ready)
        assert line, f"the agent is not ready:\n{self.log()}"
        told = json.loads(line)
        self.port, self.id = told["direct_port"], told["id"]
        assert told["pid"] == self.process.pid
        return self

    def stop(self, timeout=PATIENCE_S):
        """SIGTERM; seconds until it was gone. Its exit status must be 0."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout)
        took = time.monotonic() - start
        assert status == 0, f"exit status {status}\n{self.log()}"
        return took

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_log(self, text, count=1, timeout=PATIENCE_S):
        """Until a line with this text was logged count times."""
        eventually(lambda: self.log().count(text) >= count, f"'{text}' in the log:\n{self.log()}", timeout)


def read_line(fd, timeout):
    """One line from a pipe, b'' when the other end closes without one or says nothing in time."""
    data = b""
    deadline = time.monotonic() + timeout
    while not data.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return b""
        more = os.read(fd, 4096)
        if not more:
            return b""
        data += more
    return data


def picture_where(peer, predicate, what, timeout=PATIENCE_S):
    """The first picture for which the predicate holds. Only the newest that is there is looked at: this costs time."""
    deadline = time.monotonic() + timeout
    while True:
        picture = peer.frame(max(0.1, deadline - time.monotonic()))
        while peer.pictures:
            picture = peer.pictures.pop(0)
        if predicate(picture):
            return picture
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
