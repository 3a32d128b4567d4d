"""A store as a source: the embedded engine answers PromQL over a snapshot or over memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from workbench.engine.storage import Storage
from workbench.errors import NotSupportedError, QueryError
from workbench.findings import Provenance, Semantics
from workbench.promql import Matcher, parse
from workbench.promql.tree import VectorSelector, unwrapped
from workbench.samples import Labels, MetricMetadata, Samples
from workbench.sources.base import Answer, Features, SourceInfo
from workbench.sources.stop import heed
from workbench.store import MemoryStore, SnapshotStore
from workbench.store.families import families_of
from workbench.store.status import tsdb_status
from workbench.window import Window

if TYPE_CHECKING:
    from workbench.engine import Engine, Evaluation

__all__ = ["SnapshotSource", "from_samples", "open_snapshot"]


class SnapshotSource:
    """Answers PromQL 3.x from a store; implements `Source`.

    Parameters
    ----------
    store
        What holds the samples.
    name
        How reports call it.
    product
        What it is, for provenance.
    gaps
        What is incomplete in the data, one sentence each; they stand beside every figure.
    max_samples
        How many samples one query may read, and how many values any of its results may hold; the
        engine's own limit where it is not given.
    timeout_seconds
        How long one query may take; the engine's own limit where it is not given.

    Examples
    --------
    >>> import numpy as np
    >>> up = ({"__name__": "up"}, np.array([0, 60_000]), np.array([1.0, 0.0]))
    >>> source = from_samples(Samples.from_series([up]))
    >>> source.now_ms(), source.label_names([], 0, 60_000)
    (60000, ['__name__'])
    """

    def __init__(
        self,
        store: Storage,
        name: str,
        *,
        product: str = "snapshot",
        gaps: Iterable[str] = (),
        max_samples: int | None = None,
        timeout_seconds: float | None = None,
    ) -> None:
        self.store = store
        self._name = name
        self._product = product
        self._gaps = tuple(gaps)
        given: dict[str, Any] = {"max_samples": max_samples, "timeout_seconds": timeout_seconds}
        self._limits = {name: limit for name, limit in given.items() if limit is not None}

    @cached_property
    def _engine(self) -> Engine:
        from workbench.engine import Engine, Limits

        return Engine(self.store, limits=Limits(**self._limits), heed=heed)

    # ---------------------------------------------------------------- what it is

    def info(self) -> SourceInfo:
        """Name, product and semantics; there are neither exemplars nor targets."""
        features = Features(exemplars=False, targets=False)
        return SourceInfo(self._name, self._product, "", Semantics.PROMETHEUS_3, features)

    def now_ms(self) -> int:
        """The end of the data, in milliseconds since the epoch; 0 where there is none."""
        return self.store.bounds_ms[1]

    def close(self) -> None:
        """Give back what a snapshot keeps in memory."""
        if isinstance(self.store, SnapshotStore):
            self.store.close()

    # ---------------------------------------------------------------- queries

    def query(self, expression: str, at_ms: int) -> Answer:
        """Evaluate at one instant.

        Raises
        ------
        QueryError
            The expression is no PromQL.
        SourceError
            It needs more samples than are allowed, or something the engine cannot do.
        SnapshotError
            A file of the snapshot is missing or damaged.
        """
        evaluate = self._engine.instant
        return self._answer(expression, at_ms, None, lambda: evaluate(expression, at_ms))

    def query_range(self, expression: str, window: Window) -> Answer:
        """Evaluate at every step of a window; raises what `query` raises."""
        engine, w = self._engine, window
        return self._answer(
            expression,
            w.end_ms,
            w,
            lambda: engine.range(expression, w.start_ms, w.end_ms, w.step_ms),
        )

    def _answer(
        self,
        expression: str,
        at_ms: int,
        window: Window | None,
        evaluate: Callable[[], Evaluation],
    ) -> Answer:
        started = perf_counter()
        found = evaluate()
        provenance = Provenance(
            expression=expression,
            source=self._name,
            server=self._product,
            semantics=Semantics.PROMETHEUS_3,
            window=window,
            at_ms=at_ms,
            series=len(found.data),
            samples=found.samples_read,
            seconds=perf_counter() - started,
            warnings=(*found.warnings, *found.infos),
            gaps=self._gaps,
        )
        return Answer(found.data, provenance)

    # ---------------------------------------------------------------- labels and metrics

    def series(self, matchers: Sequence[str], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets of the series that meet any of the selectors; of all where there is none.

        Raises
        ------
        QueryError
            A selector is no PromQL, or more than a selector.
        """
        found: dict[frozenset[tuple[str, str]], Labels] = {}
        for one in _matchers_of(matchers):
            for labels in self.store.series(one, start_ms, end_ms):
                found.setdefault(frozenset(labels.items()), labels)
        return list(found.values())

    def label_names(self, matchers: Sequence[str], start_ms: int, end_ms: int) -> list[str]:
        """Label names, sorted; of all series where there is no selector."""
        each = self.series(matchers, start_ms, end_ms)
        return sorted({name for labels in each for name in labels})

    def label_values(
        self, name: str, matchers: Sequence[str], start_ms: int, end_ms: int
    ) -> list[str]:
        """Values of one label, sorted; without ``""``, which is the absence of the label."""
        each = self.series(matchers, start_ms, end_ms)
        return sorted({labels[name] for labels in each if name in labels})

    def metrics(self) -> list[MetricMetadata]:
        """Every family that has series, with what is known of it, sorted by name."""
        names = self.label_values("__name__", (), *self.store.bounds_ms)
        return families_of(names, self.store.metadata())

    def tsdb_status(self, limit: int = 10) -> dict[str, Any]:
        """Head statistics in the HTTP API's form, counted over the whole store."""
        return tsdb_status(self.store, limit)

    def exemplars(
        self,
        expression: str,
        start_ms: int,  # noqa: ARG002 - the protocol's signature
        end_ms: int,  # noqa: ARG002 - the protocol's signature
    ) -> list[dict[str, Any]]:
        """Refuse: samples are kept without exemplars.

        Raises
        ------
        NotSupportedError
            Always.
        """
        msg = f"{self._name} keeps no exemplars (asked for {expression!r})"
        raise NotSupportedError(msg, "ask the server that it was taken from")

    def targets(self) -> list[dict[str, Any]]:
        """Refuse: nothing scrapes a snapshot, and no targets would read as none being up.

        Raises
        ------
        NotSupportedError
            Always.
        """
        msg = f"{self._name} has no scrape targets"
        raise NotSupportedError(msg, "query the metric up, or ask the server it was taken from")


