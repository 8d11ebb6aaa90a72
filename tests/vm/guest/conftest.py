# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the guest. These tests load modules and move USB devices: they refuse to run anywhere else."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import target  # noqa: E402
import vivid  # noqa: E402

if not os.environ.get("KA_GUEST"):
    pytest.exit("tests/vm/guest runs inside the guest only: ./dev test vm", returncode=2)


@pytest.fixture(scope="session")
def sources():
    """(single-planar, multi-planar) vivid devices."""
    return vivid.load()


@pytest.fixture(scope="session")
def usb():
    """A USB controller and the host it is plugged into."""
    target.load()


def pytest_runtest_logreport(report):
    """Failures are told at once: a guest that hangs later would take them with it."""
    if report.failed:
        print(f"\n{report.longreprtext}\n", flush=True)
