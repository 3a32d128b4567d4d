"""Blocks that promtool and a real Prometheus wrote, against what they say of them themselves."""

from __future__ import annotations

import json
import random
import re
import subprocess
import time
import urllib.parse
from pathlib import Path

import numpy as np
import pytest
import servers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.inventory import Inventory
from workbench.samples import Series
from workbench.session.inventories import read_inventory
from workbench.sources.tsdb import read_block, read_blocks

pytestmark = pytest.mark.servers

START_MS = 1_767_225_607_000
DAY_MS = 86_400_000


def estate() -> list[Series]:
    """Three days of a histogram, a gauge whose labels differ, and values that are hard to write."""
    dice = random.Random(4)
    times = START_MS + np.arange(3) * DAY_MS
    made: list[Series] = []
    for i in range(40):
        for bound in ("0.1", "1", "+Inf"):
            labels = {"__name__": "wait_seconds_bucket", "pod": f"pod-{i}", "le": bound}
            kept = times[dice.randrange(3) :]
            made.append((labels, kept, np.arange(len(kept), dtype=np.float64)))
    for i in range(60):
        labels = {"__name__": "room", "Zone": f"z{i % 3}", f"only_{i % 7}": "x", "n": f"{i}"}
        made.append((labels, times[i % 3 : i % 3 + 1], np.ones(1)))
    odd = ['a "b"', "back\\slash", "new\nline", "ü → 日本", "<b>", "x" * 300, "😀"]
    made += [({"__name__": "odd", "text": text}, times, np.ones(3)) for text in odd]
    return made


def listed(inventory: Inventory) -> set[frozenset[tuple[str, str]]]:
    """The series as sets of pairs; there are as many as the inventory counts."""
    found = [
        frozenset({"__name__": name, **row}.items())
        for name, metric in inventory.metrics.items()
        for row in (metric.table.rows() if metric.table is not None else ())
    ]
    assert len(set(found)) == len(found) == inventory.series
    return set(found)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of three blocks; tests do not change it."""
    folder = tmp_path_factory.mktemp("tsdb") / "data"
    servers.backfill(estate(), folder)
    return folder


def blocks(data: Path) -> list[Path]:
    return sorted(p.parent for p in data.glob("*/meta.json"))


def test_all_blocks_hold_what_was_written(data: Path) -> None:
    """Every label set that was written, and no other; the notes give the time covered."""
    inventory = read_blocks(data)
    assert listed(inventory) == {frozenset(labels.items()) for labels, _, _ in estate()}
    assert len(blocks(data)) == 3
    assert inventory.notes[0].startswith(
        "3 blocks from 2026-01-01T00:00:07Z to 2026-01-03T00:00:07.001Z"
    )
    assert listed(read_inventory(str(data))) == listed(inventory)


def test_each_block_holds_what_its_own_days_saw(data: Path) -> None:
    """Series per block are those that had a sample in its time, as many as meta.json counts."""
    for block in blocks(data):
        meta = json.loads((block / "meta.json").read_text())
        inventory = read_block(block)
        assert inventory.series == meta["stats"]["numSeries"]
        assert listed(inventory) == {
            frozenset(labels.items())
            for labels, times, _ in estate()
            if ((times >= meta["minTime"]) & (times < meta["maxTime"])).any()
        }
        assert listed(read_inventory(str(block))) == listed(inventory)


def test_figures_are_those_of_promtool(data: Path) -> None:
    """Series, metrics, label names and their values are what ``tsdb analyze`` counts in a block."""
    block = blocks(data)[-1]
    text = subprocess.run(
        [servers.needs("promtool"), "tsdb", "analyze", "--limit=1000", data, block.name],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    inventory = read_block(block)
    tables = {name: m.table for name, m in inventory.metrics.items() if m.table is not None}
    assert int(re.findall(r"^Series: (\d+)$", text, re.MULTILINE)[0]) == inventory.series
    names = {label for table in tables.values() for label in table.labels}
    assert int(re.findall(r"^Label names: (\d+)$", text, re.MULTILINE)[0]) == len(names) + 1
    metrics = _section(text, "Highest cardinality metric names")
    assert metrics == {name: table.series for name, table in tables.items()}
    values = _section(text, "Highest cardinality labels")
    assert values.pop("__name__") == len(tables)
    assert values == {
        label: len({v for table in tables.values() for v in table.values_of(label)})
        for label in names
    }


def _section(text: str, title: str) -> dict[str, int]:
    lines = text.split(f"{title}:\n", 1)[1].split("\n\n", 1)[0].splitlines()
    return {name: int(count) for count, name in (line.split(" ", 1) for line in lines)}


def test_a_running_prometheus_lists_the_same(tmp_path: Path) -> None:
    """Its blocks are read while it runs and scrapes; /api/v1/series over their time agrees.

    What it has scraped since then is in its head, and the notes say that this is not read.
    """
    servers.backfill(estate(), tmp_path / "data")
    with servers.prometheus(tmp_path, scrape=["127.0.0.1:9"]) as server:
        query = urllib.parse.urlencode(
            {
                "match[]": '{__name__!=""}',
                "start": START_MS // 1000,
                "end": START_MS // 1000 + 200_000,
            }
        )
        answer = json.loads(servers.get(f"{server.url}/api/v1/series?{query}"))["data"]
        inventory = read_blocks(tmp_path / "data")
        assert listed(inventory) == {frozenset(row.items()) for row in answer}
        assert any("wal and chunks_head" in note for note in inventory.notes)


def test_a_snapshot_of_a_running_prometheus_holds_its_head(tmp_path: Path) -> None:
    """The admin API writes the head as a block too: the note's mend gives all that is there."""
    (tmp_path / "data").mkdir()
    with servers.prometheus(
        tmp_path, scrape=["127.0.0.1:9"], arguments=["--web.enable-admin-api"]
    ) as server:
        with pytest.raises(InputError, match="holds no block"):
            read_inventory(str(tmp_path / "data"))
        _wait_for_series(server.url)
        servers.post(f"{server.url}/api/v1/admin/tsdb/snapshot", b"")
        head = json.loads(servers.get(f"{server.url}/api/v1/status/tsdb"))["data"]["headStats"]
    (snapshot,) = (tmp_path / "data" / "snapshots").iterdir()
    inventory = read_inventory(str(snapshot))
    assert inventory.series == head["numSeries"]
    assert inventory.metrics["up"].distinct("job") == 2
    assert not any("chunks_head" in note for note in inventory.notes)


def _wait_for_series(url: str) -> None:
    end = time.monotonic() + servers.START_SECONDS
    while time.monotonic() < end:
        query = urllib.parse.urlencode({"query": "count(up) == 2"})
        if json.loads(servers.get(f"{url}/api/v1/query?{query}"))["data"]["result"]:
            return
        time.sleep(0.1)
    pytest.fail("nothing was scraped")


@given(place=st.integers(0, 1 << 30), bit=st.integers(0, 7), cut=st.booleans())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_index(data: Path, tmp_path: Path, place: int, bit: int, cut: bool) -> None:
    """Of a real index with one bit flipped, or cut, the answer is right or an error."""
    block = blocks(data)[0]
    raw = bytearray((block / "index").read_bytes())
    place %= len(raw)
    if cut:
        del raw[place:]
    else:
        raw[place] ^= 1 << bit
    copy = tmp_path / block.name
    copy.mkdir(exist_ok=True)
    (copy / "meta.json").write_bytes((block / "meta.json").read_bytes())
    (copy / "index").write_bytes(raw)
    try:
        found = read_block(copy)
    except InputError:
        return
    assert not cut
    assert listed(found) == listed(read_block(block))
