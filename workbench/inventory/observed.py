"""A metric as text or a server shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from workbench.findings import Place
from workbench.inventory.table import LabelTable
from workbench.samples import MetricType

__all__ = ["ObservedMetric", "family_name"]

_MEMBERS: Final[Mapping[MetricType, tuple[str, ...]]] = {
    MetricType.HISTOGRAM: ("_bucket", "_sum", "_count", "_created"),
    MetricType.GAUGEHISTOGRAM: ("_bucket", "_gsum", "_gcount"),
    MetricType.SUMMARY: ("_sum", "_count", "_created"),
    MetricType.COUNTER: ("_total", "_created"),
    MetricType.INFO: ("_info",),
}
"""What a family's name is extended by in the names of its series."""


def family_name(series_name: str, types: Mapping[str, MetricType]) -> str:
    """The family of a series, given what families are declared.

    Parameters
    ----------
    series_name
        What stands in ``__name__``.
    types
        Families, as declared in ``# TYPE``.

    Examples
    --------
    >>> family_name("latency_seconds_bucket", {"latency_seconds": MetricType.HISTOGRAM})
    'latency_seconds'
    >>> family_name("jobs_count", {})
    'jobs_count'
    """
    if series_name in types:
        return series_name
    stem, bar, end = series_name.rpartition("_")
    if bar and f"_{end}" in _MEMBERS.get(types.get(stem, MetricType.UNKNOWN), ()):
        return stem
    return series_name


@dataclass(frozen=True, slots=True)
class ObservedMetric:
    """The series of one ``__name__``.

    Parameters
    ----------
    name
        What stands in ``__name__``: ``latency_seconds_bucket``.
    family
        ``latency_seconds``.
    series
        How many there are; exact where `table` is there, else as the server says.
    type, help, unit
        Of the family; unknown and empty where nothing is declared.
    table
        Their labels; None where the source only counts.
    value_counts
        Distinct values per label, where the source gives those and no table.
    native
        How many of the series are native histograms.
    place
        Where it first stands.
    """

    name: str
    family: str
    series: int
    type: MetricType = MetricType.UNKNOWN
    help: str = ""
    unit: str = ""
    table: LabelTable | None = None
    value_counts: Mapping[str, int] = field(default_factory=dict)
    native: int = 0
    place: Place | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are known, sorted."""
        if self.table is not None:
            return tuple(sorted(self.table.labels))
        return tuple(sorted(self.value_counts))

    def distinct(self, label: str) -> int | None:
        """How many values a label has; None where that is not known."""
        if self.table is not None:
            return self.table.distinct(label)
        return self.value_counts.get(label)
