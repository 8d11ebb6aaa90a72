# SPDX-License-Identifier: GPL-3.0-or-later
"""What the target sees of keyboard and mouse: the recorded HID reports, read as it would read them."""

from . import keys

_NAMES = {key.hid: name for name, key in keys.KEYS.items()}
_NAMES[0x46] = "PrintScreen"
SENTINEL = "F24"


def _held(report):
    """Names of the keys in a boot keyboard report, modifiers first."""
    names = [keys.MODIFIERS[i] for i in range(8) if report[0] >> i & 1]
    return names + [_NAMES.get(usage, f"{usage:#x}") for usage in report[2:] if usage]


def key_steps(rows):
    """["+LShift", "+a", "-a", "-LShift"] of [(function, report)]: what went down and up, in order."""
    before, steps = [], []
    for function, report in rows:
        if function != "keyboard":
            continue
        now = _held(report)
        steps += [f"-{name}" for name in reversed(before) if name not in now]
        steps += [f"+{name}" for name in now if name not in before]
        before = now
    return steps


def pressed(steps):
    """Keys that went down, without modifiers, each as "a" or "LShift+a"."""
    mods, found = [], []
    for step in steps:
        name = step[1:]
        if name in keys.MODIFIERS:
            (mods.append if step[0] == "+" else mods.remove)(name)
        elif step[0] == "+":
            found.append("+".join([*mods, name]))
    return found


class Hands:
    """Follows an agent's record from now on. `client` is who types the key that marks the end of what is looked at."""

    def __init__(self, agent, client):
        self.agent, self.client = agent, client
        self.at = len(agent.reports())
        self.windows = client.peer_info.platform == "Windows"

    def _mark(self, down):
        code = keys.set1(SENTINEL) if self.windows else SENTINEL
        self.client.send_key(code, down)

    def rows(self, timeout=10):
        """All reports since the last call: waits for a key of its own that is sent behind everything else."""
        usage = keys.hid(SENTINEL)
        self._mark(True)
        self._mark(False)

        def done(rows):
            marks = [i for i, (f, r) in enumerate(rows[self.at:]) if f == "keyboard" and usage in r[2:]]
            return marks and any(f == "keyboard" and usage not in r[2:] for f, r in rows[self.at + marks[-1]:])

        found = self.agent.wait_reports(done, timeout=timeout)[self.at:]
        self.at += len(found)
        return found

    def keys(self, timeout=10):
        """The steps of the keyboard since the last call."""
        return [step for step in key_steps(self.rows(timeout)) if step[1:] != SENTINEL]

    def typed(self, timeout=10):
        """Keys that went down since the last call, with the modifiers held."""
        return pressed(self.keys(timeout))

    def pointer(self, function=None, timeout=10):
        """Reports of the pointers since the last call."""
        return [(f, r) for f, r in self.rows(timeout) if f in ("abs", "rel") and function in (None, f)]

    def wheel(self):
        """(sum of wheel, sum of pan) since the last call."""
        signed = [(f, [b - 256 if b > 127 else b for b in r]) for f, r in self.pointer()]
        return (sum(r[5 if f == "abs" else 3] for f, r in signed), sum(r[6 if f == "abs" else 4] for f, r in signed))

    def wait_typed(self, count, timeout=10):
        """Typed text takes its time: the first `count` keys with modifiers, once all is released."""
        def done(rows):
            steps = key_steps(rows[self.at:])
            return len(pressed(steps)) >= count and sum(s[0] == "+" for s in steps) == sum(s[0] == "-" for s in steps)

        found = self.agent.wait_reports(done, timeout=timeout)[self.at:]
        self.at += len(found)
        return pressed(key_steps(found))


def position(report):
    """(x, y) of a report of the absolute pointer, 0..32767."""
    return int.from_bytes(report[1:3], "little"), int.from_bytes(report[3:5], "little")
