"""How much the logarithm of a quantile varies by itself, from one window to another.

Two sources of that noise: *placebos*, pairs of windows of history between which nothing happened,
and, where there are too few of those, *blocks* of the very windows that are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations_with_replacement
from math import factorial, prod
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.quantiles import quantile

__all__ = [
    "BEYOND",
    "CONSTANT",
    "LEAST_FREEDOM",
    "Method",
    "Noise",
    "Objects",
    "block_noise",
    "everywhere",
    "own_bucket",
    "paired_placebo_noise",
    "placebo_noise",
]

BEYOND: Final = 10
"""A quantile is judged where so many requests lie on its rarer side in each window."""

LEAST_FREEDOM: Final = 5.0
"""History is used where its placebos are worth so many independent ones: from about five windows."""

_STRIDES: Final = 4
"""Placebo windows begin a quarter of the shorter window apart: nearer ones add next to nothing."""

_BLOCKS: Final = 4
"""Most blocks a window: longer ones hold more of what neighbouring minutes share."""

CONSTANT: Final = 1e-9
"""Standard errors of a log ratio below this are rounding."""

_INCIDENT: Final = 8.0
_MOST_INCIDENTS: Final = 0.15
"""A placebo so many robust standard deviations off is an incident, if no more than this share are.

A few hours of outage in a week would else hide every change of the week; what is left tells how
much a quiet system varies. Of a normal law one placebo in 10¹⁵ is so far off.
"""

_LEAST_SHARE: Final = 0.5
"""Placebos are used where at least so many of them can be judged: a rest may be the calm ones."""


_NORMAL: Final = 1.4826
"""A normal law's standard deviation, in median absolute deviations."""

_MOST_MEMORY: Final = 0.9
_LEAST_LEFT: Final = 0.2
"""Bounds of what is believed of a memory measured on few windows."""

Objects = np.ndarray[Any, np.dtype[np.object_]]


class Method(StrEnum):
    """How the noise of a change was found."""

    PLACEBO = "placebo windows"
    BLOCKS = "block bootstrap, approximate"
    NONE = "none"


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """How much the log ratio of two windows varies by itself; arrays of shape (..., quantiles).

    Parameters
    ----------
    variance, freedom
        Of the log ratio, and how many independent placebos or blocks it is worth.
    usual
        Mean of the placebos; NaN without them.
    windows
        How many placebos there were, overlapping ones counted.
    method
        Objects of `Method`.
    left_out
        How many placebos were left out as incidents.
    """

    variance: Floats
    freedom: Floats
    usual: Floats
    windows: Ints
    method: Objects
    left_out: Ints


def own_bucket(side: BucketCounts, qs: Floats) -> Ints:
    """Which bucket holds each quantile, shape (..., quantiles)."""
    rank = qs * side.total[..., None]
    below = side.cumulative[..., :-1, None] < rank[..., None, :]
    result: Ints = below.sum(axis=-2)
    return result


def placebo_noise(
    before: BucketCounts,
    after: BucketCounts,
    history: BucketCounts,
    quantiles: Sequence[float],
    gap: int,
) -> Noise | None:
    """The mean square of changes that nothing caused; None where no pair of windows fits."""
    first, second = before.counts.shape[-2], after.counts.shape[-2]
    starts = _starts(history.counts.shape[-2], first + gap + second, min(first, second))
    if not len(starts):
        return None
    windows = [
        _windows(history, starts, first),
        _windows(history, starts + first + gap, second),
    ]
    changes = _log_quantile(windows[1], quantiles) - _log_quantile(windows[0], quantiles)
    changes, left_out = _quiet(changes)
    kernel = np.concatenate(
        [np.full(first, -1 / first), np.zeros(gap), np.full(second, 1 / second)]
    )
    sampling = _sampling((before, after), history, quantiles, _scarcity(windows, changes))
    noise = _noise(changes, _worth(kernel, starts, centred=False), sampling, centred=False)
    return replace(noise, left_out=left_out)


