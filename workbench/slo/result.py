"""The result of an SLO analysis: plain data, one `Standing` an objective."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from workbench.findings import Finding
from workbench.slo.budget import Budget, BurnDown
from workbench.slo.burn import BurnRate, pair_name
from workbench.slo.events import Events
from workbench.slo.objective import Objective
from workbench.slo.replay import Episode, Replay
from workbench.slo.runout import RunOut
from workbench.window import format_time

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SloResult", "Standing", "Usual", "Verdict"]


class Verdict(StrEnum):
    """What can be said of an objective; from the most to the least urgent."""

    SPENT = "spent"
    BURNING = "burning"
    DATED = "date"
    POSSIBLE = "possible"
    KEPT = "kept"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Usual:
    """What an objective's errors are outside incidents.

    Parameters
    ----------
    share
        The usual share of bad events in the window.
    days_over, days
        On how many of how many days the usual errors alone burnt faster than the budget allows.
    reachable
        A target that the usual errors would keep with a fifth of the budget to spare.
    """

    share: float
    days_over: int
    days: int
    reachable: float


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of one objective; None where it cannot be told.

    Parameters
    ----------
    objective
        What is promised.
    verdict, reason
        What can be said, and why not more.
    budget, burn_down
        The window so far.
    burn
        The burn rates now.
    run_out
        When the budget runs out or returns.
    replay
        What the alerts would have done in the window.
    usual
        Errors outside incidents.
    least_events
        The `min_events` with which no single bad event pages; 0 where none is needed.
    events
        The history.
    notes
        What is incomplete or odd, one sentence each.
    """

    objective: Objective
    verdict: Verdict
    reason: str = ""
    budget: Budget | None = None
    burn_down: BurnDown | None = None
    burn: tuple[BurnRate, ...] = ()
    run_out: RunOut | None = None
    replay: Replay | None = None
    usual: Usual | None = None
    least_events: int = 0
    events: Events | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Service and name: what findings are about."""
        return f"{self.objective.service}: {self.objective.name}"

    @property
    def urgency(self) -> tuple[Any, ...]:
        """Sorts the most urgent first: by verdict, then by the chance, then by what is left."""
        chance = max(self.run_out.chances.values(), default=0.0) if self.run_out else 0.0
        left = self.budget.left if self.budget else math.inf
        return list(Verdict).index(self.verdict), -chance, left, self.name

    def to_dict(self, *, series: bool = False) -> dict[str, Any]:
        """The JSON form; with `series` also the burn-down and the forecast by time."""
        one = self.objective
        result: dict[str, Any] = {
            "name": one.name,
            "service": one.service,
            "key": one.key,
            "owner": one.owner,
            "target": one.target,
            "window": one.window,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "budget": self.budget and self.budget.to_dict(),
            "burn": [b.to_dict() for b in self.burn],
            "run_out": self.run_out and self.run_out.to_dict(),
            "alerts": self.replay and self.replay.to_dict(),
            "usual_share": self.usual and float(f"{self.usual.share:.7g}"),
            "least_events": self.least_events,
            "notes": list(self.notes),
        }
        return {**result, "series": self._series()} if series else result

    def _series(self) -> dict[str, Any]:
        past = self.burn_down and {
            "times": [format_time(t) for t in self.burn_down.times_ms.tolist()],
            "left": [round(v, 6) for v in self.burn_down.left.tolist()],
        }
        if self.run_out is None:
            return {"burn_down": past, "forecast": None}
        fan = self.run_out.fan
        quantiles = {
            f"{q:g}": [round(v, 6) for v in row]
            for q, row in zip(fan.levels, fan.values.tolist(), strict=True)
        }
        times = [format_time(t) for t in fan.times_ms.tolist()]
        return {"burn_down": past, "forecast": {"times": times, "quantiles": quantiles}}


@dataclass(frozen=True, slots=True)
class SloResult:
    """Standings, the most urgent first, and what they add up to.

    Parameters
    ----------
    now_ms
        From when was judged.
    standings
        One an objective.
    findings
        What a reader should know or do.
    """

    now_ms: int
    standings: tuple[Standing, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    def to_dict(self, *, series: bool = False) -> dict[str, Any]:
        """The JSON form; with `series` also every burn-down and forecast."""
        return {
            "now": format_time(self.now_ms),
            "objectives": [s.to_dict(series=series) for s in self.standings],
            "findings": [f.to_dict() for f in self.findings],
        }

    def to_table(self) -> pd.DataFrame:
        """One row an objective, numbers as numbers, times in UTC: for further work."""
        import pandas as pd

        rows = [_row(s) for s in self.standings]
        return pd.DataFrame(
            {name: pd.Series([r.get(name) for r in rows], dtype=t) for name, t in _COLUMNS.items()}
        )

    def alerts(self) -> pd.DataFrame:
        """When alerts would have been on, in order of time: one row an alert and stretch.

        Firings that follow the end of the one before by less than the pair's short window are
        joined; ``times`` counts them. `Replay.episodes` has each by itself.
        """
        import pandas as pd

        rows = [
            {"objective": s.name, **_stretch(together)}
            for s in self.standings
            if s.replay
            for pair in s.replay.pairs
            for together in _joined(pair.episodes)
        ]
        frame = pd.DataFrame(
            {name: pd.Series([r[name] for r in rows], dtype=t) for name, t in _ALERTS.items()}
        )
        return frame.sort_values(["start", "objective", "pair"], ignore_index=True)


def _joined(episodes: Sequence[Episode]) -> list[list[Episode]]:
    """Episodes of one pair in groups of those that follow each other closely."""
    groups: list[list[Episode]] = []
    for each in episodes:
        if groups and each.start_ms - groups[-1][-1].end_ms < each.pair.short_ms:
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _stretch(together: Sequence[Episode]) -> dict[str, Any]:
    first, last = together[0], together[-1]
    return {
        "pair": pair_name(first.pair),
        "severity": first.pair.severity,
        "start": _moment(first.start_ms),
        "end": _moment(last.end_ms),
        "times": len(together),
        "minutes": sum(e.end_ms - e.start_ms for e in together) / 60_000,
        "peak burn": max(e.peak for e in together),
        "budget spent": max(e.spent for e in together),
    }


_TEXT, _NUMBER, _TIME = "str", "float64", "datetime64[ms, UTC]"
_ALERTS: Final = {
    "objective": _TEXT, "pair": _TEXT, "severity": _TEXT, "start": _TIME, "end": _TIME,
    "times": "int64", "minutes": _NUMBER, "peak burn": _NUMBER, "budget spent": _NUMBER,
}  # fmt: skip
_COLUMNS: Final = {
    "objective": _TEXT, "owner": _TEXT, "verdict": _TEXT, "target": _NUMBER, "window": _TEXT,
    "sli": _NUMBER, "sli_low_95": _NUMBER, "sli_high_95": _NUMBER,
    "bad_events": _NUMBER, "total_events": _NUMBER, "budget_events": _NUMBER,
    "left_events": _NUMBER, "left": _NUMBER, "budget_minutes": _NUMBER, "left_minutes": _NUMBER,
    "runs_out": _TIME, "runs_out_low_80": _TIME, "runs_out_high_80": _TIME,
    "chance_30d": _NUMBER, "chance_60d": _NUMBER, "chance_90d": _NUMBER,
    "firings": _NUMBER, "reason": _TEXT, "notes": _TEXT,
}  # fmt: skip
"""The tables' columns and their types."""


