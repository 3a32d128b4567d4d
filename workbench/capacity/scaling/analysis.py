"""How throughput scales with concurrency: what to ask, and how the answers are judged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from workbench.capacity.scaling.findings import conclude_scalability
from workbench.capacity.scaling.result import ScalabilityResult, Scaling, ScalingCurve
from workbench.errors import InputError
from workbench.frame import Frame
from workbench.promql.question import Question
from workbench.promql.quote import quote_label
from workbench.samples import Floats, Labels, format_labels
from workbench.statistics import looks_like_counter
from workbench.statistics.scalability import LEAST_POINTS, LEAST_RANGE, Scalability, fit_scalability
from workbench.units import format_quantity
from workbench.window import Window

__all__ = ["MOST_CURVES", "analyse_scalability", "scalability_questions"]

MOST_CURVES: Final = 50
"""More than a reader looks at, and about half a minute's work."""

_MOST_POINTS: Final = 2_500
_COUNTLESS: Final = 1e150
_LEAST_EXPLAINED: Final = 0.3
_BUSY: Final = 0.95


def scalability_questions(
    throughput: str, concurrency: str, latency: str, by: Sequence[str], window: Window
) -> list[Question]:
    """What to ask.

    Parameters
    ----------
    throughput
        PromQL of work done a second.
    concurrency
        PromQL of how many do it at once; or ``""``, and `latency` tells it.
    latency
        PromQL of the mean seconds that work takes: by Little's law (1961), throughput times
        latency is the mean concurrency.
    by
        Labels that tell curves apart; none takes the series as they are.
    window
        The history.

    Raises
    ------
    InputError
        Neither or both of concurrency and latency are given.

    Examples
    --------
    >>> window = Window(0, 3_600_000, 60_000)
    >>> [q.expression for q in scalability_questions("tps", "busy", "", ["job"], window)]
    ['sum by (job) (tps)', 'sum by (job) (busy)']
    """
    if bool(concurrency) == bool(latency):
        given = (
            "both concurrency and latency are"
            if concurrency
            else "neither concurrency nor latency is"
        )
        msg = f"{given} given"
        raise InputError(msg, "give one: PromQL of how many work at once, or of the mean latency")
    if not throughput:
        msg = "throughput is empty"
        raise InputError(
            msg, "give PromQL of work done a second, such as sum(rate(requests_total[5m]))"
        )
    labels = ", ".join(quote_label(n) for n in by)

    def grouped(expression: str, how: str) -> str:
        return f"{how} by ({labels}) ({expression})" if by else expression

    other = ("concurrency", concurrency, "sum") if concurrency else ("latency", latency, "avg")
    return [
        Question("throughput", grouped(throughput, "sum"), window),
        Question(other[0], grouped(other[1], other[2]), window),
    ]


def analyse_scalability(
    throughput: Frame, other: Frame, *, little: bool, expressions: tuple[str, str], seed: int = 0
) -> ScalabilityResult:
    """Fit the Universal Scalability Law to every series of throughput.

    Parameters
    ----------
    throughput, other
        The answers: throughput, and concurrency or latency, joined by their labels; one series
        without shared labels belongs to all.
    little
        Whether `other` is latency.
    expressions
        The PromQL of both, for people.
    seed
        Of the resampled histories.

    Raises
    ------
    InputError
        There are more than 50 series.
    """
    if len(throughput) > MOST_CURVES:
        msg = f"throughput gives {len(throughput)} series, more than {MOST_CURVES}"
        raise InputError(msg, 'aggregate them: by="job"')
    curves = [
        _curve(throughput, row, other, little=little, name=expressions[0], seed=seed)
        for row in range(len(throughput))
    ]
    order = list(Scaling)
    curves.sort(key=lambda c: (order.index(c.verdict), c.name))
    concurrency = f"({expressions[0]}) × ({expressions[1]})" if little else expressions[1]
    findings = conclude_scalability(curves, expressions)
    return ScalabilityResult(expressions[0], concurrency, tuple(curves), findings)


def _curve(
    throughput: Frame, row: int, other: Frame, *, little: bool, name: str, seed: int
) -> ScalingCurve:
    labels = {n: v for n, v in throughput.labels[row].items() if n != "__name__"}
    title = format_labels(labels) if labels else name
    done = np.where(throughput.present[row], throughput.values[row], np.nan)
    match = _partner(labels, other.labels)
    none = np.empty(0)
    if match is None:
        what = "latency" if little else "concurrency"
        return ScalingCurve(
            title, labels, Scaling.UNKNOWN, f"no series of {what} is its own", none, none
        )
    told = np.where(other.present[match], other.values[match], np.nan)
    at_once = done * told if little else told
    reason = _gauges(done, told)
    # Beyond any quantity there is, and its square would be infinite.
    countless = (done > _COUNTLESS) | (at_once > _COUNTLESS)
    usable = np.isfinite(done) & np.isfinite(at_once) & (done > 0) & (at_once >= 1) & ~countless
    n, x = at_once[usable], done[usable]
    every = max(-(-len(n) // _MOST_POINTS), 1)
    n, x = n[::every], x[::every]
    reason = reason or _too_little(n)
    if reason:
        return ScalingCurve(title, labels, Scaling.UNKNOWN, reason, n, x)
    law = fit_scalability(n, x, _random(seed, title))
    return _judged(title, labels, n, x, law)


def _partner(labels: Labels, others: Sequence[Labels]) -> int | None:
    """The series of concurrency or latency that belongs to one of throughput."""
    names = {n for each in others for n in each} & set(labels)
    if not names:
        return 0 if len(others) == 1 else None
    for row, each in enumerate(others):
        if all(each.get(n, "") == labels.get(n, "") for n in names):
            return row
    return None


def _gauges(done: Floats, told: Floats) -> str:
    for what, values in (("throughput", done), ("concurrency", told)):
        known = values[np.isfinite(values)]
        if looks_like_counter(known):
            return f"{what} is a counter: it only grows; give its rate(…[5m])"
        if len(known) and float(known.min()) < 0:
            return f"{what} is below 0"
    return ""


def _too_little(n: Floats) -> str:
    if len(n) < LEAST_POINTS:
        return (
            f"{len(n)} points have throughput and a concurrency of at least 1, and {LEAST_POINTS} "
            f"are needed"
        )
    low, high = float(n.min()), float(n.max())
    if high < LEAST_RANGE * low:
        return f"concurrency was only {format_quantity(low)} to {format_quantity(high)}"
    return ""


def _judged(name: str, labels: Labels, n: Floats, x: Floats, law: Scalability) -> ScalingCurve:
    busy = float(np.quantile(n, _BUSY))
    if law.explained < _LEAST_EXPLAINED:
        reason = f"concurrency explains {law.explained * 100:.0f} % of the throughput"
        return ScalingCurve(name, labels, Scaling.UNKNOWN, reason, n, x, law, busy)
    if not law.has_peak:
        return ScalingCurve(name, labels, Scaling.NO_PEAK, "", n, x, law, busy)
    beyond = float((n > law.peak[2]).mean())
    verdict = Scaling.PAST if busy > law.peak[2] else Scaling.PEAK
    return ScalingCurve(name, labels, verdict, "", n, x, law, busy, beyond)


def _random(seed: int, name: str) -> np.random.Generator:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])
