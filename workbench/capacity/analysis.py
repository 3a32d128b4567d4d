"""The capacity analysis: frames in, outlooks and findings out. Nothing is asked or drawn here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from workbench.capacity.conclusions import conclude, missing_metrics, no_series
from workbench.capacity.forecasting import forecast
from workbench.capacity.instances import Instance, instances
from workbench.capacity.judging import Judged, judge
from workbench.capacity.outlook import CapacityResult, Outlook
from workbench.capacity.planning import Unusable, limit_key, usage_key
from workbench.capacity.resource import Resource
from workbench.errors import InputError
from workbench.findings import Finding
from workbench.frame import Frame
from workbench.statistics import Average, average_models, backtest, pool_shifts

__all__ = ["analyse"]


def analyse(
    resources: Sequence[Resource],
    frames: Mapping[str, Frame],
    *,
    now_ms: int,
    horizon_days: int = 90,
    missing: Sequence[Unusable] = (),
    seed: int = 0,
) -> CapacityResult:
    """Judge what `questions` asked for.

    Parameters
    ----------
    resources
        What was asked about.
    frames
        The answers, by the questions' keys; an absent key is a query that gave nothing.
    now_ms
        Where the history ends and the forecast begins.
    horizon_days
        How far ahead dates are given.
    missing
        What `discover` found unusable; becomes findings.
    seed
        Of the drawn paths: equal input and seed give equal figures, in any order of resources.

    Raises
    ------
    InputError
        The horizon is not 1 to 730 days.
    """
    if not 1 <= horizon_days <= 730:
        msg = f"a horizon of {horizon_days} days cannot be forecast"
        raise InputError(msg, "give 1 to 730 days; 90 is what the figures were checked for")
    findings: list[Finding] = list(missing_metrics(missing))
    found: list[Instance] = []
    for resource in resources:
        usage = frames.get(usage_key(resource))
        if usage is None or not len(usage):
            if not resource.needs_limit:
                findings.append(no_series(resource))
            continue
        found.extend(instances(resource, usage, frames.get(limit_key(resource))))
    judged = [judge(instance, now_ms=now_ms) for instance in found]
    outlooks = _forecasts(judged, horizon_days, seed)
    for instance, each, outlook in zip(found, judged, outlooks, strict=True):
        findings.extend(conclude(outlook, instance.resource, each.obstacle, horizon_days))
    return CapacityResult(
        now_ms,
        horizon_days,
        tuple(sorted(outlooks, key=lambda o: o.urgency)),
        tuple(sorted(findings, key=lambda f: (-f.severity.rank, f.code, f.about))),
    )


def _forecasts(judged: Sequence[Judged], horizon_days: int, seed: int) -> list[Outlook]:
    """Fit every instance, pool the fleet's level shifts, then draw every future."""
    randoms = [_random(seed, j.outlook.name) for j in judged]
    averages: list[Average | None] = [
        None if j.obstacle else average_models(j.series.days, j.series.values, rng)
        for j, rng in zip(judged, randoms, strict=True)
    ]
    pool = pool_shifts([a for a in averages if a is not None])
    result: list[Outlook] = []
    for each, average, rng in zip(judged, averages, randoms, strict=True):
        if average is None:
            result.append(each.outlook)
            continue
        test = backtest(each.series.days, each.series.values, rng)
        result.append(
            forecast(each, average, horizon_days=horizon_days, pool=pool, rng=rng, test=test)
        )
    return result


def _random(seed: int, name: str) -> np.random.Generator:
    """One stream of random numbers a resource, whatever stands beside it."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])
