"""What a what-if gives: plain data, per resource and as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.capacity.what_if.scenario import Scenario
from workbench.findings import Finding
from workbench.samples import Floats, Labels
from workbench.statistics.queueing import Waiting
from workbench.statistics.regression import HeldOut

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QUANTILES", "Fit", "Outcome", "Verdict", "WhatIfResult"]

QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)
"""Of peaks: the ends of the 95 and 80 % intervals, and the middle."""


class Verdict(StrEnum):
    """What a scenario does to a resource."""

    OVER = "over its limit"
    TIGHT = "may be over"
    BEARS = "bears it"
    NO_LIMIT = "no limit"
    ALONE = "nothing left"
    GONE = "gone"
    UNEXPLAINED = "not by load"
    UNKNOWN = "cannot tell"

    @property
    def follows_load(self) -> bool:
        """Whether there are figures."""
        return self in (Verdict.OVER, Verdict.TIGHT, Verdict.BEARS, Verdict.NO_LIMIT)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The relation of one resource with its load, for people and pictures.

    Parameters
    ----------
    explained
        The share of the usage's variance that the load explains.
    shape, curvature_p
        ``line``, ``curve`` or ``bend``, whichever is likeliest, and the p value of a curve.
    slope
        What one more unit of load uses at today's peak: quantiles 10, 50 and 90 %.
    days, lag_ms
        How many days were learnt from, and by how much usage follows later.
    since_ms
        Since when the relation holds; None where it always did.
    held_back
        Hours left out since the limit held usage back.
    loads, usages
        Shape (points,): what was learnt from.
    grid, band
        Shapes (n,) and (3, n): loads, and the quantiles 10, 50 and 90 % of one hour's usage.
    top
        The highest load seen.
    test
        How good it was on days held out.
    """

    explained: float
    shape: str
    curvature_p: float
    slope: Floats
    days: int
    lag_ms: int
    since_ms: int | None
    held_back: int
    loads: Floats
    usages: Floats
    grid: Floats
    band: Floats
    top: float
    test: HeldOut | None


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One resource under the scenario.

    Parameters
    ----------
    name, service, owner, unit, labels
        As in `workbench.capacity.outlook.Outlook`; the service may be that of its ``job``.
    verdict, reason
        What the scenario does to it, or why that cannot be told.
    load, load_unit
        What drives it, in words.
    limit
        The last one known; NaN where there is none.
    load_now, load_then
        At the peak of the busiest of the last seven days, and of that day under the scenario.
    now, then
        Shape (5,): quantiles `QUANTILES` of that day's highest usage, without and with it.
    chance_now, chance
        That the day's highest usage reaches the limit, without and with the scenario.
    bears
        Shape (5,): quantiles of the factor of load at which the limit is reached, from now; 0
        where a twentieth is too much, infinite where ten times is borne.
    waiting_now, waiting_then, doubled
        For pools and workers: the wait by the model, and the utilisation at which it doubles.
    binds_first
        Whether it is the first of its service to reach its limit.
    fit
        The relation; None where there is none.
    notes
        What a reader should know, one sentence each.
    """

    name: str
    service: str
    owner: str
    unit: str
    labels: Labels
    verdict: Verdict
    reason: str = ""
    load: str = ""
    load_unit: str = ""
    limit: float = math.nan
    load_now: float = math.nan
    load_then: float = math.nan
    now: Floats = field(default_factory=lambda: np.full(5, np.nan))
    then: Floats = field(default_factory=lambda: np.full(5, np.nan))
    chance_now: float = math.nan
    chance: float = math.nan
    bears: Floats = field(default_factory=lambda: np.full(5, np.nan))
    waiting_now: Waiting | None = None
    waiting_then: Waiting | None = None
    doubled: float = math.nan
    binds_first: bool = False
    fit: Fit | None = None
    notes: tuple[str, ...] = ()

    @property
    def factor(self) -> float:
        """By what its load at the peak changes."""
        return self.load_then / self.load_now if self.load_now > 0 else math.nan

    @property
    def of_limit(self) -> float:
        """The middle of its peak under the scenario, as a share of the limit."""
        return float(self.then[2]) / self.limit

    @property
    def binding_load(self) -> Floats:
        """Shape (5,): the load at the day's peak at which the limit is reached."""
        return np.asarray(self.bears * self.load_now)

    @property
    def urgency(self) -> tuple[Any, ...]:
        """Sorts what is soonest over its limit first, what cannot be told last."""
        order = list(Verdict).index(self.verdict)
        middle = float(self.bears[2])
        chance = 0.0 if math.isnan(self.chance) else -round(self.chance, 2)
        return order, chance, math.inf if math.isnan(middle) else middle, self.name

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: no number where there is none, ``inf`` as null with `bears_ten_times`."""
        return {
            "name": self.name,
            "service": self.service,
            "owner": self.owner,
            "unit": self.unit,
            "labels": dict(self.labels),
            "verdict": self.verdict.value,
            "reason": self.reason,
            "load": self.load,
            "limit": _number(self.limit),
            "load_now": _number(self.load_now),
            "load_then": _number(self.load_then),
            "peak_now": _numbers(self.now),
            "peak_then": _numbers(self.then),
            "chance_now": _number(self.chance_now),
            "chance": _number(self.chance),
            "bears_factor": _numbers(self.bears),
            "bears_ten_times": bool(np.isinf(self.bears[2])),
            "binds_first": self.binds_first,
            "waiting_now": _waiting(self.waiting_now),
            "waiting_then": _waiting(self.waiting_then),
            "wait_doubles_at": _number(self.doubled),
            "relation": _fit(self.fit),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, eq=False)
class WhatIfResult:
    """A scenario and what it does to every resource.

    Parameters
    ----------
    scenario
        What was supposed.
    outcomes
        Soonest over their limits first.
    loads
        PromQL of the loads that drive any of them, and whether each was found by convention.
    findings
        What a reader should know or do.
    """

    scenario: Scenario
    outcomes: tuple[Outcome, ...]
    loads: Mapping[str, bool]
    findings: tuple[Finding, ...]

    def to_table(self) -> pd.DataFrame:
        """The figures as numbers, one row a resource that follows its load.

        Returns
        -------
        DataFrame
            ``resource``, ``service``, ``verdict``, ``limit``, ``load_now``, ``load_then``,
            ``peak_now``, ``peak_then``, ``low_80`` … ``high_95``, ``chance``, ``bears``,
            ``bears_low_80``, ``bears_high_80``, ``explained``.
        """
        import pandas as pd

        rows = [
            (o.name, o.service, o.verdict.value, o.limit, o.load_now, o.load_then, o.now[2],
             o.then[2], o.then[1], o.then[3], o.then[0], o.then[4], o.chance, o.bears[2],
             o.bears[1], o.bears[3], o.fit.explained if o.fit else math.nan)
            for o in self.outcomes
            if o.verdict.follows_load
        ]  # fmt: skip
        names = (
            "resource service verdict limit load_now load_then peak_now peak_then low_80 high_80 "
            "low_95 high_95 chance bears bears_low_80 bears_high_80 explained"
        )
        return pd.DataFrame(rows, columns=names.split())

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        scenario = self.scenario
        return {
            "scenario": {
                "text": scenario.describe(),
                "traffic": scenario.traffic,
                "lost": "=".join(scenario.lost) if scenario.lost else "",
                "instances_change": scenario.change,
                "instances": scenario.count,
            },
            "quantiles": list(QUANTILES),
            "loads": [{"expression": e, "found": f} for e, f in self.loads.items()],
            "resources": [o.to_dict() for o in self.outcomes],
        }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _numbers(values: Floats) -> list[float | None]:
    return [_number(v) for v in values.tolist()]


def _waiting(found: Waiting | None) -> dict[str, float | None] | None:
    if found is None:
        return None
    return {
        "utilisation": _number(found.utilisation),
        "chance": _number(found.chance),
        "mean_service_times": _number(found.mean),
        "p95_service_times": _number(found.p95),
    }


def _fit(fit: Fit | None) -> dict[str, Any] | None:
    if fit is None:
        return None
    return {
        "explained": _number(fit.explained),
        "shape": fit.shape,
        "curvature_p": _number(fit.curvature_p),
        "slope": _numbers(fit.slope),
        "days": fit.days,
        "lag_seconds": fit.lag_ms / 1000,
        "since_ms": fit.since_ms,
        "held_back_hours": fit.held_back,
        "highest_load_seen": _number(fit.top),
        "backtest": fit.test.to_dict() if fit.test else None,
    }
