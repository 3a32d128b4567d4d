"""Which part of a whole server a candidate is to be compared with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

import numpy as np

from workbench.cardinality.families import family_key
from workbench.inventory import Inventory, ObservedMetric

__all__ = ["own_jobs"]

_SHARE: Final = 0.5
"""A job is the candidate's own if it has at least this share of its metrics."""


def own_jobs(candidate: Inventory, baseline: Inventory) -> Inventory:
    """Narrow a server's inventory to the jobs that expose what the candidate does.

    Compared with all jobs, whatever the others expose would look as if it went away.

    Parameters
    ----------
    candidate
        Code or text of one application.
    baseline
        A server with the series of many.

    Returns
    -------
    Inventory
        The baseline as it is where it has one job, or where no job is like the candidate; else
        its part, with a note.
    """
    wanted = {family_key(name) for name in candidate.metrics}
    wanted |= {family_key(d.name) for d in candidate.declared}
    jobs: set[str] = set()
    shared: Counter[str] = Counter()
    for metric in baseline.metrics.values():
        names = metric.table.values_of("job") if metric.table is not None else ()
        jobs.update(names)
        if family_key(metric.name) in wanted or family_key(metric.family) in wanted:
            shared.update(names)
    most = max(shared.values(), default=0)
    known = sum(
        family_key(m.name) in wanted or family_key(m.family) in wanted
        for m in baseline.metrics.values()
    )
    if len(jobs) < 2 or most < max(1, _SHARE * known):
        return baseline
    own = {job for job, count in shared.items() if count == most}
    if own == jobs:
        return baseline
    metrics = {
        name: kept for name, m in baseline.metrics.items() if (kept := _only(m, own)) is not None
    }
    listed = ", ".join(sorted(own)[:5])
    note = f"of the baseline only job {listed} was compared, which exposes what the candidate does; --match chooses others"
    return replace(baseline, metrics=metrics, total_series=None, notes=(*baseline.notes, note))


def _only(metric: ObservedMetric, jobs: set[str]) -> ObservedMetric | None:
    """The series of some jobs; None where there are none. What is only counted stays."""
    table = metric.table
    if table is None:
        return metric
    chosen = np.array([*(job in jobs for job in table.values_of("job")), False], bool)
    mask = chosen[table.column("job")]  # absent is -1: the last
    if not mask.any():
        return None
    part = table if mask.all() else table.take(mask)
    return replace(metric, table=part, series=part.series)
