# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets of another process, as duplicates to look at (Linux: pidfd_getfd)."""

import contextlib
import ctypes
import os
import pathlib
import socket

_PIDFD_OPEN, _PIDFD_GETFD = 434, 438  # the same numbers on all architectures
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def of_process(pid, kind=socket.SOCK_STREAM):
    """All IPv4 and IPv6 sockets of a kind. The process does not notice; they are closed at the end."""
    pidfd = _libc.syscall(_PIDFD_OPEN, pid, 0)
    if pidfd < 0:
        raise OSError(ctypes.get_errno(), "pidfd_open")
    found = []
    try:
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            fd = _libc.syscall(_PIDFD_GETFD, pidfd, int(entry.name), 0)
            if fd < 0:
                continue
            try:
                sock = socket.socket(fileno=fd)
            except OSError:
                os.close(fd)
                continue
            if sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == kind:
                found.append(sock)
            else:
                sock.close()
        yield found
    finally:
        os.close(pidfd)
        for sock in found:
            sock.close()