def _row(standing: Standing) -> dict[str, Any]:
    one, found = standing.objective, standing.budget
    row: dict[str, Any] = {
        "objective": standing.name, "owner": one.owner, "verdict": standing.verdict.value,
        "target": one.target, "window": one.window, "reason": standing.reason,
        "notes": " ".join(standing.notes),
    }  # fmt: skip
    if found:
        row |= {
            "sli": found.sli, "sli_low_95": found.sli_low, "sli_high_95": found.sli_high,
            "bad_events": found.bad, "total_events": found.total, "left": found.left,
            "budget_events": found.allowed, "left_events": found.left_events,
            "budget_minutes": found.minutes, "left_minutes": found.left_minutes,
        }  # fmt: skip
    if standing.replay:
        row["firings"] = len(standing.replay.episodes)
    ahead = standing.run_out
    if ahead and not ahead.spent:
        row |= {f"chance_{d}d": ahead.chances.get(d) for d in (30, 60, 90)}
        if ahead.dated:
            names = ("runs_out", "runs_out_low_80", "runs_out_high_80")
            hours = (ahead.hours, *ahead.interval_80)
            row |= {n: _moment(ahead.time_ms(h)) for n, h in zip(names, hours, strict=True)}
    return row


def _moment(time_ms: int | None) -> Any:
    import pandas as pd

    return pd.NaT if time_ms is None else pd.Timestamp(time_ms, unit="ms", tz="UTC")
