"""Rate limits for people: what three sources tell, side by side, and the hours that met them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from workbench.spend.rate_limits.analysis import Peak, RateLimits
from workbench.spend.rate_limits.growth import HORIZON
from workbench.spend.rate_limits.headroom import Headroom
from workbench.spend.rate_limits.limits import UNITS
from workbench.spend.rate_limits.onset import Onset
from workbench.spend.rate_limits.refusals import Refusal, share
from workbench.statistics.local_time import time_zone
from workbench.units import format_chance, format_duration, format_quantity
from workbench.views.axis import plain_text
from workbench.views.listing import Listing
from workbench.views.spend_text import NONE, count_text, no_chart, sentences, share_text
from workbench.views.theme import COLOURS, themed

__all__ = [
    "headroom_listing",
    "rate_limits_chart",
    "rate_limits_listing",
    "refusals_listing",
    "remaining_listing",
]


_DRAWN: Final = ("tokens_per_minute", "requests_per_minute")

_MOST: Final = 6
"""Models that are drawn."""

_FEWEST: Final = 0.5
"""Refused requests of an hour that is drawn: rates are not whole numbers."""


def rate_limits_listing(found: RateLimits) -> Listing:
    """Each model: its highest rates, what was refused, what was left, side by side."""
    zone = time_zone(found.zone)
    peaks = {(p.provider, p.model): p for p in found.peaks}
    refusals = {(r.provider, r.model): r for r in found.refusals}
    left = {(r.provider, r.model) for r in found.remaining}
    names = dict.fromkeys((*peaks, *refusals, *sorted(left)))
    rows = [_beside(n, peaks.get(n), refusals.get(n), found, zone) for n in names]
    return Listing(
        (
            "provider", "model", "refused", "share", "share before", "worst hour",
            "90 % refused above", "tokens/min", "requests/min", "least left", "free of its limit",
        ),
        rows,
        empty="No rates of usage were seen, and nothing tells of limits.",
        note=sentences((
            f"rates are the highest means of {format_duration(found.span_ms)}; bursts were higher",
            *found.notes,
        )),
    )  # fmt: skip


def _beside(
    name: tuple[str, str],
    peak: Peak | None,
    refusal: Refusal | None,
    found: RateLimits,
    zone: ZoneInfo,
) -> list[object]:
    rates = (None, None) if peak is None else (peak.tokens, peak.requests)
    left = [r for r in found.remaining if (r.provider, r.model) == name]
    free = [h.headroom for h in found.headrooms if name in h.models and h.headroom is not None]
    return [
        *(plain_text(n) or NONE for n in name),
        *(_refused(refusal, zone) if refusal else [NONE] * 5),
        *map(count_text, rates),
        ", ".join(f"{format_quantity(r.lowest)} {r.unit}" for r in left) or NONE,
        share_text(min(free)) if free else NONE,
    ]


def _refused(found: Refusal, zone: ZoneInfo) -> list[str]:
    worst = NONE
    if found.worst is not None:
        worst = f"{_moment(found.worst.start_ms, zone)} ({share_text(found.worst.share)})"
    begins = found.begins
    rate = (
        f"{format_quantity(begins.begins)} {begins.unit}/min" if isinstance(begins, Onset) else NONE
    )
    return [
        count_text(found.refused),
        share_text(found.share),
        share_text(found.before),
        worst,
        rate,
    ]


def headroom_listing(found: RateLimits) -> Listing:
    """Stated limits beside the highest rates, and how long growth fits."""
    zone = time_zone(found.zone)
    return Listing(
        (
            "limit", "allows", "at peak", "free at peak", "peak at", "may grow by", "grows a week",
            f"P(met in {HORIZON} d)", "met in", "80 % interval", "not told",
        ),
        [_free(each, zone) for each in sorted(found.headrooms, key=_urgency)],
        empty="No limits were given: write them into a file, and give it.",
        note="Free at peak is at the most: bursts within five minutes are not seen. Met in: days "
        "until a day's peak reaches the limit, if usage goes on as it did."
        if found.headrooms
        else "",
    )  # fmt: skip


def _urgency(each: Headroom) -> tuple[float, float]:
    """Those that are met first, then those with the least left."""
    chance = each.growth.chance if each.growth is not None else 0.0
    return -round(chance, 2), each.headroom if each.headroom is not None else 1.0


def _free(each: Headroom, zone: ZoneInfo) -> list[object]:
    ahead = each.growth
    row: list[object] = [
        plain_text(each.limit.name),
        f"{format_quantity(each.allowed)} {UNITS[each.unit]}",
        count_text(each.peak),
        share_text(each.headroom),
        NONE if each.peak_ms is None else _peak_at(each.peak_ms, each.unit, zone),
        NONE if each.fits is None else f"{each.fits * 100:,.0f} %",
    ]
    if ahead is None:
        return [*row, *[NONE] * 4, each.why]
    interval = " – ".join(dict.fromkeys((_days(ahead.earliest), _days(ahead.latest))))
    return [
        *row,
        f"{ahead.weekly * 100:+.1f} %".replace("-", "−"),
        format_chance(ahead.chance),
        "already" if (each.headroom or 0) <= 0 else _days(ahead.median),
        interval,
        each.why or NONE,
    ]


def _peak_at(time_ms: int, unit: str, zone: ZoneInfo) -> str:
    if unit == "requests_per_day":  # what ends at a midnight is the day before
        return _moment(time_ms - 1, zone, "%Y-%m-%d")
    return _moment(time_ms, zone)


def _days(days: int | None) -> str:
    return f"> {HORIZON} d" if days is None else f"{days} d"


def remaining_listing(found: RateLimits) -> Listing:
    """What gauges said was left."""
    zone = time_zone(found.zone)
    rows = [
        [
            plain_text(r.provider) or NONE, plain_text(r.model) or NONE, r.unit,
            count_text(r.lowest), _moment(r.lowest_ms, zone), count_text(r.q01), count_text(r.q05),
            count_text(r.highest), format_quantity(r.low_share, "ratio"), r.points,
            "" if r.moved else "it never moved",
        ]
        for r in found.remaining
    ]  # fmt: skip
    return Listing(
        (
            "provider", "model", "left of", "lowest", "at", "1 % below", "5 % below", "highest",
            "time below a tenth", "points", "doubt",
        ),
        rows,
        empty="Nothing tells what providers say is left of a limit.",
        note="The least of all keys that were in use; the limit is no lower than the highest. When "
        "it reaches 0 is not told: it begins anew each minute."
        if rows
        else "",
    )  # fmt: skip


def refusals_listing(found: RateLimits) -> Listing:
    """Whose requests were refused."""
    rows = [
        [
            *(plain_text(str(row[d])) or NONE for d in ("provider", "model", "team", "application")),
            count_text(row["refused"]), count_text(row["requests"]),
            share_text(share(row["refused"], row["requests"])),
        ]
        for row in found.accounts.to_dict("records")
    ]  # fmt: skip
    return Listing(
        ("provider", "model", "team", "application", "refused", "requests", "share"),
        rows,
        empty="No request was refused by a rate limit, as far as anything counts them.",
    )


def rate_limits_chart(found: RateLimits) -> Any:
    """Draw each hour's highest rate of the busiest models, and the hours in which some were refused.

    Returns
    -------
    altair.VConcatChart
        A panel a model. Names stand in it as data only, never in an expression.
    """
    import altair as alt

    panels = [_panel(peak, found) for peak in found.peaks[:_MOST]]
    if not panels:
        panels = [no_chart("No rates of usage were seen.")]
    subtitle = [
        "The highest mean rate of each hour; points: hours with refused requests, larger for more.",
        "Dashes: the stated limit of that model alone of which the least is left.",
    ]
    title = alt.Title("Usage and rate limits", subtitle=subtitle)
    return themed(alt.vconcat(*panels, title=title))


def _panel(peak: Peak, found: RateLimits) -> Any:
    import altair as alt

    limit = _tightest(peak, found)
    by_request = peak.tokens is None or (limit is not None and limit.unit == "requests_per_minute")
    unit, hourly = ("requests", peak.hourly_requests) if by_request else ("tokens", peak.hourly)
    zone = time_zone(found.zone)
    hours = [
        (_moment(t, zone, "%Y-%m-%dT%H:%M:%S"), _drawn(rate), _drawn(refused))
        for t, rate, refused in zip(
            peak.hours_ms.tolist(), hourly.tolist(), peak.refused.tolist(), strict=True
        )
    ]
    rates = alt.Data(values=[{"hour": hour, "rate": rate} for hour, rate, _ in hours])
    met = [
        {"hour": hour, "rate": rate, "refused": refused}
        for hour, rate, refused in hours
        if (refused or 0) >= _FEWEST
    ]
    x = alt.X("hour:T", axis=alt.Axis(title=None, format="%d %b %H:%M", labelOverlap="greedy"))
    y = alt.Y("rate:Q", axis=alt.Axis(title=f"{unit}/min", format="~s"))
    tips = [
        alt.Tooltip("hour:T", format="%Y-%m-%d %H:%M"),
        alt.Tooltip("rate:Q", title=f"{unit}/min", format=",.0f"),
        alt.Tooltip("refused:Q", format=",.0f"),
    ]
    line = alt.Chart(rates).mark_line(color=COLOURS["usage"]).encode(x=x, y=y)
    points = (
        alt.Chart(alt.Data(values=met))
        .mark_circle(color=COLOURS["error"], opacity=0.8)
        .encode(
            x=x,
            y=y,
            size=alt.Size("refused:Q", legend=None, scale=alt.Scale(range=[12, 160])),
            tooltip=tips,
        )
    )
    layers = [line, points]
    if limit is not None:
        rule = alt.Chart(alt.Data(values=[{"limit": limit.allowed}]))
        layers.append(rule.mark_rule(color=COLOURS["limit"], strokeDash=[6, 4]).encode(y="limit:Q"))
    name = plain_text(f"{peak.provider}/{peak.model}".strip("/"), most=80) or "an unnamed model"
    return alt.layer(
        *layers, width=640, height=80, title=alt.Title(name, fontSize=11.5)
    ).resolve_scale(size="independent")


def _tightest(peak: Peak, found: RateLimits) -> Headroom | None:
    """Of the stated limits a minute that take this model alone, the one of which least is left."""
    own = ((peak.provider, peak.model),)
    drawn = ("requests_per_minute",) if peak.tokens is None else _DRAWN
    limits = [
        h for h in found.headrooms if h.unit in drawn and h.models == own and not h.limit.team
    ]
    return min(limits, key=lambda h: 1.0 if h.headroom is None else h.headroom, default=None)


def _drawn(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _moment(time_ms: int, zone: ZoneInfo, form: str = "%Y-%m-%d %H:%M") -> str:
    return datetime.fromtimestamp(time_ms / 1000, zone).strftime(form)
