"""What is measured: the kinds of service level indicator, each as PromQL over any window.

Every kind answers the same three questions: how many events a window had (`total_events`), how many
of them were bad (`bad_events`), and what share that is (`error_ratio`). The answers are expressions
that give one series without labels. A window without events has no ratio: absent is not 0.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.errors import WorkbenchError
from workbench.promql import Expression, Matcher, RangeExpression, call, parse
from workbench.promql.build import render_selector
from workbench.promql.condition import number
from workbench.promql.parsing import kind_of
from workbench.promql.tree import Expr, VectorSelector, unwrapped
from workbench.slo.dimension import has_no_labels, per_second
from workbench.units import format_duration, parse_duration

__all__ = ["Availability", "Indicator", "Latency", "Query", "Timeslices"]

_PLACE: Final = re.compile(r"\{\{-?\s*\.window\s*-?\}\}")
_SUFFIXES: Final = ("_bucket", "_count", "_sum")
_Model = TypeVar("_Model", bound=BaseModel)


class _Kind(BaseModel):
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
        from workbench.promql.tree import walk

        text = self.error_ratio("5m")
        found = [n.matchers for n in walk(parse(text)) if isinstance(n, VectorSelector)]
        return tuple(dict.fromkeys(found))


class Availability(_Kind):
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
        return None if text is None else render_selector(_conditions(text))

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        return _exactly_one(self, "bad", "good")

    def total_events(self, window: str) -> Expression:
        """All events; see `_Kind`."""
        return _increase(self.total, window)

    def bad_events(self, window: str) -> Expression:
        """Bad events: 0 where no counter of them exists yet but events happen."""
        total = self.total_events(window)
        part = _increase(self.bad or self.good or "", window).combine("or", 0 * total)
        return part if self.bad is not None else total - part


class Latency(_Kind):
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
        conditions = _conditions(text)
        if not any(m.name == "__name__" and m.op == "=" for m in conditions):
            msg = f"{text} does not name the histogram"
            raise ValueError(msg)
        if any(m.name == "le" for m in conditions):
            msg = f"{text} has a condition on le, which `threshold` makes"
            raise ValueError(msg)
        return render_selector(conditions)

    @field_validator("threshold")
    @classmethod
    def _above_zero(cls, value: Any) -> Any:
        if not (math.isfinite(seconds := _seconds(value)) and seconds > 0):
            msg = f"{value!r} is not above 0"
            raise ValueError(msg)
        return value

    @property
    def threshold_seconds(self) -> float:
        """The threshold in seconds."""
        return _seconds(self.threshold)

    @property
    def bound(self) -> float:
        """The threshold in the histogram's own unit: the ``le`` that is looked for."""
        factor = 1000 if self.unit == "milliseconds" else 1
        return float(f"{self.threshold_seconds * factor:.15g}")  # 0.0003 * 1000 is 0.3

    @property
    def family(self) -> str:
        """The histogram's name, without ``_bucket`` and the like."""
        name = next(m.value for m in _conditions(self.histogram) if m.name == "__name__")
        if self.native:
            return name
        return next((name.removesuffix(s) for s in _SUFFIXES if name.endswith(s)), name)

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """Its conditions, the name aside."""
        return tuple(m for m in _conditions(self.histogram) if m.name != "__name__")

    def total_events(self, window: str) -> Expression:
        """All requests; see `_Kind`."""
        if self.native:
            return call("histogram_count", self._merged(window))
        return _increase(self._selector("_count"), window)

    def bad_events(self, window: str) -> Expression:
        """Slow requests: none where the histogram has no bucket boundary at the threshold."""
        total = self.total_events(window)
        if self.native:
            fast = call("histogram_fraction", -math.inf, self.bound, self._merged(window))
            return (total.above(0) * (1 - fast)).combine("or", 0 * total)
        condition = number(self.bound)
        le = Matcher("le", condition.op, condition.value)
        return total - _increase(self._selector("_bucket", le), window)

    def _selector(self, suffix: str, *more: Matcher) -> str:
        name = Matcher("__name__", "=", self.family + suffix)
        return render_selector((name, *sorted((*self.matchers, *more))))

    def _merged(self, window: str) -> Expression:
        return _increase(self._selector(""), window)


