r"""What to do where a label is not needed but cannot be dropped, for series would become equal.

A scrape cannot aggregate: Prometheus has to store the series and can record the aggregate beside
them (a recording rule); the raw series are then kept from long-term storage by
``write_relabel_configs``. Something that stands in between can aggregate before anything is
stored: vmagent's stream aggregation, Grafana's Adaptive Metrics, the OpenTelemetry collector.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.errors import InputError
from workbench.promql.quote import (
    is_bare_metric,
    quote_label,
    quote_metric,
    quote_regex,
    quote_string,
)
from workbench.relabelling.operation import GaugeOperation, operation_for
from workbench.relabelling.rule import Action, RelabelRule
from workbench.relabelling.writing import quote_yaml
from workbench.samples import MetricType
from workbench.units import format_duration, parse_duration

__all__ = ["Aggregation", "write_recording_rules", "write_stream_aggregation"]

_MEMBERS: Final = {
    MetricType.HISTOGRAM: ("_bucket", "_sum", "_count"),
    MetricType.GAUGEHISTOGRAM: ("_bucket", "_gsum", "_gcount"),
    MetricType.SUMMARY: ("_sum", "_count"),
}
"""The names of a family's series that can be put together."""

_OWN_LABEL: Final = {
    MetricType.HISTOGRAM: "le",
    MetricType.GAUGEHISTOGRAM: "le",
    MetricType.SUMMARY: "quantile",
}


