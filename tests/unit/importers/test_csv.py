"""CSV of samples: real files, every shape of time and value, and rows that are bad."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import BadRowsError, InputError
from workbench.samples import MetricType, Samples
from workbench.store.importers import import_csv

NAB = Path(__file__).parents[4] / "shared" / "data" / "nab"
DAY_MS = 1_700_000_000_000


def write(folder: Path, text: str | bytes, name: str = "cpu load.csv") -> Path:
    """A file of this content."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def samples(path: Path, **options: object) -> Samples:
    """What a file holds."""
    series = import_csv(path, **options).series  # type: ignore[arg-type]
    assert isinstance(series, Samples)
    return series


@pytest.mark.parametrize("path", sorted(NAB.glob("*.csv")) or [None], ids=lambda p: p and p.stem)
def test_real_cloudwatch_series(path: Path | None) -> None:
    """Every moment of a real file is there with the file's last value for it."""
    if path is None:
        pytest.skip(f"the real inputs are not at {NAB}")
    want: dict[int, float] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            moment = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
            want[int(moment.timestamp()) * 1000] = float(row["value"])
            read = row
    assert read
    imported = import_csv(path)
    [(labels, times, values)] = list(imported.series)
    assert labels == {"__name__": path.stem}
    assert dict(zip(times.tolist(), values.tolist(), strict=True)) == want
    assert imported.report.rows_bad == 0
    assert imported.report.rows_kept == len(want)


@pytest.mark.parametrize(
    "moment",
    [
        "2023-11-14T22:13:20Z",
        "2023-11-14 22:13:20",
        "2023-11-15T00:13:20+02:00",
        "2023-11-14T22:13:20.000400Z",
        "1700000000",
        "1700000000.0004",
        "1.7e9",
        "1700000000000",
        "1700000000000999",
        "1700000000000999999",
        " 1700000000 ",
    ],
)
def test_every_way_to_write_a_moment(tmp_path: Path, moment: str) -> None:
    """ISO with and without a zone, and seconds, milli-, micro- and nanoseconds since 1970."""
    assert samples(write(tmp_path, f"ts,value\n{moment},1\n")).times_ms.tolist() == [DAY_MS]


def test_labels_names_and_shapes(tmp_path: Path) -> None:
    """Columns in any order, CRLF, BOM, quoted fields with newlines, unsorted, no final newline."""
    text = (
        '\ufeffhost,value,Data Center,time\r\n"a,\n""b""",2,eu,20\r\nc,1,,20\r\n"a,\n""b""",1,eu,10'
    )
    imported = import_csv(write(tmp_path, text), labels={"job": "x"}, type="counter", unit="s")
    [first, second] = list(imported.series)
    assert first[0] == {
        "__name__": "cpu_load",
        "host": 'a,\n"b"',
        "Data_Center": "eu",
        "job": "x",
    }
    assert (first[1].tolist(), first[2].tolist()) == ([10_000, 20_000], [1.0, 2.0])
    assert second[0] == {"__name__": "cpu_load", "host": "c", "job": "x"}
    [metadata] = imported.metadata
    assert (metadata.name, metadata.type, metadata.unit) == ("cpu_load", MetricType.COUNTER, "s")
    assert any("'Data Center' is Data_Center" in note for note in imported.report.notes)


def test_where_the_metric_name_comes_from(tmp_path: Path) -> None:
    """The argument wins over the column, and the column over the file's name."""
    path = write(tmp_path, "time,value,metric\n1,1,a_total\n1,2,b\n")
    assert [s[0]["__name__"] for s in import_csv(path).series] == ["a_total", "b"]
    assert [m.type.value for m in import_csv(path).metadata] == ["counter", "gauge"]
    [(first, _, _), (second, _, _)] = list(import_csv(path, metric="c").series)
    assert first == {"__name__": "c", "metric": "a_total"}
    assert second == {"__name__": "c", "metric": "b"}
    plain = write(tmp_path, "time,value\n1,1\n", "2014-load.1m.csv.gz")
    plain.write_bytes(gzip.compress(plain.read_bytes()))
    assert [s[0]["__name__"] for s in import_csv(plain).series] == ["_2014_load_1m"]


def test_columns_can_be_named(tmp_path: Path) -> None:
    """A mapping finds time and value under any header; a wrong one suggests the right name."""
    path = write(tmp_path, "when;cpu\n1;5\n")
    assert samples(path, columns={"time": "when", "value": "cpu"}).values.tolist() == [5.0]
    with pytest.raises(InputError, match="did you mean 'when'"):
        import_csv(path, columns={"time": "whn", "value": "cpu"})
    with pytest.raises(InputError, match="no column for the time"):
        import_csv(path)


