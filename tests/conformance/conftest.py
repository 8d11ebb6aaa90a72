# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this folder share is in devices.py."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from devices import (  # noqa: E402,F401
    fixture_run_agent, fixture_device, fixture_windows, fixture_stranger,
    fixture_client, fixture_hands, fixture_windows_client, fixture_windows_hands,
    fixture_mock, fixture_servers, fixture_known, fixture_mock_world,
    fixture_real_world, fixture_path, fixture_slow_facts)
from peer.fixtures import fixture_agent, fixture_start_agent  # noqa: E402,F401


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: waits for the end of a long time, which begins with the run")
