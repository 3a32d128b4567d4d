"""Latency as tables for people: each figure with its interval and with what is certain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from workbench.latency.instrument import Kind
from workbench.latency.result import Distribution, LatencyResult, Quantile, Share, TailPart
from workbench.units import format_quantity
from workbench.views.latency_axis import quantile_range, seconds, short_metrics
from workbench.views.listing import Listing

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["by_metric", "latency_table", "quantiles_listing", "shares_listing", "tails_listing"]

_NONE: Final = "–"

_RARE: Final = 1e-5
"""Smaller shares are not told apart."""

_NOTHING: Final = "No latency was measured."

_QUANTILES: Final = (
    "metric", "group", "quantile", "latency", "95 % interval", "bucket, certain",
    "histogram_quantile", "requests", "remarks",
)  # fmt: skip

_SHARES: Final = (
    "metric", "group", "requests", "mean", "objective", "within it", "95 % interval", "certain",
    "Apdex", "Apdex, certain", "remarks",
)  # fmt: skip

_TAILS: Final = (
    "metric", "label", "value", "share of slow", "share of traffic", "times its due",
    "of its own, slow", "95 % interval", "slow", "requests", "slow is over",
)  # fmt: skip


def latency_table(result: LatencyResult) -> pd.DataFrame:
    """Every quantile of every group as text with units: the rows of `quantiles_listing`.

    Returns
    -------
    DataFrame
        Text only, ready to be shown; `LatencyResult.to_table` holds the numbers.
    """
    return quantiles_listing(result).frame


def quantiles_listing(result: LatencyResult) -> Listing:
    """One row a group and quantile over the whole window, the busiest group first."""
    rows = [_quantile(d, q) for d in result.distributions for q in d.quantiles]
    note = (
        "The interval is for the process behind the counts and takes requests for independent. The "
        "bucket holds the quantile of what was counted, whatever the distribution; "
        "histogram_quantile draws a straight line through it."
    )
    return by_metric(_QUANTILES, rows, _NOTHING, note)


def shares_listing(result: LatencyResult) -> Listing:
    """One row a group and objective: which share of its requests kept it, Apdex, the mean."""
    rows = [_share(d, s) for d in result.distributions for s in (d.shares or (None,))]
    note = (
        "What lies within an objective is exact where the objective is a boundary of the buckets, "
        "else between the two shares that are certain. Apdex counts half of the requests that took "
        "up to four times the objective."
    )
    return by_metric(_SHARES, rows, _NOTHING, note if result.objectives else "")


def tails_listing(result: LatencyResult) -> Listing:
    """One row a label value: its part in the slow requests and in all, the largest excess first."""
    empty = "No label parts the slow requests from the others, or none was slow."
    note = (
        "Times its due: share of slow requests by share of traffic; above 1 it is slower than all."
    )
    return by_metric(_TAILS, [_tail(part) for part in result.tails], empty, note)


def by_metric(
    headings: Sequence[str], rows: Sequence[Sequence[object]], empty: str, note: str = ""
) -> Listing:
    """A listing whose first column is the metric, short; without it where there is one only.

    A last column of remarks is left out where there are none.
    """
    names, ending = short_metrics(str(row[0]) for row in rows)
    shown = [[names[str(row[0])], *row[1:]] for row in rows]
    first = 0 if len(names) > 1 else 1
    last = -1 if headings[-1] == "remarks" and not any(row[-1] for row in rows) else None
    said = [note] if note else []
    said += [f"… stands for {ending}."] if ending else []
    return Listing(
        headings[first:last],
        [row[first:last] for row in shown],
        empty=empty,
        note=" ".join(said) if rows else "",
    )


def _quantile(d: Distribution, q: Quantile) -> list[object]:
    certain = quantile_range(q.bucket_low, q.bucket_high)
    if q.value is None:
        value, interval = _NONE, _NONE
    elif q.clipped:
        value, interval = f"≥ {seconds(q.bucket_low)}", quantile_range(q.low, q.high)
    else:
        value, interval = seconds(q.value), quantile_range(q.low, q.high)
    return [
        d.instrument.key, d.name, q.name, value, interval, certain, seconds(q.promql),
        _requests(d.requests), _remarks(d, q),
    ]  # fmt: skip


def _remarks(d: Distribution, q: Quantile) -> str:
    said = []
    if q.clipped:
        said.append("above the last boundary")
    if d.instrument.kind is Kind.SUMMARY:
        said.append("least and greatest over instances and time")
    elif not q.enough:
        said.append("fewer than ten requests beyond it")
    if d.missing.size and d.missing.any():
        said.append(f"no data in {_percent(float(d.missing.mean()))} of the steps")
    return "; ".join([*said, *d.notes])


def _share(d: Distribution, share: Share | None) -> list[object]:
    known: list[object] = [_NONE] * 6
    if share is not None:
        apdex = _NONE if share.apdex is None else f"{share.apdex:.3f}"
        known = [
            seconds(share.objective_seconds),
            _percent(share.value),
            _between(_percent(share.low), _percent(share.high)),
            "exact" if share.on_edge else _between(
                _percent(share.bucket_low), _percent(share.bucket_high)
            ),
            apdex,
            _between(_decimal(share.apdex_low), _decimal(share.apdex_high)),
        ]  # fmt: skip
    remarks = "; ".join(d.notes)
    return [
        d.instrument.key, d.name, _requests(d.requests), seconds(d.mean_seconds), *known, remarks,
    ]  # fmt: skip


def _tail(part: TailPart) -> list[object]:
    return [
        part.metric,
        part.label,
        part.value or "(empty)",
        _percent(part.share_of_slow),
        _percent(part.share_of_traffic),
        f"{part.lift:.2g} ×",
        _percent(part.slow_rate),
        _between(_percent(part.low), _percent(part.high)),
        _requests(part.slow),
        _requests(part.requests),
        seconds(part.threshold_seconds),
    ]


def _requests(count: float) -> str:
    """Whole requests with separators: they are copied into other sheets."""
    return f"{count:,.0f}" if math.isfinite(count) else _NONE


def _percent(share: float | None) -> str:
    """A share in percent; near all, with so many nines as tell how many are missing."""
    if share is None:
        return _NONE
    if 0 < share < _RARE:
        return f"< {format_quantity(_RARE, 'ratio')}"
    if 0.99 < share < 1:
        digits = min(1 - math.floor(math.log10(100 * (1 - share))), 5)
        return f"{100 * share:.{digits}f} %"
    return format_quantity(share, "ratio")


def _decimal(share: float | None) -> str:
    return _NONE if share is None else f"{share:.3f}"


def _between(low: str, high: str) -> str:
    """Two ends, or the one figure that both are."""
    return low if low == high else f"{low.removesuffix(' %')} … {high}"
