"""Inverting cumulative counts: where in which bucket a quantile lies, and which share is below a value.

Distributions are taken in chunks that fit the processor's cache, buckets first, so that a heat map
of hundreds of groups over a day costs a fraction of a second.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.statistics.buckets import BucketCounts

__all__ = ["Inverse", "invert", "shares_around"]

_CHUNK: Final = 16_384
"""Distributions worked on at once."""

_HALF: Final = 0.05
"""How much of one observation may lie beyond the outermost that were seen."""

_SPREAD: Final = 0.5
_MOST_SPREAD: Final = 1.0
"""Standard deviation of ln values below the first edge: where nothing tells it, and at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Inverse:
    """Quantiles of many distributions; every array has shape (..., quantiles).

    Parameters
    ----------
    value
        Our estimate; NaN without observations; the inner edge in a bucket of infinite width.
    linear
        The value on a straight line through the bucket, else alike; but 0 begins the first bucket
        even where its lower edge is said to be ``-Inf``, and its upper edge is the value then.
    low, high
        The edges of the bucket; NaN without observations.
    at_edge
        Whether a bucket beside it is empty or missing.
    bend
        How far, in logarithms, the estimate is from where the farthest of three straight lines has
        it: that through the bucket, and those of the buckets beside it, continued.
    """

    value: Floats
    linear: Floats
    low: Floats
    high: Floats
    at_edge: Bools
    bend: Floats


def invert(buckets: BucketCounts, shares: Floats, *, doubts: bool = False) -> Inverse:
    """Find quantiles.

    Parameters
    ----------
    buckets
        Counts, shape (..., buckets).
    shares
        Shape (quantiles,) for all distributions, or (..., quantiles) for each its own; between 0
        and 1, both excluded.
    doubts
        Whether to find `bend` and `at_edge` too; they are of size 0 otherwise.
    """
    leading = buckets.counts.shape[:-1]
    size, number = math.prod(leading), shares.shape[-1]
    alike = shares.ndim == 1  # one share for all distributions: its probit is found once
    wanted = shares if alike else np.broadcast_to(shares, (*leading, number)).reshape(-1, number)
    floats = np.empty((5 if doubts else 4, size, number))
    at_edge = np.empty((size if doubts else 0, number), np.bool_)
    flat = buckets.counts.reshape(-1, buckets.counts.shape[-1])

    def fill(rows: slice) -> None:
        reached = _reached(flat[rows])
        for column in range(number):
            place = (rows, column)
            share = wanted[column] if alike else np.ascontiguousarray(wanted[place])
            with np.errstate(all="ignore"):  # which each thread must say for itself
                found, unsure = _one(buckets, reached, share, doubts=doubts)
            if unsure is not None:
                at_edge[place] = unsure
            for kept, each in zip(floats, found, strict=True):
                kept[place] = each

    _over_chunks(fill, size)
    value, linear, low, high, *bends = floats.reshape(-1, *leading, number)
    if not doubts:
        return Inverse(value, linear, low, high, at_edge, np.zeros(0))
    return Inverse(value, linear, low, high, at_edge.reshape(*leading, number), bends[0])


def shares_around(buckets: BucketCounts, threshold: float) -> tuple[Floats, Floats, Floats]:
    """Our estimate of the share at most a threshold, and the shares at the edges around it.

    Each has shape (...), and all three are the same where the threshold is an edge.
    """
    shape = buckets.counts.shape[:-1]
    near = np.isclose(buckets.edges, threshold, rtol=1e-9, atol=0.0)
    flat = buckets.counts.reshape(-1, buckets.counts.shape[-1])
    result = np.empty((3, int(np.prod(shape))))

    def fill(rows: slice) -> None:
        reached = _reached(flat[rows])
        with np.errstate(all="ignore"):
            if near.any():
                result[:, rows] = reached[int(np.argmax(near))] / reached[-1]
            elif buckets.edges[0] < threshold < buckets.edges[-1]:
                result[:, rows] = _between(buckets.edges, reached, threshold)
            else:  # of native histograms, which have no buckets where nothing was observed
                end = reached[0 if threshold < buckets.edges[0] else -1]
                result[:, rows] = end / reached[-1]

    _over_chunks(fill, result.shape[1])
    value, below, above = result.reshape(3, *shape)
    return value, below, above


