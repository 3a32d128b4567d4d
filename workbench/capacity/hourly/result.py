"""What a forecast of the next hours gives: plain data, per series and as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.findings import Finding
from workbench.samples import Floats, Ints
from workbench.statistics.seasonal import QUANTILES, SeasonalForecast
from workbench.window import format_time

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HourlyForecast", "HourlyResult"]


@dataclass(frozen=True, slots=True, eq=False)
class HourlyForecast:
    """One series: what it was and what it will be.

    Parameters
    ----------
    name
        Its labels as text, or the expression where it has none.
    labels
        As asked.
    history
        Shape (steps,); NaN where nothing is known.
    forecast
        The next steps with their intervals and the backtest, or why there are none.
    notes
        What is incomplete in the data, one sentence each.
    """

    name: str
    labels: Mapping[str, str]
    history: Floats
    forecast: SeasonalForecast
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is a forecast."""
        return self.forecast.values.size > 0


@dataclass(frozen=True, slots=True, eq=False)
class HourlyResult:
    """The next hours of every series that an expression gives.

    Parameters
    ----------
    expression
        The PromQL.
    unit
        Of its values, as `workbench.units.format_quantity` takes it.
    timezone
        Whose days and weeks were the seasons.
    times_ms, ahead_ms
        Shapes (steps,) and (steps ahead,): when the history is, and when the forecast.
    series
        In the order of the answer.
    findings
        What a reader should know or do.
    """

    expression: str
    unit: str
    timezone: str
    times_ms: Ints
    ahead_ms: Ints
    series: tuple[HourlyForecast, ...]
    findings: tuple[Finding, ...]

    def to_table(self) -> pd.DataFrame:
        """The forecasts as numbers, one row a series and step.

        Returns
        -------
        DataFrame
            ``time`` (UTC), ``series``, and one column a quantile: ``q2.5`` … ``q97.5``.
        """
        import pandas as pd

        known = [each for each in self.series if each.known]
        times = pd.to_datetime(np.tile(self.ahead_ms, len(known)), unit="ms", utc=True)
        values = np.concatenate(
            [np.empty((len(QUANTILES), 0)), *(each.forecast.values for each in known)], axis=1
        )
        names = [each.name for each in known for _ in range(len(self.ahead_ms))]
        columns = {f"q{100 * q:g}": row for q, row in zip(QUANTILES, values, strict=True)}
        return pd.DataFrame({"time": times, "series": pd.Series(names, dtype="str"), **columns})

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "expression": self.expression,
            "unit": self.unit,
            "timezone": self.timezone,
            "times": [format_time(t) for t in self.ahead_ms.tolist()],
            "quantiles": list(QUANTILES),
            "series": [_series(each) for each in self.series],
        }


def _series(each: HourlyForecast) -> dict[str, Any]:
    found = each.forecast
    return {
        "name": each.name,
        "labels": dict(each.labels),
        "method": found.method.value,
        "reason": found.reason,
        "values": found.values.tolist(),
        "weights": dict(found.weights),
        "backtest": found.test.to_dict() if found.test else None,
        "notes": list(each.notes),
    }
