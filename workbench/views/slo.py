"""Error budgets as a picture: what was spent and will be, beside the burn rates and their alerts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from workbench.slo.result import SloResult, Verdict
from workbench.statistics import DAY_MS
from workbench.views.axis import plain_text
from workbench.views.fan import fan_marks
from workbench.views.slo_burn import burn_panel
from workbench.views.slo_panel import (
    HEIGHT,
    POINTS,
    WIDTH,
    Panel,
    Rows,
    message,
    moment,
    short,
    time_x,
)
from workbench.views.slo_table import headline, slo_table
from workbench.views.theme import COLOURS, themed

__all__ = ["slo_chart", "slo_table"]

_MOST: Final = 8
"""So many objectives are drawn; all stand in the table."""

_LEGEND: Final = (
    "left, the budget: blue what was left · orange what will be, 50, 80, 95 % of futures",
    "red line: none left · ◆ gone (red) or back (green), with its 80 % interval",
    "right, how fast it burns: the long window of each alert, as a multiple of what is allowed",
    "dashed: the alert's threshold · ▲ and bar: when it would have been on",
)

_FLOOR: Final = -1.0
"""An axis shows no more than the whole budget overspent."""


def slo_chart(result: SloResult) -> Any:
    """Draw the most urgent objectives, a budget and its burn rates each.

    Parameters
    ----------
    result
        Of `workbench.slo.analysis.analyse`.

    Returns
    -------
    altair.VConcatChart
        Names of objectives stand in it as data and titles only, never in an expression.
    """
    import altair as alt

    rows: Rows = {}
    known = [s for s in result.standings if s.burn_down is not None and s.events is not None]
    parts = [_objective(Panel(rows, s, result.now_ms)) for s in known[:_MOST]]
    if not parts:
        parts = [message(rows, "No objective has data to draw.")]
    lines = list(_LEGEND)
    if len(known) > _MOST:
        lines.append(f"the {_MOST} most urgent of {len(known)}; all stand in the table")
    title = alt.Title("Error budgets, the most urgent first", subtitle=lines, offset=18)
    whole = themed(alt.vconcat(*parts, spacing=30, title=title))
    whole.datasets = rows
    return whole


def _objective(panel: Panel) -> Any:
    import altair as alt

    standing = panel.standing
    urgent = standing.verdict in (Verdict.SPENT, Verdict.BURNING, Verdict.DATED)
    marked = {"subtitleColor": COLOURS["error"], "subtitleFontWeight": 600} if urgent else {}
    one = standing.objective
    name = f"{plain_text(standing.name, most=60)} · {one.target * 100:.6g} % over {one.window}"
    title = alt.Title(text=name, subtitle=plain_text(headline(standing), most=110), **marked)
    return alt.hconcat(_budget(panel), burn_panel(panel), spacing=40, title=title)


def _budget(panel: Panel) -> Any:
    """What was left of the budget, and what will be."""
    import altair as alt

    end = _shown_until(panel)
    low = _lowest(panel, end)
    layers = [*_fan(panel, end, low), _past(panel, end, low)]
    layers += [_none_left(panel, end, low), _now(panel, end), *_mark(panel, end, low)]
    return alt.layer(*layers, width=WIDTH, height=HEIGHT)


def _shown_until(panel: Panel) -> int:
    """As far ahead as the window is long, and so that a date's interval can be seen."""
    ahead = panel.standing.run_out
    if ahead is None:
        return panel.now_ms
    days = min(90.0, max(14.0, panel.standing.objective.window_ms / DAY_MS))
    if ahead.dated:
        high = ahead.interval_80[1] or ahead.horizon_hours
        days = max(days, min(90.0, 1.1 * high / 24))
    return panel.now_ms + round(days * DAY_MS)


def _lowest(panel: Panel, end_ms: int) -> float:
    burn_down, ahead = panel.standing.burn_down, panel.standing.run_out
    assert burn_down is not None
    found = [float(burn_down.left.min()), -0.12]
    if ahead is not None:
        shown = ahead.fan.times_ms <= end_ms
        found.append(float(ahead.fan.values[1][shown].min()) if shown.any() else 0.0)
    return max(min(found) * 1.05, min(_FLOOR, float(burn_down.left[-1]) * 1.2))


