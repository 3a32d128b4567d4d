"""What a study of scalability gives: plain data, per curve and as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from workbench.findings import Finding
from workbench.samples import Floats, Labels
from workbench.statistics.scalability import Scalability

__all__ = ["ScalabilityResult", "Scaling", "ScalingCurve"]


class Scaling(StrEnum):
    """What is known of a peak."""

    PAST = "past its peak"
    PEAK = "peak known"
    NO_PEAK = "no peak seen"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True, eq=False)
class ScalingCurve:
    """Throughput against concurrency of one series.

    Parameters
    ----------
    name, labels
        What it is.
    verdict, reason
        What is known of a peak, or why nothing is.
    concurrency, throughput
        float64, shape (points,), in the order of time.
    law
        The fitted law; None where there is none.
    busy
        The concurrency that one point in twenty exceeds.
    beyond
        The share of the points beyond the peak; NaN where none is known.
    """

    name: str
    labels: Labels
    verdict: Scaling
    reason: str
    concurrency: Floats
    throughput: Floats
    law: Scalability | None = None
    busy: float = math.nan
    beyond: float = math.nan

    def gain(self, factor: float = 2.0) -> Floats:
        """By what throughput grows if the busy hours' concurrency does: quantiles 10, 50, 90 %."""
        assert self.law is not None
        _, one, two = self.law.draws.T  # not the level: it cancels
        n, more = self.busy, self.busy * factor
        now = n / (1 + one * (n - 1) + two * n * (n - 1))
        then = more / (1 + one * (more - 1) + two * more * (more - 1))
        return np.asarray(np.quantile(then / now - 1, (0.1, 0.5, 0.9)))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        law = self.law
        known = law is not None and law.has_peak
        return {
            "name": self.name,
            "labels": dict(self.labels),
            "verdict": self.verdict.value,
            "reason": self.reason,
            "points": len(self.concurrency),
            "lambda": _row(law, 0),
            "sigma": _row(law, 1),
            "kappa": _row(law, 2),
            "lowest": law.lowest if law else None,
            "highest": law.highest if law else None,
            "explained": law.explained if law else None,
            "peak_concurrency": _finite(law.peak) if law and known else None,
            "peak_throughput": _finite(law.peak_throughput) if law and known else None,
            "busy_concurrency": None if math.isnan(self.busy) else self.busy,
            "share_beyond_peak": None if math.isnan(self.beyond) else self.beyond,
        }


@dataclass(frozen=True, slots=True, eq=False)
class ScalabilityResult:
    """The law of every series, the most pressing first.

    Parameters
    ----------
    throughput, concurrency
        The PromQL; the latter may stand for throughput times latency.
    curves, findings
        What was found.
    """

    throughput: str
    concurrency: str
    curves: tuple[ScalingCurve, ...]
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "throughput": self.throughput,
            "concurrency": self.concurrency,
            "quantiles": [0.025, 0.1, 0.5, 0.9, 0.975],
            "curves": [curve.to_dict() for curve in self.curves],
        }


def _row(law: Scalability | None, place: int) -> Mapping[str, Any] | None:
    if law is None:
        return None
    value = (law.one, law.contention, law.coherency)[place]
    return {"value": value, "quantiles": law.intervals[:, place].tolist()}


def _finite(values: Floats) -> list[float | None]:
    return [v if math.isfinite(v) else None for v in values.tolist()]
