# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller on a slow link next to one on the LAN, at this machine's speed: see peer/qos.py.
tests/vm/guest/test_qos.py is the same with a real kernel's tc."""

import os

import pytest

from peer import qos, slowlink
from peer.agent import PASSWORD

pytestmark = pytest.mark.skipif(not slowlink.available(), reason="needs root and /dev/net/tun")


@pytest.fixture(name="link")
def fixture_link():
    with slowlink.SlowLink(f"ka-near-{os.getpid()}", f"ka-far-{os.getpid()}") as link:
        yield link


@pytest.mark.parametrize("scenario", qos.SCENARIOS, ids=lambda s: s.name)
def test_slow_controller_sees_young_pictures_and_the_other_notices_nothing(start_agent, link, scenario):
    agent = start_agent(video={"width": 640, "height": 360, "fps": 30, "card_noise": 40}, netns=link.names[0],
                        rustdesk={"direct": {"enabled": True, "address": "", "port": 0}})
    if not qos.check(lambda: qos.measure(scenario, agent, link, PASSWORD)):
        pytest.skip("this machine is too busy with other things")
