#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements on this machine: ./dev bench. Each line is a figure, the target it is held against and whether it is
met; nothing fails for being slow. docs/PERFORMANCE.md says what is measured and how to read it."""

import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import cost  # noqa: E402
import delay  # noqa: E402
import memory  # noqa: E402
import quality  # noqa: E402
import scenes  # noqa: E402
from rig import BUILD  # noqa: E402

WIDTH, HEIGHT = 1920, 1080


class Bench:
    """One run: its settings, its scratch folder and what came out."""

    def __init__(self, options, scratch):
        self.quick = options.quick
        self.repeats = 5 if options.quick else 21
        self.scratch = scratch
        self.results = {}
        self._frames = {}

    def folder(self, name):
        return self.scratch / name

    def frames(self, name, make, *args):
        """The file of pictures of that name, made when first asked for."""
        if name not in self._frames:
            images = make(WIDTH, HEIGHT, *args)
            self._frames[name] = scenes.Frames(self.scratch / f"{name}.frames", WIDTH, HEIGHT, images)
        return self._frames[name]

    def line(self, name, value, target, unit="", note="", places=2, at_least=False):
        """A figure that should be at most (at least) the target."""
        good = value >= target if at_least else value <= target
        sign = ">=" if at_least else "<="
        self.results[name] = {"value": value, "target": target, "pass": good, "note": note}
        print(f"{'pass' if good else 'MISS'}  {name:58} {value:10.{places}f}{unit} [{sign} {target:g}{unit}]  {note}",
              flush=True)

    def note(self, name, value):
        self.results[name] = value


def bench_whole(bench):
    rows, kbps = cost.whole_path(bench)
    agent, bare, ffmpeg = (cost.median(rows, n) for n in ("agent", "bare", "ffmpeg"))
    bench.note("whole path", {"rows": rows, "kbps": kbps})
    bench.line("whole path, CPU over bare x264", cost.ratio(rows, "agent", "bare"), 1.10,
               note=f"{agent:.2f} over {bare:.2f} ms a picture at {kbps} kbit/s")
    bench.line("whole path, CPU over ffmpeg", cost.ratio(rows, "agent", "ffmpeg"), 1.0,
               note=f"{agent:.2f} over {ffmpeg:.2f} ms a picture")


def bench_still(bench):
    rows = cost.still(bench)
    bench.note("still", rows)
    bench.line("still 1080p30, CPU over ffmpeg", cost.ratio(rows, "agent", "ffmpeg"), 0.05, places=3,
               note=f"{cost.median(rows, 'agent'):.3f} over {cost.median(rows, 'ffmpeg'):.2f} ms a picture")
    bench.line("still 1080p30, on the wire", cost.median(rows, "bytes_s"), 2000, " bytes/s", places=0)


def bench_area(bench):
    rows = cost.area(bench, 1)
    bench.note("1 % changes", rows)
    bench.line("1 % changes, CPU over whole conversion and plain x264", cost.ratio(rows, "agent", "plain"), 0.7,
               note=f"{cost.median(rows, 'agent'):.2f} over {cost.median(rows, 'plain'):.2f} ms a picture")


def bench_viewers(bench):
    rows = cost.viewers(bench, 8)
    bench.note("viewers", rows)
    bench.line("eight viewers, CPU over one", cost.ratio(rows, "many", "one"), 1.25,
               note=f"{cost.median(rows, 'many'):.2f} over {cost.median(rows, 'one'):.2f} ms a picture")


def bench_login(bench):
    for busy in (False, True):
        waits, encode = delay.first_pictures(bench, busy)
        bench.note(f"login {busy}", {"ms": waits, "encode_ms": encode})
        bench.line(f"login to first picture less one encode, {'busy' if busy else 'idle'} agent, p95",
                   delay.percentile(waits, 95), delay.INTERVAL_MS + 5, " ms", places=1,
                   note=f"median {delay.percentile(waits, 50):.1f} ms; encode {encode:.1f} ms")


def bench_delay(bench):
    stages, rate = delay.stages(bench)
    bench.note("stages", stages)
    for name, stage in stages.items():
        print(f"      {name:10} p50 {stage['p50_us'] / 1000:8.2f}  p95 {stage['p95_us'] / 1000:8.2f}  "
              f"p99 {stage['p99_us'] / 1000:8.2f} ms")
    beside = stages["beside"]
    bench.line("capture to last byte in the socket less encoding, p99", beside["p99_us"] / 1000, 1, " ms",
               note=f"p50 {beside['p50_us'] / 1000:.2f}, p95 {beside['p95_us'] / 1000:.2f} ms at {rate:.1f} pictures/s")


def bench_memory(bench):
    rows, device = memory.watch(bench)
    bench.note("memory", rows)
    bench.line("resident at 1080p30, one viewer", rows[-1][1] - device, 64, " MiB", places=1,
               note=f"and {device:.0f} MiB of the device's buffers")
    settled = next(mib for seconds, mib in rows if seconds >= min(30, rows[-1][0] / 2))
    bench.line(f"its growth over {rows[-1][0] - 30:.0f} s", rows[-1][1] - settled, 0, " MiB", places=2)


def bench_quality(bench):
    rows = quality.compare(bench)
    bench.note("quality", rows)
    for row in rows:
        bench.line(f"text scrolls at {row['kbps']} kbit/s: SSIM of x264's program less ours",
                   row["x264_ssim"] - row["ours_ssim"], 0.005, places=4,
                   note=f"ours {row['ours_ssim']:.4f}, {row['ours_psnr']:.2f} dB, {row['ours_kbps']:.0f} kbit/s; "
                        f"x264 {row['x264_ssim']:.4f}, {row['x264_psnr']:.2f} dB, {row['x264_kbps']:.0f} kbit/s")
    for row in rows:
        bench.line(f"text at rest, {row['kbps']} kbit/s: SSIM", row["rest_ssim"], 0.995, places=4, at_least=True,
                   note=f"{row['rest_psnr']:.2f} dB, {row['rest_bytes'] / 1000:.0f} kB more")


def bench_convert(_):
    subprocess.run([BUILD / "capture/bench_convert"], check=True)


def draw(bench, folder):
    import plots  # takes a while to load
    bench.note("plots", {"area": plots.area(bench, folder / "cost-area.png"),
                         "viewers": plots.viewers(bench, folder / "cost-viewers.png")})


PARTS = {"convert": bench_convert, "whole": bench_whole, "still": bench_still, "area": bench_area,
         "viewers": bench_viewers, "login": bench_login, "delay": bench_delay, "memory": bench_memory,
         "quality": bench_quality}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []],
                        help="which to measure; default: all, or with --plots none")
    parser.add_argument("--quick", action="store_true", help="fewer repeats, one minute instead of ten for memory")
    parser.add_argument("--plots", type=pathlib.Path, help="draw cost against change and viewers into this folder")
    parser.add_argument("--json", type=pathlib.Path, help="leave all figures here")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="kvmagent-bench-", dir="/dev/shm"))
    bench = Bench(options, scratch)
    try:
        for name in options.parts or ([] if options.plots else PARTS):
            PARTS[name](bench)
        if options.plots:
            draw(bench, options.plots)
    finally:
        shutil.rmtree(scratch)
    if options.json:
        options.json.write_text(json.dumps(bench.results, indent=1))


if __name__ == "__main__":
    main()
