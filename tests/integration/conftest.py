# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs agents is shared with the other suites: peer.agent and peer.fixtures."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from peer.fixtures import fixture_agent, fixture_start_agent  # noqa: E402,F401


def pytest_configure(config):
    config.addinivalue_line("markers", "tsan: also run against the TSan build")
