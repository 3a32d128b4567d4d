"""The next hours of seasonal series: an ensemble, its intervals, and how it did on what is known."""

from workbench.statistics.seasonal.forecasting import (
    QUANTILES,
    Method,
    SeasonalBacktest,
    SeasonalForecast,
    forecast_seasonal,
)
from workbench.statistics.seasonal.resolution import check_horizon

__all__ = [
    "QUANTILES",
    "Method",
    "SeasonalBacktest",
    "SeasonalForecast",
    "check_horizon",
    "forecast_seasonal",
]
