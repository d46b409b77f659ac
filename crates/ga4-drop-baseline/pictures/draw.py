#!/usr/bin/env python3
"""Draws the pictures of docs/DROP-DETECTION.md and the backtest of the README.

    draw.py TIMELINE.csv EXPORTER DIRECTORY

TIMELINE.csv is what `cargo run --example timeline` prints. EXPORTER is the program; it replays a made-up shop and draws
that itself. The points of drop-delay-recall.svg are in delay-recall.csv: they were measured on public traces, as
docs/DROP-DETECTION.md says, and are not computed here. draw.sh does everything.

The colours are those of Okabe and Ito, which colour-blind people can distinguish (jfly.uni-koeln.de/color).
"""
import csv
import datetime
import math
import pathlib
import random
import subprocess
import sys
import tempfile

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update(
    {
        "svg.hashsalt": "drop",  # else each run gives the same things other names
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "grid.color": "#e6e6e6",
        "legend.frameon": False,
        "legend.fontsize": 8,
    }
)
import matplotlib.dates
import matplotlib.pyplot as plot

HERE = pathlib.Path(__file__).parent
INK, BLUE, BAND, VERMILION, GREY = "#222222", "#0072B2", "#56B4E9", "#D55E00", "#777777"


def save(figure, path, title):
    figure.savefig(path, metadata={"Date": None, "Title": title})


def timeline(rows, path):
    """An outage: the last half hour against what is usual, and the evidence."""
    times = [datetime.datetime.fromisoformat(row["time"]) for row in rows]
    of = lambda name: [float(row[name]) for row in rows]
    where = lambda name: [row[name] == "1" for row in rows]
    figure, (above, below) = plot.subplots(2, 1, figsize=(9, 6), layout="constrained", sharex=True)
    for axes in (above, below):
        span = lambda name, bottom, **style: axes.fill_between(
            times, bottom, 1, where=where(name), transform=axes.get_xaxis_transform(), lw=0, **style
        )
        span("is_paged", 0, color=VERMILION, alpha=0.22, label="somebody is paged")
        span("is_down", 0.97, color=INK, label="the site is down")
    above.fill_between(times, of("low"), of("expected"), color=BAND, alpha=0.28, lw=0, label="down to the lower bound")
    above.plot(times, of("expected"), color=BLUE, label="usual")
    above.plot(times, of("pageviews"), color=INK, label="traffic")
    above.set(title="Pageviews in the last 30 minutes", ylim=(0, None))
    below.plot(times, of("evidence"), color=INK, label="evidence of a drop")
    below.axhline(1, color=GREY, linestyle="--", label="enough")
    below.set(title="Evidence", ylim=(0, None), xlim=(times[0], times[-1]))
    for axes in (above, below):
        axes.legend(loc="upper left")
    below.xaxis.set_major_formatter(matplotlib.dates.DateFormatter("%H:%M"))
    save(figure, path, "Traffic, what is usual, and evidence in an outage of nearly an hour")


def delay_and_recall(points, path):
    """How soon drops are found, and how many, by size of the site."""
    figure, panels = plot.subplots(2, 2, figsize=(9, 6.2), layout="constrained")
    shown = [
        ("Total outage of 6 hours: delay of pages", "100 % for 6 h", ("median", "95 %")),
        ("Drop of 70 % for 6 hours: delay of pages", "70 % for 6 h", ("median", "95 %")),
        ("Total outage of 1 hour: found", "100 % for 1 h", ("found",)),
        ("Drop of 70 % for 6 hours: found", "70 % for 6 h", ("found",)),
    ]
    styles = {
        "R7m": {"color": VERMILION, "marker": "s", "markersize": 5},
        "ours": {"color": BLUE, "marker": "o", "markersize": 5},
        "limit": {"color": GREY, "linestyle": "--"},
    }
    for axes, (title, drop, figures) in zip(panels.flat, shown):
        axes.set_title(title)
        for rule, style in styles.items():
            for name in figures:
                line = [p for p in points if (p["drop"], p["rule"], p["figure"]) == (drop, rule, name)]
                if line:
                    x, y = ([float(point[column]) for point in line] for column in ("pageviews_an_hour", "value"))
                    label = rule if name == "found" else f"{rule}, {name}"
                    axes.plot(x, y, label=label, **({"color": style["color"], "linestyle": ":"} if name == "95 %" else style))
        axes.set_xscale("log")
        axes.set_xticks([10, 30, 100, 300, 1000, 5000], ["10", "30", "100", "300", "1,000", "5,000"])
        axes.set_xlim(7.3, 7000)
        if figures == ("found",):
            axes.set(ylim=(0, 104), xlabel="pageviews per hour at the time")
        else:
            axes.set_yscale("log")
            axes.set_yticks([1, 3, 10, 30, 100, 300], ["1", "3", "10", "30", "100", "300"])
            axes.set_ylim(1, 500)
        axes.minorticks_off()
    panels[0, 0].set_ylabel("minutes until the page")
    panels[1, 0].set_ylabel("found, %")
    panels[0, 0].legend(loc="upper right")
    panels[1, 0].legend(loc="lower right")
    save(figure, path, "Delay and recall of the drop alert by pageviews an hour")


def shop():
    """Yields the hours of a made-up shop: a campaign, an outage of three hours, and nine hours of half traffic."""
    chance = random.Random(7)
    start, end = (datetime.datetime(2026, month, day) for month, day in ((8, 24), (11, 16)))
    at = lambda month, day, hour: datetime.datetime(2026, month, day, hour)
    changes = [(at(10, 29, 8), at(10, 31, 0), 1.9), (at(11, 3, 13), at(11, 3, 16), 0.0), (at(11, 10, 9), at(11, 10, 18), 0.5)]
    for passed in range(int((end - start).total_seconds()) // 3600):
        hour = start + datetime.timedelta(hours=passed)
        of_day = math.exp(1.4 * math.cos((hour.hour - 15) * math.tau / 24))
        of_week = (1.0, 1.05, 1.0, 1.0, 0.9, 0.65, 0.7)[hour.weekday()]
        usual = 500 * of_day * of_week * chance.gauss(1, 0.05)
        for first, last, factor in changes:
            usual *= factor if first <= hour < last else 1
        yield hour, round(usual)


def backtest(exporter, path):
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as history:
        history.write("local_time,pageviews\n")
        history.writelines(f"{hour:%Y-%m-%dT%H:%M},{pageviews}\n" for hour, pageviews in shop())
        history.flush()
        dates = ["--from", "2026-10-26", "--to", "2026-11-15"]
        subprocess.run([exporter, "backtest", "--history", history.name, *dates, "--svg", path], check=True)


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def main():
    rows, exporter, directory = sys.argv[1:]
    directory = pathlib.Path(directory)
    timeline(read(rows), directory / "drop-timeline.svg")
    delay_and_recall(read(HERE / "delay-recall.csv"), directory / "drop-delay-recall.svg")
    backtest(exporter, directory / "backtest.svg")


if __name__ == "__main__":
    main()
