"""Error budgets as a picture: what was spent and will be, beside the burn rates and their alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.slo.burn import burn_rates, pair_name
from workbench.slo.pairs import BurnPair
from workbench.slo.result import SloResult, Standing, Verdict
from workbench.statistics import DAY_MS
from workbench.units import format_quantity
from workbench.views.axis import plain_text
from workbench.views.slo_table import headline, slo_table
from workbench.views.theme import COLOURS, themed
from workbench.window import format_time

__all__ = ["slo_chart", "slo_table"]

_MOST: Final = 8
"""So many objectives are drawn; all stand in the table."""

_WIDTH: Final = 300
_HEIGHT: Final = 150
_POINTS: Final = 240

_BANDS: Final = (("q0", "q6", 0.16), ("q1", "q5", 0.24), ("q2", "q4", 0.36))
"""The fan's bands of 95, 80 and 50 %, and their opacity."""

_PAIR_COLOURS: Final = (COLOURS["limit"], COLOURS["forecast"], COLOURS["usage"], COLOURS["light"])
"""Of the pairs, the most urgent first."""

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

    rows: _Rows = {}
    known = [s for s in result.standings if s.burn_down is not None and s.events is not None]
    parts = [_objective(_Panel(rows, s, result.now_ms)) for s in known[:_MOST]]
    if not parts:
        parts = [_message(rows, "No objective has data to draw.")]
    lines = list(_LEGEND)
    if len(known) > _MOST:
        lines.append(f"the {_MOST} most urgent of {len(known)}; all stand in the table")
    title = alt.Title("Error budgets, the most urgent first", subtitle=lines, offset=18)
    whole = themed(alt.vconcat(*parts, spacing=30, title=title))
    whole.datasets = rows
    return whole


_Rows = dict[str, list[dict[str, Any]]]
"""The rows of every part of a chart, by the names of their data sets."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One objective and what its two panels share."""

    rows: _Rows
    standing: Standing
    now_ms: int

    def data(self, kind: str, **columns: Sequence[Any]) -> Any:
        """File rows of plain values under a name and give the reference."""
        import altair as alt

        name = f"{kind}_{len(self.rows)}"
        self.rows[name] = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
        return alt.NamedData(name=name)


def _objective(panel: _Panel) -> Any:
    import altair as alt

    standing = panel.standing
    urgent = standing.verdict in (Verdict.SPENT, Verdict.BURNING, Verdict.DATED)
    marked = {"subtitleColor": COLOURS["error"], "subtitleFontWeight": 600} if urgent else {}
    one = standing.objective
    name = f"{plain_text(standing.name, most=60)} · {one.target * 100:.6g} % over {one.window}"
    title = alt.Title(text=name, subtitle=plain_text(headline(standing), most=110), **marked)
    return alt.hconcat(_budget(panel), _burn(panel), spacing=40, title=title)


def _budget(panel: _Panel) -> Any:
    """What was left of the budget, and what will be."""
    import altair as alt

    end = _shown_until(panel)
    low = _lowest(panel, end)
    layers = [*_fan(panel, end, low), _past(panel, end, low)]
    layers += [_none_left(panel, end, low), _now(panel, end), *_mark(panel, end, low)]
    return alt.layer(*layers, width=_WIDTH, height=_HEIGHT)


def _shown_until(panel: _Panel) -> int:
    """As far ahead as the window is long, and so that a date's interval can be seen."""
    ahead = panel.standing.run_out
    if ahead is None:
        return panel.now_ms
    days = min(90.0, max(14.0, panel.standing.objective.window_ms / DAY_MS))
    if ahead.dated:
        high = ahead.interval_80[1] or ahead.horizon_hours
        days = max(days, min(90.0, 1.1 * high / 24))
    return panel.now_ms + round(days * DAY_MS)


def _lowest(panel: _Panel, end_ms: int) -> float:
    burn_down, ahead = panel.standing.burn_down, panel.standing.run_out
    assert burn_down is not None
    found = [float(burn_down.left.min()), -0.12]
    if ahead is not None:
        shown = ahead.fan.times_ms <= end_ms
        found.append(float(ahead.fan.values[1][shown].min()) if shown.any() else 0.0)
    return max(min(found) * 1.05, min(_FLOOR, float(burn_down.left[-1]) * 1.2))


def _x(panel: _Panel, end_ms: int, field: str = "time") -> Any:
    import altair as alt

    assert panel.standing.burn_down is not None
    start = int(panel.standing.burn_down.times_ms[0])
    scale = alt.Scale(type="utc", domain=[start, end_ms], nice=False)
    axis = alt.Axis(
        title=None, tickCount=4, labelSeparation=10, format="%-d %b", labelOverlap="greedy"
    )
    return alt.X(f"{field}:T", scale=scale, axis=axis)


