"""Indexes of blocks, written by an independent writer, right ones and hostile ones."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tsdb_reference import (
    ULID,
    assemble,
    crc32c,
    entry,
    index_of,
    symbol_table,
    uvarint,
    write_block,
)

from workbench.cardinality.lint import LintRule, lint
from workbench.errors import InputError
from workbench.exposition import scan
from workbench.inventory import Inventory
from workbench.sources.tsdb import entries, holds_blocks, is_block, read_block, read_blocks
from workbench.sources.tsdb.checksums import short_checksums
from workbench.sources.tsdb.varints import uvarints, words_of

SERIES = [
    {"__name__": "http_requests_total", "job": "api", "path": "/", "method": "GET"},
    {"__name__": "http_requests_total", "job": "api", "path": "/", "method": "POST"},
    {"__name__": "http_requests_total", "job": "api"},
    {"__name__": "up", "job": "api", "Zone": "before __name__"},
    {"__name__": "up"},
    {"__name__": "http.server.duration", "label with spaces": 'a "b"\n<b>ü</b>\0'},
]

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
names = st.sampled_from(["job", "path", "Zone", "é", "a b", "pod", "le"]) | texts
label_sets = st.dictionaries(names.filter(lambda n: n != "__name__"), texts, max_size=5)
series = st.lists(
    st.builds(
        lambda n, d: {"__name__": n, **d}, st.sampled_from(["up", "a_total", "ü.b"]), label_sets
    ),
    max_size=30,
)


def listed(inventory: Inventory) -> set[frozenset[tuple[str, str]]]:
    """The series as sets of pairs; there are as many as the inventory counts."""
    found: list[frozenset[tuple[str, str]]] = []
    for name, metric in inventory.metrics.items():
        assert metric.table is not None
        assert metric.series == metric.table.series
        found += [frozenset({"__name__": name, **row}.items()) for row in metric.table.rows()]
    assert len(set(found)) == len(found) == inventory.series
    return set(found)


def sets(rows: list[dict[str, str]]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(row.items()) for row in rows}


@pytest.fixture
def block(tmp_path: Path) -> Path:
    return write_block(tmp_path / ULID, index_of(SERIES))


@given(rows=series)
@example(rows=[])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_series_is_read(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    """Whatever the labels are called and hold, the tables list what was written, each once."""
    write_block(tmp_path, index_of({frozenset(r.items()): r for r in rows}.values()))
    assert listed(read_block(tmp_path)) == sets(rows)


def test_batches_join(block: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a batch ends makes no difference."""
    monkeypatch.setattr(entries, "_AT_ONCE", 2)
    assert listed(read_block(block)) == sets(SERIES)
    monkeypatch.setattr(entries, "_BYTES_AT_ONCE", 1)
    assert listed(read_block(block)) == sets(SERIES)


def test_more_than_a_batch(tmp_path: Path) -> None:
    """Seventy thousand series, whose symbols have numbers of one, two and three bytes."""
    pods = [f"pod-{i:05d}".encode() for i in range(70_000)]
    symbols = [b"__name__", b"pod", *pods, b"up"]
    checksummed = [entry([0, len(symbols) - 1, 1, i + 2]) for i in range(len(pods))]
    write_block(tmp_path, assemble(symbol_table(symbols), checksummed))
    table = read_block(tmp_path).metrics["up"].table
    assert table is not None
    assert table.labels == ("pod",)
    assert {row["pod"].encode() for row in table.rows()} == set(pods)


@pytest.mark.parametrize("size", [100, 200, 20_000, 3_000_000])
def test_long_entries(tmp_path: Path, size: int) -> None:
    """A series of many chunks has a long entry, whose length takes more than one byte."""
    row = {"__name__": "up", "job": "api"}
    body = uvarint(2) + bytes([0, 3, 2, 1]) + bytes(size)
    from workbench.sources.prometheus.raw.crc32c import crc32c as fast

    long = uvarint(len(body)) + body + fast(body).to_bytes(4, "big")
    symbols = symbol_table([b"__name__", b"api", b"job", b"up"])
    write_block(tmp_path, assemble(symbols, [long, entry([0, 1])]))
    assert listed(read_block(tmp_path)) == sets([row, {"__name__": "api"}])


