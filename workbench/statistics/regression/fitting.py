"""Fit usage against load: robust, by three shapes, with days as what is resampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.statistics.regression.breaks import autocorrelation, independent_points
from workbench.statistics.regression.curves import DRIFT, TERMS, Curves, Shape, design
from workbench.statistics.regression.relation import Relation

__all__ = ["LEAST_DAYS", "fit_relation"]

LEAST_DAYS: Final = 7
"""A relation learnt from fewer days has not seen a whole week."""

_HALF_LIFE_DAYS: Final = 14.0
"""A day so long ago counts half: code, data and customers change."""

_HUBER: Final = 1.345
"""Huber's constant: 95 % as efficient as least squares where errors are normal (Huber 1981)."""

_ROUNDS: Final = 6
_KNEES: Final = (0.45, 0.6, 0.75, 0.85)
"""Where a bend is tried, as shares of the way from the lowest to the highest load."""

_NEAR_LIMIT: Final = 0.95
"""Hours of which more than this share of the limit is expected are left out, where it holds back."""

_LEAST_FREE: Final = 0.3
"""Where fewer hours than that would be left, all count: what is always full shows no relation."""

_DRIFT_EVIDENCE: Final = 6.0
"""So much must the Bayesian information criterion fall for a drift: strong evidence."""

_AT_LIMIT: Final = 0.995
"""Usage above this share of a limit that it never passes may be held back by it."""

_PARAMETERS: Final = 3
_MOST_UNSHRUNK: Final = 1.5

_HAC_HOURS: Final = 24


def fit_relation(
    load: Floats,
    usage: Floats,
    rng: np.random.Generator,
    *,
    limit: Floats | None = None,
    draws: int = 400,
    test: bool = True,
) -> Relation:
    """Learn what is used at which load.

    Huber weights keep single bad hours from bending the relation; recent days count more. A line,
    a curve and a bent line are weighed by the Bayesian information criterion, with as many points
    as the residuals' autocorrelation leaves independent. What is unknown of the terms comes from
    a bootstrap of blocks of whole days, whose length follows the residuals' memory from day to
    day (Carlstein 1986).

    Parameters
    ----------
    load, usage
        float64, shape (days, slots), NaN where unknown; the newest day last.
    rng
        Of the bootstrap.
    limit
        Shape (days, slots): hours in which usage is held back by its limit tell only that as much
        was wanted at least; those where the relation wants more are left out.
    draws
        How many possible relations are drawn.
    test
        Whether the curve is tested against the line: the p value is NaN otherwise.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> load = 50 + 40 * np.sin(np.arange(14 * 24) * 2 * np.pi / 24).reshape(14, 24)
    >>> found = fit_relation(load, 2 + 0.5 * load + rng.normal(0, 0.5, load.shape), rng)
    >>> bool(abs(found.slope_at(70.0)[1] - 0.5) < 0.02)
    True
    """
    known = np.isfinite(load) & np.isfinite(usage)
    top = float(load[known].max())
    share = np.where(known, load / top, 0.0)
    y = np.where(known, usage, 0.0)
    age = np.arange(len(load) - 1, -1, -1)
    recency = 0.5 ** (age / _HALF_LIFE_DAYS)
    held = _held_back(usage, limit)
    prior = recency[:, None] * known
    knee, weights = _robust(share, y, prior, held, limit)
    rows = design(share, knee)
    worth = _kish(recency)
    drifts = _drifts(rows, y, weights, worth)
    fits = [_fit(rows, y, weights, _terms(shape, drifts=drifts)) for shape in Shape]
    rest = np.where(known, y - rows @ fits[list(Shape).index(Shape.CURVE)], np.nan)
    count = independent_points(rest) * worth
    chances = _chances(fits, rows, y, weights, count)
    best = list(Shape)[int(np.argmax(chances))]
    middle = (chances[:, None] * np.array(fits)).sum(axis=0)
    rest = np.where(weights > 0, y - rows @ middle, np.nan)
    block = _block_days(rest)
    explained = _explained(y, rest, weights)
    rest = rest * _unshrunk(count)
    counts = _resampled(len(load), block, draws, rng) * recency
    shapes = rng.choice(len(chances), draws, p=chances)
    chosen = [_terms(shape, drifts=drifts) for shape in Shape]
    terms = _drawn(rows, y, weights / recency[:, None], counts, shapes=shapes, chosen=chosen)
    return Relation(
        top=top, centre=Curves(middle[None], knee), curves=Curves(terms, knee), shape=best,
        chances=dict(zip(Shape, chances.tolist(), strict=True)), share=np.where(known, share, np.nan),
        rest=rest, recency=recency, spread=_spread(share, rest),
        explained=explained, curvature_p=_curvature(rows, y, weights) if test else float("nan"),
        drift=float(middle[DRIFT] / middle[1]) if drifts and middle[1] else 0.0,
        held_back=int((known & (weights == 0)).sum()), block_days=block,
    )  # fmt: skip


