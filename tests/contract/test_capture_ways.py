"""Each way of reading raw samples gives what the server holds, to the bit."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import servers

from workbench.capture import capture, planning
from workbench.capture.reading import reading_named
from workbench.promql.matcher import Matcher
from workbench.samples import STALE_NAN, Series, is_stale
from workbench.settings import SourceSettings
from workbench.sources.prometheus import PrometheusSource
from workbench.store import SnapshotStore

START = servers.TRUTH_START_MS
EVERYTHING = [Matcher("__name__", "!=", "")]

Content = dict[tuple[tuple[str, str], ...], list[tuple[int, int]]]

_DUMPED = re.compile(r"(\{.*\}) (\S+) (\d+)")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def bits(values: np.ndarray) -> list[int]:
    """The bits of values, every NaN that is no staleness marker as one."""
    plain = np.where(np.isnan(values) & ~is_stale(values), np.nan, values)
    return plain.view(np.uint64).tolist()


def content(series: list[Series]) -> Content:
    """Series that can be compared."""
    return {
        tuple(sorted(labels.items())): list(zip(t.tolist(), bits(v), strict=True))
        for labels, t, v in series
    }


def stored(path: Path) -> Content:
    """What a snapshot holds."""
    return content(list(SnapshotStore(path).select(EVERYTHING, 0, 10**14)))


def dumped(data: Path, start: int, end: int) -> Content:
    """What a Prometheus that has stopped left on its disk, by its own tool.

    The tool writes staleness markers and other NaN alike, so here all are markers.
    """
    command = [
        servers.needs("promtool"),
        "tsdb",
        "dump",
        f"--min-time={start}",
        f"--max-time={end}",
    ]
    text = subprocess.run([*command, data], capture_output=True, text=True, check=True).stdout
    found: Content = {}
    for labels, value, at in _DUMPED.findall(text):
        pairs = [
            (k, v.encode().decode("unicode_escape") if "\\" in v else v)
            for k, v in _PAIR.findall(labels)
        ]
        number = STALE_NAN if value == "NaN" else float(value)
        key = tuple(sorted(pairs))
        found.setdefault(key, []).append((int(at), *bits(np.array([number]))))
    return found


def test_all_that_a_prometheus_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that overlap, the head, a target that went away: equal to a dump of its disk."""
    monkeypatch.setattr(planning, "_BATCH_METRICS", 60)
    data = tmp_path / "server" / "data"
    times = START + np.arange(1_000) * 15_000
    walk = np.cumsum(np.sin(times))
    early: Series = ({"__name__": "both", "in": "two blocks"}, times[:700], walk[:700])
    late: Series = ({"__name__": "both", "in": "two blocks"}, times[300:], walk[300:])
    between = ({"__name__": "both", "in": "turns"}, times[:700:2], walk[:700:2])
    others = ({"__name__": "both", "in": "turns"}, times[1:700:2], walk[1:700:2])
    for block in ([early, between], [late, others]):
        servers.backfill(block, data)
    with (
        servers.node_exporter(tmp_path / "node") as node,
        servers.prometheus(
            tmp_path / "server",
            scrape=[node.url.removeprefix("http://")],
            external_labels="cluster: eu",
        ) as server,
    ):
        wait_for(server.url, "up == 1", 2)
        time.sleep(2)
        node.kill()
        wait_for(server.url, 'up{job="node"} == 0', 1)
        time.sleep(3)
        end = round(time.time() * 1000) - 2_000
        with PrometheusSource(SourceSettings(url=server.url)) as source:
            manifest = capture(source, ['{__name__!=""}'], START, end, tmp_path / "copy")
    got, want = stored(tmp_path / "copy"), dumped(data, START, end)
    [stale, nan] = bits(np.array([STALE_NAN, np.nan]))
    assert set(got) == set(want)
    assert {
        key: [(at, stale if number == nan else number) for at, number in rows]
        for key, rows in got.items()
    } == want
    assert len(got[("__name__", "both"), ("in", "two blocks")]) == 1_000
    assert len(got[("__name__", "both"), ("in", "turns")]) == 700
    ended = [rows for key, rows in got.items() if ("__name__", "node_load1") in key]
    assert [rows[-1][1] for rows in ended] == [stale]
    assert manifest.complete
    assert any("remote-read" in note for note in manifest.notes)


def wait_for(url: str, expression: str, series: int) -> None:
    """Until a query gives so many series."""
    give_up = time.monotonic() + servers.START_SECONDS
    with PrometheusSource(SourceSettings(url=url)) as source:
        while time.monotonic() < give_up:
            if len(source.query(expression, source.now_ms()).data) >= series:
                return
            time.sleep(0.1)
    pytest.fail(f"{expression} never gave {series} series")


