"""Which buckets a histogram should have, what each choice costs, and how sure its quantiles are.

From one observed histogram the adviser imagines what may lie behind its counts, lets candidate
layouts count it, and recommends the smallest one whose quantiles are nearly as good as the best
one's and on which every objective is a boundary. Today's layout wins where it is good enough: to
change buckets breaks queries that name an ``le``, and comparisons over time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from workbench.errors import InputError
from workbench.latency.advice import Advice
from workbench.latency.choosing import choice, native_choice, native_option, notes_on
from workbench.latency.judging import Judge
from workbench.latency.layouts import Layout
from workbench.latency.reconstruction import Reconstructions, reconstruct
from workbench.latency.schemes import (
    Scheme,
    client_defaults,
    focused_boundaries,
    geometric_boundaries,
)
from workbench.latency.snippets import snippets
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.inversion import invert

__all__ = ["advise"]

_SIZES: Final = (8, 10, 12, 15, 20)
"""Buckets of the layouts made to measure, ``+Inf`` among them."""

_LARGEST: Final = 40
"""Today's size, or the budget, is tried too where it is not above this."""

_SCHEMAS: Final = (0, 3, 5)
"""Of native histograms; the middle one is what is advised."""

_FEWEST: Final = 100
"""With fewer observations nothing can be said of a tail."""

_STRANGE: Final = 1000.0
"""An objective so many times beyond all edges is taken for one in another unit."""


def advise(
    observed: BucketCounts,
    *,
    objectives: Sequence[float],
    quantiles: Sequence[float] = (0.5, 0.95, 0.99),
    label_sets: int,
    max_buckets: int | None = None,
    metric: str = "",
    documentation: str = "",
    unit: str = "seconds",
) -> Advice:
    """Advise on the buckets of one histogram.

    Parameters
    ----------
    observed
        What today's buckets count, over a window that is typical. Leading axes are summed.
    objectives
        Thresholds that must be told exactly, such as an SLO's, in the unit of the edges; any
        number.
    quantiles
        Those that matter, each above 0 and below 1.
    label_sets
        Combinations of the metric's label values, instances among them: each has every bucket.
    max_buckets
        The most ``le`` series of one label set that may be recommended, ``+Inf`` among them;
        None for at most 20 or today's, whichever is more.
    metric, documentation
        The metric's name and help text, for the snippets.
    unit
        Of the edges: a plural such as ``"seconds"`` or ``"bytes"``.

    Raises
    ------
    InputError
        An objective is not positive, not finite or in another unit, a quantile is no share,
        `label_sets` is below 1, counts are negative or not finite, or `max_buckets` has no room
        for the objectives.

    Examples
    --------
    >>> bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, np.inf]
    >>> reached = [0, 20, 300, 1500, 4300, 8100, 9500, 9900, 9990, 10000, 10000, 10000]
    >>> seen = BucketCounts.from_cumulative(bounds, reached)
    >>> advice = advise(seen, objectives=[0.3], label_sets=40, max_buckets=12)
    >>> 0.3 in advice.recommended.boundaries, advice.recommended.series <= advice.today.series
    (True, True)
    """
    one = _merged(observed)
    aims = _checked_objectives(objectives, one, unit)
    shares = _checked_quantiles(quantiles)
    _check_sizes(label_sets, max_buckets, len(aims))
    today = _unjudged(one, label_sets)
    lacking = _lacking(one)
    drawn = None if lacking else reconstruct(one)
    if drawn is None:
        reason = lacking or "one boundary alone tells nothing of the distribution's shape"
        return Advice((), None, today, reason, None, (), unit=unit)
    judge = _judge(one, drawn, shares, aims, today)
    today = _judged_today(judge, today)
    classic_today = today.schema is None
    most = max_buckets or max(*_SIZES, today.buckets if classic_today else 0)
    sizes = _sizes(today.buckets if classic_today else 0, most, len(aims))
    schemes = [*client_defaults(unit), *_made_to_measure(drawn, shares, aims, sizes)]
    classic = [judge.classic(x) for x in schemes if x.boundaries != today.boundaries]
    native = {schema: judge.native(schema) for schema in _SCHEMAS}
    if classic_today:
        recommended, reason = choice(today, classic, most)
    else:
        recommended, reason = native_choice(today, list(native.values()))
    return Advice(
        (today, *classic, *native.values()),
        recommended,
        today,
        reason,
        native_option(native[3], recommended),
        notes_on(one, today, recommended, unit),
        snippets(
            recommended.boundaries,
            schema=recommended.schema,
            metric=metric,
            documentation=documentation,
            unit=unit,
        ),
        unit,
    )


def _merged(observed: BucketCounts) -> BucketCounts:
    """One distribution; buckets at or below 0 are counted to the first above."""
    counts = observed.counts.reshape(-1, observed.counts.shape[-1])
    if not np.isfinite(counts).all() or (counts < 0).any():
        msg = "counts of the buckets are negative or not finite"
        raise InputError(msg, "give increases of the counters, with resets taken into account")
    summed = counts.sum(axis=0)
    skipped = int((observed.edges[1:] <= 0).sum())
    if skipped == len(summed):
        msg = f"no bucket reaches above 0: the last ends at {observed.edges[-1]:g}"
        raise InputError(msg, "give the histogram of a quantity that is positive, as latencies are")
    edges = observed.edges[skipped:].copy()
    edges[0] = 0.0 if skipped or not observed.edges[0] > 0 else edges[0]
    kept = summed[skipped:].copy()
    kept[0] += summed[:skipped].sum()
    if edges[0] > 0:
        edges, kept = np.insert(edges, 0, 0.0), np.insert(kept, 0, 0.0)
    return BucketCounts(edges, kept, observed.exponential)


