"""Jobs that grow or whose series are replaced all the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from workbench.findings import Finding, Severity

if TYPE_CHECKING:
    from workbench.cardinality.history import JobHistory

__all__ = ["judge_history"]

_GROWTH_SHARE: Final = 0.2
_GROWTH_SERIES: Final = 1_000
"""A job is told that has grown by this share, and by at least so many series."""

_CHURN: Final = 2.0
"""A job is told whose series are all replaced more often a day than this."""

_CHURN_SERIES: Final = 1_000
"""… and that makes at least so many new ones a day."""


def judge_history(jobs: Iterable[JobHistory]) -> Iterator[Finding]:
    """Tell jobs that grow fast, and jobs that churn."""
    for job in jobs:
        grown = job.growth
        if grown is not None and grown >= max(
            _GROWTH_SERIES, _GROWTH_SHARE * (job.series_before or 0)
        ):
            yield Finding(
                "CARD-GROWING-JOB",
                Severity.WARNING,
                f"job {job.job}",
                f"job {job.job} has grown by {grown:,} series in {job.days:.0f} days, to {job.series:,}",
                f"look which metric and label it was: workbench audit SOURCE --since 7d --match '{{job=\"{job.job}\"}}'",
                evidence=job.to_dict(),
                where=f"job {job.job}",
            )
        if job.churn >= _CHURN and job.added_a_day >= _CHURN_SERIES:
            yield Finding(
                "CARD-CHURN",
                Severity.WARNING,
                f"job {job.job}",
                f"job {job.job} makes {job.added_a_day:,.0f} new series a day for the {job.series:,} that it has: "
                f"each is replaced {job.churn:.1f} times a day",
                "look for labels that change with each restart or request (pod, id, version), and for targets that flap",
                evidence=job.to_dict(),
                where=f"job {job.job}",
            )
