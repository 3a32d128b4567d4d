"""What may lie behind the counts of a histogram: distributions that all agree with them.

Buckets say how many observations lie between two edges, not where. To know what other boundaries
would have shown, the distribution is laid through the edges as a monotone cubic of the probit of
the share over ln x, where a log-normal is a straight line, and then bent inside each bucket:
at random for what is to be expected, towards either end for the worst. Each one gives back the
counts that were observed.

Where the slope of that line turns sharply from bucket to bucket, as where modes meet, more bending
is to be expected. Requests that pile up at one value inside a bucket leave no trace in its count:
they are among the worst, never among what is expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.buckets import BucketCounts

__all__ = ["Reconstructions", "reconstruct"]

_RANDOM: Final = 24
"""How many distributions are bent at random; one more is not bent at all."""

_BEND: Final = 0.25
"""Standard deviation of a bend, in logits of the share of its bucket.

Chosen so that the error that is printed agrees with the true one on simulated distributions: see
the benchmark of the adviser.
"""

_ROUGH: Final = 0.5
"""How much more it is for each unit by which ln of the slope turns at an end of the bucket."""

_WILDEST: Final = 3.0
"""The most it is."""

_TELLING: Final = 0.002
"""Share of the observations from which a bucket tells something of the shape."""

_EXTREME: Final = 1.25
"""Bend of the extreme ones, in logits: .78 of a bucket's probits below its middle, or .22."""

_LUMPS: Final = 8
"""How many distributions pile each bucket's observations up at one place of it."""

_NARROW: Final = 0.04
"""Width of such a place against its bucket's, in ln x: a time-out, a retry after a pause."""

_TAIL: Final = 0.3
"""Standard deviation of ln of the slope outside all edges, against that of the nearest bucket."""

_STRIDE: Final = 0.7
"""A bucket wider than this in ln x gets more than one inner knot."""

_REACH: Final = float(np.log(300.0))
"""How far beyond the outermost edges the distributions are drawn, in ln x."""

_FINE: Final = 400
"""About so many points stand between the outermost edges."""

_SAME: Final = 1e-9
"""Edges nearer than this in ln x are one: such come of converting units twice."""

_MOST_EDGES: Final = 300
"""Of more edges, which only fine native histograms have, every second or third is enough."""

_FLAT, _STEEP = 0.25, 12.0
"""Slopes of probit over ln x between which a tail is kept: standard deviations 4 and .083."""


@dataclass(frozen=True, slots=True, eq=False)
class Reconstructions:
    """Distributions on one grid.

    Parameters
    ----------
    log_values
        Shape (points,): ln of the value, ascending.
    probits
        Shape (distributions, points): the probit of the share at or below, never falling.
    likely
        How many of them, from the first, are to be expected; those after are extremes. The first
        of all is not bent.
    """

    log_values: Floats
    probits: Floats
    likely: int

    def shares(self, values: Floats) -> Floats:
        """Share of observations at or below positive values (n,): shape (distributions, n)."""
        from scipy.special import ndtr

        with np.errstate(divide="ignore"):
            wanted = np.log(values)
        last = len(self.log_values) - 1
        right = np.clip(np.searchsorted(self.log_values, wanted), 1, last)
        left = right - 1
        gap = self.log_values[right] - self.log_values[left]
        inside = np.clip(wanted, self.log_values[0], self.log_values[last])
        weight = (inside - self.log_values[left]) / gap
        probits = self.probits[:, left] * (1 - weight) + self.probits[:, right] * weight
        share: Floats = ndtr(probits)
        share = np.where(wanted < self.log_values[0], 0.0, share)
        return np.where(wanted > self.log_values[last], 1.0, share)

    def values(self, quantiles: Floats) -> Floats:
        """Quantiles (n,) of every distribution: shape (distributions, n)."""
        from scipy.special import ndtri

        wanted = ndtri(quantiles)
        found = [np.interp(wanted, probits, self.log_values) for probits in self.probits]
        values: Floats = np.exp(np.array(found))
        return values