def paired_placebo_noise(
    one: BucketCounts,
    other: BucketCounts,
    history: tuple[BucketCounts, BucketCounts],
    quantiles: Sequence[float],
) -> Noise | None:
    """How much the difference varied about its mean; None where no earlier window fits."""
    width = one.counts.shape[-2]
    starts = _starts(history[0].counts.shape[-2], width, width)
    if len(starts) < 2:
        return None
    windows = [_windows(side, starts, width) for side in history]
    differences = _log_quantile(windows[1], quantiles) - _log_quantile(windows[0], quantiles)
    differences, left_out = _quiet(differences)
    both = BucketCounts(one.edges, history[0].counts + history[1].counts)
    sampling = _sampling((one, other), both, quantiles, _scarcity(windows, differences))
    worth = _worth(np.full(width, 1 / width), starts, centred=True)
    noise = replace(_noise(differences, worth, sampling, centred=True), left_out=left_out)
    return _remembering(noise, differences, int((starts - starts[0] < width).sum()))


def _remembering(noise: Noise, differences: Floats, apart: int) -> Noise:
    """Widened where a difference resembles that of the windows before.

    The mean of a history that wanders slowly wanders along, and less is left about it than there
    is. The memory from window to window is taken for that of an AR(1) under sampling noise: it
    begins at `first` and falls by `decay`. `apart` starts are a window.
    """
    independent = differences.shape[-2] / apart
    first, second = (_memory(noise, differences, lag * apart, independent) for lag in (1, 2))
    with np.errstate(all="ignore"):
        decay = np.clip(np.nan_to_num(second / first), first, _MOST_MEMORY)
    left = 1 - 2 * first / (1 - decay) / independent
    worth = noise.freedom / (1 + 2 * first**2 / (1 - decay**2))
    return replace(
        noise,
        variance=noise.variance / np.maximum(left, _LEAST_LEFT),
        # Blocks would be no better: what history tells is not given up for its memory.
        freedom=np.maximum(worth, np.minimum(noise.freedom, LEAST_FREEDOM)),
    )


def _memory(noise: Noise, differences: Floats, lag: int, independent: float) -> Floats:
    """Autocorrelation, 0 to `_MOST_MEMORY`, freed of the bias of few windows (Kendall, 1954)."""
    if lag >= differences.shape[-2]:
        return np.zeros(noise.variance.shape)
    told = np.isfinite(differences)
    about = np.where(told, differences - noise.usual[..., None, :], 0.0)
    with np.errstate(all="ignore"):
        product = (about[..., lag:, :] * about[..., :-lag, :]).sum(axis=-2)
        found = np.nan_to_num(product / (about**2).sum(axis=-2))
    freed: Floats = np.clip(found + (1 + 3 * found) / independent, 0.0, _MOST_MEMORY)
    return freed


