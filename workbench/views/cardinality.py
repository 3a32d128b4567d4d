"""Cardinality as a picture: what a deploy changes, which metrics make the series, which labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.cardinality.audit import Audit
from workbench.cardinality.bounds import SeriesBounds
from workbench.cardinality.census import Census
from workbench.cardinality.prediction import MetricPrediction, Status
from workbench.cardinality.summary import headline
from workbench.inventory import Bound
from workbench.views.axis import plain_text
from workbench.views.cardinality_table import cardinality_table, costliest
from workbench.views.theme import COLOURS, themed

__all__ = ["cardinality_chart", "cardinality_table"]

_MOST: Final = 15
"""Rows of each part."""

_WIDTH: Final = 640
_STEP: Final = 38
"""Height of a row: its name above, its bar below."""

_BAR: Final = 11
_BELOW: Final = 8
"""How far a bar stands below the middle of its row."""

_NAME: Final = 62
"""Characters of the line above a bar: what a narrow page can hold."""

_SHORT: Final = "format(datum.value, '~s')"
"""A number on an axis: 250, 10k, 2M, each by itself; an axis' own format gives all one prefix."""

_GROWS, _SHRINKS, _SAME = COLOURS["limit"], COLOURS["good"], COLOURS["usage"]


def cardinality_chart(result: Audit) -> Any:
    """Draw what a deploy changes, then where the series are, then what each label costs.

    Parameters
    ----------
    result
        Of `workbench.cardinality.audit.audit`. Parts for which nothing was read are left out.

    Returns
    -------
    altair.VConcatChart
        Names of metrics and labels stand in it as data and titles only, never in an expression.
    """
    import altair as alt

    rows: _Rows = {}
    parts = []
    if result.baseline is not None or result.census is None:
        parts += _changes(rows, result)
    if result.census is not None:
        parts += [*_families(rows, result.census), *_labels(rows, result.census)]
    if not parts:
        parts.append(_message(rows, "There are no series to draw."))
    title = alt.Title("Series by metric and label", subtitle=_wrapped(headline(result)), offset=16)
    whole = themed(alt.vconcat(*parts, spacing=36, title=title))
    whole.datasets = rows
    return whole


_Rows = dict[str, list[dict[str, Any]]]
"""The rows of every part, by the names of their data sets."""


def _data(rows: _Rows, name: str, entries: Sequence[dict[str, Any]]) -> Any:
    import altair as alt

    rows[name] = [{"row": i, **entry} for i, entry in enumerate(entries)]
    return alt.NamedData(name=name)


def _wrapped(text: str, most: int = 60) -> list[str]:
    """A sentence in lines that fit."""
    import textwrap

    return textwrap.wrap(plain_text(text, most=400), most)


def _y() -> Any:
    import altair as alt

    return alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))


def _names(data: Any) -> Any:
    """The line above each bar."""
    import altair as alt

    mark = alt.Chart(data).mark_text(align="left", baseline="bottom", dy=-1, fontSize=11.5)
    return mark.encode(x=alt.value(0), y=_y(), text="name:N")


def _figures(data: Any) -> Any:
    """The figure at the right of each bar, beyond the axis: it meets neither bars nor names."""
    import altair as alt

    mark = alt.Chart(data).mark_text(align="left", dx=8, dy=_BELOW, fontSize=11)
    return mark.encode(x=alt.value("width"), y=_y(), text="figure:N")


def _part(layers: Sequence[Any], title: str, subtitle: Sequence[str]) -> Any:
    import altair as alt

    text = alt.Title(title, subtitle=list(subtitle), offset=12)
    return alt.layer(*layers, width=_WIDTH, height={"step": _STEP}, title=text)


# ------------------------------------------------------------------ where the series are


