# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller on a bad link sees next to one on the LAN, measured and judged.

    lan ── good ──┐
                  device
    far ── link ──┘       link: anything with `lan`, `far` (a (namespace, address of the device) each) and set(...)

Agent and controllers share one clock. A picture's age counts from the moment its encoder got it (its pts), on a scale
that the quickest delivery to the LAN puts at zero.
"""

import dataclasses
import json
import os
import pathlib
import re
import statistics
import threading
import time

from . import card, pb, slowlink
from .controller import Controller, PeerTimeout

CURVES = os.environ.get("KVMAGENT_QOS_CURVES")  # a file for what was measured: one line of JSON a scenario

ALONE_S = 4.0  # the LAN's controller before the other one comes, and after it has gone
SETTLE_S = 4.0  # first seconds after a change of the link, judged apart
BUSY_S = 0.02  # p95 of how late a sleeping thread wakes up
_KEYS = "abcdefghijklmnopqrstuvwxyz"
_TYPE_EVERY_S, _PROBE_EVERY_S, _SAMPLE_EVERY_S = 0.27, 0.5, 0.05


def line(kbps=0, delay_ms=0, loss=0.0, queue_bytes=1 << 18):
    """Rate and loss towards the controller, delay each way; the queue is the router's."""
    return {"kbps": kbps, "delay_ms": delay_ms, "loss": loss, "queue_bytes": queue_bytes}


@dataclasses.dataclass
class Scenario:
    name: str
    phases: list  # [(seconds, line)]


SCENARIOS = [
    Scenario("slow", [(20, line(2000, 20))]),
    Scenario("lossy", [(20, line(2000, 20, 0.01, 1 << 16))]),
    Scenario("far", [(20, line(20000, 100))]),
    Scenario("drop", [(8, line(20000, 20)), (14, line(2000, 20)), (20, line(20000, 20))]),
]


@dataclasses.dataclass
class Shown:
    at: float
    made: float
    size: int
    key: bool


class Watcher(threading.Thread):
    """A controller that watches, and types, until stopped."""

    def __init__(self, place, port, password, quality, decode):
        super().__init__()
        namespace, host = place
        self.client = slowlink.inside(namespace, lambda: Controller.direct(host, port, record_video=True, timeout=30))
        self.client.decode = decode
        self.login_at = time.monotonic()
        self.client.login(password, timeout=30, option={"custom_image_quality": quality << 8})
        self.shown, self.numbers, self.typed, self.answers = [], [], [], []
        self._typing = self._asked = None
        self.error = None
        self.done = threading.Event()

    def type(self):
        """From now on a key now and then, and a TestDelay of this side."""
        self._typing = self._asked = time.monotonic()

    def run(self):
        try:
            while not self.done.is_set():
                try:
                    self.client.pump(0.02)
                except PeerTimeout:
                    pass
                self._note()
                self._act(time.monotonic())
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def _note(self):
        for entry in self.client.log:
            if entry.kind == "video_frame":
                for frame in entry.msg.h264s.frames:
                    self.shown.append(Shown(entry.time, frame.pts / 1000, len(frame.data), frame.key))
            elif entry.kind == "test_delay" and entry.msg.from_client:
                self.answers.append((entry.msg.time / 1e6, entry.time))
        self.client.log.clear()
        self.numbers += [card.read_number(picture.y) for picture in self.client.pictures]
        self.client.pictures.clear()

    def _act(self, now):
        if self._typing and now >= self._typing:
            self.typed.append(now)
            self.client.tap(_KEYS[len(self.typed) % len(_KEYS)])
            self._typing = now + _TYPE_EVERY_S
        if self._asked and now >= self._asked:
            self.client.send(test_delay=pb.TestDelay(from_client=True, time=int(now * 1e6)))
            self._asked = now + _PROBE_EVERY_S

    def stop(self):
        self.done.set()
        self.join()
        self.client.conn.sock.close()
        if self.error:
            raise self.error

    # ------------------------------------------------------------------ figures

    def fps(self, start, end):
        return sum(start <= s.at < end for s in self.shown) / (end - start)

    def kbps(self, start, end):
        return sum(s.size for s in self.shown if start <= s.at < end) * 8 / 1000 / (end - start)

    def ages(self, start, end, origin, step=0.02):
        """[(when, age of the picture on the screen then)]"""
        result, at = [], 0
        now = max(start, self.shown[0].at)
        while now < end:
            while at + 1 < len(self.shown) and self.shown[at + 1].at <= now:
                at += 1
            result.append((now, now - self.shown[at].made - origin))
            now += step
        return result

    def arrival_ages(self, start, end, origin):
        return [s.at - s.made - origin for s in self.shown if start <= s.at < end]


def tcp_queue(pid, port):
    """Bytes that TCP holds, in the process's network namespace, for a port of the other side."""
    total = 0
    for name in ("tcp", "tcp6"):
        for row in pathlib.Path(f"/proc/{pid}/net/{name}").read_text(encoding="ascii").splitlines()[1:]:
            fields = row.split()
            if int(fields[2].rsplit(":", 1)[1], 16) == port:
                total += int(fields[4].split(":")[0], 16)
    return total


