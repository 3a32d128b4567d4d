"""Indicators that count moments, not requests: values that are looked at, and slices of time."""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from workbench.promql import Expression
from workbench.promql.parsing import kind_of
from workbench.slo.expressions import step_length, steps, tree_of
from workbench.slo.indicator import Availability, Kind, Latency, Query

__all__ = ["Threshold", "Timeslices"]

_FAILS: Final = {"lt": ">=", "lte": ">", "gt": "<=", "gte": "<"}
"""What a bad value does, for each way in which a good one compares."""


class Threshold(Kind):
    """A value that is looked at every so often; each look is one event, bad where it fails a test.

    Several series are looked at one by one. A value that is NaN is no event.

    Examples
    --------
    >>> sli = Threshold(query="queue_length", op="lt", value=100)
    >>> print(sli.bad_events("1h"))
    sum(sum_over_time((queue_length >= bool 100)[59m59s999ms:1m]))
    """

    kind: Literal["threshold"] = "threshold"
    query: str = Field(description="PromQL of the value")
    op: Literal["lt", "lte", "gt", "gte"] = Field(description="how a good value compares")
    value: float = Field(description="with what")
    every: str = Field("1m", description="how often it is looked at")

    @field_validator("query")
    @classmethod
    def _parses(cls, text: str) -> str:
        if (kind := kind_of(tree_of(text))) not in ("vector", "scalar"):
            msg = f"it gives a {kind}, not a value"
            raise ValueError(msg)
        return text

    @field_validator("every")
    @classmethod
    def _length(cls, text: str) -> str:
        return step_length(text)

    def total_events(self, window: str) -> Expression:
        """How often there was a value."""
        looks = Expression(self.query).combine(">=", -math.inf)
        return steps(looks, window, self.every).count_samples().sum()

    def bad_events(self, window: str) -> Expression:
        """How often the value was not good."""
        looks = Expression(self.query).combine(_FAILS[self.op], self.value, as_bool=True)
        return steps(looks, window, self.every).sum().sum()


class Timeslices(Kind):
    """Slices of time, each one event: bad where too many of the events in it were.

    Slices are aligned to multiples of their length since 1970; one without events does not count.
    Without a `slice_target`, a slice is bad by the share of bad events in it.

    Examples
    --------
    >>> sli = Timeslices(of=Availability(total="a", bad="b"), slice="1m", slice_target=0.95)
    >>> print(sli.total_events("1h"))
    count_over_time(((sum(increase(b[1m])) or 0 * sum(increase(a[1m]))) / (sum(increase(a[1m])) > 0))[59m59s999ms:1m])
    """

    kind: Literal["timeslices"] = "timeslices"
    of: Annotated[Availability | Latency | Query | Threshold, Field(discriminator="kind")]
    slice: str = Field("1m", description="the length of a slice")
    slice_target: float | None = Field(
        None, gt=0, le=1, description="share of good events of a good slice"
    )

    @field_validator("slice")
    @classmethod
    def _length(cls, text: str) -> str:
        return step_length(text)

    def total_events(self, window: str) -> Expression:
        """The slices that had events."""
        return steps(self.of.error_ratio(self.slice), window, self.slice).count_samples()

    def bad_events(self, window: str) -> Expression:
        """The slices whose share of bad events was above what is allowed, or the sum of shares."""
        bad = self.of.error_ratio(self.slice)
        if self.slice_target is not None:
            bad = bad.above(float(f"{1 - self.slice_target:.12g}"), as_bool=True)
        return steps(bad, window, self.slice).sum()
