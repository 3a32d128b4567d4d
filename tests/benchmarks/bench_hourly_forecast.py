"""The next 48 hours of hourly series: how exact, and do the intervals hold?

Run with ``python tests/benchmarks/bench_hourly_forecast.py [SERIES] [SEED]``: so many series of each
simulated kind and length (16 where nothing is given), and the real hourly series of
``../shared/data/nab`` from several origins. Prints one line a group, then each figure with *met* or
*missed*:

- ``MASE / naive``: error as a multiple of that of "the same hour yesterday";
- ``linear``: error of a straight line through the last seven days, as a multiple of ours;
- ``cov80``, ``cov95``: truths within the intervals; ``told``: what the backtests said of them;
- ``naive used``: series on which the forecast fell back to "as yesterday".
"""

from __future__ import annotations

import csv
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "statistics"))

import seasonal_families as kinds
from seasonal_families import FAMILIES, HOUR_MS, START_MS, draw

from workbench.statistics.seasonal import Method, forecast_seasonal

AHEAD = 48
WEEK = 168
NAB = Path(__file__).parents[3] / "shared" / "data" / "nab"
SEASONAL = (kinds.daily, kinds.weekly, kinds.multiplied, kinds.traffic)
"""The other kinds are mostly chance, trend or wandering: no forecast can be so much better there."""
LEAST_HOURS = 9 * 24
"""Enough for two days more than the shortest history that a forecast of two days needs."""


def judged(values, start_ms):
    """One row of figures a series; `values` end with the 48 hours to be forecast."""
    past, truth = values[:-AHEAD], values[-AHEAD:]
    times = start_ms + np.arange(len(past)) * HOUR_MS
    began = time.process_time()
    found = forecast_seasonal(past, times, AHEAD)
    seconds = (time.process_time() - began) / len(found)
    naive = past[len(past) - 24 + np.arange(AHEAD) % 24]
    scale = np.nanmean(np.abs(past[24:] - past[:-24]), axis=0)
    rows = []
    for i, each in enumerate(found):
        if each.method is Method.NONE or not scale[i] or each.test is None:
            continue
        known = ~np.isnan(truth[:, i])
        hours = np.arange(WEEK)
        recent = past[-WEEK:, i]
        seen = ~np.isnan(recent)
        slope, level = np.polyfit(hours[seen], recent[seen], 1)
        line = level + slope * (WEEK + np.arange(AHEAD))
        value = each.values[:, known]
        right = truth[known, i]
        errors = [np.nanmean(np.abs(p[known] - right)) for p in (each.values[3], naive[:, i], line)]
        inside = [np.mean((right >= value[a]) & (right <= value[b])) for a, b in ((1, 5), (0, 6))]
        rows.append(
            [*(np.array(errors) / scale[i]), *inside, each.test.coverage_80, each.test.coverage_95,
             each.method is Method.NAIVE, seconds]
        )  # fmt: skip
    return rows


def simulated(count, seed):
    """Figures by kind: histories of 24 to 40 days that end on each weekday."""
    for family in FAMILIES:
        rows = []
        for number, days in enumerate((24, 28, 32, 33, 37, 40)):
            steps = days * 24 + AHEAD
            rows += judged(draw(family, count, seed + number, steps), START_MS)
        yield family.__name__, rows


def real():
    """Figures of the real series, from a new origin every two days."""
    for path in sorted(NAB.glob("*.csv")):
        with path.open(newline="") as file:
            lines = [(row["timestamp"], float(row["value"])) for row in csv.DictReader(file)]
        hour = np.array(
            [
                int(datetime.fromisoformat(t).replace(tzinfo=UTC).timestamp()) // 3600
                for t, _ in lines
            ]
        )
        sums, counts = np.zeros((2, int(hour.max() - hour.min()) + 1))
        np.add.at(sums, hour - hour.min(), [v for _, v in lines])
        np.add.at(counts, hour - hour.min(), 1)
        values = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        cuts = range(LEAST_HOURS, len(values) + 1, AHEAD)
        start = int(hour.min()) * HOUR_MS
        with np.errstate(all="ignore"):
            rows = [r for cut in cuts for r in judged(values[:cut, None], start)]
        if rows:
            yield path.stem, rows


def printed(name, rows):
    """Print a group's line and give its means."""
    ours, naive, line, cov80, cov95, told80, told95, used, seconds = np.mean(rows, axis=0)
    print(
        f"{name:<36}{len(rows):>5}  {ours:7.3f}  {ours / naive:8.3f}  {line / ours:8.1f}  "
        f"{cov80:.3f}  {cov95:.3f}  {told80:.3f}/{told95:.3f}  {used:6.2f}  {seconds:.3f}",
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


def main(count, seed):
    """Print the table and the verdicts; give whether an aim was missed."""
    heading = "MASE   / naive   / linear  cov80  cov95  told 80/95   naive used  s/series"
    print(f"{'group':<36}{'n':>5}  {heading}")
    groups = [printed(name, rows) for name, rows in simulated(count, seed)]
    means = np.mean(groups, axis=0)
    chosen = [g for f, g in zip(FAMILIES, groups, strict=True) if f in SEASONAL]
    seasonal = np.mean(chosen, axis=0)
    missed = [
        verdict("MASE as a multiple of seasonal naive's", means[0] / means[1], most=0.83),
        verdict("the same, worst kind", max(g[0] / g[1] for g in groups), most=1.05),
        verdict("linear / ours, kinds that are mostly season", seasonal[2] / seasonal[0], least=5),
        verdict("coverage of 80 % intervals", means[3], least=0.77, most=0.83),
        verdict("coverage of 95 % intervals", means[4], least=0.93, most=0.97),
        verdict("seconds a series", means[5], most=0.2),
    ]
    print(f"(linear / ours over all kinds: {means[2] / means[0]:.1f})")
    if not NAB.is_dir():
        print("real series: skipped, ../shared/data/nab is not there")
        return any(missed)
    print("Real series: 9 to 14 days of history, one of 60; hardly any pattern of the week.")
    rows = [(printed(name, group), group)[1] for name, group in real()]
    together = printed("all real", [r for group in rows for r in group])
    missed.append(
        verdict("real: multiple of seasonal naive's", together[0] / together[1], most=1.05)
    )
    return any(missed)


if __name__ == "__main__":
    given = [int(x) for x in sys.argv[1:]]
    sys.exit(main(*(given + [16, 100][len(given) :])))