def _held_back(usage: Floats, limit: Floats | None) -> Bools:
    """Where usage stands at a limit that it never passes."""
    if limit is None or not np.isfinite(limit).any():
        return np.zeros(usage.shape, bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = usage / limit
        if np.nanmax(part) > 2 - _AT_LIMIT:
            return np.zeros(usage.shape, bool)
        return np.asarray(part >= _AT_LIMIT)


def _robust(
    share: Floats, y: Floats, prior: Floats, held: Bools, limit: Floats | None
) -> tuple[float, Floats]:
    """Where the bend is and the Huber weights, by reweighted least squares."""
    weights = np.where(held, 0.0, prior) if held.any() else prior
    rows = design(share, 1.0)
    shape = Shape.LINE if held.any() else Shape.CURVE
    for _ in range(_ROUNDS):
        fitted = rows @ _fit(rows, y, weights, _terms(shape, drifts=True))
        rest = y - fitted
        scale = 1.4826 * np.median(np.abs(rest[prior > 0]))
        if scale <= 1e-12 * max(float(np.abs(y).max()), 1e-300):
            break
        size = np.maximum(np.abs(rest) / scale, 1e-9)
        weights = prior * np.minimum(1.0, _HUBER / size)
        if held.any() and limit is not None:
            # By what is expected at the load, not by what was seen: else only low noise stays.
            with np.errstate(invalid="ignore"):
                free = np.where(fitted > _NEAR_LIMIT * limit, 0.0, weights)
            if (free > 0).sum() < _LEAST_FREE * (prior > 0).sum():
                break
            weights = free
    return _knee(share, y, weights), weights


def _knee(share: Floats, y: Floats, weights: Floats) -> float:
    """The bend that leaves least."""
    low = float(share[weights > 0].min()) if (weights > 0).any() else 0.0
    tried = [low + k * (1 - low) for k in _KNEES]
    left = []
    for knee in tried:
        rows = design(share, knee)
        left.append(
            _left(rows, y, weights, _fit(rows, y, weights, _terms(Shape.BEND, drifts=True)))
        )
    return tried[int(np.argmin(left))]


def _terms(shape: Shape, *, drifts: bool) -> Ints:
    return np.append(shape.terms, DRIFT) if drifts else shape.terms


def _fit(rows: Floats, y: Floats, weights: Floats, chosen: Ints) -> Floats:
    """All terms, shape (5,), 0 but for the chosen ones."""
    terms = np.zeros(TERMS)
    x = rows[..., chosen].reshape(-1, len(chosen))
    root = np.sqrt(weights.ravel())
    terms[chosen] = np.linalg.lstsq(x * root[:, None], y.ravel() * root, rcond=None)[0]
    return terms


def _drifts(rows: Floats, y: Floats, weights: Floats, worth: float) -> bool:
    """Whether what load costs goes on changing: a request that becomes cheaper, or users dearer."""
    fits = [_fit(rows, y, weights, _terms(Shape.CURVE, drifts=d)) for d in (False, True)]
    without, within = (_left(rows, y, weights, f) for f in fits)
    rest = np.where(weights > 0, y - rows @ fits[1], np.nan)
    count = independent_points(rest) * worth
    floor = 1e-12 * max(float((weights * y**2).sum()), 1e-300)
    gain = count * np.log(max(without, floor) / max(within, floor)) - np.log(max(count, 2.0))
    return bool(gain > _DRIFT_EVIDENCE)


def _left(rows: Floats, y: Floats, weights: Floats, terms: Floats) -> float:
    return float((weights * (y - rows @ terms) ** 2).sum())


def _kish(weights: Floats) -> float:
    """Which share of their number unequal weights are worth (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum() / len(weights))


def _chances(
    fits: Sequence[Floats], rows: Floats, y: Floats, weights: Floats, count: float
) -> Floats:
    """How likely each shape is, shape (3,)."""
    left = np.array([_left(rows, y, weights, f) for f in fits])
    floor = 1e-12 * max(float((weights * y**2).sum()), 1e-300)
    parameters = np.array([s.parameters for s in Shape])
    bic = count * np.log(np.maximum(left, floor)) + parameters * np.log(max(count, 2.0))
    chances = np.exp(-0.5 * (bic - bic.min()))
    return np.asarray(chances / chances.sum())


def _block_days(rest: Floats) -> int:
    """How many days hang together: the best block length for a memory of one step."""
    some = np.isfinite(rest).any(axis=1)
    r = autocorrelation(np.nanmean(rest[some], axis=1))
    days = int(some.sum())
    length = (2 * r / (1 - r**2)) ** (2 / 3) * days ** (1 / 3)
    return int(min(max(round(length), 1), max(days // 4, 1)))


def _resampled(days: int, block: int, draws: int, rng: np.random.Generator) -> Floats:
    """How often each day is drawn, shape (draws, days): circular blocks."""
    blocks = -(-days // block)
    starts = rng.integers(0, days, (draws, blocks))
    chosen = (starts[..., None] + np.arange(block)).reshape(draws, -1)[:, :days] % days
    counts = np.zeros((draws, days))
    np.add.at(counts, (np.arange(draws)[:, None], chosen), 1.0)
    return counts


def _drawn(
    rows: Floats,
    y: Floats,
    weights: Floats,
    counts: Floats,
    *,
    shapes: Ints,
    chosen: Sequence[Ints],
) -> Floats:
    """The terms of possible relations, shape (draws, 5): each draw has its shape and its days."""
    squares = np.einsum("ds,dsi,dsj->dij", weights, rows, rows)
    products = np.einsum("ds,dsi,ds->di", weights, rows, y)
    a = np.einsum("bd,dij->bij", counts, squares)
    b = np.einsum("bd,di->bi", counts, products)
    terms = np.zeros((len(counts), TERMS))
    for index, own in enumerate(chosen):
        mine = np.flatnonzero(shapes == index)
        picked = a[np.ix_(mine, own, own)]
        size = np.trace(picked, axis1=1, axis2=2)[:, None, None]
        steady = picked + 1e-10 * size * np.eye(len(own))
        found = np.linalg.solve(steady, b[np.ix_(mine, own)][..., None])[..., 0]
        terms[np.ix_(mine, own)] = found
    return terms


def _spread(share: Floats, rest: Floats) -> tuple[float, float]:
    """How large residuals are, as a line over load (Glejser 1969), never falling."""
    known = np.isfinite(rest)
    size = np.abs(rest[known])
    tamed = np.minimum(size, 5 * max(float(np.median(size)), 1e-300))
    x = np.stack([np.ones(len(tamed)), share[known]], axis=1)
    level, slope = np.linalg.lstsq(x, tamed, rcond=None)[0].tolist()
    least = 0.05 * float(tamed.mean())
    if slope <= 0:
        return max(float(tamed.mean()), 1e-300), 0.0
    return (level, slope) if level > least else (max(least, 1e-300), slope)


def _unshrunk(count: float) -> float:
    """Fitted residuals are smaller than the errors: by the degrees of freedom, and by few days."""
    free = max(count - _PARAMETERS, 1.0)
    return float(min(np.sqrt(count / free) * (1 + 1 / (4 * free / _PARAMETERS)), _MOST_UNSHRUNK))


def _explained(y: Floats, rest: Floats, weights: Floats) -> float:
    """Which share of the usage's variance the relation takes away."""
    mean = float((weights * y).sum() / weights.sum())
    total = float((weights * (y - mean) ** 2).sum())
    left = float(np.nansum(weights * rest**2))
    return max(1.0 - left / total, 0.0) if total > 0 else 0.0


def _curvature(rows: Floats, y: Floats, weights: Floats) -> float:
    """The p value of the square's term, with errors that hang together (Newey and West 1987)."""
    from statsmodels.regression.linear_model import WLS

    used = weights.ravel() > 0
    x = rows[..., [0, 1, 2, DRIFT]].reshape(-1, 4)[used]
    found = WLS(y.ravel()[used], x, weights=weights.ravel()[used]).fit(
        cov_type="HAC", cov_kwds={"maxlags": _HAC_HOURS, "use_correction": True}
    )
    p = float(found.pvalues[2])
    return p if np.isfinite(p) else 1.0
