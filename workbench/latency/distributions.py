"""From an instrument's answers to the latency of each of its groups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
from workbench.samples import Floats, Labels
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.inversion import invert
from workbench.statistics.quantiles import QuantileEstimates, estimate_quantiles, share_at_most
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

    def read(key: str) -> tuple[tuple[Grouped, ...], tuple[Flaw, ...]]:
        frame = frames.get(key, Frame.empty("matrix", np.zeros(0, np.int64)))
        if instrument.kind is Kind.NATIVE:
            return read_native(frame, scale)
        return read_classic(frame, scale, without=lacking)

    steps, flaws = read(keys.over_time)
    wholes, whole_flaws = read(keys.whole)
    whole = {
        group_of(labels): each.buckets[i, -1]
        for each in wholes
        for i, labels in enumerate(each.labels)
    }
    resets = _values(frames.get(keys.resets))
    sums = (
        _native_sums(frames.get(keys.whole))
        if instrument.kind is Kind.NATIVE
        else _values(frames.get(keys.sums))
    )
    found: list[Distribution] = []
    for grouped in steps:
        series = _over_time(grouped, window, quantiles)
        for i, labels in enumerate(grouped.labels):
            group = group_of(labels)
            inside = _inside(grouped, window)
            counts = whole.get(group, grouped.buckets[i, inside].summed())
            requests = float(counts.total)
            total = sums.get(group)
            found.append(
                Distribution(
                    instrument,
                    labels,
                    requests,
                    total * scale / requests if total is not None and requests > 0 else None,
                    _quantiles(counts, quantiles),
                    tuple(_share(counts, x) for x in objectives),
                    counts,
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
    """The last value of each series."""
    if frame is None:
        return {}
    return {
        group_of(labels): float(frame.values[i, -1])
        for i, labels in enumerate(frame.labels)
        if frame.present[i, -1] and math.isfinite(frame.values[i, -1])
    }


def _native_sums(frame: Frame | None) -> dict[Group, float]:
    if frame is None:
        return {}
    return {
        group_of(frame.labels[series]): histogram.sum
        for (series, step), histogram in frame.histograms.items()
        if step == len(frame.times_ms) - 1 and math.isfinite(histogram.sum)
    }


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


def _quantiles(counts: BucketCounts, quantiles: Sequence[float]) -> tuple[Quantile, ...]:
    estimates = estimate_quantiles(counts, quantiles)
    return tuple(_quantile(estimates, i, float(counts.total)) for i in range(len(quantiles)))


def _quantile(estimates: QuantileEstimates, i: int, requests: float) -> Quantile:
    q = estimates.quantiles[i]
    value, low, high, bucket_low, bucket_high, promql = (
        _finite(each[i])
        for each in (
            estimates.value,
            estimates.low,
            estimates.high,
            estimates.bucket_low,
            estimates.bucket_high,
            estimates.promql,
        )
    )
    return Quantile(
        q,
        value,
        low,
        high,
        bucket_low,
        bucket_high,
        promql,
        clipped=bool(estimates.clipped[i]),
        enough=requests * min(1 - q, q) >= _ENOUGH_BEYOND,
    )


def _share(counts: BucketCounts, objective: float) -> Share:
    kept = share_at_most(counts, objective)
    tolerated = share_at_most(counts, _TOLERATED * objective)
    apdex = [
        _finite(each)
        for each in (
            (kept.value + tolerated.value) / 2,
            (kept.bucket_low + tolerated.bucket_low) / 2,
            (kept.bucket_high + tolerated.bucket_high) / 2,
        )
    ]
    value, low, high, bucket_low, bucket_high = (
        _finite(each)
        for each in (kept.value, kept.low, kept.high, kept.bucket_low, kept.bucket_high)
    )
    return Share(objective, value, low, high, bucket_low, bucket_high, kept.on_edge, *apdex)


def _finite(value: Floats) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
