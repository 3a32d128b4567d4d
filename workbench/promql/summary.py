"""Summaries: quantiles that the application computed itself, which nothing can merge."""

from __future__ import annotations

from typing import NoReturn

from workbench.errors import InputError
from workbench.promql.condition import number
from workbench.promql.expression import Expression
from workbench.promql.matcher import Matcher
from workbench.promql.metric import Metric
from workbench.promql.syntax import Labels
from workbench.units import Duration

__all__ = ["Summary", "SummaryQuantile"]


class SummaryQuantile(Expression):
    """A quantile as a summary gives it, one for each instance.

    The mean or sum of such quantiles is no quantile of anything, so `sum` and `avg` are refused;
    `max` (the worst instance), `min` and `topk` say something true.
    """

    __slots__ = ()

    def sum(self, *, by: Labels | None = None, without: Labels | None = None) -> NoReturn:  # noqa: ARG002 - refused whatever the labels
        """Refuse.

        Raises
        ------
        InputError
            Always.
        """
        _refuse("sum")

    def avg(self, *, by: Labels | None = None, without: Labels | None = None) -> NoReturn:  # noqa: ARG002 - refused whatever the labels
        """Refuse.

        Raises
        ------
        InputError
            Always.
        """
        _refuse("avg")


def _refuse(op: str) -> NoReturn:
    msg = f"{op} of a summary's quantiles is no quantile: they cannot be merged"
    raise InputError(msg, "take max() for the worst instance, mean(), or record a histogram")


class Summary(Metric):
    """A summary.

    Examples
    --------
    >>> pauses = Summary("go_gc_duration_seconds", job="api")
    >>> print(pauses.quantile(0.75))
    go_gc_duration_seconds{job="api",quantile="0.75"}
    >>> print(pauses.mean("5m", by="instance"))  # doctest: +ELLIPSIS
    sum by (instance) (rate(go_gc_duration_seconds_sum{job="api"}[5m])) / sum by (instance) (rate(...
    >>> pauses.quantile(0.75).avg()
    Traceback (most recent call last):
    workbench.errors.InputError: avg of a summary's quantiles is no quantile: they cannot be merged: take \
max() for the worst instance, mean(), or record a histogram
    """

    __slots__ = ()

    def quantile(self, q: float) -> SummaryQuantile:
        """One of the quantiles that the application exposes; empty where it exposes no such one."""
        condition = number(q)
        return SummaryQuantile(self._text("", Matcher("quantile", condition.op, condition.value)))

    def mean(
        self, period: Duration = "5m", *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """The mean observation, which can be merged."""
        total = Expression(f"rate({self._text('_sum', period=period)})").sum(by=by, without=without)
        return total / self.count_rate(period, by=by, without=without)

    def count_rate(
        self, period: Duration = "5m", *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """How many observations there are, per second."""
        return Expression(f"rate({self._text('_count', period=period)})").sum(
            by=by, without=without
        )