def test_special_values_and_absent_ones(tmp_path: Path) -> None:
    """NaN and infinities are values; an empty field is no sample, and is counted."""
    imported = import_csv(write(tmp_path, "time,value\n1,NaN\n2,+Inf\n3,\n4,1e-3\n5, \n"))
    [(_, times, values)] = list(imported.series)
    assert times.tolist() == [1000, 2000, 4000]
    assert np.array_equal(values, [np.nan, np.inf, 0.001], equal_nan=True)
    assert (imported.report.rows_read, imported.report.rows_kept) == (5, 3)
    assert any("2 rows have an empty value" in note for note in imported.report.notes)


def test_two_rows_at_one_time(tmp_path: Path) -> None:
    """The later row stays; the notes tell equal from different values and name the line."""
    report = import_csv(write(tmp_path, "time,value\n1,1\n1,1\n2,5\n2,6\n")).report
    assert report.rows_kept == 2
    assert any("1 rows" in n and "the same value" in n and "line 2" in n for n in report.notes)
    assert any("1 rows" in n and "another value" in n and "line 4" in n for n in report.notes)


BAD = (
    "time,value,host\n"
    "1,1,a\n"
    "soon,1,a\n"  # line 3
    "2,much,a\n"
    "3,1_000,a\n"
    "4,1\n"
    "5,1,a,b\n"
    '6,1,"a\nb"\n'  # lines 8 and 9, good
    '7,1,"a"b\n'  # line 10
    "now,1,a\n"
    "8,1,\x00\n"  # line 12, good
    "9,1,b\n"
)


def test_bad_rows_stop_the_import_and_are_told(tmp_path: Path) -> None:
    """All or nothing: the message counts, shows the first lines and says what to do."""
    path = write(tmp_path, BAD)
    with pytest.raises(BadRowsError) as caught:
        import_csv(path)
    assert "7 of 11 rows" in caught.value.what
    assert "line 3: 'soon' is not a time; line 4: 'much' is not a number" in caught.value.what
    assert "and 4 more" in caught.value.what
    assert "--lenient" in caught.value.mend


def test_lenient_keeps_the_good_rows(tmp_path: Path) -> None:
    """With lenient the good rows stay and the report names every bad line."""
    imported = import_csv(write(tmp_path, BAD), lenient=True)
    assert [row.line for row in imported.report.bad] == [3, 4, 5, 6, 7, 10, 11]
    assert sorted(t for _, times, _ in imported.series for t in times) == [1000, 6000, 8000, 9000]
    assert {labels["host"] for labels, _, _ in imported.series} == {"a", "a\nb", "\x00", "b"}


def test_not_utf8_is_told_by_line(tmp_path: Path) -> None:
    """Latin-1 in one row is one bad row; UTF-16 says how to convert the file."""
    path = write(tmp_path, b"time,value,host\n1,1,ok\n2,1,\xe9\n3,1,ok\n")
    with pytest.raises(BadRowsError, match=r"1 of 3 rows .*line 3: it is not UTF-8"):
        import_csv(path)
    assert samples(path, lenient=True).times_ms.tolist() == [1000, 3000]
    with pytest.raises(InputError, match="UTF-16"):
        import_csv(write(tmp_path, "time,value\n1,1\n".encode("utf-16")))


def test_twenty_bad_rows_are_kept_word_for_word(tmp_path: Path) -> None:
    """A file of bad rows does not fill the memory with reasons."""
    path = write(tmp_path, "time,value\n" + "x,1\n" * 1000 + "1,1\n")
    report = import_csv(path, lenient=True).report
    assert (report.rows_bad, len(report.bad), report.rows_kept) == (1000, 20, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header"),
        ("time,value\n", "holds no sample"),
        ("time,value,time\n1,1,1\n", "'time' stands twice"),
        ("time,a b,a-b,value\n1,1,1,1\n", "'a_b' .* has two origins"),
        ("time,value,__name__\n1,1,\n", "no metric name"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    """Each gives one clear message."""
    with pytest.raises(InputError, match=message):
        import_csv(write(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, a folder, a damaged or a cut gzip file: an input error that names the file."""
    good = gzip.compress(b"time,value\n1,1\n" * 1000)
    for path in (
        tmp_path / "missing.csv",
        tmp_path,
        write(tmp_path, good[:-20], "cut.csv.gz"),
        write(tmp_path, good[:20] + b"\xff" * 30 + good[50:], "damaged.csv.gz"),
        Path("nul\x00.csv"),
    ):
        with pytest.raises(InputError, match="cannot be"):
            import_csv(path)


def test_two_chunks_of_rows_join(tmp_path: Path) -> None:
    """More rows than one chunk, with a label each: nothing is lost at the border."""
    rows = "".join(f"{i},{i},{i % 7}\n" for i in range(150_000))
    read = samples(write(tmp_path, f"time,value,shard\n{rows}"))
    assert (len(read), read.rows) == (7, 150_000)
    assert sorted(read.values.tolist()) == list(range(150_000))
