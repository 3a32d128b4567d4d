"""What the engine asks of a store. Whoever implements it can be queried in PromQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from workbench.promql.matcher import Matcher
from workbench.samples import Labels, MetricMetadata, Samples

__all__ = ["Room", "Storage"]

Room = Callable[[int], None]
"""Told how many samples are about to be held in memory; refuses by raising."""


class Storage(Protocol):
    """Columns of samples behind label matchers.

    Times are milliseconds since the epoch; every range includes both of its ends.
    """

    @property
    def bounds_ms(self) -> tuple[int, int]:
        """First and last sample time of the whole store; ``(0, 0)`` where it is empty."""
        ...

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        room: Room | None = None,
    ) -> Samples:
        """Samples of all series that meet every matcher, between the two times.

        Series without a sample in the range are left out. Staleness markers are kept. `room` is
        told of every sample before memory is taken for it, in as many parts as suit the store;
        where it is given, some samples beyond the range may come too, if that saves a copy: the
        engine looks at its windows alone.
        """
        ...

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets that meet every matcher and may have samples in the range."""
        ...

    def metadata(self) -> Mapping[str, MetricMetadata]:
        """What is known of each metric family, by name."""
        ...
