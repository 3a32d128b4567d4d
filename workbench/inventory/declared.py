"""A metric as source code declares it, and where that code gives its labels values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.findings import Place
from workbench.inventory.label_values import Bound, LabelValues
from workbench.samples import MetricType

__all__ = ["DEFAULT_BUCKETS", "CallSite", "DeclaredMetric"]

DEFAULT_BUCKETS = 11
"""Finite bounds of a histogram whose declaration gives none (Prometheus' Go and Java clients;
Python's has 14, Micrometer none): the scanner gives the library's own number where it knows."""


@dataclass(frozen=True, slots=True)
class CallSite:
    """One place where code names a child of the metric.

    Parameters
    ----------
    place
        The call.
    values
        Each label to what it is given there.
    """

    place: Place
    values: Mapping[str, LabelValues]

    @property
    def most(self) -> int | None:
        """How many children this place can make; None where a label is not bounded."""
        counts = [v.count for v in self.values.values()]
        if any(c is None for c in counts):
            return None
        return math.prod(c for c in counts if c is not None)


@dataclass(frozen=True, slots=True)
class DeclaredMetric:
    """A metric that source code declares.

    Parameters
    ----------
    name
        As it will be exposed and declared in ``# TYPE``: namespace and subsystem joined, and for
        OpenTelemetry as its Prometheus exporter writes it.
    type, help, unit
        As declared.
    labels
        Variable labels in the order of the declaration.
    place
        The declaration.
    language, library
        ``go`` and ``client_golang``, for example.
    constant_labels
        Labels whose value is fixed where the metric is made.
    sites
        Where code gives the labels values; empty where none was found.
    buckets
        Finite upper bounds of a histogram; None where it has none or they are not literal.
    bucket_count
        How many finite bounds there are, as far as is known; None where it is not a histogram.
    objectives
        How many quantiles a summary has.
    native
        Whether it is (also) a native histogram: one series a child, no ``_bucket``.
    name_exact
        False where a part of the name is not a literal; that part stands as ``…`` in `name`.
    labels_exact
        False where the list of labels is not literal: `labels` are those that were seen.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...]
    place: Place
    language: str
    library: str
    unit: str = ""
    constant_labels: Mapping[str, str] = field(default_factory=dict)
    sites: tuple[CallSite, ...] = ()
    buckets: tuple[float, ...] | None = None
    bucket_count: int | None = None
    objectives: int = 0
    native: bool = False
    name_exact: bool = True
    labels_exact: bool = True

    @property
    def values(self) -> dict[str, LabelValues]:
        """Each label to what is known of its values over all call sites."""
        result: dict[str, LabelValues] = {}
        for site in self.sites:
            for label, values in site.values.items():
                result[label] = result[label].merged(values) if label in result else values
        nothing = LabelValues(
            Bound.UNKNOWN, "variable", reason="no place was found that gives it a value"
        )
        return {label: result.get(label, nothing) for label in self.labels}

    @property
    def created(self) -> str:
        """The series that tells when a child was made, which Python's client adds; or ``""``."""
        kinds = (MetricType.COUNTER, MetricType.HISTOGRAM, MetricType.SUMMARY)
        if self.library != "prometheus_client" or self.type not in kinds:
            return ""
        return f"{self.name.removesuffix('_total')}_created"

    @property
    def series_per_child(self) -> int:
        """Series that one set of label values makes: buckets with ``+Inf``, sum and count."""
        return self._own_series + bool(self.created)

    @property
    def _own_series(self) -> int:
        if self.type in (MetricType.HISTOGRAM, MetricType.GAUGEHISTOGRAM):
            if self.native and self.bucket_count is None:
                return 1
            finite = DEFAULT_BUCKETS if self.bucket_count is None else self.bucket_count
            return finite + 3
        return self.objectives + 2 if self.type is MetricType.SUMMARY else 1

    @property
    def most_children(self) -> int | None:
        """How many sets of label values there can be; None where a label is not bounded.

        The smaller of two bounds: the sum over the call sites of each one's product, and the
        product over the labels of all their values.
        """
        if not self.labels:
            return 1
        if not self.sites:
            return None
        by_site = [site.most for site in self.sites]
        if any(n is None for n in by_site):
            return None
        product = math.prod(v.count or 1 for v in self.values.values())
        return min(sum(n for n in by_site if n is not None), product)
