"""What is measured: the kinds of service level indicator, each as PromQL over any window.

Every kind answers the same three questions: how many events a window had (`total_events`), how many
of them were bad (`bad_events`), and what share that is (`error_ratio`). The answers are expressions
that give one series without labels. A window without events has no ratio: absent is not 0.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.promql import Expression, Matcher, call, parse
from workbench.promql.build import render_selector
from workbench.promql.condition import number
from workbench.promql.tree import VectorSelector, walk
from workbench.slo.dimension import has_no_labels, per_second
from workbench.slo.expressions import (
    conditions,
    events,
    exactly_one,
    filled,
    increase,
    parsed_template,
    seconds,
    summed,
)

__all__ = ["Availability", "Kind", "Latency", "Query"]

_SUFFIXES: Final = ("_bucket", "_count", "_sum")


class Kind(BaseModel):
    """What every kind shares."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @property
    def has_counts(self) -> bool:
        """Whether it knows numbers of events, not only their share."""
        return True

    def bad_events(self, window: str) -> Expression | None:
        """Bad events of a window such as ``"5m"``; None where only a ratio is known."""
        raise NotImplementedError

    def total_events(self, window: str) -> Expression | None:
        """All events of a window; None where only a ratio is known."""
        raise NotImplementedError

    def error_ratio(self, window: str) -> Expression:
        """The share of bad events in a window; no result where there was no event."""
        bad, total = self.bad_events(window), self.total_events(window)
        if bad is None or total is None:
            raise NotImplementedError
        return bad / total.above(0)

    def selectors(self) -> tuple[tuple[Matcher, ...], ...]:
        """The conditions of every selector it reads, each once, in the order of its text."""
        text = self.error_ratio("5m")
        found = [n.matchers for n in walk(parse(text)) if isinstance(n, VectorSelector)]
        return tuple(dict.fromkeys(found))


class Availability(Kind):
    """Events counted by counters, some of which are bad.

    Examples
    --------
    >>> sli = Availability(total='hits_total{job="api"}', bad='hits_total{job="api",code=~"5.."}')
    >>> print(sli.total_events("1h"))
    sum(increase(hits_total{job="api"}[1h]))
    >>> print(sli.bad_events("1h"))
    sum(increase(hits_total{job="api",code=~"5.."}[1h])) or 0 * sum(increase(hits_total{job="api"}[1h]))
    """

    kind: Literal["availability"] = "availability"
    total: str = Field(description="selector of counters of all events")
    bad: str | None = Field(None, description="selector of counters of bad events; or `good`")
    good: str | None = Field(None, description="selector of counters of good events")

    @field_validator("total", "bad", "good")
    @classmethod
    def _selects(cls, text: str | None) -> str | None:
        return None if text is None else render_selector(conditions(text))

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        return exactly_one(self, "bad", "good")

    def total_events(self, window: str) -> Expression:
        """All events; see `Kind`."""
        return increase(self.total, window)

    def bad_events(self, window: str) -> Expression:
        """Bad events: 0 where no counter of them exists yet but events happen."""
        total = self.total_events(window)
        part = increase(self.bad or self.good or "", window).combine("or", 0 * total)
        return part if self.bad is not None else total - part


