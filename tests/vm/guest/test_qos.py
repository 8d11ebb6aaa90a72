# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller on a line that tc makes slow, long or lossy, next to one on a good line: see tests/peer/qos.py.

The guest encodes slowly, so pictures are small and few; the card's noise makes them cost what the line does not carry.
Curves are left in qos.json beside the result, the figures in qos.txt.
"""
import json
import types

import lib
import lines
import pytest
from tests.peer import qos, slowlink

VIDEO = {"source": "card", "width": 480, "height": 272, "fps": 12, "card_noise": 100, "preset": "ultrafast"}


@pytest.fixture(scope="module")
def line():
    with lines.Lines() as made:
        yield made


def measure(scenario, agent, line):
    result = qos.measure(scenario, agent, line, lib.PASSWORD, decode=False, quality=2000)
    with (lib.OUT / "qos.json").open("a", encoding="ascii") as curves, (lib.OUT / "qos.txt").open("a") as text:
        curves.write(json.dumps(result) + "\n")
        text.write(qos.figures(result) + "\n")
    return result


@pytest.mark.parametrize("scenario", qos.SCENARIOS, ids=lambda s: s.name)
def test_slow_controller_sees_young_pictures_and_the_other_notices_nothing(line, tmp_path, scenario):
    record = tmp_path / "hid.txt"
    agent = lib.Agent(tmp_path, video=VIDEO, hid={"backend": "record", "record_file": str(record)},
                      rustdesk={"direct": {"enabled": True, "address": "", "port": 0}})
    slowlink.inside(line.device, agent.start)
    with agent:
        seen = types.SimpleNamespace(port=agent.port, pid=agent.process.pid, log_path=agent.log_path, record=record)
        if not qos.check(lambda: measure(scenario, seen, line), lan_late_s=0.4):
            pytest.skip("the guest is too slow here")
