"""Objectives as a table for people: shares with their nines, quantities with units, dates as dates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from workbench.slo.budget import Budget
from workbench.slo.result import SloResult, Standing, Verdict
from workbench.slo.runout import RunOut
from workbench.units import format_chance, format_quantity
from workbench.views.axis import plain_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["headline", "runs_out", "slo_table"]

_NONE: Final = "–"
_CHANCES: Final = (30, 60, 90)

_COLUMNS: Final = (
    "objective", "target", "window", "good", "95 % interval", "budget left", "left in events",
    "left in minutes", "budget gone on", "80 % interval",
    *(f"P(gone ≤ {d} d)" for d in _CHANCES),
    "burn now", "alerts", "min. events", "owner", "remarks",
)  # fmt: skip


def slo_table(result: SloResult) -> pd.DataFrame:
    """The figures as text with units, one row an objective, the most urgent first.

    Returns
    -------
    DataFrame
        Text only, ready to be shown; `SloResult.to_table` holds the numbers.
    """
    import pandas as pd

    rows = [_row(s) for s in result.standings]
    return pd.DataFrame(rows, columns=list(_COLUMNS), dtype="str")


def _row(standing: Standing) -> dict[str, str]:
    one, found = standing.objective, standing.budget
    remarks = " ".join(filter(None, [standing.reason and f"{standing.reason}.", *standing.notes]))
    row = dict.fromkeys(_COLUMNS, _NONE)
    row |= {
        "objective": plain_text(standing.name),
        "target": _good(one.target),
        "window": one.window,
        "owner": plain_text(one.owner),
        "remarks": plain_text(remarks),
        "budget gone on": runs_out(standing),
    }
    if found is None:
        return row
    row |= _of_budget(found)
    rates = [
        _kept(f"{b.pair.long} {format_quantity(b.long)}")
        for b in standing.burn
        if b.long is not None
    ]
    row["burn now"] = " · ".join(rates) or _NONE
    if standing.replay:
        row["alerts"] = str(len(standing.replay.episodes))
    if one.min_events or standing.least_events:
        advice = f" ({standing.least_events} advised)" if standing.least_events else ""
        row["min. events"] = f"{one.min_events:g}{advice}"
    if ahead := standing.run_out:
        row["80 % interval"] = _interval(ahead) if ahead.dated else _NONE
        if not ahead.spent:
            row |= {f"P(gone ≤ {d} d)": format_chance(ahead.chances.get(d)) for d in _CHANCES}
    return row


def _of_budget(found: Budget) -> dict[str, str]:
    events = _NONE
    if found.left_events is not None and found.allowed is not None:
        events = _kept(f"{_count(found.left_events)} of {_count(found.allowed)}")
    interval = _NONE
    if found.sli_low is not None and found.sli_high is not None:
        interval = f"{_good(found.sli_low)} – {_good(found.sli_high)}"
    return {
        "good": _good(found.sli),
        "95 % interval": interval,
        "budget left": _minus(format_quantity(found.left, "ratio")),
        "left in events": events,
        "left in minutes": _kept(f"{_count(found.left_minutes)} of {_count(found.minutes)}"),
    }


def _good(share: float) -> str:
    """A share of good events, with two digits of what is not good."""
    bad = 1 - share
    decimals = 2 if bad >= 0.01 or bad <= 0 else 3 if bad >= 0.001 else 4 if bad >= 1e-4 else 6
    text = f"{share * 100:.{decimals}f}"
    return _kept(f"{text.rstrip('0').rstrip('.') if '.' in text else text} %")


def _kept(text: str) -> str:
    """On one line, however narrow the column."""
    return text.replace(" ", "\u00a0")


def _count(number: float) -> str:
    return _minus(format_quantity(number))


def _minus(text: str) -> str:
    return text.replace("-", "−")


def runs_out(standing: Standing) -> str:
    """When the budget is gone: a date, or why there is none."""
    ahead = standing.run_out
    if standing.verdict is Verdict.UNKNOWN:
        return "cannot tell"
    if standing.budget is not None and standing.budget.left <= 0:
        back = f", back on {_date(ahead, ahead.hours)}" if ahead and ahead.dated else ""
        return f"gone now{back}"
    if ahead is None:
        return "no forecast"
    if ahead.dated:
        return _date(ahead, ahead.hours)
    return "too unsure for a date" if ahead.chances[90] >= 0.05 else "not in sight"


def _interval(ahead: RunOut) -> str:
    first, last = (_date(ahead, h) for h in ahead.interval_80)
    if ahead.interval_80[1] is None:
        return f"{first} or later"
    return first if first == last else f"{first} – {last}"


def _date(ahead: RunOut, hours: int | None) -> str:
    time_ms = ahead.time_ms(hours)
    if time_ms is None or hours is None:
        return "a later date"
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    day = f"{moment.day} {moment:%b %Y}"
    return _kept(f"{day} {moment:%H:%M}" if hours <= 48 else day)


def headline(standing: Standing) -> str:
    """What can be said of one objective, in a line."""
    found, ahead = standing.budget, standing.run_out
    if found is None:
        return f"cannot tell: {standing.reason}"
    left = f"{format_quantity(found.left, 'ratio')} of the budget left"
    spent = f"budget gone, {format_quantity(1 - found.left, 'ratio')} of it spent"
    if found.left <= 0:
        if ahead and ahead.dated:
            return f"{spent} · back on {_date(ahead, ahead.hours)} (80 %: {_interval(ahead)})"
        chance = f" · P(back ≤ 90 d) {format_chance(ahead.chances[90])}" if ahead else ""
        return f"{spent}{chance}"
    if ahead is None:
        return f"{left} · no forecast"
    if ahead.dated:
        return f"{left} · gone on {_date(ahead, ahead.hours)} (80 %: {_interval(ahead)})"
    return f"{left} · P(gone ≤ 90 d) {format_chance(ahead.chances[90])}"
