"""What a study of scalability finds, as findings: one function a code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from workbench.capacity.scaling.result import Scaling, ScalingCurve
from workbench.findings import Finding, Severity
from workbench.units import format_quantity

__all__ = ["conclude_scalability"]

_MEANT: Final = "make what all must agree on smaller: shared state, locks, cross-talk"


def conclude_scalability(
    curves: Sequence[ScalingCurve], expressions: tuple[str, str]
) -> tuple[Finding, ...]:
    """All findings, the gravest first."""
    makers = {
        Scaling.PAST: _past,
        Scaling.PEAK: _peak,
        Scaling.NO_PEAK: _no_peak,
        Scaling.UNKNOWN: _unknown,
    }
    found = [makers[c.verdict](c, expressions[0]) for c in curves]
    if not curves:
        found.append(_nothing(expressions[0]))
    return tuple(sorted(found, key=lambda f: (-f.severity.rank, f.code, f.about)))


def _nothing(expression: str) -> Finding:
    step = "run the query by itself: a name or label in it may be misspelt"
    what = f"{expression} gives no series"
    return Finding(
        "CAP-METRICS-MISSING", Severity.WARNING, expression, what, step, where=expression
    )


def _place(curve: ScalingCurve) -> str:
    assert curve.law is not None
    low, middle, high = (format_quantity(float(curve.law.peak[i])) for i in (1, 2, 3))
    return f"{middle} at once (80 %: {low} to {high})"


def _evidence(curve: ScalingCurve) -> dict[str, Any]:
    law = curve.law
    assert law is not None
    figures = {
        "lambda": law.one,
        "sigma": law.contention,
        "kappa": law.coherency,
        "highest_concurrency": law.highest,
        "busy_concurrency": curve.busy,
        "explained": law.explained,
    }
    if law.has_peak:
        figures |= {
            "peak_concurrency": float(law.peak[2]),
            "peak_concurrency_low_80": float(law.peak[1]),
            "peak_concurrency_high_80": float(law.peak[3]),
            "peak_throughput": float(law.peak_throughput[2]),
        }
    return {k: float(f"{v:.6g}") for k, v in figures.items() if math.isfinite(v)}


def _past(curve: ScalingCurve, expression: str) -> Finding:
    what = (
        f"{curve.name} is past its peak: throughput is highest at {_place(curve)}, and at busy "
        f"times {format_quantity(curve.busy)} are at work; {curve.beyond * 100:.0f} % of the time "
        f"more makes it worse"
    )
    step = f"hold concurrency below the peak (a pool, a limit, admission control), then {_MEANT}"
    return Finding(
        "CAP-PAST-PEAK", Severity.WARNING, curve.name, what, step, _evidence(curve), expression
    )


def _peak(curve: ScalingCurve, expression: str) -> Finding:
    law = curve.law
    assert law is not None
    beyond = " (beyond what was seen)" * bool(law.peak[2] > law.highest)
    what = (
        f"{curve.name} gives most at {_place(curve)}{beyond}, "
        f"{format_quantity(float(law.peak_throughput[2]))} a second; beyond it more makes it worse"
    )
    step = f"set the limit of concurrency no higher; to move the peak, {_MEANT}"
    return Finding(
        "CAP-SCALING-PEAK", Severity.INFO, curve.name, what, step, _evidence(curve), expression
    )


def _no_peak(curve: ScalingCurve, expression: str) -> Finding:
    law = curve.law
    assert law is not None
    low, middle, high = (f"{100 * g:+.0f} %" for g in curve.gain().tolist())
    what = (
        f"{curve.name} shows no peak up to {format_quantity(law.highest)} at once; twice the "
        f"concurrency of busy times would give {middle} (80 %: {low} to {high}) throughput, if the "
        f"law goes on"
    )
    step = "to find the peak, test with more concurrency; none is made up here"
    return Finding(
        "CAP-NO-PEAK-SEEN", Severity.INFO, curve.name, what, step, _evidence(curve), expression
    )


def _unknown(curve: ScalingCurve, expression: str) -> Finding:
    what = f"no law can be told of {curve.name}: {curve.reason}"
    step = (
        "give throughput as a rate and concurrency as a mean over the same time, or latency=… "
        "where concurrency is not measured; a load test covers more than ordinary days do"
    )
    evidence = {"points": len(curve.concurrency)}
    return Finding("CAP-NOT-SCALED", Severity.INFO, curve.name, what, step, evidence, expression)
