"""What a forecast of the next hours finds, as findings: one function a code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from workbench.capacity.hourly.result import HourlyForecast
from workbench.findings import Finding, Severity
from workbench.statistics.seasonal import Method, SeasonalBacktest

__all__ = ["GAUGE_NEEDED", "conclude_hourly", "nothing_to_forecast"]

GAUGE_NEEDED: Final = "the values only grow and restart near 0, as a counter does"

_GAPS: Final = 0.1


def conclude_hourly(each: HourlyForecast, expression: str) -> Iterator[Finding]:
    """All findings of one series."""
    found = each.forecast
    if found.method is Method.NONE:
        yield (
            _counter(each, expression)
            if found.reason == GAUGE_NEEDED
            else _too_little(each, expression)
        )
        return
    if found.test is not None and found.test.naive_error and not found.test.beats_naive:
        yield _no_better(each, expression, found.test)
    missing = missing_steps(each)
    if missing > _GAPS * len(each.history):
        what = (
            f"{each.name} lacks {missing} of {len(each.history)} steps: its intervals hold only "
            f"for what was seen"
        )
        step = "check scraping and retention for that time"
        evidence = {"missing_steps": missing, "steps": len(each.history)}
        about = _about(each, expression)
        yield Finding("CAP-GAPS", Severity.INFO, about, what, step, evidence, expression)


def missing_steps(each: HourlyForecast) -> int:
    """How many steps after the first sample are not known: a new series lacks nothing before it."""
    known = np.isfinite(each.history)
    return int((~known[int(np.argmax(known)) :]).sum())


def nothing_to_forecast(expression: str) -> Finding:
    """An expression that gave no series."""
    return Finding(
        "CAP-METRICS-MISSING",
        Severity.WARNING,
        expression,
        f"{expression} cannot be forecast: it gives no series",
        "run the query by itself: a name or label in it may be misspelt, or the window may lie "
        "outside the data, which end= and last= choose",
        where=expression,
    )


def _about(each: HourlyForecast, expression: str) -> str:
    return each.name if each.name == expression else f"{expression} {each.name}"


def _too_little(each: HourlyForecast, expression: str) -> Finding:
    what = f"{each.name} cannot be forecast: {each.forecast.reason}"
    step = 'ask for a longer history (last="35d") or a shorter horizon; check that it is scraped'
    return Finding(
        "CAP-TOO-LITTLE-DATA", Severity.INFO, _about(each, expression), what, step,
        {"missing_steps": missing_steps(each), "steps": len(each.history)}, expression,
    )  # fmt: skip


def _counter(each: HourlyForecast, expression: str) -> Finding:
    what = f"{each.name} is no gauge: {each.forecast.reason}"
    step = "forecast its rate: rate(…[5m])"
    return Finding(
        "CAP-NOT-A-GAUGE", Severity.WARNING, _about(each, expression), what, step, where=expression
    )


def _no_better(each: HourlyForecast, expression: str, test: SeasonalBacktest) -> Finding:
    what = (
        f"{each.name} is forecast as it was yesterday: the ensemble's error was "
        f"{test.relative_error:.2f} times as large over {test.origins} past days"
    )
    step = (
        "trust the interval, not the line; look for a cause that the past does not hold, such as "
        "a batch job without a fixed hour, and forecast that"
    )
    evidence = {
        "relative_error": round(min(test.relative_error, 1e6), 3), "origins": test.origins,
        "coverage_80": round(test.coverage_80, 3),
    }  # fmt: skip
    return Finding(
        "CAP-FORECAST-NO-BETTER", Severity.INFO, _about(each, expression), what, step, evidence,
        expression,
    )  # fmt: skip
