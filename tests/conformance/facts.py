#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The index of facts: docs/CONFORMANCE.md is made of the tests' own first lines. facts.py --write makes it anew."""

import ast
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
INDEX = ROOT / "docs/CONFORMANCE.md"

# Facts that need hardware, a kernel of their own, minutes of waiting or a look inside.
ELSEWHERE = [
    ("A new size of the picture is announced by SwitchDisplay and the display list, then a key picture of that size "
     "comes", "tests/unit/test_video_out.c", "test_new_size_is_announced_before_its_key_picture"),
    ("The same with a capture device", "tests/vm/guest/test_video.py",
     "test_new_resolution_is_announced_before_its_key_frame"),
    ("A pulled cable keeps the session and shows why", "tests/vm/guest/test_video.py",
     "test_pulled_cable_keeps_the_session_and_says_why"),
    ("A key whose CapsLock or NumLock flag differs from the target's LED is preceded by a click of that lock",
     "tests/unit/test_hands.c", "test_differing_hint_clicks_the_lock_once"),
    ("The flags count on the keys that depend on them only", "tests/unit/test_keymap_map.c",
     "test_lock_states_come_with_the_keys_that_depend_on_them"),
    ("Typed text comes out right whatever CapsLock is", "tests/unit/test_hands_text.c",
     "test_capslock_is_off_for_a_text_and_on_again_after"),
    ("More than 30 failures of an address in all are too many", "tests/unit/test_lockout.c",
     "test_thirty_first_failure_locks_until_a_day_of_quiet"),
    ("IPv6 networks have limits of their own, in stock's words", "tests/unit/test_lockout.c",
     "test_ip6_networks_have_limits_of_their_own"),
    ("Sealed frames are those of independent vectors, byte for byte", "tests/unit/test_seal.c",
     "test_first_three_frames_are_as_the_peers_make_them"),
    ("Mangled addresses are those of independent vectors, byte for byte", "tests/unit/test_addr.c",
     "test_encode_vectors"),
    ("Password proofs are those of independent vectors", "tests/unit/test_keys.c",
     "test_password_sums_are_as_the_peers_make_them"),
    ("Field numbers and types of all messages agree with a description made independently",
     "tests/integration/test_proto.py", "test_message_agrees"),
    ("With several servers the next takes over from one that is silent, and gives back",
     "tests/unit/test_reach.c", "test_next_server_when_one_fails_and_back"),
    ("The server's name is looked up again when the network changes", "tests/integration/test_reach.py",
     "test_name_is_looked_up_again_when_the_network_changes"),
    ("Real NATs are punched where that is possible", "tests/vm/guest/test_nat.py", "test_from_another_network"),
    ("Slow links get fewer bits, and pictures stay young", "tests/integration/test_qos.py",
     "test_slow_controller_sees_young_pictures_and_the_other_notices_nothing"),
]

HEAD = """# Facts of the protocol, and their tests

Each row is something a RustDesk client or server counts on, or a choice of ours where stock does otherwise, and the
test that holds this device to it. Made by `tests/conformance/facts.py --write` from the tests; a test compares.
`./dev test integration` runs them all: against mock servers always, and where a way through servers is part of the
fact, against the real hbbs and hbbr too when they are on PATH.
"""


def one_line(text):
    return " ".join(text.split())


def files():
    return sorted(path for path in HERE.glob("test_*.py") if path.stem != "test_index")


def facts(path):
    """[(test, fact)] of a file, in its order."""
    found = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found.append((node.name, one_line(ast.get_docstring(node) or "")))
    return found


def render():
    parts = [HEAD]
    for path in files():
        title = one_line(ast.get_docstring(ast.parse(path.read_text())) or "").rstrip(".")
        rows = "".join(f"| {fact.replace('|', chr(92) + '|')} | `{name}` |\n" for name, fact in facts(path))
        parts.append(f"## {title}\n\n`tests/conformance/{path.name}`\n\n| fact | test |\n| --- | --- |\n{rows}")
    rows = "".join(f"| {fact}. | `{name}` in `{where}` |\n" for fact, where, name in ELSEWHERE)
    parts.append(f"## Facts tested elsewhere\n\n| fact | test |\n| --- | --- |\n{rows}")
    return "\n".join(parts)


if __name__ == "__main__":
    if "--write" in sys.argv:
        INDEX.write_text(render())
    print(sum(len(facts(path)) for path in files()) + len(ELSEWHERE), "facts")
