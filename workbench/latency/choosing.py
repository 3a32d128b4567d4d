"""Which of the judged layouts to take, in words that say why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from workbench.latency.advice import NativeOption
from workbench.latency.layouts import Layout, native_growth
from workbench.statistics.buckets import BucketCounts

__all__ = ["choice", "native_choice", "native_option", "notes_on"]

_NEAR: Final = 0.02
"""An error this much above the best one's is as good: two percentage points."""

_KEPT: Final = 0.035
"""Today's layout is kept up to so much above the best one's error: a change has its own cost, and
what was advised once should not be advised away by the next sample."""

_NATIVE_GAIN: Final = 0.03
"""A native histogram is the better answer where classic buckets miss so much more."""

_DEARER: Final = 1.25
"""Today's layout is kept though a smaller one would do, up to so many times its series."""

_MANY_SERIES: Final = 10_000
"""Series of one metric from which a native histogram is worth the change for its cost alone."""

_KNOWN: Final = 0.001
"""A native histogram, which has no boundary on an objective, must know the share this well."""

_FEW_ABOVE: Final = 20
"""So many observations above a quantile are few."""


def choice(today: Layout, candidates: Sequence[Layout], most: int) -> tuple[Layout, str]:
    """Choose among classic layouts, today's first.

    Parameters
    ----------
    today
        Judged.
    candidates
        Classic layouts, judged; at least one.
    most
        Buckets that are allowed, ``+Inf`` among them.

    Returns
    -------
    tuple[Layout, str]
        What to take, and why. "Off by" is `Layout.error`; of a single quantile it is the expected
        error of ``histogram_quantile`` as things are.
    """
    allowed = [x for x in candidates if x.buckets <= most]
    exact = [x for x in allowed if x.on_objectives]
    fit = [x for x in exact if not x.clipped] or exact or allowed
    best = min(fit, key=lambda x: x.error)
    near = [x for x in fit if x.error <= best.error + _NEAR]
    smallest = min(near, key=lambda x: (x.series, x.error))
    good = today.buckets <= most and today.on_objectives and not today.clipped
    cheap = today.series <= _DEARER * smallest.series
    if good and cheap and today.error <= best.error + _KEPT:
        return today, (
            f"today's layout is fine: histogram_quantile is off by {_percent(today.error)} on it, "
            f"by {_percent(best.error)} on the best one ({best.name!r}); keep it"
        )
    return smallest, f"{_faults(today, smallest, most)}; {_merits(smallest, best, today)}"


def native_choice(today: Layout, finer: Sequence[Layout]) -> tuple[Layout, str]:
    """Choose where today's histogram is native: it stays native, if need be of another schema.

    Parameters
    ----------
    today
        Judged.
    finer
        Native layouts, judged, from the coarsest on.
    """
    unknown = max((x.share_error for x in today.objectives), default=0.0)
    off = f"histogram_quantile is off by {_percent(today.error)}"
    if unknown <= _KNOWN and today.error <= _NEAR:
        return today, f"today's native histogram is fine: {off}; keep it"
    for layout in finer:
        errors = [x.share_error for x in layout.objectives]
        better = layout.error < today.error or max(errors, default=0.0) < unknown
        if better and layout.error <= _NEAR and max(errors, default=0.0) <= _KNOWN:
            return layout, (
                f"today: {off}, the share within an objective by {_percent(unknown)}; "
                f"{layout.name!r} is off by {_percent(layout.error)}, for as many series"
            )
    return today, f"today's native histogram is as good as a finer one: {off}; keep it"


def _faults(today: Layout, chosen: Layout, most: int) -> str:
    """What is wrong with today's layout."""
    faults: list[str] = []
    if not today.on_objectives:
        off = ", ".join(f"{x.objective:g}" for x in today.objectives if not x.on_boundary)
        faults.append(f"no boundary on {off}")
    if today.clipped:
        faults.append(f"{_percent(today.share_beyond)} of all beyond the last boundary")
    if today.buckets > most:
        faults.append(f"{today.buckets} buckets where {most} are allowed")
    if today.error > chosen.error:
        faults.append(f"histogram_quantile off by {_percent(today.error)}")
    elif not faults:
        faults.append("more series than it takes")
    return "today: " + ", ".join(faults)


