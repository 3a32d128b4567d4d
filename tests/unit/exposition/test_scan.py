"""Scanning against parsing: the same series, the same errors, on usual and on hostile text."""

from __future__ import annotations

import gzip
import io
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.exposition import parse, scan
from workbench.exposition.series_text import write_series
from workbench.inventory import Inventory
from workbench.samples import MetricType

REAL = Path(__file__).parents[4] / "shared" / "data" / "exposition"
BLOCKS = sys.modules["workbench.exposition.byte_blocks"]

Series = frozenset[tuple[str, str]]


def scanned(inventory: Inventory) -> set[Series]:
    """Every series of an inventory."""
    return {
        frozenset({("__name__", metric.name), *row.items()})
        for metric in inventory.metrics.values()
        for row in metric.table.rows()  # type: ignore[union-attr]
    }


@pytest.fixture(autouse=True, params=[0, 1 << 30], ids=["columns", "lines"])
def road(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take each of the two roads for texts of any size."""
    with patch.object(sys.modules["workbench.exposition.scan"], "SMALL", request.param):
        yield


def agree(text: bytes, block_bytes: int = 1 << 22) -> Inventory:
    """Scan and parse a text and hold one against the other."""
    truth = parse(text)
    with patch.object(BLOCKS, "BLOCK_BYTES", block_bytes):
        inventory = scan(text)
    rows = [
        (frozenset((k, v) for k, v in truth.labels[place].items() if v), time)
        for place, time in zip(truth.series_of.tolist(), truth.times_ms.tolist(), strict=True)
    ]
    assert scanned(inventory) == {labels for labels, _ in rows}
    assert inventory.series == len({labels for labels, _ in rows})
    assert inventory.duplicate_count == sum(n - 1 for n in Counter(rows).values())
    assert [(u.line, u.reason) for u in inventory.unread] == sorted(
        (e.line, e.reason) for e in truth.errors
    )
    assert inventory.unread_count == truth.error_count
    assert tuple(inventory.metadata.values()) == truth.metadata
    return inventory


PIECES = st.sampled_from(
    [
        "up", "{", "}", '"', "\\", "=", ",", " ", "\n", "\r\n", "\r", "#", "# TYPE", "# HELP", "# EOF\n",
        " # {", "1", "-1e9", "NaN", "+Inf", "1e400", "le", "_total", "counter", "\x00", "é", "\t", "a",
        '\\"', "\\\\", "\\n", 'up{a="\\', "1700000000", "1.5", '{a="1"} 1\n', 'up{a="', '",b="', '"} 2\n', '"} 3 4\n', '="x"', "__name__",
    ]
)  # fmt: skip

VALUES = st.one_of(
    st.sampled_from(["", "GET", "a", '"', "\\", "}", "{", " # {", "\n", ",b=", '",b="', "<b>", "é", "\x00"]),
    st.text(max_size=6),
)  # fmt: skip
NAMES = st.sampled_from(["up", "http_requests_total", "my.metric", "a:b"])
LABELS = st.dictionaries(st.sampled_from(["a", "b", "le", "label.x"]), VALUES, max_size=3)
TAILS = st.sampled_from(
    [" 1", " 1.5e-3", " NaN", " +Inf", " 2 1700000000000", " 2 17.25", ' 3 # {t="} 1"} 0.5', " x", "", " 1 2 3", " .5"]
)  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line as an exporter would write it, with hostile values and some faults."""
    kind = draw(st.integers(0, 12))
    if kind == 0:
        name = draw(NAMES)
        words = draw(st.sampled_from(["counter", "gauge", "untyped", "nonsense", "histogram"]))
        return f"# TYPE {name} {words}"
    if kind == 1:
        return draw(
            st.sampled_from(["", " ", "# a comment", "# EOF", '# HELP up A "quoted" one.', "#"])
        )
    try:
        text = write_series(draw(NAMES), draw(LABELS)) + draw(TAILS)
        text.encode()
    except UnicodeEncodeError:
        return "up 1"
    return text.replace("\n", "\\n")


@settings(deadline=None, max_examples=150)
@given(
    st.lists(lines(), max_size=25),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.integers(1, 99),
)
def test_lines_of_exporters(text: list[str], end: str, ended: bool, block_bytes: int) -> None:
    """Series, duplicates, families and errors are those of `parse`, however the text is cut."""
    agree((end.join(text) + end * ended).encode(), block_bytes)


@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES, max_size=40).map("".join), st.integers(1, 99))
@example('up{a="1"} 2 # {t="\x00"} 1\n', 5)
@example('up{__name__="x"} 1\nup{a="x",__name__="y"} 1', 7)
@example('up{a="x",b="y",} 1\n# EOF\nup{a="x",b="z"} 1', 64)
def test_pieces_of_the_grammar_in_any_order(text: str, block_bytes: int) -> None:
    """Text that is hardly exposition text is read as `parse` reads it."""
    agree(text.encode(), block_bytes)


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(b'up{a="\xff"} 1\nup 1\n\xff\xfe')
def test_any_bytes(data: bytes) -> None:
    """Binary input gives the errors that `parse` gives."""
    if not data.startswith(b"\x1f\x8b"):
        agree(data)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["\\", "\\", '"', "n", "x", ",b=", "}", " 1"]), max_size=9).map(
        "".join
    )
)
def test_runs_of_backslashes(value: str) -> None:
    """Whether a quote ends a value depends on the parity of what stands before it."""
    agree(f'up{{a="{value}",c="y"}} 1\nup{{a="\\\\{value}"}} 1\n'.encode())


