"""What a deploy changes, as a picture: from now to what is expected, over what is possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.cardinality.audit import Audit
from workbench.cardinality.bounds import SeriesBounds
from workbench.cardinality.prediction import MetricPrediction, Status
from workbench.inventory import Bound
from workbench.views.axis import plain_text
from workbench.views.bar_rows import (
    BAR,
    BELOW,
    MOST,
    NAME,
    SHORT,
    Rows,
    figures_beside,
    message,
    names_above,
    part,
    row_axis,
    rows_as,
)  # fmt: skip
from workbench.views.theme import COLOURS

__all__ = ["changes_part"]

_GROWS, _SHRINKS, _SAME = COLOURS["limit"], COLOURS["good"], COLOURS["usage"]


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
            "name": plain_text(self.name, most=NAME),
            "metric": plain_text(self.name),
            "before": self.before,
            "after": self.after.expected,
            "least": self.after.least,
            "most": most,
            "open": None if bounded else top,
            "colour": self.colour
            or (_GROWS if grown > 0 or not bounded else _SHRINKS if grown < 0 else _SAME),
            "figure": self.figure,
            "range": f"{self.after.least:,} … {most:,}"
            if bounded
            else f"{self.after.least:,} … no bound",
            "was": f"{self.before:,}",
            "will": f"{self.after.expected:,}",
        }


def changes_part(rows: Rows, result: Audit) -> list[Any]:
    """A dumbbell a metric, from now to what is expected, over the range of what is possible."""
    changed = _changed(result)
    if not changed:
        return [message(rows, "The candidate changes no metric.")] if result.baseline else []
    shown = changed[:MOST]
    p = result.prediction
    whole = [_Line("all series", p.before, p.after, _gain(p.before, p.after))]
    without_bound = _without_bound(result)
    if result.baseline is not None:
        lines = [*whole, *(_line(m, without_bound.get(m.name, ())) for m in shown)]
    else:
        lines = [_declared_line(m, without_bound.get(m.name, ())) for m in shown]
    rollout = result.baseline is not None and not p.observed
    top = _top(lines, p.rollout.expected if rollout else 0)
    data = rows_as(rows, "changes", [line.entry(top) for line in lines])
    subtitle = [_legend(result)]
    if len(changed) > len(shown):
        subtitle.append(f"{len(changed) - len(shown):,} more metrics change by less")
    layers = _dumbbells(data, top, compared=result.baseline is not None)
    if rollout:
        layers.insert(0, _rollout(rows, p.rollout.expected, top))
    title = "What the code can make"
    if result.baseline is not None:
        title = "What has changed" if p.observed else "What the deploy changes"
    return [part(layers, title, subtitle)]


def _changed(result: Audit) -> list[MetricPrediction]:
    """The metrics that change: those without a bound first where only code was read."""
    found = [
        m for m in result.prediction.metrics if m.status not in (Status.SAME, Status.NOT_SHOWN)
    ]
    if result.baseline is None:
        found.sort(key=lambda m: (m.after.most is not None, -m.after.expected, m.name))
    return found


def _line(metric: MetricPrediction, unbounded: Sequence[str]) -> _Line:
    words = {Status.NEW: "new", Status.GONE: "gone"}
    why = words.get(metric.status, "")
    if unbounded:
        why = f"no bound: {plain_text(', '.join(unbounded), most=24)}"
    if not why and metric.culprit:
        new = "new label " if metric.culprit in metric.new_labels else ""
        why = f"{new}{plain_text(metric.culprit, most=24)}"
    elif not why and metric.new_labels:
        why = f"new label {plain_text(metric.new_labels[0], most=24)}"
    elif not why and metric.gone_labels:
        why = f"without {plain_text(metric.gone_labels[0], most=24)}"
    elif not why and (metric.new_bounds or metric.gone_bounds):
        why = "other buckets"
    tail = f" · {why}" if why else ""
    name = f"{plain_text(metric.name, most=NAME - len(tail))}{tail}"
    return _Line(name, metric.before, metric.after, _gain(metric.before, metric.after))


def _declared_line(metric: MetricPrediction, unbounded: Sequence[str]) -> _Line:
    """A metric of code that is compared with nothing."""
    tail = f" · no bound: {plain_text(', '.join(unbounded), most=24)}" if unbounded else ""
    name = f"{plain_text(metric.name, most=NAME - len(tail))}{tail}"
    more = "" if metric.after.most is not None else " or more"
    colour = _SAME if metric.after.most is not None else _GROWS
    return _Line(name, 0, metric.after, f"{metric.after.expected:,}{more}", colour)


def _without_bound(result: Audit) -> dict[str, list[str]]:
    """The labels of each declared metric that take any value."""
    return {
        d.name: [n for n, values in d.values.items() if values.bound is Bound.UNBOUNDED]
        for d in result.candidate.declared
    }


def _gain(before: int, after: SeriesBounds) -> str:
    """Series more than now, with a sign."""
    number = after.expected - before
    if after.most is None:
        return f"{number:+,} or more".replace("-", "−")
    return f"{number:+,}".replace("-", "−") if number else "±0"


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
    axis = alt.Axis(title=None, values=_steps(top), labelExpr=SHORT, grid=True, gridOpacity=0.14)
    return alt.X(f"{field}:Q", scale=scale, axis=axis)


def _dumbbells(data: Any, top: float, *, compared: bool) -> list[Any]:
    import altair as alt

    tooltip = [
        alt.Tooltip("metric:N", title="metric"),
        alt.Tooltip("was:N", title="now"),
        alt.Tooltip("will:N", title="expected"),
        alt.Tooltip("range:N", title="least … most"),
    ]
    base = alt.Chart(data).encode(y=row_axis(), tooltip=tooltip)
    colour = alt.Color("colour:N", scale=None, legend=None)
    below = {"yOffset": BELOW}
    band = base.mark_bar(opacity=0.3, size=BAR, cornerRadius=3, **below)
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
        names_above(data),
        figures_beside(data),
    ]


def _rollout(rows: Rows, expected: int, top: float) -> Any:
    """How many series there are at most while old and new ones stand side by side."""
    import altair as alt

    data = rows_as(rows, "rollout", [{"series": expected, "text": f"{expected:,}"}])
    mark = alt.Chart(data).mark_tick(
        color=COLOURS["neutral"], thickness=2.5, size=BAR + 8, yOffset=BELOW, opacity=1
    )
    tooltip = [alt.Tooltip("text:N", title="most while it rolls out")]
    return mark.encode(x=_x("series", top), y=row_axis(), tooltip=tooltip)