def _families(rows: _Rows, census: Census) -> list[Any]:
    """Bars by family: what stays without the costliest label, and what only it makes."""
    import altair as alt

    shown = census.families[:_MOST]
    if not shown:
        return []
    entries = []
    for family in shown:
        worst = costliest(family)
        saved = (worst.saved or 0) if worst is not None else 0
        label = (
            f" · {plain_text(worst.name, most=24)}, {worst.values:,} values"
            if worst is not None
            else ""
        )
        entries.append(
            {
                "name": f"{plain_text(family.name, most=_NAME - len(label))}{label}",
                "kept": family.series - saved,
                "all": family.series,
                "figure": f"{family.series:,} · {_share(family.share)}",
                "metric": plain_text(family.name),
                "kind": family.type,
                "label": plain_text(worst.name) if worst is not None else "–",
                "left": f"{family.series - saved:,}",
            }
        )
    data = _data(rows, "families", entries)
    tooltip = [
        alt.Tooltip("metric:N"),
        alt.Tooltip("kind:N", title="type"),
        alt.Tooltip("figure:N", title="series"),
        alt.Tooltip("label:N", title="costliest label"),
        alt.Tooltip("left:N", title="series without it"),
    ]
    base = alt.Chart(data).encode(y=_y(), tooltip=tooltip)
    bar = {"size": _BAR, "yOffset": _BELOW}
    kept = base.mark_bar(color=COLOURS["usage"], **bar).encode(x=_series("kept"), x2=alt.datum(0))
    costs = base.mark_bar(color=COLOURS["forecast"], **bar).encode(x=_series("kept"), x2="all:Q")
    subtitle = [
        "orange: only because of the label that is named",
        "blue: what is left without it",
    ]
    if hidden := census.family_count - len(shown):
        rest = census.series - sum(f.series for f in shown)
        subtitle.append(f"{hidden:,} more metrics have the other {rest:,} series")
    layers = [kept, costs, _names(data), _figures(data)]
    return [_part(layers, "Metrics with the most series", subtitle)]


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "< 1%"


def _series(field: str) -> Any:
    import altair as alt

    axis = alt.Axis(title=None, labelExpr=_SHORT, tickCount=5, tickMinStep=1, grid=False)
    return alt.X(f"{field}:Q", axis=axis, scale=alt.Scale(domainMin=0, nice=False))


# ------------------------------------------------------------------ what each label costs


def _labels(rows: _Rows, census: Census) -> list[Any]:
    """Bars by label: the series that every metric together would have fewer without it."""
    import altair as alt

    shown = [x for x in census.labels if x.saved][:_MOST]
    if not shown:
        return []
    entries = [
        {
            "name": _label_line(x.name, x.values, x.metrics),
            "saved": x.saved,
            "values": x.values,
            "figure": f"−{x.saved:,}",
            "label": plain_text(x.name),
            "metrics": f"{x.metrics:,}",
            "count": f"{x.values:,}",
        }
        for x in shown
    ]
    data = _data(rows, "labels", entries)
    tooltip = [
        alt.Tooltip("label:N"),
        alt.Tooltip("count:N", title="distinct values"),
        alt.Tooltip("metrics:N", title="metrics that have it"),
        alt.Tooltip("figure:N", title="series without it"),
    ]
    base = alt.Chart(data).encode(y=_y(), tooltip=tooltip)
    bar = base.mark_bar(color=COLOURS["forecast"], size=_BAR, yOffset=_BELOW)
    values = base.mark_tick(
        color=COLOURS["neutral"], thickness=2.5, size=_BAR + 6, yOffset=_BELOW, opacity=1
    )
    layers = [
        bar.encode(x=_series("saved"), x2=alt.datum(0)),
        values.encode(x=_series("values")),
        _names(data),
        _figures(data),
    ]
    subtitle = ["orange: series fewer if every metric lost it", "grey tick: its distinct values"]
    return [_part(layers, "What each label costs", subtitle)]


def _label_line(name: str, values: int, metrics: int) -> str:
    many = f"{values:,} value{'s' if values != 1 else ''}"
    where = f"{metrics:,} metric{'s' if metrics != 1 else ''}"
    text = f" · {many} in {where}"
    return f"{plain_text(name, most=_NAME - len(text))}{text}"


# ------------------------------------------------------------------ what a deploy changes


