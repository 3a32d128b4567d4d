"""Which share of the requests is slower than what: whole distributions, side by side.

The upward axis is that of nines: each line from p90 to p99 to p99.9 is as far as the one before, so
that the tail, where an objective lies, has as much room as the body.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from workbench.latency.result import LatencyResult
from workbench.samples import Floats
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.inversion import invert
from workbench.views.columns import Datasets, column_data, flattened
from workbench.views.latency_axis import group_name, seconds, seconds_axis, seconds_expression
from workbench.views.theme import COLOURS, PALETTE, themed
from workbench.views.timeline import WIDTH, empty_chart, subtitled

__all__ = ["latency_ecdf"]

_MOST: Final = 5
"""Groups: with more, their bands could not be told apart."""

_HEIGHT: Final = 340
_BETWEEN: Final = 6
"""Points of our estimate inside a bucket."""

_DEEPEST: Final = 1e-5
"""The axis ends at p99.999, or where fewer than one request is left."""

_LEAST: Final = 1e-3
"""But it reaches at least to p99.9."""

_NINES: Final = (0.5, 0.25, 0.1, 0.05, 0.01, 0.001, 1e-4, 1e-5)

_LONG: Final = 45
"""Characters of a name with which two do not fit side by side."""

_OPEN: Final = 2.0
"""A bucket without an upper edge is drawn to so many times its lower one."""


def latency_ecdf(result: LatencyResult) -> Any:
    """Draw the distributions of the busiest groups over the whole window.

    Parameters
    ----------
    result
        Of a latency analysis.

    Returns
    -------
    altair.LayerChart
        Points are counted and exact; lines between them are our estimate; the boxes behind hold
        every line that the counts allow.
    """
    import altair as alt

    title = "Share of requests that take longer, over the whole window"
    known = [d for d in result.histograms if d.whole is not None and float(d.whole.total) > 0]
    shown = sorted(known, key=lambda d: -d.requests)[:_MOST]
    if not shown:
        return empty_chart(title, "No histogram has requests to draw.")
    several = len({d.instrument.key for d in result.distributions}) > 1
    names = _distinct([group_name(d, several=several, most=90) for d in shown])
    wholes = [d.whole for d in shown if d.whole is not None]
    datasets: Datasets = {}
    axes = _Axes(datasets, names, *_ends(wholes, result.objectives), _deepest(wholes))
    layers = [axes.boxes(wholes), axes.lines(wholes), axes.points(wholes)]
    layers += axes.objectives(result.objectives)
    notes = [
        "points: counted at bucket boundaries, exact · lines: our estimate",
        "boxes: where a line must run, whatever the distribution"
        + (" · red: objective" if result.objectives else ""),
    ]
    if len(known) > len(shown):
        notes.append(f"the {len(shown)} busiest of {len(known):,} groups")
    whole = themed(alt.layer(*layers, width=WIDTH, height=_HEIGHT, title=subtitled(title, notes)))
    whole.datasets = datasets
    return whole


def _distinct(names: Sequence[str]) -> list[str]:
    """Two names that were shortened to the same must stay two lines."""
    return [f"{n} ({i + 1})" if n in names[:i] else n for i, n in enumerate(names)]


def _ends(wholes: Sequence[BucketCounts], objectives: Sequence[float]) -> tuple[float, float]:
    """Of the axis of seconds: around all buckets that hold requests, and the objectives."""
    lows, highs = [], []
    for whole in wholes:
        used = np.flatnonzero(whole.counts)
        first, last = float(whole.edges[used[0]]), float(whole.edges[used[-1] + 1])
        lows.append(first if first > 0 else float(whole.edges[used[0] + 1]) / _OPEN)
        highs.append(last if math.isfinite(last) else float(whole.edges[used[-1]]) * _OPEN)
    ends = [x for x in (*lows, *highs) if math.isfinite(x) and x > 0] or [0.01, 1.0]
    near = [x for x in objectives if min(ends) / 10 < x < max(ends) * 10]
    return min([*ends, *near]), max([*ends, *(1.1 * x for x in near), min(ends) * _OPEN])


def _deepest(wholes: Sequence[BucketCounts]) -> float:
    most = max(float(w.total) for w in wholes)
    return min(max(_DEEPEST, 0.5 / most), _LEAST)


@dataclass(frozen=True, slots=True)
class _Axes:
    """Seconds to the right, nines upwards, a colour for each group.

    Parameters
    ----------
    datasets
        Where data go.
    names
        Of the groups.
    low, high
        In seconds.
    deepest
        The smallest share of slower requests that has a place.
    """

    datasets: Datasets
    names: list[str]
    low: float
    high: float
    deepest: float

    def boxes(self, wholes: Sequence[BucketCounts]) -> Any:
        """What each bucket holds: between its edges, and between the shares at its edges."""
        import altair as alt

        rows: list[tuple[float, ...]] = []
        for group, whole in enumerate(wholes):
            slower = _slower_than(whole)
            rows.extend(
                (group, *whole.edges[i : i + 2].tolist(), slower[i], slower[i + 1])
                for i in np.flatnonzero(whole.counts).tolist()
            )
        names = ("group", "from", "to", "above", "below")
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        base = self._chart(
            columns | {"to": [x if math.isfinite(x) else -1.0 for x in columns["to"]]},
            left=f"max(datum.from, {self.low!r})",
            right=f"datum.to < 0 ? {self.high!r} : datum.to",
            bucket=(
                f"datum.to < 0 ? '> ' + ({seconds_expression('datum.from')}) : "
                f"({seconds_expression('max(datum.from, 0)')}) + ' … ' + "
                f"({seconds_expression('datum.to')})"
            ),
        )
        tooltip = [
            alt.Tooltip("name:N", title="group"),
            alt.Tooltip("bucket:N", title="bucket"),
            alt.Tooltip("above:Q", title="slower than its start", format=".4~%"),
            alt.Tooltip("below:Q", title="slower than its end", format=".4~%"),
        ]
        # beside a second field an axis would be written differently: those stand on the lines
        return base.mark_rect(opacity=0.13, clip=True).encode(
            x=alt.X("left:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title=None)),
            x2="right:Q",
            y=alt.Y("above:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title=None)),
            y2="below:Q",
            color=self._colour(),
            tooltip=tooltip,
        )

    def lines(self, wholes: Sequence[BucketCounts]) -> Any:
        """Our estimate inside the buckets that have an end."""
        import altair as alt

        columns: dict[str, list[float]] = {"group": [], "seconds": [], "slower": []}
        for group, whole in enumerate(wholes):
            levels = _levels(whole, self.deepest)
            found = invert(whole, 1 - levels)
            inside = np.isfinite(found.high) & np.isfinite(found.value) & (found.value > 0)
            edges, slower = _counted(whole, self.deepest)
            columns["seconds"] += [*found.value[inside].tolist(), *edges.tolist()]
            columns["slower"] += [*levels[inside].tolist(), *slower.tolist()]
            columns["group"] += [group] * (int(inside.sum()) + len(edges))
        line = self._chart(columns).mark_line(strokeWidth=1.8, clip=True)
        x = seconds_axis(alt.X, "seconds:Q", self.low, self.high, most=9)
        order = alt.Order("slower:Q", sort="descending")
        return line.encode(x=x, y=self._y("slower"), color=self._colour(), order=order)

    def points(self, wholes: Sequence[BucketCounts]) -> Any:
        """Boundaries at which the share is counted."""
        import altair as alt

        columns: dict[str, list[float]] = {"group": [], "seconds": [], "slower": [], "requests": []}
        for group, whole in enumerate(wholes):
            edges, slower = _counted(whole, self.deepest)
            columns["seconds"] += edges.tolist()
            columns["slower"] += slower.tolist()
            columns["requests"] += (slower * float(whole.total)).tolist()
            columns["group"] += [group] * len(edges)
        base = self._chart(columns, at=seconds_expression("datum.seconds"))
        tooltip = [
            alt.Tooltip("name:N", title="group"),
            alt.Tooltip("at:N", title="slower than"),
            alt.Tooltip("slower:Q", title="share, exact", format=".4~%"),
            alt.Tooltip("requests:Q", title="requests", format=",.4~r"),
        ]
        return base.mark_point(size=28, filled=True, opacity=1, clip=True).encode(
            x=seconds_axis(alt.X, "seconds:Q", self.low, self.high, most=9),
            y=self._y("slower"),
            color=self._colour(),
            tooltip=tooltip,
        )

    def objectives(self, objectives: Sequence[float]) -> list[Any]:
        """A dashed line for each objective that has a place."""
        import altair as alt

        rows = [{"at": x, "text": seconds(x)} for x in objectives if self.low <= x <= self.high]
        if not rows:
            return []
        base = alt.Chart(alt.InlineData(values=rows)).encode(
            x=seconds_axis(alt.X, "at:Q", self.low, self.high, most=9),
            tooltip=[alt.Tooltip("text:N", title="objective")],
        )
        colour = COLOURS["limit"]
        text = base.mark_text(
            color=colour, align="left", baseline="top", dx=4, dy=2, fontSize=10.5, fontWeight=600
        )
        rule = base.mark_rule(color=colour, strokeDash=[6, 3], strokeWidth=1.3)
        return [rule, text.encode(y=alt.value(0), text="text:N")]

    def _chart(self, columns: Mapping[str, Sequence[float]], **texts: str) -> Any:
        """Numbers as they are, and the name of each row's group."""
        import altair as alt

        known = {"values": [{"group": i, "name": name} for i, name in enumerate(self.names)]}
        named = alt.LookupData(known, "group", ["name"])
        data = column_data(self.datasets, f"part_{len(self.datasets)}", columns)
        chart = alt.Chart(data, transform=[flattened(columns)])
        chart = chart.transform_lookup(lookup="group", from_=named)
        return chart.transform_calculate(**texts) if texts else chart

    def _y(self, field: str) -> Any:
        """Shares on a scale of nines, the rare at the top."""
        import altair as alt

        scale = alt.Scale(type="log", domain=[1, self.deepest], nice=False, clamp=True)
        values = [x for x in _NINES if x >= self.deepest]
        text = (
            "'p' + format(100 - 100 * datum.value, '.6~r') + '  ·  ' "
            "+ format(100 * datum.value, '.3~r') + ' %'"
        )
        axis = alt.Axis(title=None, values=values, tickCount=len(values), labelExpr=text)
        return alt.Y(f"{field}:Q", scale=scale, axis=axis)

    def _colour(self) -> Any:
        import altair as alt

        scale = alt.Scale(domain=self.names, range=list(PALETTE[: len(self.names)]))
        columns = 1 if max(map(len, self.names)) > _LONG else 2
        legend = alt.Legend(
            title=None, columns=columns, labelLimit=600, symbolType="circle", symbolOpacity=1
        )
        return alt.Color("name:N", scale=scale, legend=legend)


def _slower_than(whole: BucketCounts) -> Floats:
    """Share of the observations above each edge, shape (buckets + 1,)."""
    reached = np.concatenate([[0.0], whole.cumulative])
    slower: Floats = np.maximum(1 - reached / float(whole.total), 0.0)
    return slower


def _counted(whole: BucketCounts, deepest: float) -> tuple[Floats, Floats]:
    """Boundaries that have a place, and the share of slower requests at each."""
    slower = _slower_than(whole)
    known = np.isfinite(whole.edges) & (whole.edges > 0) & (slower < 1) & (slower >= deepest)
    return whole.edges[known], slower[known]


def _levels(whole: BucketCounts, deepest: float) -> Floats:
    """Shares of slower requests at which the line has a point: more inside each bucket."""
    ends = np.unique(np.clip(_slower_than(whole), deepest, 1 - deepest))
    if len(ends) < 2:
        return ends
    parts = [np.geomspace(a, b, _BETWEEN + 2)[1:-1] for a, b in pairwise(ends.tolist())]
    return np.concatenate([ends[:1], *parts, ends[-1:]])
