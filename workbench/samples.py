"""Raw samples: many series, each with its own times, held as three flat columns.

This is what a store holds, what the engine reads and what an importer makes. Series are ragged:
series `i` owns the rows `offsets[i]:offsets[i + 1]` of `times_ms` and `values`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

import numpy as np

from workbench.errors import InputError
from workbench.native import Floats, Histogram, Histograms, Ints, is_native, no_histograms

__all__ = [
    "STALE_NAN",
    "Floats",
    "Ints",
    "Labels",
    "MetricMetadata",
    "MetricType",
    "NativeSeries",
    "Samples",
    "Series",
    "StartedSeries",
    "format_labels",
    "format_value",
    "histogram_to_api",
    "is_stale",
]

Labels = Mapping[str, str]
"""Label names to values, the metric's name under ``__name__``; an absent label has no key."""

Series = tuple[Labels, Ints, Floats]
"""One series: its labels, its times in milliseconds (ascending), its values."""

NativeSeries = tuple[Labels, Ints, Floats, Histograms | None]
"""One series with the column of its native histograms, as `Samples` has it."""

StartedSeries = tuple[Labels, Ints, Floats, Histograms | None, Ints | None]
"""One series with its native histograms and the start timestamps of its samples."""

_STALE_BITS: Final = np.uint64(0x7FF0000000000002)
STALE_NAN: Final[float] = float(np.array([_STALE_BITS]).view(np.float64)[0])
"""The NaN by which Prometheus says that a series has ended."""


class MetricType(StrEnum):
    """The metric types of the Prometheus exposition and OpenMetrics formats."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    GAUGEHISTOGRAM = "gaugehistogram"
    SUMMARY = "summary"
    INFO = "info"
    STATESET = "stateset"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MetricMetadata:
    """What a metric family says of itself.

    Parameters
    ----------
    name
        The family's name: without ``_bucket``, ``_sum``, ``_count`` for histograms and summaries;
        for counters the name as it is queried, which ends in ``_total`` by convention.
    type, help, unit
        As declared; `help` and `unit` are empty where nothing was declared.
    """

    name: str
    type: MetricType = MetricType.UNKNOWN
    help: str = ""
    unit: str = ""


def is_stale(values: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell staleness markers from ordinary NaN: a boolean mask of the same shape."""
    mask: np.ndarray[Any, np.dtype[np.bool_]] = (
        np.ascontiguousarray(values).view(np.uint64) == _STALE_BITS
    )
    return mask


def format_labels(labels: Labels) -> str:
    r"""Write labels as PromQL does: ``name{label="value"}``, labels sorted, values escaped.

    Examples
    --------
    >>> format_labels({"__name__": "up", "job": 'a"b'})
    'up{job="a\\"b"}'
    """
    pairs = ",".join(
        f"{name}={_quoted(labels[name])}" for name in sorted(labels) if name != "__name__"
    )
    name = labels.get("__name__", "")
    return f"{name}{{{pairs}}}" if pairs or not name else name


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def format_value(value: float) -> str:
    """Write a sample's value as the Prometheus HTTP API does: the shortest text that reads back.

    Examples
    --------
    >>> format_value(1.0), format_value(float("inf")), format_value(1e-7), format_value(1e21)
    ('1', '+Inf', '1e-07', '1e+21')
    """
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    size = abs(value)
    text = repr(float(value))
    if size and (size < 1e-6 or size >= 1e21):
        return text.replace(".0e", "e")
    if "e" in text:
        return np.format_float_positional(value, trim="-")
    return text.removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Samples:
    """Raw samples of many series in flat columns.

    Parameters
    ----------
    labels
        The label sets, one a series, all different.
    offsets
        int64, shape (series + 1,): where each series' rows begin; the last is the row count.
    times_ms
        int64, shape (rows,): milliseconds since the epoch, strictly ascending within a series.
    values
        float64, shape (rows,); staleness markers keep their bits (`is_stale`).
    histograms
        Shape (rows,): a `workbench.native.Histogram` where a sample is a native histogram, whose
        value is then NaN, and None where it is a float. None instead of the column, and at no
        cost, where all samples are floats.
    starts_ms
        int64, shape (rows,): since when each sample counts, milliseconds since the epoch; 0 where
        that is not known, as remote write and OTLP have it. None instead of the column, and at no
        cost, where it is known of no sample.
    """

    labels: Sequence[Labels]
    offsets: Ints
    times_ms: Ints
    values: Floats
    histograms: Histograms | None = None
    starts_ms: Ints | None = None

    @classmethod
    def empty(cls) -> Samples:
        """No series at all."""
        return cls((), np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float64))

    @classmethod
    def from_series(cls, series: Iterable[Series | NativeSeries | StartedSeries]) -> Samples:
        """Collect series, each ``(labels, times_ms, values)``; times are sorted where they are not.

        A fourth entry, where there is one, is the series' column of native histograms, a fifth
        that of start timestamps.

        Raises
        ------
        InputError
            Lengths differ, a label set stands twice, or a series has two samples at one time.
        """
        labels: list[Labels] = []
        times: list[Ints] = []
        values: list[Floats] = []
        native: list[Histograms | None] = []
        starts: list[Ints | None] = []
        seen: set[tuple[tuple[str, str], ...]] = set()
        each = series.started_series() if isinstance(series, Samples) else series
        for number, (names, *given) in enumerate(each):
            kept = {str(k): str(x) for k, x in names.items() if x != ""}
            key = tuple(sorted(kept.items()))
            if key in seen:
                msg = f"series {format_labels(kept)} stands twice"
                raise InputError(msg, "merge its samples, or give it a label that tells them apart")
            seen.add(key)
            columns = _checked(number, kept, given)
            labels.append(kept)
            times.append(columns[0])
            values.append(columns[1])
            native.append(columns[2])
            starts.append(columns[3])
        if not labels:
            return cls.empty()
        offsets = np.concatenate([[0], np.cumsum([len(t) for t in times])]).astype(np.int64)
        sizes = np.diff(offsets)
        return cls(
            labels,
            offsets,
            np.concatenate(times),
            np.concatenate(values),
            _joined(native, sizes, no_histograms),
            _joined(starts, sizes, _unknown_starts),
        )

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.labels)

    @property
    def rows(self) -> int:
        """How many samples there are."""
        return len(self.values)

    def __iter__(self) -> Iterator[Series]:
        for i, names in enumerate(self.labels):
            rows = slice(self.offsets[i], self.offsets[i + 1])
            yield names, self.times_ms[rows], self.values[rows]

    def native_series(self) -> Iterator[NativeSeries]:
        """The series with their histograms; iterating over the samples gives values alone."""
        for i, (names, times, values) in enumerate(self):
            rows = slice(self.offsets[i], self.offsets[i + 1])
            yield names, times, values, None if self.histograms is None else self.histograms[rows]

    def started_series(self) -> Iterator[StartedSeries]:
        """The series with all that is known of their samples."""
        for i, series in enumerate(self.native_series()):
            rows = slice(self.offsets[i], self.offsets[i + 1])
            yield *series, None if self.starts_ms is None else self.starts_ms[rows]

    def to_api(self) -> dict[str, Any]:
        """What the Prometheus HTTP API gives under ``data`` for a range selector."""
        result = [_api_row(*each) for each in self.native_series()]
        return {"resultType": "matrix", "result": result}