def _merits(chosen: Layout, best: Layout, today: Layout) -> str:
    change = chosen.series_per_label_set - today.series_per_label_set
    cost = f"{abs(change)} {'more' if change > 0 else 'fewer'} series a label set"
    if not change:
        cost = "as many series as today"
    rank = "the best"
    if chosen is not best:
        rank = f"the smallest within {100 * _NEAR:g} points of the best ({best.name!r}, "
        rank += f"{_percent(best.error)})"
    old, new = today.quantiles[-1], chosen.quantiles[-1]
    highest = f"p{100 * new.quantile:g} by {_percent(new.expected_promql)} instead of "
    highest += _percent(old.expected_promql)
    return f"{chosen.name!r}: off by {_percent(chosen.error)}, {highest}, for {cost}; it is {rank}"


def native_option(layout: Layout, recommended: Layout) -> NativeOption:
    """Say whether a native histogram is the better answer than the recommended layout.

    Parameters
    ----------
    layout
        The native one, judged.
    recommended
        What is advised where native histograms cannot be had.
    """
    growth = native_growth(layout.schema or 0)
    saved = recommended.series - layout.series
    errors = f"{_percent(layout.error)} against {_percent(recommended.error)}"
    if recommended.schema is not None:
        return NativeOption(layout, growth, better=False, reason="it is native already")
    if layout.error + _NATIVE_GAIN < recommended.error:
        reason = f"histogram_quantile is off by {errors}, with {saved:,} series fewer"
        return NativeOption(layout, growth, better=True, reason=reason)
    if recommended.series >= _MANY_SERIES:
        reason = f"{layout.series:,} series instead of {recommended.series:,}, off by {errors}"
        return NativeOption(layout, growth, better=True, reason=reason)
    reason = f"classic buckets will do: off by {errors}, and {saved:,} series are few to save"
    return NativeOption(layout, growth, better=False, reason=reason)


def notes_on(
    observed: BucketCounts, today: Layout, recommended: Layout, unit: str
) -> tuple[str, ...]:
    """What to know before trusting the figures."""
    notes = [*_unseen(observed, today, unit), *_off_objectives(observed, today, unit)]
    total = float(observed.total)
    highest = max(x.quantile for x in today.quantiles)
    above = (1 - highest) * total
    if above < _FEW_ABOVE:
        notes.append(
            f"only about {above:.0f} of {total:.0f} observations lie above "
            f"p{100 * highest:g}: that is noise on top of these errors"
        )
    if recommended is not today and recommended.schema is None:
        notes.append(
            "while instances with old and new buckets run side by side, a sum by (le) mixes two "
            "layouts: judge versions apart until the old ones are gone, and look for rules that "
            "name an le"
        )
    notes.append(
        "expected errors are those of smooth distributions: where requests pile up at one value, "
        "as at a time-out or after a retry, go by the worst"
    )
    return tuple(notes)


def _unseen(observed: BucketCounts, today: Layout, unit: str) -> list[str]:
    """Quantiles in a bucket that is open to one side: what lies there is assumed."""
    reached = observed.cumulative / float(observed.total)
    first, last = float(reached[0]), float(reached[-2])
    notes: list[str] = []
    low = [f"p{100 * x.quantile:g}" for x in today.quantiles if x.quantile <= first]
    if low and today.schema is None:
        notes.append(
            f"{', '.join(low)} in the first bucket, up to {observed.edges[1]:g} {unit}: what lies "
            "in it is assumed; advise again with the new buckets"
        )
    high = [f"p{100 * x.quantile:g}" for x in today.quantiles if x.quantile > last]
    if high and math.isinf(observed.edges[-1]):
        notes.append(
            f"{', '.join(high)} in the top bucket, above {observed.edges[-2]:g} {unit}: what lies "
            "there is assumed; advise again with the new buckets"
        )
    return notes


def _off_objectives(observed: BucketCounts, today: Layout, unit: str) -> list[str]:
    """Objectives that cut one of today's buckets: how much of the traffic is in doubt."""
    notes: list[str] = []
    for fit in today.objectives:
        if fit.on_boundary or fit.share_unknown <= _KNOWN:
            continue
        aim = f"the objective {fit.objective:g} {unit}"
        place = int(observed.edges.searchsorted(fit.objective))
        low, high = observed.edges[place - 1 : place + 1].tolist()
        where = f"cuts today's bucket from {low:g} to {high:g}"
        if math.isinf(high):
            where = f"lies above today's last boundary, {low:g}"
        notes.append(
            f"{aim} {where}: of the share within it {_percent(fit.share_unknown)} is a guess"
        )
    return notes


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
