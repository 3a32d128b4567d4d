"""Everything that one source tells of its metrics, and how complete that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.inventory.declared import DeclaredMetric
from workbench.inventory.observed import ObservedMetric
from workbench.samples import MetricMetadata

__all__ = ["Inventory", "UnreadLine"]


@dataclass(frozen=True, slots=True, order=True)
class UnreadLine:
    """What could not be read: where, and why."""

    path: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """What metrics there are, as one source tells.

    Parameters
    ----------
    origin
        What was read, in a few words and without secrets: ``src/``, ``metrics.prom``, a URL.
    metrics
        What is exposed, by ``__name__``.
    declared
        What code declares.
    metadata
        Families as declared, by name; also those of which no series is exposed.
    total_series
        As the source itself says (a server's head), where that may be more than is listed here.
    unread, unread_count
        The first of the lines or files that could not be read, and how many there were.
    duplicates
        Series that stand twice at one time: name and labels as text, at most a hundred.
    duplicate_count
        How many lines repeat a series that stands before them.
    notes
        What the source could not tell, a sentence each.
    judged
        Fingerprints of the findings that an earlier audit of it gave.
    """

    origin: str
    metrics: Mapping[str, ObservedMetric] = field(default_factory=dict)
    declared: tuple[DeclaredMetric, ...] = ()
    metadata: Mapping[str, MetricMetadata] = field(default_factory=dict)
    total_series: int | None = None
    unread: tuple[UnreadLine, ...] = ()
    unread_count: int = 0
    duplicates: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    duplicate_count: int = 0
    judged: frozenset[str] = frozenset()

    @property
    def series(self) -> int:
        """How many series are listed."""
        return sum(metric.series for metric in self.metrics.values())
