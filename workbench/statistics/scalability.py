"""The Universal Scalability Law: what throughput a system gives at which concurrency, and its peak.

X(N) = λN / (1 + σ(N − 1) + κN(N − 1)): λ is the throughput of one, σ the contention (work that
waits for its turn), κ the coherency (work that all do to agree). With κ above 0 throughput has a
peak at N* = √((1 − σ)/κ), beyond which more makes it worse (Gunther, Guerrilla Capacity Planning,
2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.samples import Floats
from workbench.statistics.regression.breaks import autocorrelation

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LEAST_POINTS", "LEAST_RANGE", "Scalability", "fit_scalability", "usl"]

LEAST_POINTS: Final = 30
"""Fewer points show no law."""

LEAST_RANGE: Final = 3.0
"""The highest concurrency must be so many times the lowest."""

_QUANTILES: Final = (0.025, 0.1, 0.5, 0.9, 0.975)
_FLAT: Final = 1e-4
"""Below this κ·N² the peak cannot be told from none."""

_SURE: Final = 0.975
"""The share of draws that must show a peak: then the 95 % interval of κ lies above 0."""

_WIDEST: Final = 3.0
"""An 80 % interval of N* whose ends differ by more is no answer."""

_FITTED_TOO: Final = 1.04
_MOST_WIDENED: Final = 1.6


def usl(concurrency: Floats, one: Any, contention: Any, coherency: Any) -> Floats:
    """The throughput at some concurrency.

    Examples
    --------
    >>> usl(np.array([1.0, 10.0]), 100.0, 0.05, 0.001).round(1).tolist()
    [100.0, 649.4]
    """
    n = np.asarray(concurrency)
    return np.asarray(one * n / (1 + contention * (n - 1) + coherency * n * (n - 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Scalability:
    """A fitted law.

    Parameters
    ----------
    one, contention, coherency
        λ, σ and κ.
    draws
        float64, shape (draws, 3): λ, σ and κ of resampled histories.
    lowest, highest
        The concurrency seen.
    explained
        The share of the throughput's variance that the law takes away, 0 to 1.
    block
        How many points were resampled together.
    """

    one: float
    contention: float
    coherency: float
    draws: Floats
    lowest: float
    highest: float
    explained: float
    block: int

    @property
    def covers(self) -> bool:
        """Whether enough concurrency was seen to tell a law."""
        return self.highest >= LEAST_RANGE * self.lowest

    @property
    def intervals(self) -> Floats:
        """Shape (5, 3): quantiles 2.5, 10, 50, 90 and 97.5 % of λ, σ and κ."""
        return np.asarray(np.quantile(self.draws, _QUANTILES, axis=0))

    @property
    def has_peak(self) -> bool:
        """Whether a peak is known: κ is above 0 beyond doubt, and its place is known well enough."""
        if not self.covers or float((self._peaks() < np.inf).mean()) < _SURE:
            return False
        low, high = np.quantile(self._peaks(), (0.1, 0.9), method="lower").tolist()
        return bool(high <= _WIDEST * low and low <= _WIDEST * self.highest)

    @property
    def peak(self) -> Floats:
        """Quantiles of N*, shape (5,): the concurrency beyond which throughput falls.

        Infinite where a draw has none; it means nothing unless `has_peak`.
        """
        return np.asarray(np.quantile(self._peaks(), _QUANTILES, method="lower"))

    @property
    def peak_throughput(self) -> Floats:
        """Shape (5,): quantiles of X*, the throughput at N*."""
        peaks = self._peaks()
        known = np.isfinite(peaks)
        highest = usl(peaks[known], *self.draws[known].T)
        return np.asarray(np.quantile(highest, _QUANTILES) if known.any() else np.full(5, np.nan))

    def at(self, concurrency: Floats, quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)) -> Floats:
        """Quantiles of the mean throughput at some concurrency, shape (quantiles, n)."""
        values = usl(np.asarray(concurrency)[None], *(self.draws.T[..., None]))
        return np.asarray(np.quantile(values, quantiles, axis=0))

    def _peaks(self) -> Floats:
        _, contention, coherency = self.draws.T
        flat = coherency * self.highest**2 < _FLAT
        with np.errstate(divide="ignore"):
            found = np.sqrt(np.maximum(1 - contention, 0.0) / np.where(flat, 0.0, coherency))
        return np.where(flat, np.inf, np.maximum(found, 1.0))


def fit_scalability(
    concurrency: Floats, throughput: Floats, rng: np.random.Generator, *, draws: int = 200
) -> Scalability:
    """Fit the law to a history.

    Nonlinear least squares, errors taken as shares of the throughput. Intervals come from a bootstrap
    of blocks of neighbouring points, whose length follows the residuals' autocorrelation
    (Carlstein 1986).

    Parameters
    ----------
    concurrency, throughput
        float64, shape (points,), in the order of time; above 0, without NaN; at least
        `LEAST_POINTS`.
    rng
        Of the bootstrap.
    draws
        How many histories are resampled.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> n = rng.uniform(1, 60, 500)
    >>> found = fit_scalability(n, usl(n, 100, 0.05, 0.001) * rng.normal(1, 0.03, 500), rng)
    >>> found.has_peak, bool(found.peak[1] < np.sqrt(0.95 / 0.001) < found.peak[3])
    (True, True)
    """
    start = _start(concurrency, throughput)
    ones = np.ones(len(concurrency))
    best = _fitted(concurrency, throughput, ones, start)
    best = _fitted(concurrency, throughput, ones, best)
    rest = throughput / usl(concurrency, *best) - 1
    memory = autocorrelation(rest)
    block = _block(memory, len(rest))
    found = [
        _fitted(concurrency, throughput, counts, best)
        for counts in _resampled(len(concurrency), block, draws, rng)
    ]
    left = float(((throughput - usl(concurrency, *best)) ** 2).sum())
    total = float(((throughput - throughput.mean()) ** 2).sum())
    explained = max(1 - left / total, 0.0) if total > 0 else 0.0
    return Scalability(
        float(best[0]), float(best[1]), float(best[2]), _widened(np.array(found), best, memory, block), float(concurrency.min()), float(concurrency.max()),
        explained, block,
    )  # fmt: skip


def _start(concurrency: Floats, throughput: Floats) -> Floats:
    """A first guess: N/X is linear in 1/λ, σ/λ and κ/λ."""
    from scipy.optimize import nnls

    n = concurrency
    rows = np.stack([np.ones_like(n), n - 1, n * (n - 1)], axis=1)
    weights = throughput / n
    scale = np.maximum(np.abs(rows * weights[:, None]).max(axis=0), 1e-12)
    terms = nnls(rows * weights[:, None] / scale, np.ones(len(n)))[0] / scale
    one = 1 / terms[0] if terms[0] > 0 else float(np.max(weights))
    return np.array([one, min(terms[1] * one, 1.0), terms[2] * one])


def _fitted(n: Floats, x: Floats, counts: Floats, start: Floats) -> Floats:
    """λ, σ and κ by nonlinear least squares within their bounds, from and weighed by a guess."""
    from scipy.optimize import curve_fit

    scale = float(start[0])
    first = np.clip(start / [scale, 1, 1], [0.01, 1e-6, 1e-9], [100.0, 0.999, np.inf])
    some = counts > 0
    error = usl(n[some], 1.0, *start[1:]) / np.sqrt(counts[some])
    found: Floats = curve_fit(
        usl, n[some], x[some] / scale, p0=first, sigma=error,
        bounds=([0.0, 0.0, 0.0], [np.inf, 1.0, np.inf]), jac=_slopes(), method="trf",
        x_scale="jac", ftol=1e-6, xtol=1e-6, gtol=1e-6, max_nfev=200,
    )[0]  # fmt: skip
    return np.asarray(found * np.array([scale, 1.0, 1.0]))


def _slopes() -> Callable[..., Floats]:
    def jacobian(n: Floats, one: float, contention: float, coherency: float) -> Floats:
        below = 1 + contention * (n - 1) + coherency * n * (n - 1)
        first = n / below
        second = -one * n * (n - 1) / below**2
        return np.stack([first, second, second * n], axis=1)

    return jacobian


def _block(memory: float, points: int) -> int:
    length = (2 * memory / (1 - memory**2)) ** (2 / 3) * points ** (1 / 3)
    return int(min(max(round(length), 1), max(points // 8, 1)))


def _widened(draws: Floats, best: Floats, memory: float, block: int) -> Floats:
    """Draws as far apart as they should be: blocks forget what hangs together across their ends.

    The share of the variance that is lost is that of a first-order autoregression (Künsch 1989);
    the rest is for the terms being fitted.
    """
    lost = 2 * memory / (1 - memory**2) / block
    factor = min(_FITTED_TOO / np.sqrt(max(1 - lost, 0.3)), _MOST_WIDENED)
    wide = best + (draws - best) * factor
    return np.asarray(np.clip(wide, [1e-12 * best[0], 0.0, 0.0], [np.inf, 1.0, np.inf]))


def _resampled(points: int, block: int, draws: int, rng: np.random.Generator) -> Floats:
    """How often each point is drawn, shape (draws, points): circular blocks."""
    blocks = -(-points // block)
    starts = rng.integers(0, points, (draws, blocks))
    chosen = (starts[..., None] + np.arange(block)).reshape(draws, -1)[:, :points] % points
    return np.stack([np.bincount(row, minlength=points) for row in chosen]).astype(np.float64)
