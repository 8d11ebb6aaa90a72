# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as a process, on the test card with HID recorded. The program is $KVMAGENT, else the release build."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
ROOT = TESTS.parent

PROGRAM = os.environ.get("KVMAGENT", str(ROOT / "build/release/agent/kvmagent"))
KVMAGENTCTL = str(pathlib.Path(PROGRAM).with_name("kvmagentctl"))
PASSWORD = "Passw0rd!"
VERSION = "1.4.9"  # claimed by default
CARD = {"source": "card", "width": 640, "height": 360, "fps": 30}


def to_libconfig(values):
    """A dict as libconfig text."""
    def value(v):
        if isinstance(v, bool):
            return "true" if v else "false"
        if isinstance(v, dict):
            return "{ " + to_libconfig(v) + " }"
        if isinstance(v, list):
            return "( " + ", ".join(value(x) for x in v) + " )"
        return f'"{v}"' if isinstance(v, (str, pathlib.Path)) else str(v)
    return " ".join(f"{k} = {value(v)};" for k, v in values.items())


class Agent:
    """One running kvmagent."""

    def __init__(self, folder, video=None, hid=None, rustdesk=None, top=None, netns=None, program=PROGRAM):
        self.folder = folder
        self.program = program
        self.record = folder / "hid.txt"
        self.log_path = folder / "agent.log"
        direct = {"enabled": True, "address": "127.0.0.1", "port": 0}
        config = {
            "state_dir": folder / "state", "runtime_dir": folder / "run", "log": {"level": "debug"},
            "video": {**CARD, **(video or {})},
            "hid": {"backend": "record", "record_file": self.record, **(hid or {})},
            "rustdesk": {"password": PASSWORD, "direct": direct, "lan_discovery": False, **(rustdesk or {})},
            **(top or {}),
        }
        self.config = folder / "kvmagent.cfg"
        self.config.write_text(to_libconfig(config))
        self.config.chmod(0o600)
        self.prefix = ["ip", "netns", "exec", netns] if netns else []
        self.process = None
        self.start()

    def start(self):
        """Returns when the agent says it is ready."""
        read_fd, write_fd = os.pipe()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, str(self.program), "--config", str(self.config), "--ready-fd", str(write_fd)],
                pass_fds=[write_fd], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        os.close(write_fd)
        with os.fdopen(read_fd) as ready:
            line = ready.readline()
        assert line, f"the agent did not start:\n{self.log}"
        info = json.loads(line)
        self.id, self.port, self.pid = info["id"], info["direct_port"], info["pid"]
        self.serve_port = info["serve_port"]

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_log(self, pattern, timeout=10, count=1):
        """Until `pattern` stands in the log `count` times; the matches."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = re.findall(pattern, self.log)
            if len(found) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} x{count} in the log:\n{self.log}")

    def reports(self, function=None):
        """[(function, bytes)] recorded so far."""
        rows = [line.split() for line in self.record.read_text().splitlines()] if self.record.exists() else []
        return [(row[1], bytes.fromhex(row[2])) for row in rows if function in (None, row[1])]

    def wait_reports(self, predicate, function=None, timeout=10):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            rows = self.reports(function)
            if predicate(rows):
                return rows
            time.sleep(0.02)
        raise AssertionError(f"reports never as wanted: {self.reports(function)[-20:]}\n{self.log[-3000:]}")

    def all_released(self):
        """True when the last report of each function holds nothing."""
        last = dict(self.reports())  # the first byte of "control" is a report id
        held = [b for b in (last.get("keyboard", b"\0" * 8)[:1], last.get("keyboard", b"\0" * 8)[2:],
                            last.get("abs", b"\0")[:1], last.get("rel", b"\0")[:1],
                            last.get("control", b"\0\0\0")[1:]) if any(b)]
        return not held

    def status(self):
        """What kvmagentctl says of it."""
        done = subprocess.run([KVMAGENTCTL, "--socket", str(self.folder / "run/control"), "--json", "status"],
                              check=True, capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def threads(self):
        return len(list(pathlib.Path(f"/proc/{self.pid}/task").iterdir()))

    def stop(self, sig=signal.SIGTERM, timeout=20):
        """Seconds it took; a sanitizer's finding or a crash shows in the exit code."""
        if not self.process:
            return 0.0
        process, self.process = self.process, None
        start = time.monotonic()
        if process.poll() is None:
            os.kill(self.pid, sig)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"the agent did not stop:\n{self.log}") from None
        took = time.monotonic() - start
        assert code == 0, f"exit code {code}:\n{self.log[-6000:]}"
        return took
