"""The columns of a snapshot's Parquet files, by the role that a file has."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.store.manifest import Role

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["as_arrow", "as_numpy", "flat", "schema_of"]


def as_numpy(array: pa.Array) -> np.ndarray[Any, Any]:
    """Numbers of an Arrow array without nulls, read-only and not copied.

    Arrow's own conversion imports pandas first, which takes longer than opening a snapshot.
    """
    kind = np.dtype(str(array.type).replace("double", "float64"))
    data = array.buffers()[1]
    if data is None:
        return np.empty(0, kind)
    return np.frombuffer(data, kind, len(array), array.offset * kind.itemsize)


def as_arrow(numbers: np.ndarray[Any, Any]) -> pa.Array:
    """Numbers as an Arrow array, not copied; like `as_numpy` without pandas."""
    import pyarrow as pa

    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])


def flat(table: pa.Table, name: str) -> Any:
    """One column as a single Arrow array."""
    import pyarrow as pa

    column = table.column(name)
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


@cache
def schema_of(role: Role) -> pa.Schema:
    """Give the columns and types that a file of a role has, none of them nullable."""
    import pyarrow as pa

    text = pa.string()
    columns: dict[Role, dict[str, pa.DataType]] = {
        "series": {
            "labels": pa.map_(text, pa.field("value", text, nullable=False)),
            "file": text,
            "row_group": pa.int32(),
            "first_row": pa.int64(),
            "rows": pa.int64(),
            "first_ms": pa.int64(),
            "last_ms": pa.int64(),
        },
        "metadata": {"name": text, "type": text, "help": text, "unit": text},
        "samples": {"time_ms": pa.int64(), "value": pa.float64()},
        "histograms": {
            "row_group": pa.int32(),
            "row": pa.int64(),
            "schema": pa.int8(),
            "hint": pa.int8(),
            "count": pa.float64(),
            "sum": pa.float64(),
            "zero_threshold": pa.float64(),
            "zero_count": pa.float64(),
            "positive_index": _list_of(pa.int32()),
            "positive_count": _list_of(pa.float64()),
            "negative_index": _list_of(pa.int32()),
            "negative_count": _list_of(pa.float64()),
            "custom_values": _list_of(pa.float64()),
        },
    }
    return pa.schema([pa.field(n, kind, nullable=False) for n, kind in columns[role].items()])


def _list_of(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return pa.list_(pa.field("element", kind, nullable=False))
