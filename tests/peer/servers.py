# SPDX-License-Identifier: GPL-3.0-or-later
"""hbbs and hbbr together behind one small interface, which real.RealServers has too.

address, relay_address, key, client_hosts, start(), stop(), restart(), context manager.
"""

from . import netloop
from .mock_hbbr import MockHbbr
from .mock_hbbs import MockHbbs


class MockServers:
    """Both mocks on consecutive ports: NAT test = port - 1, relay = port + 1 (the agent's defaults)."""

    def __init__(self, hosts=("127.0.0.1",), *, relay_key=True, **hbbs):
        """relay_key: hbbr checks the key (hbbr -k _). Further keywords go to MockHbbs."""
        hosts = (hosts,) if isinstance(hosts, str) else tuple(hosts)
        first = netloop.free_port_block(hosts)
        self.hbbs = MockHbbs(hosts, first + 1, **hbbs)
        self.hbbr = MockHbbr(hosts, first + 2, key=self.hbbs.key if relay_key else "")

    address = property(lambda self: self.hbbs.address)
    relay_address = property(lambda self: self.hbbr.address)
    key = property(lambda self: self.hbbs.key)
    client_hosts = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
    """Source addresses clients may use: the first is the device's own (FetchLocalAddr), others look far (PunchHole)."""

    def start(self):
        self.hbbs.start()
        self.hbbr.start()
        return self

    def stop(self):
        self.hbbs.stop()
        self.hbbr.stop()

    def kill_hbbs(self):
        """It forgets who is online, as a process does; not its database."""
        self.hbbs.pause_service()

    def kill_hbbr(self):
        self.hbbr.pause_service()

    def start_hbbs(self):
        self.hbbs.resume_service()

    def start_hbbr(self):
        self.hbbr.resume_service()

    def restart(self):
        self.hbbs.restart()
        self.hbbr.restart()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
