"""Forecasts of the next hours as a table for people, each with its backtest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.capacity.hourly.result import HourlyForecast, HourlyResult
from workbench.statistics.seasonal import Method, SeasonalBacktest
from workbench.units import format_quantity
from workbench.views.axis import plain_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["forecast_table", "held", "moment"]

_NONE: Final = "–"
_LOW_80, _MIDDLE, _HIGH_80 = 1, 3, 5
"""Rows of a forecast."""

_COLUMNS: Final = (
    "series", "now", "highest hour", "at (UTC)", "80 % interval", "method", "MASE", "naive MASE",
    "error / naive", "bias", "80 % held", "95 % held", "remarks",
)  # fmt: skip


def forecast_table(result: HourlyResult) -> pd.DataFrame:
    """What comes and how far to trust it, one row a series.

    Returns
    -------
    DataFrame
        Text only; `HourlyResult.to_table` holds the numbers of every step.
    """
    import pandas as pd

    rows = [_row(each, result) for each in result.series]
    return pd.DataFrame(rows, columns=list(_COLUMNS), dtype="str")


def _row(each: HourlyForecast, result: HourlyResult) -> dict[str, str]:
    found, unit = each.forecast, result.unit
    row = dict.fromkeys(_COLUMNS, _NONE)
    row["series"] = plain_text(each.name)
    row["method"] = found.method.value
    row["remarks"] = " ".join(filter(None, [found.reason and f"{found.reason}.", *each.notes]))
    values = each.history[np.isfinite(each.history)]
    if len(values):
        row["now"] = format_quantity(float(values[-1]), unit)
    if each.known:
        at = int(np.argmax(found.values[_MIDDLE]))
        low, middle, high = (
            format_quantity(float(found.values[k, at]), unit) for k in (_LOW_80, _MIDDLE, _HIGH_80)
        )
        row["highest hour"] = middle
        row["at (UTC)"] = moment(int(result.ahead_ms[at]))
        row["80 % interval"] = f"{low} to {high}"
    if found.test is not None:
        row.update(_tested(found.test, unit, used=found.method))
    return row


def _tested(test: SeasonalBacktest, unit: str, *, used: Method) -> dict[str, str]:
    mase = test.mase if used is Method.ENSEMBLE else test.naive_mase
    return {
        "MASE": _figure(mase, 3),
        "naive MASE": _figure(test.naive_mase, 3),
        "error / naive": _figure(test.relative_error, 2),
        "bias": format_quantity(test.bias, unit),
        "80 % held": held(test.coverage_80),
        "95 % held": held(test.coverage_95),
    }


def _figure(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else _NONE


def held(share: float) -> str:
    """A share of past values that lay within an interval.

    Examples
    --------
    >>> held(0.8043), held(float("nan"))
    ('80 %', '–')
    """
    return _NONE if np.isnan(share) else f"{share * 100:.0f} %"


def moment(time_ms: int) -> str:
    """An hour for a sentence.

    Examples
    --------
    >>> moment(0)
    'Thu 1 Jan 00:00'
    """
    when = datetime.fromtimestamp(time_ms / 1000, UTC)
    return f"{when:%a} {when.day} {when:%b %H:%M}"
