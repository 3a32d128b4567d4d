"""Lines over time, for gauges and rates: few enough to read, thinned out without losing a peak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.frame import Bools, Frame, label_names
from workbench.samples import Floats, Ints, Labels, format_labels
from workbench.views.axis import Scale, plain_text, scale_for
from workbench.views.theme import COLOURS, PALETTE, themed
from workbench.views.timeline import (
    WIDTH,
    compact_data,
    empty_chart,
    finite,
    subtitled,
    time_axis,
    time_text,
)

if TYPE_CHECKING:
    import altair as alt

__all__ = ["series_chart", "series_names", "thinned"]

_POINTS: Final = 1_000
"""About how many points a line keeps; a screen has hardly more columns."""

_TOP: Final = len(PALETTE) - 1
"""As many lines as there are colours, without the grey of the band."""

_LONGEST_NAME: Final = 80
_HEIGHT: Final = 280
_LEGEND_WIDTH: Final = 120
"""Characters that fit side by side below a chart."""

_LEGEND_PIXELS: Final = 600


def series_chart(
    frame: Frame,
    *,
    unit: str = "",
    title: str = "",
    notes: Sequence[str] = (),
    top: int = _TOP,
) -> alt.LayerChart:
    """Draw series as lines.

    Parameters
    ----------
    frame
        Any result; of one step it gives points.
    unit
        Of the values: ``bytes``, ``seconds``, ``ratio``, ``percent``, ``USD`` …, as
        `workbench.units.format_quantity` knows them.
    title
        Above the chart.
    notes
        What else a reader must know, a line each below the title.
    top
        How many series get a line and a place in the legend: those with the greatest last value.
        The others are drawn as one grey band from their least to their greatest, and counted
        below the title.

    Returns
    -------
    altair.LayerChart
        With its data inside; absent samples are gaps, infinities are left out and counted.

    Examples
    --------
    >>> import numpy as np
    >>> times = np.arange(0, 300_000, 60_000)
    >>> values = np.arange(5.0)[None, :]
    >>> frame = Frame("matrix", [{"job": "api"}], times, values, ~np.isnan(values))
    >>> chart = series_chart(frame, unit="ratio", title="CPU")
    >>> chart.to_dict()["title"]["text"]
    ['CPU']
    """
    import altair as alt

    if not len(frame) or not np.isfinite(frame.values).any():
        return empty_chart(title, "no series" if not len(frame) else "no finite value")
    order = np.argsort(-last_values(frame), kind="stable")
    chosen, others = order[:top].tolist(), order[top:].tolist()
    names = series_names([frame.labels[i] for i in chosen], frame.expression)
    scale = scale_for(_highest(frame), plain_text(unit))
    layers = [_band(frame, others, scale)] if others else []
    layers += _lines(_points(frame, chosen, scale.factor), names, scale)
    chart = alt.layer(*layers).properties(
        title=subtitled(title, [*notes, *_notes(frame, len(chosen), len(others))]),
        width=WIDTH,
        height=_HEIGHT,
    )
    result: alt.LayerChart = themed(chart)
    return result


def series_names(labels: Sequence[Labels], expression: str = "") -> list[str]:
    """Short names that tell series apart: only the labels in which they differ.

    Examples
    --------
    >>> series_names([{"__name__": "up", "job": "a"}, {"__name__": "up", "job": "b"}])
    ['{job="a"}', '{job="b"}']
    >>> series_names([{"__name__": "up", "job": "a"}])
    ['up{job="a"}']
    """
    differing = [n for n in label_names(labels) if len({each.get(n, "") for each in labels}) > 1]
    names: list[str] = []
    for each in labels:
        shown = {n: each[n] for n in differing if n in each} if len(labels) > 1 else each
        name = format_labels(shown) if shown else format_labels(each)
        name = expression if name == "{}" and expression and len(labels) == 1 else name
        short = plain_text(name, most=_LONGEST_NAME)
        names.append(short if short not in names else f"{short} ({len(names) + 1})")
    return names


def last_values(frame: Frame) -> Floats:
    """The last finite value of each series, shape (series,); −∞ where there is none."""
    finite = np.isfinite(frame.values)
    last = finite.shape[1] - 1 - np.argmax(finite[:, ::-1], axis=1)
    rows = np.arange(len(frame))
    return np.where(finite[rows, last], frame.values[rows, last], -np.inf)


def _highest(frame: Frame) -> float:
    return max(float(np.nanmax(np.abs(finite(row)), initial=0)) for row in frame.values)


def thinned(values: Floats, present: Bools, most: int = _POINTS) -> Ints:
    """Choose the steps to draw so that every peak, every valley and every long gap stays.

    Parameters
    ----------
    values, present
        Shape (steps,).
    most
        About how many to keep: for each of ``most / 2`` stretches its least and its greatest.

    Returns
    -------
    int64 array
        Positions, ascending, with the first and the last step among them.
    """
    steps = len(values)
    if steps <= most:
        return np.arange(steps)
    stretches = max(1, most // 2)
    width = -(-steps // stretches)
    padding = stretches * width - steps
    shown = np.pad(present & np.isfinite(values), (0, padding)).reshape(stretches, width)
    padded = np.pad(np.nan_to_num(values), (0, padding)).reshape(stretches, width)
    start = np.arange(stretches) * width
    low = start + np.argmin(np.where(shown, padded, np.inf), axis=1)
    high = start + np.argmax(np.where(shown, padded, -np.inf), axis=1)
    some = shown.any(axis=1)
    kept = np.concatenate([low[some], high[some], start[~some], [0, steps - 1]])
    return np.unique(kept[kept < steps])


def _points(frame: Frame, chosen: Sequence[int], factor: float) -> dict[str, list[Any]]:
    """The points of all lines; an absent step that breaks a line is a point without value."""
    columns: dict[str, list[Any]] = {"line": [], "time": [], "value": [], "alone": []}
    for line, series in enumerate(chosen):
        steps = thinned(frame.values[series], frame.present[series])
        values = finite(frame.values[series][steps])
        drawn = ~np.isnan(values)
        before, after = np.append(False, drawn[:-1]), np.append(drawn[1:], False)
        kept = drawn | before
        columns["line"] += [line] * int(kept.sum())
        columns["time"] += frame.times_ms[steps][kept].tolist()
        columns["value"] += (values[kept] * factor).tolist()
        columns["alone"] += (drawn & ~before & ~after)[kept].astype(int).tolist()
    return columns


def _lines(points: dict[str, list[Any]], names: list[str], scale: Scale) -> list[alt.Chart]:
    import altair as alt

    picked = alt.selection_point(name="pick", fields=["series"], bind="legend")
    zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
    known = {"values": [{"line": i, "series": name} for i, name in enumerate(names)]}
    columns = min(4, len(names), max(1, _LEGEND_WIDTH // max(map(len, names))))
    legend = alt.Legend(title=None, orient="bottom", columns=columns, labelLimit=_LEGEND_PIXELS)
    value = f"value ({scale.title})" if scale.title else "value"
    base = (
        alt.Chart(compact_data(points))
        .transform_lookup(lookup="line", from_=alt.LookupData(known, key="line", fields=["series"]))
        .transform_calculate(when=time_text())
        .encode(
            x=time_axis(),
            y=_value_axis(scale),
            color=alt.Color("series:N", sort=names, legend=legend),
            tooltip=[
                alt.Tooltip("series:N", title="series"),
                alt.Tooltip("when:N", title="time (UTC)"),
                alt.Tooltip("value:Q", title=value, format=",.4~r"),
            ],
        )
    )
    shade = alt.condition(picked, alt.value(1), alt.value(0.15))
    lines = base.mark_line().encode(opacity=shade).add_params(picked, zoom)
    return [lines, base.transform_filter("datum.alone == 1").mark_point(filled=True, size=30)]


def _value_axis(scale: Scale) -> alt.Y:
    import altair as alt

    axis = alt.Axis(title=scale.title or None)
    return alt.Y("value:Q", scale=alt.Scale(zero=False), axis=axis)


def _band(frame: Frame, others: Sequence[int], scale: Scale) -> alt.Chart:
    """From the least to the greatest of the series without a line, one area."""
    import altair as alt

    low = np.full(len(frame.times_ms), np.nan)
    high = low.copy()
    for series in others:  # one by one: a fancy index would copy them all
        values = finite(frame.values[series])
        low, high = np.fmin(low, values), np.fmax(high, values)
    present = ~np.isnan(low)
    half = _POINTS // 2
    steps = np.union1d(thinned(low, present, half), thinned(high, present, half))
    columns = {
        "time": frame.times_ms[steps].tolist(),
        "value": (low[steps] * scale.factor).tolist(),
        "high": (high[steps] * scale.factor).tolist(),
    }
    area = alt.Chart(compact_data(columns)).mark_area(color=COLOURS["neutral"], opacity=0.25)
    return area.encode(x=time_axis(), y=_value_axis(scale), y2="high:Q")


def _notes(frame: Frame, chosen: int, others: int) -> list[str]:
    """What a reader must know beside the picture."""
    notes = []
    if others:
        total = chosen + others
        notes.append(
            f"{chosen} of {total:,} series, by last value; grey: the range of the other {others:,}"
        )
    if infinite := int(np.isinf(frame.values).sum()):
        notes.append(f"not drawn: infinite values ({infinite:,})")
    if frame.histograms:
        notes.append(f"not drawn: native histograms ({len(frame.histograms):,})")
    return notes
