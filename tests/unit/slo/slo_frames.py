"""Objectives and answers for tests, made by hand."""

from __future__ import annotations

import numpy as np

from workbench.frame import Frame
from workbench.slo.events import Events
from workbench.slo.indicator import Availability, Query
from workbench.slo.objective import Objective

STEP_MS = 300_000
DAY = 288
START_MS = 1_767_225_600_000  # Thursday, 2026-01-01T00:00Z


def objective(**changes):
    given = {
        "name": "answers", "service": "shop", "target": 0.99, "window": "30d", "owner": "team-shop",
        "sli": Availability(total="hits_total", bad='hits_total{code="500"}'), **changes,
    }  # fmt: skip
    return Objective(**given)


def ratio_objective(**changes):
    sli = Query(error_ratio="sum(rate(bad[{{.window}}])) / sum(rate(hits[{{.window}}]))")
    return objective(sli=sli, **changes)


def times(steps):
    return START_MS + np.arange(1, steps + 1, dtype=np.int64) * STEP_MS


def frame(*rows):
    values = np.array(rows, float)
    labels = [{"i": str(k)} for k in range(len(rows))] if len(rows) > 1 else [{}] * len(rows)
    return Frame("matrix", labels, times(values.shape[1]), values, ~np.isnan(values))


def events(bad, total):
    bad, total = np.asarray(bad, float), np.asarray(total, float)
    return Events(times(len(bad)), bad, total, STEP_MS)


def answers(one, bad, total):
    """The answers to an objective's questions."""
    return {f"bad {one.key}": frame(bad), f"total {one.key}": frame(total)}


def steady(days=33, rate=100.0, share=0.004, seed=0):
    """Bad and total events with Poisson noise and nothing else."""
    rng = np.random.default_rng(seed)
    total = rng.poisson(rate, days * DAY).astype(float)
    return rng.binomial(total.astype(int), share).astype(float), total
