"""How sure a cost per unit is, and whether two differ, with days as replicates.

Counters know no single requests, so a day is what varies: its cost ``c`` over its units ``n``. A cost
per unit is a ratio of sums, ``R = Σ c / Σ n``; its relative error is the sum over days of
``(c − R n) / Σ c``. The squares of these, each divided by what its day pulls the ratio towards itself
(``1 − n / Σ n``), are the variance of log R, as of the delete-a-day jackknife but without its excess
(the CR2 of cluster-robust variance, Bell and McCaffrey 2002).

Days resemble the days before. The memory from day to day (an AR(1)) is estimated, freed of the bias of
few days (Kendall 1954), and drawn to a usual one as if that were known from ten days; the variance
and its degrees of freedom (Satterthwaite's) are those that days with such a memory have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.units import counted

__all__ = [
    "LEAST_DAYS",
    "Contrast",
    "DailyRate",
    "Spread",
    "contrast",
    "day_weights",
    "holm",
    "mean_interval",
    "next_interval",
    "side_by_side",
]

LEAST_DAYS: Final = 3
"""Fewer days say nothing of how much days differ."""

_OVERLAP: Final = 0.5
"""Two run side by side where days with both hold this share of the rarer one's units."""

_USUAL: Final = 0.3
_WORTH: Final = 10.0
"""The memory from day to day that is taken for usual, and how many days it weighs."""

