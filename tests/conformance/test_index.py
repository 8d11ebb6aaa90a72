# SPDX-License-Identifier: GPL-3.0-or-later
"""The index of these facts is true."""

import re

import pytest

import facts


def test_index_lists_every_test_and_no_other():
    """docs/CONFORMANCE.md lists each test of this suite with its fact, and nothing else."""
    assert facts.INDEX.read_text() == facts.render(), "run tests/conformance/facts.py --write"


@pytest.mark.parametrize("path", facts.files(), ids=lambda p: p.stem)
def test_every_test_states_its_fact(path):
    """Each test says in a sentence which fact it is about, and no two the same."""
    stated = [fact for _, fact in facts.facts(path)]
    assert stated and all(re.fullmatch(r"[A-Z</0-9a-z_].{10,}\.", fact) for fact in stated)
    assert len(set(stated)) == len(stated)


@pytest.mark.parametrize("fact, where, name", facts.ELSEWHERE, ids=[e[2] for e in facts.ELSEWHERE])
def test_tests_elsewhere_are_there(fact, where, name):
    """What the index says is tested elsewhere is tested there."""
    assert re.search(rf"\b{name}\(", (facts.ROOT / where).read_text()), fact
