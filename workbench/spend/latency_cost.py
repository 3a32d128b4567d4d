"""What each model costs beside how long it takes, and which are dearer and slower than another.

Models are asked different things: this is no comparison of like with like. It shows where one is
worth making.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.samples import Floats
from workbench.spend.prices import Priced, as_floats
from workbench.spend.reading.layers import model_key
from workbench.statistics import BucketCounts, estimate_quantiles
from workbench.statistics.inversion import invert

if TYPE_CHECKING:
    import pandas as pd

    from workbench.spend.reading.reader import Reading

__all__ = ["QUANTILES", "Interval", "LatencyCost", "ModelCost", "latency_beside_cost"]

QUANTILES: Final = (0.5, 0.95, 0.99)

_KEY: Final = ["profile", "provider", "model"]

_LEAST: Final = 100
"""Requests below which no quantile is told."""

_SAME: Final = (0.5, 1.25)
"""Durations are those of the requests that were counted where there are between so many for each."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its bounds.

    Parameters
    ----------
    value, low, high
        `high` is infinite where nothing bounds it.
    """

    value: float
    low: float
    high: float

    def to_list(self) -> list[float | None]:
        """Value, low and high, for JSON; None for infinity."""
        return [each if np.isfinite(each) else None for each in (self.value, self.low, self.high)]


@dataclass(frozen=True, slots=True)
class ModelCost:
    """One model, as one profile tells of it.

    Parameters
    ----------
    profile, provider, model
        Who tells it, and as labelled.
    currency
        Of its cost; ``""`` where it has no price, or is paid in several currencies.
    requests, output
        Requests and output tokens of the period; NaN where they are not counted.
    per_1000, per_million
        All that it cost for 1,000 requests, and for a million output tokens: the input is in both.
        Bounds are those of the prices: what was missed between scrapes is missing in both counts.
        None without a price, or a count.
    unpriced
        Share of its tokens that have no price and are in neither.
    latency
        By quantile, seconds of a request, with 95 % intervals; empty where they are not told.
    per_token
        Seconds of a request for each output token, the wait for the first one among them; bounds are
        those of the buckets.
    errors
        Share of requests that failed; None where errors are not counted.
    applications
        Which used it.
    dominated
        Models that the same application uses and that are surely cheaper a request and faster at the
        95th percentile, each with the application: its name and the other's provider and model.
    why
        Why there is no latency.
    """

    profile: str
    provider: str
    model: str
    currency: str
    requests: float
    output: float
    per_1000: Interval | None
    per_million: Interval | None
    unpriced: float
    latency: Mapping[float, Interval]
    per_token: Interval | None
    errors: float | None
    applications: tuple[str, ...]
    dominated: tuple[tuple[str, str, str], ...] = ()
    why: str = ""

    @property
    def name(self) -> str:
        """Provider and model."""
        return f"{self.provider}/{self.model}".strip("/")

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: figures are ``[value, low, high]``."""
        count = {n: getattr(self, n) for n in ("requests", "output")}
        plain = {n: None if np.isnan(v) else v for n, v in count.items()}
        figures = {n: getattr(self, n) for n in ("per_1000", "per_million", "per_token")}
        return {
            **{n: getattr(self, n) for n in (*_KEY, "currency", "unpriced", "errors", "why")},
            **plain,
            **{n: v.to_list() if v else None for n, v in figures.items()},
            "latency": {f"p{q * 100:g}": v.to_list() for q, v in self.latency.items()},
            "applications": list(self.applications),
            "dominated": [list(each) for each in self.dominated],
        }


