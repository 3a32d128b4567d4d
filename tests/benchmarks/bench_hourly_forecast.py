"""The next 48 hours of hourly series: how exact, and do the intervals hold?

Run with ``python tests/benchmarks/bench_hourly_forecast.py [COUNT] [SEED]``: so many series of each
simulated kind and length (16 where nothing is given), and the real hourly series of
``../shared/data/nab`` from several origins; or with ``--series FOLDER`` on series of your own. The
folder holds CSV files whose first column is the time, as ISO 8601 or in seconds or milliseconds
since the epoch, and whose second is the value; steps finer than an hour are averaged, hours that lack
are gaps. What stands before the first ``_``, ``-`` or digit of a file's name is its group. Each
series is forecast from at most ``--origins`` origins (10), spread over all of it, every time with
the 35 days before.

Prints one line a group, then each figure with *met* or *missed*, and ends with 1 if one is missed:

- ``MASE / naive``: error as a multiple of that of "the same hour yesterday";
- ``linear``: error of a straight line through the last seven days, as a multiple of ours;
- ``cov80``, ``cov95``: truths within the intervals; ``told``: what the backtests said of them;
- ``bias``: mean of forecast minus truth, in the unit of MASE;
- ``naive used``: share of forecasts that fell back to "as yesterday".
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "statistics"))

import seasonal_families as kinds
from seasonal_families import FAMILIES, HOUR_MS, START_MS, draw

from workbench.statistics.seasonal import Method, forecast_seasonal

AHEAD = 48
DAY = 24
WEEK = 168
NAB = Path(__file__).parents[3] / "shared" / "data" / "nab"
SEASONAL = (kinds.daily, kinds.weekly, kinds.multiplied, kinds.traffic)
"""The other kinds are mostly chance, trend or wandering: no forecast can be so much better there."""
LEAST_HOURS = 9 * DAY
"""Enough for two days more than the shortest history that a forecast of two days needs."""
FULL_HOURS = 35 * DAY + AHEAD
MILLISECONDS = 1e11
"""A time above it is in milliseconds: in seconds it would be in the year 5138."""


def yesterday(past):
    """The last known value of each of the coming hours' hour of the day."""
    days = np.full((-(-len(past) // DAY) * DAY, past.shape[1]), np.nan)
    days[len(days) - len(past) :] = past
    last = np.full((DAY, past.shape[1]), np.nan)
    for day in days.reshape(-1, DAY, past.shape[1]):
        last = np.where(np.isnan(day), last, day)
    return last[np.arange(AHEAD) % DAY]


def straight(recent):
    """A straight line through what is known of the last week, prolonged."""
    hours = np.arange(len(recent))
    seen = ~np.isnan(recent)
    slope, level = np.polyfit(hours[seen], recent[seen], 1)
    return level + slope * (len(recent) + np.arange(AHEAD))


def judged(values, start_ms):
    """One row of figures a series; `values` end with the 48 hours to be forecast."""
    past, truth = values[:-AHEAD], values[-AHEAD:]
    times = start_ms + np.arange(len(past)) * HOUR_MS
    began = time.process_time()
    found = forecast_seasonal(past, times, AHEAD)
    seconds = (time.process_time() - began) / len(found)
    naive = yesterday(past)
    with np.errstate(all="ignore"):
        change = np.abs(past[DAY:] - past[:-DAY])
    rows = []
    for i, each in enumerate(found):
        known = ~np.isnan(truth[:, i]) & ~np.isnan(naive[:, i])
        compared = ~np.isnan(change[:, i])
        scale = change[compared, i].mean() if compared.any() else 0.0
        if each.method is Method.NONE or not scale or each.test is None or not known.any():
            continue
        value, right = each.values[:, known], truth[known, i]
        line = straight(past[-WEEK:, i])
        paths = (value[3], naive[known, i], line[known])
        inside = [np.mean((right >= value[a]) & (right <= value[b])) for a, b in ((1, 5), (0, 6))]
        rows.append(
            [*(np.mean(np.abs(path - right)) / scale for path in paths), *inside,
             each.test.coverage_80, each.test.coverage_95, np.mean(value[3] - right) / scale,
             each.method is Method.NAIVE, seconds]
        )  # fmt: skip
    return rows


def simulated(count, seed):
    """Figures by kind: histories of 24 to 40 days that end on each weekday."""
    for family in FAMILIES:
        rows = []
        for number, days in enumerate((24, 28, 32, 33, 37, 40)):
            steps = days * DAY + AHEAD
            rows += judged(draw(family, count, seed + number, steps), START_MS)
        yield family.__name__, rows


def hour_of(text):
    """Hours since the epoch of a time as text; without a zone it is taken as UTC."""
    try:
        number = float(text)
    except ValueError:
        when = datetime.fromisoformat(text.strip())
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()) // 3600
    return int(number / 1000 if number > MILLISECONDS else number) // 3600


def read_series(path):
    """Hourly means from a CSV file, and when they begin; NaN for hours that lack."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = [line for line in csv.reader(file) if len(line) > 1]
    samples = [(hour_of(line[0]), float(line[1] or "nan")) for line in lines[1:]]
    samples = [(hour, value) for hour, value in samples if np.isfinite(value)]
    if not samples:
        return np.empty(0), 0
    hours, values = (np.array(x) for x in zip(*samples, strict=True))
    first = int(hours.min())
    sums, counts = np.zeros((2, int(hours.max()) - first + 1))
    np.add.at(sums, hours - first, values)
    np.add.at(counts, hours - first, 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), first * HOUR_MS


def figures(path, origins):
    """Figures of one series from origins spread over it, the last one 48 hours before its end."""
    values, start_ms = read_series(path)
    if len(values) < LEAST_HOURS:
        return []
    most = (len(values) - LEAST_HOURS) // AHEAD + 1
    ends = np.linspace(len(values), LEAST_HOURS, max(min(origins, most), 1)).astype(int)
    rows = []
    for end in ends.tolist():
        begin = max(0, end - FULL_HOURS)
        rows += judged(values[begin:end, None], start_ms + begin * HOUR_MS)
    return rows


def printed(name, rows):
    """Print a group's line and give its means."""
    ours, naive, line, cov80, cov95, told80, told95, bias, used, seconds = np.mean(rows, axis=0)
    print(
        f"{name:<36}{len(rows):>5}  {ours:7.3f}  {ours / naive:8.3f}  {line / ours:8.1f}  "
        f"{cov80:.3f}  {cov95:.3f}  {told80:.3f}/{told95:.3f}  {bias:+6.2f}  {used:6.2f}  "
        f"{seconds:.3f}",
        flush=True,
    )
    return ours, naive, line, cov80, cov95, seconds


def verdict(what, value, *, least=-np.inf, most=np.inf):
    """Print a figure with met or missed; give whether it was missed."""
    missed = not least <= value <= most
    word = "missed" if missed else "met"
    aim = " to ".join(f"{x:g}" for x in (least, most) if np.isfinite(x))
    print(f"{what:<56}{value:8.3f}  aim {aim:<13} {word}")
    return missed


def verdicts(means, groups, linear, of_what):
    """Every goal, from the means of all and of each group; gives whether one was missed."""
    missed = [
        verdict("MASE as a multiple of seasonal naive's", means[0] / means[1], most=0.83),
        verdict("the same, worst group", max(g[0] / g[1] for g in groups), most=1.05),
        verdict(f"linear / ours, {of_what}", linear, least=5),
        verdict("coverage of 80 % intervals", means[3], least=0.77, most=0.83),
        verdict("coverage of 95 % intervals", means[4], least=0.93, most=0.97),
        verdict("seconds a series", means[5], most=0.2),
    ]
    return any(missed)


def heading():
    """Print what the columns are."""
    names = "MASE   / naive   / linear  cov80  cov95  told 80/95     bias   naive used  s/series"
    print(f"{'group':<36}{'n':>5}  {names}")


def given(folder, origins):
    """The table and the goals of series in a folder, every series counting alike."""
    groups = defaultdict(list)
    for path in sorted(folder.glob("*.csv")):
        rows = figures(path, origins)
        if rows:
            name = re.split(r"[_\-\d]", path.stem)[0] or path.stem
            groups[name].append(np.mean(rows, axis=0))
        else:
            print(f"{path.name}: too short, too sparse or constant")
    if not groups:
        print(f"no series of {LEAST_HOURS} hours or more in {folder}")
        return True
    heading()
    lines = [printed(name, rows) for name, rows in sorted(groups.items())]
    means = printed("all series", [row for rows in groups.values() for row in rows])
    return verdicts(means, lines, means[2] / means[0], "all series")


def own(count, seed):
    """The table and the goals of simulated kinds, and the real series at hand."""
    heading()
    groups = [printed(name, rows) for name, rows in simulated(count, seed)]
    means = np.mean(groups, axis=0)
    chosen = [g for f, g in zip(FAMILIES, groups, strict=True) if f in SEASONAL]
    seasonal = np.mean(chosen, axis=0)
    linear = seasonal[2] / seasonal[0]
    missed = verdicts(means, groups, linear, "kinds that are mostly season")
    print(f"(linear / ours over all kinds: {means[2] / means[0]:.1f})")
    if not NAB.is_dir():
        print("real series: skipped, ../shared/data/nab is not there")
        return missed
    print("Real series: 9 to 14 days of history, one of 60; hardly any pattern of the week.")
    real = [(path.stem, figures(path, 10)) for path in sorted(NAB.glob("*.csv"))]
    rows = [(printed(name, group), group)[1] for name, group in real if group]
    together = printed("all real", [r for group in rows for r in group])
    return verdict("real: multiple of naive's", together[0] / together[1], most=1.05) or missed


def main():
    """Read the arguments, print, and give the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=16, help="series of each kind")
    parser.add_argument("seed", nargs="?", type=int, default=100)
    parser.add_argument("--series", type=Path, help="a folder of CSV files: time,value")
    parser.add_argument("--origins", type=int, default=10, help="at most so many a series")
    asked = parser.parse_args()
    if asked.series is None:
        return own(asked.count, asked.seed)
    return given(asked.series, asked.origins)


if __name__ == "__main__":
    sys.exit(main())