def _y(low: float, field: str) -> Any:
    import altair as alt

    axis = alt.Axis(
        title="left", format="~%", titleAngle=0, titleAlign="left", titleAnchor="end",
        titleX=4, titleY=-6,
    )  # fmt: skip
    scale = alt.Scale(domain=[low, 1.0], nice=False)
    return alt.Y(f"{field}:Q", scale=scale, axis=axis)


def _past(panel: _Panel, end_ms: int, low: float) -> Any:
    import altair as alt

    burn_down = panel.standing.burn_down
    assert burn_down is not None
    every = max(1, len(burn_down.left) // _POINTS)
    at = np.arange(len(burn_down.left) - 1, -1, -every)[::-1]
    values = burn_down.left[at]
    data = panel.data(
        "past",
        time=burn_down.times_ms[at].tolist(),
        left=_short(values),
        when=[_moment(t) for t in burn_down.times_ms[at].tolist()],
    )
    tooltip = [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip("left:Q", title="left", format=".1%"),
    ]
    mark = alt.Chart(data).mark_line(color=COLOURS["usage"], clip=True, strokeWidth=2)
    return mark.encode(x=_x(panel, end_ms), y=_y(low, "left"), tooltip=tooltip)


def _fan(panel: _Panel, end_ms: int, low: float) -> list[Any]:
    """Bands of 95, 80 and 50 %, and the median, from what is left now."""
    import altair as alt

    ahead, found = panel.standing.run_out, panel.standing.budget
    if ahead is None or found is None:
        return []
    shown = ahead.fan.times_ms <= end_ms
    times = [panel.now_ms, *ahead.fan.times_ms[shown].tolist()]
    now = np.full((len(ahead.fan.levels), 1), found.left)
    values = np.concatenate([now, ahead.fan.values[:, shown]], axis=1)
    data = panel.data(
        "fan",
        time=times,
        when=[_moment(t) for t in times],
        middle=[_percent(v) for v in values[3].tolist()],
        band=[
            f"{_percent(a)} to {_percent(b)}"
            for a, b in zip(values[1].tolist(), values[5].tolist(), strict=True)
        ],
        **{f"q{i}": _short(row) for i, row in enumerate(values)},
    )
    tooltip = [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip("middle:N", title="left, median"),
        alt.Tooltip("band:N", title="80 % of futures"),
    ]
    base = alt.Chart(data).encode(x=_x(panel, end_ms), tooltip=tooltip)
    colour = COLOURS["forecast"]
    bands = [
        base.mark_area(color=colour, opacity=opacity, clip=True).encode(
            y=_y(low, lower), y2=f"{upper}:Q"
        )
        for lower, upper, opacity in _BANDS
    ]
    line = base.mark_line(color=colour, clip=True, strokeDash=[5, 3])
    return [*bands, line.encode(y=_y(low, "q3"))]


def _none_left(panel: _Panel, end_ms: int, low: float) -> Any:
    import altair as alt

    burn_down = panel.standing.burn_down
    assert burn_down is not None
    data = panel.data("none", time=[int(burn_down.times_ms[0]), end_ms], left=[0.0, 0.0])
    mark = alt.Chart(data).mark_line(color=COLOURS["limit"], strokeWidth=1.4)
    return mark.encode(x=_x(panel, end_ms), y=_y(low, "left"))


def _now(panel: _Panel, end_ms: int) -> Any:
    import altair as alt

    data = panel.data("now", time=[panel.now_ms], text=[_moment(panel.now_ms)])
    mark = alt.Chart(data).mark_rule(strokeDash=[2, 3], opacity=0.8)
    return mark.encode(x=_x(panel, end_ms), tooltip=[alt.Tooltip("text:N", title="now")])


def _mark(panel: _Panel, end_ms: int, low: float) -> list[Any]:
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
    return [span.encode(x=low_end, x2="high:T"), point.encode(x=_x(panel, end_ms))]


# ---------------------------------------------------------------- burn rates


def _burn(panel: _Panel) -> Any:
    """The burn rate over each alert's long window, its threshold, and when it would have been on."""
    import altair as alt

    standing = panel.standing
    if not standing.burn:
        return _message(panel.rows, "its window is too short for burn-rate alerts")
    pairs = [b.pair for b in standing.burn]
    lines = [_rates(panel, p) for p in pairs]
    top = max(float(np.nanmax(v, initial=0.0)) for _, v in lines)
    top = 1.6 * max(top, *(p.factor for p in pairs))
    layers = [
        layer
        for (times, values), pair, colour in zip(lines, pairs, _PAIR_COLOURS, strict=False)
        for layer in _of_pair(panel, pair, colour, times=times, values=values, top=top)
    ]
    return alt.layer(*layers, width=_WIDTH, height=_HEIGHT)


def _rates(panel: _Panel, pair: BurnPair) -> tuple[Ints, Floats]:
    """The long window's burn rate over the objective's window: the highest of each bin."""
    standing = panel.standing
    assert standing.events is not None
    assert standing.burn_down is not None
    rates = burn_rates(standing.events, standing.objective.budget, pair.long_ms)
    count = len(standing.burn_down.times_ms)
    times, rates = standing.burn_down.times_ms, rates[len(rates) - count :]
    every = max(1, count // _POINTS)
    start = count % every
    parts = rates[start:].reshape(-1, every)
    return times[start:].reshape(-1, every)[:, -1], np.fmax.reduce(parts, axis=1)


def _burn_y(top: float, field: str) -> Any:
    import altair as alt

    values = [v for v in (0, 0.3, 1, 3, 10, 30, 100, 300, 1000) if v <= top]
    axis = alt.Axis(
        title="burn rate", values=values, titleAngle=0, titleAlign="left", titleAnchor="end",
        titleX=4, titleY=-6,
    )  # fmt: skip
    # Symmetric: linear near 0, where most of a good week lies, and logarithmic above 1.
    scale = alt.Scale(type="symlog", constant=0.5, domain=[0, top], nice=False)
    return alt.Y(f"{field}:Q", scale=scale, axis=axis)


def _of_pair(
    panel: _Panel, pair: BurnPair, colour: str, *, times: Ints, values: Floats, top: float
) -> list[Any]:
    import altair as alt

    name = pair_name(pair)
    start, end = int(times[0]), int(times[-1])
    x = _burn_x(panel)
    line = panel.data(
        "burn",
        time=times.tolist(),
        burn=_short(values),
        when=[_moment(t) for t in times.tolist()],
    )
    tooltip = [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip("burn:Q", title=f"burn rate over {pair.long}", format=".3~g"),
    ]
    bound = panel.data("threshold", time=[start, end], burn=[pair.factor] * 2)
    label = panel.data("label", time=[end], burn=[pair.factor], text=[f"{name} > {pair.factor:g}"])
    y = _burn_y(top, "burn")
    return [
        alt.Chart(line)
        .mark_line(color=colour, strokeWidth=1.3, clip=True)
        .encode(x=x, y=y, tooltip=tooltip),
        alt.Chart(bound)
        .mark_line(color=colour, strokeDash=[4, 3], strokeWidth=1, opacity=0.8)
        .encode(x=x, y=y),
        alt.Chart(label)
        .mark_text(align="left", dx=5, fontSize=10.5)
        .encode(x=x, y=y, text="text:N"),
        *_episodes(panel, pair, colour, top),
    ]


def _episodes(panel: _Panel, pair: BurnPair, colour: str, top: float) -> list[Any]:
    """When the alert would have been on: a bar at its threshold, and a triangle where it begins."""
    import altair as alt

    played = panel.standing.replay
    found = [e for e in played.episodes if e.pair == pair] if played else []
    if not found:
        return []
    data = panel.data(
        "alert",
        time=[e.start_ms for e in found],
        end=[e.end_ms for e in found],
        burn=[pair.factor] * len(found),
        what=[f"{pair.severity} {pair_name(pair)}" for _ in found],
        span=[f"{_moment(e.start_ms)} to {_moment(e.end_ms)}" for e in found],
        peak=[format_quantity(e.peak) for e in found],
        spent=[_percent(e.spent) for e in found],
    )
    tooltip = [
        alt.Tooltip("what:N", title="alert"),
        alt.Tooltip("span:N", title="on"),
        alt.Tooltip("peak:N", title="highest burn rate"),
        alt.Tooltip("spent:N", title="of the budget"),
    ]
    base = alt.Chart(data).encode(y=_burn_y(top, "burn"), tooltip=tooltip)
    x = _burn_x(panel)
    bar = base.mark_rule(color=colour, strokeWidth=5, opacity=0.85)
    sign = base.mark_point(
        shape="triangle-up", size=70, color=colour, fill=colour, opacity=1, yOffset=8
    )
    start = alt.X("time:T", scale=alt.Scale(type="utc"))
    return [bar.encode(x=start, x2="end:T"), sign.encode(x=x)]


def _burn_x(panel: _Panel) -> Any:
    return _x(panel, panel.now_ms)


def _message(rows: _Rows, text: str) -> Any:
    import altair as alt

    rows[name := f"message_{len(rows)}"] = [{"text": text}]
    return alt.Chart(alt.NamedData(name=name)).mark_text(align="left").encode(text="text:N")


def _short(values: Floats) -> list[float | None]:
    return [float(f"{v:.4g}") if np.isfinite(v) else None for v in values.tolist()]


def _percent(share: float) -> str:
    return format_quantity(share, "ratio").replace("-", "−")


def _moment(time_ms: int) -> str:
    return format_time(time_ms)[:16].replace("T", " ")
