"""Requests that a rate limit refused: whose, when, and at which rate of use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.samples import Floats
from workbench.spend.counting.days import zone_of
from workbench.spend.rate_limits.headroom import Seen
from workbench.spend.rate_limits.onset import Onset, onset
from workbench.spend.rate_limits.traffic import Group, Traffic
from workbench.spend.reading.layers import model_key

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Hour", "Refusal", "refusals", "refused_by"]

ACCOUNT: Final = ("provider", "model", "team", "application")

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Hour:
    """The hour in which most requests were refused.

    Parameters
    ----------
    start_ms
        Where it begins, milliseconds since the epoch: a full hour of UTC.
    refused
        Requests refused in it, by the rates.
    share
        Of its requests; None where these are not counted.
    """

    start_ms: int
    refused: float
    share: float | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"start_ms": self.start_ms, "refused": self.refused, "share": self.share}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused of one model.

    Parameters
    ----------
    provider, model
        As labelled where refusals are counted.
    refused, requests
        In the period, by the exact counts; requests are NaN where they are not counted.
    before
        The share that was refused in the period of equal length before; None where the history
        does not hold it, or counts no requests.
    days
        By local date: refused, and all requests.
    worst
        The hour with the most refusals; None where there are no rates.
    clock
        float64, shape (24,): the share refused in each hour of the day; NaN without requests.
    begins
        From which rate on requests are refused, or why that is not told.
    """

    provider: str
    model: str
    refused: float
    requests: float
    before: float | None
    days: Mapping[date, tuple[float, float]]
    worst: Hour | None
    clock: Floats
    begins: Onset | str

    @property
    def share(self) -> float | None:
        """The share of requests that was refused; None where requests are not counted."""
        return share(self.refused, self.requests)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "provider": self.provider,
            "model": self.model,
            "refused": self.refused,
            "requests": None if np.isnan(self.requests) else self.requests,
            "share": self.share,
            "share_before": self.before,
            "days": {day.isoformat(): list(each) for day, each in self.days.items()},
            "worst_hour": self.worst.to_dict() if self.worst else None,
            "by_hour": [None if np.isnan(s) else round(float(s), 5) for s in self.clock],
            "begins": self.begins if isinstance(self.begins, str) else self.begins.to_dict(),
        }


def share(refused: float, requests: float) -> float | None:
    """The share of requests that was refused; a gateway may not count refused ones as requests."""
    return None if not requests > 0 else refused / max(refused, requests)


def refused_by(table: pd.DataFrame, by: Sequence[str] = ACCOUNT) -> pd.DataFrame:
    """Add refused requests up.

    Parameters
    ----------
    table
        The canonical table.
    by
        Dimensions, among them ``provider`` and ``model``.

    Returns
    -------
    DataFrame
        A row for each group that has refusals, most first: the dimensions, ``refused`` and
        ``requests``. Where refusals are told without the provider, as by a gateway that refuses
        before it has chosen one, requests are those of all providers of that model; where there are
        none of that name either, NaN.
    """
    names = table[[*by]].astype(str)
    sums = table[["rate_limited", "requests"]].fillna(0.0).groupby([names[d] for d in by]).sum()
    sums = sums.rename(columns={"rate_limited": "refused"}).reset_index()
    sums["requests"] = sums["requests"].where(sums["requests"] > 0)
    rest = [d for d in by if d not in ("provider", "model")]
    found = sums[sums["refused"] > 0].reset_index(drop=True)
    for each in (sums, found):
        each["key"] = [model_key(model) for model in each["model"]]
    totals = sums.groupby(["key", *rest])["requests"].sum(min_count=1).rename("others")
    others = found.merge(totals.reset_index(), on=["key", *rest], how="left")["others"]
    loose = found["provider"] == ""
    found["requests"] = found["requests"].where(found["requests"].notna() | ~loose, others)
    found = found.drop(columns="key")
    return found.sort_values("refused", ascending=False, kind="stable", ignore_index=True)


