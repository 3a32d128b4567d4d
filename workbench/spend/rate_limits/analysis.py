"""Rate limits as three sources tell of them, side by side: gauges, stated limits, refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.frame import Frame
from workbench.samples import Floats, Ints
from workbench.spend.counting.days import CalendarDays, zone_of
from workbench.spend.profiles.detection import Fit
from workbench.spend.rate_limits.headroom import Headroom, Seen, headrooms
from workbench.spend.rate_limits.limits import RateLimit
from workbench.spend.rate_limits.planning import window_for
from workbench.spend.rate_limits.refusals import Refusal, refusals, refused_by
from workbench.spend.rate_limits.remaining import Remaining, remaining
from workbench.spend.rate_limits.traffic import Traffic, read_traffic

if TYPE_CHECKING:
    import pandas as pd

    from workbench.spend.reading.reader import Reading

__all__ = ["Peak", "RateLimits", "rate_limits"]

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """One model's highest rates in the period.

    Parameters
    ----------
    provider, model
        As labelled.
    tokens, requests
        The highest rate a minute; None where nothing counts them.
    tokens_p99, requests_p99
        The rate that 99 % of the spans did not exceed.
    hours_ms
        int64, shape (hours,): where each hour begins.
    hourly, refused
        float64, shape (hours,): each hour's highest rate of tokens (of requests, where nothing
        counts tokens), and its refused requests; NaN where not known.
    hourly_requests
        float64, shape (hours,): each hour's highest rate of requests.
    """

    provider: str
    model: str
    tokens: float | None
    requests: float | None
    tokens_p99: float | None
    requests_p99: float | None
    hours_ms: Ints
    hourly: Floats
    hourly_requests: Floats
    refused: Floats

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without the hours."""
        names = ("provider", "model", "tokens", "tokens_p99", "requests", "requests_p99")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class RateLimits:
    """How near usage came to rate limits.

    Parameters
    ----------
    first, last
        The period, both days included, in `zone`.
    zone
        Whose midnights part the days.
    span_ms
        Over which time rates are means.
    peaks
        Each model's highest rates, most tokens first.
    headrooms
        Stated limits beside them, in the order of the file.
    remaining
        What gauges said was left.
    refusals
        What was refused, most first.
    accounts
        The same by ``provider``, ``model``, ``team``, ``application``: ``refused``, ``requests``.
    notes
        Which of the three sources was not there, and why.
    """

    first: date
    last: date
    zone: str
    span_ms: int
    peaks: tuple[Peak, ...]
    headrooms: tuple[Headroom, ...]
    remaining: tuple[Remaining, ...]
    refusals: tuple[Refusal, ...]
    accounts: pd.DataFrame
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        rows = self.accounts.astype(object).where(self.accounts.notna(), None)
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "timezone": self.zone,
            "span_ms": self.span_ms,
            "peaks": [each.to_dict() for each in self.peaks],
            "limits": [each.to_dict() for each in self.headrooms],
            "remaining": [each.to_dict() for each in self.remaining],
            "refusals": [each.to_dict() for each in self.refusals],
            "refused_by_account": rows.to_dict("records"),
            "notes": list(self.notes),
        }


def rate_limits(
    frames: Mapping[str, Frame],
    fits: Sequence[Fit],
    reading: Reading,
    limits: Sequence[RateLimit] = (),
    *,
    first: date,
    last: date,
    zone: str = "UTC",
    seed: int = 0,
) -> RateLimits:
    """Tell how near usage came to rate limits.

    Parameters
    ----------
    frames
        Answers to `plan_rate_limits`, by the questions' keys.
    fits
        The profiles that were asked for.
    reading
        The exact counts of the same days, and what was counted twice.
    limits
        The user's, as they were given to the plan.
    first, last
        The period, both days included.
    zone
        Whose midnights parted the days.
    seed
        Of the drawn futures.
    """
    traffic = read_traffic(frames, fits, reading.duplicates)
    seen = Seen(traffic, reading.table, _days(traffic, reading, first, last, zone), first, last)
    peaks = tuple(_peaks(seen))
    left = tuple(remaining(traffic, seen.inside))
    refused = tuple(refusals(seen))
    return RateLimits(
        first, last, zone, window_for(traffic.step_ms), peaks,
        tuple(headrooms(seen, limits, seed=seed)), left, refused, refused_by(seen.in_period()),
        tuple(_notes(traffic, fits, reading, limits)),
    )  # fmt: skip


def _days(traffic: Traffic, reading: Reading, first: date, last: date, zone: str) -> CalendarDays:
    """From the first day of anything to the last of the period."""
    found = [first]
    if len(traffic.times_ms):
        moment = datetime.fromtimestamp((int(traffic.times_ms[0]) - 1) / 1000, zone_of(zone))
        found.append(moment.date())
    if len(reading.table):
        found.append(reading.table["day"].min().date())
    return CalendarDays.between(min(found), last, zone)


def _peaks(seen: Seen) -> Iterator[Peak]:
    """Each model's highest rates, most tokens first."""
    traffic, inside = seen.traffic, seen.inside
    times = traffic.times_ms[inside]
    starts, hour = np.unique((times - 1) // _HOUR_MS * _HOUR_MS, return_inverse=True)
    groups = traffic.groups("requests", "input", "output", "rate_limited")
    found = []
    for provider, model in sorted({(g.provider, g.model) for g in groups}):
        own = [g for g in groups if (g.provider, g.model) == (provider, model)]
        rows = [
            _inside(traffic.total(measures, own), inside)
            for measures in (["input", "cached", "output"], ["requests"], ["rate_limited"])
        ]
        tokens, requests, refused = rows
        shown = requests if tokens is None else tokens
        if shown is None:
            continue
        hourly, calls = np.full((2, len(starts)), np.nan)
        np.fmax.at(hourly, hour, shown)
        if requests is not None:
            np.fmax.at(calls, hour, requests)
        bad = np.full(len(starts), np.nan)
        if refused is not None:
            bad = np.bincount(hour, np.nan_to_num(refused), len(starts)) * traffic.step_ms / 60_000
        (high, p99), (most, usual) = _high(tokens), _high(requests)
        found.append(Peak(provider, model, high, most, p99, usual, starts, hourly, calls, bad))
    yield from sorted(found, key=lambda p: (-(p.tokens or 0), -(p.requests or 0)))


def _inside(rates: Floats | None, inside: Any) -> Floats | None:
    if rates is None or not np.isfinite(rates[inside]).any():
        return None
    result: Floats = rates[inside]
    return result


def _high(rates: Floats | None) -> tuple[float | None, float | None]:
    if rates is None:
        return None, None
    known = rates[np.isfinite(rates)]
    return float(known.max()), float(np.quantile(known, 0.99))


def _notes(
    traffic: Traffic, fits: Sequence[Fit], reading: Reading, limits: Sequence[RateLimit]
) -> Iterator[str]:
    if not limits:
        yield "no limits were given: how much of them is free is not told"
    if not any(name.startswith("remaining") for name in traffic.rates):
        yield "nothing tells what providers say is left of a limit"
    if not reading.table["rate_limited"].notna().any():
        silent = ", ".join(fit.profile.title for fit in fits)
        yield f"nothing counts refused requests ({silent})"
    if not traffic.groups("requests", "input", "output"):
        yield (
            "no rates were seen: they need two samples in five minutes, or in a step; where scrapes "
            "are five minutes apart, ask with step=10m"
        )