def _starts(steps: int, span: int, shorter: int) -> Ints:
    """Where placebos begin, the last one ending with the history."""
    stride = max(shorter // _STRIDES, 1)
    last = steps - span
    return np.arange(last % stride, last + 1, stride) if last >= 0 < shorter else np.arange(0)


def _windows(history: BucketCounts, starts: Ints, width: int) -> BucketCounts:
    """Sums over windows: shape (..., starts, buckets)."""
    shape = (*history.counts.shape[:-2], history.counts.shape[-2] + 1, history.counts.shape[-1])
    reached = np.zeros(shape)
    np.cumsum(history.counts, axis=-2, out=reached[..., 1:, :])
    counts = np.maximum(reached[..., starts + width, :] - reached[..., starts, :], 0.0)
    return BucketCounts(history.edges, counts, history.exponential)


def _log_quantile(buckets: BucketCounts, quantiles: Sequence[float]) -> Floats:
    """Logarithms of quantiles; NaN where they cannot be judged."""
    value = quantile(buckets, quantiles)
    qs = np.asarray(quantiles, np.float64)
    few = buckets.total[..., None] * np.minimum(qs, 1 - qs) < BEYOND * (1 - 1e-9)
    clipped = np.isposinf(buckets.edges[-1]) & (own_bucket(buckets, qs) == len(buckets.edges) - 2)
    with np.errstate(all="ignore"):
        result: Floats = np.where(few | clipped | ~(value > 0), np.nan, np.log(value))
    return result


def _quiet(changes: Floats) -> tuple[Floats, Ints]:
    """Placebos, shape (..., starts, quantiles), without incidents, and how many those were."""
    told = np.isfinite(changes).any(axis=-2, keepdims=True)
    kept = np.where(told, changes, 0.0)
    middle = np.nanmedian(kept, axis=-2, keepdims=True)
    apart = np.abs(kept - middle)
    usual = _NORMAL * np.nanmedian(apart, axis=-2, keepdims=True)
    far = apart > _INCIDENT * usual
    few = far.mean(axis=-2, keepdims=True) <= _MOST_INCIDENTS
    far &= few & told & (usual > CONSTANT)
    return np.where(far, np.nan, changes), far.sum(axis=-2)


def _noise(
    changes: Floats,
    worth: tuple[float, float],
    sampling: tuple[Floats, Floats],
    *,
    centred: bool,
) -> Noise:
    """Variance and degrees of freedom of placebos, shape (..., starts, quantiles).

    Variance is what moods bring, which history tells, and what sampling brings, which goes by the
    requests: of the latter history's is taken off and that of the windows compared put on. Since
    its formula is rough, only half of what busier windows would save is taken off.
    """
    past, now = sampling
    now = np.where(now < past, (now + past) / 2, now)
    told = np.isfinite(changes)
    windows = told.sum(axis=-2)
    share = windows / changes.shape[-2]
    with np.errstate(all="ignore"):
        usual = np.where(told, changes, 0.0).sum(axis=-2) / windows
        about = changes - usual[..., None, :] if centred else changes
        squares = np.where(told, about, 0.0) ** 2
        variance = squares.sum(axis=-2) / (share * worth[0])
        variance = np.where(windows > 0, variance, 0.0)
        moved = np.where(variance > past, variance - past + now, variance * now / past)
    # Where history is constant, thin windows do not make it vary.
    moved = np.where((variance > CONSTANT**2) & np.isfinite(moved), moved, variance)
    freedom = np.where(share >= _LEAST_SHARE, share * worth[1], 0.0)
    return Noise(
        moved, freedom, usual, windows, everywhere(Method.PLACEBO, freedom.shape), windows * 0
    )


def _worth(kernel: Floats, starts: Ints, *, centred: bool) -> tuple[float, float]:
    """Expected sum of squares, of unit variance each, and its degrees of freedom.

    With the correlations R that overlap gives, they are ``tr R`` and ``(tr R)² / tr R²``; where the
    mean is taken off, the same of R so centred.
    """
    lags = np.correlate(kernel, kernel, "full")[len(kernel) - 1 :]
    by_lag = np.zeros(max(int(starts[-1] - starts[0]), len(lags)) + 1)
    by_lag[: len(lags)] = lags / lags[0]
    count = len(starts)
    rho = by_lag[starts - starts[0]]  # even strides: a Toeplitz matrix by its first row
    ahead = np.cumsum(rho)
    rows = ahead + ahead[::-1] - 1.0
    square = float(count + 2 * ((count - np.arange(1, count)) * rho[1:] ** 2).sum())
    size = float(count)
    if centred:
        mean = rows.sum() / count
        size, square = size - mean, square - 2 * (rows**2).sum() / count + mean**2
    return (size, size**2 / square) if size > 0 and square > 0 else (float(count), 0.0)


def _sampling(
    sides: tuple[BucketCounts, BucketCounts],
    history: BucketCounts,
    quantiles: Sequence[float],
    scarcity: Floats,
) -> tuple[Floats, Floats]:
    """The variance of a log ratio by sampling alone: in history's windows, and in these.

    It is ``q (1 − q) (d ln x / d q)² (1/n + 1/m)`` for n and m requests; the slope is taken from all
    that was seen.
    """
    qs = np.asarray(quantiles, np.float64)
    sums = [side.summed(-2) for side in (*sides, history)]
    pooled = BucketCounts(history.edges, sums[0].counts + sums[1].counts + sums[2].counts)
    shift = 0.3 * np.minimum(qs, 1 - qs)
    with np.errstate(all="ignore"):
        reach = np.log(quantile(pooled, [*(qs - shift), *(qs + shift)]))
        slope = (reach[..., len(qs) :] - reach[..., : len(qs)]) / (2 * shift)
        each = slope**2 * qs * (1 - qs)
        now = 1 / sums[0].total + 1 / sums[1].total
        return each * scarcity, each * now[..., None]


def _scarcity(windows: Sequence[BucketCounts], changes: Floats) -> Floats:
    """Mean of ``1/n + 1/m`` over the placebos that can be judged, shape (..., quantiles)."""
    told = np.isfinite(changes)
    with np.errstate(all="ignore"):
        both = (1 / windows[0].total + 1 / windows[1].total)[..., None]
        result: Floats = np.where(told, both, 0.0).sum(axis=-2) / told.sum(axis=-2)
    return result


# -------------------------------------------------------------------------------- blocks


def block_noise(
    before: BucketCounts,
    after: BucketCounts,
    quantiles: Sequence[float],
    block: int,
    *,
    paired: bool = False,
) -> Noise:
    """The variance over all ways to draw a window's blocks with replacement.

    So few blocks have few enough draws (35 of four) to take them all: nothing is random. Degrees of
    freedom after Welch (1947); of pairs, the blocks less one.
    """
    draws = [_draws(side, block) for side in (before, after)]
    blocks = [len(weights[0]) if len(weights) else 0 for weights, _, _ in draws]
    if min(blocks) < 2:
        nothing = np.zeros((*before.counts.shape[:-2], len(quantiles)))
        return _by_blocks(nothing, nothing)
    with np.errstate(all="ignore"):
        logs = [np.log(quantile(drawn, quantiles)) for _, drawn, _ in draws]
        if paired:
            variance = _spread(logs[1] - logs[0], draws[0][2], blocks[0])
            freedom = np.full(variance.shape, blocks[0] - 1.0)
        else:
            parts = [_spread(x, d[2], k) for x, d, k in zip(logs, draws, blocks, strict=True)]
            variance = parts[0] + parts[1]
            freedom = variance**2 / sum(v**2 / (k - 1) for v, k in zip(parts, blocks, strict=True))
    return _by_blocks(variance, freedom)


def _by_blocks(variance: Floats, freedom: Floats) -> Noise:
    return Noise(
        np.nan_to_num(variance, posinf=0.0),
        np.nan_to_num(freedom),
        np.full(variance.shape, np.nan),
        np.zeros(variance.shape, np.int64),
        everywhere(Method.BLOCKS, variance.shape),
        np.zeros(variance.shape, np.int64),
    )


def everywhere(member: StrEnum, shape: tuple[int, ...]) -> Objects:
    """An array that holds a member of an enumeration; `numpy.full` would make text of it."""
    result = np.empty(shape, dtype=object)
    result.fill(member)
    return result


def _draws(side: BucketCounts, block: int) -> tuple[Floats, BucketCounts, Floats]:
    """Every draw of blocks with replacement: how often each comes, the sums, the chances."""
    steps = side.counts.shape[-2]
    blocks = min(max(steps // max(block, 1), 2), _BLOCKS, steps)
    if blocks < 2:
        return np.zeros((0, 0)), side, np.zeros(0)
    ends = np.linspace(0, steps, blocks + 1).round().astype(int)[:-1]
    sums = np.add.reduceat(side.counts, ends, axis=-2)
    chosen = list(combinations_with_replacement(range(blocks), blocks))
    weights = np.array([np.bincount(each, minlength=blocks) for each in chosen], np.float64)
    ways = [factorial(blocks) / prod(map(factorial, w)) for w in weights.astype(int).tolist()]
    return weights, BucketCounts(side.edges, weights @ sums), np.array(ways) / blocks**blocks


def _spread(values: Floats, chances: Floats, blocks: int) -> Floats:
    """Variance over the draws, shape (..., quantiles), freed of the bias of few blocks."""
    mean = np.tensordot(chances, values, axes=(0, -2))
    about = np.moveaxis(values, -2, 0) - mean
    result: Floats = np.tensordot(chances, about**2, axes=(0, 0)) * blocks / (blocks - 1)
    return result
