"""Histograms over time: what a classic histogram's cumulative buckets say at each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import InputError
from workbench.frame import Frame
from workbench.samples import Floats, Ints
from workbench.units import format_quantity
from workbench.views.axis import plain_text
from workbench.views.theme import COLOURS, themed
from workbench.views.timeline import (
    WIDTH,
    compact_data,
    empty_chart,
    subtitled,
    time_axis,
    time_text,
)

if TYPE_CHECKING:
    import altair as alt

__all__ = ["Buckets", "buckets_of", "distribution_chart", "heatmap_chart"]

_COLUMNS: Final = 240
"""At most so many columns; neighbouring steps share one, averaged."""

_BARS: Final = 30
_HEIGHT: Final = 280


@dataclass(frozen=True, slots=True)
class Buckets:
    """A classic histogram taken apart.

    Parameters
    ----------
    bounds
        float64, shape (buckets,): upper bounds, ascending, the last usually +Inf.
    counts
        float64, shape (buckets, steps): what lies in each bucket alone; NaN where nothing is known.
    merged
        How many label sets, ``le`` aside, were added up.
    """

    bounds: Floats
    counts: Floats
    merged: int


def buckets_of(frame: Frame) -> Buckets:
    """Take cumulative buckets apart.

    Parameters
    ----------
    frame
        Series with the label ``le``: usually ``sum by (le) (rate(x_bucket[5m]))``. Series that
        differ in other labels are added up; those without a numeric ``le`` are left out.

    Raises
    ------
    InputError
        No series has such a label.

    Notes
    -----
    A bucket below its neighbour's count, which happens when buckets are scraped or restarted at
    different moments, counts as empty, as in Prometheus' own `histogram_quantile`.
    """
    bounds = np.array([_bound(labels.get("le", "")) for labels in frame.labels])
    if np.isnan(bounds).all():
        msg = f"no series of {frame.expression or 'this result'} has a numeric label 'le'"
        raise InputError(msg, "draw the buckets: sum by (le) (rate(NAME_bucket[5m]))")
    chosen = np.flatnonzero(~np.isnan(bounds)).tolist()
    unique, codes = np.unique(bounds[chosen], return_inverse=True)
    total = np.zeros((len(unique), len(frame.times_ms)))
    present = np.zeros_like(total, dtype=bool)
    for series, code in zip(chosen, codes, strict=True):
        known = ~np.isnan(frame.values[series])
        total[code] += np.where(known, frame.values[series], 0)
        present[code] |= known
    cumulative = np.maximum.accumulate(np.where(present, total, -np.inf), axis=0)
    counts = np.diff(np.where(np.isfinite(cumulative), cumulative, 0), axis=0, prepend=0)
    groups = {
        tuple(sorted((k, v) for k, v in frame.labels[i].items() if k != "le")) for i in chosen
    }
    return Buckets(unique, np.where(present.any(axis=0), counts, np.nan), len(groups))


def heatmap_chart(
    frame: Frame, *, unit: str = "", title: str = "", notes: Sequence[str] = ()
) -> alt.LayerChart:
    """Draw how observations are distributed at each step.

    Parameters
    ----------
    frame
        Cumulative buckets; see `buckets_of`.
    unit
        Of the bounds, mostly ``seconds`` or ``bytes``.
    title
        Above the chart.
    notes
        What else a reader must know, a line each below the title.

    Returns
    -------
    altair.LayerChart
        Time to the right, buckets upwards (one row each, whatever their width), colour for how
        many; empty cells stay blank.

    Raises
    ------
    InputError
        No series has a numeric ``le``.
    """
    if not len(frame):
        return empty_chart(title, "no series")
    buckets = buckets_of(frame)
    times, counts = _averaged(frame.times_ms, buckets.counts)
    rows, columns = np.nonzero(counts > 0)
    if not len(rows):
        return empty_chart(title, "no observation")
    step = int(times[1] - times[0]) if len(times) > 1 else 60_000
    data = {
        "bucket": rows.tolist(),
        "time": times[columns].tolist(),
        "until": (times[columns] + step).tolist(),
        "count": counts[rows, columns].tolist(),
    }
    cells = _cells(data, _bucket_names(buckets.bounds, unit))
    return _finished(cells, title, buckets, notes)


def _cells(data: dict[str, list[Any]], names: list[str]) -> alt.Chart:
    """One rectangle for each bucket and stretch of time."""
    import altair as alt

    known = {"values": [{"bucket": i, "range": name} for i, name in enumerate(names)]}
    return (
        alt.Chart(compact_data(data))
        .transform_lookup(lookup="bucket", from_=alt.LookupData(known, "bucket", ["range"]))
        .transform_calculate(when=time_text())
        .mark_rect()
        .encode(
            x=time_axis(),
            x2="until:T",
            y=alt.Y("range:N", scale=alt.Scale(domain=names[::-1]), axis=alt.Axis(title=None)),
            color=alt.Color(
                "count:Q", scale=alt.Scale(zero=True), legend=alt.Legend(title="observations")
            ),
            tooltip=[
                alt.Tooltip("when:N", title="from (UTC)"),
                alt.Tooltip("range:N", title="bucket"),
                alt.Tooltip("count:Q", title="observations", format=",.4~r"),
            ],
        )
    )


def distribution_chart(frame: Frame, *, unit: str = "", title: str = "") -> alt.LayerChart:
    """Draw how values are distributed over the whole range, time left aside.

    Parameters
    ----------
    frame
        Cumulative buckets, whose counts are averaged over the steps; or any other series, whose
        values are counted in ranges of equal width.
    unit
        Of the bounds or values.
    title
        Above the chart.
    """
    import altair as alt

    if not len(frame) or not np.isfinite(frame.values).any():
        return empty_chart(title, "nothing to draw")
    buckets = buckets_of(frame) if any("le" in labels for labels in frame.labels) else None
    if buckets:
        names = _bucket_names(buckets.bounds, unit)
        with np.errstate(invalid="ignore"):
            known = ~np.isnan(buckets.counts[0])
            counts = buckets.counts[:, known].mean(axis=1)
    else:
        finite = frame.values[np.isfinite(frame.values)]
        counts, edges = np.histogram(finite, bins=min(_BARS, len(np.unique(finite))))
        names = _ranges(edges, unit)
    total = float(counts.sum()) or 1.0
    rows = [
        {"range": name, "share": count / total, "count": count}
        for name, count in zip(names, counts.tolist(), strict=True)
    ]
    bars = (
        alt.Chart({"values": rows})
        .mark_bar(color=COLOURS["usage"])
        .encode(
            x=alt.X("range:N", sort=names, axis=alt.Axis(title=None, labelAngle=-40)),
            y=alt.Y("share:Q", axis=alt.Axis(title="share", format=".0%")),
            tooltip=[
                alt.Tooltip("range:N", title="range"),
                alt.Tooltip("share:Q", title="share", format=".2%"),
                alt.Tooltip("count:Q", title="observations", format=",.4~r"),
            ],
        )
    )
    return _finished(bars, title, buckets, ())


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _averaged(times: Ints, counts: Floats) -> tuple[Ints, Floats]:
    """Join neighbouring steps until there are few enough columns."""
    width = -(-len(times) // _COLUMNS)
    if width == 1:
        return times, counts
    starts = np.arange(0, len(times), width)
    known = ~np.isnan(counts)
    sums = np.add.reduceat(np.where(known, counts, 0), starts, axis=1)
    sizes = np.add.reduceat(known.astype(np.int64), starts, axis=1)
    return times[starts], np.divide(sums, sizes, out=np.full(sums.shape, np.nan), where=sizes > 0)


def _bucket_names(bounds: Floats, unit: str) -> list[str]:
    """Each bucket by its two ends; the first one is open below, the last above."""
    written = [format_quantity(float(b), plain_text(unit)) for b in bounds]
    first = [f"≤ {written[0]}"] if np.isfinite(bounds[0]) else ["all"]
    rest = [
        f"{low} – {high}" if np.isfinite(bound) else f"> {low}"
        for low, high, bound in zip(written, written[1:], bounds[1:], strict=False)
    ]
    return _distinct([*first, *rest])


def _ranges(edges: Floats, unit: str) -> list[str]:
    written = [format_quantity(float(e), plain_text(unit)) for e in edges]
    return _distinct([f"{low} – {high}" for low, high in pairwise(written)])


def _distinct(names: list[str]) -> list[str]:
    """Bounds closer than the digits that are written must not fall into one row."""
    return [f"{name} ({i + 1})" if name in names[:i] else name for i, name in enumerate(names)]


def _finished(
    chart: Any, title: str, buckets: Buckets | None, notes: Sequence[str]
) -> alt.LayerChart:
    import altair as alt

    merged = buckets.merged if buckets else 0
    lines = [*notes, f"{merged:,} histograms added up"] if merged > 1 else notes
    layered = alt.layer(chart).properties(
        title=subtitled(title, lines), width=WIDTH, height=_HEIGHT
    )
    result: alt.LayerChart = themed(layered)
    return result
