"""Whatever a file holds, an importer gives series or one of our own errors."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.store.importers import (
    import_csv,
    import_file,
    import_llm_requests,
    import_openmetrics,
)

CELLS = st.sampled_from(
    [
        "", "1", "-1", "1e400", "nan", "1_0", "2023-11-14T22:13:20Z", "2023-99-99", "9999-12-31",
        "0001-01-01", "now", "1700000000", "1e18", "-1e18", "9e99", '"', '""', '"a\nb"', ",", "\x00", "é", "\r",
        "\u2028", "time", "value", "model", "200", "true", "x" * 200_000,
    ]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | CELLS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(CELLS, inner, max_size=2),
    max_leaves=4,
)
FIELDS = ["time", "model", "team", "input_tokens", "cached_tokens", "output_tokens", "status"]
FIELDS += ["error_type", "duration_seconds", "cache_hit", "prompt_tokens"]


def check(importer: Any, content: bytes, **options: Any) -> None:
    """Strict and lenient, plain and packed: nothing but our own errors; a report that adds up."""
    with tempfile.TemporaryDirectory() as folder:
        for lenient, data in ((False, content), (True, gzip.compress(content))):
            path = Path(folder) / "file.csv"
            path.write_bytes(data)
            try:
                imported = importer(path, lenient=lenient, **options)
            except WorkbenchError:
                continue
            report = imported.report
            assert report.rows_kept + report.rows_bad <= report.rows_read
            assert lenient or report.rows_bad == 0
            for labels, times, values in imported.series:
                assert labels["__name__"]
                assert "" not in labels.values()
                assert len(times) == len(values) > 0
                assert (times[1:] > times[:-1]).all()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=6))
def test_csv_of_odd_cells(rows: list[list[str]]) -> None:
    """Fields that are times, numbers, quotes and huge texts in any place."""
    body = "\n".join(",".join(row) for row in rows)
    check(import_csv, f"time,value,a,b\n{body}".encode())
    check(import_llm_requests, f"time,input_tokens,model,status\n{body}".encode(), step="100w")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6), max_size=5))
def test_json_of_any_values(rows: list[dict[str, Any]]) -> None:
    """Any JSON value in any field."""
    check(import_llm_requests, b"{}\n" + b"\n".join(map(orjson.dumps, rows)), step="100w")


@settings(deadline=None, max_examples=60)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"{", b"time,value\n", b"# TYPE a b\n", b"\x1f\x8b"]),
)
def test_any_bytes(data: bytes, start: bytes) -> None:
    """Binary content behind each format's beginning, by each importer."""
    for importer in (import_csv, import_openmetrics, import_llm_requests, import_file):
        check(importer, start + data)


@pytest.mark.parametrize(
    "importer", [import_csv, import_openmetrics, import_llm_requests, import_file]
)
def test_a_line_of_a_megabyte(importer: Any) -> None:
    """One endless line, and one endless field between good rows."""
    check(importer, b"x" * (1 << 20))
    check(importer, b"time,value,a\n1,1," + b"y" * (1 << 20) + b"\n2,1,b\n")
    check(importer, b'{"time":1,"model":"' + b"y" * (1 << 20) + b'"}\n')
    check(importer, b"[" * (1 << 20))
    check(importer, b'{"a":' * (1 << 18))