def _over_chunks(work: Callable[[slice], None], size: int) -> None:
    """Do the work on all rows, a chunk at a time, on every core: numpy lets others run meanwhile."""
    chunks = [slice(start, start + _CHUNK) for start in range(0, size, _CHUNK)]
    if len(chunks) <= 1:
        for rows in chunks:
            work(rows)
        return
    with ThreadPoolExecutor(min(len(chunks), os.cpu_count() or 1)) as pool:
        for _ in pool.map(work, chunks):
            pass


def _reached(chunk: Floats) -> Floats:
    """Observations at or below each edge: shape (buckets + 1, rows) of counts (rows, buckets)."""
    counts = chunk.T
    reached = np.zeros((len(counts) + 1, counts.shape[1]))
    np.cumsum(counts, axis=0, out=reached[1:])
    return reached


def _one(
    buckets: BucketCounts, reached: Floats, share: Floats | np.float64, *, doubts: bool
) -> tuple[list[Floats], Bools | None]:
    """One quantile of each distribution of a chunk: the fields of `Inverse`, and `at_edge`.

    `share` is the same for all, or has shape (rows,).
    """
    from scipy.special import ndtri

    edges = buckets.edges
    total = reached[-1]
    rank = share * total
    place = np.zeros(len(rank), np.int64)
    for level in reached[1:-1]:
        place += level < rank
    each = np.arange(len(rank))
    below, above = reached[place, each], reached[place + 1, each]
    low, high = edges[place], edges[place + 1]
    inside = (rank - below) / (above - below)
    linear = low + (high - low) * inside
    if buckets.exponential:
        linear = np.where(low > 0, low * (high / low) ** inside, linear)
        linear = np.where(high < 0, high * (low / high) ** (1 - inside), linear)
    z_below, z_above = (_probit(c, total) for c in (below, above))
    edge_logs = np.log(np.where((edges > 0) & np.isfinite(edges), edges, np.nan))
    knots = (
        _neighbour(edge_logs, reached, place - 1, each),
        (edge_logs[place], z_below),
        (edge_logs[place + 1], z_above),
        _neighbour(edge_logs, reached, place + 2, each),
    )
    z = ndtri(share)
    value = _cubic(knots, z)
    at_edge, bend = _doubts(knots, z, value) if doubts else (None, None)
    value = np.clip(np.exp(value), low, high)
    if edges[0] < 0:
        value = np.where(low < 0, linear, value)
    if np.isneginf(edges[0]):
        value, linear = (np.where(np.isneginf(low), high, x) for x in (value, linear))
    value, linear = (np.where(np.isposinf(high), low, x) for x in (value, linear))
    nothing = ~(total > 0)
    if nothing.any():
        value, linear, low, high = (
            np.where(nothing, np.nan, x) for x in (value, linear, low, high)
        )
    found = [value, linear, low, high]
    return (found if bend is None else [*found, bend]), at_edge


def _between(edges: Floats, reached: Floats, threshold: float) -> tuple[Floats, Floats, Floats]:
    """`shares_around` a threshold between two edges, for a chunk."""
    from scipy.special import ndtr

    place = np.full(reached.shape[1], int(np.searchsorted(edges, threshold)) - 1)
    each = np.arange(len(place))
    below, above = reached[place[0]] / reached[-1], reached[place[0] + 1] / reached[-1]
    edge_logs = np.log(np.where((edges > 0) & np.isfinite(edges), edges, np.nan))
    knots = [_neighbour(edge_logs, reached, place + i, each)[::-1] for i in (-1, 0, 1, 2)]
    z = _cubic(knots, np.full(len(place), np.log(threshold)))
    known = ~np.isnan(z)
    value = np.where(known, ndtr(np.where(known, z, 0.0)), (below + above) / 2)
    return np.where(reached[-1] > 0, np.clip(value, below, above), np.nan), below, above