def reconstruct(observed: BucketCounts, *, seed: int = 5) -> Reconstructions | None:
    """Draw distributions that agree with one histogram.

    Parameters
    ----------
    observed
        Counts, shape (buckets,). What lies at or below 0 is counted to the first bucket above.
    seed
        Of the random ones: equal counts give equal advice.

    Returns
    -------
    Reconstructions or None
        None where fewer than two edges tell anything, as when all lies in one open bucket.

    Examples
    --------
    >>> seen = BucketCounts.from_cumulative([1.0, 10.0, 100.0, np.inf], [16, 50, 84, 100])
    >>> drawn = reconstruct(seen)
    >>> drawn.shares(np.array([1.0, 10.0]))[:, 1].round(3).tolist() == [0.5] * len(drawn.probits)
    True
    """
    from scipy.interpolate import PchipInterpolator

    edges, probits = _knots(observed)
    if len(edges) < 2:
        return None
    random = np.random.default_rng(seed)
    spread = np.minimum(_BEND + _ROUGH * _roughness(edges, probits), _WILDEST)
    bends = _bends(spread, random)
    inner, segment = _inner_knots(edges)
    bent = _bent(PchipInterpolator(edges, probits)(inner), segment, probits, bends)
    knots = np.concatenate([edges, inner])
    order = np.argsort(knots)
    knots = knots[order]
    fixed = np.broadcast_to(probits, (len(bends), len(edges)))
    through = np.concatenate([fixed, bent], axis=1)[:, order]
    each = max(_FINE // len(knots), 3)
    steps = np.linspace(0.0, 1.0, each, endpoint=False)
    fine = (knots[:-1, None] + np.diff(knots)[:, None] * steps).ravel()
    grid = np.append(fine, knots[-1])
    bending = PchipInterpolator(knots, through, axis=1)(grid)
    drawn = np.concatenate([bending, _lumps(grid, edges, probits, random)])
    drawn = np.maximum.accumulate(drawn, axis=1)
    beyond = np.linspace(0.0, _REACH, 65)[1:]
    below, above = _tails(edges, probits, beyond, len(drawn), random)
    return Reconstructions(
        np.concatenate([grid[0] - beyond[::-1], grid, grid[-1] + beyond]),
        np.concatenate([below[:, ::-1], drawn, above], axis=1),
        1 + _RANDOM,
    )


def _knots(observed: BucketCounts) -> tuple[Floats, Floats]:
    """Logarithms of the edges that tell something, and the probits of the shares below them.

    Of edges below which nothing lies only the last is kept, and of those above which nothing
    lies the first; they are taken to have half an observation beyond them.
    """
    from scipy.special import ndtri

    reached, total = observed.cumulative, float(observed.total)
    upper = observed.edges[1:]
    usable = np.isfinite(upper) & (upper > 0)
    edges, reached = np.log(upper[usable]), reached[usable]
    apart = np.diff(edges, prepend=-np.inf) > _SAME
    edges, reached = edges[apart], reached[apart]
    if len(edges) > _MOST_EDGES:
        edges, reached = (x[:: -(-len(edges) // _MOST_EDGES)] for x in (edges, reached))
    first = max(int((reached <= 0).sum()) - 1, 0)
    last = min(int((reached < total).sum()) + 1, len(reached))
    share = np.clip(reached / total, 0.5 / total, 1 - 0.5 / total)
    return edges[first:last], ndtri(share[first:last])


def _inner_knots(edges: Floats) -> tuple[Floats, Ints]:
    """Evenly spaced knots inside the buckets, and which bucket each stands in."""
    widths = np.diff(edges)
    many = np.maximum(np.ceil(widths / _STRIDE).astype(np.int64), 1)
    segment = np.repeat(np.arange(len(many)), many)
    number = np.arange(len(segment)) - np.repeat(np.cumsum(many) - many, many) + 1
    return edges[segment] + widths[segment] * number / (many[segment] + 1), segment


def _roughness(edges: Floats, probits: Floats) -> Floats:
    """How sharply ln of the slope turns at either end of each bucket, shape (buckets,).

    A log-normal is a straight line and has none; where modes meet or requests pile up at a
    time-out, it is large, and inside such a bucket anything may be. Nearly empty buckets say
    nothing.
    """
    from scipy.special import ndtr

    filled = np.diff(ndtr(probits)) > _TELLING
    with np.errstate(divide="ignore"):
        slopes = np.where(filled, np.log(np.diff(probits) / np.diff(edges)), np.nan)
    turns = np.nan_to_num(np.abs(np.diff(slopes)))
    sides = np.concatenate([[0.0], turns, [0.0]])
    sharper: Floats = np.maximum(sides[:-1], sides[1:])
    return sharper


def _bends(spread: Floats, random: np.random.Generator) -> Floats:
    """Shape (distributions, buckets): how far the shares inside each bucket are moved, in logits.

    None, at random, all towards one end, and to both ends in turn.
    """
    turns = np.where(np.arange(len(spread)) % 2 == 0, 1.0, -1.0)
    extremes = _EXTREME * np.array([np.ones(len(spread)), -np.ones(len(spread)), turns, -turns])
    drawn = spread * random.standard_normal((_RANDOM, len(spread)))
    return np.concatenate([np.zeros((1, len(spread))), drawn, extremes])


def _bent(base: Floats, segment: Ints, probits: Floats, bends: Floats) -> Floats:
    """Probits at the inner knots, shape (distributions, knots), between those at the edges."""
    from scipy.special import expit, logit

    low, rise = probits[segment], np.diff(probits)[segment]
    with np.errstate(all="ignore"):
        share = np.where(rise > 0, (base - low) / rise, 0.5)
    inside = np.clip(share, 1e-6, 1 - 1e-6)
    bent: Floats = low + rise * expit(logit(inside) + bends[:, segment])
    return bent


def _lumps(grid: Floats, edges: Floats, probits: Floats, random: np.random.Generator) -> Floats:
    """Probits on the grid, shape (distributions, points), rising at one place of each bucket."""
    bucket = np.clip(np.searchsorted(edges, grid, side="right") - 1, 0, len(edges) - 2)
    inside = (grid - edges[bucket]) / np.diff(edges)[bucket]
    places = random.uniform(_NARROW, 1 - _NARROW, (_LUMPS, len(edges) - 1))
    rising = np.clip((inside - places[:, bucket]) / _NARROW + 0.5, 0.0, 1.0)
    lumps: Floats = probits[bucket] + np.diff(probits)[bucket] * rising
    return lumps


def _tails(
    edges: Floats, probits: Floats, beyond: Floats, drawn: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Probits at distances below the first edge and above the last, each (distributions, points).

    Both continue the slope of the nearest bucket, more or less; every second upper tail falls by a
    power law instead, as latencies with retries and time-outs do.
    """
    from scipy.special import log_ndtr, ndtri_exp

    slopes = np.clip(np.diff(probits)[[0, -1]] / np.diff(edges)[[0, -1]], _FLAT, _STEEP)
    noise = np.exp(_TAIL * random.standard_normal((drawn, 2)))
    noise[0] = 1.0
    slope = slopes * noise
    below = probits[0] - slope[:, :1] * beyond
    above = probits[-1] + slope[:, 1:] * beyond
    left = log_ndtr(-probits[-1])
    fall = np.exp(-0.5 * probits[-1] ** 2 - 0.5 * np.log(2 * np.pi) - left)
    power = -ndtri_exp(left - fall * slope[:, 1:] * beyond)
    return below, np.where(np.arange(drawn)[:, None] % 2 == 1, power, above)
