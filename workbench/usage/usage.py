"""All that rules and dashboards ask, and what follows for each metric and label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

from workbench.inventory import UnreadLine
from workbench.usage.names import NameIndex
from workbench.usage.query import Kind, Query
from workbench.usage.reading import Certainty, LabelRole, Reading

if TYPE_CHECKING:
    from workbench.usage.breakage import Breakage

__all__ = ["LabelProof", "LabelUse", "MetricUse", "Status", "Usage"]

_MEMBERS: Final = (
    "",
    "_bucket",
    "_sum",
    "_count",
    "_total",
    "_created",
    "_info",
    "_gsum",
    "_gcount",
)


class Status(IntEnum):
    """Whether a metric is used."""

    UNUSED = 0
    RECORDED_ONLY = 1
    """Only recording rules read it whose results nobody reads."""
    POSSIBLY_USED = 2
    """A query may mean it: one that names no metric, or that could not be read."""
    USED = 3


@dataclass(frozen=True, slots=True)
class MetricUse:
    """A query that reads a metric.

    Parameters
    ----------
    query
        The query.
    certainty
        How surely it reads the metric.
    alive
        How surely someone looks at its answer: less than certain only for recording rules.
    reads
        The selectors of it that do.
    """

    query: Query
    certainty: Certainty
    alive: Certainty
    reads: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelProof:
    """What one query does with a label.

    Parameters
    ----------
    query, certainty
        The query, and how surely it reads the metric.
    role, reason
        What it does with the label: ``required`` and ``by``, for example.
    through
        The recorded metrics over which the label reaches the query, the nearest last.
    """

    query: Query
    certainty: Certainty
    role: LabelRole
    reason: str
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelUse:
    """What all queries do with a label of a metric.

    Parameters
    ----------
    label
        The label.
    proofs
        The queries for which it counts, the strongest roles first.
    """

    label: str
    proofs: tuple[LabelProof, ...] = ()

    @property
    def role(self) -> LabelRole:
        """The strongest of the roles."""
        return max((proof.role for proof in self.proofs), default=LabelRole.UNUSED)


@dataclass(frozen=True)
class Usage:
    """What uses metrics.

    Parameters
    ----------
    queries
        Every query, in the order in which they were read; also those that could not be parsed.
    unread_files
        Files that could not be read, and why.
    skipped
        How much was left out, by reason.
    notes
        What could not be known, a sentence each.
    files
        How many files held rules or dashboards.
    """

    queries: tuple[Query, ...] = ()
    unread_files: tuple[UnreadLine, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    files: int = 0

    @property
    def unread(self) -> tuple[UnreadLine, ...]:
        """Files and queries that could not be read, and why."""
        queries = (
            UnreadLine(q.place.path, q.place.line, f"{q.title}: {q.problem}")
            for q in self.queries
            if q.problem
        )
        return (*self.unread_files, *queries)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that are named exactly, sorted."""
        return tuple(sorted({name for query in self.queries for name in query.metrics}))

    @cached_property
    def recorded(self) -> Mapping[str, tuple[Query, ...]]:
        """Metrics that recording rules write, each with the rules."""
        result: dict[str, tuple[Query, ...]] = {}
        for query in self.queries:
            if query.record:
                result[query.record] = (*result.get(query.record, ()), query)
        return result

    @property
    def unread_rules(self) -> tuple[Query, ...]:
        """Recording rules whose results nobody reads, as far as these queries tell."""
        return tuple(q for q in self.queries if q.record and not self.alive(q))

    def joined(self, other: Usage) -> Usage:
        """What either holds."""
        skipped = dict(self.skipped)
        for reason, count in other.skipped.items():
            skipped[reason] = skipped.get(reason, 0) + count
        return Usage(
            (*self.queries, *other.queries),
            (*self.unread_files, *other.unread_files),
            skipped,
            tuple(dict.fromkeys((*self.notes, *other.notes))),
            self.files + other.files,
        )

    # ---------------------------------------------------------------- metrics

    def of_metric(self, name: str) -> tuple[MetricUse, ...]:
        """The queries that read a metric, the most certain first.

        Parameters
        ----------
        name
            What stands in ``__name__``: a histogram's members are metrics of their own.

        Examples
        --------
        >>> from workbench.usage import read_usage
        >>> found = read_usage(b'''groups: [{name: g, rules: [
        ...   {alert: A, expr: '{__name__=~"http_.+"} > 1'}]}]''')
        >>> [(use.query.title, use.certainty.name) for use in found.of_metric("http_up")]
        [('g › A', 'PATTERN')]
        """
        return self.of_metrics((name,))[name]

    def of_metrics(self, names: Sequence[str]) -> dict[str, tuple[MetricUse, ...]]:
        """The same for many metrics at once, which is faster: patterns are tried on all of them."""
        result: dict[str, tuple[MetricUse, ...]] = {}
        for name, found in self._index.lookup(names).items():
            uses = [
                MetricUse(query, certainty, self._alive[id(query)], reads)
                for query, certainty, reads in found
            ]
            uses.sort(key=lambda use: (-use.certainty, -use.alive))
            result[name] = tuple(uses)
        return result

    def of_family(self, family: str) -> dict[str, tuple[MetricUse, ...]]:
        """The queries that read a family's members, by the member's name; members unused are left out.

        ``x`` itself is a native histogram; ``x_bucket``, ``x_sum`` and ``x_count`` are a classic one.
        """
        found = self.of_metrics([f"{family}{end}" for end in _MEMBERS])
        return {name: uses for name, uses in found.items() if uses}

    def status(self, name: str) -> Status:
        """Whether a metric is used."""
        return status_of(self.of_metric(name))

    def alive(self, query: Query) -> Certainty:
        """How surely someone looks at a query's answer: less than certain only for recording rules."""
        return self._alive.get(id(query), Certainty.CERTAIN)

    # ---------------------------------------------------------------- labels

    def labels_of(self, metric: str, labels: Iterable[str] = ()) -> dict[str, LabelUse]:
        """What queries do with a metric's labels, with proof.

        Parameters
        ----------
        metric
            Its name.
        labels
            The labels it has; without them, those that queries name. A label that only passes
            through unnamed is told only if it is given.

        Examples
        --------
        >>> from workbench.usage import read_usage
        >>> found = read_usage(b"groups: [{name: g, rules: [{alert: A, expr: avg by (a) (x)}]}]")
        >>> {name: use.role.name for name, use in found.labels_of("x", ["a", "b"]).items()}
        {'a': 'REQUIRED', 'b': 'SEPARATING'}
        """
        uses = self.of_metric(metric)
        asked = tuple(dict.fromkeys(labels)) or tuple(
            sorted({name for use in uses for read in use.reads for name in read.required})
        )
        return {label: self.label_use(metric, label, uses) for label in asked}

    def label_use(self, metric: str, label: str, uses: Sequence[MetricUse]) -> LabelUse:
        """The same for one label, given what `of_metric` told."""
        proofs = [*self._proofs(metric, label, uses), *self._listings(label)]
        return LabelUse(label, tuple(sorted(proofs, key=lambda p: (-p.role, -p.certainty))))

    def breaks(
        self,
        *,
        drop_metrics: Iterable[str] = (),
        drop_labels: Mapping[str, Iterable[str]] | None = None,
        drop_bounds: Mapping[str, Iterable[str | float]] | None = None,
    ) -> tuple[Breakage, ...]:
        """The queries that would give something else, and why; see `breakage.breakages`."""
        from workbench.usage.breakage import breakages

        return breakages(self, drop_metrics, drop_labels or {}, drop_bounds or {})

    def _proofs(self, metric: str, label: str, uses: Sequence[MetricUse]) -> list[LabelProof]:
        """What queries do with a label, directly and over recording rules that hand it on."""
        result: list[LabelProof] = []
        met = {metric}
        waiting: list[tuple[Sequence[MetricUse], tuple[str, ...]]] = [(uses, ())]
        while waiting:
            readers, through = waiting.pop(0)
            for use in readers:
                role, reason = role_in(use, label)
                if role is LabelRole.UNUSED:
                    continue
                result.append(LabelProof(use.query, use.certainty, role, reason, through))
                record = use.query.record
                handed = role is LabelRole.SHOWN or reason in ("by", "on")
                if record and handed and record not in met:
                    met.add(record)
                    waiting.append((self._record_uses[record], (*through, record)))
        return result

    def _listings(self, label: str) -> list[LabelProof]:
        """Variables that list a label's values over all metrics."""
        return [
            LabelProof(query, Certainty.POSSIBLE, read.role(label), read.reason(label))
            for query, read in self._index.listings
            if read.role(label)
        ]

    # ---------------------------------------------------------------- what follows from the queries

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex(self.queries)

    @cached_property
    def _record_uses(self) -> dict[str, tuple[MetricUse, ...]]:
        return self.of_metrics(tuple(self.recorded))

    @cached_property
    def _alive(self) -> dict[int, Certainty]:
        """How surely someone looks at each query's answer, by identity.

        Raised from nothing step by step, so rules that only read each other stay dead.
        """
        alive = {
            id(query): Certainty.NO if query.kind is Kind.RECORDING_RULE else Certainty.CERTAIN
            for query in self.queries
        }
        readers = self._index.lookup(tuple(self.recorded))
        waiting = list(self.recorded)
        users: dict[int, set[str]] = {}
        for record, found in readers.items():
            for query, _, _ in found:
                users.setdefault(id(query), set()).add(record)
        while waiting:
            record = waiting.pop()
            level = max((min(c, alive[id(q)]) for q, c, _ in readers[record]), default=Certainty.NO)
            for rule in self.recorded[record]:
                if level > alive[id(rule)]:
                    alive[id(rule)] = level
                    waiting += users.get(id(rule), ())
        return alive


def status_of(uses: Sequence[MetricUse]) -> Status:
    """Whether a metric with these uses is used."""
    if not uses:
        return Status.UNUSED
    level = max(min(use.certainty, use.alive) for use in uses)
    if level is Certainty.NO:
        return Status.RECORDED_ONLY
    return Status.USED if level >= Certainty.PATTERN else Status.POSSIBLY_USED


def role_in(use: MetricUse, label: str) -> tuple[LabelRole, str]:
    """The strongest of a label's roles in the selectors of a query that read a metric."""
    if use.query.coarse or use.query.problem:
        why = "only its metrics are known" if use.query.coarse else "the query could not be read"
        return LabelRole.SHOWN, why
    best = max(use.reads, key=lambda read: read.role(label), default=None)
    return (LabelRole.UNUSED, "") if best is None else (best.role(label), best.reason(label))
