"""Numbers of a chart as columns: a fifth of the size of rows, in any page.

`workbench.views.timeline.compact_data` is as small, but CSV is read by code that is compiled in the
browser, which a report's content security policy forbids. Columns are plain JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

__all__ = ["Datasets", "column_data", "flattened"]

Datasets = dict[str, list[dict[str, Any]]]
"""The data of every part of a chart by name: Altair copies what stands inside a part many times."""


def column_data(
    datasets: Datasets, name: str, columns: Mapping[str, Iterable[float | int | None]]
) -> alt.NamedData:
    """File columns of one length under a name, and give the reference.

    Parameters
    ----------
    datasets
        Where to; they belong to the finished chart.
    name
        Of these, unused so far.
    columns
        NaN, infinities and None become null; other numbers keep six digits, integers all.

    Examples
    --------
    >>> kept: Datasets = {}
    >>> _ = column_data(kept, "line", {"time": [0, 60_000], "value": [1.23456789, float("nan")]})
    >>> kept
    {'line': [{'time': [0, 60000], 'value': [1.23457, None]}]}
    """
    import altair as alt

    datasets[name] = [{key: [_cell(value) for value in each] for key, each in columns.items()}]
    return alt.NamedData(name=name)


def _cell(value: float | None) -> float | int | None:
    if value is None or isinstance(value, int):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None


def flattened(columns: Iterable[str]) -> alt.FlattenTransform:
    """The step by which a chart makes rows of its columns again."""
    import altair as alt

    return alt.FlattenTransform(flatten=[alt.FieldName(name) for name in columns])
