"""Capacity as a picture: the fleet at a glance, and a small multiple for the most urgent."""

from __future__ import annotations

from typing import Any, Final

from workbench.capacity import CapacityResult
from workbench.views.axis import plain_text
from workbench.views.capacity_groups import common_ground, grouped, groups_chart, tally
from workbench.views.capacity_panel import LEGEND, panel_chart
from workbench.views.capacity_strip import strip_chart
from workbench.views.capacity_table import capacity_table
from workbench.views.columns import Datasets
from workbench.views.theme import themed

__all__ = ["capacity_chart", "capacity_table", "fleet_chart"]

_MULTIPLES: Final = 12
"""So many resources get a chart of their own."""

_COLUMNS: Final = 2

_ROWS: Final = 60
"""Up to so many resources have a row each in the strip …"""

_URGENT_ROWS: Final = 40
"""… of more, only so many, and all have a cell in their group."""


def capacity_chart(result: CapacityResult) -> Any:
    """Draw all resources at a glance, then the most urgent one by one.

    Parameters
    ----------
    result
        Of `workbench.capacity.analyse`.

    Returns
    -------
    altair.VConcatChart
        Names of resources stand in it as data and titles only, never in an expression.
    """
    import altair as alt

    rows: Datasets = {}
    outlooks = list(result.outlooks)
    parts = _fleet(rows, result, "") if len(outlooks) > _MULTIPLES else []
    single = [o for o in outlooks if len(o.history.days)][:_MULTIPLES]
    if single:
        panels = [panel_chart(rows, o, result.horizon_days) for o in single]
        words = "One by one" if len(single) == len(outlooks) else f"The {len(single)} most urgent"
        about = alt.Title(words, subtitle=list(LEGEND), offset=18)
        spacing = {"row": 30, "column": 34}
        parts.append(alt.concat(*panels, columns=_COLUMNS, spacing=spacing, title=about))
    if not parts:
        return _message("No resource has data to draw.")
    return _whole(parts, rows, result)


def fleet_chart(result: CapacityResult, *, by: str = "") -> Any:
    """Draw all resources at a glance: weeks of use and of P(full), and groups with their counts.

    Parameters
    ----------
    result
        Of `workbench.capacity.analyse`.
    by
        What makes a group: ``service``, ``owner``, ``kind`` or the name of a label; without it
        what most resources have.

    Returns
    -------
    altair.VConcatChart
        A row for each of up to 60 resources; of more, a row for each of the 40 most urgent and
        a cell for every one.
    """
    rows: Datasets = {}
    parts = _fleet(rows, result, by)
    return _whole(parts, rows, result) if parts else _message("No resource was found.")


def _fleet(rows: Datasets, result: CapacityResult, by: str) -> list[Any]:
    import altair as alt

    outlooks, horizon = list(result.outlooks), result.horizon_days
    if not outlooks:
        return []
    many = len(outlooks) > _ROWS
    first = outlooks[:_URGENT_ROWS] if many else outlooks
    right = f"right: the date, ◇ in its week, or the chance of being full within {horizon} days"
    words = f"The {len(first)} most urgent, week by week" if many else "Week by week"
    title = alt.Title(words, subtitle=right, offset=8)
    strip = strip_chart(rows, first, horizon=horizon, title=title)
    if not many:
        return [strip]
    by = by or common_ground(outlooks)
    signs = (
        "a cell each, the most urgent group first · × full now · ∞ no limit known · ? cannot tell"
    )
    title = alt.Title(f"By {plain_text(by)}", subtitle=signs, offset=8)
    groups = groups_chart(rows, grouped(outlooks, by), horizon=horizon, title=title)
    return [groups, strip]


def _whole(parts: list[Any], rows: Datasets, result: CapacityResult) -> Any:
    import altair as alt

    count = len(result.outlooks)
    about = f"{count:,} resource{'s' * (count != 1)} against their limits"
    title = alt.Title(about, subtitle=tally(result.outlooks), fontSize=15, offset=18)
    whole = themed(alt.vconcat(*parts, spacing=42, title=title))
    whole.datasets = rows
    return whole


def _message(text: str) -> Any:
    import altair as alt

    data = alt.InlineData(values=[{"text": text}])
    return themed(alt.Chart(data).mark_text(align="left").encode(x=alt.value(0), text="text:N"))
