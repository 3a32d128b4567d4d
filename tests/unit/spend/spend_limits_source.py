"""Usage scraped each minute, and what rate limits are told of it."""

from __future__ import annotations

import functools
from datetime import date

import numpy as np
from spend_counting_source import read

import workbench
from workbench.samples import Samples
from workbench.sources.snapshot import from_samples
from workbench.spend.counting.days import CalendarDays
from workbench.spend.planning import plan_usage
from workbench.spend.profiles.detection import detect
from workbench.spend.rate_limits.analysis import rate_limits
from workbench.spend.rate_limits.planning import plan_rate_limits
from workbench.spend.reading.reader import UsageReader

DAY = date(2026, 3, 2)
START = 1_772_409_600_000
"""The day's midnight in UTC."""

ESTATE_DAYS = date(2026, 6, 26), date(2026, 6, 28)

MINUTE = 60_000
SCRAPE = MINUTE


def scraped(name, per_minute, *, scrape=SCRAPE, **labels):
    """A counter whose increase in each minute from `START` on is given, evenly scraped."""
    per_minute = np.asarray(per_minute, float)
    times = START + np.arange(0, len(per_minute) * MINUTE + 1, scrape, dtype=np.int64)
    minute = np.arange(len(per_minute) + 1) * MINUTE + START
    values = np.interp(times, minute, np.concatenate([[0.0], np.cumsum(per_minute)]))
    return {"__name__": name, "job": "gw", "instance": "a:1", **labels}, times, values


def shown(name, per_minute, **labels):
    """A gauge that shows one value each minute, from `START` on."""
    values = np.asarray(per_minute, float)
    times = START + np.arange(len(values), dtype=np.int64) * MINUTE
    return {"__name__": name, "job": "gw", "instance": "a:1", **labels}, times, values


def ask(series, questions):
    """Answers by key."""
    source = from_samples(Samples.from_series(list(series)))
    return {q.key: source.query_range(q.expression, q.window).data for q in questions}


def told(series, *, limits=(), first=DAY, last=DAY, start=None, profiles=None, zone="UTC", **more):
    """What is told of some series: detected, planned, asked and read."""
    series = list(series)
    fits = detect({labels["__name__"] for labels, _, _ in series}, profiles)
    days = CalendarDays.between(start or first, last, zone)
    reading = read(series, first=start or first, last=last, fits=fits, zone=zone)
    questions = plan_rate_limits(fits, days, step_ms=300_000, limits=limits)
    return rate_limits(
        ask(series, questions), fits, reading, limits, first=first, last=last, zone=zone, **more
    )


@functools.cache
def estate():
    """The gateway of the demonstration, its last three days: the source, the plan, what was read."""
    source = workbench.connect("demo:").source
    now = source.now_ms()
    names = source.label_values("__name__", (), now - 86_400_000, now)
    fits = detect([name for name in names if name.startswith("llm_gateway")])
    plan = plan_usage(fits, *ESTATE_DAYS, series=900)
    reader = UsageReader(plan)
    for piece in plan.pieces:
        reader.take({q.key: source.query_range(q.expression, q.window).data for q in piece})
    reader.take_histograms(
        {q.key: source.query_range(q.expression, q.window).data for q in plan.histograms}
    )
    return source, plan, reader.finish()