@dataclass(frozen=True, slots=True)
class _Line:
    """One row of the changes."""

    name: str
    before: int
    after: SeriesBounds
    figure: str
    colour: str = ""

    def entry(self, top: float) -> dict[str, Any]:
        """The row as data, on an axis that ends at `top`."""
        grown = self.after.expected - self.before
        bounded = self.after.most is not None
        most = self.after.most if self.after.most is not None else top
        return {
            "name": plain_text(self.name, most=_NAME),
            "metric": plain_text(self.name),
            "before": self.before,
            "after": self.after.expected,
            "least": self.after.least,
            "most": most,
            "open": None if bounded else top,
            "colour": self.colour or (_GROWS if grown > 0 else _SHRINKS if grown < 0 else _SAME),
            "figure": self.figure,
            "range": f"{self.after.least:,} … {most:,}"
            if bounded
            else f"{self.after.least:,} … no bound",
            "was": f"{self.before:,}",
            "will": f"{self.after.expected:,}",
        }


def _changes(rows: _Rows, result: Audit) -> list[Any]:
    """A dumbbell a metric, from now to what is expected, over the range of what is possible."""
    changed = _changed(result)
    if not changed:
        return [_message(rows, "The candidate changes no metric.")] if result.baseline else []
    shown = changed[:_MOST]
    p = result.prediction
    whole = [_Line("all series", p.before, p.after, _signed(p.after.expected - p.before))]
    if result.baseline is not None:
        lines = [*whole, *map(_line, shown)]
    else:
        without_bound = _without_bound(result)
        lines = [_declared_line(m, without_bound.get(m.name, ())) for m in shown]
    rollout = result.baseline is not None and not p.observed
    top = _top(lines, p.rollout.expected if rollout else 0)
    data = _data(rows, "changes", [line.entry(top) for line in lines])
    subtitle = [_legend(result)]
    if len(changed) > len(shown):
        subtitle.append(f"{len(changed) - len(shown):,} more metrics change by less")
    layers = _dumbbells(data, top, compared=result.baseline is not None)
    if rollout:
        layers.insert(0, _rollout(rows, p.rollout.expected, top))
    title = "What the code can make"
    if result.baseline is not None:
        title = "What has changed" if p.observed else "What the deploy changes"
    return [_part(layers, title, subtitle)]


def _changed(result: Audit) -> list[MetricPrediction]:
    """The metrics that change: those without a bound first where only code was read."""
    found = [
        m for m in result.prediction.metrics if m.status not in (Status.SAME, Status.NOT_SHOWN)
    ]
    if result.baseline is None:
        found.sort(key=lambda m: (m.after.most is not None, -m.after.expected, m.name))
    return found


def _line(metric: MetricPrediction) -> _Line:
    words = {Status.NEW: "new", Status.GONE: "gone"}
    why = words.get(metric.status, "")
    if not why and metric.culprit:
        new = "new label " if metric.culprit in metric.new_labels else ""
        why = f"{new}{plain_text(metric.culprit, most=24)}"
    elif not why and metric.gone_labels:
        why = f"without {plain_text(metric.gone_labels[0], most=24)}"
    elif not why and (metric.new_bounds or metric.gone_bounds):
        why = "other buckets"
    tail = f" · {why}" if why else ""
    name = f"{plain_text(metric.name, most=_NAME - len(tail))}{tail}"
    more = "" if metric.after.most is not None else " or more"
    return _Line(name, metric.before, metric.after, f"{_signed(metric.difference)}{more}")


def _declared_line(metric: MetricPrediction, unbounded: Sequence[str]) -> _Line:
    """A metric of code that is compared with nothing."""
    tail = f" · no bound: {plain_text(', '.join(unbounded), most=24)}" if unbounded else ""
    name = f"{plain_text(metric.name, most=_NAME - len(tail))}{tail}"
    more = "" if metric.after.most is not None else " or more"
    colour = _SAME if metric.after.most is not None else _GROWS
    return _Line(name, 0, metric.after, f"{metric.after.expected:,}{more}", colour)