def _matchers_of(selectors: Sequence[str]) -> Iterator[tuple[Matcher, ...]]:
    """The matchers of each selector; without any, one empty set, which every series meets."""
    if not selectors:
        yield ()
    for text in selectors:
        selector = unwrapped(parse(text))
        if not isinstance(selector, VectorSelector) or not selector.is_plain:
            msg = f"{text!r} is more than a selector"
            raise QueryError(msg, "write only a name and matchers, such as up{job='api'}")
        yield from (selector.matchers, *selector.alternatives)


def open_snapshot(path: Path | str, **limits: Any) -> SnapshotSource:
    """Open a snapshot's folder as a source.

    Parameters
    ----------
    path
        The folder.
    **limits
        `max_samples` and `timeout_seconds` of one query, as `SnapshotSource` has them.

    Raises
    ------
    SnapshotError
        The snapshot is missing, half-written, damaged, or of a newer version.
    """
    store = SnapshotStore(path)
    return SnapshotSource(store, f"snapshot:{path}", gaps=store.manifest.gaps, **limits)


def from_samples(
    samples: Samples,
    metadata: Mapping[str, MetricMetadata] | Iterable[MetricMetadata] = (),
    *,
    name: str = "memory",
) -> SnapshotSource:
    """Make a source of samples in memory."""
    return SnapshotSource(MemoryStore(samples, metadata), name, product="samples in memory")
