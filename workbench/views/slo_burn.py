"""How fast a budget burns, as a picture: each alert's long window, its threshold, its episodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.slo.burn import burn_rates, pair_name
from workbench.slo.pairs import BurnPair
from workbench.units import format_quantity
from workbench.views.slo_panel import (
    HEIGHT,
    POINTS,
    WIDTH,
    Panel,
    message,
    moment,
    percent,
    short,
    time_x,
)
from workbench.views.theme import COLOURS

__all__ = ["burn_panel"]

_PAIR_COLOURS: Final = (COLOURS["limit"], COLOURS["forecast"], COLOURS["usage"], COLOURS["light"])
"""Of the pairs, the most urgent first."""


def burn_panel(panel: Panel) -> Any:
    """The burn rate over each alert's long window, its threshold, and when it would have been on."""
    import altair as alt

    standing = panel.standing
    if not standing.burn:
        return message(panel.rows, "its window is too short for burn-rate alerts")
    pairs = [b.pair for b in standing.burn]
    lines = [_rates(panel, p) for p in pairs]
    top = max(float(np.nanmax(v, initial=0.0)) for _, v in lines)
    top = 1.6 * max(top, *(p.factor for p in pairs))
    layers = [
        _lines(panel, lines, top),
        *_thresholds(panel, pairs, top, (int(lines[0][0][0]), int(lines[0][0][-1]))),
        *_episodes(panel, pairs, top),
    ]
    return alt.layer(*layers, width=WIDTH, height=HEIGHT)


def _colour() -> Any:
    """By the pair's number, the most urgent first."""
    import altair as alt

    scale = alt.Scale(domain=list(range(len(_PAIR_COLOURS))), range=list(_PAIR_COLOURS))
    return alt.Color("pair:N", scale=scale, legend=None)


def _rates(panel: Panel, pair: BurnPair) -> tuple[Ints, Floats]:
    """The long window's burn rate over the objective's window: the highest of each bin."""
    standing = panel.standing
    assert standing.events is not None
    assert standing.burn_down is not None
    rates = burn_rates(standing.events, standing.objective.budget, pair.long_ms)
    count = len(standing.burn_down.times_ms)
    times, rates = standing.burn_down.times_ms, rates[len(rates) - count :]
    every = max(1, count // POINTS)
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


def _lines(panel: Panel, lines: Sequence[tuple[Ints, Floats]], top: float) -> Any:
    """The burn rates, one line a pair."""
    import altair as alt

    base = panel.numbers(
        "burn",
        time=[t for times, _ in lines for t in times.tolist()],
        burn=[b for _, values in lines for b in short(values)],
        pair=[i for i, (times, _) in enumerate(lines) for _ in times],
    )
    tooltip = [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip("burn:Q", title="burn rate", format=".3~g"),
    ]
    return base.mark_line(strokeWidth=1.3, clip=True).encode(
        x=_burn_x(panel), y=_burn_y(top, "burn"), color=_colour(), tooltip=tooltip
    )


def _thresholds(
    panel: Panel, pairs: Sequence[BurnPair], top: float, ends: tuple[int, int]
) -> list[Any]:
    """A dashed line at each alert's threshold, with its name at the end."""
    import altair as alt

    data = panel.data(
        "threshold",
        time=[ends[0]] * len(pairs),
        end=[ends[1]] * len(pairs),
        burn=[p.factor for p in pairs],
        pair=list(range(len(pairs))),
        text=[f"{pair_name(p)} > {p.factor:g}" for p in pairs],
    )
    base = alt.Chart(data).encode(y=_burn_y(top, "burn"))
    start = alt.X("time:T", scale=alt.Scale(type="utc"))
    rule = base.mark_rule(strokeDash=[4, 3], strokeWidth=1, opacity=0.8)
    name = base.mark_text(align="left", dx=5, fontSize=10.5)
    return [
        rule.encode(x=start, x2="end:T", color=_colour()),
        name.encode(x=_burn_x(panel, "end"), text="text:N"),
    ]


def _episodes(panel: Panel, pairs: Sequence[BurnPair], top: float) -> list[Any]:
    """When an alert would have been on: a bar at its threshold, and a triangle where it begins."""
    import altair as alt

    played = panel.standing.replay
    found = played.episodes if played else ()
    if not found:
        return []
    data = panel.data(
        "alert",
        time=[e.start_ms for e in found],
        end=[e.end_ms for e in found],
        burn=[e.pair.factor for e in found],
        pair=[pairs.index(e.pair) for e in found],
        what=[f"{e.pair.severity} {pair_name(e.pair)}" for e in found],
        span=[f"{moment(e.start_ms)} to {moment(e.end_ms)}" for e in found],
        peak=[format_quantity(e.peak) for e in found],
        spent=[percent(e.spent) for e in found],
    )
    tooltip = [
        alt.Tooltip("what:N", title="alert"),
        alt.Tooltip("span:N", title="on"),
        alt.Tooltip("peak:N", title="highest burn rate"),
        alt.Tooltip("spent:N", title="of the budget"),
    ]
    base = alt.Chart(data).encode(y=_burn_y(top, "burn"), color=_colour(), tooltip=tooltip)
    bar = base.mark_rule(strokeWidth=5, opacity=0.85)
    sign = base.mark_point(shape="triangle-up", size=70, filled=True, opacity=1, yOffset=8)
    start = alt.X("time:T", scale=alt.Scale(type="utc"))
    return [bar.encode(x=start, x2="end:T"), sign.encode(x=_burn_x(panel))]


def _burn_x(panel: Panel, field: str = "time") -> Any:
    return time_x(panel, panel.now_ms, field)
