"""Whether a quantile changed between two windows, where minutes resemble their neighbours.

Requests of one minute are alike, and minutes are like the ones before: what is sampled is not
requests but moods of a system. So the noise of a change is not counted from requests but read from
history: pairs of windows of the same lengths and the same distance, none of which holds the event
(placebos), show how much a quantile moves by itself. The change is divided by the root mean square
of those and judged by Student's t. Placebos overlap; with how many independent ones they are worth
(`freedom`) goes by the overlap alone, after Satterthwaite (1946).

Where history is too short, blocks of each window are resampled (Künsch, 1989). A few blocks cannot
tell of slow changes: that is called approximate. See the benchmark of latency comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from workbench.errors import InputError
from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.noise import (
    BEYOND,
    CONSTANT,
    LEAST_FREEDOM,
    Method,
    Noise,
    Objects,
    block_noise,
    everywhere,
    own_bucket,
    paired_placebo_noise,
    placebo_noise,
)
from workbench.statistics.quantiles import quantile

__all__ = [
    "Abstention",
    "Method",
    "QuantileChanges",
    "compare_paired",
    "compare_windows",
    "requests_needed",
]

_ONE_BUCKET: Final = 0.95
"""With a larger share of a window in the quantile's own bucket, nothing tells where it lies."""


class Abstention(StrEnum):
    """Why there is no interval."""

    NO = ""
    EMPTY = "a window without requests"
    FEW = "too few requests"
    CLIPPED = "the quantile lies above the last finite bucket"
    NOT_POSITIVE = "the quantile is not above zero"
    ONE_BUCKET = "nearly all requests lie in one bucket"
    CONSTANT = "nothing varies by itself: neither history nor blocks of the windows"
    SHORT = "no history, and windows of a single step"


@dataclass(frozen=True, slots=True, eq=False)
class QuantileChanges:
    """Changes of the logarithms of quantiles; every array has shape (..., quantiles).

    Parameters
    ----------
    quantiles
        Which.
    before, after
        Our estimates in the unit of the edges.
    log_ratio
        ln(after / before).
    low, high
        Interval of `log_ratio`; NaN where abstained.
    p
        Two-sided, that a change as great comes by itself; NaN where abstained.
    standard_error, freedom
        Of `log_ratio`, and how many independent looks it rests on.
    usual
        Mean of the placebos: 0 but for noise between adjacent windows; of two labels at the same
        time, how they usually differ.
    windows
        How many placebos were used, overlapping ones counted.
    left_out
        How many more were left out as incidents.
    method, abstained
        Objects of `Method` and `Abstention`.
    """

    quantiles: tuple[float, ...]
    before: Floats
    after: Floats
    log_ratio: Floats
    low: Floats
    high: Floats
    p: Floats
    standard_error: Floats
    freedom: Floats
    usual: Floats
    windows: Ints
    left_out: Ints
    method: Objects
    abstained: Objects


def requests_needed(q: float) -> int:
    """How many requests each window must hold for a quantile to be judged.

    Examples
    --------
    >>> requests_needed(0.5), requests_needed(0.99)
    (20, 1000)
    """
    return round(BEYOND / min(q, 1 - q))


def compare_windows(
    before: BucketCounts,
    after: BucketCounts,
    history: BucketCounts | None,
    quantiles: Sequence[float],
    *,
    gap: int = 0,
    block: int = 15,
    confidence: float = 0.95,
) -> QuantileChanges:
    """Compare a window with a later one.

    Parameters
    ----------
    before, after
        Steps of equal length, shapes (..., steps, buckets), on the same edges.
    history
        The steps that end where `before` begins, without a hole; None where there are none.
    quantiles
        Each above 0 and below 1.
    gap
        How many steps lie between the two windows: a rollout, or a day.
    block
        How many steps make a quarter of an hour: the least block that is resampled.
    confidence
        Of the interval.

    Raises
    ------
    InputError
        The edges differ, or a quantile is not between 0 and 1.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> edges = np.array([0.0, 0.1, 0.25, 0.5, 1.0, np.inf])
    >>> calm = BucketCounts(edges, rng.poisson([5.0, 20, 15, 4, 1], (660, 5)).astype(float))
    >>> slower = BucketCounts(edges, rng.poisson([3.0, 16, 18, 6, 2], (60, 5)).astype(float))
    >>> found = compare_windows(calm[600:], slower, calm[:600], [0.5])
    >>> bool(found.p[0] < 0.001), str(found.method[0])
    (True, 'placebo windows')
    """
    _check(before, after, *([history] if history else []))
    noise = None if history is None else placebo_noise(before, after, history, quantiles, gap)
    if _too_little(noise):
        noise = _filled(noise, block_noise(before, after, quantiles, block))
    return _judged((before, after), noise, quantiles, confidence)


