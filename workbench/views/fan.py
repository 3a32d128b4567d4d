"""A forecast as a fan: bands of 95, 80 and 50 % of the futures, and the middle one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from workbench.views.theme import COLOURS

__all__ = ["fan_marks"]

_BANDS: Final = (("q0", "q6", 0.16), ("q1", "q5", 0.24), ("q2", "q4", 0.36))
"""Columns of the lower and the upper end, and opacity: bands lie over one another."""


def fan_marks(base: Any, y: Callable[[str], Any], *, dashed: bool = True) -> list[Any]:
    """Draw a fan.

    Parameters
    ----------
    base
        A chart with its data, times and tooltip; its columns ``q0`` to ``q6`` hold the quantiles
        2.5, 10, 25, 50, 75, 90 and 97.5 %.
    y
        Gives the vertical axis for a column.
    dashed
        Whether the middle is a dashed line.

    Returns
    -------
    list of altair.Chart
        Layers, the widest band first.
    """
    colour = COLOURS["forecast"]
    bands = [
        base.mark_area(color=colour, opacity=opacity, clip=True).encode(y=y(low), y2=f"{high}:Q")
        for low, high, opacity in _BANDS
    ]
    dash = {"strokeDash": [5, 3]} if dashed else {}
    return [*bands, base.mark_line(color=colour, clip=True, **dash).encode(y=y("q3"))]
