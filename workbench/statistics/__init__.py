"""Statistics that more than one analysis needs: trends and first passage, buckets and quantiles."""

from workbench.statistics.averaging import Average, Shift, average_models
from workbench.statistics.backtest import Backtest, backtest
from workbench.statistics.buckets import BucketCounts, common_edges
from workbench.statistics.changepoints import ChangePoint, changepoints
from workbench.statistics.comparison import (
    Abstention,
    Method,
    QuantileChanges,
    compare_paired,
    compare_windows,
    requests_needed,
)
from workbench.statistics.daily import DAY_MS, DailyPeaks, daily_peaks
from workbench.statistics.designs import Trend, Week
from workbench.statistics.distances import kolmogorov_bounds, wasserstein_bounds
from workbench.statistics.gauges import looks_like_counter, resets
from workbench.statistics.model_search import Family, Member
from workbench.statistics.passage import Passage, coverage, first_passage, randomised_pit
from workbench.statistics.paths import Paths, ShiftPool, pool_shifts, simulate
from workbench.statistics.quantiles import (
    QuantileEstimates,
    ShareEstimates,
    bucket_bounds,
    estimate_quantiles,
    interpolation_error,
    promql_quantile,
    quantile,
    share_at_most,
)

__all__ = [
    "DAY_MS",
    "Abstention",
    "Average",
    "Backtest",
    "BucketCounts",
    "ChangePoint",
    "DailyPeaks",
    "Family",
    "Member",
    "Method",
    "Passage",
    "Paths",
    "QuantileChanges",
    "QuantileEstimates",
    "ShareEstimates",
    "Shift",
    "ShiftPool",
    "Trend",
    "Week",
    "average_models",
    "backtest",
    "bucket_bounds",
    "changepoints",
    "common_edges",
    "compare_paired",
    "compare_windows",
    "coverage",
    "daily_peaks",
    "estimate_quantiles",
    "first_passage",
    "interpolation_error",
    "kolmogorov_bounds",
    "looks_like_counter",
    "pool_shifts",
    "promql_quantile",
    "quantile",
    "randomised_pit",
    "requests_needed",
    "resets",
    "share_at_most",
    "simulate",
    "wasserstein_bounds",
]
