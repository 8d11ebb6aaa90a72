#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds up a test run: tally.py DIR reads DIR/steps (name, exit status, seconds) and the JUnit file of each suite.

A build step counts only when it breaks. A suite also fails when it left no result, ran nothing, or ended with an error
that none of its tests accounts for. The last line is the total; the exit status is 1 when anything failed.
"""
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list = field(default_factory=list)

    def fail(self, why):
        self.failed += 1
        self.notes.append(why)


def read_junit(path):
    """Every test case of one JUnit file, whether pytest's or CTest's."""
    count = Count()
    for case in ElementTree.parse(path).iter("testcase"):
        name = case.get("name", "")
        if case.get("classname") not in (None, "", name):
            name = f"{case.get('classname')}:{name}"
        if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
            count.fail(name)
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            count.skipped += 1
        else:
            count.passed += 1
    return count


def judge(folder, name, status):
    """What one step contributes to the total."""
    path = folder / f"{name}.xml"
    if name.startswith("build-"):
        count = Count()
        if status != 0:
            count.fail(f"exit status {status}")
        return count
    try:
        count = read_junit(path)
    except (OSError, ElementTree.ParseError) as error:
        count = Count()
        count.fail(f"no result ({error})")
        return count
    if count.passed + count.failed == 0:
        count.fail("ran no test")
    elif status != 0 and count.failed == 0:
        count.fail(f"exit status {status} though no test failed")
    return count


def tally(folder):
    steps = [line.split("\t") for line in (folder / "steps").read_text().splitlines()]
    total = Count()
    print(f"\n{'step':<20} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for name, status, seconds in steps:
        count = judge(folder, name, int(status))
        print(f"{name:<20} {count.passed:>7} {count.failed:>7} {count.skipped:>8} {seconds:>8}")
        total.passed += count.passed
        total.failed += count.failed
        total.skipped += count.skipped
        total.notes += [f"{name}: {note}" for note in count.notes]
    if not steps:
        total.fail("no step ran")
    for note in total.notes:
        print("FAILED", note)
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"{total.passed} passed, {total.failed} failed{skipped}")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(tally(Path(sys.argv[1])))