def external_series() -> list[Series]:
    """Series that differ only in what a server with ``cluster: eu`` adds to some of them."""
    times = START + np.arange(5) * 15_000
    sets: list[dict[str, str]] = [
        {"cluster": "eu", "i": "own"},
        {"cluster": "us", "i": "own"},
        {"i": "own"},
        {"i": "none"},
        {"dc": "x", "i": "other"},
    ]
    return [
        ({"__name__": "ext", **labels}, times, np.arange(5.0) + 10 * n)
        for n, labels in enumerate(sets)
    ]


@pytest.mark.parametrize(
    "selector",
    [
        "ext",
        'ext{cluster="eu"}',
        'ext{cluster=""}',
        'ext{cluster!="eu"}',
        'ext{cluster=~"eu|us"}',
        'ext{dc=""}',
        'ext{dc="x"}',
        'ext{cluster="",dc!="x"}',
        'ext{nowhere=""}',
    ],
)
@pytest.mark.parametrize("way", ["remote-read", "range selectors"])
def test_external_labels_are_neither_added_nor_taken_for_granted(
    external: str, tmp_path: Path, selector: str, way: str
) -> None:
    """A server's own pairs and those that it adds are told apart, also where they look the same."""
    with PrometheusSource(SourceSettings(url=external)) as source:
        reading = reading_named(source, way)
        window = (START, START + 60_000)
        listed = source.series([selector], *window)
        [batch] = planning.plan(source, [selector], *window).batches
        raw = reading.read(batch, window, lambda: None)
    want = [one for one in external_series() if one[0] in listed]
    assert reading.name == way
    assert content(list(raw.series)) == content(want)
    assert 0 < len(want) <= 5


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory):
    """Give the URL of a Prometheus that adds labels."""
    folder = tmp_path_factory.mktemp("external")
    servers.backfill(external_series(), folder / "data")
    with servers.prometheus(folder, external_labels="cluster: eu, dc: x") as server:
        yield server.url


def test_windows_that_cut_chunks_in_any_way(prometheus: str) -> None:
    """Remote-read and range selectors agree on windows from a millisecond to hours."""
    step = servers.TRUTH_STEP_MS
    with PrometheusSource(SourceSettings(url=prometheus)) as source:
        ways = [reading_named(source, name) for name in ("remote-read", "range selectors")]
        for start, end in [(0, 0), (1, step), (119, 240 * step), (7 * step - 1, 9 * step + 1)]:
            window = (START + start, START + end)
            [batch] = planning.plan(source, ['{__name__=~"truth_.+"}'], *window).batches
            direct, ranges = (way.read(batch, window, lambda: None) for way in ways)
            assert content(list(direct.series)) == content(list(ranges.series))
            assert direct.series


def test_a_victoriametrics_that_scraped_a_target_which_went_away(tmp_path: Path) -> None:
    """The export keeps staleness markers; all else is what PromQL shows."""
    with servers.node_exporter(tmp_path / "node") as node:
        config = tmp_path / "scrape.yml"
        target = node.url.removeprefix("http://")
        config.write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: node, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        begin = round(time.time() * 1000)
        arguments = [f"-promscrape.config={config}"]
        with servers.victoriametrics(tmp_path / "vm", arguments=arguments) as server:
            wait_for(server.url, "node_load1", 1)
            time.sleep(2)
            node.kill()
            wait_for(server.url, "up == 0", 1)
            time.sleep(2.5)
            servers.get(f"{server.url}/internal/force_flush")
            end = round(time.time() * 1000) - 2_000
            with PrometheusSource(SourceSettings(url=server.url)) as source:
                manifest = capture(source, ["node_load1"], begin, end, tmp_path / "copy")
                [batch] = planning.plan(source, ["node_load1"], begin, end).batches
                shown = reading_named(source, "range selectors")
                want = content(list(shown.read(batch, (begin, end), lambda: None).series))
    got = stored(tmp_path / "copy")
    [stale, nan] = bits(np.array([STALE_NAN, np.nan]))
    assert [rows[-1][1] for rows in got.values()] == [stale]
    # its range selectors show the marker as an ordinary NaN
    assert {
        key: [(at, nan if number == stale else number) for at, number in rows]
        for key, rows in got.items()
    } == want
    assert any("export" in note for note in manifest.notes)


def test_values_that_are_no_numbers_in_json(victoriametrics: str, tmp_path: Path) -> None:
    """Infinities come through the export."""
    name = f"endless_{time.time_ns()}"
    times = START + np.arange(3) * 15_000
    values = np.array([np.inf, -np.inf, np.inf])
    servers.import_into(victoriametrics, [({"__name__": name}, times, values)])
    with PrometheusSource(SourceSettings(url=victoriametrics)) as source:
        wait = time.monotonic() + servers.START_SECONDS
        while not source.series([name], START, START + 60_000) and time.monotonic() < wait:
            time.sleep(0.2)
        capture(source, [name], START, START + 60_000, tmp_path / "copy")
    assert stored(tmp_path / "copy") == content([({"__name__": name}, times, values)])
