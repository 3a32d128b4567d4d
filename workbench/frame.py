"""Results: labels × steps, and the pandas forms in which people hold them.

A `Frame` is what a query gives. It tells an absent sample from a sample whose value is NaN
(`present`); the pandas forms, where both are NaN, do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.errors import InputError
from workbench.native import Histogram, Rows
from workbench.samples import Floats, Ints, Labels, Samples, Series, format_value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Bools", "Frame", "Kind", "NativeHistogram", "samples_from_frame", "samples_to_long"]

Kind = Literal["scalar", "string", "vector", "matrix"]
"""What an expression evaluates to; a range query always gives a matrix."""

Bools = np.ndarray[Any, np.dtype[np.bool_]]

_RESERVED = ("time", "value")


@dataclass(frozen=True, slots=True)
class NativeHistogram:
    """One native histogram as the HTTP API writes it.

    Parameters
    ----------
    count, sum
        Number and sum of the observations.
    buckets
        Rows of ``(rule, lower, upper, count)``; `rule` is 0 open left, 1 open right, 2 open both,
        3 closed both.
    sample
        The histogram by its schema, with sparse buckets, the zero bucket and custom bounds. The
        engine always gives it. Of a server's answer it is rebuilt where that is exact, that is for
        exponential histograms, and has no counter reset hint; else it is None, and `rows` has to do.
    """

    count: float
    sum: float
    buckets: tuple[tuple[int, float, float, float], ...] = ()
    sample: Histogram | None = field(default=None, compare=False, repr=False)

    def rows(self) -> Rows:
        """The filled buckets as columns in ascending order, whoever gave the histogram."""
        columns = np.array(self.buckets, np.float64).reshape(-1, 4).T
        rules, lower, upper, counts = columns
        return Rows(lower, upper, counts, rules.astype(np.int64))

    def to_api(self) -> dict[str, Any]:
        """The JSON form of the HTTP API."""
        rows = [[rule, *(format_value(x) for x in rest)] for rule, *rest in self.buckets]
        return {
            "count": format_value(self.count),
            "sum": format_value(self.sum),
            **({"buckets": rows} if rows else {}),
        }


@dataclass(frozen=True, slots=True)
class Frame:
    """A query's result: series × steps.

    Parameters
    ----------
    kind
        ``vector``, ``scalar`` and ``string`` have exactly one step; ``matrix`` any number.
    labels
        One label set a series; a scalar has one series without labels.
    times_ms
        int64, shape (steps,): the grid, milliseconds since the epoch.
    values
        float64, shape (series, steps); NaN where nothing is present.
    present
        bool, shape (series, steps): False where there is no sample at all.
    expression
        The PromQL that gave it; the column's name where no label can name it.
    histograms
        Native histograms by ``(series, step)``; `present` is True there, `values` NaN.
    text
        The value of a string.
    """

    kind: Kind
    labels: Sequence[Labels]
    times_ms: Ints
    values: Floats
    present: Bools
    expression: str = ""
    histograms: Mapping[tuple[int, int], NativeHistogram] = field(default_factory=dict)
    text: str = ""

    @classmethod
    def empty(cls, kind: Kind, times_ms: Ints, expression: str = "") -> Frame:
        """A result without series on a given grid."""
        shape = (0, len(times_ms))
        return cls(kind, (), times_ms, np.empty(shape), np.zeros(shape, bool), expression)

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.labels)

    # ---------------------------------------------------------------- pandas forms

    def to_wide(self) -> pd.DataFrame:
        """One row a step, one column a series.

        Returns
        -------
        DataFrame
            Index ``time`` (UTC); columns a MultiIndex of the sorted label names, ``""`` where a
            series lacks a label; with one label a plain Index of its name; with none a plain
            Index ``series`` holding the expression. Without series, an empty frame.
        """
        import pandas as pd

        if not len(self):
            return pd.DataFrame(
                index=_time_index(self.times_ms[:0]),
                columns=pd.Index([], name="series", dtype="str"),
            )
        return pd.DataFrame(
            self.values.T, index=_time_index(self.times_ms), columns=self._columns(), copy=False
        )

    def _columns(self) -> pd.Index[Any]:
        import pandas as pd

        names = label_names(self.labels)
        if not names:
            return pd.Index([self.expression] * len(self), name="series", dtype="str")
        columns = [[labels.get(name, "") for labels in self.labels] for name in names]
        if len(names) == 1:
            return pd.Index(columns[0], name=names[0], dtype="str")
        return pd.MultiIndex.from_arrays(columns, names=names)

    def to_long(self) -> pd.DataFrame:
        """One row a sample that is present: ``time``, one categorical column a label, ``value``."""
        series, step = np.nonzero(self.present)
        return long_frame(self.labels, series, self.times_ms[step], self.values[series, step])

    def to_table(self) -> pd.DataFrame:
        """One row a series, for a result with one step: label columns and ``value``."""
        import pandas as pd

        if self.kind == "string":
            return pd.DataFrame({"value": [self.text]})
        columns: dict[str, Any] = {
            safe_column(name): pd.array(
                [labels.get(name, "") for labels in self.labels], dtype="str"
            )
            for name in label_names(self.labels)
        }
        return pd.DataFrame({**columns, "value": self.values[:, 0] if len(self) else np.empty(0)})

    # ---------------------------------------------------------------- the HTTP API's form

    def to_api(self) -> dict[str, Any]:
        """What the Prometheus HTTP API gives under ``data``: ``resultType`` and ``result``."""
        if self.kind == "string":
            return {"resultType": "string", "result": [self.times_ms[0].item() / 1000, self.text]}
        if self.kind == "scalar":
            return {
                "resultType": "scalar",
                "result": [self.times_ms[0].item() / 1000, format_value(self.values[0, 0].item())],
            }
        rows = [self._api_row(i) for i in range(len(self)) if self.present[i].any()]
        return {"resultType": self.kind, "result": rows}

    def _api_row(self, i: int) -> dict[str, Any]:
        floats: list[list[Any]] = []
        histograms: list[list[Any]] = []
        for step in np.flatnonzero(self.present[i]).tolist():
            time = self.times_ms[step].item() / 1000
            histogram = self.histograms.get((i, step))
            if histogram is None:
                floats.append([time, format_value(self.values[i, step].item())])
            else:
                histograms.append([time, histogram.to_api()])
        row: dict[str, Any] = {"metric": dict(self.labels[i])}
        for key, points in (("value", floats), ("histogram", histograms)):
            if points:
                row[key if self.kind == "vector" else f"{key}s"] = (
                    points[0] if self.kind == "vector" else points
                )
        return row


def label_names(labels: Sequence[Labels]) -> list[str]:
    """All label names of the series, sorted."""
    names: set[str] = set()
    for each in labels:
        names.update(each)
    return sorted(names)


def safe_column(name: str) -> str:
    """A label's column name: ``time`` and ``value`` are ours, so such labels get an underscore."""
    return f"{name}_" if name.rstrip("_") in _RESERVED else name


