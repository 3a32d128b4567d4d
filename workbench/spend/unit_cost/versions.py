"""Prompt versions of one application against each other: which is the dearer, by how much, and why.

Versions that ran one after the other cannot be told apart from time: other traffic, other users, other
questions came with the days. Versions that ran side by side are compared on the same days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from itertools import combinations
from typing import Any, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats
from workbench.spend.unit_cost.differences import Difference, PerRequest, difference
from workbench.spend.unit_cost.ledger import Grouped, Ledger, Tally
from workbench.spend.unit_cost.panel import CLASSES, SURE
from workbench.spend.unit_cost.placing import told_days
from workbench.spend.unit_cost.significance import (
    Contrast,
    DailyRate,
    contrast,
    day_weights,
    holm,
    mean_interval,
)

__all__ = ["VersionCost", "VersionPair", "compare_versions"]

_EVERY_PAIR: Final = 6
"""Of so many versions every pair is compared, of more each with the newest."""

_MOST: Final = 200
"""So many applications are looked at, those that spent most."""

_LEVELS: Final = (("team", "application"), ("team", "application", "model"))

_ONCE: Final = ("request", "served request")


@dataclass(frozen=True, slots=True)
class VersionCost:
    """What one of something cost with one version.

    Parameters
    ----------
    team, application, model
        Whose; `model` is ``""`` for all of the application.
    currency
        Of the cost.
    measure
        ``request``, ``served request``, or a unit of success.
    version
        Of the prompt.
    cost
        Of one.
    low, high
        Its 95 % interval, NaN where there are too few days.
    count
        How many there were.
    days, first, last
        On how many days, and on which as the first and the last.
    """

    team: str
    application: str
    model: str
    currency: str
    measure: str
    version: str
    cost: float
    low: float
    high: float
    count: float
    days: int
    first: date
    last: date

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        numbers = {n: _told(getattr(self, n)) for n in ("cost", "low", "high")}
        days = {"first": self.first.isoformat(), "last": self.last.isoformat()}
        return {**asdict(self), **numbers, **days}


@dataclass(frozen=True, slots=True)
class VersionPair:
    """Two versions compared.

    Parameters
    ----------
    older, newer
        By the first day on which each was used.
    found
        The newer's cost as a multiple of the older's; None where they cannot be compared.
    reason
        Why they cannot.
    p
        Corrected for how many pairs were compared (Holm), NaN where there is none.
    successive
        Whether `newer` is the application's newest and `older` the one before it.
    requests
        The mean request of each, and what makes up the difference in cost; for requests only.
    """

    older: VersionCost
    newer: VersionCost
    found: Contrast | None
    reason: str = ""
    p: float = float("nan")
    successive: bool = False
    requests: tuple[PerRequest, PerRequest, Difference] | None = field(default=None)

    @property
    def measure(self) -> str:
        """What was compared."""
        return self.newer.measure

    @property
    def paired(self) -> bool:
        """Whether the same days were compared, so that time explains nothing of the difference."""
        return self.found is not None and self.found.paired

    @property
    def significant(self) -> bool:
        """Whether chance explains the difference in less than 5 of 100 cases, all pairs together."""
        return self.p < 0.05

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "older": self.older.to_dict(),
            "newer": self.newer.to_dict(),
            "ratio": self.found and asdict(self.found),
            "p_corrected": _told(self.p),
            "side_by_side": self.paired,
            "reason": self.reason,
            "causes": asdict(self.requests[2]) if self.requests else None,
        }


def compare_versions(
    ledger: Ledger, until: Bools
) -> tuple[tuple[VersionCost, ...], tuple[VersionPair, ...]]:
    """Compare the versions of each application, over all its models and within each.

    Parameters
    ----------
    ledger
        Spend and counts.
    until
        bool, shape (days,): the days that are looked at.

    Returns
    -------
    tuple
        What each version cost, and pairs of them; p-values are corrected over all pairs of one
        measure, over all models and within them apart.
    """
    costs: list[VersionCost] = []
    pairs: list[VersionPair] = []
    for names in _LEVELS:
        level: list[VersionPair] = []
        grouped = ledger.grouped((*names, "prompt_version", "currency"))
        sums = _Sums.of(ledger, grouped)
        for family in _families(ledger, grouped, names, until):
            versions = _Versions(grouped, sums, family, until)
            costs += versions.costs
            level += versions.pairs
        pairs += _corrected(level)
    return tuple(costs), tuple(pairs)


def _families(
    ledger: Ledger, grouped: Grouped, names: Sequence[str], until: Bools
) -> Iterator[list[int]]:
    """Groups that differ by version only, two or more, those that spent most first."""
    keys = grouped.keys
    spent = grouped.requests.cost[:, until].sum(axis=1)
    usable = (keys["prompt_version"] != "").to_numpy(bool) & (spent > 0)
    if "model" in names:  # one model alone is the application as a whole
        own = ledger.panel.accounts.groupby(["team", "application"])["model"].nunique()
        models = own.reindex(keys[["team", "application"]].apply(tuple, axis=1)).to_numpy()
        usable &= models > 1
    places = np.flatnonzero(usable)
    if not len(places):
        return
    family = keys.iloc[places].groupby([*names, "currency"], sort=False).ngroup().to_numpy()
    total = np.bincount(family, spent[places])
    for number in np.argsort(-total, kind="stable")[:_MOST]:
        members = places[family == number].tolist()
        if len(members) > 1:
            yield members


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Of each group: its names, and by token class what was used and spent, day by day."""

    names: Sequence[Mapping[str, str]]
    dates: Sequence[date]
    tokens: Sequence[Floats]
    money: Sequence[Floats]
    fees: Floats

    @classmethod
    def of(cls, ledger: Ledger, grouped: Grouped) -> _Sums:
        size = len(grouped.keys)

        def summed(values: Floats) -> Floats:
            return ledger.sums(values, grouped.number, size)

        panel = ledger.panel
        return cls(
            [{str(k): str(v) for k, v in row.items()} for row in grouped.keys.to_dict("records")],
            panel.dates.astype("datetime64[D]").astype(object).tolist(),
            [summed(panel.tokens[c]) for c in CLASSES],
            [summed(panel.money[c]) for c in CLASSES],
            summed(panel.money["request"]),
        )

    def mean(self, group: int, rate: DailyRate, weights: Floats) -> PerRequest:
        """The mean request of a group, days weighted."""

        def each(values: Floats) -> float:
            return float(values[group, rate.days] @ weights) / float(rate.units @ weights)

        return PerRequest(
            np.array([each(v) for v in self.tokens]),
            np.array([each(v) for v in self.money]),
            each(self.fees),
        )