def _probit(reached: Floats, total: Floats) -> Floats:
    """Probit of the share reached, none of which is quite 0 or 1."""
    from scipy.special import ndtri

    share: Floats = ndtri(np.clip(reached, _HALF, np.maximum(total - _HALF, _HALF)) / total)
    return share


def _neighbour(
    edge_logs: Floats, reached: Floats, place: Ints, each: Ints
) -> tuple[Floats, Floats]:
    """Logarithm of an edge and probit of the share below it; NaN where there is no such edge."""
    inside = np.clip(place, 0, len(edge_logs) - 1)
    logs = np.where(place == inside, edge_logs[inside], np.nan)
    return logs, _probit(reached[inside, each], reached[-1])


def _cubic(knots: Sequence[tuple[Floats, Floats]], z: Floats | float) -> Floats:
    """The monotone cubic between the two middle knots of four; outer ones may be NaN.

    Where the lower middle knot is missing, since its edge is 0, the line of the bucket above is
    continued downwards.
    """
    (x0, z0), (x1, z1), (x2, z2), (x3, z3) = knots
    h_low, h, h_high = z1 - z0, z2 - z1, z3 - z2
    d_low, d, d_high = (x1 - x0) / h_low, (x2 - x1) / h, (x3 - x2) / h_high
    has_low, has_high = (h_low > 0) & (x1 > x0), (h_high > 0) & (x3 > x2)
    start = np.where(has_low, _inner(h_low, d_low, h, d), _outer(h, d, h_high, d_high, has_high))
    end = np.where(has_high, _inner(h, d, h_high, d_high), _outer(h, d, h_low, d_low, has_low))
    t = np.clip((z - z1) / h, 0.0, 1.0)
    back = 1 - t
    value: Floats = (x1 * (1 + 2 * t) + h * start * t) * back * back
    value += (x2 * (3 - 2 * t) - h * end * back) * t * t
    unknown = np.isnan(x1)
    if unknown.any():
        spread = np.where(has_high, np.minimum(d_high, _MOST_SPREAD), _SPREAD)
        value = np.where(unknown, x2 + spread * np.minimum(z - z2, 0.0), value)
    return value


def _doubts(
    knots: Sequence[tuple[Floats, Floats]], z: Floats | float, value: Floats
) -> tuple[Bools, Floats]:
    """Where an outer knot is missing or no step away; and how far straight lines are from the cubic.

    They run through the bucket and, continued, through its neighbours.
    """
    (x0, z0), (x1, z1), (x2, z2), (x3, z3) = knots
    has_low, has_high = (z1 > z0) & (x1 > x0), (z3 > z2) & (x3 > x2)
    bend = np.abs(x1 + (x2 - x1) / (z2 - z1) * (z - z1) - value)
    from_low = np.minimum(x1 + (x1 - x0) / (z1 - z0) * (z - z1), x2)
    from_high = np.maximum(x2 - (x3 - x2) / (z3 - z2) * (z2 - z), x1)
    for line, there in ((from_low, has_low), (from_high, has_high)):
        np.fmax(bend, np.abs(np.where(there, line, value) - value), out=bend)
    return ~(has_low & has_high), bend


def _inner(h_left: Floats, d_left: Floats, h_right: Floats, d_right: Floats) -> Floats:
    """The slope at a knot with a filled bucket on both sides: a weighted harmonic mean."""
    left, right = 2 * h_right + h_left, h_right + 2 * h_left
    slope: Floats = (left + right) / (left / d_left + right / d_right)
    return slope


def _outer(h: Floats, d: Floats, h_next: Floats, d_next: Floats, has_next: Bools) -> Floats:
    """The slope at an end of what is filled, from three knots, kept monotone."""
    slope = ((2 * h + h_next) * d - h * d_next) / (h + h_next)
    result: Floats = np.where(has_next, np.clip(slope, 0.0, 3 * d), d)
    return result
