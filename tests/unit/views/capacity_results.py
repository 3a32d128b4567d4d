"""Capacity results that the tests of its pictures and tables share."""

import json
from dataclasses import replace

import numpy as np

from workbench.capacity import Resource, analyse
from workbench.frame import Frame

HOUR_MS = 3_600_000
DAYS = 40
HOSTILE = "a\"' + datum.x + '</script><b>&\\n\n\x00\ud800{instance}"


def capacity_frame(count=5, names=None):
    """Rows: dated, unlikely, full, too little data, and then unlikely ones."""
    rng = np.random.default_rng(0)
    t = np.arange(24 * DAYS) / 24
    rows = rng.normal(0, 1, (count, len(t))) + 50 + 5 * np.sin(2 * np.pi * t)
    rows[0] += t
    if count > 3:
        rows[2] += 60
        rows[3, : -24 * 3] = np.nan
    times = np.arange(1, len(t) + 1) * HOUR_MS + 1_767_225_600_000
    labels = [{"instance": n} for n in (names or [f"i{k:03d}" for k in range(count)])]
    return Frame("matrix", labels, times, rows, ~np.isnan(rows))


def capacity_result(count=5, unit="bytes", names=None, **options):
    """What the analysis makes of `capacity_frame`."""
    usage = capacity_frame(count, names)
    resource = Resource(name="disk {instance}", usage="u", limit=100.0, unit=unit, owner="ops")
    now_ms = int(usage.times_ms[-1])
    return analyse([resource], {"usage disk {instance}": usage}, now_ms=now_ms, **options)


def fleet(result, count, **changes):
    """The result with so many resources, made from those that it has; `changes` are functions of a number."""
    have = result.outlooks
    many = [
        replace(
            have[k % len(have)],
            name=f"{have[k % len(have)].name} {k:04d}",
            **{name: value(k) for name, value in changes.items()},
        )
        for k in range(count)
    ]
    return replace(result, outlooks=tuple(sorted(many, key=lambda o: o.urgency)))


def expressions(node, found):
    """Every place of a Vega-Lite specification that is evaluated."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "filter", "calculate", "labelExpr", "test", "signal", "update"):
                found.append(json.dumps(value))
            if key == "field":
                found.append(str(value))
            expressions(value, found)
    elif isinstance(node, list):
        for each in node:
            expressions(each, found)
    return found