class Sampler(threading.Thread):
    """Each 50 ms: what TCP holds for a port of the far side, and what the agent wishes for each session by its log."""

    def __init__(self, pid, log_path, port):
        super().__init__()
        self._pid, self._log, self._port = pid, pathlib.Path(log_path), port
        self.queue = []  # [(when, bytes)]
        self.wishes = []  # [(when, session, kbps, fps)]
        self.late = []  # seconds that this machine, busy with others, came late
        self.done = threading.Event()

    def run(self):
        with self._log.open(errors="replace") as log:
            asleep = time.monotonic()
            while not self.done.wait(_SAMPLE_EVERY_S):
                now = time.monotonic()
                self.late.append(max(now - asleep - _SAMPLE_EVERY_S, 0))
                self.queue.append((now, tcp_queue(self._pid, self._port)))
                self.wishes += [(now, *map(int, match)) for match in re.findall(
                    r"session: wish n=(\d+) kbps=(\d+) fps=(\d+)", log.read())]
                asleep = time.monotonic()

    def stop(self):
        self.done.set()
        self.join()


def quantile(values, q):
    return sorted(values)[min(int(len(values) * q), len(values) - 1)] if values else float("nan")


def _spread(values):
    return {"p50": quantile(values, 0.5), "p95": quantile(values, 0.95), "max": max(values, default=float("nan"))}


def key_delays(record, typed, began):
    """Seconds from the sending of each key until its press was written down by the device."""
    rows = [row.split() for row in pathlib.Path(record).read_text(encoding="ascii").splitlines()]
    downs = [int(at) / 1e6 for at, function, data in rows if function == "keyboard" and int(data[4:], 16)]
    downs = [at for at in downs if at > began]
    assert len(downs) >= len(typed) - 2, f"{len(typed)} keys typed, {len(downs)} pressed"
    return [(sent, at - sent) for sent, at in zip(typed, downs)]


def measure(scenario, agent, link, password, *, quality=500, decode=True):
    """Runs the scenario; a dict of curves and figures. agent: has port, pid, log_path and record."""
    link.set(**scenario.phases[0][1])
    near = Watcher(link.lan, agent.port, password, quality, decode)
    near.start()
    time.sleep(2 + ALONE_S)
    began = time.monotonic()
    slow = Watcher(link.far, agent.port, password, quality, decode)
    sampler = Sampler(agent.pid, agent.log_path, slow.client.conn.local[1])
    sampler.start()
    slow.type()
    slow.start()
    phases = []
    for seconds, settings in scenario.phases:
        if phases:
            link.set(**settings)
        start = time.monotonic()
        time.sleep(seconds)
        phases.append((start, time.monotonic(), settings))
    sampler.stop()
    slow.stop()
    time.sleep(ALONE_S + 0.5)
    near.stop()
    result = _summary(scenario, near, slow, sampler, began, phases, key_delays(agent.record, slow.typed, began))
    if CURVES:
        with pathlib.Path(CURVES).open("a", encoding="ascii") as file:
            file.write(json.dumps(result) + "\n")
    return result


def _summary(scenario, near, slow, sampler, began, phases, keys):
    origin = min(s.at - s.made for s in near.shown)
    end = phases[-1][1]
    session = max((wish[1] for wish in sampler.wishes), default=0)
    result = {
        "name": scenario.name,
        "late": _spread(sampler.late),
        "lan_before": _seen(near, began - ALONE_S, began, origin),
        "lan": _seen(near, began, end, origin),
        "lan_after": _seen(near, end + 0.5, end + 0.5 + ALONE_S, origin),
        "first_picture": slow.shown[0].at - slow.login_at,
        "startup_peak": max(a for _, a in slow.ages(began, began + SETTLE_S, origin)),
        "keys": sum(s.key for s in slow.shown),
        "unread": sum(n is None for n in slow.numbers), "backwards": _backwards(slow.numbers),
        "input": _spread([delay for _, delay in keys]),
        "answer": _spread([at - asked for asked, at in slow.answers]),
        "phases": [],
        "curves": {
            "age": _shifted(slow.ages(began, end, origin), began),
            "lan_age": _shifted(near.ages(began, end, origin, 0.1), began),
            "kbps": _shifted(_rates(slow, began, end), began), "lan_kbps": _shifted(_rates(near, began, end), began),
            "fps": _shifted(_fps(slow, began, end), began), "lan_fps": _shifted(_fps(near, began, end), began),
            "wish": _shifted([(at, kbps) for at, n, kbps, _ in sampler.wishes if n == session], began),
            "queue": _shifted(sampler.queue, began), "input": _shifted(keys, began),
            "link": [(a - began, settings["kbps"]) for a, _, settings in phases] + [(end - began, None)],
        },
    }
    for start, stop, settings in phases:
        from_, to = start + SETTLE_S, stop
        result["phases"].append({
            **settings, "kbps_seen": slow.kbps(from_, to), "fps": slow.fps(from_, to),
            "age": _spread([a for _, a in slow.ages(from_, to, origin)]),
            "arrival_age": _spread(slow.arrival_ages(from_, to, origin)),
            "settling_peak": max(a for _, a in slow.ages(start, from_, origin)),
            "queue": _spread([size for at, size in sampler.queue if from_ <= at < to]),
        })
    if len(phases) == 3:
        result["recovery_s"] = _recovery(slow, phases)
    return result


