"""Summaries: quantiles that each instance computed for itself, told as the range over instances."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from workbench.frame import Frame
from workbench.latency.instrument import Instrument
from workbench.latency.planning import Asked
from workbench.latency.reading import Group, group_of
from workbench.latency.result import Distribution, OverTime, Quantile
from workbench.samples import Floats
from workbench.window import Window

__all__ = ["read_summary"]


def read_summary(
    instrument: Instrument, frames: Mapping[str, Frame], window: Window
) -> tuple[Distribution, ...]:
    """Tell between which values the instances' own quantiles lay, the busiest group first.

    The quantile over all instances lies between the least and the greatest of theirs, at every
    moment; more is not known, since quantiles cannot be merged. That range stands where a
    histogram has its bucket, and there is no estimate.
    """
    keys = Asked.of(instrument)
    greatest, least = frames.get(keys.over_time), frames.get(f"{keys.over_time} least")
    if greatest is None or least is None:
        return ()
    counts, sums = (_totals(frames.get(key)) for key in (keys.counts, keys.sums))
    scale = instrument.seconds_per_unit
    high, low = _by_group(greatest, np.fmax), _by_group(least, np.fmin)
    inside = greatest.times_ms > window.start_ms
    times = greatest.times_ms[inside]
    found: list[Distribution] = []
    for group, by_quantile in high.items():
        order = sorted(by_quantile)
        top = np.stack([by_quantile[q][inside] for q in order], axis=-1) * scale
        bottom = np.stack([low[group][q][inside] for q in order], axis=-1) * scale
        requests = counts.get(group, math.nan)
        nothing = np.full_like(top, np.nan)
        found.append(
            Distribution(
                instrument,
                dict(group),
                requests,
                sums[group] * scale / requests if group in sums and requests > 0 else None,
                tuple(_quantile(q, bottom[:, i], top[:, i]) for i, q in enumerate(order)),
                (),
                None,
                None,
                OverTime(times, nothing[:, 0], tuple(order), nothing, nothing, bottom, top),
                np.asarray(np.isnan(top).all(axis=1)),
            )
        )
    return tuple(sorted(found, key=lambda d: (-np.nan_to_num(d.requests), d.name)))


def _quantile(q: float, low: Floats, high: Floats) -> Quantile:
    """The range over all instances and moments of the window."""
    seen = np.isfinite(low) & np.isfinite(high)
    if not seen.any():
        return Quantile(q, None, None, None, None, None, None, enough=False)
    ends = float(low[seen].min()), float(high[seen].max())
    return Quantile(q, None, None, None, *ends, None)


def _by_group(frame: Frame, both: np.ufunc) -> dict[Group, dict[float, Floats]]:
    """Values by group and quantile; `both` joins what is written in two ways, 0.5 and 0.50."""
    groups: dict[Group, dict[float, Floats]] = {}
    for i, labels in enumerate(frame.labels):
        try:
            q = float(labels.get("quantile", ""))
        except ValueError:
            continue
        if 0 < q < 1:
            values = np.where(frame.present[i], frame.values[i], np.nan)
            known = groups.setdefault(group_of(labels), {})
            known[q] = both(known[q], values) if q in known else values
    return groups


def _totals(frame: Frame | None) -> dict[Group, float]:
    """What the pieces of the window add up to."""
    if frame is None:
        return {}
    totals = np.where(frame.present, frame.values, 0.0).sum(axis=1)
    return {group_of(x): float(totals[i]) for i, x in enumerate(frame.labels)}