@dataclass(frozen=True, slots=True)
class LatencyCost:
    """All models of a period.

    Parameters
    ----------
    first, last
        Both days included.
    models
        The dearest a request first, by currency; those without a price last.
    """

    first: date
    last: date
    models: tuple[ModelCost, ...]

    def front(self, currency: str) -> tuple[ModelCost, ...]:
        """The Pareto front: no other model is both cheaper a request and faster, by the estimates."""
        known = [
            (m, m.per_1000.value, m.latency[0.95].value)
            for m in self.models
            if m.currency == currency and m.per_1000 and m.latency
        ]
        return tuple(
            m for m, cost, slow in known
            if not any(c <= cost and s <= slow and (c, s) != (cost, slow) for _, c, s in known)
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        currencies = sorted({m.currency for m in self.models if m.currency})
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "models": [m.to_dict() for m in self.models],
            "front": {c: [[m.profile, m.name] for m in self.front(c)] for c in currencies},
            "like_with_like": False,
        }


def latency_beside_cost(
    priced: Priced, reading: Reading, *, first: date, last: date
) -> LatencyCost:
    """Lay cost and latency of each model side by side.

    Parameters
    ----------
    priced
        Usage of the period with its prices.
    reading
        Of the same days, with the histograms.
    first, last
        The period, both days included.
    """
    found = _durations(reading, first, last)
    rows = list(_models(priced, found, first, last))
    rows = [replace(row, dominated=_dominated(row, rows)) for row in rows]
    order = sorted(
        rows, key=lambda m: (not m.currency, m.currency, -(m.per_1000.value if m.per_1000 else 0))
    )
    return LatencyCost(first, last, tuple(order))


def _durations(
    reading: Reading, first: date, last: date
) -> dict[tuple[str, str, str], BucketCounts]:
    """Durations of the period by profile, provider and model; without what was counted twice."""
    table = reading.histograms
    dates = table["day"].to_numpy().astype("datetime64[D]")
    inside = (dates >= np.datetime64(first)) & (dates <= np.datetime64(last))
    table = table[inside & (table["histogram"] == "duration").to_numpy()]
    pairs = reading.duplicates[["profile", "model"]].astype(str).drop_duplicates()
    twice = {(p, model_key(m)) for p, m in zip(pairs["profile"], pairs["model"], strict=True)}
    result = {}
    for key, rows in table.groupby(_KEY, observed=True):
        profile, provider, model = map(str, key)
        if (profile, model_key(model)) not in twice:
            counts = _together(rows)
            if counts is not None:
                result[profile, provider, model] = counts
    return result


def _together(rows: pd.DataFrame) -> BucketCounts | None:
    """The days' buckets as one, on the bounds that all days have; None without such."""
    wide = rows.pivot_table(index="day", columns="le", values="count", aggfunc="sum")
    bounds = wide.columns.to_numpy(np.float64)
    shared = wide.notna().all(axis=0).to_numpy()
    if not shared.any() or not np.isposinf(bounds[shared][-1]) or shared.sum() < 2:
        return None
    return BucketCounts.from_cumulative(bounds[shared], wide.to_numpy()[:, shared]).summed()


def _models(
    priced: Priced,
    durations: Mapping[tuple[str, str, str], BucketCounts],
    first: date,
    last: date,
) -> Iterator[ModelCost]:
    usage = priced.usage
    dates = usage["day"].to_numpy().astype("datetime64[D]")
    inside = (dates >= np.datetime64(first)) & (dates <= np.datetime64(last))
    names = usage[[*_KEY, "application"]].astype(str)
    money = {n: as_floats(priced.rows[n]) for n in ("amount", "low", "high")}
    tokens = usage[["input", "cache_read", "cache_write", "output"]].fillna(0.0).sum(axis=1)
    figures = names.assign(
        **money,
        tokens=tokens.to_numpy(),
        unpriced=priced.rows["unpriced"].to_numpy(np.float64),
        **{n: usage[n].to_numpy(np.float64) for n in ("requests", "errors", "output")},
        currency=priced.rows["currency"].astype(str).where(priced.rows["amount"].notna(), "")
        .to_numpy(),
    )  # fmt: skip
    for key, rows in figures[inside].groupby(_KEY, sort=True):
        profile, provider, model = map(str, key)
        yield _model((profile, provider, model), rows, durations.get((profile, provider, model)))