@dataclass(frozen=True, slots=True)
class Aggregation:
    """A metric put together over some of its labels.

    Parameters
    ----------
    family
        As declared: ``latency_seconds``, ``http_requests_total``.
    type
        Decides how; see `workbench.relabelling.operation`.
    without
        The labels that go.
    operation
        For a gauge, and where the type is not known: ``sum``, ``max``, ``min`` or ``avg``.
    kept
        The labels that stay, if they are known: they give the recorded series their name.
    window
        Of ``rate``: four scrape intervals or more.
    native
        Whether it is a native histogram: one name, no ``_bucket``.

    Raises
    ------
    InputError
        No label goes, or one that the type needs; or the type leaves open what to do.

    Examples
    --------
    >>> hits = Aggregation("hits_total", MetricType.COUNTER, ("path",), kept=("job", "code"))
    >>> hits.recorded()
    [('code_job:hits:rate5m', 'sum without (path) (rate(hits_total[5m]))')]
    """

    family: str
    type: MetricType
    without: tuple[str, ...]
    operation: GaugeOperation | str | None = None
    kept: tuple[str, ...] = ()
    window: str = "5m"
    native: bool = False

    def __post_init__(self) -> None:
        own = _OWN_LABEL.get(self.type)
        if not self.without:
            msg = f"no label of {self.family} is to go"
            raise InputError(msg, "name the labels to put together over")
        if own in self.without and not self.native:
            msg = f"the label {own} of the {self.type} {self.family} cannot go"
            raise InputError(msg, "drop buckets that are not needed, or use a native histogram")
        if self.type is MetricType.STATESET and self.family in self.without:
            msg = f"the label {self.family} holds the states of the stateset {self.family}"
            raise InputError(msg, "drop another label, or the metric")
        if parse_duration(self.window) <= 0:
            msg = f"window {self.window} is not above 0"
            raise InputError(msg, "give four scrape intervals, such as 2m")
        operation_for(self.family, self.type, self.operation)

    @property
    def members(self) -> tuple[str, ...]:
        """The names of the series that are put together."""
        if self.native:
            return (self.family,)
        return tuple(self.family + end for end in _MEMBERS.get(self.type, ("",)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is lost, a sentence each."""
        labels = " and ".join(self.without)
        if self.type is MetricType.SUMMARY:
            return (
                f"the quantiles of {self.family} are lost over {labels}: only its average remains",
            )
        if self.type is MetricType.COUNTER:
            return (f"queries of {self.family} have to read the recorded rate in its place",)
        if self.type is MetricType.HISTOGRAM:
            return (f"histogram_quantile of {self.family} has to read the recorded rates",)
        if self.type is MetricType.INFO:
            return (f"{self.family} no longer tells {labels}",)
        return ()

    def recorded(self) -> list[tuple[str, str]]:
        """The recorded series: name and PromQL of each, in Prometheus' ``level:metric:operation``."""
        operation = operation_for(self.family, self.type, self.operation)
        without = ", ".join(quote_label(label) for label in self.without)
        made = []
        for name in self.members:
            series = name if is_bare_metric(name) else f"{{{quote_metric(name)}}}"
            if operation is None:
                window = format_duration(parse_duration(self.window))
                record = f"{self._level}:{_bare(name.removesuffix('_total'))}:rate{window}"
                made.append((record, f"sum without ({without}) (rate({series}[{window}]))"))
            else:
                record = f"{self._level}:{_bare(name)}:{operation}"
                made.append((record, f"{operation} without ({without}) ({series})"))
        return made

    @property
    def _level(self) -> str:
        """The labels that the recorded series have, or else that they have not."""
        kept = sorted(set(self.kept) - set(self.without) - set(_OWN_LABEL.values()) - {"__name__"})
        if 0 < len(kept) <= 5:
            return "_".join(map(_bare, kept))
        return f"without_{'_'.join(map(_bare, sorted(self.without)))}"

    def drop_raw(self) -> RelabelRule:
        """The rule for ``write_relabel_configs`` that keeps the raw series from remote storage."""
        names = "|".join(map(quote_regex, self._all_names()))
        return RelabelRule(Action.DROP, ("__name__",), regex=names)

    def _all_names(self) -> Sequence[str]:
        quantiles = (self.family,) if self.type is MetricType.SUMMARY else ()
        return (*quantiles, *self.members)


def write_recording_rules(
    aggregations: Iterable[Aggregation], *, group: str = "cardinality", interval: str = ""
) -> str:
    """Write a rule file for Prometheus (or Mimir, Thanos, vmalert).

    Parameters
    ----------
    aggregations
        At least one.
    group
        Name of the rules' group.
    interval
        How often they are evaluated; as Prometheus is configured where it is empty.

    Examples
    --------
    >>> heat = Aggregation("fan_celsius", MetricType.GAUGE, ("fan",), operation="max", kept=("node",))
    >>> print(write_recording_rules([heat]), end="")
    groups:
    - name: cardinality
      rules:
      - record: 'node:fan_celsius:max'
        expr: 'max without (fan) (fan_celsius)'
    """
    lines = ["groups:", f"- name: {quote_yaml(group)}"]
    if interval:
        lines.append(f"  interval: {format_duration(parse_duration(interval))}")
    lines.append("  rules:")
    for aggregation in aggregations:
        for record, expression in aggregation.recorded():
            lines.append(f"  - record: {quote_yaml(record)}")
            lines.append(f"    expr: {quote_yaml(expression)}")
    return "".join(f"{line}\n" for line in lines)


def write_stream_aggregation(
    aggregations: Iterable[Aggregation], *, interval: str = "1m", scrape_interval: str = "30s"
) -> str:
    """Write the file for ``-remoteWrite.streamAggr.config`` of vmagent 1.99 or later.

    Counters and histograms become counters again under their own names (``total``), so that
    queries stay as they are. A sum over series of a gauge is that of one sample a series and
    interval: the others are taken out before it.

    Parameters
    ----------
    aggregations
        At least one.
    interval
        How often a sample is written; at least `scrape_interval`.
    scrape_interval
        How often the series are scraped.

    Raises
    ------
    InputError
        The interval is shorter than that of the scrapes: most of them would hold nothing.
    """
    if parse_duration(interval) < parse_duration(scrape_interval):
        msg = f"interval {interval} is shorter than the scrape interval {scrape_interval}"
        raise InputError(msg, f"give {scrape_interval} or more")
    every = format_duration(parse_duration(interval))
    lines: list[str] = []
    for aggregation in aggregations:
        lines += _stream(aggregation, every)
    return "".join(f"{line}\n" for line in lines)


def _stream(aggregation: Aggregation, interval: str) -> Iterator[str]:
    operation = operation_for(aggregation.family, aggregation.type, aggregation.operation)
    output = {
        None: "total",
        GaugeOperation.SUM: "sum_samples",
        GaugeOperation.MAX: "max",
        GaugeOperation.MIN: "min",
        GaugeOperation.AVG: "avg",
    }[operation]
    yield "- match:"
    for name in aggregation.members:
        match = name if is_bare_metric(name) else f"{{__name__={quote_string(name)}}}"
        yield f"  - {quote_yaml(match)}"
    yield f"  interval: {interval}"
    if operation in (GaugeOperation.SUM, GaugeOperation.AVG):
        # Else a series that is scraped twice as often would count twice.
        yield f"  dedup_interval: {interval}"
    yield f"  without: [{', '.join(quote_yaml(label) for label in aggregation.without)}]"
    yield f"  outputs: [{output}]"
    yield "  keep_metric_names: true"


def _bare(name: str) -> str:
    """A name as a part of a recorded series' name."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)
