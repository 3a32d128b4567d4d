"""Samples → OpenMetrics 1.0 text that strict readers and `promtool tsdb create-blocks-from` take.

OpenMetrics is stricter than what Prometheus stores: the samples of a family stand together, a
counter is named ``_total``, a histogram is whole at every moment. A family that breaks a rule is
written all the same, each of its members as a metric of type ``unknown``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from workbench.errors import InputError
from workbench.exposition.families import Family, group_families
from workbench.exposition.series_text import escape, is_metric_name, write_series
from workbench.samples import (
    Floats,
    Ints,
    MetricMetadata,
    Series,
    format_labels,
    format_value,
    is_stale,
)

__all__ = ["write_openmetrics"]


def write_openmetrics(
    samples: Iterable[Series], metadata: Iterable[MetricMetadata] = ()
) -> Iterator[str]:
    r"""Write samples with their timestamps.

    Staleness markers have no form in the text and are left out, and so is the metadata of
    metrics without samples.

    Parameters
    ----------
    samples
        `Samples`, or any series; every one with a ``__name__``.
    metadata
        Types, help and units. Metrics without any are ``unknown``.

    Yields
    ------
    str
        Pieces of text, each of whole lines; the last is ``# EOF``.

    Raises
    ------
    InputError
        A series has no metric name.

    Examples
    --------
    >>> from workbench.samples import MetricType
    >>> series = [({"__name__": "up"}, np.array([1500]), np.array([1.0]))]
    >>> "".join(write_openmetrics(series, [MetricMetadata("up", MetricType.GAUGE, "Alive.")]))
    '# HELP up Alive.\n# TYPE up gauge\nup 1 1.5\n# EOF\n'
    """
    rows: list[Series] = []
    for labels, times, values in samples:
        if not labels.get("__name__"):
            msg = f"series {format_labels(labels)} has no metric name"
            raise InputError(msg, "give it a label __name__")
        alive = ~is_stale(values)
        rows.append((labels, times[alive], values[alive]))
    for family in group_families(rows, metadata):
        yield from _head(family)
        for group in family.groups:
            yield _group([rows[i] for i in group])
    yield "# EOF\n"


def _head(family: Family) -> Iterator[str]:
    name = family.name if is_metric_name(family.name) else f'"{escape(family.name)}"'
    if family.help:
        yield f"# HELP {name} {escape(family.help)}\n"
    yield f"# TYPE {name} {family.type.value}\n"
    if family.unit:
        yield f"# UNIT {name} {family.unit}\n"


def _group(rows: list[Series]) -> str:
    """The samples of one group of a family, all members of one moment together."""
    heads = [write_series(labels["__name__"], labels) for labels, _, _ in rows]
    times = np.concatenate([t for _, t, _ in rows])
    values = np.concatenate([v for _, _, v in rows]).tolist()
    member = np.repeat(np.arange(len(rows)), [len(t) for _, t, _ in rows])
    order = np.lexsort((member, times)) if len(rows) > 1 else np.arange(len(times))
    texts = _seconds(times)
    of = member.tolist()
    return "".join(f"{heads[of[i]]} {format_value(values[i])} {texts[i]}\n" for i in order.tolist())


def _seconds(times_ms: Ints) -> list[str]:
    """Timestamps in seconds that read back to the same millisecond.

    Prometheus multiplies by 1000 and cuts off what is behind the point, so where the nearest
    double lies below the millisecond the next one away from zero is taken.
    """
    seconds: Floats = times_ms / 1000
    short = (seconds * 1000).astype(np.int64) != times_ms
    seconds[short] = np.nextafter(seconds[short], np.copysign(np.inf, seconds[short]))
    return [text.removesuffix(".0") for text in map(repr, seconds.tolist())]