class Query(_Kind):
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
            per_second(_parsed(template))
        return template

    @field_validator("error_ratio_template")
    @classmethod
    def _is_one_series(cls, template: str | None) -> str | None:
        if template is not None and not has_no_labels(_parsed(template)):
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
        return _exactly_one(self, "bad", "good")

    @property
    def has_counts(self) -> bool:
        """Whether it knows numbers of events."""
        return self.error_ratio_template is None

    def total_events(self, window: str) -> Expression | None:
        """All events; see `_Kind`."""
        return None if self.total is None else _events(self.total, window)

    def bad_events(self, window: str) -> Expression | None:
        """Bad events: 0 where their expression gives nothing but events happen."""
        total = self.total_events(window)
        if total is None:
            return None
        part = _events(self.bad or self.good or "", window).combine("or", 0 * total)
        return part if self.bad is not None else total - part

    def error_ratio(self, window: str) -> Expression:
        """The share of bad events in a window."""
        if self.error_ratio_template is not None:
            return Expression(_filled(self.error_ratio_template, window))
        total, part = self.total or "", self.bad or self.good or ""
        if per_second(_parsed(total)) != per_second(_parsed(part)):
            return super().error_ratio(window)
        whole = _summed(total, window)  # one unit on both sides: seconds would only cancel
        some = _summed(part, window).combine("or", 0 * whole)
        return (some if self.bad is not None else whole - some) / whole.above(0)


class Timeslices(_Kind):
    """Slices of time, each bad where too many of its events were: a slice counts as one event.

    Slices are aligned to multiples of their length since 1970; one without events does not count.

    Examples
    --------
    >>> sli = Timeslices(of=Availability(total="a", bad="b"), slice="1m", slice_target=0.95)
    >>> print(sli.total_events("1h"))
    count_over_time(((sum(increase(b[1m])) or 0 * sum(increase(a[1m]))) / (sum(increase(a[1m])) > 0))[1h:1m])
    """

    kind: Literal["timeslices"] = "timeslices"
    of: Annotated[Availability | Latency | Query, Field(discriminator="kind")]
    slice: str = Field("1m", description="the length of a slice")
    slice_target: float = Field(gt=0, le=1, description="share of good events of a good slice")

    @field_validator("slice")
    @classmethod
    def _length(cls, text: str) -> str:
        if not 1000 <= _milliseconds(text) <= 3_600_000:
            msg = f"{text!r} is not between 1s and 1h"
            raise ValueError(msg)
        return text

    def total_events(self, window: str) -> Expression:
        """The slices that had events."""
        return self.of.error_ratio(self.slice).over(window, step=self.slice).count_samples()

    def bad_events(self, window: str) -> Expression:
        """The slices whose share of bad events was above what is allowed."""
        allowed = float(f"{1 - self.slice_target:.15g}")
        bad = self.of.error_ratio(self.slice).above(allowed, as_bool=True)
        return bad.over(window, step=self.slice).sum()


Indicator = Annotated[Availability | Latency | Query | Timeslices, Field(discriminator="kind")]
"""Any kind of indicator; `kind` tells which."""


def _conditions(text: str) -> tuple[Matcher, ...]:
    """The conditions of a selector that is nothing else."""
    node = unwrapped(_tree(text))
    if not isinstance(node, VectorSelector) or not node.is_plain or node.alternatives:
        msg = f'{text} is not a plain selector such as hits_total{{job="api"}}'
        raise ValueError(msg)
    return node.matchers


def _tree(text: str) -> Expr:
    try:
        return parse(text)
    except WorkbenchError as error:
        raise ValueError(_one_line(error)) from None


def _one_line(error: WorkbenchError) -> str:
    near = error.mend.partition("\n")[0]
    return f"{error.what} ({near})" if near.startswith("did you mean") else error.what


def _parsed(template: str) -> Expr:
    if not _PLACE.search(template):
        msg = "there is no {{.window}} in it, so that it cannot be asked over other windows"
        raise ValueError(msg)
    node = _tree(_filled(template, "5m"))
    if kind_of(node) not in ("vector", "scalar"):
        msg = f"it gives a {kind_of(node)}, not a value"
        raise ValueError(msg)
    return node


def _filled(template: str, window: str) -> str:
    return _PLACE.sub(_text(window), template).strip()


def _text(window: str) -> str:
    return format_duration(parse_duration(window))


def _increase(selector: str, window: str) -> Expression:
    return RangeExpression(f"{selector}[{_text(window)}]").apply("increase").sum()


def _summed(template: str, window: str) -> Expression:
    text = Expression(_filled(template, window))
    return text if has_no_labels(parse(text)) else text.sum()


def _events(template: str, window: str) -> Expression:
    summed = _summed(template, window)
    if not per_second(_parsed(template)):
        return summed
    return parse_duration(window) / 1000 * summed


def _milliseconds(value: str | float) -> int:
    try:
        return parse_duration(value)
    except WorkbenchError as error:
        raise ValueError(error.what) from None


def _seconds(value: str | float) -> float:
    """As given where it is a number: bounds below a millisecond are no durations of PromQL."""
    try:
        return float(value)
    except ValueError:
        return _milliseconds(value) / 1000


def _exactly_one(model: _Model, first: str, second: str) -> _Model:
    if (getattr(model, first) is None) == (getattr(model, second) is None):
        msg = f"give either `{first}` or `{second}`"
        raise ValueError(msg)
    return model
