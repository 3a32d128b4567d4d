"""A heat map of latency: which share of the requests of each moment fell into each bucket.

Buckets stand on the axis where they are, on a logarithmic scale, so that quantiles, the objective
and deploys can be drawn across them.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from workbench.errors import InputError, did_you_mean
from workbench.latency.comparing import Verdict
from workbench.latency.result import Distribution, LatencyResult
from workbench.samples import Floats, Ints
from workbench.statistics.buckets import BucketCounts
from workbench.units import format_duration
from workbench.views.columns import Datasets, column_data, flattened
from workbench.views.latency_axis import group_name, quantile_range, seconds
from workbench.views.latency_marks import LINES, Plane, drawn_quantiles, line_names
from workbench.views.latency_steps import merged_counts, points_of, stretches
from workbench.views.theme import COLOURS, themed
from workbench.views.timeline import (
    WIDTH,
    empty_chart,
    subtitled,
    time_axis,
    time_text,
)

__all__ = ["find_group", "latency_heatmap"]

_COLUMNS: Final = 200
_ROWS: Final = 40
"""Buckets at most: those of a native histogram are merged."""

_HEIGHT: Final = 300

_LEAST: Final = 1e-4
"""The share that has the faintest colour; what is rarer has it too."""

_HEAT: Final = tuple(f"{COLOURS['usage']}{alpha:02X}" for alpha in (0x10, 0x38, 0x70, 0xB0, 0xFF))
"""From rare to common: the rare lets the ground through, be it light or dark."""

_OPEN: Final = 2.0
"""A bucket without an end is drawn as if it ended so many times beyond its edge."""

_NAMED: Final = 8
"""Groups that are named where one is not found."""


def latency_heatmap(result: LatencyResult, group: str | None = None) -> Any:
    """Draw how the requests of one group were distributed over time.

    Parameters
    ----------
    result
        Of a latency analysis.
    group
        The name of a group, as it stands in the table, or a part that only one has; None for the
        busiest of those that became slower, or of all.

    Returns
    -------
    altair.LayerChart
        Time to the right, seconds upwards; the stronger the colour, the larger the share of that
        moment's requests; blank where there was none.

    Raises
    ------
    InputError
        No group, or more than one, has such a name.
    """
    import altair as alt

    found = find_group(result, group)
    if found is None or found.by_step is None or not found.by_step.counts.any():
        return empty_chart("Distribution over time", "No histogram has requests to draw.")
    several = len({d.instrument.key for d in result.distributions}) > 1
    first, ends, span = stretches(found.over_time.times_ms, result.window.step_ms, _COLUMNS)
    counts, merged = _fewer_rows(merged_counts(found.by_step, first))
    low, high = _ends(counts)
    ends_ms = (int(ends[0]) - span, int(ends[-1]))
    near = tuple(x for x in result.objectives if low < x < high)
    inside = tuple(d for d in result.deploys_of(found) if ends_ms[0] <= d.at_ms <= ends_ms[1])
    plane = Plane(ends_ms, low, high, _HEIGHT, near, inside)
    datasets: Datasets = {}
    layers = [
        _cells(datasets, plane, counts, ends, span),
        *plane.objective_rules(),
        *plane.deploy_rules(),
    ]
    layers += _quantile_lines(datasets, plane, found, result.window.step_ms)
    notes = [
        (
            f"colour: share of the requests of each {format_duration(span)} that the bucket "
            "holds · blank: none"
        ),
        "lines: p50 and p99, our estimate · red: objective · grey dashes: deploy",
    ]
    if merged > 1:
        notes.append(f"each row: {merged} buckets of the histogram")
    title = f"Distribution over time: {group_name(found, several=several)}"
    # columns of whole pixels leave no seams between them
    columns = (ends_ms[1] - ends_ms[0]) // span
    width = columns * max(round(WIDTH / columns), 1)
    layered = alt.layer(*layers, width=width, height=_HEIGHT, title=subtitled(title, notes))
    whole = themed(layered)
    whole.datasets = datasets
    return whole


def find_group(result: LatencyResult, group: str | None) -> Distribution | None:
    """The group of a name; without one the busiest, of those that became slower if any did.

    Returns
    -------
    Distribution or None
        None where no histogram was read.

    Raises
    ------
    InputError
        No group, or more than one, has such a name.
    """
    known = result.histograms
    if not known:
        return None
    if group is None:
        slower = [c.group for c in result.comparisons if c.verdict is Verdict.SLOWER]
        changed = [d for d in known if d.labels in slower]
        return max(changed or known, key=lambda d: np.nan_to_num(d.requests))
    exact = [d for d in known if group in (d.name, f"{d.instrument.key} {d.name}")]
    near = exact or [d for d in known if group in d.name]
    if len(near) == 1:
        return near[0]
    if near:
        names = ", ".join(f"{d.instrument.key} {d.name}" for d in near[:_NAMED])
        msg = f"{len(near)} groups are meant by {group!r}"
        raise InputError(msg, f"give one of {names}")
    groups = [d.name for d in known]
    msg = f"there is no group {group!r}"
    mend = did_you_mean(group, groups) or f"there are {', '.join(groups[:_NAMED])}"
    raise InputError(msg, mend)


def _fewer_rows(counts: BucketCounts) -> tuple[BucketCounts, int]:
    """Without the empty buckets at both ends; how many were merged into one, 1 if none were."""
    used = np.flatnonzero(counts.counts.any(axis=0))
    first, last = max(int(used[0]) - 1, 0), min(int(used[-1]) + 1, counts.counts.shape[-1] - 1)
    kept = slice(first, last + 1)
    near = BucketCounts(counts.edges[first : last + 2], counts.counts[:, kept], counts.exponential)
    each = -(-near.counts.shape[-1] // _ROWS)
    if each == 1:
        return near, 1
    places = np.unique(np.append(np.arange(0, len(near.edges), each), len(near.edges) - 1))
    return near.coarsened(near.edges[places]), each


def _ends(counts: BucketCounts) -> tuple[float, float]:
    """Of the axis; buckets open at an end are given one."""
    edges = counts.edges[np.isfinite(counts.edges) & (counts.edges > 0)]
    if not len(edges):
        return 0.01, 1.0
    low, high = float(edges[0]), float(edges[-1])
    if not (math.isfinite(counts.edges[0]) and counts.edges[0] > 0):
        low /= _OPEN
    if math.isinf(counts.edges[-1]):
        high *= _OPEN
    return low, max(high, low * _OPEN)


def _cells(datasets: Datasets, plane: Plane, counts: BucketCounts, ends: Ints, span: int) -> Any:
    """One rectangle for each bucket and stretch of time with requests."""
    import altair as alt

    columns, rows = np.nonzero(counts.counts > 0)
    held = counts.counts[columns, rows]
    share = held / counts.total[columns]
    lower = np.clip(counts.edges[:-1], plane.low, plane.high)[rows]
    upper = np.clip(counts.edges[1:], plane.low, plane.high)[rows]
    cells = {
        "bucket": rows.tolist(),
        "from": (ends[columns] - span).tolist(),
        "time": ends[columns].tolist(),
        "low": lower.tolist(),
        "high": upper.tolist(),
        "share": share.tolist(),
        "count": held.tolist(),
    }
    data = column_data(datasets, "cells", cells)
    names = _bucket_names(counts.edges)
    known = {"values": [{"bucket": i, "range": name} for i, name in enumerate(names)]}
    scale = alt.Scale(type="log", domain=[_LEAST, 1], range=list(_HEAT), clamp=True)
    legend = alt.Legend(
        title=None, format="~%", values=[1e-4, 1e-3, 1e-2, 0.1, 1], gradientLength=220
    )
    return (
        alt.Chart(data, transform=[flattened(cells)])
        .transform_lookup(lookup="bucket", from_=alt.LookupData(known, "bucket", ["range"]))
        .transform_calculate(when=time_text("from"))
        .mark_rect(clip=True)
        .encode(
            # the ends stand on the lines; with two fields Vega-Lite would write them differently
            x=time_axis("from"),
            x2="time:T",
            y=alt.Y("low:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title=None)),
            y2="high:Q",
            color=alt.Color("share:Q", scale=scale, legend=legend),
            tooltip=[
                alt.Tooltip("when:N", title="from (UTC)"),
                alt.Tooltip("range:N", title="bucket"),
                alt.Tooltip("share:Q", title="share of requests", format=".3~%"),
                alt.Tooltip("count:Q", title="requests", format=",.4~r"),
            ],
        )
    )


def _bucket_names(edges: Floats) -> list[str]:
    lower = [max(x, 0.0) for x in edges[:-1].tolist()]
    return [
        f"≤ {seconds(high)}" if low == 0 else quantile_range(low, high if high < math.inf else None)
        for low, high in zip(lower, edges[1:].tolist(), strict=True)
    ]


def _quantile_lines(
    datasets: Datasets, plane: Plane, found: Distribution, step_ms: int
) -> list[Any]:
    """p50 and p99 across the cells, with their names beside their ends."""
    import altair as alt

    quantiles = drawn_quantiles(found.over_time.quantiles, (0.5, 0.99))
    points = points_of(found, quantiles, step_ms, _COLUMNS)
    fields = [f"value{i}" for i in range(len(quantiles))]
    colours = (LINES[0], LINES[-1])[-len(quantiles) :]
    columns: dict[str, Any] = {name: points.value[:, i].tolist() for i, name in enumerate(fields)}
    columns["time"] = ((points.starts_ms + points.ends_ms) // 2).tolist()
    lines = (
        alt.Chart(column_data(datasets, "lines", columns), transform=[flattened(columns)])
        .transform_fold(fields, as_=["which", "seconds"])
        .mark_line(strokeWidth=1.4, strokeCap="round", clip=True)
        .encode(
            x=plane.x(),
            y=plane.y("seconds"),
            stroke=alt.Stroke(
                "which:N", scale=alt.Scale(domain=fields, range=list(colours)), legend=None
            ),
        )
    )
    texts = [f"p{100 * q:g}" for q in quantiles]
    return [lines, *plane.names(line_names(texts, colours, points.value))]
