"""Anomalies of spend with their cause: who, which model, and what about it.

Each currency is looked at in total, by application and by group (team, application, provider,
model); see `departures` for what counts as one, `telling` for who tells it, `culprits` for who made
it and `causes` for what did. The chance of a false alarm is shared out over all that is looked at:
about one a quarter in all, however many groups there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.spend.changes.accounts import Ledger, day_numbers
from workbench.spend.changes.anomaly import Anomaly, Kind
from workbench.spend.changes.causes import Cause, Factor, causes
from workbench.spend.changes.culprits import blame
from workbench.spend.changes.departures import LEAST_DAYS, Departure, Search
from workbench.spend.changes.ordinary import Ordinary
from workbench.spend.changes.quantities import compared
from workbench.spend.changes.telling import Event, Level, once
from workbench.spend.prices import Priced, exact

__all__ = ["find_anomalies"]

_MATERIAL: Final = 0.005
"""Less than this share of a usual day's spend in the currency is no anomaly of it, a day."""

_LEARNT: Final = 120
"""So many days before the first reported are learnt from; what was earlier tells little of it."""

_USUAL: Final = 28
"""So many days before an event tell what accounts used to do."""

_LEAST_USUAL: Final = 7
_BRIEF: Final = 4
_MANIFOLD: Final = 2.3
"""Logarithm of 10: a series that changed more began, or ended."""

_CENT: Final = 0.005
_ALIKE: Final = 3
"""An event of at most `_BRIEF` days is held against the same weekdays, if there are so many."""


def find_anomalies(
    history: Priced, seen: Iterable[date], *, first: date, last: date
) -> tuple[Anomaly, ...]:
    """Find spend that departs from what weekdays, growth and level let expect.

    Parameters
    ----------
    history
        Priced usage of all days that were read; to learn from.
    seen
        Days of which enough was seen: without usage they cost 0, others are not known.
    first, last
        Only what touches these days is told.

    Returns
    -------
    tuple of Anomaly
        By size; none where fewer than 14 days were seen.

    Notes
    -----
    Tokens without a price are in no sum, so nothing is said of them.
    """
    days = day_numbers(seen)
    days = days[days >= _number(first) - _LEARNT]
    reported = np.flatnonzero((days >= _number(first)) & (days <= _number(last)))
    if len(days) < LEAST_DAYS or not len(reported):
        return ()
    ordinary = Ordinary.of(days)
    found: list[Anomaly] = []
    for currency in sorted(str(c) for c in history.rows["currency"].unique()):
        ledger = Ledger.of(history, days, currency)
        if currency and len(ledger.usage):
            watch = _Watch.of(ledger, currency, ordinary, int(reported[0]), int(reported[-1]))
            found.extend(watch.anomalies())
    return tuple(sorted(found, key=lambda a: (a.currency, -abs(a.excess), a.first, a.subject)))