_MOST_MEMORY: Final = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class DailyRate:
    """Cost over units, day by day.

    Parameters
    ----------
    days
        int64, shape (days,), ascending: numbers of the days on which there was any of the two.
    cost, units
        float64, shape (days,): 0 and above.
    """

    days: Ints
    cost: Floats
    units: Floats

    @property
    def value(self) -> float:
        """The ratio of the sums; NaN without units."""
        units = float(self.units.sum())
        return float(self.cost.sum()) / units if units > 0 else float("nan")

    def on(self, days: Ints) -> DailyRate:
        """Only what lies on some days."""
        keep = np.isin(self.days, days)
        return DailyRate(self.days[keep], self.cost[keep], self.units[keep])

    @property
    def enough(self) -> int:
        """On how many days there were units."""
        return int((self.units > 0).sum())


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance of a logarithm, and of how many squares it was made."""

    variance: float
    freedom: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """A second cost per unit as a multiple of a first.

    Parameters
    ----------
    ratio
        The second over the first.
    low, high
        The 95 % interval of what it is but for chance.
    p
        How likely a ratio as far from 1 would be, were there no difference.
    freedom
        Degrees of freedom of the interval.
    paired
        Whether both were compared on the same days.
    days
        On how many days each was seen in the comparison.
    costs
        Of one of each, as compared: side by side, both weighted alike.
    """

    ratio: float
    low: float
    high: float
    p: float
    freedom: float
    paired: bool
    days: tuple[int, int]
    costs: tuple[float, float]


def contrast(first: DailyRate, second: DailyRate) -> Contrast | str:
    """Compare two costs per unit.

    Where both ran side by side, each day counts for both alike (in proportion to
    ``n m / (n + m)``, as of Mantel and Haenszel), so that what the days had in common falls out.
    Where they did not, the ratio holds whatever else changed in the meantime.

    Returns
    -------
    Contrast or str
        Why they cannot be compared, if so.

    Examples
    --------
    >>> days = np.arange(4)
    >>> one = DailyRate(days, np.array([9.0, 10, 11, 10]), np.full(4, 5.0))
    >>> two = DailyRate(days + 4, np.array([21.0, 19, 20, 20]), np.full(4, 5.0))
    >>> found = contrast(one, two)
    >>> found.ratio, found.p < 0.01, found.paired
    (2.0, True, False)
    """
    few = min(first.enough, second.enough)
    if few < LEAST_DAYS:
        return f"one of the two was seen on {counted(few, 'day')}, at least {LEAST_DAYS} are needed"
    both = side_by_side(first, second)
    one, two = first, second
    if both is not None:
        one, two = _weighted_alike(first.on(both), second.on(both))
    if not (one.value > 0 and two.value > 0):
        return "one of the two cost nothing"
    if both is not None:
        parts = [(both, _errors(two) - _errors(one), one.units / one.units.sum())]
    else:
        parts = [(r.days, _errors(r), r.units / r.units.sum()) for r in (one, two)]
    found = _joined(_spreads(parts))
    low, high, p = _student(float(np.log(two.value / one.value)), found)
    return Contrast(
        two.value / one.value, low, high, p, found.freedom, both is not None,
        (one.enough, two.enough), (one.value, two.value),
    )  # fmt: skip


def mean_interval(rate: DailyRate) -> tuple[float, float] | None:
    """The 95 % interval of a cost per unit; None where there are too few days."""
    return _interval(rate, 1.0)


def next_interval(rate: DailyRate) -> tuple[float, float] | None:
    """Where the cost per unit of the next as many such days lies, in 95 of 100 cases.

    It is wider than that of the mean: the days to come differ as those that were did.
    """
    return _interval(rate, 2.0)


def _interval(rate: DailyRate, times: float) -> tuple[float, float] | None:
    if rate.enough < LEAST_DAYS or not rate.value > 0:
        return None
    found = _spreads([(rate.days, _errors(rate), rate.units / rate.units.sum())])[0]
    spread = Spread(times * found.variance, found.freedom)
    low, high, _ = _student(float(np.log(rate.value)), spread)
    return low, high


def holm(ps: Sequence[float]) -> list[float]:
    """Correct p-values for how many there are (Holm 1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    result = [1.0] * len(ps)
    worst = 0.0
    for place, i in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        worst = max(worst, min((len(ps) - place) * ps[i], 1.0))
        result[i] = worst
    return result


def side_by_side(first: DailyRate, second: DailyRate) -> Ints | None:
    """The days on which both had units, where these are enough to compare them by."""
    both: Ints = np.intersect1d(first.days[first.units > 0], second.days[second.units > 0])
    if len(both) < LEAST_DAYS:
        return None
    rarer = min((first, second), key=lambda r: float(r.units.sum()))
    shared = float(rarer.on(both).units.sum())
    return both if shared >= _OVERLAP * float(rarer.units.sum()) else None


def _weighted_alike(first: DailyRate, second: DailyRate) -> tuple[DailyRate, DailyRate]:
    """Two rates of the same days as if each had had the same units there."""
    alike = first.units * second.units / (first.units + second.units)
    one, two = (DailyRate(r.days, r.cost / r.units * alike, alike) for r in (first, second))
    return one, two


def day_weights(first: DailyRate, second: DailyRate) -> tuple[Floats, Floats]:
    """By what `contrast` multiplies cost and units of each of their days: float64, shape (days,)."""
    both = side_by_side(first, second)
    if both is None:
        return np.ones(len(first.days)), np.ones(len(second.days))
    one, two = first.on(both), second.on(both)
    alike = one.units * two.units / (one.units + two.units)
    result = []
    for whole, part in ((first, one), (second, two)):
        weights = np.zeros(len(whole.days))
        weights[np.isin(whole.days, both)] = alike / part.units
        result.append(weights)
    return result[0], result[1]


def _errors(rate: DailyRate) -> Floats:
    """What each day adds to the relative error of the ratio."""
    result: Floats = (rate.cost - rate.value * rate.units) / rate.cost.sum()
    return result


def _spreads(parts: Sequence[tuple[Ints, Floats, Floats]]) -> list[Spread]:
    memory = _memory(parts)
    return [_spread(*part, memory) for part in parts]


def _memory(parts: Sequence[tuple[Ints, Floats, Floats]]) -> float:
    """Autocorrelation from one day to the next, of all parts together."""
    product = square = count = 0.0
    for days, errors, pulls in parts:
        usable = pulls > 0
        each = errors[usable] / np.sqrt(pulls[usable])
        after = np.diff(days[usable]) == 1
        product += float((each[1:] * each[:-1])[after].sum())
        square += float((each**2).sum())
        count += 1 / float((pulls**2).sum())  # days of one weight that are worth as much
    if square <= 0:
        return 0.0
    found = product / square
    # The mean of each part was taken off, which lowers what is found.
    freed = found + len(parts) * (1 + 3 * found) / count
    drawn = (count * freed + _WORTH * _USUAL) / (count + _WORTH)
    return float(np.clip(drawn, 0.0, _MOST_MEMORY))


def _spread(days: Ints, errors: Floats, pulls: Floats, memory: float) -> Spread:
    """The variance of the sum of the errors, and its degrees of freedom.

    Were the days' ratios ``1 + x`` with x of one variance, the sum would be ``pulls · x`` and the
    squares a quadratic form ``x' Q x``: what both come to under the memory says by how much the
    squares are too small, and how far they scatter.
    """
    scale = 1 / np.sqrt(np.maximum(1 - pulls, 1e-9))
    found = float(((errors * scale) ** 2).sum())
    each = (pulls * scale)[:, None] * (np.eye(len(days)) - pulls[None, :])
    alike = memory ** np.abs(days[:, None] - days[None, :])
    form = each.T @ each @ alike
    size = float(np.trace(form))
    real = float(pulls @ alike @ pulls)
    freedom = size**2 / float((form * form.T).sum())
    return Spread(found * real / size, freedom)


def _joined(parts: Sequence[Spread]) -> Spread:
    """The variance of a difference (Welch 1947)."""
    total = sum(p.variance for p in parts)
    below = sum(p.variance**2 / p.freedom for p in parts)
    return Spread(total, total**2 / below if below > 0 else parts[0].freedom)


def _student(log: float, spread: Spread) -> tuple[float, float, float]:
    """The 95 % interval of what has this logarithm, and the p-value of its being 0."""
    from scipy.special import stdtr, stdtrit

    error = float(np.sqrt(spread.variance))
    if error <= 0:
        value = float(np.exp(log))
        return value, value, 0.0 if abs(log) > 1e-9 else 1.0
    reach = float(stdtrit(spread.freedom, 0.975)) * error
    p = 2 * float(stdtr(spread.freedom, -abs(log) / error))
    return float(np.exp(log - reach)), float(np.exp(log + reach)), p
