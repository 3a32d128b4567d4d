"""From an instrument's answers to the latency of each of its groups."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.frame import Frame
from workbench.latency.instrument import Instrument, Kind
from workbench.latency.planning import Asked
from workbench.latency.reading import (
    Flaw,
    Group,
    Grouped,
    different_buckets,
    group_of,
    read_classic,
    read_native,
)
from workbench.latency.result import Distribution, OverTime, Quantile, Share
from workbench.samples import Floats
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.inversion import invert
from workbench.statistics.quantiles import (
    QuantileEstimates,
    ShareEstimates,
    estimate_quantiles,
    share_at_most,
)
from workbench.window import Window

__all__ = ["Reading", "read_instrument"]

_ENOUGH_BEYOND: Final = 10
"""Requests that must be expected beyond a quantile before it is worth a figure."""

_TOLERATED: Final = 4
"""Apdex counts a request as tolerable up to so many times the objective."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What one instrument's answers hold.

    Parameters
    ----------
    distributions
        One a group, the busiest first.
    steps
        All groups by layout on the whole grid, history before the window among it.
    flaws
        What is wrong with the buckets of some.
    """

    distributions: tuple[Distribution, ...]
    steps: tuple[Grouped, ...] = ()
    flaws: tuple[Flaw, ...] = ()


def read_instrument(
    instrument: Instrument,
    frames: Mapping[str, Frame],
    window: Window,
    *,
    quantiles: Sequence[float],
    objectives: Sequence[float],
) -> Reading:
    """Judge every group of one histogram.

    Parameters
    ----------
    instrument
        A classic or native histogram.
    frames
        The answers, by the questions' keys; an absent key is a question that gave nothing.
    window
        The range studied; answers before it are history.
    quantiles, objectives
        Which quantiles, and which thresholds in seconds.
    """
    keys = Asked.of(instrument)
    scale = instrument.seconds_per_unit
    lacking, unlike = different_buckets(frames.get(keys.layouts))

    def read(
        key: str, layouts: Mapping[Group, Collection[float]] | None = None
    ) -> tuple[tuple[Grouped, ...], tuple[Flaw, ...]]:
        frame = frames.get(key, Frame.empty("matrix", np.zeros(0, np.int64)))
        if instrument.kind is Kind.NATIVE:
            return read_native(frame, scale)
        return read_classic(frame, scale, without=lacking, layouts=layouts)

    steps, flaws = read(keys.over_time)
    edges = [(each, frozenset(each.buckets.edges[1:].tolist())) for each in steps]
    stayed = {group_of(labels): kept for each, kept in edges for labels in each.labels}
    wholes, whole_flaws = read(keys.whole, stayed)
    resets = _values(frames.get(keys.resets))
    sums = (
        _native_sums(frames.get(keys.whole))
        if instrument.kind is Kind.NATIVE
        else _sums(frames.get(keys.sums), wholes)
    )
    whole: dict[Group, tuple[_Whole, int]] = {}
    for each in wholes:
        judged = _Whole.of(each.buckets.summed(axis=1), quantiles, objectives)
        whole |= {group_of(labels): (judged, i) for i, labels in enumerate(each.labels)}
    for each in steps:  # which stand for a whole that was not answered
        if any(group_of(labels) not in whole for labels in each.labels):
            steps_inside = each.buckets[:, _inside(each, window)]
            judged = _Whole.of(steps_inside.summed(axis=1), quantiles, objectives)
            own = {group_of(labels): (judged, i) for i, labels in enumerate(each.labels)}
            whole = own | whole
    found: list[Distribution] = []
    for grouped in steps:
        series = _over_time(grouped, window, quantiles)
        inside = _inside(grouped, window)
        for i, labels in enumerate(grouped.labels):
            group = group_of(labels)
            judged, place = whole[group]
            requests = float(judged.requests[place])
            total = sums.get(group)
            found.append(
                Distribution(
                    instrument,
                    labels,
                    requests,
                    total * scale / requests if total is not None and requests > 0 else None,
                    judged.quantiles(place),
                    judged.shares(place),
                    judged.buckets[place],
                    grouped.buckets[i, inside],
                    series[i],
                    grouped.missing[i, inside],
                    round(resets.get(group, 0.0)),
                )
            )
    found.sort(key=lambda d: (-d.requests, d.name))
    unseen = [f for f in whole_flaws if f.fatal and f not in flaws]
    return Reading(tuple(found), steps, (*unlike, *flaws, *unseen))


def _values(frame: Frame | None) -> dict[Group, float]:
    """What the pieces of the window add up to, of each series that has any."""
    if frame is None:
        return {}
    there = frame.present & np.isfinite(frame.values)
    totals = np.where(there, frame.values, 0.0).sum(axis=1)
    return {
        group_of(labels): float(totals[i])
        for i, labels in enumerate(frame.labels)
        if there[i].any()
    }


def _sums(frame: Frame | None, counted: Sequence[Grouped]) -> dict[Group, float]:
    """What all took together, in the pieces that have buckets; nothing where one has no sum.

    A mean is of what was counted, else it is wrong by as much as is missing on either side.
    """
    if frame is None:
        return {}
    missing = {
        group_of(labels): dict(zip(each.times_ms.tolist(), gaps.tolist(), strict=True))
        for each in counted
        for labels, gaps in zip(each.labels, each.missing, strict=True)
    }
    sums: dict[Group, float] = {}
    for i, labels in enumerate(frame.labels):
        group, values = group_of(labels), np.where(frame.present[i], frame.values[i], np.nan)
        gaps = missing.get(group, {})
        wanted = np.array([not gaps.get(time, True) for time in frame.times_ms.tolist()])
        if wanted.any() and wanted.sum() == len(gaps) - sum(gaps.values()):
            sums[group] = float(values[wanted].sum())
    return {group: total for group, total in sums.items() if math.isfinite(total)}


def _native_sums(frame: Frame | None) -> dict[Group, float]:
    sums: dict[Group, float] = {}
    for (series, _), histogram in frame.histograms.items() if frame is not None else ():
        if frame is not None:
            group = group_of(frame.labels[series])
            sums[group] = sums.get(group, 0.0) + histogram.sum
    return {group: total for group, total in sums.items() if math.isfinite(total)}


def _inside(grouped: Grouped, window: Window) -> slice:
    """The steps of the window: a step belongs to it where all of its range does."""
    first = int(np.searchsorted(grouped.times_ms, window.start_ms + window.step_ms))
    return slice(first, None)


def _over_time(grouped: Grouped, window: Window, quantiles: Sequence[float]) -> list[OverTime]:
    """All groups of a layout at once."""
    inside = _inside(grouped, window)
    buckets = grouped.buckets[:, inside]
    found = invert(buckets, np.asarray(quantiles, np.float64))
    requests = np.where(grouped.missing[:, inside], np.nan, buckets.total)
    times = grouped.times_ms[inside]
    return [
        OverTime(
            times,
            requests[i],
            tuple(quantiles),
            found.value[i],
            found.linear[i],
            found.low[i],
            found.high[i],
        )
        for i in range(len(grouped.labels))
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """The figures of all groups of a layout over the whole window, found at once."""

    buckets: BucketCounts
    requests: Floats
    estimates: QuantileEstimates
    kept: tuple[ShareEstimates, ...]
    tolerated: tuple[ShareEstimates, ...]

    @classmethod
    def of(
        cls, buckets: BucketCounts, quantiles: Sequence[float], objectives: Sequence[float]
    ) -> _Whole:
        """Of counts of shape (groups, buckets)."""
        return cls(
            buckets,
            buckets.total,
            estimate_quantiles(buckets, quantiles),
            tuple(share_at_most(buckets, each) for each in objectives),
            tuple(share_at_most(buckets, _TOLERATED * each) for each in objectives),
        )

    def quantiles(self, group: int) -> tuple[Quantile, ...]:
        """Every quantile of one group."""
        requests, found = float(self.requests[group]), self.estimates
        return tuple(
            Quantile(
                q,
                _finite(found.value[group, i]),
                _finite(found.low[group, i]),
                _finite(found.high[group, i]),
                _finite(found.bucket_low[group, i]),
                _finite(found.bucket_high[group, i]),
                _finite(found.promql[group, i]),
                clipped=bool(found.clipped[group, i]),
                enough=requests * min(1 - q, q) >= _ENOUGH_BEYOND,
            )
            for i, q in enumerate(found.quantiles)
        )

    def shares(self, group: int) -> tuple[Share, ...]:
        """One group's share within each objective."""
        return tuple(
            Share(
                kept.threshold,
                _finite(kept.value[group]),
                _finite(kept.low[group]),
                _finite(kept.high[group]),
                _finite(kept.bucket_low[group]),
                _finite(kept.bucket_high[group]),
                kept.on_edge,
                _finite((kept.value[group] + slow.value[group]) / 2),
                _finite((kept.bucket_low[group] + slow.bucket_low[group]) / 2),
                _finite((kept.bucket_high[group] + slow.bucket_high[group]) / 2),
            )
            for kept, slow in zip(self.kept, self.tolerated, strict=True)
        )


def _finite(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