@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit(tmp_path: Path, position: float, bit: int) -> None:
    """The answer is right, or it is said that the file is damaged."""
    data = bytearray(index_of(SERIES))
    data[int(position * len(data))] ^= 1 << bit
    write_block(tmp_path, bytes(data))
    try:
        found = read_block(tmp_path)
    except InputError:
        return
    assert listed(found) == sets(SERIES)


def test_what_is_too_large_to_check(block: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without checksums the notes say so, and damage ends in an error or in tables that hold up."""
    monkeypatch.setattr(entries, "MOST_CHECKED", 0)
    assert listed(read_block(block)) == sets(SERIES)
    assert any("not computed" in note for note in read_block(block).notes)
    data = index_of(SERIES)
    refused = 0
    for place in range(5, len(data) - 52):
        for bit in (0, 7):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            try:
                listed(read_block(write_block(block, bytes(changed))))
            except InputError:
                refused += 1
    assert refused


def test_a_truncated_file(tmp_path: Path) -> None:
    """Wherever it is cut, it is refused."""
    data = index_of(SERIES)
    for size in range(len(data)):
        with pytest.raises(InputError, match="index"):
            read_block(write_block(tmp_path, data[:size]))


@given(data=st.binary(min_size=0, max_size=300), entry_bytes=st.binary(max_size=60))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_under_a_valid_contents_table(
    tmp_path: Path, data: bytes, entry_bytes: bytes
) -> None:
    """Bytes that mean nothing, under right checksums, are refused or read, and end."""
    good = symbol_table([b"__name__", b"job", b"up"])
    framed = uvarint(len(entry_bytes)) + entry_bytes + crc32c(entry_bytes).to_bytes(4, "big")
    for index in (assemble(data, []), assemble(good, [data]), assemble(good, [framed])):
        try:
            found = read_block(write_block(tmp_path, index))
        except InputError:
            continue
        listed(found)


SYMBOLS = [b"__name__", b"a", b"b", b"up"]


@pytest.mark.parametrize(
    ("symbols", "entries", "says"),
    [
        (SYMBOLS, [entry([0, 4])], "refers to symbols"),
        (SYMBOLS, [entry([0, 1 << 40])], "refers to symbols"),
        (SYMBOLS, [entry([0, 3], chunks=b"")], "leads past"),
        (SYMBOLS, [entry([0, 3], count=2)], "more labels than fit|leads past|refers"),
        (SYMBOLS, [entry([0, 3], count=1 << 31)], "more labels than fit"),
        (SYMBOLS, [entry([0, 3], count=1 << 60)], "more labels than fit"),
        (SYMBOLS, [entry([2, 1, 1, 1])], "not in order"),
        (SYMBOLS, [entry([1, 1, 1, 2])], "not in order"),
        (SYMBOLS, [entry([0, 3] * 10_001)], "10,001 labels"),
        (SYMBOLS, [b"\x00\x00\x00\x00\x00"], "empty or cut short"),
        (SYMBOLS, [b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"], "empty or cut short"),
        (SYMBOLS, [entry([0, 3])[:-1] + b"\x00"], "checksum"),
        ([b"__name__", b"b", b"a", b"up"], [], "not in order"),
        ([b"__name__", b"a", b"a", b"up"], [], "not in order"),
        ([b"", b"__name__", b"up"], [entry([0, 2, 1, 2])], "no name"),
    ],
)
def test_what_no_prometheus_writes(
    tmp_path: Path, symbols: list[bytes], entries: list[bytes], says: str
) -> None:
    """Each fault under a right checksum is told, and none asks for memory or time."""
    write_block(tmp_path, assemble(symbol_table(symbols), entries))
    with pytest.raises(InputError, match=says):
        read_block(tmp_path)


@pytest.mark.parametrize("said", [0, 3, 5, 2**32 - 1])
def test_a_wrong_number_of_symbols(tmp_path: Path, said: int) -> None:
    """The count that stands before them is held against them."""
    body = said.to_bytes(4, "big") + b"".join(uvarint(len(s)) + s for s in SYMBOLS)
    table = len(body).to_bytes(4, "big") + body + crc32c(body).to_bytes(4, "big")
    write_block(tmp_path, assemble(table, []))
    with pytest.raises(InputError, match="another number of symbols"):
        read_block(tmp_path)


@pytest.mark.parametrize("size", [0, 3, 1 << 20, 2**32 - 1])
def test_a_wrong_length_of_symbols(tmp_path: Path, size: int) -> None:
    """A length that leads out of the file asks for nothing."""
    table = symbol_table(SYMBOLS)
    write_block(tmp_path, assemble(size.to_bytes(4, "big") + table[4:], [entry([0, 3])]))
    with pytest.raises(InputError, match="symbols"):
        read_block(tmp_path)


def test_a_symbol_longer_than_the_table(tmp_path: Path) -> None:
    """Its length is hostile, its checksum right."""
    body = (1).to_bytes(4, "big") + b"\xff\xff\xff\xff\x0f" + b"up"
    table = len(body).to_bytes(4, "big") + body + crc32c(body).to_bytes(4, "big")
    write_block(tmp_path, assemble(table, []))
    with pytest.raises(InputError, match="cut short"):
        read_block(tmp_path)


def test_series_that_prometheus_would_not_take(tmp_path: Path) -> None:
    """Without a name they are left out and told; an empty value is no label; bad UTF-8 is written out."""
    symbols = [b"", b"__name__", b"a", b"up", b"\xff"]
    found = [entry([2, 3]), entry([1, 3, 2, 0]), entry([1, 3, 2, 4]), entry([])]
    write_block(tmp_path, assemble(symbol_table(symbols), found))
    inventory = read_block(tmp_path)
    assert listed(inventory) == sets([{"__name__": "up"}, {"__name__": "up", "a": "\\xff"}])
    assert any("2 series" in note and "without a name" in note for note in inventory.notes)


def test_versions(tmp_path: Path) -> None:
    """Another version of the format is told with its number."""
    data = bytearray(index_of(SERIES))
    data[4] = 1
    with pytest.raises(InputError, match="version 1 of the index format"):
        read_block(write_block(tmp_path, bytes(data)))


@pytest.mark.parametrize(
    "meta",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        '{"version": 1, "minTime": 1}',
        '{"version": 2, "minTime": 1, "maxTime": 2}',
        '{"version": 1, "minTime": true, "maxTime": 2}',
        '{"version": 1, "minTime": 1e999, "maxTime": 2}',
        '{"version": 1, "minTime": 1, "maxTime": 99999999999999999999}',
        '{"version": 1, "minTime": "2026", "maxTime": null}',
    ],
)
def test_a_bad_description(block: Path, meta: str) -> None:
    """A meta.json that Prometheus would not read either is refused."""
    (block / "meta.json").write_text(meta)
    with pytest.raises(InputError, match=r"meta\.json"):
        read_block(block)


def test_a_time_in_no_calendar(tmp_path: Path) -> None:
    """Times that cannot be written as a date are given as they are."""
    write_block(tmp_path, index_of(SERIES), start=-(2**62), end=2**62)
    assert "4611686018427387904 ms" in read_block(tmp_path).notes[0]


def test_missing_files(tmp_path: Path, block: Path) -> None:
    """A folder that is no block, and a block that lacks its index."""
    with pytest.raises(InputError, match="missing"):
        read_block(tmp_path / "nothing")
    (block / "index").unlink()
    assert not is_block(block)
    with pytest.raises(InputError, match="missing"):
        read_block(block)


def test_deletions_are_told(block: Path) -> None:
    """An empty file of deletions says nothing; a longer one means that series may be gone."""
    (block / "tombstones").write_bytes(bytes(9))
    assert not any("deleted" in note for note in read_block(block).notes)
    (block / "tombstones").write_bytes(bytes(30))
    assert any("deleted" in note for note in read_block(block).notes)


# ---------------------------------------------------------------- several blocks


def ulid(number: int) -> str:
    return f"01ARZ3NDEKTSV4RRFFQ69G{number:04d}"


def test_blocks_are_joined(tmp_path: Path) -> None:
    """A series of two blocks counts once; the notes give the time that all cover together."""
    write_block(tmp_path / ulid(1), index_of(SERIES[:4]))
    write_block(tmp_path / ulid(2), index_of(SERIES[2:]), start=7_200_000, end=14_400_000)
    write_block(tmp_path / f"{ulid(3)}.tmp-for-creation", b"")
    (tmp_path / "wal").mkdir()
    found = read_blocks(tmp_path)
    assert listed(found) == sets(SERIES)
    assert found.notes[0].startswith("2 blocks from 1970-01-01T00:00:00Z to 1970-01-01T04:00:00Z")
    assert any("chunks_head" in note for note in found.notes)
    assert found.origin == tmp_path.as_posix()


def test_one_bad_block_of_two(tmp_path: Path) -> None:
    """The other is read, and the bad one is told; where none is good, that is an error."""
    write_block(tmp_path / ulid(1), index_of(SERIES))
    write_block(tmp_path / ulid(2), b"nothing")
    found = read_blocks(tmp_path)
    assert listed(found) == sets(SERIES)
    assert found.unread_count == 1
    assert found.unread[0].path.endswith(ulid(2))
    assert "too few for an index" in found.unread[0].reason
    (tmp_path / ulid(1) / "index").write_bytes(b"")
    with pytest.raises(InputError, match="no block can be read"):
        read_blocks(tmp_path)


def test_a_block_compacted_while_it_is_read(tmp_path: Path) -> None:
    """A server may put another block in the place of those that wait: it is read instead."""
    for i, rows in enumerate((SERIES[:2], SERIES[2:4], SERIES[4:])):
        write_block(tmp_path / ulid(i), index_of(rows))

    def compact(done: int, total: int) -> None:
        if (tmp_path / ulid(2)).exists():
            (tmp_path / ulid(2)).rename(tmp_path / ulid(3))

    found = read_blocks(tmp_path, compact)
    assert listed(found) == sets(SERIES)
    assert not found.unread


def test_which_folders_hold_blocks(tmp_path: Path) -> None:
    """A data folder is known by its blocks, or by the parts of a head; nothing else is one."""
    assert not holds_blocks(tmp_path)
    assert not holds_blocks(tmp_path / "nothing")
    (tmp_path / "wal").mkdir()
    (tmp_path / "chunks_head").mkdir()
    assert holds_blocks(tmp_path)
    with pytest.raises(InputError, match="holds no block"):
        read_blocks(tmp_path)
    block = write_block(tmp_path / "data" / ulid(1), index_of(SERIES))
    assert holds_blocks(block.parent)
    assert is_block(block)
    assert listed(read_blocks(block)) == sets(SERIES)


# ---------------------------------------------------------------- numbers and checksums


@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 300), min_size=1, max_size=40))
def test_numbers_are_read_in_step(numbers: list[int]) -> None:
    """Each number and its end are those of a writer that goes byte by byte."""
    parts = [uvarint(n) for n in numbers]
    raw = np.frombuffer(b"".join(parts) + bytes(8), np.uint8)
    ends = np.cumsum([len(p) for p in parts])
    found, after = uvarints(words_of(raw), ends - [len(p) for p in parts])
    assert found.tolist() == numbers
    assert after.tolist() == ends.tolist()


@pytest.mark.parametrize("data", [uvarint(2**32), uvarint(2**35 - 1), b"\xff" * 8, b"\x80" * 8])
def test_numbers_that_are_too_large(data: bytes) -> None:
    """What has more than 32 bits is none."""
    raw = np.frombuffer(data + bytes(8), np.uint8)
    assert uvarints(words_of(raw), np.array([0]))[0].tolist() == [-1]


def test_checksums_of_all_lengths() -> None:
    """Stretches that overlap, of 0 to 200 bytes and two of thousands, as bit by bit."""
    dice = random.Random(1)
    data = dice.randbytes(9_000)
    lengths = [*range(200), 4_095, 4_096, 5_001]
    dice.shuffle(lengths)
    starts = [dice.randrange(len(data) - n) for n in lengths]
    found = short_checksums(np.frombuffer(data, np.uint8), np.array(starts), np.array(lengths))
    assert found.tolist() == [crc32c(data[a : a + n]) for a, n in zip(starts, lengths, strict=True)]


def test_types_are_unknown(block: Path) -> None:
    """A block does not say what type a metric has; its notes say that."""
    found: Mapping[str, object] = read_block(block).metrics
    assert set(found) == {"http_requests_total", "up", "http.server.duration"}
    assert "blocks hold no types and no help texts" in read_block(block).notes


def test_a_lack_of_help_is_not_held_against_a_block(block: Path) -> None:
    """It holds none of any metric; the same names in text are told to have none."""
    rules = {problem.rule for problem in lint(read_block(block))}
    assert LintRule.HELP not in rules
    assert LintRule.HELP in {problem.rule for problem in lint(scan("depth 1\n"))}