def _label_of(column: str) -> str:
    """The label that a column holds: the inverse of `safe_column`."""
    return column[:-1] if column.endswith("_") and column.rstrip("_") in _RESERVED else column


def _time_index(times_ms: Ints) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.DatetimeIndex(times_ms.astype("datetime64[ms]"), name="time").tz_localize("UTC")


def long_frame(
    labels: Sequence[Labels], series: Ints, times_ms: Ints, values: Floats
) -> pd.DataFrame:
    """Build the long form from codes, never from row objects.

    Parameters
    ----------
    labels
        One label set a series.
    series
        int, shape (rows,): which series each row belongs to.
    times_ms, values
        Shape (rows,).
    """
    import pandas as pd

    columns: dict[str, Any] = {"time": _time_index(times_ms)}
    for name in label_names(labels):
        codes, categories = pd.factorize(
            np.array([each.get(name, "") for each in labels], dtype=object)
        )
        columns[safe_column(name)] = pd.Categorical.from_codes(
            codes[series], categories=pd.Index(categories, dtype="str")
        )
    return pd.DataFrame({**columns, "value": values})


def samples_to_long(samples: Samples) -> pd.DataFrame:
    """One row a raw sample: ``time``, one categorical column a label, ``value``."""
    series = np.repeat(np.arange(len(samples)), np.diff(samples.offsets))
    return long_frame(samples.labels, series, samples.times_ms, samples.values)


