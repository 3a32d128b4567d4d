"""Which metric family a series belongs to: ``x_bucket`` is part of the histogram ``x``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from workbench.samples import MetricMetadata, MetricType

__all__ = ["families_of"]

_SUFFIXES: Final[Mapping[MetricType, tuple[str, ...]]] = {
    MetricType.COUNTER: ("", "_total", "_created"),
    MetricType.GAUGE: ("",),
    MetricType.HISTOGRAM: ("", "_bucket", "_sum", "_count", "_created"),
    MetricType.GAUGEHISTOGRAM: ("", "_bucket", "_gsum", "_gcount"),
    MetricType.SUMMARY: ("", "_sum", "_count", "_created"),
    MetricType.INFO: ("", "_info"),
    MetricType.STATESET: ("",),
    MetricType.UNKNOWN: ("",),
}
"""What a family's series may have after its name (OpenMetrics 1.0, section "Metric Types")."""


def families_of(
    names: Iterable[str], metadata: Mapping[str, MetricMetadata]
) -> list[MetricMetadata]:
    """Join the names of series with what is known of their families.

    Parameters
    ----------
    names
        Values of ``__name__`` that have series.
    metadata
        What is known, by the family's name.

    Returns
    -------
    list
        One entry for each family that has series, sorted by name; a name that belongs to no
        known family is a family of its own, of unknown type.

    Examples
    --------
    >>> known = {"wait": MetricMetadata("wait", MetricType.HISTOGRAM)}
    >>> [family.name for family in families_of(["wait_bucket", "wait_sum", "up"], known)]
    ['up', 'wait']
    """
    owner = {
        family.name + suffix: family
        for family in metadata.values()
        for suffix in reversed(_SUFFIXES[family.type])
    }
    # A family's own name outweighs a part of another family that is spelt the same.
    owner |= metadata
    found = {family.name: family for family in (owner.get(n, MetricMetadata(n)) for n in names)}
    return [found[name] for name in sorted(found)]
