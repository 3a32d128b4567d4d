"""Which metrics a source has, with their labels: counted first, listed only as far as is cheap.

One question that names every series (``count({__name__=~".+"})``) hangs a large server. So the
server's own counts come first (its head statistics, or a cardinality API), and label sets are then
listed for some metrics at a time, up to a limit; what lies beyond it stays counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.errors import NotSupportedError, QueryError, TooExpensiveError
from workbench.frame import Frame
from workbench.inventory import Inventory, LabelTable, ObservedMetric, family_name
from workbench.promql.build import render_selector
from workbench.promql.matcher import Matcher
from workbench.promql.parsing import parse
from workbench.promql.tree import VectorSelector, unwrapped
from workbench.samples import Labels, MetricMetadata
from workbench.sources.base import Source
from workbench.units import format_duration

__all__ = ["ACTIVE_MS", "MOST_SERIES", "take_inventory"]

ACTIVE_MS: Final = 300_000
"""A series counts that has a sample in as many milliseconds: what a query would find."""

MOST_SERIES: Final = 500_000
"""Label sets listed at most; about 1 kB of memory each while they are read."""

_AT_ONCE: Final = 20_000
"""Series that one question lists at most, as far as counts are known."""

_COUNT_LIMIT: Final = 10_000
"""Entries of each list of head statistics; the most that Prometheus gives."""

_UNKNOWN_COUNT: Final = 1_000
"""What a metric is taken to have while its count is not known."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """What a source counts by itself: of its head, which reaches back two to three hours."""

    by_metric: Mapping[str, int]
    values_by_label: Mapping[str, int]
    total: int | None


def take_inventory(
    source: Source,
    *,
    matchers: Sequence[str] = (),
    names: Collection[str] | None = None,
    ago_ms: int = 0,
    active_ms: int = ACTIVE_MS,
    most_series: int = MOST_SERIES,
    progress: Callable[[int, int], None] | None = None,
) -> Inventory:
    """Ask a source which metrics it has.

    Parameters
    ----------
    source
        A server, or a snapshot.
    matchers
        Selectors such as ``{job="api"}``: only series that meet one of them; all without.
    names
        Only these metrics; all without.
    ago_ms
        How long ago, before the source's own now.
    active_ms
        How recent a series' samples must have been then.
    most_series
        How many label sets are listed; metrics beyond that are only counted, which the notes say.
    progress
        Called with how many metrics are done, and how many there are.

    Returns
    -------
    Inventory
        Metrics with their label sets, or with a count where listing them costs too much.

    Raises
    ------
    SourceError
        The source does not answer at all.
    QueryError
        A selector is none.
    """
    conditions = _conditions(matchers)
    end_ms = source.now_ms() - ago_ms
    start_ms = end_ms - active_ms
    # What a source counts by itself is of now.
    counts, notes = (
        (_Counts({}, {}, None), list[str]()) if ago_ms else _own_counts(source, matchers)
    )
    found = source.label_values("__name__", list(matchers), start_ms, end_ms)
    wanted = [name for name in found if names is None or name in names]
    # Small ones first: most metrics are then known in full before the limit is reached.
    wanted.sort(key=lambda n: (counts.by_metric.get(n, _UNKNOWN_COUNT), n))
    families = _Families({m.name: m for m in source.metrics()})
    metrics: dict[str, ObservedMetric] = {}
    left = most_series
    beyond: list[str] = []
    for batch in _batches(wanted, counts.by_metric):
        expected = sum(counts.by_metric.get(n, 0) for n in batch)
        listed = None
        if expected <= left:
            listed = _list(source, batch, conditions, start_ms, end_ms)
        if listed is None:
            beyond += batch
        else:
            for name in batch:
                table = LabelTable.of(listed.get(name, ()))
                if table.series > left:  # its count was not known, or has grown
                    beyond.append(name)
                elif table.series:
                    metrics[name] = families.metric(name, table.series, table)
                    left -= table.series
        if progress is not None:
            progress(len(metrics) + len(beyond), len(wanted))
    if beyond:
        for name, series in _count(source, beyond, conditions, counts, end_ms):
            metrics[name] = families.metric(name, series, None)
        notes.append(
            f"{len(beyond)} metrics are counted and their labels not listed: {', '.join(beyond[:3])} …"
        )
    return Inventory(
        origin=source.info().name + (f" {format_duration(ago_ms)} ago" if ago_ms else ""),
        metrics=dict(sorted(metrics.items())),
        metadata=families.metadata,
        total_series=counts.total,
        notes=tuple(notes),
    )


class _Families:
    """What is declared, and which series belongs to which declaration."""

    def __init__(self, metadata: Mapping[str, MetricMetadata]) -> None:
        self.metadata = metadata
        self._types = {m.name: m.type for m in metadata.values()}

    def metric(self, name: str, series: int, table: LabelTable | None) -> ObservedMetric:
        """A metric with its type, help and unit."""
        family = family_name(name, self._types)
        known = self.metadata.get(family, MetricMetadata(family))
        return ObservedMetric(name, family, series, known.type, known.help, known.unit, table)


def _conditions(matchers: Sequence[str]) -> list[tuple[Matcher, ...]]:
    """The matchers of each selector; one empty set where there is none."""
    result: list[tuple[Matcher, ...]] = []
    for text in matchers:
        node = unwrapped(parse(text))
        if not isinstance(node, VectorSelector) or not node.is_plain:
            msg = f"{text!r} is more than a selector"
            raise QueryError(msg, 'write only a name and matchers, such as {job="api"}')
        result += [node.matchers, *node.alternatives]
    return result or [()]


def _own_counts(source: Source, matchers: Sequence[str]) -> tuple[_Counts, list[str]]:
    """What the source counts by itself; its head statistics know no selector."""
    try:
        status = source.tsdb_status(_COUNT_LIMIT)
    except NotSupportedError as error:
        return _Counts({}, {}, None), [f"the source gives no counts of its own ({error.what})"]
    head = status.get("headStats") or {}
    total = head.get("numSeries", status.get("totalSeries"))
    counts = _Counts(
        _named(status.get("seriesCountByMetricName")),
        _named(status.get("labelValueCountByLabelName")),
        None if matchers or total is None else int(total),
    )
    return counts, []


def _named(entries: Any) -> dict[str, int]:
    """The form in which every server writes counts: a list of ``{"name": …, "value": …}``."""
    if not isinstance(entries, list):
        return {}
    return {
        str(entry["name"]): int(entry["value"])
        for entry in entries
        if isinstance(entry, dict) and "name" in entry and "value" in entry
    }


def _batches(names: Sequence[str], counts: Mapping[str, int]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for name in names:
        series = counts.get(name, _UNKNOWN_COUNT)
        if batch and (size + series > _AT_ONCE or len(batch) >= 50):
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += series
    if batch:
        yield batch


def _selectors(names: Iterable[str], conditions: Sequence[tuple[Matcher, ...]]) -> list[str]:
    return [
        render_selector(
            (
                Matcher("__name__", "=", name),
                *(m for m in each if m != Matcher("__name__", "=", name)),
            )
        )
        for name in names
        for each in conditions
    ]


def _list(
    source: Source,
    names: Sequence[str],
    conditions: Sequence[tuple[Matcher, ...]],
    start_ms: int,
    end_ms: int,
) -> Mapping[str, list[Labels]] | None:
    """Label sets by metric; None where the source finds that too much."""
    try:
        rows = source.series(_selectors(names, conditions), start_ms, end_ms)
    except TooExpensiveError:
        return None
    result: dict[str, list[Labels]] = defaultdict(list)
    for row in rows:
        result[row.get("__name__", "")].append(row)
    return result


def _count(
    source: Source,
    names: Sequence[str],
    conditions: Sequence[tuple[Matcher, ...]],
    counts: _Counts,
    end_ms: int,
) -> Iterator[tuple[str, int]]:
    """How many series each of these metrics has: as the source says, else one count a metric."""
    for name in names:
        if conditions == [()] and name in counts.by_metric:
            yield name, counts.by_metric[name]
            continue
        expression = f"count({' or '.join(_selectors([name], conditions))})"
        frame = source.query(expression, end_ms).data
        yield name, int(frame.values[0, 0]) if isinstance(frame, Frame) and len(frame) else 0