class _Versions:
    """The versions of one application, or of one model of it."""

    def __init__(self, grouped: Grouped, sums: _Sums, family: Sequence[int], until: Bools) -> None:
        self._sums, self._until = sums, until
        busy = (grouped.requests.cost > 0) & until
        self._order = sorted(family, key=lambda g: (int(busy[g].argmax()), g))
        self.costs: list[VersionCost] = []
        self.pairs: list[VersionPair] = []
        for measure, tally in grouped.tallies().items():
            self._compare(measure, tally)

    def _compare(self, measure: str, tally: Tally) -> None:
        rates: dict[int, DailyRate] = {}
        costs: dict[int, VersionCost] = {}
        for group in self._order:
            if _is_told(measure, tally, group) and tally.cost[group].any():
                rates[group] = self._rate(tally, group, late=measure not in _ONCE)
                if rates[group].value > 0:
                    costs[group] = self._cost(group, measure, rates[group])
        self.costs += costs.values()
        known = list(costs)
        pairs = combinations(known, 2)
        newest = self._order[-1]
        for older, newer in pairs:
            if len(known) > _EVERY_PAIR and newer != newest:
                continue
            found = contrast(rates[older], rates[newer])
            self.pairs.append(
                VersionPair(
                    costs[older],
                    costs[newer],
                    found if isinstance(found, Contrast) else None,
                    found if isinstance(found, str) else "",
                    successive=newer == newest and known[-2:] == [older, newer],
                    requests=self._requests(older, newer, rates) if measure == "request" else None,
                )
            )

    def _rate(self, tally: Tally, group: int, *, late: bool) -> DailyRate:
        cost, units = tally.cost[group], tally.point[group]
        use = self._until & ((cost > 0) | (units > 0))
        if late:
            use &= told_days(units, cost)
        days = np.flatnonzero(use)
        return DailyRate(days, cost[days], units[days])

    def _cost(self, group: int, measure: str, rate: DailyRate) -> VersionCost:
        key, dates = self._sums.names[group], self._sums.dates
        around = mean_interval(rate) or (np.nan, np.nan)
        return VersionCost(
            key["team"], key["application"], key.get("model", ""), key["currency"], measure,
            key["prompt_version"], rate.value, *around, float(rate.units.sum()), rate.enough,
            dates[rate.days[0]], dates[rate.days[-1]],
        )  # fmt: skip

    def _requests(
        self, older: int, newer: int, rates: Mapping[int, DailyRate]
    ) -> tuple[PerRequest, PerRequest, Difference]:
        """The mean requests of two versions, as they were compared."""
        one, two = rates[older], rates[newer]
        weights = day_weights(one, two)
        before = self._sums.mean(older, one, weights[0])
        after = self._sums.mean(newer, two, weights[1])
        return before, after, difference(before, after)


def _is_told(measure: str, tally: Tally, group: int) -> bool:
    """Whether a version's own count is known: shared out it would only repeat that of requests."""
    if measure != "served request":
        return bool(tally.known[group])
    return bool(tally.high[group].sum() <= SURE * tally.low[group].sum())


def _corrected(pairs: list[VersionPair]) -> list[VersionPair]:
    """Give each pair its p-value, corrected over the pairs of its measure."""
    result = list(pairs)
    for measure in dict.fromkeys(p.measure for p in pairs):
        places = [i for i, p in enumerate(pairs) if p.measure == measure and p.found]
        ps = [found.p for i in places if (found := pairs[i].found)]
        for i, p in zip(places, holm(ps), strict=True):
            result[i] = replace(pairs[i], p=p)
    return result


def _told(value: float) -> float | None:
    return value if np.isfinite(value) else None
