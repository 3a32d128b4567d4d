"""Where the tail comes from: the part of each label value in the slow requests and in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from workbench.frame import Frame
from workbench.latency.instrument import Instrument, Kind
from workbench.latency.planning import Asked
from workbench.latency.reading import Grouped, read_classic, read_native
from workbench.latency.result import TailPart
from workbench.statistics.buckets import BucketCounts

__all__ = ["tail_parts", "threshold_of"]

_USUAL: Final = 0.5
"""What more than half of the requests exceed is no tail."""

_TAIL_QUANTILE: Final = 0.95
"""Without an objective, slow is what lies beyond the boundary nearest to this quantile."""


def threshold_of(whole: BucketCounts, objectives: Sequence[float]) -> float | None:
    """The boundary beyond which a request is slow; None where no boundary parts the requests.

    Of the boundaries with requests on both sides it is the one nearest, in ratio, to the strictest
    objective that at least half of the requests keep, else the one whose share below is nearest to
    95 %.
    """
    inner, reached, total = whole.edges[1:-1], whole.cumulative[:-1], float(whole.total)
    parting = (reached > 0) & (reached < total) & (inner > 0)
    if not parting.any():
        return None
    edges, shares = inner[parting], reached[parting] / total
    for objective in sorted(objectives):
        near = int(np.argmin(np.abs(np.log(edges) - np.log(objective))))
        if shares[near] >= _USUAL:
            return float(edges[near])
    return float(edges[np.argmin(np.abs(np.log((1 - shares) / (1 - _TAIL_QUANTILE))))])


def tail_parts(
    instrument: Instrument,
    frames: Mapping[str, Frame],
    labels: Sequence[str],
    threshold_seconds: float,
) -> list[TailPart]:
    """Tell what each value of some labels contributes.

    Parameters
    ----------
    instrument
        A classic or native histogram.
    frames
        The answers, by the questions' keys.
    labels
        The labels asked about.
    threshold_seconds
        From `threshold_of`; values whose buckets lack this boundary are left out.

    Returns
    -------
    list of TailPart
        The largest excess of slow requests over the share of traffic first.
    """
    keys = Asked.of(instrument)
    read = read_native if instrument.kind is Kind.NATIVE else read_classic
    found: list[TailPart] = []
    for label in labels:
        frame = frames.get(keys.tail_by(label))
        if frame is not None:
            groups, _ = read(frame, instrument.seconds_per_unit)
            found.extend(_of_label(instrument, label, groups, threshold_seconds))
    return sorted(found, key=lambda p: p.share_of_traffic - p.share_of_slow)


def _of_label(
    instrument: Instrument, label: str, groups: Sequence[Grouped], threshold: float
) -> list[TailPart]:
    counted: list[tuple[str, float, float]] = []
    for grouped in groups:
        edges = grouped.buckets.edges
        near = np.flatnonzero(np.isclose(edges, threshold, rtol=1e-9, atol=0.0))
        if not len(near):
            continue
        counts = grouped.buckets.counts.sum(axis=1)
        total, slow = counts.sum(axis=-1), counts[:, near[0] :].sum(axis=-1)
        names = [labels.get(label, "") for labels in grouped.labels]
        counted.extend(zip(names, total.tolist(), slow.tolist(), strict=True))
    requests = sum(total for _, total, _ in counted)
    all_slow = sum(slow for _, _, slow in counted)
    if not all_slow or len(counted) < 2:
        return []
    parts: list[TailPart] = []
    for value, total, slow in counted:
        if total > 0:
            traffic, share = total / requests, slow / all_slow
            low, high = _interval(slow, total)
            parts.append(
                TailPart(
                    instrument.key, label, value, threshold, total, slow,
                    traffic, share, slow / total, low, high, share / traffic,
                )
            )  # fmt: skip
    return parts


def _interval(slow: float, total: float) -> tuple[float, float]:
    """The 95 % interval of Clopper and Pearson for a share."""
    from scipy.special import betaincinv

    low = float(betaincinv(slow, total - slow + 1, 0.025)) if slow > 0 else 0.0
    high = float(betaincinv(slow + 1, total - slow, 0.975)) if slow < total else 1.0
    return low, high