def _seen(watcher, start, end, origin):
    return {"kbps": watcher.kbps(start, end), "fps": watcher.fps(start, end),
            "age": _spread([a for _, a in watcher.ages(start, end, origin)]),
            "keys": sum(s.key for s in watcher.shown if start <= s.at < end)}


def _backwards(numbers):
    seen = [n for n in numbers if n is not None]
    return sum(b < a for a, b in zip(seen, seen[1:]))


def _recovery(slow, phases):
    """Seconds after the link's return until the rate was 80 % of the former for a second; None = never."""
    before = slow.kbps(phases[0][1] - 3, phases[0][1])
    start, end, _ = phases[2]
    at = start
    while at + 1 < end:
        if slow.kbps(at, at + 1) >= 0.8 * before:
            return at - start
        at += 0.1
    return None


def _rates(watcher, start, end):
    return [(at + 0.25, watcher.kbps(at, at + 0.5)) for at in _steps(start, end, 0.5)]


def _fps(watcher, start, end):
    return [(at + 0.5, watcher.fps(at, at + 1)) for at in _steps(start, end, 1)]


def _steps(start, end, step):
    return [start + i * step for i in range(int((end - start) / step))]


def _shifted(curve, origin):
    return [(round(at - origin, 3), value if isinstance(value, int) else round(value, 4)) for at, value in curve]


def figures(result):
    """The measured without the curves, in a few lines."""
    def ms(spread):
        return "/".join(f"{spread[q] * 1000:.0f}" for q in ("p50", "p95", "max"))
    text = [f"{result['name']}: first picture {result['first_picture'] * 1000:.0f} ms, start-up peak "
            f"{result['startup_peak'] * 1000:.0f} ms, key pictures {result['keys']}; input {ms(result['input'])} ms, "
            f"TestDelay {ms(result['answer'])} ms (p50/p95/max)"]
    for name in ("lan_before", "lan", "lan_after"):
        values = result[name]
        text.append(f"  {name}: {values['kbps']:.0f} kbit/s, {values['fps']:.1f} fps, age {ms(values['age'])} ms, "
                    f"key pictures {values['keys']}")
    for phase in result["phases"]:
        text.append(f"  link {phase['kbps']} kbit/s, 2x{phase['delay_ms']} ms, loss {phase['loss']}: "
                    f"{phase['kbps_seen']:.0f} kbit/s, {phase['fps']:.1f} fps, age on screen {ms(phase['age'])} ms, "
                    f"at arrival {ms(phase['arrival_age'])} ms, while settling up to "
                    f"{phase['settling_peak'] * 1000:.0f} ms, queue p95 {phase['queue']['p95'] / 1024:.0f} KiB")
    if "recovery_s" in result:
        took = result["recovery_s"]
        text.append("  recovery: none" if took is None else f"  recovery: {took:.1f} s")
    text.append(f"  this machine came late by {ms(result['late'])} ms")
    return "\n".join(text)


def judge(result, *, young_s=0.5, input_s=0.5, recovery_s=15, lan_late_s=0.15):
    """What must hold on a machine that keeps up with the card."""
    shown = figures(result)
    lan = result["lan"]
    alone = {what: min(result["lan_before"][what], result["lan_after"][what]) for what in ("fps", "kbps")}
    lan_age = max(result["lan_before"]["age"]["p95"], result["lan_after"]["age"]["p95"])
    trip_s = 2 * result["phases"][0]["delay_ms"] / 1000
    assert result["unread"] == 0 and result["backwards"] == 0, shown
    assert lan["fps"] > 0.8 * alone["fps"], shown
    assert lan["kbps"] > 0.8 * alone["kbps"], shown
    assert lan["age"]["p95"] < lan_age + lan_late_s, shown
    assert result["input"]["p95"] < input_s, shown
    assert result["answer"]["p95"] < input_s + trip_s, shown
    for phase in result["phases"]:
        assert phase["age"]["p95"] < young_s + trip_s / 2, shown
        assert phase["kbps_seen"] > 0.5 * min(phase["kbps"], alone["kbps"]) * (1 - 10 * phase["loss"]), shown
    if "recovery_s" in result:
        assert result["recovery_s"] is not None and result["recovery_s"] < recovery_s, shown


def check(measured, attempts=3, **limits):
    """Measures and judges. Threads that wake up late say that the machine is busy with others: then once more, and
    after the last time nothing can be said. Returns the result, or None when nothing can be."""
    for _ in range(attempts):
        result = measured()
        print(f"\n{figures(result)}")
        try:
            judge(result, **limits)
            return result
        except AssertionError:
            if result["late"]["p95"] < BUSY_S:
                raise
    return None
