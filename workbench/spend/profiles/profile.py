"""What a gateway, client or server counts of LLM traffic, as data: the model of a profile's file.

A profile says which metrics hold which tokens, which labels tell accounts apart, and whether one
count contains another. It is all that the rest of the room knows of a product.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from workbench.promql.matcher import Matcher
from workbench.promql.quote import quote_regex
from workbench.spend.naming import Names

__all__ = [
    "COUNTED",
    "CounterMetric",
    "Dimensions",
    "Gauges",
    "HistogramMetric",
    "Histograms",
    "Includes",
    "Layer",
    "Measures",
    "UsageProfile",
]

Layer = Literal["client", "gateway", "server"]
"""Where traffic is counted: by who asks, on the way, or by who answers."""

Includes = Literal["yes", "no", "unknown"]
"""Whether one count contains another; where it is unknown, the user has to say."""

_UNIT_SECONDS: Final = {"seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6, "tokens": 1.0}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) else value


def _as_metric(value: Any) -> Any:
    return {"metric": value} if isinstance(value, str) else value


Values = Names


class CounterMetric(_Strict):
    """One metric that counts something, and which of its series do.

    Parameters
    ----------
    metric
        The series' name as it is queried: ``…_total``, or ``…_sum`` of a histogram.
    match
        Conditions on labels: a value, several of which one holds, or ``~regex``.
    unless
        Conditions that must not hold, in the same form; ``""`` is a label that is absent.
    scale
        By what to multiply: 0.01 where a cost is told in cents.
    """

    metric: str = Field(min_length=1)
    match: dict[str, Values] = {}
    unless: dict[str, Values] = {}
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """The conditions as matchers, sorted."""
        wanted = [_matcher(name, values, wanted=True) for name, values in self.match.items()]
        barred = [_matcher(name, values, wanted=False) for name, values in self.unless.items()]
        return tuple(sorted([*wanted, *barred]))


class HistogramMetric(_Strict):
    """One classic histogram.

    Parameters
    ----------
    metric
        Its name without ``_bucket``.
    unit
        Of its bounds.
    match
        As of `CounterMetric`.
    """

    metric: str = Field(min_length=1)
    unit: Literal["seconds", "milliseconds", "microseconds", "tokens"]
    match: dict[str, Values] = {}

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """The conditions as matchers, sorted."""
        return tuple(sorted(_matcher(n, v, wanted=True) for n, v in self.match.items()))

    @property
    def factor(self) -> float:
        """From a bound to seconds or tokens."""
        return _UNIT_SECONDS[self.unit]


def _matcher(name: str, values: tuple[str, ...], *, wanted: bool) -> Matcher:
    if len(values) == 1 and not values[0].startswith("~"):
        return Matcher(name, "=" if wanted else "!=", values[0])
    patterns = [v[1:] if v.startswith("~") else quote_regex(v) for v in values]
    return Matcher(name, "=~" if wanted else "!~", "|".join(patterns))


Alternatives = Annotated[
    tuple[Annotated[CounterMetric, BeforeValidator(_as_metric)], ...], BeforeValidator(_as_list)
]
"""Metrics for the same thing, the preferred one first: of one target only the first that it has
is read, and never two are added."""

HistogramAlternatives = Annotated[tuple[HistogramMetric, ...], BeforeValidator(_as_list)]


class Dimensions(_Strict):
    """The labels that tell each dimension; of several, the first that a series has."""

    provider: Names = ()
    model: Names = ()
    region: Names = ()
    tier: Names = ()
    team: Names = ()
    application: Names = ()
    user: Names = ()
    prompt_version: Names = ()


class Measures(_Strict):
    """What is counted, and by which metrics.

    What is not obvious: `retried` are requests that were sent again, `preempted` those that a server
    broke off and computed anew; seconds are summed over requests, or over time where it is idle.
    """

    input: Alternatives = ()
    cache_read: Alternatives = ()
    cache_write: Alternatives = ()
    output: Alternatives = ()
    reasoning: Alternatives = ()
    requests: Alternatives = ()
    errors: Alternatives = ()
    rate_limited: Alternatives = ()
    cost: Alternatives = ()
    response_cache_hits: Alternatives = ()
    response_cache_misses: Alternatives = ()
    cut_by_length: Alternatives = ()
    retried: Alternatives = ()
    preempted: Alternatives = ()
    prefill_seconds: Alternatives = ()
    decode_seconds: Alternatives = ()
    idle_seconds: Alternatives = ()


COUNTED: Final = tuple(Measures.model_fields)
"""The names of all measures."""


class Histograms(_Strict):
    """What is distributed: the time of a request, and its tokens (for tiers priced by request)."""

    duration: HistogramAlternatives = ()
    request_input_tokens: HistogramAlternatives = ()
    request_output_tokens: HistogramAlternatives = ()


GaugeAlternatives = Annotated[
    tuple[Annotated[CounterMetric, BeforeValidator(_as_metric)], ...], BeforeValidator(_as_list)
]
"""Gauges for the same thing, the preferred one first: the first that is there is read."""


class Gauges(_Strict):
    """What is measured at a moment: what is left of rate limits, and how busy servers are."""

    remaining_requests: GaugeAlternatives = ()
    remaining_tokens: GaugeAlternatives = ()
    running: GaugeAlternatives = ()
    waiting: GaugeAlternatives = ()
    cache_usage: GaugeAlternatives = ()


class UsageProfile(_Strict):
    """How one product counts LLM traffic.

    Parameters
    ----------
    name, title
        For settings and for people.
    layer
        Where it counts; the same traffic seen at two layers is counted once.
    read_from
        Whether this was read from the product's ``code``, from its ``documentation`` only, or is
        the user's own ``definition``.
    input_includes_cached
        Whether tokens read from or written to the provider's cache are among the input tokens.
    output_includes_reasoning
        Whether reasoning tokens are among the output tokens.
    currency
        Of `Measures.cost`: an ISO 4217 code.
    requires
        Metrics that must be there too: they tell products that share names apart.
    nobody
        Values of labels that mean the same as none.
    labels, constants
        Dimensions by label, and dimensions that are the same for all series.
    error_labels
        Labels that tell the kind of an error.
    """

    version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    layer: Layer
    read_from: Literal["code", "documentation", "definition"] = "definition"
    input_includes_cached: Includes
    output_includes_reasoning: Includes
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    requires: Names = ()
    nobody: Names = ()
    labels: Dimensions
    constants: dict[str, str] = {}
    error_labels: Names = ()
    measures: Measures
    histograms: Histograms = Histograms()
    gauges: Gauges = Gauges()

    @model_validator(mode="after")
    def _is_whole(self) -> UsageProfile:
        if not any(getattr(self.measures, name) for name in COUNTED):
            msg = "measures name no metric"
            raise ValueError(msg)
        if self.measures.cost and not self.currency:
            msg = 'measures.cost needs a currency, such as currency = "USD"'
            raise ValueError(msg)
        if unknown := sorted(set(self.constants) - set(Dimensions.model_fields)):
            known = ", ".join(Dimensions.model_fields)
            msg = f"constants.{unknown[0]} is no dimension (they are: {known})"
            raise ValueError(msg)
        for name in COUNTED:
            seen = [(m.metric, m.matchers) for m in getattr(self.measures, name)]
            if len(set(seen)) < len(seen):
                msg = f"measures.{name} names the same metric twice"
                raise ValueError(msg)
        return self

    def alternatives(self, measure: str) -> tuple[CounterMetric, ...]:
        """The metrics of one measure, the preferred one first."""
        found: tuple[CounterMetric, ...] = getattr(self.measures, measure)
        return found