def _model(
    key: tuple[str, str, str], rows: pd.DataFrame, durations: BucketCounts | None
) -> ModelCost:
    requests, errors, output = (
        float(rows[n].sum(min_count=1)) for n in ("requests", "errors", "output")
    )
    paid = rows[rows["amount"] > 0]
    currencies = sorted(set(paid["currency"]) - {""})
    # Costs of several currencies are never added up: such a model has none here.
    currency = currencies[0] if len(currencies) == 1 else ""
    cost = tuple(float(paid[n].sum()) for n in ("amount", "low", "high")) if currency else None
    tokens, unpriced = float(rows["tokens"].sum()), float(rows["unpriced"].sum())
    # What has no price must not make what has one look cheap.
    bought = rows if not unpriced else rows[rows["currency"] != ""]
    latency, per_token, why = _latency(durations, requests, errors, output)
    used = sorted(set(rows.loc[rows["tokens"] + rows["requests"].fillna(0) > 0, "application"]))
    return ModelCost(
        *key, currency, requests, output,
        _each(cost, float(bought["requests"].sum()) / 1000),
        _each(cost, float(bought["output"].sum()) / 1e6),
        unpriced / tokens if tokens else 0.0, latency, per_token,
        None if np.isnan(errors) or not requests > 0 else min(errors / requests, 1.0),
        tuple(name for name in used if name), why=why,
    )  # fmt: skip


def _each(cost: Sequence[float] | None, count: float) -> Interval | None:
    if cost is None or not count > 0:
        return None
    value, low, high = (each / count for each in cost)
    return Interval(value, low, high)


def _latency(
    durations: BucketCounts | None, requests: float, errors: float, output: float
) -> tuple[dict[float, Interval], Interval | None, str]:
    """Quantiles of the duration, seconds an output token, and why there are none."""
    if durations is None:
        return {}, None, "no histogram tells how long its requests take"
    total = float(durations.total)
    if total < _LEAST:
        return {}, None, f"fewer than {_LEAST} durations were counted"
    found = estimate_quantiles(durations, QUANTILES)
    latency = {
        q: Interval(float(found.value[i]), float(found.low[i]), float(found.high[i]))
        for i, q in enumerate(QUANTILES)
    }
    served = requests - (errors if errors > 0 else 0.0)
    low, high = _SAME
    same = not requests > 0 or low * served <= total <= high * requests
    per_token = _per_token(durations, output) if output > 0 and same else None
    return latency, per_token, ""


def _per_token(durations: BucketCounts, output: float) -> Interval:
    """All seconds by all output tokens: between both ends of each duration's bucket.

    The value is that of the quantiles at the middles of 200 equal shares.
    """
    edges, counts = durations.edges, durations.counts
    some = counts > 0
    least, most = ((ends[some] * counts[some]).sum() for ends in (edges[:-1], edges[1:]))
    shares = (np.arange(200) + 0.5) / 200
    mean = float(np.mean(invert(durations, shares).value))
    bounds: Floats = np.array([max(float(least), 0.0), float(most)]) / output
    value = mean * float(durations.total) / output
    return Interval(float(np.clip(value, *bounds)), float(bounds[0]), float(bounds[1]))


def _dominated(row: ModelCost, rows: Sequence[ModelCost]) -> tuple[tuple[str, str, str], ...]:
    """Models of the same applications that are cheaper and faster beyond all intervals."""
    return tuple(
        (application, other.provider, other.model)
        for other in rows
        if _is_better(other, row)
        for application in sorted({*row.applications} & {*other.applications})
    )


def _is_better(one: ModelCost, other: ModelCost) -> bool:
    if one.per_1000 is None or other.per_1000 is None or not one.latency or not other.latency:
        return False
    if one.currency != other.currency or one.unpriced:
        return False
    cheaper = one.per_1000.high < other.per_1000.low
    return cheaper and one.latency[0.95].high < other.latency[0.95].low
