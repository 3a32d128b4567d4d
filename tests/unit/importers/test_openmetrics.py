"""Exposition text as series: timestamps, default times, bad lines."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from workbench.errors import BadRowsError, InputError
from workbench.store.importers import import_openmetrics


def write(folder: Path, text: str) -> Path:
    """A packed file of this content."""
    path = folder / "page.prom.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_several_samples_a_series(tmp_path: Path) -> None:
    """OpenMetrics seconds become milliseconds; metadata without samples is left out."""
    text = (
        "# TYPE c counter\nc_total 1 10.5\nc_total 2 20.5\n"
        '# TYPE h histogram\nh_bucket{le="+Inf"} 1 10\n# TYPE other gauge\n# EOF\n'
    )
    imported = import_openmetrics(write(tmp_path, text), labels={"job": "x"})
    found = {
        s[0]["__name__"]: (s[0].get("job"), s[1].tolist(), s[2].tolist()) for s in imported.series
    }
    assert found["c_total"] == ("x", [10_500, 20_500], [1.0, 2.0])
    assert [m.name for m in imported.metadata] == ["c_total", "h"]
    assert (imported.report.rows_read, imported.report.rows_kept) == (3, 3)


def test_lines_without_a_timestamp_need_one(tmp_path: Path) -> None:
    """They are bad rows until the moment of the scrape is given."""
    path = write(tmp_path, "up 1 5000\ndown 1\n")
    with pytest.raises(BadRowsError, match="line 2: it has no timestamp"):
        import_openmetrics(path)
    imported = import_openmetrics(path, at="1970-01-01T00:00:07Z")
    assert [s[1].tolist() for s in imported.series] == [[5000], [7000]]
    assert any("1 lines have no timestamp" in note for note in imported.report.notes)
    with pytest.raises(InputError, match="not when a file was scraped"):
        import_openmetrics(path, at="now-1h")


def test_bad_lines(tmp_path: Path) -> None:
    """They stop the import, or are counted."""
    path = write(tmp_path, "up 1 1\nup{ 2 2\nup 3 3\n")
    with pytest.raises(BadRowsError, match=r"1 of 3 rows .*line 2"):
        import_openmetrics(path)
    imported = import_openmetrics(path, lenient=True)
    assert [s[2].tolist() for s in imported.series] == [[1.0, 3.0]]
    assert imported.report.bad[0].line == 2


def test_seconds_read_as_milliseconds_are_pointed_out(tmp_path: Path) -> None:
    """Text that lacks # EOF but has seconds lands in 1970: a note says so."""
    imported = import_openmetrics(write(tmp_path, "up 1 1700000000\n"))
    assert any("1970" in note for note in imported.report.notes)
    sure = import_openmetrics(write(tmp_path, "up 1 1700000000000\n"))
    assert not any("1970" in note for note in sure.report.notes)


def test_repeated_lines_are_noted(tmp_path: Path) -> None:
    """Two pages joined into one file: the later line stays."""
    imported = import_openmetrics(write(tmp_path, "up 1 5\nup 1 5\nup 2 5\n"))
    assert [s[2].tolist() for s in imported.series] == [[2.0]]
    assert len([n for n in imported.report.notes if "was kept" in n]) == 2