@pytest.mark.parametrize("name", ["node-exporter-1.5.prom", "prometheus-2.42.prom"])
def test_real_pages(name: str) -> None:
    """Real /metrics pages, whole and in small blocks."""
    if not REAL.is_dir():
        pytest.skip(f"the real inputs are not at {REAL}")
    inventory = agree((REAL / name).read_bytes())
    assert inventory.unread == ()
    agree((REAL / name).read_bytes(), 700)


def test_one_text_in_many_ways(tmp_path: Path) -> None:
    """A path, a stream, pieces, gzip in one or two members, and text give one result."""
    text = b"".join(b'up{job="j%d",path="/a/%d"} %d\n' % (i % 7, i, i) for i in range(5_000))
    plain, packed = tmp_path / "a.prom", tmp_path / "b.prom.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text))
    cut = text.index(b"\n", len(text) // 2) + 1
    members = gzip.compress(text[:cut]) + gzip.compress(text[cut:]) + b"\0" * 512
    tiny = (text[i : i + 97] for i in range(0, len(text), 97))
    ways = [plain, packed, io.BytesIO(text), text, text.decode(), members, tiny, iter([members])]
    wanted = scanned(scan(text))
    assert len(wanted) == 5_000
    for way in ways:
        with patch.object(BLOCKS, "BLOCK_BYTES", 10_000):
            inventory = scan(way)  # type: ignore[arg-type]
        assert scanned(inventory) == wanted
        assert inventory.unread_count == 0
    assert scan(plain).metrics["up"].place is not None
    assert str(scan(plain).metrics["up"].place) == f"{plain.as_posix()}:1"


@pytest.mark.parametrize("fault", ["cut", "damaged"])
def test_gzip_that_breaks_off_is_told(fault: str) -> None:
    """What can be unpacked is counted, the rest is an unread line."""
    text = b"".join(b'up{job="%d"} 1\n' % (i * i) for i in range(20_000))
    packed = bytearray(gzip.compress(text))
    if fault == "damaged":
        packed[len(packed) // 2 :] = b"\xaa" * 2_000
    inventory = scan(bytes(packed[: len(packed) - 2_000] if fault == "cut" else packed))
    assert 1_000 < inventory.series < 20_000
    assert "gzip" in inventory.unread[-1].reason
    assert inventory.unread[-1].line > inventory.series


def test_a_line_of_ten_megabytes_and_one_that_never_ends() -> None:
    """The one is read, the other left out and told; the lines around them are read."""
    big = b"x" * 10_000_000
    assert scan(b'up{a="1"} 1\nup{a="' + big + b'"} 1\nup{a="2"} 1\n').series == 3

    def endless() -> Iterator[bytes]:
        yield b'up{a="1"} 1\nup{a="'
        for _ in range(80):
            yield b"y" * 1_000_000
        yield b'"} 1\nup{a="2"} 1\n'

    inventory = scan(endless())
    assert inventory.series == 2
    assert [(u.line, u.reason) for u in inventory.unread] == [(2, "the line is longer than 64 MB")]


def test_families_types_and_places() -> None:
    """A histogram's series know their family; help and unit come from the comments."""
    inventory = scan(
        "# HELP lat_seconds Time taken.\n# TYPE lat_seconds histogram\n# UNIT lat_seconds seconds\n"
        'lat_seconds_bucket{le="1"} 1 # {trace_id="a"} 0.5\nlat_seconds_bucket{le="+Inf"} 1\n'
        "lat_seconds_sum 0.5\nlat_seconds_count 1\n# TYPE hits counter\nhits_total 1\nlone 1\n# EOF\n"
    )
    assert {n: m.family for n, m in inventory.metrics.items()} == {
        "lat_seconds_bucket": "lat_seconds",
        "lat_seconds_sum": "lat_seconds",
        "lat_seconds_count": "lat_seconds",
        "hits_total": "hits",
        "lone": "lone",
    }
    bucket = inventory.metrics["lat_seconds_bucket"]
    assert (bucket.type, bucket.help, bucket.unit) == (
        MetricType.HISTOGRAM,
        "Time taken.",
        "seconds",
    )
    assert inventory.metrics["lone"].type is MetricType.UNKNOWN
    assert str(inventory.metrics["hits_total"].place) == "text:9"
    assert inventory.metadata["hits"].name == "hits_total"


def test_native_histograms_in_text_are_counted_as_such() -> None:
    """The composite values of OpenMetrics 2.0 are one series each; other composites are unread."""
    value = "{count:3,sum:1.5,schema:2,zero_threshold:1e-9,zero_count:0,positive_spans:[0:2],positive_buckets:[1,2]}"
    inventory = scan(
        f'# TYPE lat histogram\nlat{{a="x"}} {value}\nlat {value} 17.5\n'
        'lat{a="y"} {count:3,sum:1.5,bucket:[1:3]}\nlat{a="{schema:1}"} 1\n# EOF\n'
    )
    assert (inventory.metrics["lat"].series, inventory.metrics["lat"].native) == (3, 2)
    assert [u.line for u in inventory.unread] == [4]


def test_duplicates_are_listed_but_not_other_times_and_targets() -> None:
    """Twice without a time, or with one time, is a fault; a second moment or target is none."""
    text = 'up{a="1"} 1\nup{a="1",b=""} 2\nt{a="1"} 1 10\nt{a="1"} 2 20\nt{a="2"} 1 30\nt{a="2"} 1 30\n'
    inventory = scan(text)
    assert inventory.duplicates == ('up{a="1"}', 't{a="2"}')
    assert inventory.duplicate_count == 2
    twice = scan('up{a="1"} 1\n', 'up{a="1"} 1\nup{a="2"} 1\n', names=["one", "two"])
    assert (twice.series, twice.duplicate_count) == (2, 0)
    assert twice.origin == "one, two"
    many = scan("".join(f'up{{a="{i}"}} 1\n' * 2 for i in range(300)))
    assert (len(many.duplicates), many.duplicate_count) == (100, 300)


def test_a_last_line_without_its_end_is_said() -> None:
    """A number may have lost digits: the series counts, and a note says so."""
    inventory = scan('up{a="1"} 1\nup{a="2"} 1')
    assert inventory.series == 2
    assert inventory.notes == ("text does not end in a newline: its last line may be cut short",)
    assert scan(b"").notes == ("text is empty",)


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    """The message names the file and what to do."""
    with pytest.raises(InputError, match=r"nothing\.prom cannot be read"):
        scan(tmp_path / "nothing.prom")


def test_seconds_where_milliseconds_should_stand() -> None:
    """A time with a fraction is right only in OpenMetrics; elsewhere its line is unread."""
    agree(b'up{a="1"} 1 1.5\nup{a="2"} 1 2\nup{a="3"} 1\n')
    agree(b'up{a="1"} 1 1.5\nup{a="2"} 1 2\nup{a="3"} 1\n# EOF\n')


def test_thousands_of_errors_are_counted_and_the_first_kept() -> None:
    """A thousand are listed, all are counted."""
    inventory = scan("".join(f"up{{a={i}}} 1\n" for i in range(3_000)))
    assert (inventory.series, inventory.unread_count, len(inventory.unread)) == (0, 3_000, 1_000)
    assert inventory.unread[999].line == 1_000


@pytest.mark.parametrize(
    "exemplar",
    [
        '# {t="1"} 0.5',
        '# {t="1"} 0.5 17.25',
        '# {t="1",s="2"} 1e3 -1',
        '# {t="1",t="2"} 1',
        '# {__name__="1"} 1',
        '# {t="1",s="2",u="3"} 1',
        '# {t="1"} x',
        '# {t="1"}',
        '# {t="1"} 1 # {s="2"} 1',
        '# {t="} 1 # {s="} 2',
        "# {} 1",
        '#{t="1"} 1',
        '# { t = "1" , } 1',
        '# {t="\\"} 1"} 2',
    ],
)
@pytest.mark.parametrize("value", ["1", "1 17", "1.5 1.25"])
def test_exemplars(value: str, exemplar: str) -> None:
    """Right ones and wrong ones, alone and among usual lines, as `parse` takes them."""
    line = f'up{{a="1",b="x"}} {value} {exemplar}\n'
    around = ('up{a="1",b="y"} 2\n', 'up{a="} 1 # {c=",b="y"} 2\n# EOF\n')
    agree(line.join(around).encode())
    agree(line.encode())


def test_a_metric_whose_lines_share_no_label_is_counted_without_a_table() -> None:
    """Ten thousand labels on ten thousand series would make a table of a hundred million cells."""
    inventory = scan(
        "".join(f'm{{l{i}="{i % 7}"}} 1\n' for i in range(9_000)) + 'm{l1="x",l2=""} 1\n'
    )
    metric = inventory.metrics["m"]
    assert metric.table is None
    assert (metric.series, len(metric.labels), metric.distinct("l1")) == (9_001, 9_000, 2)
    assert "9,000 different labels" in inventory.notes[0]