def _y(low: float, field: str) -> Any:
    import altair as alt

    axis = alt.Axis(
        title="left", format="~%", titleAngle=0, titleAlign="left", titleAnchor="end",
        titleX=4, titleY=-6,
    )  # fmt: skip
    scale = alt.Scale(domain=[low, 1.0], nice=False)
    return alt.Y(f"{field}:Q", scale=scale, axis=axis)


def _past(panel: Panel, end_ms: int, low: float) -> Any:
    import altair as alt

    burn_down = panel.standing.burn_down
    assert burn_down is not None
    every = max(1, len(burn_down.left) // POINTS)
    at = np.arange(len(burn_down.left) - 1, -1, -every)[::-1]
    base = panel.numbers(
        "past", time=burn_down.times_ms[at].tolist(), left=short(burn_down.left[at])
    )
    tooltip = [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip("left:Q", title="left", format=".1%"),
    ]
    mark = base.mark_line(color=COLOURS["usage"], clip=True, strokeWidth=2)
    return mark.encode(x=time_x(panel, end_ms), y=_y(low, "left"), tooltip=tooltip)


def _fan(panel: Panel, end_ms: int, low: float) -> list[Any]:
    """Bands of 95, 80 and 50 %, and the median, from what is left now."""
    import altair as alt

    ahead, found = panel.standing.run_out, panel.standing.budget
    if ahead is None or found is None:
        return []
    shown = ahead.fan.times_ms <= end_ms
    times = [panel.now_ms, *ahead.fan.times_ms[shown].tolist()]
    now = np.full((len(ahead.fan.levels), 1), found.left)
    values = np.concatenate([now, ahead.fan.values[:, shown]], axis=1)
    rows = {f"q{i}": short(row) for i, row in enumerate(values)}
    tooltip = [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip("q3:Q", title="left, median", format=".0%"),
        alt.Tooltip("q1:Q", title="80 % of futures from", format=".0%"),
        alt.Tooltip("q5:Q", title="to", format=".0%"),
    ]
    base = panel.numbers("fan", time=times, **rows).encode(x=time_x(panel, end_ms), tooltip=tooltip)
    return fan_marks(base, lambda column: _y(low, column))


def _none_left(panel: Panel, end_ms: int, low: float) -> Any:
    import altair as alt

    burn_down = panel.standing.burn_down
    assert burn_down is not None
    data = panel.data("none", time=[int(burn_down.times_ms[0]), end_ms], left=[0.0, 0.0])
    mark = alt.Chart(data).mark_line(color=COLOURS["limit"], strokeWidth=1.4)
    return mark.encode(x=time_x(panel, end_ms), y=_y(low, "left"))


def _now(panel: Panel, end_ms: int) -> Any:
    import altair as alt

    data = panel.data("now", time=[panel.now_ms], text=[moment(panel.now_ms)])
    mark = alt.Chart(data).mark_rule(strokeDash=[2, 3], opacity=0.8)
    return mark.encode(x=time_x(panel, end_ms), tooltip=[alt.Tooltip("text:N", title="now")])


def _mark(panel: Panel, end_ms: int, low: float) -> list[Any]:
    """The moment at which the budget is gone or back, with its 80 % interval."""
    import altair as alt

    ahead = panel.standing.run_out
    if ahead is None or not ahead.dated or ahead.hours is None:
        return []
    ends = [ahead.time_ms(ahead.horizon_hours if h is None else h) for h in ahead.interval_80]
    data = panel.data(
        "mark",
        time=[ahead.time_ms(ahead.hours)],
        low=[min(ends[0] or end_ms, end_ms)],
        high=[min(ends[1] or end_ms, end_ms)],
        left=[0.0],
        line=[headline(panel.standing)],
    )
    colour = COLOURS["good"] if ahead.spent else COLOURS["limit"]
    base = alt.Chart(data).encode(
        y=_y(low, "left"), tooltip=[alt.Tooltip("line:N", title="budget")]
    )
    span = base.mark_rule(color=colour, strokeWidth=5, opacity=0.75, strokeCap="round")
    point = base.mark_point(color=colour, fill=colour, shape="diamond", size=110, opacity=1)
    low_end = alt.X("low:T", scale=alt.Scale(type="utc"))
    return [span.encode(x=low_end, x2="high:T"), point.encode(x=time_x(panel, end_ms))]