def compare_paired(
    one: BucketCounts,
    other: BucketCounts,
    history: tuple[BucketCounts, BucketCounts] | None,
    quantiles: Sequence[float],
    *,
    block: int = 15,
    confidence: float = 0.95,
) -> QuantileChanges:
    """Compare two label values over the same steps: what both share cancels.

    The difference is judged against none at all; its noise is how much it varied about its own
    mean over earlier windows, which `QuantileChanges.usual` gives.

    Parameters
    ----------
    one, other
        The same steps of both, shapes (..., steps, buckets), on the same edges.
    history
        Earlier steps of both, the same ones, without a hole to the window.
    quantiles, block, confidence
        As for `compare_windows`.

    Raises
    ------
    InputError
        The edges or the numbers of steps differ, or a quantile is not between 0 and 1.
    """
    _check(one, other, *(history or ()))
    pairs = [(one, other), *([history] if history else [])]
    if any(a.counts.shape[-2] != b.counts.shape[-2] for a, b in pairs):
        msg = "two label values are compared over different numbers of steps"
        raise InputError(msg, "give the same steps of both")
    noise = None if history is None else paired_placebo_noise(one, other, history, quantiles)
    if _too_little(noise):
        noise = _filled(noise, block_noise(one, other, quantiles, block, paired=True))
    return _judged((one, other), noise, quantiles, confidence)


def _check(first: BucketCounts, *rest: BucketCounts) -> None:
    if not all(np.array_equal(first.edges, each.edges) for each in rest):
        msg = "the windows are counted on different buckets"
        raise InputError(msg, "bring them to their common edges first: `BucketCounts.coarsened`")


# -------------------------------------------------------------------------------- judging


def _too_little(noise: Noise | None) -> bool:
    return noise is None or bool((noise.freedom < LEAST_FREEDOM).any())


def _filled(noise: Noise | None, blocks: Noise) -> Noise:
    """Placebos where there are enough of them, blocks elsewhere."""
    if noise is None:
        return blocks
    enough = noise.freedom >= LEAST_FREEDOM
    return Noise(
        np.where(enough, noise.variance, blocks.variance),
        np.where(enough, noise.freedom, blocks.freedom),
        noise.usual,
        np.where(enough, noise.windows, 0),
        np.where(enough, noise.method, blocks.method),
        np.where(enough, noise.left_out, 0),
    )


def _judged(
    windows: tuple[BucketCounts, BucketCounts],
    noise: Noise | None,
    quantiles: Sequence[float],
    confidence: float,
) -> QuantileChanges:
    from scipy.special import stdtr, stdtrit

    assert noise is not None
    sides = [side.summed(-2) for side in windows]
    single = min(side.counts.shape[-2] for side in windows) < 2
    values = [quantile(side, quantiles) for side in sides]
    abstained = _abstained(sides, values, quantiles)
    with np.errstate(all="ignore"):
        ratio = np.log(values[1]) - np.log(values[0])
        error = np.sqrt(noise.variance)
        silent = (abstained == Abstention.NO) & ~(error > CONSTANT)
        abstained[silent] = Abstention.CONSTANT
        if single:
            abstained[silent & (noise.method == Method.BLOCKS)] = Abstention.SHORT
        told = abstained == Abstention.NO
        freedom = np.where(told, noise.freedom, np.nan)
        p = 2 * stdtr(freedom, -np.abs(ratio / error))
        half = stdtrit(freedom, (1 + confidence) / 2) * error
    return QuantileChanges(
        quantiles=tuple(float(q) for q in quantiles),
        before=values[0],
        after=values[1],
        log_ratio=np.where(_known(abstained), ratio, np.nan),
        low=np.where(told, ratio - half, np.nan),
        high=np.where(told, ratio + half, np.nan),
        p=np.where(told, p, np.nan),
        standard_error=np.where(told, error, np.nan),
        freedom=freedom,
        usual=noise.usual,
        windows=np.where(told, noise.windows, 0),
        left_out=np.where(told, noise.left_out, 0),
        method=np.where(told, noise.method, everywhere(Method.NONE, told.shape)),
        abstained=abstained,
    )


def _known(abstained: Objects) -> Bools:
    """Where both quantiles have a value, however unsure."""
    without = (Abstention.EMPTY, Abstention.CLIPPED, Abstention.NOT_POSITIVE)
    result: Bools = ~np.isin(abstained.astype(str), [str(each) for each in without])
    return result


def _abstained(
    sides: Sequence[BucketCounts], values: Sequence[Floats], quantiles: Sequence[float]
) -> Objects:
    """Where a quantile cannot be judged, the gravest reason last so that it stands."""
    qs = np.asarray(quantiles, np.float64)
    result = everywhere(Abstention.NO, values[0].shape)
    for side, value in zip(sides, values, strict=True):
        total = side.total[..., None]
        share = side.counts / np.where(total > 0, total, 1.0)
        own = own_bucket(side, qs)
        alone = np.take_along_axis(share, own, axis=-1) > _ONE_BUCKET
        result[alone & (result == Abstention.NO)] = Abstention.ONE_BUCKET
        result[value <= 0] = Abstention.NOT_POSITIVE
        if np.isposinf(side.edges[-1]):
            result[(own == len(side.edges) - 2) & (total > 0)] = Abstention.CLIPPED
    totals = [side.total[..., None] for side in sides]
    few = np.minimum(*totals) * np.minimum(qs, 1 - qs) < BEYOND * (1 - 1e-9)
    result[few & (result != Abstention.CLIPPED)] = Abstention.FEW
    result[np.broadcast_to(np.minimum(*totals) <= 0, result.shape)] = Abstention.EMPTY
    return result