class Latency(Kind):
    """Requests of a histogram, bad where they took longer than a threshold.

    Examples
    --------
    >>> sli = Latency(histogram='request_seconds{job="api"}', threshold="300ms")
    >>> print(sli.bad_events("5m"))
    sum(increase(request_seconds_count{job="api"}[5m])) - sum(increase(request_seconds_bucket{job="api",le="0.3"}[5m]))
    """

    kind: Literal["latency"] = "latency"
    histogram: str = Field(description="selector of the histogram, by its family's name")
    threshold: str | int | float = Field(
        description="a request is good up to this: a duration, or a number of seconds"
    )
    unit: Literal["seconds", "milliseconds"] = Field(
        "seconds", description="what the histogram's bounds are written in"
    )
    native: bool = Field(default=False, description="it is a native histogram")

    @field_validator("histogram")
    @classmethod
    def _selects(cls, text: str) -> str:
        found = conditions(text)
        if not any(m.name == "__name__" and m.op == "=" for m in found):
            msg = f"{text} does not name the histogram"
            raise ValueError(msg)
        if any(m.name == "le" for m in found):
            msg = f"{text} has a condition on le, which `threshold` makes"
            raise ValueError(msg)
        return render_selector(found)

    @field_validator("threshold", mode="before")
    @classmethod
    def _above_zero(cls, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            msg = f"{value!r} is neither a duration nor a number of seconds"
            raise ValueError(msg)  # noqa: TRY004 - pydantic takes ValueError alone
        if not (math.isfinite(length := seconds(value)) and length > 0):
            msg = f"{value!r} is not above 0"
            raise ValueError(msg)
        return value

    @property
    def threshold_seconds(self) -> float:
        """The threshold in seconds."""
        return seconds(self.threshold)

    @property
    def bound(self) -> float:
        """The threshold in the histogram's own unit: the ``le`` that is looked for."""
        factor = 1000 if self.unit == "milliseconds" else 1
        return float(f"{self.threshold_seconds * factor:.15g}")  # 0.0003 * 1000 is 0.3

    @property
    def family(self) -> str:
        """The histogram's name, without ``_bucket`` and the like."""
        name = next(m.value for m in conditions(self.histogram) if m.name == "__name__")
        if self.native:
            return name
        return next((name.removesuffix(s) for s in _SUFFIXES if name.endswith(s)), name)

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """Its conditions, the name aside."""
        return tuple(m for m in conditions(self.histogram) if m.name != "__name__")

    def total_events(self, window: str) -> Expression:
        """All requests; see `Kind`."""
        if self.native:
            return call("histogram_count", self._merged(window))
        return increase(self._selector("_count"), window)

    def bad_events(self, window: str) -> Expression:
        """Slow requests: none where the histogram has no bucket boundary at the threshold."""
        total = self.total_events(window)
        if self.native:
            fast = call("histogram_fraction", -math.inf, self.bound, self._merged(window))
            return (total.above(0) * (1 - fast)).combine("or", 0 * total)
        condition = number(self.bound)
        le = Matcher("le", condition.op, condition.value)
        return total - increase(self._selector("_bucket", le), window)

    def _selector(self, suffix: str, *more: Matcher) -> str:
        name = Matcher("__name__", "=", self.family + suffix)
        return render_selector((name, *sorted((*self.matchers, *more))))

    def _merged(self, window: str) -> Expression:
        return increase(self._selector(""), window)


class Query(Kind):
    """PromQL with ``{{.window}}`` where the window stands: of events, or of their bad share.

    Examples
    --------
    >>> sli = Query(bad="sum(rate(errors[{{.window}}]))", total="sum(rate(calls[{{.window}}]))")
    >>> print(sli.total_events("5m"))
    300 * sum(rate(calls[5m]))
    >>> print(sli.error_ratio("5m"))
    (sum(rate(errors[5m])) or 0 * sum(rate(calls[5m]))) / (sum(rate(calls[5m])) > 0)
    """

    kind: Literal["query"] = "query"
    total: str | None = Field(None, description="all events, by increase() or rate()")
    bad: str | None = Field(None, description="bad events; or `good`")
    good: str | None = Field(None, description="good events")
    error_ratio_template: str | None = Field(
        None, alias="error_ratio", description="the bad share itself, where no counts are known"
    )

    @field_validator("total", "bad", "good")
    @classmethod
    def _counts(cls, template: str | None) -> str | None:
        if template is not None:
            per_second(parsed_template(template))
        return template

    @field_validator("error_ratio_template")
    @classmethod
    def _is_one_series(cls, template: str | None) -> str | None:
        if template is not None and not has_no_labels(parsed_template(template)):
            msg = "the ratio may have several series; put sum(), avg() or max() around its parts"
            raise ValueError(msg)
        return template

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.error_ratio_template is not None:
            if self.total is not None or self.bad is not None or self.good is not None:
                msg = "give either `error_ratio` or counts (`total` and `bad` or `good`), not both"
                raise ValueError(msg)
            return self
        if self.total is None:
            msg = "give `total` and `bad` or `good`, or `error_ratio` alone"
            raise ValueError(msg)
        return exactly_one(self, "bad", "good")

    @property
    def has_counts(self) -> bool:
        """Whether it knows numbers of events."""
        return self.error_ratio_template is None

    def counts_of(self, side: Literal["total", "part"], window: str = "5m") -> str:
        """The template of all events, or of the bad or good ones, with a window in its places."""
        template = self.total if side == "total" else self.bad or self.good
        return filled(template or "", window)

    def total_events(self, window: str) -> Expression | None:
        """All events; see `Kind`."""
        return None if self.total is None else events(self.total, window)

    def bad_events(self, window: str) -> Expression | None:
        """Bad events: 0 where their expression gives nothing but events happen."""
        total = self.total_events(window)
        if total is None:
            return None
        part = events(self.bad or self.good or "", window).combine("or", 0 * total)
        return part if self.bad is not None else total - part

    def error_ratio(self, window: str) -> Expression:
        """The share of bad events in a window."""
        if self.error_ratio_template is not None:
            return Expression(filled(self.error_ratio_template, window))
        total, part = self.total or "", self.bad or self.good or ""
        if per_second(parsed_template(total)) != per_second(parsed_template(part)):
            return super().error_ratio(window)
        whole = summed(total, window)  # one unit on both sides: seconds would only cancel
        some = summed(part, window).combine("or", 0 * whole)
        return (some if self.bad is not None else whole - some) / whole.above(0)