def _checked_objectives(
    objectives: Sequence[float], one: BucketCounts, unit: str
) -> tuple[float, ...]:
    inner = one.edges[np.isfinite(one.edges) & (one.edges > 0)]
    aims: list[float] = []
    for given in objectives:
        aim = _number(given)
        if not (math.isfinite(aim) and aim > 0):
            msg = f"the objective {given!r} is not a positive number"
            raise InputError(msg, f"give a threshold in {unit}, such as 0.3")
        if len(inner) and not inner[0] / _STRANGE <= aim <= inner[-1] * _STRANGE:
            msg = f"the objective {aim:g} is far from the buckets, {inner[0]:g} to {inner[-1]:g}"
            raise InputError(msg, f"give it in the unit of the buckets, said to be {unit}")
        aims.append(aim)
    return tuple(sorted(set(aims)))


def _checked_quantiles(quantiles: Sequence[float]) -> tuple[float, ...]:
    shares = tuple(sorted({_number(q) for q in quantiles}))
    if not shares or not all(0 < q < 1 for q in shares):
        msg = f"the quantiles are {list(quantiles)!r}"
        raise InputError(msg, "give numbers above 0 and below 1, such as 0.5 and 0.99")
    return shares


def _number(given: float) -> float:
    """A number, or NaN, which every check refuses, of what is none."""
    try:
        return float(given)
    except (TypeError, ValueError):
        return math.nan


def _check_sizes(label_sets: int, max_buckets: int | None, objectives: int) -> None:
    if label_sets < 1:
        msg = f"the number of label sets is {label_sets}"
        raise InputError(msg, "give 1 or more: how many series of `_count` the metric has")
    least = max(objectives + 1, 3)
    if max_buckets is not None and max_buckets < least:
        msg = f"{max_buckets} buckets leave no room for {objectives} objectives and +Inf"
        raise InputError(msg, f"allow at least {least} buckets")


def _unjudged(one: BucketCounts, label_sets: int) -> Layout:
    """Today's layout as far as it is known without judging it."""
    bounds = tuple(x for x in one.edges.tolist() if 0 < x < math.inf)
    if one.exponential:
        filled = int((one.counts > 0).sum())
        return Layout("today", "today", (), filled, 1, label_sets, schema=_schema(bounds))
    series = len(bounds) + 3
    return Layout("today", "today", bounds, len(bounds) + 1, series, series * label_sets)


def _schema(bounds: tuple[float, ...]) -> int:
    """The schema whose buckets grow as most of these do."""
    ratios = np.log2(np.divide(bounds[1:], bounds[:-1]))
    if not len(ratios):
        return 0
    each, many = np.unique(np.round(-np.log2(ratios)), return_counts=True)
    return int(np.clip(each[many.argmax()], -4, 8))


def _lacking(one: BucketCounts) -> str:
    """What is missing for any advice; empty where nothing is."""
    total, last = float(one.total), float(one.edges[-2])
    if total <= 0:
        return "nothing was observed in the window"
    if len(one.counts) < 2:
        return "there is one bucket only, which tells nothing of the distribution's shape"
    if total < _FEWEST:
        return (
            f"only {total:g} observations, too few to know a distribution by: take a longer window"
        )
    if math.isinf(one.edges[-1]) and one.counts[-1] >= total:
        return f"every observation lies above the last boundary, {last:g}: add higher ones first"
    if one.counts[0] >= total:
        return f"every observation lies in the first bucket, up to {one.edges[1]:g}: add lower ones"
    return ""


def _judge(
    one: BucketCounts,
    drawn: Reconstructions,
    quantiles: tuple[float, ...],
    objectives: tuple[float, ...],
    today: Layout,
) -> Judge:
    found = invert(one, np.array(quantiles))
    per_label_set = today.series_per_label_set
    return Judge(
        float(one.total),
        found.low,
        found.high,
        drawn,
        quantiles,
        objectives,
        today.series // per_label_set,
        per_label_set,
    )


def _judged_today(judge: Judge, today: Layout) -> Layout:
    """A native histogram finer than any candidate is judged as the finest: it is not worse."""
    if today.schema is not None:
        judged = judge.native(min(today.schema, _SCHEMAS[-1]))
        return replace(
            judged, name="today", kind="today", buckets=today.buckets, schema=today.schema
        )
    return judge.classic(Scheme("today", "today", today.boundaries))


def _sizes(today: int, most: int, objectives: int) -> list[int]:
    tried = {*_SIZES, *(size for size in (today, most) if size <= _LARGEST)}
    fitting = sorted(size for size in tried if max(objectives + 1, 4) <= size <= most)
    return fitting or [most]


def _made_to_measure(
    drawn: Reconstructions,
    quantiles: tuple[float, ...],
    objectives: tuple[float, ...],
    sizes: Sequence[int],
) -> list[Scheme]:
    """Layouts over all that matters, and over where it will lie after things got twice as slow."""
    rest = (1 - quantiles[-1]) / 10
    likely = drawn.values(np.array([quantiles[0] / 10, *quantiles, 1 - rest]))[0]
    low = min(likely[0], likely[1] / 2, *objectives)
    high = max(likely[-1], 2 * likely[-2], *(2 * x for x in objectives))
    made: list[Scheme] = []
    for size in sizes:
        geometric = geometric_boundaries(low, high, size - 1, objectives)
        focused = focused_boundaries(low, high, size - 1, objectives, likely[1:-1])
        made += [Scheme(f"geometric {size}", "geometric", geometric)]
        made += [Scheme(f"focused {size}", "focused", focused)]
    return made
