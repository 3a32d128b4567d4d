"""What is ordinary for a daily series: its level, weekdays, growth and month ends, and its noise.

The regression is on logarithms, with errors that carry over from day to day (AR(1)). How much they
do is weighed by the restricted likelihood, so that it is not taken for less where days are few
(Patterson and Thompson, Biometrika 58, 1971).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.statistics.designs import Design, Trend, whitening
from workbench.statistics.seasonal.outliers import known_medians

__all__ = ["Course", "Fit", "Ordinary", "Span"]

_LITTLE: Final = 0.02
"""Added before the logarithm is taken, as a share of the median day with spend: a day without any is
far from, but not infinitely far from, one with."""

_BEND: Final = 70
"""Growth may change about every so many days."""

_MONTH_END: Final = 3
"""So many last days of a month are alike …"""

_MONTH_START: Final = 2
"""… and so many first ones …"""

_MONTHS: Final = 3
"""… which so many months' ends can tell; fewer leave it open."""

_PHIS: Final = np.arange(0.0, 0.95, 0.1)
"""Autocorrelations from one day to the next that are weighed."""

_LIKELY: Final = (0.7, 0.3)
"""So likely it is that the autocorrelation is lower than it is taken to be. Taken high a step needs to
be larger, since errors last; taken low a pulse does, since errors of a day say less of the next."""

