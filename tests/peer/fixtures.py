# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests that run agents: each is stopped, and must have ended well and released every key."""

import pytest

from .agent import Agent


def end(agent):
    """Stops it; what a sanitizer found, and keys still down, fail the test."""
    agent.stop()
    assert agent.all_released(), f"keys or buttons held at the end: {agent.reports()[-8:]}"


@pytest.fixture(name="start_agent")
def fixture_start_agent(tmp_path):
    """start_agent(video=…, hid=…, rustdesk=…): sections merged over the defaults."""
    agents = []

    def start(**sections):
        folder = tmp_path / f"agent{len(agents)}"
        folder.mkdir()
        agents.append(Agent(folder, **sections))
        return agents[-1]

    yield start
    for agent in agents:
        end(agent)


@pytest.fixture(name="agent")
def fixture_agent(start_agent):
    return start_agent()