def refusals(seen: Seen) -> Iterator[Refusal]:
    """What was refused, by model, most first."""
    now = seen.in_period()
    before = _shares_before(seen)
    daily = _daily(now)
    for row in refused_by(now, ("provider", "model")).to_dict("records"):
        provider, model = str(row["provider"]), str(row["model"])
        refused, tokens, requests = _rates(seen.traffic, provider, model)
        worst, clock = _hours(seen, refused, requests)
        inside = seen.inside
        begins: Onset | str = "no rates of refusals were seen"
        if refused is not None:
            begins = onset(
                refused[inside],
                tokens[inside] if tokens is not None else None,
                requests[inside] if requests is not None else None,
            )
        yield Refusal(
            provider, model, float(row["refused"]), float(row["requests"]),
            before.get((provider, model)), daily.get((provider, model), {}), worst, clock, begins,
        )  # fmt: skip


def _shares_before(seen: Seen) -> dict[tuple[str, str], float | None]:
    """Shares refused in the period before, of all models used then."""
    length = (seen.last - seen.first).days + 1
    dates = seen.dates(seen.table)
    start = np.datetime64(seen.first) - length
    if start < np.datetime64(seen.days.first):
        return {}
    then = seen.table[(dates >= start) & (dates < np.datetime64(seen.first))]
    if not then["requests"].notna().any():
        return {}
    used = then[["provider", "model"]].astype(str).drop_duplicates().to_numpy().tolist()
    result: dict[tuple[str, str], float | None] = dict.fromkeys(map(tuple, used), 0.0)
    for row in refused_by(then, ("provider", "model")).to_dict("records"):
        key = (str(row["provider"]), str(row["model"]))
        result[key] = share(float(row["refused"]), float(row["requests"]))
    return result


def _daily(table: pd.DataFrame) -> dict[tuple[str, str], dict[date, tuple[float, float]]]:
    """Refused and all requests of each model and day."""
    names = table[["provider", "model"]].astype(str)
    keys = [names["provider"], names["model"], table["day"].dt.date]
    sums = table[["rate_limited", "requests"]].fillna(0.0).groupby(keys).sum()
    result: dict[tuple[str, str], dict[date, tuple[float, float]]] = {}
    for (provider, model, day), refused, requests in sums.itertuples():
        result.setdefault((provider, model), {})[day] = (refused, requests)
    return result


def _rates(
    traffic: Traffic, provider: str, model: str
) -> tuple[Floats | None, Floats | None, Floats | None]:
    """Refused requests, tokens and requests a minute of one model, over all teams and profiles."""
    own = [g for g in traffic.groups("rate_limited") if (g.provider, g.model) == (provider, model)]
    used = [g for g in traffic.groups("requests", "input", "output") if _same(g, provider, model)]
    return (
        traffic.total(["rate_limited"], own),
        traffic.total(["input", "cached", "output"], used),
        traffic.total(["requests"], used),
    )


def _same(group: Group, provider: str, model: str) -> bool:
    if provider:
        return (group.provider, group.model) == (provider, model)
    return model_key(group.model) == model_key(model)


def _hours(
    seen: Seen, refused: Floats | None, requests: Floats | None
) -> tuple[Hour | None, Floats]:
    """The worst hour, and the share refused by hour of the day, of the period."""
    clock = np.full(24, np.nan)
    if refused is None:
        return None, clock
    some = seen.inside & np.isfinite(refused)
    if not some.any():
        return None, clock
    # What a span's end tells belongs to the hour in which the span lies.
    times = seen.traffic.times_ms[some] - 1
    zone = zone_of(seen.days.zone)
    starts, hour = np.unique(times // _HOUR_MS * _HOUR_MS, return_inverse=True)
    scale = seen.traffic.step_ms / 60_000
    bad = np.bincount(hour, refused[some] * scale)
    count = np.bincount(hour, np.nan_to_num(requests[some] if requests is not None else 0 * times))
    of_day = np.array([datetime.fromtimestamp(t / 1000, zone).hour for t in starts.tolist()])
    bads, counts = (np.bincount(of_day, v, 24) for v in (bad, count * scale))
    np.divide(bads, np.maximum(bads, counts), out=clock, where=counts > 0)
    at = int(bad.argmax())
    if not bad[at] > 0:
        return None, clock
    return Hour(
        int(starts[at]), float(bad[at]), share(float(bad[at]), float(count[at] * scale))
    ), clock
