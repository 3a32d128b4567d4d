"""Declarations of metrics in the JSON of an audit: written whole, and rebuilt from it.

Some keys are there for people (`labels` with all call sites merged, `most_children`); the rest is
what a `DeclaredMetric` needs to be made again. Files that lack these keys tell less, and still read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from workbench.cardinality.masking import mask
from workbench.inventory import Bound, CallSite, DeclaredMetric, LabelValues, Place
from workbench.samples import MetricType

__all__ = ["MOST_SERIES", "declared_from_dict", "declared_to_dict", "whole_number"]

MOST_SERIES: Final = 10**12
"""Series that are believed: more than all Prometheus servers hold."""

_MOST_COMBINATIONS: Final = 10**100
"""Far above what code can mean, and far below what arithmetic can no longer hold."""

_SHOWN: Final = 50
"""Values of a label that are shown to people."""

_T = TypeVar("_T")


def declared_to_dict(declared: DeclaredMetric) -> dict[str, Any]:
    """The JSON form; values that hold personal data or secrets are masked.

    Parameters
    ----------
    declared
        The declaration.

    Examples
    --------
    >>> metric = DeclaredMetric(
    ...     "hits_total", MetricType.COUNTER, "Hits.", ("path",), Place("a.go", 3), "go", "otel"
    ... )
    >>> declared_from_dict(declared_to_dict(metric)) == metric
    True
    """
    return {
        "name": declared.name,
        "type": declared.type.value,
        "place": str(declared.place),
        "library": declared.library,
        "most_children": declared.most_children,
        "series_per_child": declared.series_per_child,
        "labels": {name: _shown(values) for name, values in declared.values.items()},
        **_at(declared.place),
        "help": declared.help,
        "unit": declared.unit,
        "language": declared.language,
        "label_names": list(declared.labels),
        "labels_exact": declared.labels_exact,
        "name_exact": declared.name_exact,
        "constant_labels": {n: mask(v) for n, v in declared.constant_labels.items()},
        "buckets": list(declared.buckets) if declared.buckets is not None else None,
        "bucket_count": declared.bucket_count,
        "objectives": declared.objectives,
        "native": declared.native,
        "sites": [
            {**_at(site.place), "values": {name: _whole(v) for name, v in site.values.items()}}
            for site in declared.sites
        ],
    }


def declared_from_dict(data: Mapping[str, Any]) -> DeclaredMetric:
    """Rebuild a declaration.

    Parameters
    ----------
    data
        What `declared_to_dict` wrote, of this release or an earlier one.

    Raises
    ------
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError
        It is none: the reader of the file says so in one message.
    """
    place = _place(data)
    buckets = data.get("buckets")
    bucket_count = data.get("bucket_count")
    constants = _is(dict, data.get("constant_labels", {}))
    declared = DeclaredMetric(
        name=_is(str, data["name"]),
        type=MetricType(data["type"]),
        help=_is(str, data.get("help", "")),
        labels=_texts(data.get("label_names", list(data["labels"]))),
        place=place,
        language=_is(str, data.get("language", "")),
        library=_is(str, data["library"]),
        unit=_is(str, data.get("unit", "")),
        constant_labels={name: _is(str, value) for name, value in constants.items()},
        sites=_sites(data, place),
        buckets=None if buckets is None else tuple(map(_finite, _is(list, buckets))),
        bucket_count=None if bucket_count is None else whole_number(bucket_count),
        objectives=whole_number(data.get("objectives", 0)),
        native=_is(bool, data.get("native", False)),
        name_exact=_is(bool, data.get("name_exact", True)),
        labels_exact=_is(bool, data.get("labels_exact", True)),
    )
    sizes = (v.count or max(1, len(v.values)) for v in declared.values.values())
    if math.prod(sizes) > _MOST_COMBINATIONS:
        msg = "a declaration has more combinations of values than can be counted"
        raise ValueError(msg)
    return declared


def whole_number(number: Any) -> int:
    """A count that can be believed.

    Raises
    ------
    ArithmeticError, TypeError, ValueError
        It is none, or negative, or above `MOST_SERIES`.
    """
    count = int(number)
    if not 0 <= count <= MOST_SERIES:
        msg = "a count is negative or above a trillion"
        raise ValueError(msg)
    return count


def _at(place: Place) -> dict[str, Any]:
    return {"path": place.path, "line": place.line, "column": place.column}


def _shown(values: LabelValues) -> dict[str, Any]:
    return {
        "bound": values.bound.value,
        "kind": values.kind,
        "count": values.count,
        "values": list(map(mask, values.values[:_SHOWN])),
        "reason": values.reason,
        "places": [str(p) for p in values.places[:20]],
    }


def _whole(values: LabelValues) -> dict[str, Any]:
    return {
        "bound": values.bound.value,
        "kind": values.kind,
        "count": values.count,
        "values": list(map(mask, values.values)),
        "reason": values.reason,
        "mend": values.mend,
        "places": [_at(p) for p in values.places],
    }


def _place(data: Mapping[str, Any]) -> Place:
    if "path" in data:
        line, column = whole_number(data.get("line", 0)), whole_number(data.get("column", 0))
        return Place(_is(str, data["path"]), line, column)
    return _place_of_text(_is(str, data["place"]))


def _place_of_text(text: str) -> Place:
    """A place as `str` writes it."""
    path, colon, line = text.rpartition(":")
    return Place(path, whole_number(line)) if colon and line.isdecimal() else Place(text)


def _sites(data: Mapping[str, Any], place: Place) -> tuple[CallSite, ...]:
    if "sites" not in data:  # earlier releases wrote all call sites as one
        merged = _labels(data["labels"])
        return (CallSite(place, merged),) if merged else ()
    return tuple(CallSite(_place(s), _labels(s["values"])) for s in _is(list, data["sites"]))


def _labels(rows: Mapping[str, Any]) -> dict[str, LabelValues]:
    return {name: _values(row) for name, row in rows.items()}


def _values(row: Mapping[str, Any]) -> LabelValues:
    count = row.get("count")
    places = _is(list, row.get("places", []))
    return LabelValues(
        bound=Bound(row["bound"]),
        kind=_is(str, row["kind"]),
        values=_texts(row["values"]),
        count=None if count is None else whole_number(count),
        reason=_is(str, row.get("reason", "")),
        mend=_is(str, row.get("mend", "")),
        places=tuple(_place_of_text(p) if isinstance(p, str) else _place(p) for p in places),
    )


def _texts(items: Any) -> tuple[str, ...]:
    return tuple(_is(str, item) for item in _is(list, items))


def _finite(number: Any) -> float:
    value = float(number)
    if not math.isfinite(value):
        msg = "a bucket's bound is not finite"
        raise ValueError(msg)
    return value


def _is(kind: type[_T], value: Any) -> _T:
    if not isinstance(value, kind):
        msg = f"{type(value).__name__} where {kind.__name__} belongs"
        raise TypeError(msg)
    return value
