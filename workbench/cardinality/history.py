"""Growth and churn of each job, from what Prometheus records of its own scrapes.

Counting series at earlier times is dear; ``scrape_samples_post_metric_relabeling`` (series that a
scrape kept) and ``scrape_series_added`` (those that were new) are there for every target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.frame import Frame
from workbench.promql.question import Question
from workbench.window import Window

__all__ = ["NEEDS", "JobHistory", "questions", "read_history"]

NEEDS: Final = ("scrape_samples_post_metric_relabeling", "scrape_series_added")
"""Metrics that a source must have."""

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class JobHistory:
    """One job over some days.

    Parameters
    ----------
    job
        Its name.
    series, series_before
        What its scrapes kept in the last hours, and at the beginning; None where it was not there.
    days
        How many days lie between these.
    added_a_day
        Series that were new in a scrape, on average a day: restarts, deploys and growing labels.
    """

    job: str
    series: int
    series_before: int | None
    days: float
    added_a_day: float

    @property
    def growth(self) -> int | None:
        """Series more than at the beginning."""
        return None if self.series_before is None else self.series - self.series_before

    @property
    def churn(self) -> float:
        """How often a day all series are replaced by new ones."""
        return self.added_a_day / self.series if self.series else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "job": self.job,
            "series": self.series,
            "series_before": self.series_before,
            "days": round(self.days, 2),
            "added_a_day": round(self.added_a_day, 1),
            "churn": round(self.churn, 3),
        }


def questions(end_ms: int, days: int = 7) -> list[Question]:
    """What to ask: series and new series of each job, for each of some days."""
    window = Window(end_ms - days * _DAY_MS, end_ms, _DAY_MS // 4)
    kept = "sum by (job) (avg_over_time(scrape_samples_post_metric_relabeling[6h]))"
    added = "sum by (job) (sum_over_time(scrape_series_added[6h]))"
    return [Question("kept", kept, window), Question("added", added, window)]


def read_history(frames: Mapping[str, Frame]) -> tuple[JobHistory, ...]:
    """Read the answers; jobs with most series first, those that have ended left out."""
    kept, added = frames["kept"], frames["added"]
    times = kept.times_ms
    new = {row.get("job", ""): added.values[i] for i, row in enumerate(added.labels)}
    result = []
    for i, labels in enumerate(kept.labels):
        values = kept.values[i]
        there = np.flatnonzero(~np.isnan(values))
        if not len(there) or there[-1] < len(times) - 2:
            continue
        first, last = int(there[0]), int(there[-1])
        days = (times[last] - times[first]) / _DAY_MS
        # The first scrape of all adds every series: that is no churn.
        fresh = new.get(labels.get("job", ""), np.full(len(values), np.nan))[first + 1 : last + 1]
        result.append(
            JobHistory(
                labels.get("job", ""),
                round(float(values[last])),
                round(float(values[first])) if last > first else None,
                float(days),
                float(np.nansum(fresh)) / days if days else 0.0,
            )
        )
    return tuple(sorted(result, key=lambda one: (-one.series, one.job)))
