"""What a latency analysis gives: plain data, times in milliseconds since the epoch, latencies in seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbench.findings import Finding
from workbench.frame import Bools
from workbench.latency.advice import Advice
from workbench.latency.comparing import Comparison
from workbench.latency.deploys import Deploy
from workbench.latency.exemplars import Exemplar
from workbench.latency.instrument import Instrument, Kind
from workbench.samples import Floats, Ints, Labels
from workbench.statistics.buckets import BucketCounts
from workbench.window import Window, format_time

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Distribution", "LatencyResult", "OverTime", "Quantile", "Share", "TailPart"]


@dataclass(frozen=True, slots=True)
class Quantile:
    """One quantile of one distribution over the whole window, in seconds.

    Parameters
    ----------
    q
        0.99 for p99.
    value
        Our estimate; None where too few requests were seen; a lower bound where `clipped`.
    low, high
        95 % interval for the process behind the counts; `high` is None where it has no end.
    bucket_low, bucket_high
        Edges of the bucket that holds the quantile of what was counted: certain, whatever the
        distribution. `bucket_high` is None where it has no end.
    promql
        What ``histogram_quantile`` gives.
    clipped
        Whether it lies above the last finite edge.
    enough
        Whether at least ten requests are expected beyond it.
    """

    q: float
    value: float | None
    low: float | None
    high: float | None
    bucket_low: float | None
    bucket_high: float | None
    promql: float | None
    clipped: bool = False
    enough: bool = True

    @property
    def name(self) -> str:
        """``p99``, ``p99.9``."""
        return f"p{100 * self.q:g}"


@dataclass(frozen=True, slots=True)
class Share:
    """Which share of requests kept an objective.

    Parameters
    ----------
    objective_seconds
        At most so long.
    value, low, high
        Our estimate and its 95 % interval, 0 to 1; None without requests.
    bucket_low, bucket_high
        What the buckets make certain of the share that was counted.
    on_edge
        Whether the objective is a boundary of the buckets; the share is exact then.
    apdex, apdex_low, apdex_high
        Satisfied within the objective, tolerating within four times of it (Apdex 1.1), and what
        the buckets make certain of it.
    """

    objective_seconds: float
    value: float | None
    low: float | None
    high: float | None
    bucket_low: float | None
    bucket_high: float | None
    on_edge: bool
    apdex: float | None
    apdex_low: float | None
    apdex_high: float | None


@dataclass(frozen=True, slots=True, eq=False)
class OverTime:
    """Quantiles by step; arrays of shape (steps, quantiles), in seconds, NaN where none.

    Parameters
    ----------
    times_ms
        int64, shape (steps,): the end of each step.
    requests
        Shape (steps,); NaN where there is no sample.
    quantiles
        Which.
    value, promql, bucket_low, bucket_high
        As in `Quantile`.
    """

    times_ms: Ints
    requests: Floats
    quantiles: tuple[float, ...]
    value: Floats
    promql: Floats
    bucket_low: Floats
    bucket_high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Latency of one group over the window.

    Parameters
    ----------
    instrument
        What measured it.
    labels
        The group.
    requests
        How many were observed, extrapolated as ``increase()`` does.
    mean_seconds
        Sum by count; None where either is missing.
    quantiles
        Over the whole window.
    shares
        One for each objective.
    whole
        Counts of the window in seconds, shape (buckets,); None of a summary.
    by_step
        Counts of each step in seconds, shape (steps, buckets); None of a summary.
    over_time
        Quantiles by step.
    missing
        bool, shape (steps,): steps without data.
    resets
        How often a counter of the group began anew.
    notes
        What is to be known beside the figures.
    """

    instrument: Instrument
    labels: Labels
    requests: float
    mean_seconds: float | None
    quantiles: tuple[Quantile, ...]
    shares: tuple[Share, ...]
    whole: BucketCounts | None
    by_step: BucketCounts | None
    over_time: OverTime
    missing: Bools
    resets: int = 0
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The group's labels, and the metric where there are none."""
        shown = ", ".join(f"{n}={v}" for n, v in sorted(self.labels.items()))
        return shown or self.instrument.name

    def quantile(self, q: float) -> Quantile | None:
        """The figures of one quantile, if it was asked for."""
        return next((x for x in self.quantiles if x.q == q), None)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the window's figures, without those over time."""
        return {
            "metric": self.instrument.key,
            "kind": self.instrument.kind.value,
            "labels": dict(self.labels),
            "requests": _number(self.requests),
            "mean_seconds": _number(self.mean_seconds),
            "quantiles": [
                {
                    "quantile": q.q,
                    "value_seconds": _number(q.value),
                    "low_95": _number(q.low),
                    "high_95": _number(q.high),
                    "bucket_low": _number(q.bucket_low),
                    "bucket_high": _number(q.bucket_high),
                    "histogram_quantile": _number(q.promql),
                    "clipped": q.clipped,
                    "enough_requests": q.enough,
                }
                for q in self.quantiles
            ],
            "objectives": [
                {
                    "objective_seconds": s.objective_seconds,
                    "share": _number(s.value),
                    "low_95": _number(s.low),
                    "high_95": _number(s.high),
                    "bucket_low": _number(s.bucket_low),
                    "bucket_high": _number(s.bucket_high),
                    "on_bucket_boundary": s.on_edge,
                    "apdex": _number(s.apdex),
                    "apdex_low": _number(s.apdex_low),
                    "apdex_high": _number(s.apdex_high),
                }
                for s in self.shares
            ],
            "missing_steps": int(self.missing.sum()),
            "resets": self.resets,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class TailPart:
    """What one label value contributes to the slow requests of an instrument.

    Parameters
    ----------
    metric
        The instrument's selector.
    label, value
        Whose requests.
    threshold_seconds
        Slow is longer than this, which is a boundary of the buckets.
    requests, slow
        How many.
    share_of_traffic, share_of_slow
        Of all requests, and of all slow ones, 0 to 1.
    slow_rate, low, high
        Which share of its own requests is slow, with the 95 % interval.
    lift
        Share of slow by share of traffic: above 1, it is slower than the rest.
    """

    metric: str
    label: str
    value: str
    threshold_seconds: float
    requests: float
    slow: float
    share_of_traffic: float
    share_of_slow: float
    slow_rate: float
    low: float
    high: float
    lift: float

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            name: _number(value) if isinstance(value, float) else value
            for name in self.__slots__
            for value in [getattr(self, name)]
        }


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """Distributions, what changed them, where their tails come from, and what that adds up to.

    Parameters
    ----------
    window
        What was studied.
    objectives
        In seconds.
    distributions
        By instrument, the busiest group first.
    comparisons
        Before and after, in order of time.
    deploys
        In the window, by the selector of the instrument that they concern.
    tails
        The largest contributions first, by instrument.
    advice
        Buckets to use instead, by an instrument's selector.
    exemplars
        The slowest first.
    findings
        What a reader should know or do.
    """

    window: Window
    objectives: tuple[float, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    deploys: Mapping[str, tuple[Deploy, ...]] = field(default_factory=dict)
    tails: tuple[TailPart, ...] = ()
    advice: dict[str, Advice] = field(default_factory=dict)
    exemplars: tuple[Exemplar, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def histograms(self) -> tuple[Distribution, ...]:
        """The distributions that have buckets."""
        return tuple(d for d in self.distributions if d.instrument.kind is not Kind.SUMMARY)

    def deploys_of(self, distribution: Distribution) -> tuple[Deploy, ...]:
        """The deploys in the window that concern a distribution, in order of time."""
        return self.deploys.get(distribution.instrument.key, ())

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "start": format_time(self.window.start_ms),
            "end": format_time(self.window.end_ms),
            "objectives_seconds": list(self.objectives),
            "distributions": [d.to_dict() for d in self.distributions],
            "comparisons": [c.to_dict() for c in self.comparisons],
            "deploys": [
                {"metric": metric, "time": format_time(d.at_ms), "title": d.title}
                for metric, deploys in self.deploys.items()
                for d in deploys
            ],
            "tails": [t.to_dict() for t in self.tails],
            "advice": {name: a.to_dict() for name, a in self.advice.items()},
            "findings": [f.to_dict() for f in self.findings],
        }

    def to_table(self) -> pd.DataFrame:
        """One row a group and quantile, numbers as numbers, in seconds: for further work."""
        import pandas as pd

        rows = [
            {
                "metric": d.instrument.key,
                "group": d.name,
                "requests": d.requests,
                "quantile": q.name,
                "seconds": q.value,
                "low_95": q.low,
                "high_95": q.high,
                "bucket_low": q.bucket_low,
                "bucket_high": q.bucket_high,
                "histogram_quantile": q.promql,
                "clipped": q.clipped,
                "enough": q.enough,
            }
            for d in self.distributions
            for q in d.quantiles
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


_TEXT, _NUMBER, _TRUTH = "str", "float64", "bool"
_COLUMNS: Final = {
    "metric": _TEXT,
    "group": _TEXT,
    "requests": _NUMBER,
    "quantile": _TEXT,
    "seconds": _NUMBER,
    "low_95": _NUMBER,
    "high_95": _NUMBER,
    "bucket_low": _NUMBER,
    "bucket_high": _NUMBER,
    "histogram_quantile": _NUMBER,
    "clipped": _TRUTH,
    "enough": _TRUTH,
}
"""The table's columns and their types."""


def _number(value: float | None) -> float | None:
    """Seven significant digits; None where there is no finite number."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.7g}")
