"""Statistics that more than one analysis needs: daily peaks, averaged trend models, first passage."""

from workbench.statistics.averaging import Average, Family, Member, Shift, average_models
from workbench.statistics.backtest import Backtest, backtest
from workbench.statistics.daily import DAY_MS, DailyPeaks, daily_peaks
from workbench.statistics.designs import Trend
from workbench.statistics.gauges import looks_like_counter, resets
from workbench.statistics.passage import Passage, coverage, first_passage, randomised_pit
from workbench.statistics.paths import Paths, ShiftPool, pool_shifts, simulate

__all__ = [
    "DAY_MS",
    "Average",
    "Backtest",
    "DailyPeaks",
    "Family",
    "Member",
    "Passage",
    "Paths",
    "Shift",
    "ShiftPool",
    "Trend",
    "average_models",
    "backtest",
    "coverage",
    "daily_peaks",
    "first_passage",
    "looks_like_counter",
    "pool_shifts",
    "randomised_pit",
    "resets",
    "simulate",
]
