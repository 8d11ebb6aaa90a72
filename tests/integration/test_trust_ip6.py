# SPDX-License-Identifier: GPL-3.0-or-later
"""Failure limits by IPv6 network, in stock's words, from many real addresses (in a network namespace)."""

import ctypes
import os
import subprocess

import pytest

from peer.agent import PASSWORD
from peer.controller import Controller, LoginError

pytestmark = pytest.mark.tsan
CLONE_NEWNET = 0x40000000
DEVICE = "2001:db8:ffff::1"


@pytest.fixture(name="world")
def fixture_world():
    """This thread, and what it starts, in a namespace to which all of 2001:db8::/32 is local."""
    if os.geteuid():
        pytest.skip("needs root for a network namespace")
    name = f"ka-ip6-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    inside = os.open(f"/run/netns/{name}", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        assert libc.setns(inside, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "-6", "route", "add", "local", "2001:db8::/32", "dev", "lo"], check=True)
        subprocess.run(["sysctl", "-qw", "net.ipv6.ip_nonlocal_bind=1"], check=True)
        yield
    finally:
        assert libc.setns(outside, CLONE_NEWNET) == 0
        os.close(inside)
        os.close(outside)
        subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.fixture(name="agent6")
def fixture_agent6(world, start_agent):
    return start_agent(rustdesk={"direct": {"enabled": True, "address": DEVICE, "port": 0}})


def answer(agent, source, password):
    """What a login from that address is told; "" = welcome."""
    with Controller.direct(DEVICE, agent.port, local=(source, 0)) as client:
        try:
            client.login(password)
        except LoginError as error:
            return str(error)
        client.close()
    return ""


@pytest.mark.parametrize("bits, limit, source, near, far", [
    (64, 60, "2001:db8:0:1::{:x}", "2001:db8:0:1:ffff::1", "2001:db8:0:2::1"),
    (56, 80, "2001:db8:0:{:x}::1", "2001:db8:0:ff::ffff", "2001:db8:0:100::1"),
    (48, 100, "2001:db8:1:{:x}00::1", "2001:db8:1:ffff::1", "2001:db8:2::1"),
])
def test_networks_have_limits_of_their_own(agent6, bits, limit, source, near, far):
    """A few failures from each of many addresses: none reaches a limit of its own, their network does. All have logged
    in before, so the limit of all together (60 a minute) does not hold for them."""
    each = 5
    words = f"Too many wrong attempts for IPv6 prefix /{bits}"
    addresses = [source.format(n + 1) for n in range(limit // each)]
    for address in [*addresses, far]:
        assert answer(agent6, address, PASSWORD) == ""
    for address in addresses:
        for _ in range(each):
            assert answer(agent6, address, "guess") == "Wrong Password"
    # The last one allowed, then none from anywhere in the network, with whatever password.
    assert answer(agent6, addresses[0], "guess") == "Wrong Password"
    for address in (near, addresses[-1]):
        assert answer(agent6, address, PASSWORD) == words
    assert answer(agent6, far, PASSWORD) == ""
    agent6.wait_log(rf'session: refused n=\d+ path=direct from=\[{near}\]:\d+ .*reason="{words}"')


def test_all_together_have_a_limit_for_the_minute(agent6):
    """Two failures from each /64 of many /48: no network comes near its limit."""
    friend, stranger = "2001:db8:aaaa::1", "2001:db8:bbbb::1"
    assert answer(agent6, friend, PASSWORD) == ""
    told = []
    # A minute may end meanwhile: then it takes as many again.
    for n in range(121):
        told.append(answer(agent6, f"2001:db8:{n // 2 + 1:x}::1", "guess"))
        if told[-1] != "Wrong Password":
            break
    assert told[-1] == "Please try 1 minute later" and 61 <= len(told) <= 121
    if answer(agent6, stranger, PASSWORD) == "":
        # The minute ended this very moment: it takes sixty again.
        for n in range(60):
            answer(agent6, f"2001:db8:{n + 100:x}::1", "guess")
        assert answer(agent6, "2001:db8:cccc::1", PASSWORD) == "Please try 1 minute later"
    assert answer(agent6, friend, PASSWORD) == ""
