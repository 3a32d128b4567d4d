"""The spend analysis: usage and prices in, money with its bounds and findings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, TypedDict

import numpy as np

from workbench.errors import InputError
from workbench.spend.budgeting.budgets import Budget
from workbench.spend.budgeting.standings import Ledger
from workbench.spend.changes.anomalies import find_anomalies
from workbench.spend.changes.anomaly_findings import conclude_anomalies
from workbench.spend.changes.effects import PRICED, Effects, effects
from workbench.spend.conclusions import conclude
from workbench.spend.latency_cost import latency_beside_cost
from workbench.spend.own_cost import conclude_own_cost
from workbench.spend.prices import Priced, Prices, as_floats, price
from workbench.spend.rate_limits.conclusions import conclude_rate_limits
from workbench.spend.reading.request_sizes import request_sizes
from workbench.spend.result import Answers, SpendResult
from workbench.spend.savings.caching import caching
from workbench.spend.savings.conclusions import conclude_savings
from workbench.spend.savings.waste import waste
from workbench.spend.self_hosted.conclusions import conclude_self_hosted
from workbench.spend.unit_cost.conclusions import conclude_unit_costs
from workbench.spend.unit_cost.costs import unit_costs

if TYPE_CHECKING:
    import pandas as pd

    from workbench.findings import Finding
    from workbench.spend.rate_limits.analysis import RateLimits
    from workbench.spend.reading.reader import Reading
    from workbench.spend.self_hosted.result import SelfHosted
    from workbench.spend.unit_cost.reading import UnitCounts

__all__ = ["Beside", "analyse"]

_TOKENS: Final = [c.value for c in PRICED]

_SEEN: Final = 0.5
"""A day of which less was seen tells no spend."""

_WHOLE: Final = 0.95
"""Between its samples a counter loses nothing, before the first everything."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What else was asked of the source, beside usage.

    Parameters
    ----------
    units
        Units of success.
    rate_limits
        How near usage came to rate limits; None where nobody was asked.
    self_hosted
        What machines of one's own cost; None where nobody told of any.
    """

    units: Sequence[UnitCounts] = ()
    rate_limits: RateLimits | None = None
    self_hosted: SelfHosted | None = None


def analyse(
    reading: Reading,
    prices: Prices,
    *,
    first: date,
    last: date,
    zone: str = "UTC",
    budgets: Sequence[Budget] = (),
    beside: Beside | None = None,
    seed: int = 0,
) -> SpendResult:
    """Price what was read and tell what it adds up to.

    Parameters
    ----------
    reading
        Usage of the period and of the history before it.
    prices
        List prices and the user's price book.
    first, last
        The period, both days included; `last` is the last whole day.
    zone
        Whose midnights parted the days.
    budgets
        To be held against spend.
    beside
        What else was asked.
    seed
        Of the drawn futures.

    Raises
    ------
    InputError
        The period ends before it begins.
    """
    if last < first:
        msg = f"the period ends on {last}, before it begins on {first}"
        raise InputError(msg, "give a period of one day or more")
    sizes = request_sizes(reading)
    cost = partial(price, prices=prices, sizes=sizes, own_currency=reading.currencies)
    history = cost(reading.table)
    days = reading.table["day"].dt.date.to_numpy()
    now = (days >= first) & (days <= last)
    length = (last - first).days + 1
    start = first - timedelta(days=length)
    seen = _seen_days(reading)
    priced = cost(reading.table[now])
    before = None
    if all(start + timedelta(days=d) in seen for d in range(length)):
        before = cost(reading.table[(days >= start) & (days < first)])
    standings = Ledger(history, seen, last).standings(budgets, seed)
    changes = _effects(before, priced) if before is not None else {}
    counted = _counted(reading)
    period: _Period = {"first": first, "last": last}
    beside = beside or Beside()
    answers = Answers(
        anomalies=find_anomalies(history, seen, **period),
        unit_costs=unit_costs(history, counted, beside.units, extras=reading.extras, **period),
        caching=caching(priced, history, reading, sizes=sizes, **period),
        waste=waste(priced, reading, **period),
        latency=latency_beside_cost(priced, reading, **period),
        rate_limits=beside.rate_limits,
        self_hosted=beside.self_hosted,
    )
    known = conclude(
        reading.flaws, priced, changes, standings, last,
        machines=beside.self_hosted is not None,
    )  # fmt: skip
    found = [*known, *conclude_own_cost(priced), *_conclude(answers)]
    found.sort(key=_order)
    return SpendResult(
        first, last, zone, priced, counted[now].reset_index(drop=True), before, changes,
        _daily(history, counted), standings, history, reading, sizes, answers, tuple(found),
    )  # fmt: skip


class _Period(TypedDict):
    """The period as most answers take it."""

    first: date
    last: date


def _order(finding: Finding) -> tuple[int, str, float, str]:
    """The worst first; of one kind the likeliest or largest first."""
    told = (finding.evidence.get(name) for name in ("chance", "excess", "share"))
    size = next((float(v) for v in told if isinstance(v, int | float)), 0.0)
    return -finding.severity.rank, finding.code, -size, finding.about


def _conclude(answers: Answers) -> Iterator[Finding]:
    """The findings of all answers."""
    yield from conclude_anomalies(answers.anomalies)
    yield from conclude_unit_costs(answers.unit_costs)
    yield from conclude_savings(answers.caching, answers.waste)
    if answers.rate_limits is not None:
        yield from conclude_rate_limits(answers.rate_limits)
    if answers.self_hosted is not None:
        yield from conclude_self_hosted(answers.self_hosted)


def _counted(reading: Reading) -> pd.DataFrame:
    """Least and most tokens of each row as multiples of what was counted."""
    import pandas as pd

    tokens = reading.table[_TOKENS].fillna(0.0).sum(axis=1).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(tokens > 0, reading.bounds["low"].to_numpy() / tokens, 1.0)
        high = np.where(tokens > 0, reading.bounds["high"].to_numpy() / tokens, 1.0)
    return pd.DataFrame({"low": np.clip(low, 0.0, 1.0), "high": np.maximum(high, 1.0)})


def _seen_days(reading: Reading) -> set[date]:
    """Days of which enough was seen; the first only where it is whole, for data begin in it."""
    best = reading.coverage.groupby("day")["coverage"].max()
    best = best[best > 0].sort_index()
    if len(best) and best.iloc[0] < _WHOLE:
        best = best.iloc[1:]
    days = best.index.to_numpy().astype("datetime64[D]")
    return set(days[best.to_numpy() >= _SEEN].astype(object))


def _daily(history: Priced, counted: pd.DataFrame) -> pd.DataFrame:
    rows = history.rows
    frame = history.usage[["day"]].assign(
        currency=rows["currency"].astype(str),
        amount=as_floats(rows["amount"]),
        low=as_floats(rows["low"]) * counted["low"].to_numpy(),
        high=as_floats(rows["high"]) * counted["high"].to_numpy(),
    )
    known = frame[rows["amount"].notna().to_numpy()]
    return known.groupby(["day", "currency"], sort=True).sum().reset_index()


def _effects(before: Priced, after: Priced) -> dict[str, Effects]:
    """Why spend changed, by currency."""
    currencies = sorted({*before.total(), *after.total()})
    return {c: effects(_by_model(before, c), _by_model(after, c)) for c in currencies}


def _by_model(priced: Priced, currency: str) -> pd.DataFrame:
    """Tokens and money by class, a row a model; only what has a price."""
    rows = priced.rows
    some = (rows["currency"].astype(str) == currency).to_numpy() & rows["amount"].notna().to_numpy()
    table = priced.usage.loc[some, _TOKENS].fillna(0.0)
    for name in _TOKENS:
        table[f"spend_{name}"] = as_floats(rows.loc[some, name])
    table["requests"] = priced.usage.loc[some, "requests"]
    model = [priced.usage.loc[some, name].astype(str) for name in ("provider", "model")]
    names = (model[0] + "/" + model[1]).to_numpy()
    sums = table.groupby(names).sum()
    uncounted = table["requests"].isna().groupby(names).all()
    sums.loc[uncounted, "requests"] = np.nan
    return sums
