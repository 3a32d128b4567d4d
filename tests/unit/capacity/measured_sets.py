"""Small estates written as text, and what the ready-made sets measure in them."""

from __future__ import annotations

import re

import numpy as np

import workbench
from workbench.capacity import discover, questions, shipped_resources
from workbench.capacity.instances import instances
from workbench.window import Window

START_MS = 1_780_272_007_000
"""2026-06-01T00:00:07Z: off the grid of every step."""
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
HOURS = 3
GRID = Window(START_MS + 2 * HOUR_MS - 7_000, START_MS + 3 * HOUR_MS - 7_000, HOUR_MS)

_LINE = re.compile(r"^(?P<name>[\w:]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def estate(text):
    """Series of three hours, a sample a minute: `metric{label="x"} 7`, or `… +7`: 7 a second more.

    `… 9/5` is 9 but for one minute of each half hour, where it is 5.
    """
    times = START_MS + np.arange(HOURS * 60) * MINUTE_MS
    series = []
    for line in filter(None, map(str.strip, text.splitlines())):
        found = _LINE.match(line)
        assert found, line
        labels = {"__name__": found["name"], **dict(_LABEL.findall(found["labels"] or ""))}
        series.append((labels, times, _values(found["value"], times)))
    return series


def _values(text, times):
    if text.startswith("+"):
        return float(text) * (times - START_MS) / 1000
    high, _, low = text.partition("/")
    values = np.full(len(times), float(high))
    if low:
        values[15::30] = float(low)
    return values


def metrics(text):
    """The names of an estate's metrics."""
    return {labels["__name__"] for labels, _, _ in estate(text)}


def measured(text, *sets):
    """What the sets measure last: ``{instance: (usage, limit)}``; no limit is None."""
    return measured_by(text, shipped_resources(*sets))


def measured_by(text, resources):
    """The same of other resources."""
    source = workbench.connect(workbench.snapshot(estate(text)))
    found = discover(metrics(text), resources).usable
    frames = {key: answer.data for key, answer in source.ask_all(questions(found, GRID)).items()}
    result = {}
    for resource in found:
        usage, limit = frames[f"usage {resource.key}"], frames.get(f"limit {resource.key}")
        for each in instances(resource, usage, limit):
            bound = None if each.limit is None else round(float(each.limit[-1]), 6)
            result[each.name] = (round(float(each.usage[-1]), 6), bound)
    return result
