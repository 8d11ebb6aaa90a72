# SPDX-License-Identifier: GPL-3.0-or-later
"""Cost against the changed area and against the viewers, as pictures for docs/PERFORMANCE.md."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402

import cost  # noqa: E402

PERCENTS = (0.1, 1, 3, 10, 30, 100)
COUNTS = (1, 2, 4, 8)


def figure(title, x_label):
    fig, axes = plt.subplots(figsize=(6, 3.4), dpi=100)
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(x_label)
    axes.set_ylabel("ms of CPU a picture")
    axes.grid(alpha=0.3)
    return fig, axes


def finish(fig, axes, path):
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    fig.tight_layout()
    fig.savefig(path)
    plt.close(fig)


def area(bench, path):
    """Returns what was drawn."""
    still = cost.median(cost.still(bench), "agent")
    rows = {percent: cost.area(bench, percent) for percent in PERCENTS}
    fig, axes = figure("1080p YUYV, one viewer: cost against change", "percent of the picture that changes (log)")
    axes.plot(PERCENTS, [cost.median(rows[p], "plain") for p in PERCENTS], "s--", color="#b05030",
              label="all of it converted, plain x264")
    axes.plot(PERCENTS, [cost.median(rows[p], "agent") for p in PERCENTS], "o-", color="#2060a0",
              label="kvmagent, driver to socket")
    axes.axhline(still, color="#2060a0", linestyle=":", label="kvmagent, nothing changes")
    axes.set_xscale("log")
    axes.set_xticks(PERCENTS, [f"{p:g}" for p in PERCENTS])
    finish(fig, axes, path)
    return {"still": still, **{str(p): [cost.median(rows[p], "agent"), cost.median(rows[p], "plain")]
                               for p in PERCENTS}}


def viewers(bench, path):
    rows = {count: cost.viewers(bench, count) for count in COUNTS[1:]}
    one = cost.median(rows[COUNTS[-1]], "one")
    ratios = [1] + [cost.ratio(rows[count], "many", "one") for count in COUNTS[1:]]
    fig, axes = figure("1080p moving desktop, encrypted: cost against viewers", "viewers")
    axes.plot(COUNTS, [one * ratio for ratio in ratios], "o-", color="#2060a0", label="kvmagent, driver to sockets")
    axes.axhline(one * 1.25, color="#b05030", linestyle="--", label="one viewer and a quarter")
    axes.set_xticks(COUNTS)
    finish(fig, axes, path)
    return dict(zip(map(str, COUNTS), ratios))
