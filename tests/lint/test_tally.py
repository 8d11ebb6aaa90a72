# SPDX-License-Identifier: GPL-3.0-or-later
"""The total of a test run hides nothing."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import tally  # noqa: E402

PYTEST = """<testsuites><testsuite name="pytest"><testcase classname="a" name="good"/>
<testcase classname="a" name="odd"><skipped/></testcase>{more}</testsuite></testsuites>"""
CTEST = """<testsuite name="Linux"><testcase name="unit.a" classname="unit.a" status="run"/>{more}</testsuite>"""
FAILURE = '<testcase classname="a" name="bad"><failure message="x"/></testcase>'
ERROR = '<testcase classname="a" name="worse"><error message="x"/></testcase>'
NOT_RUN = '<testcase name="unit.b" classname="unit.b" status="notrun"><skipped message="x"/></testcase>'


def last_line(folder, capsys, steps, **junit):
    (folder / "steps").write_text("".join(f"{name}\t{status}\t1\n" for name, status in steps))
    for name, text in junit.items():
        (folder / f"{name}.xml").write_text(text)
    status = tally.tally(folder)
    return status, capsys.readouterr().out.splitlines()[-1]


def test_sums_over_pytest_and_ctest(tmp_path, capsys):
    steps = [("build-asan", 0), ("unit", 0), ("vm", 0)]
    got = last_line(tmp_path, capsys, steps, unit=CTEST.format(more=NOT_RUN), vm=PYTEST.format(more=""))
    assert got == (0, "2 passed, 0 failed, 2 skipped")


@pytest.mark.parametrize("more", [FAILURE, ERROR])
def test_counts_failures_and_errors(tmp_path, capsys, more):
    got = last_line(tmp_path, capsys, [("vm", 1)], vm=PYTEST.format(more=more))
    assert got == (1, "1 passed, 1 failed, 1 skipped")


def test_a_broken_build_fails(tmp_path, capsys):
    steps = [("build-asan", 2), ("unit", 0)]
    assert last_line(tmp_path, capsys, steps, unit=CTEST.format(more="")) == (1, "1 passed, 1 failed")


def test_a_suite_without_result_fails(tmp_path, capsys):
    steps = [("unit", 0), ("vm", 137)]
    assert last_line(tmp_path, capsys, steps, unit=CTEST.format(more="")) == (1, "1 passed, 1 failed")


def test_a_truncated_result_fails(tmp_path, capsys):
    assert last_line(tmp_path, capsys, [("vm", 0)], vm=PYTEST[:60]) == (1, "0 passed, 1 failed")


def test_a_suite_that_ran_nothing_fails(tmp_path, capsys):
    assert last_line(tmp_path, capsys, [("vm", 0)], vm="<testsuite/>") == (1, "0 passed, 1 failed")


def test_a_suite_that_broke_after_its_tests_fails(tmp_path, capsys):
    assert last_line(tmp_path, capsys, [("unit", 1)], unit=CTEST.format(more="")) == (1, "1 passed, 1 failed")


def test_no_step_at_all_fails(tmp_path, capsys):
    assert last_line(tmp_path, capsys, []) == (1, "0 passed, 1 failed")
