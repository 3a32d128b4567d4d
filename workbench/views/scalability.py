"""Throughput against concurrency as table and picture: the law, its band, its peak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.capacity.scaling.result import ScalabilityResult, Scaling, ScalingCurve
from workbench.statistics.scalability import Scalability
from workbench.units import counted, format_quantity
from workbench.views.axis import plain_text
from workbench.views.columns import Datasets, column_data, flattened
from workbench.views.theme import COLOURS, themed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["scalability_chart", "scalability_table"]

_MOST: Final = 12
_POINTS: Final = 400
_GRID: Final = 60
_WIDE: Final = (620, 300)
_NARROW: Final = (310, 180)
_NONE: Final = "–"

_CLOUD: Final = (
    "dots: points of the history · orange: the law with the 80 % band of its mean · grey, dashed: "
    "if nothing were shared"
)
_RULE: Final = "red: the concurrency beyond which throughput falls, with its 80 % interval"

_COLUMNS: Final = (
    "series", "verdict", "λ of one", "σ contention", "κ coherency", "peak at N*", "N*, 80 %",
    "throughput at N*", "seen up to", "busy", "beyond the peak", "twice as many give", "explained",
    "remarks",
)  # fmt: skip


def scalability_table(result: ScalabilityResult) -> pd.DataFrame:
    """The law of each series, one row each; text only.

    Returns
    -------
    DataFrame
        λ, σ and κ with their 80 % intervals; a peak only where one is known.
    """
    import pandas as pd

    return pd.DataFrame([_row(c) for c in result.curves], columns=list(_COLUMNS), dtype="str")


def _row(curve: ScalingCurve) -> dict[str, str]:
    row = dict.fromkeys(_COLUMNS, _NONE)
    row["series"] = plain_text(curve.name)
    row["verdict"] = curve.verdict.value
    row["remarks"] = f"{curve.reason[:1].upper()}{curve.reason[1:]}." if curve.reason else ""
    law = curve.law
    if law is None:
        return row
    names = ("λ of one", "σ contention", "κ coherency")
    values = (law.one, law.contention, law.coherency)
    for name, value, ends in zip(names, values, law.intervals.T, strict=True):
        row[name] = f"{_short(value)} ({_short(float(ends[1]))} to {_short(float(ends[3]))})"
    row["seen up to"] = format_quantity(law.highest)
    row["busy"] = format_quantity(curve.busy)
    row["explained"] = f"{law.explained * 100:.0f} %"
    if curve.verdict is not Scaling.UNKNOWN:
        row["twice as many give"] = f"{100 * float(curve.gain()[1]):+.0f} %"
    if curve.verdict in (Scaling.PAST, Scaling.PEAK):
        low, middle, high = (format_quantity(float(law.peak[i])) for i in (1, 2, 3))
        row |= {"peak at N*": middle, "N*, 80 %": f"{low} to {high}"}
        row["throughput at N*"] = format_quantity(float(law.peak_throughput[2]))
        row["beyond the peak"] = f"{curve.beyond * 100:.0f} %"
        if law.peak[2] > law.highest:
            row["remarks"] = "The peak lies beyond the concurrency seen."
    return row


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 1 else format_quantity(value)


def scalability_chart(result: ScalabilityResult) -> Any:
    """Draw throughput against concurrency, the law and its peak.

    Parameters
    ----------
    result
        Of `workbench.capacity.scaling.analysis.analyse_scalability`.

    Returns
    -------
    altair.VConcatChart
        Labels of series stand in it as data and titles only, never in an expression.
    """
    import altair as alt

    known = [(c, c.law) for c in result.curves if c.law is not None]
    datasets: Datasets = {}
    size = _WIDE if len(known) == 1 else _NARROW
    panels = [_drawn(datasets, i, curve, law, size) for i, (curve, law) in enumerate(known[:_MOST])]
    notes = [_CLOUD, _RULE] if panels else []
    if others := len(result.curves) - len(panels):
        notes.append(f"{counted(others, 'series', 'series')} more in the table")
    title = alt.Title(plain_text(result.throughput, most=90), subtitle=notes, offset=16)
    if panels:
        grid = alt.concat(*panels, columns=2, spacing={"row": 30, "column": 34})
    else:
        datasets["message"] = [{"text": "No law could be fitted: the table says why."}]
        message = alt.Chart(alt.NamedData(name="message")).mark_text(align="left")
        grid = message.encode(text="text:N")
    whole = themed(alt.vconcat(grid, title=title))
    whole.datasets = datasets
    return whole


def _drawn(
    datasets: Datasets, number: int, curve: ScalingCurve, law: Scalability, size: tuple[int, int]
) -> Any:
    import altair as alt

    width, height = size
    end = 1.1 * law.highest
    if curve.verdict in (Scaling.PAST, Scaling.PEAK):
        end = max(end, 1.25 * float(law.peak[2]))
    title = alt.Title(
        text=plain_text(curve.name, most=44 if width < 400 else 90), subtitle=_headline(curve)
    )
    layers = [
        _cloud(datasets, number, curve, _x("n", end)),
        *_law(datasets, number, law, end),
        *_peak(datasets, number, curve, end),
    ]
    return alt.layer(*layers, width=width, height=height, title=title)


def _headline(curve: ScalingCurve) -> str:
    law = curve.law
    assert law is not None
    if curve.verdict is Scaling.NO_PEAK:
        return f"no peak seen up to {format_quantity(law.highest)} at once"
    if curve.verdict is Scaling.UNKNOWN:
        return plain_text(curve.reason, most=70)
    low, middle, high = (format_quantity(float(law.peak[i])) for i in (1, 2, 3))
    return f"peak at {middle} at once (80 %: {low} to {high})"


def _x(field: str, end: float) -> Any:
    import altair as alt

    scale = alt.Scale(domain=[0, end], nice=False)
    return alt.X(f"{field}:Q", scale=scale, axis=alt.Axis(title="at once"))


def _y(field: str) -> Any:
    import altair as alt

    axis = alt.Axis(
        title="a second", titleAngle=0, titleAlign="left", titleAnchor="end", titleX=4, titleY=-6,
    )  # fmt: skip
    return alt.Y(f"{field}:Q", scale=alt.Scale(zero=True, nice=True), axis=axis)


def _columns(datasets: Datasets, name: str, **columns: Any) -> Any:
    import altair as alt

    data = column_data(datasets, name, {n: v.tolist() for n, v in columns.items()})
    part: Any = alt.Chart(data)
    part.transform = [flattened(columns)]
    return part


def _cloud(datasets: Datasets, number: int, curve: ScalingCurve, x: Any) -> Any:
    count = min(len(curve.concurrency), _POINTS)
    some = np.random.default_rng(0).choice(len(curve.concurrency), count, replace=False)
    part = _columns(datasets, f"seen_{number}", n=curve.concurrency[some], x=curve.throughput[some])
    mark = part.mark_circle(color=COLOURS["usage"], size=12, opacity=0.4, clip=True)
    return mark.encode(x=x, y=_y("x"))


def _law(datasets: Datasets, number: int, law: Scalability, end: float) -> list[Any]:
    grid = np.linspace(min(1.0, end / _GRID), end, _GRID)
    low, middle, high = law.at(grid)
    ideal = np.where(law.one * grid <= 1.15 * float(high.max()), law.one * grid, np.nan)
    part = _columns(
        datasets, f"law_{number}", n=grid, low=low, middle=middle, high=high, ideal=ideal
    )
    base = part.encode(x=_x("n", end))
    colour = COLOURS["forecast"]
    return [
        base.mark_area(color=colour, opacity=0.3, clip=True).encode(y=_y("low"), y2="high:Q"),
        base.mark_line(color=colour, clip=True).encode(y=_y("middle")),
        base.mark_line(color=COLOURS["neutral"], strokeDash=[4, 3], clip=True).encode(
            y=_y("ideal")
        ),
    ]


def _peak(datasets: Datasets, number: int, curve: ScalingCurve, end: float) -> list[Any]:
    import altair as alt

    law = curve.law
    if law is None or curve.verdict not in (Scaling.PAST, Scaling.PEAK):
        return []
    low, middle, high = (float(f"{law.peak[i]:.6g}") for i in (1, 2, 3))
    name = f"peak_{number}"
    text = f"{format_quantity(middle)} ({format_quantity(low)} to {format_quantity(high)})"
    datasets[name] = [{"n": middle, "low": low, "high": high, "text": text}]
    base = alt.Chart(alt.NamedData(name=name)).encode(tooltip=[alt.Tooltip("text:N", title="N*")])
    red = COLOURS["limit"]
    return [
        base.mark_rect(color=red, opacity=0.16, clip=True).encode(x=_x("low", end), x2="high:Q"),
        base.mark_rule(color=red, strokeDash=[6, 3], strokeWidth=1.6).encode(x=_x("n", end)),
    ]
