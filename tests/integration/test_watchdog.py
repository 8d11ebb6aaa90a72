# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service manager is told while all threads get round, and while one of them is stopped in its tracks."""
import contextlib
import ctypes
import os
import socket
import time
from pathlib import Path

import pytest

PTRACE_ATTACH, PTRACE_DETACH = 16, 17
WALL = 0x40000000
PATIENCE_S = 60
libc = ctypes.CDLL(None, use_errno=True)


def ptrace(request, tid):
    if libc.ptrace(request, tid, None, None) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request}")


@contextlib.contextmanager
def stopped(pid, name):
    """One thread of the process stands still; the others run."""
    tid = next(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()
               if (task / "comm").read_text().strip() == name)
    ptrace(PTRACE_ATTACH, tid)
    os.waitpid(tid, WALL)
    try:
        yield
    finally:
        ptrace(PTRACE_DETACH, tid)


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """Where a service manager would listen, which grants two seconds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "2000000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        yield listening


def wait_told(manager):
    while manager.recv(4096) != b"WATCHDOG=1":
        pass


def drain(manager):
    """How often it was told since the last look."""
    told = 0
    manager.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            told += manager.recv(4096) == b"WATCHDOG=1"
    manager.settimeout(PATIENCE_S)
    return told


@pytest.mark.parametrize("thread, part", [("ka-hid", "hands"), ("ka-net", "network")])
def test_a_thread_that_stands_still_is_noticed(manager, start_agent, thread, part):
    agent = start_agent()
    wait_told(manager)
    with stopped(agent.pid, thread):
        agent.wait_log(f"watchdog: stuck part={part}", PATIENCE_S)
        drain(manager)
        # What is asked for takes several rounds of asking; none of them may end in telling.
        until = time.monotonic() + 3
        while time.monotonic() < until:
            assert drain(manager) == 0
            time.sleep(0.1)
    agent.wait_log(f"watchdog: unstuck part={part}", PATIENCE_S)
    drain(manager)
    wait_told(manager)