def _number(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class _Watch:
    """One currency.

    Parameters
    ----------
    spend, total
        By group and day, and of all by day.
    usual
        A usual day's spend.
    """

    ledger: Ledger
    currency: str
    search: Search
    spend: Floats
    total: Floats
    watched: Ints
    several: tuple[tuple[int, ...], ...]
    usual: float

    @classmethod
    def of(cls, ledger: Ledger, currency: str, ordinary: Ordinary, first: int, last: int) -> _Watch:
        """Choose what is worth watching."""
        spend = ledger.by_group()
        total = spend.sum(axis=0)
        usual = float(np.median(total[total > 0])) if (total > 0).any() else 0.0
        watched = np.flatnonzero(spend.max(axis=1) > _MATERIAL * usual)
        order = np.argsort(ledger.application, kind="stable")
        cuts = np.flatnonzero(np.diff(ledger.application[order])) + 1
        parts = [tuple(p.tolist()) for p in np.split(order, cuts)]
        some = set(watched.tolist())
        several = tuple(p for p in parts if len(p) > 1 and not some.isdisjoint(p))
        count = len(watched) + len(several) + (len(spend) > 1)
        return cls(
            ledger, currency, Search(ordinary, first, last, count), spend, total, watched, several,
            usual,
        )  # fmt: skip

    def anomalies(self) -> list[Anomaly]:
        """Those of the currency."""
        digest = hashlib.blake2b(self.currency.encode("utf-8", "surrogatepass"), digest_size=8)
        rng = np.random.default_rng(int.from_bytes(digest.digest(), "big"))
        groups = self._events(Level.GROUP, [(g,) for g in self.watched.tolist()], rng)
        applications = self._events(Level.APPLICATION, self.several, rng)
        every = tuple(range(len(self.spend)))
        total = self._events(Level.ALL, [every] if len(every) > 1 else [], rng)
        told = once(
            [*groups, *applications, *total],
            application=self.ledger.application,
            spend=self.spend,
            search=self.search,
            rng=rng,
        )
        return [self._anomaly(event) for event in told]

    def _events(
        self, level: Level, groups: Iterable[tuple[int, ...]], rng: np.random.Generator
    ) -> list[Event]:
        """What departs at one level, and is worth telling."""
        members = list(groups)
        if not members:
            return []
        rows = np.array([self.spend[list(m)].sum(axis=0) for m in members])
        events = [
            Event.of(level, member, departure, rng)
            for member, departures in zip(members, self.search.run(rows), strict=True)
            for departure in _told_apart(departures)
        ]
        least = _MATERIAL * self.usual
        return [
            e
            for e in events
            if abs(e.excess) >= least * (e.departure.stop - e.departure.start)
            and (e.excess > 0) == (e.departure.size > 0)
        ]

    def _anomaly(self, event: Event) -> Anomaly:
        """The event with who and why."""
        ledger, departure = self.ledger, event.departure
        days = departure.days(len(ledger.days))
        scope = ledger.rows_of(event.groups)
        before = _usual_days(event)
        expected = float(event.course.expected[days].sum())
        usual = float(ledger.amount[scope & before[ledger.day]].sum())
        found = blame(ledger, scope, days, before, expected)
        reasons = causes(
            *compared(ledger, found.rows, days, before, expected / usual if usual else 0.0)
        )
        chosen = scope & days[ledger.day]
        actual = exact(ledger.money.loc[chosen, "amount"])
        low, high = np.quantile(event.draws, [0.1, 0.9]).tolist()
        dates = ledger.days[days].astype("datetime64[D]").astype(object)
        lasts = departure.shift and departure.stop == len(ledger.days)
        spent = float(self.total[days].sum())
        return Anomaly(
            kind=Kind.SHIFT if departure.shift else Kind.SPIKE,
            currency=self.currency,
            first=dates[0],
            last=None if lasts else dates[-1],
            through=dates[-1],
            days=int(days.sum()),
            level=event.level.value,
            actual=actual,
            expected=_rounded(expected),
            low=_rounded(low),
            high=_rounded(high),
            who=found.culprits,
            spread=found.spread,
            causes=_whole(reasons, float(actual) - expected),
            share=event.excess / max(spent, spent - event.excess, 1e-300),
            score=departure.score,
            course=event.course,
        )


def _told_apart(departures: Sequence[Departure]) -> list[Departure]:
    """Without those of a series that is too new, or gone too long, to have weekdays of its own."""
    moves = [d.start for d in departures if d.shift and abs(d.size) >= _MANIFOLD]
    return [
        d
        for d in departures
        if not any(
            m <= d.start < m + LEAST_DAYS or d.start < m < d.stop for m in moves if m != d.start
        )
    ]


def _whole(found: tuple[Cause, ...], excess: float) -> tuple[Cause, ...]:
    """The causes at those to blame, and what the other accounts of the series make of the excess."""
    rest = excess - sum(c.money for c in found)
    if abs(rest) <= _CENT:
        return found
    others = Cause(Factor.OTHERS, rest, float("nan"), float("nan"))
    return tuple(sorted((*found, others), key=lambda c: -abs(c.money)))


def _rounded(money: float) -> Decimal:
    return Decimal(repr(round(money, 6)))


def _usual_days(event: Event) -> Bools:
    """The days that tell what accounts did before, shape (days,)."""
    count = len(event.course.days)
    number = np.arange(count)
    departure = event.departure
    usual = np.ones(count, np.bool_)
    since = 0
    for span in departure.fit.spans:
        inside = (number >= span.start) & (number < span.stop)
        if span in departure.spans or span.stop < count:
            usual &= ~inside
        elif span.start < departure.start - _ALIKE:
            since = max(since, span.start)
    usual &= ~departure.days(count)
    near = usual & (number >= max(since, departure.start - _USUAL)) & (number < departure.start)
    if near.sum() < _LEAST_USUAL and since == 0:
        near = usual & (number >= departure.start - _USUAL) & (number < departure.stop + _USUAL)
    if departure.stop - departure.start <= _BRIEF:
        weekdays = event.course.days % 7
        alike = near & np.isin(weekdays, weekdays[departure.start : departure.stop])
        if alike.sum() >= _ALIKE:
            near = alike
    return near