def _without_bound(result: Audit) -> dict[str, list[str]]:
    """The labels of each declared metric that take any value."""
    return {
        d.name: [n for n, values in d.values.items() if values.bound is Bound.UNBOUNDED]
        for d in result.candidate.declared
    }


def _signed(number: int) -> str:
    return f"+{number:,}" if number > 0 else f"−{-number:,}" if number < 0 else "±0"


def _legend(result: Audit) -> str:
    if result.prediction.observed:
        return "○ then · ● now"
    parts = ["● expected", "band: least to most", "▶ no bound"]
    if result.baseline is not None:
        parts = ["○ now", *parts, "│ most while it rolls out"]
    return " · ".join(parts)


def _top(lines: Sequence[_Line], rollout: int) -> float:
    """Where the axis ends; what has no bound runs on to there."""
    highest = max(
        [rollout, *(max(x.before, x.after.expected, x.after.most or 0) for x in lines), 1]
    )
    some_open = any(x.after.most is None for x in lines)
    return highest * (4.0 if some_open else 1.2) + 1


def _steps(top: float) -> list[int]:
    """0, 1, 10, 100 … up to the end of the axis."""
    steps = [0]
    power = 1
    while power <= top:
        steps.append(power)
        power *= 10
    return steps


def _x(field: str, top: float) -> Any:
    import altair as alt

    # From 0, which a logarithm does not have, in steps of ten: a new metric starts there.
    scale = alt.Scale(type="symlog", constant=1, domain=[0, top], nice=False)
    axis = alt.Axis(title=None, values=_steps(top), labelExpr=_SHORT, grid=True, gridOpacity=0.14)
    return alt.X(f"{field}:Q", scale=scale, axis=axis)


def _dumbbells(data: Any, top: float, *, compared: bool) -> list[Any]:
    import altair as alt

    tooltip = [
        alt.Tooltip("metric:N", title="metric"),
        alt.Tooltip("was:N", title="now"),
        alt.Tooltip("will:N", title="expected"),
        alt.Tooltip("range:N", title="least … most"),
    ]
    base = alt.Chart(data).encode(y=_y(), tooltip=tooltip)
    colour = alt.Color("colour:N", scale=None, legend=None)
    below = {"yOffset": _BELOW}
    band = base.mark_bar(opacity=0.3, size=_BAR, cornerRadius=3, **below)
    way = base.mark_bar(size=3, **below)
    now = base.mark_point(shape="circle", size=64, strokeWidth=1.8, opacity=1, **below)
    then = base.mark_point(shape="circle", size=80, filled=True, opacity=1, **below)
    end = base.mark_point(
        shape="triangle-right", size=110, filled=True, opacity=0.9, xOffset=-4, **below
    )
    return [
        band.encode(x=_x("least", top), x2="most:Q", color=colour),
        way.encode(x=_x("before", top), x2="after:Q", color=colour),
        *(
            [now.encode(x=_x("before", top), color=alt.value(COLOURS["neutral"]))]
            if compared
            else []
        ),
        then.encode(x=_x("after", top), color=colour),
        end.transform_filter("datum.open !== null").encode(x=_x("open", top), color=colour),
        _names(data),
        _figures(data),
    ]


def _rollout(rows: _Rows, expected: int, top: float) -> Any:
    """How many series there are at most while old and new ones stand side by side."""
    import altair as alt

    data = _data(rows, "rollout", [{"series": expected, "text": f"{expected:,}"}])
    mark = alt.Chart(data).mark_tick(
        color=COLOURS["neutral"], thickness=2.5, size=_BAR + 8, yOffset=_BELOW, opacity=1
    )
    tooltip = [alt.Tooltip("text:N", title="most while it rolls out")]
    return mark.encode(x=_x("series", top), y=_y(), tooltip=tooltip)


def _message(rows: _Rows, text: str) -> Any:
    import altair as alt

    mark = alt.Chart(_data(rows, "message", [{"text": text}])).mark_text(align="left")
    return mark.encode(x=alt.value(0), text="text:N")
