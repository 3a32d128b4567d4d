"""What the panels of an objective share: data by name, the axis of time, short texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats
from workbench.slo.result import Standing
from workbench.units import format_quantity
from workbench.window import format_time

__all__ = [
    "HEIGHT",
    "POINTS",
    "WIDTH",
    "Panel",
    "Rows",
    "message",
    "moment",
    "percent",
    "short",
    "time_x",
]

WIDTH: Final = 300
HEIGHT: Final = 150
"""Of one panel, in pixels."""

POINTS: Final = 240
"""About so many points of a line are drawn."""

Rows = dict[str, list[dict[str, Any]]]
"""The rows of every part of a chart, by the names of their data sets."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One objective and what its two panels share."""

    rows: Rows
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

    def numbers(self, kind: str, **columns: Iterable[float | None]) -> Any:
        """A chart on columns of numbers, all in one row: rows by the thousand take seconds to check.

        CSV, which would do as well, is parsed by code made at run time, which a report's page
        forbids. The field ``when`` is the time as text, in UTC.
        """
        import altair as alt

        name = f"{kind}_{len(self.rows)}"
        self.rows[name] = [{key: list(values) for key, values in columns.items()}]
        chart = alt.Chart(alt.NamedData(name=name)).transform_flatten(list(columns))
        return chart.transform_calculate(when="utcFormat(datum.time, '%Y-%m-%d %H:%M')")


def time_x(panel: Panel, end_ms: int, field: str = "time") -> Any:
    """The axis of time in UTC, from the beginning of the objective's window to a moment."""
    import altair as alt

    assert panel.standing.burn_down is not None
    start = int(panel.standing.burn_down.times_ms[0])
    scale = alt.Scale(type="utc", domain=[start, end_ms], nice=False)
    axis = alt.Axis(
        title=None, tickCount=4, labelSeparation=10, format="%-d %b", labelOverlap="greedy"
    )
    return alt.X(f"{field}:T", scale=scale, axis=axis)


def message(rows: Rows, text: str) -> Any:
    """A panel that only says something."""
    import altair as alt

    rows[name := f"message_{len(rows)}"] = [{"text": text}]
    return alt.Chart(alt.NamedData(name=name)).mark_text(align="left").encode(text="text:N")


def short(values: Floats) -> list[float | None]:
    """Values to four digits; None where there is none."""
    return [float(f"{v:.4g}") if np.isfinite(v) else None for v in values.tolist()]


def percent(share: float) -> str:
    """A share, with a true minus sign."""
    return format_quantity(share, "ratio").replace("-", "−")


def moment(time_ms: int) -> str:
    """A time to the minute, UTC."""
    return format_time(time_ms)[:16].replace("T", " ")
