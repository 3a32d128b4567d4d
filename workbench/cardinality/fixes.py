"""Changes that save series, each run over the captured series before it is handed over.

A label is not simply dropped: where two series would become equal Prometheus drops or refuses
samples, and nothing warns of it. So each proposal is applied to the label sets that were read; if
series collide, the way is an aggregation, and the proposal says what it costs and which queries it
breaks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from workbench.cardinality.bounds import SeriesBounds
from workbench.cardinality.families import Family
from workbench.errors import InputError
from workbench.inventory import ObservedMetric
from workbench.relabelling import (
    Aggregation,
    NameScheme,
    drop_buckets,
    drop_label,
    drop_metrics,
    likely_operation,
    limits_above,
    relabel_tables,
    write_limits,
    write_recording_rules,
    write_rules,
    write_stream_aggregation,
)
from workbench.samples import MetricType
from workbench.units import counted
from workbench.usage import Breakage, Effect, Usage

__all__ = ["Fix", "FixKind", "fewer_buckets", "scrape_limits", "without_label", "without_metrics"]

_MOST_BOUNDS: Final = 10
"""Buckets that a fix leaves, besides ``+Inf`` and those that queries name."""


class FixKind(StrEnum):
    """What is changed, and where."""

    DROP_METRIC = "drop metric"
    DROP_LABEL = "drop label"
    DROP_BUCKETS = "drop buckets"
    AGGREGATE = "aggregate"
    LIMITS = "scrape limits"


@dataclass(frozen=True, slots=True)
class Fix:
    """A change to a configuration, tried on the series that were read.

    Parameters
    ----------
    kind
        What it does.
    text
        The change, ready to be pasted.
    where
        Where it belongs: ``metric_relabel_configs`` of the scrape job, a rule file.
    before, after
        Series of what it is about, as read; of an aggregation, those that need to be kept.
    note
        What to know before it is used.
    breaks
        The queries that would give something else.
    alternatives
        Other ways to the same end, each with its own text.
    """

    kind: FixKind
    text: str
    where: str
    before: int
    after: int
    note: str = ""
    breaks: tuple[Breakage, ...] = ()
    alternatives: tuple[tuple[str, str], ...] = field(default=())

    @property
    def saves(self) -> int:
        """Series fewer."""
        return self.before - self.after

    def summary(self) -> str:
        """One line: what it does, from how many series to how many, and what it breaks."""
        broken = [b for b in self.breaks if b.effect is not Effect.MAY_CHANGE]
        says = (
            f"{counted(len(broken), 'query breaks or changes', 'queries break or change')}"
            if broken
            else "no query that was read breaks"
        )
        return f"{self.kind.value}: {self.before:,} → {self.after:,} series, {says}"

    def commented(self) -> str:
        """The change with what it does as comments above it."""
        lines = [f"# {self.summary()}", f"# in {self.where}"]
        lines += [f"# {self.note}"] if self.note else []
        for one in self.breaks[:5]:
            title = " ".join(one.query.title.split())
            lines.append(f"# {one.effect.value}: {title} ({one.reason})")
        if len(self.breaks) > 5:
            lines.append(f"# … and {len(self.breaks) - 5} more")
        return "\n".join([*map(_one_line, lines), self.text.rstrip("\n"), ""])

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        from workbench.cardinality.judgements.use import breakage_rows

        return {
            "kind": self.kind.value,
            "text": self.text,
            "where": self.where,
            "before": self.before,
            "after": self.after,
            "note": self.note,
            "breaks": breakage_rows(self.breaks),
            "alternatives": [{"where": w, "text": t} for w, t in self.alternatives],
        }


def without_metrics(metrics: Sequence[ObservedMetric], usage: Usage | None = None) -> Fix:
    """Drop metrics at the scrape."""
    names = [m.name for m in metrics]
    rule = drop_metrics(names)
    done = relabel_tables(metrics, [rule])
    return Fix(
        FixKind.DROP_METRIC,
        write_rules([rule]),
        "the scrape job",
        done.before,
        done.after,
        breaks=usage.breaks(drop_metrics=names) if usage is not None else (),
    )


def without_label(family: Family, label: str, usage: Usage | None = None) -> Fix:
    """Take a label off a metric: by relabelling where no two series become equal, else together.

    Raises
    ------
    InputError
        The label is one that the metric's type needs.
    """
    names = [m.name for m in family.members]
    breaks: tuple[Breakage, ...] = ()
    if usage is not None:
        breaks = usage.breaks(drop_labels=dict.fromkeys(names, (label,)))
    rule = drop_label(label, names)
    done = relabel_tables(family.members, [rule])
    if done.safe:
        note = "no two series become equal: it shortens them and makes none fewer"
        if not NameScheme.LEGACY.is_label_name(label):
            note += "; a label of this name needs Prometheus 3"
        return Fix(
            FixKind.DROP_LABEL, write_rules([rule]), "the scrape job",
            done.before, done.after, note, breaks,
        )  # fmt: skip
    return _aggregated(family, label, done.before, done.after, breaks)


def _aggregated(
    family: Family, label: str, before: int, after: int, breaks: tuple[Breakage, ...]
) -> Fix:
    """Put series together over a label that cannot be dropped."""
    operation = None
    lost = counted(before - after, "series", "series")
    note = f"dropping {label} would make {lost} equal to others, and their samples would be lost"
    if family.type in (MetricType.GAUGE, MetricType.UNKNOWN):
        operation, why = likely_operation(family.name)
        if operation is None:
            msg = f"{family.name}: {why}"
            raise InputError(msg, "decide between sum, max and avg, and aggregate by hand")
        note += f"; {operation.value}, since {why}"
    table = family.children
    native = any(m.native for m in family.members) and len(family.members) == 1
    together = Aggregation(
        family.name, family.type, (label,), operation,
        kept=table.labels if table is not None else (), native=native,
    )  # fmt: skip
    rules = write_recording_rules([together])
    keep_out = write_rules([together.drop_raw()], section="write_relabel_configs")
    stream = write_stream_aggregation([together])
    return Fix(
        FixKind.AGGREGATE,
        rules,
        "a rule file; the raw series then need not leave this server",
        before,
        after,
        "; ".join((note, *together.notes)),
        breaks,
        (
            ("remote_write, to keep the raw series from long-term storage", keep_out),
            ("vmagent, to put them together before they are stored", stream),
        ),
    )


def fewer_buckets(family: Family, used: Collection[str], usage: Usage | None = None) -> Fix | None:
    """Drop buckets of a classic histogram; None where it has few.

    Parameters
    ----------
    family
        The histogram.
    used
        Bounds that queries name, as text: they stay.
    usage
        What reads it.
    """
    bucket = next((m for m in family.members if m.name.endswith("_bucket")), None)
    if bucket is None or bucket.table is None:
        return None
    finite = sorted(
        (v for v in bucket.table.values_of("le") if v not in ("+Inf", *used)), key=_bound
    )
    if len(finite) <= _MOST_BOUNDS:
        return None
    step = (len(finite) - 1) / (_MOST_BOUNDS - 1)
    stay = {finite[round(i * step)] for i in range(_MOST_BOUNDS)}
    go = [v for v in finite if v not in stay]
    rule = drop_buckets(bucket.name.removesuffix("_bucket"), go)
    done = relabel_tables(family.members, [rule])
    return Fix(
        FixKind.DROP_BUCKETS,
        write_rules([rule]),
        "the scrape job",
        done.before,
        done.after,
        f"{len(go)} of {len(finite)} bounds go; quantiles between those that stay become coarser. "
        "A native histogram has one series a child and finer buckets",
        usage.breaks(drop_bounds={bucket.name: go}) if usage is not None else (),
    )


def scrape_limits(metrics: Iterable[ObservedMetric], replica: SeriesBounds) -> Fix:
    """Limits of the scrape job that stop a surprise and not this deploy."""
    listed = list(metrics)
    most = replica.most if replica.most is not None else replica.expected
    limits = limits_above(listed, samples=max(most, replica.expected))
    return Fix(
        FixKind.LIMITS,
        write_limits(limits),
        "the scrape job",
        replica.expected,
        replica.expected,
        f"half as much again as predicted ({most:,}); a target above it loses its whole scrape, and up becomes 0",
    )


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")


def _one_line(text: str) -> str:
    return " ".join(text.split())
