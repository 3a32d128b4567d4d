"""Days on which a daily series departs from its weekdays, trend and level.

Every series is taken in logarithms, so that weekdays, growth and noise are shares. Beside the
ordinary (level, weekdays, growth, month ends) stand candidates: pulses of one to four days and
steps to a new level. One matrix product weighs all of them in all series; what stands out goes
through forward selection and backward elimination, in a regression whitened for autocorrelation,
so that neither one spike hides another nor a slow wandering passes for a step.

How sure a departure must be follows from how many were looked for: see `Search`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats
from workbench.spend.changes.ordinary import Fit, Ordinary, Span

__all__ = ["LEAST_DAYS", "Departure", "Search"]

LEAST_DAYS: Final = 14
"""Days without which nothing is looked for: two weeks show one repetition of a week."""

_LONGEST_PULSE: Final = 4
_LEAST_AFTER: Final = 5
"""A step has so many days after it; what began later is a pulse that touches the end."""

_LEAST_BEFORE: Final = 7

_LOOK: Final = 3.0
_NEAR: Final = 0.75
"""What stands out less than so many standard errors, or than this share of what it must, is no
candidate."""

_POWER: Final = 0.05
"""A candidate of which the others leave less than this share cannot be told from them."""

_QUARTER: Final = 91
_STEPS: Final = 2.0
"""So many times the chance a step may have: the autocorrelation against which it is held is a high
one, so that without any it is hardly ever false."""

_BACK: Final = 0.35
"""A step that is undone but for this share of its size has an end."""

_LEAST_SIZE: Final = 0.095
"""Logarithm of 1.1: a smaller change of level is no news, however sure."""

_KNOWN_TURN: Final = 0.405
_UNKNOWN_TURN: Final = 0.56
"""Logarithms of 1.5 and of 1.75: a pulse at a month's end must be larger to be more than just that, by
whether a history shows what month ends are like."""


@dataclass(frozen=True, slots=True, eq=False)
class Departure:
    """One departure of one series.

    Parameters
    ----------
    start, stop
        Numbers of the first day and of the day after the last; `stop` is the number of days where
        it lasts to the end.
    shift
        A new level; else one or a few days.
    score
        How many standard errors its size is from 0.
    size
        Logarithm of actual over expected.
    fit
        The series' regression, with all its departures.
    spans
        Those of the regression that are this departure.
    """

    start: int
    stop: int
    shift: bool
    score: float
    size: float
    fit: Fit
    spans: tuple[Span, ...]

    def days(self, count: int) -> Bools:
        """The mask of its days, shape (count,)."""
        number = np.arange(count)
        mask: Bools = (number >= self.start) & (number < self.stop)
        return mask


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """A search for departures in several series of the same days.

    Parameters
    ----------
    ordinary
        What is ordinary on these days.
    first, last
        Numbers of the first and last day that is reported on.
    series
        In how many series it is looked.
    rate
        How many false alarms are accepted for each 91 days reported, over all series together.
    """

    ordinary: Ordinary
    first: int
    last: int
    series: int
    rate: float = 1.0

    @property
    def chance(self) -> float:
        """The chance of a false alarm that each candidate may have, both sides together."""
        reported = self.last - self.first + 1
        steps = max(len(self.ordinary) - _LEAST_BEFORE - _LEAST_AFTER, 0)
        looks = self.series * (_LONGEST_PULSE * reported + steps)
        return min(self.rate * reported / _QUARTER / max(looks, 1.0), 0.01)

    @property
    def look(self) -> float:
        """How many standard errors a candidate stands out at the least."""
        from scipy import special

        return max(_LOOK, _NEAR * float(-special.ndtri(self.chance / 2)))

    def run(self, spend: Floats) -> list[tuple[Departure, ...]]:
        """Find the departures that touch the days reported on.

        Parameters
        ----------
        spend
            float64, shape (series, days); 0 and more.
        """
        if len(self.ordinary) < LEAST_DAYS:
            return [() for _ in spend]
        look = self.look
        spans = _candidates(len(self.ordinary))
        columns = self.ordinary.columns(spans)
        logs, _ = self.ordinary.logarithms(spend)
        notable = _best(self.ordinary.base, columns, logs) >= look
        notable &= (spend > 0).any(axis=1)
        return [
            self._one(row, spans, columns, look) if some else ()
            for row, some in zip(spend, notable.tolist(), strict=True)
        ]

    def measure(self, spend: Floats, departure: Departure) -> Departure:
        """The same departure in another series of the same days, shape (days,)."""
        fit = Fit.of(self.ordinary, spend, departure.spans)
        size, score = _strength(fit, departure.spans[:1])
        return Departure(
            departure.start, departure.stop, departure.shift, score, size, fit, departure.spans
        )

    def _one(
        self, spend: Floats, spans: Sequence[Span], columns: Floats, look: float
    ) -> tuple[Departure, ...]:
        chosen = _forward(self.ordinary, spend, spans, columns, look)
        while chosen:
            fit = Fit.of(self.ordinary, spend, chosen)
            brief = Fit.of(self.ordinary, spend, chosen, lasting=False)
            steps = [s.stop == len(self.ordinary) for s in chosen]
            needed = np.where(steps, fit.critical(_STEPS * self.chance), fit.critical(self.chance))
            excess = np.where(steps, fit.scores(), brief.scores()) / needed
            excess *= [self._weight(fit, span) for span in chosen]
            weakest = int(np.argmin(excess))
            if excess[weakest] >= 1:
                break
            chosen.pop(weakest)
        else:
            return ()
        found = _joined(fit)
        return tuple(d for d in found if d.start <= self.last and d.stop > self.first)

    def _weight(self, fit: Fit, span: Span) -> float:
        """0 for what is too small to be told, or may be an ordinary month end; else 1."""
        size = abs(fit.size(span))
        least = _LEAST_SIZE
        if self.ordinary.at_month_turn(span):
            least = _KNOWN_TURN if self.ordinary.knows_months else _UNKNOWN_TURN
        return float(size >= least)


def _candidates(count: int) -> list[Span]:
    pulses = [
        Span(start, start + width)
        for width in range(1, _LONGEST_PULSE + 1)
        for start in range(count - width + 1)
    ]
    return pulses + [Span(start, count) for start in range(_LEAST_BEFORE, count - _LEAST_AFTER + 1)]


def _best(base: Floats, columns: Floats, logs: Floats) -> Floats:
    """How far the most striking candidate of each series stands out, shape (series,)."""
    left, power = _beside(base, columns)
    rest = logs - (logs @ base) @ base.T
    best: Floats = _scores(rest, left, power, logs.shape[1] - base.shape[1]).max(axis=1)
    return best


def _beside(base: Floats, columns: Floats) -> tuple[Floats, Floats]:
    """What an orthonormal basis leaves of columns, and its square sum; infinite where little."""
    left = columns - base @ (base.T @ columns)
    power = np.square(left).sum(axis=0)
    least = _POWER * np.square(columns).sum(axis=0).clip(max=len(columns) / 2)
    return left, np.where(power > least, power, np.inf)


def _scores(rest: Floats, left: Floats, power: Floats, freedom: int) -> Floats:
    """|t| of each candidate on its own beside the ordinary, shape (series, candidates)."""
    gain = np.square(rest @ left) / power
    noise = (np.square(rest).sum(axis=1)[:, None] - gain).clip(min=0) / max(freedom - 1, 1)
    result: Floats = np.sqrt(gain / (noise + Fit.FLOOR**2))
    return result


def _forward(
    ordinary: Ordinary, spend: Floats, spans: Sequence[Span], columns: Floats, look: float
) -> list[Span]:
    """Candidates that stand out, one after the other, each beside those before it."""
    logs = ordinary.logarithms(spend[None])[0]
    chosen: list[Span] = []
    base = ordinary.base
    for _ in range(min(max(len(spend) // 7, 2), 12)):
        left, power = _beside(base, columns)
        rest = logs - (logs @ base) @ base.T
        scores = _scores(rest, left, power, len(spend) - base.shape[1])[0]
        best = int(np.argmax(scores))
        if scores[best] < look:
            break
        chosen.append(spans[best])
        base = np.column_stack([base, left[:, best] / np.sqrt(power[best])])
    return chosen


def _strength(fit: Fit, spans: Sequence[Span]) -> tuple[float, float]:
    """Size and score of the most striking of some spans."""
    scores = fit.scores()
    at = max((fit.spans.index(s) for s in spans), key=lambda i: scores[i])
    return fit.size(fit.spans[at]), float(scores[at])


def _joined(fit: Fit) -> list[Departure]:
    """Each span as a departure; a step and the one that undoes it are one."""
    count = len(fit.ordinary)
    spans = sorted(fit.spans)
    found: list[Departure] = []
    used: set[Span] = set()
    for number, span in enumerate(spans):
        if span in used:
            continue
        size = fit.size(span)
        end = next((s for s in spans[number + 1 :] if _undoes(fit, s, size)), None)
        if span.stop == count and end is not None:
            used.add(end)
            both = (span, end)
            score = _strength(fit, both)[1]
            found.append(
                Departure(
                    span.start, end.start, shift=True, score=score, size=size, fit=fit, spans=both
                )
            )
            continue
        shift = span.stop == count and count - span.start > 2
        score = _strength(fit, (span,))[1]
        found.append(Departure(span.start, span.stop, shift, score, size, fit, (span,)))
    return found


def _undoes(fit: Fit, later: Span, size: float) -> bool:
    lasts = later.stop == len(fit.ordinary)
    return lasts and abs(size + fit.size(later)) <= _BACK * abs(size)
