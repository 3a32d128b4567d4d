"""Telling formats apart, by ending and by content."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from workbench.errors import InputError
from workbench.store.importers import detect_format, import_file


@pytest.mark.parametrize(
    ("name", "text", "format_"),
    [
        ("a.csv", "timestamp,value\n1,1\n", "csv"),
        ("a.txt", "time;value;host\n1;1;a\n", "csv"),
        ("a.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n1,2,3\n", "llm"),
        ("a.csv", "time,model,status\n1,m,200\n", "llm"),
        ("a.csv", "when,cpu\n1,1\n", "csv"),
        ("a.log", '{"time": 1, "model": "m"}\n', "llm"),
        ("a.jsonl", "", "llm"),
        ("metrics", "# TYPE up gauge\nup 1 5\n", "openmetrics"),
        ("metrics", '{"my.metric",a="1"} 1 5\n', "openmetrics"),
        ("metrics.txt", 'up{a="1,2"} 1 5\n', "openmetrics"),
        ("a.prom", "", "openmetrics"),
    ],
)
def test_formats(tmp_path: Path, name: str, text: str, format_: str) -> None:
    """Each is told, packed or not."""
    plain, packed = tmp_path / name, tmp_path / f"{name}.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    assert detect_format(plain) == detect_format(packed) == format_


def test_what_is_none_of_them(tmp_path: Path) -> None:
    """A picture gives a message that lists the formats."""
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    with pytest.raises(InputError, match="neither like CSV") as caught:
        import_file(path)
    assert "csv, openmetrics, llm" in caught.value.mend


def test_options_go_to_the_importer_and_wrong_ones_are_told(tmp_path: Path) -> None:
    """An option of another format is an input error, not a Python one."""
    path = tmp_path / "a.csv"
    path.write_text("time,value\n1,1\n")
    assert import_file(path, metric="up").metadata[0].name == "up"
    with pytest.raises(InputError, match="did you mean 'metric'"):
        import_file(path, metrik="up")
    with pytest.raises(InputError, match="'excel' is not a format"):
        import_file(path, format="excel")  # type: ignore[arg-type]
