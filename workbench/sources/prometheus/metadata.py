"""What exists on a server: metrics with their types, labels, series, targets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from workbench.errors import BadAnswerError
from workbench.samples import MetricMetadata, MetricType

__all__ = ["families", "label_path", "seconds", "strings"]

_CLASSIC_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_PARTS: Final = {
    MetricType.HISTOGRAM: ("_bucket", "_sum", "_count", "_created"),
    MetricType.GAUGEHISTOGRAM: ("_bucket", "_gsum", "_gcount"),
    MetricType.SUMMARY: ("_sum", "_count", "_created"),
    MetricType.COUNTER: ("_total", "_created"),
    MetricType.INFO: ("_info",),
}
"""The series that a family of each type consists of, beside its own name."""


def seconds(milliseconds: int) -> str:
    """A time or duration as the API takes it: seconds, exact to the millisecond."""
    return f"{milliseconds / 1000:.3f}".removesuffix(".000")


def label_path(name: str) -> str:
    """A label's name as it stands in ``/api/v1/label/<name>/values``.

    Names beyond letters, digits and underscores are written in Prometheus 3's escaped form
    (https://prometheus.io/docs/prometheus/latest/querying/api/#querying-label-values).

    Examples
    --------
    >>> label_path("job"), label_path("http.status"), label_path("a_b/c")
    ('job', 'U__http_2e_status', 'U__a__b_2f_c')
    """
    if _CLASSIC_NAME.fullmatch(name):
        return name
    escaped = "".join(
        "__" if c == "_" else c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in name
    )
    return f"U__{escaped}"


def strings(data: Any, what: str) -> list[str]:
    """A list of texts from an answer's data, sorted; null means none.

    Raises
    ------
    BadAnswerError
        It is something else.
    """
    if data is None:
        return []
    if not isinstance(data, list) or not all(isinstance(each, str) for each in data):
        msg = f"the answer's {what} are no list of texts"
        raise BadAnswerError(msg, "see what the address answers with curl")
    return sorted(set(data))


def families(
    declared: Mapping[str, Sequence[Mapping[str, Any]]], names: Collection[str]
) -> list[MetricMetadata]:
    """Bring declarations and existing names together.

    Parameters
    ----------
    declared
        The answer of ``/api/v1/metadata``: what each target says of each family.
    names
        The metric names that exist; one that no family covers stands for itself, of unknown type.

    Returns
    -------
    list of MetricMetadata
        Sorted by name. Where targets disagree, what most of them say.

    Examples
    --------
    >>> [f"{m.name} {m.type}" for m in families({"h": [{"type": "histogram"}]}, ["h_bucket", "h_sum", "up"])]
    ['h histogram', 'up unknown']
    """
    found: dict[str, MetricMetadata] = {}
    covered: set[str] = set()
    for family, entries in declared.items():
        metadata = _family(family, entries, names)
        found[metadata.name] = metadata
        covered |= {
            family,
            metadata.name,
            *(family + part for part in _PARTS.get(metadata.type, ())),
        }
    found |= {name: MetricMetadata(name) for name in names if name not in covered}
    return [found[name] for name in sorted(found)]


def _family(
    family: str, entries: Sequence[Mapping[str, Any]], names: Collection[str]
) -> MetricMetadata:
    kind = _type(_commonest(entry.get("type") for entry in entries))
    name = family
    if kind is MetricType.COUNTER and f"{family}_total" in names and family not in names:
        name = f"{family}_total"  # scraped as OpenMetrics, whose families leave the suffix out
    return MetricMetadata(
        name,
        kind,
        _commonest(entry.get("help") for entry in entries),
        _commonest(entry.get("unit") for entry in entries),
    )


def _commonest(texts: Iterable[Any]) -> str:
    said = Counter(text for text in texts if isinstance(text, str) and text)
    return said.most_common(1)[0][0] if said else ""


def _type(text: str) -> MetricType:
    try:
        return MetricType(text.lower())
    except ValueError:
        return MetricType.UNKNOWN