def _api_row(
    labels: Labels, times_ms: Ints, values: Floats, histograms: Histograms | None
) -> dict[str, Any]:
    times = (times_ms / 1000).tolist()
    native = [None] * len(times) if histograms is None else histograms.tolist()
    points = list(zip(times, values.tolist(), native, strict=True))
    row: dict[str, Any] = {"metric": dict(labels)}
    floats = [[t, format_value(v)] for t, v, h in points if h is None]
    if floats or histograms is None:
        row["values"] = floats
    if len(floats) < len(points):
        row["histograms"] = [[t, histogram_to_api(h)] for t, _, h in points if h is not None]
    return row


def histogram_to_api(histogram: Histogram) -> dict[str, Any]:
    """Write a histogram as the HTTP API does: its filled buckets as ``[rule, low, high, count]``."""
    rows = histogram.rows()
    columns = (rows.rules, rows.lower, rows.upper, rows.counts)
    buckets = [
        [rule, *map(format_value, bucket)]
        for rule, *bucket in zip(*(column.tolist() for column in columns), strict=True)
        if bucket[-1]
    ]
    return {
        "count": format_value(histogram.count),
        "sum": format_value(histogram.sum),
        **({"buckets": buckets} if buckets else {}),
    }


_Column = TypeVar("_Column", Histograms, Ints)


def _joined(
    columns: Sequence[_Column | None], sizes: Ints, absent: Callable[[int], _Column]
) -> _Column | None:
    """An optional column of all series in one piece, None where no series has it."""
    if all(each is None for each in columns):
        return None
    return np.concatenate(
        [
            absent(size) if each is None else each
            for each, size in zip(columns, sizes.tolist(), strict=True)
        ]
    )


def _unknown_starts(rows: int) -> Ints:
    return np.zeros(rows, np.int64)


def _checked(
    number: int, labels: Labels, columns: Sequence[Any]
) -> tuple[Ints, Floats, Histograms | None, Ints | None]:
    """The columns of one series as int64, float64, objects and int64, sorted by time."""
    t = np.asarray(columns[0])
    v = np.asarray(columns[1], dtype=np.float64)
    native: Histograms | None = columns[2] if len(columns) > 2 else None
    if t.ndim != 1 or t.shape != v.shape:
        msg = (
            f"series {number} {format_labels(labels)}: times have shape {t.shape}, values {v.shape}"
        )
        raise InputError(msg, "give two one-dimensional arrays of one length")
    if t.dtype.kind not in "iu":
        msg = f"series {number} {format_labels(labels)}: times are {t.dtype}"
        raise InputError(msg, "give int64 milliseconds since the epoch")
    if native is not None:
        if native.shape != t.shape:
            msg = f"series {number} {format_labels(labels)}: histograms have shape {native.shape}"
            raise InputError(msg, "give one entry a time, None where the sample is a float")
        v = np.where(is_native(native), np.nan, v)
    starts = _checked_starts(number, labels, columns[3], len(t)) if len(columns) > 3 else None
    t = t.astype(np.int64)
    steps = np.diff(t)
    if (steps < 0).any():
        order = np.argsort(t, kind="stable")
        t, v = t[order], v[order]
        native = None if native is None else native[order]
        starts = None if starts is None else starts[order]
        steps = np.diff(t)
    if (steps == 0).any():
        at = int(t[int(np.argmax(steps == 0))])
        msg = f"series {format_labels(labels)} has two samples at {at} ms"
        raise InputError(msg, "keep one of them")
    return t, v, native, starts


def _checked_starts(number: int, labels: Labels, starts: Any, rows: int) -> Ints | None:
    if starts is None:
        return None
    column = np.asarray(starts)
    if column.shape != (rows,) or column.dtype.kind not in "iu":
        what = f"start timestamps of shape {column.shape} and type {column.dtype}"
        msg = f"series {number} {format_labels(labels)} has {what}"
        raise InputError(msg, "give int64 milliseconds since the epoch, one a sample, 0 if unknown")
    return column.astype(np.int64)