def samples_from_frame(frame: pd.DataFrame) -> Samples:
    """Take back what `to_wide` or `to_long` gave, or any DataFrame of either shape.

    Parameters
    ----------
    frame
        *Wide*: a DatetimeIndex and one column a series; a plain unnamed Index of columns holds
        metric names, a column ``time`` may stand for the index. *Long*: columns ``time`` and
        ``value``, every other column a label. NaN is absent; naive times are UTC.

    Raises
    ------
    InputError
        The frame has neither shape, a column stands twice, its values are not numbers, or a time
        is none.
    """
    import pandas as pd

    _check_columns(frame)
    plain = not isinstance(frame.columns, pd.MultiIndex)
    if plain and {"time", "value"} <= set(frame.columns):
        return Samples.from_series(_series_of_long(frame))
    if plain and "time" in frame.columns:
        frame = frame.set_index("time")
    if not isinstance(frame.index, pd.DatetimeIndex):
        msg = f"the frame's index is {frame.index.dtype} and it has no columns 'time' and 'value'"
        raise InputError(
            msg, "give a DatetimeIndex and one column a series, or the columns time, labels…, value"
        )
    return Samples.from_series(_series_of_wide(frame))


def _check_columns(frame: pd.DataFrame) -> None:
    reserved = [name for name in frame.columns if name in _RESERVED]
    if len(reserved) == len(_RESERVED) and not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        msg = f"column {twice!r} stands twice"
        raise InputError(msg, "rename or drop one of them")


def _times_of(column: pd.Series) -> pd.DatetimeIndex:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):  # pandas would take them for nanoseconds
        msg = f"column 'time' holds numbers ({column.dtype}), whose unit is not known"
        raise InputError(msg, "convert it first, such as with pd.to_datetime(frame.time, unit='s')")
    try:
        return pd.DatetimeIndex(pd.to_datetime(column, utc=True, format=_format_of(column)))
    except (TypeError, ValueError) as error:
        msg = f"column 'time' holds what is no time ({error})"
        raise InputError(msg, "convert it first with pd.to_datetime") from None


def _format_of(column: pd.Series) -> str | None:
    import pandas as pd

    return None if pd.api.types.is_datetime64_any_dtype(column) else "ISO8601"


def _milliseconds(times: pd.DatetimeIndex) -> Ints:
    if times.hasnans:
        msg = f"{int(np.asarray(times.isna()).sum())} of {len(times)} times are missing"
        raise InputError(msg, "drop those rows first")
    aware = times.tz_localize("UTC") if times.tz is None else times.tz_convert("UTC")
    return aware.as_unit("ms").asi8


def _floats(values: Any, what: str) -> Floats:
    if getattr(values.dtype, "kind", "f") in "cmM":
        msg = f"{what} holds values that are not numbers ({values.dtype})"
        raise InputError(msg, "convert it to floats first")
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"{what} holds values that are not numbers ({error})"
        raise InputError(msg, "convert it to floats first") from None


def _series_of_wide(frame: pd.DataFrame) -> list[Series]:
    import pandas as pd

    assert isinstance(frame.index, pd.DatetimeIndex)
    times = _milliseconds(frame.index)
    result: list[Series] = []
    for position, column in enumerate(frame.columns):
        labels = _labels_of_column(frame.columns, column)
        values = _floats(frame.iloc[:, position], f"column {column!r}")
        kept = ~np.isnan(values)
        result.append((labels, times[kept], values[kept]))
    return result


def _labels_of_column(columns: pd.Index[Any], column: Any) -> Labels:
    if columns.nlevels > 1:
        if None in columns.names:
            msg = f"level {columns.names.index(None)} of the frame's columns has no name"
            raise InputError(
                msg,
                "name every level after its label, such as frame.columns.names = ['job', 'path']",
            )
        return {
            str(name): str(value)
            for name, value in zip(columns.names, column, strict=True)
            if value != ""
        }
    if columns.name == "series" and len(columns) == 1:
        return {}
    return {str(columns.name or "__name__"): str(column)}


def _series_of_long(frame: pd.DataFrame) -> list[Series]:
    names = [c for c in frame.columns if c not in _RESERVED]
    times = _milliseconds(_times_of(frame["time"]))
    values = _floats(frame["value"], "column 'value'")
    kept = ~np.isnan(values)
    if not names:
        return [({}, times[kept], values[kept])]
    keys = frame[names].astype("str").fillna("")
    groups = keys.groupby(names, sort=False, observed=True).indices
    result: list[Series] = []
    for key, rows in groups.items():
        chosen = rows[kept[rows]]
        pairs = zip(names, key if isinstance(key, tuple) else (key,), strict=True)
        result.append(
            (
                {_label_of(str(n)): str(x) for n, x in pairs if x != ""},
                times[chosen],
                values[chosen],
            )
        )
    return result
