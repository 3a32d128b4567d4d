"""Samples in memory behind label matchers: PromQL over any frame, and what tests query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.frame import Bools
from workbench.promql.matcher import Matcher
from workbench.samples import Ints, Labels, MetricMetadata, Samples
from workbench.store.index import LabelIndex
from workbench.store.rows import gather, rows_between, taken

if TYPE_CHECKING:
    from workbench.engine.storage import Room

__all__ = ["MemoryStore", "by_name"]


def by_name(
    metadata: Mapping[str, MetricMetadata] | Iterable[MetricMetadata],
) -> dict[str, MetricMetadata]:
    """Metadata by the name of its family; the last one counts where a name stands twice."""
    each = metadata.values() if isinstance(metadata, Mapping) else metadata
    return {one.name: one for one in each}


class MemoryStore:
    """A store that holds its samples in memory; implements the engine's `Storage`.

    Parameters
    ----------
    samples
        The samples; they are not copied and must not be changed afterwards.
    metadata
        What is known of the metric families.

    Examples
    --------
    >>> series = ({"__name__": "up", "job": "a"}, np.array([0, 1000]), np.array([1.0, 0.0]))
    >>> store = MemoryStore(Samples.from_series([series]))
    >>> store.select([Matcher("job", "=", "a")], 500, 2000).values.tolist()
    [0.0]
    """

    def __init__(
        self,
        samples: Samples,
        metadata: Mapping[str, MetricMetadata] | Iterable[MetricMetadata] = (),
    ) -> None:
        self._samples = samples
        self._metadata = by_name(metadata)
        self._index = LabelIndex.of(samples.labels)
        low, high = samples.offsets[:-1], samples.offsets[1:]
        self._filled: Bools = low < high
        self._first_ms: Ints = np.zeros(len(samples), np.int64)
        self._last_ms: Ints = np.zeros(len(samples), np.int64)
        self._first_ms[self._filled] = samples.times_ms[low[self._filled]]
        self._last_ms[self._filled] = samples.times_ms[high[self._filled] - 1]

    @property
    def bounds_ms(self) -> tuple[int, int]:
        """First and last sample time of the whole store; ``(0, 0)`` where it is empty."""
        if not self._filled.any():
            return 0, 0
        first, last = self._first_ms[self._filled].min(), self._last_ms[self._filled].max()
        return int(first), int(last)

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        room: Room | None = None,
    ) -> Samples:
        """Samples of all series that meet every matcher, from `start_ms` to `end_ms` included.

        The arrays may be read-only views of the store's own. `room` is told how many samples
        there are before any is copied.

        Raises
        ------
        QueryError
            A regular expression is not one of RE2's.
        """
        chosen = self._chosen(matchers, start_ms, end_ms)
        low, high = self._samples.offsets[chosen], self._samples.offsets[chosen + 1]
        first, last = rows_between(self._samples.times_ms, low, high, start_ms, end_ms)
        if room is not None:
            room(int((last - first).sum()))
        labels = [self._samples.labels[i] for i in chosen.tolist()]
        columns = self._samples.times_ms, self._samples.values, self._samples.histograms
        found = gather(labels, columns, first, last)
        if self._samples.starts_ms is None:
            return found
        return replace(found, starts_ms=taken(self._samples.starts_ms, first, last))

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets that meet every matcher and whose first to last sample touch the range."""
        chosen = self._chosen(matchers, start_ms, end_ms)
        return [self._samples.labels[i] for i in chosen.tolist()]

    def _chosen(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Ints:
        numbers = self._index.select(matchers)
        within = self._filled & (self._first_ms <= end_ms) & (self._last_ms >= start_ms)
        return numbers[within[numbers]]

    def metadata(self) -> Mapping[str, MetricMetadata]:
        """What is known of each metric family, by name."""
        return self._metadata