_DRAWS: Final = 1000


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Days that stand out together, as numbers: from `start` to before `stop`."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Ordinary:
    """What the days have in common, whatever the series.

    Parameters
    ----------
    days
        int64, shape (n,), ascending: days since 1970-01-01; gaps are allowed.
    base
        float64, shape (n, columns): an orthonormal basis of level, weekdays, growth and month ends.
    month_turn
        Which days are the last or the first of a month, shape (n,).
    knows_months
        Whether these are among the columns.
    """

    days: Ints
    base: Floats
    month_turn: Bools
    knows_months: bool

    def __len__(self) -> int:
        return len(self.days)

    @classmethod
    def of(cls, days: Ints) -> Ordinary:
        """Build the columns."""
        real = days.astype(np.float64)
        n = len(days)
        design = Design(
            Trend.LINEAR,
            weekly=True,
            first=real[0],
            last=real[-1],
            taus=np.ones(1),
            begins=np.empty((1, 0)),
        )
        columns = [design.columns(real)[0]]
        length = real[-1] - real[0]
        bends = int(length // _BEND)
        for number in range(1, bends + 1):
            at = real[0] + length * number / (bends + 1)
            columns.append(np.maximum(real - at, 0.0)[:, None] / _BEND)
        ends, starts = _month_turns(days)
        known = int((np.diff(ends.astype(np.int64), prepend=0) > 0).sum()) >= _MONTHS
        if known:
            columns.append(np.column_stack([ends, starts]).astype(np.float64))
        left, sizes, _ = np.linalg.svd(np.column_stack(columns), full_matrices=False)
        rank = int((sizes > 1e-9 * sizes[0] * n).sum())
        return cls(days, left[:, :rank], ends | starts, known)

    def columns(self, spans: Sequence[Span]) -> Floats:
        """1 on the days of each span, shape (n, spans)."""
        number = np.arange(len(self))[:, None]
        starts = np.array([s.start for s in spans])
        stops = np.array([s.stop for s in spans])
        return ((number >= starts) & (number < stops)).astype(np.float64)

    def at_month_turn(self, span: Span) -> bool:
        """Whether all days of a span are a month's last or first."""
        return bool(self.month_turn[span.start : span.stop].all())

    @staticmethod
    def logarithms(spend: Floats) -> tuple[Floats, Floats]:
        """Logarithms of series of shape (series, n), and what was added, shape (series, 1)."""
        some = np.where(spend > 0, spend, np.nan)
        some[~(spend > 0).any(axis=1)] = 1.0
        added = _LITTLE * known_medians(some.T)[:, None]
        return np.log(spend + added), added


def _month_turns(days: Ints) -> tuple[Bools, Bools]:
    """Which days are among the last of a month, and which among the first."""
    month = days.astype("datetime64[D]").astype("datetime64[M]")
    later = (days + _MONTH_END).astype("datetime64[D]").astype("datetime64[M]")
    before = (days - _MONTH_START).astype("datetime64[D]").astype("datetime64[M]")
    return month != later, month != before


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A series with what was to be expected of it, without the departure in question.

    Parameters
    ----------
    days
        int64, shape (n,): days since 1970-01-01.
    actual, expected, low, high
        float64, shape (n,): money; `low` and `high` are the 80 % interval of a day.
    """

    days: Ints
    actual: Floats
    expected: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The regression of one series on what is ordinary and on spans that are not.

    Parameters
    ----------
    ordinary
        The days.
    spend
        float64, shape (n,).
    spans
        What departs.
    added
        Before the logarithm was taken.
    phi
        Autocorrelation from one day to the next.
    beta, spread
        float64, shapes (columns,) and (columns, columns): coefficients and their covariance.
    noise
        Standard deviation of a day's own noise, in logarithms.
    freedom
        Degrees of it.
    """

    FLOOR: ClassVar[float] = 0.02
    """Noise is never taken to be less than this: tiny changes of a very regular series are no news."""

    ordinary: Ordinary
    spend: Floats
    spans: tuple[Span, ...]
    added: float
    phi: float
    beta: Floats
    spread: Floats
    noise: float
    freedom: int

    @classmethod
    def of(
        cls, ordinary: Ordinary, spend: Floats, spans: Sequence[Span], *, lasting: bool = True
    ) -> Fit:
        """Fit one series of shape (n,), with errors that last rather longer, or shorter."""
        logs, added = ordinary.logarithms(spend[None])
        design = np.column_stack([ordinary.base, ordinary.columns(spans)])
        phi = _carried(ordinary.days, design, logs[0], _LIKELY[0 if lasting else 1])
        white = whitening(ordinary.days, np.array([phi]))
        rows, target = white.apply(design)[0], white.apply(logs[0][:, None])[0, :, 0]
        inverse = np.linalg.pinv(rows.T @ rows)
        beta = inverse @ (rows.T @ target)
        freedom = max(len(spend) - design.shape[1], 1)
        noise = float(np.square(target - rows @ beta).sum()) / freedom + cls.FLOOR**2 * (1 - phi**2)
        return cls(
            ordinary, spend, tuple(spans), float(added[0, 0]), phi, beta, inverse * noise,
            float(np.sqrt(noise)), freedom,
        )  # fmt: skip

    def size(self, span: Span) -> float:
        """Logarithm of actual over expected."""
        return float(self.beta[self.ordinary.base.shape[1] + self.spans.index(span)])

    def scores(self) -> Floats:
        """How many standard errors the size of each span is from 0."""
        first = self.ordinary.base.shape[1]
        errors = np.sqrt(np.diag(self.spread)[first:].clip(min=1e-300))
        result: Floats = np.abs(self.beta[first:]) / errors
        return result

    def critical(self, chance: float) -> float:
        """The score that noise exceeds with that chance."""
        from scipy import special

        return float(special.stdtrit(self.freedom, 1 - chance / 2))

    def futures(self, without: Sequence[Span], rng: np.random.Generator) -> Floats:
        """Drawn spend of each day had some spans been ordinary, shape (draws, n)."""
        n, ordinary = len(self.ordinary), self.ordinary
        keep = [0.0 if s in without else 1.0 for s in self.spans]
        design = np.column_stack([ordinary.base, ordinary.columns(self.spans) * np.array(keep)])
        values, vectors = np.linalg.eigh(self.spread)
        root = vectors * np.sqrt(values.clip(min=0))
        drawn = self.beta + rng.standard_normal((_DRAWS, len(self.beta))) @ root.T
        noise = rng.standard_normal((_DRAWS, n)) * self.noise
        noise[:, 0] /= np.sqrt(1 - self.phi**2)
        for day in range(1, n):
            noise[:, day] += self.phi * noise[:, day - 1]
        result: Floats = np.maximum(np.exp(drawn @ design.T + noise) - self.added, 0.0)
        return result

    def course(self, without: Sequence[Span], rng: np.random.Generator) -> tuple[Course, Floats]:
        """What was to be expected of each day, and the draws behind it, shape (draws, n)."""
        draws = self.futures(without, rng)
        low, high = np.quantile(draws, [0.1, 0.9], axis=0)
        return Course(self.ordinary.days, self.spend, draws.mean(axis=0), low, high), draws


def _carried(days: Ints, design: Floats, logs: Floats, level: float) -> float:
    """A quantile of the autocorrelation by its restricted likelihood."""
    white = whitening(days, _PHIS)
    rows = white.apply(design)
    target = white.apply(logs[:, None])[:, :, 0]
    basis, upper = np.linalg.qr(rows)
    left = target - np.einsum("bnk,bk->bn", basis, np.einsum("bnk,bn->bk", basis, target))
    squares = np.square(left).sum(axis=1) + len(days) * Fit.FLOOR**2 * (1 - _PHIS**2)
    pivots = np.abs(np.diagonal(upper, axis1=1, axis2=2)).clip(min=1e-12)
    freedom = max(len(days) - design.shape[1], 1)
    likelihood = white.log_det - np.log(pivots).sum(axis=1) - freedom / 2 * np.log(squares)
    weights = np.exp(likelihood - likelihood.max())
    return float(_PHIS[np.searchsorted(np.cumsum(weights) / weights.sum(), level)])
