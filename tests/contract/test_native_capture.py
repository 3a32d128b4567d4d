"""Native histograms copied from a real Prometheus equal what was written into it.

The server is 2.42, the first generation of native histograms: custom bounds are younger. It has two
errors of its own that show here. It breaks off remote-read where it has to cut a chunk of gauge
histograms. And a query that reads a series of float histograms gives its data for the series of
integer histograms that follow it too, so these are never asked for together here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import native_feed
import numpy as np
import pytest

from workbench.capture import capture, planning
from workbench.capture.reading import reading_named
from workbench.frame import Frame
from workbench.native import Histogram, ResetHint
from workbench.promql.matcher import Matcher
from workbench.samples import NativeSeries, Samples, is_stale
from workbench.settings import SourceSettings
from workbench.sources.base import Source
from workbench.sources.prometheus import PrometheusSource
from workbench.sources.prometheus.raw import remote_read
from workbench.sources.snapshot import SnapshotSource
from workbench.store import SnapshotStore
from workbench.window import Window

START = native_feed.START_MS
STEP = native_feed.STEP_MS
END = START + (native_feed.POINTS - 1) * STEP
COUNTERS = 'h{kind!~".*gauge"}'
INTEGERS = 'h{kind=~"steady|restarted|ended|mixed|plain"}'

Content = dict[str, list[tuple[int, float | Histogram | None]]]
"""By kind: times, and what stands there; None for a staleness marker."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of a Prometheus that holds `native_feed.truth`."""
    folder = tmp_path_factory.mktemp("native")
    with native_feed.prometheus(folder, external_labels="cluster: eu") as running:
        yield running.url


@pytest.fixture
def source(server: str) -> Iterator[PrometheusSource]:
    """Give that server as a source."""
    with PrometheusSource(SourceSettings(url=server)) as opened:
        yield opened


def content(series: list[NativeSeries]) -> Content:
    """Series that can be compared."""
    found: Content = {}
    for labels, times, values, native in series:
        assert labels.keys() == {"__name__", "kind"}
        stale = is_stale(values)
        column = [None] * len(times) if native is None else native.tolist()
        rows = zip(times.tolist(), values.tolist(), stale, column, strict=True)
        found[labels["kind"]] = [(t, h or (None if gone else v)) for t, v, gone, h in rows]
    return found


def stored(path: Path) -> Content:
    """What a snapshot holds."""
    samples = SnapshotStore(path).select([Matcher("__name__", "!=", "")], 0, 10**14)
    return content(list(samples.native_series()))


def truth(start: int = START, end: int = END, *, stale: bool = True) -> Content:
    """What was written, within a window."""
    return {
        kind: [row for row in rows if start <= row[0] <= end and (stale or row[1] is not None)]
        for kind, rows in content(native_feed.truth()).items()
    }


def check(got: Content, want: Content, *, by_rows: bool = False) -> None:
    """The same samples, whatever the hints; by rows alone an empty zero bucket has no width."""
    assert got.keys() == want.keys()
    for kind, rows in want.items():
        assert [t for t, _ in got[kind]] == [t for t, _ in rows], kind
        for (_, one), (at, other) in zip(got[kind], rows, strict=True):
            if isinstance(one, Histogram) and isinstance(other, Histogram):
                if by_rows and other.zero_count == 0:
                    one, other = (replace(each, zero_threshold=0.0) for each in (one, other))  # noqa: PLW2901
                assert one.same(other), (kind, at, str(one), str(other))
            else:
                assert one == other, (kind, at)


def counters(content: Content) -> Content:
    """All but the gauges."""
    return {kind: rows for kind, rows in content.items() if "gauge" not in kind}


def test_all_counters_that_a_prometheus_holds(source: PrometheusSource, tmp_path: Path) -> None:
    """Blocks and head, resets, gaps, changes of schema, a staleness marker, floats before."""
    manifest = capture(source, [COUNTERS], START, END, tmp_path / "copy")
    got = stored(tmp_path / "copy")
    check(got, counters(truth()))
    assert manifest.complete
    assert manifest.counts.samples == sum(map(len, got.values()))
    assert any("remote-read" in note for note in manifest.notes)
    # the server hints at most samples within a chunk, never at those after a reset
    at = {t: h.hint for t, h in got["restarted"] if isinstance(h, Histogram)}
    assert set(at.values()) == {ResetHint.UNKNOWN, ResetHint.NOT_RESET}
    assert at[START + 560 * STEP] is ResetHint.UNKNOWN


def test_an_interrupted_copy_goes_on(
    source: PrometheusSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches that were there are kept with their histograms, the others read and joined."""
    monkeypatch.setattr(planning, "_BATCH_SAMPLES", 30_000)
    asked: list[int] = []

    def stop(done: int, _planned: int) -> None:
        asked.append(done)
        if done == 2:
            raise KeyboardInterrupt

    assert len(planning.plan(source, [COUNTERS], START, END).batches) > 3
    with pytest.raises(KeyboardInterrupt):
        capture(source, [COUNTERS], START, END, tmp_path / "copy", progress=stop)
    assert not (tmp_path / "copy").exists()
    manifest = capture(source, [COUNTERS], START, END, tmp_path / "copy")
    check(stored(tmp_path / "copy"), counters(truth()))
    assert manifest.complete
    assert any("continued after an interruption" in note for note in manifest.notes)


@pytest.mark.parametrize("kind", ["gauge", "float_gauge"])
def test_gauges_are_copied_in_another_way(
    source: PrometheusSource, tmp_path: Path, kind: str
) -> None:
    """Where remote-read breaks off, range selectors give all but the hints; which is said."""
    selector = f'h{{kind="{kind}"}}'
    manifest = capture(source, [selector], START, END, tmp_path / "copy")
    check(stored(tmp_path / "copy"), {kind: truth()[kind]}, by_rows=True)
    if not manifest.complete:  # a younger server has no such error
        [note] = [note for note in manifest.notes if "went wrong" in note]
        assert selector in note
        assert "counter reset hints" in note


@pytest.mark.parametrize(
    ("way", "selector"),
    [
        ("remote-read", COUNTERS),
        ("range selectors", INTEGERS),
        ("range selectors", 'h{kind="floats"}'),
    ],
)
def test_windows_that_cut_chunks(source: PrometheusSource, way: str, selector: str) -> None:
    """From a moment to hours; the truth's staleness marker shows in remote-read alone."""
    for first, last in [(0, 0), (1, 121), (390, 425), (118, 1_000), (1_299, 1_299)]:
        window = START + first * STEP - 1, START + last * STEP + 1
        [batch] = planning.plan(source, [selector], *window).batches
        raw = reading_named(source, way).read(batch, window, lambda: None)
        whole = [(*one, None)[:4] for one in raw.series]
        listed = {labels["kind"] for labels in source.series([selector], *window)}
        want = {k: v for k, v in truth(*window, stale=way == "remote-read").items() if k in listed}
        filled = {kind: rows for kind, rows in want.items() if rows}
        check(content(whole), filled, by_rows=way != "remote-read")  # type: ignore[arg-type]
        assert raw.problems == ()


def test_answers_that_are_not_streamed(
    source: PrometheusSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for samples, this server gives the floats, and it is said that some series lack."""
    monkeypatch.setattr(remote_read, "_STREAMED_XOR_CHUNKS", 0)
    raw = source.remote_read().read([Matcher("__name__", "=", "h")], (START, END))
    floats = {
        kind: [row for row in truth()[kind] if isinstance(row[1], float)]
        for kind in ("plain", "mixed")
    }
    check(content([(*one, None)[:4] for one in raw.series]), floats)  # type: ignore[misc]
    assert raw.problems == (
        "6 series that are listed have no sample in answers that are not streamed",
    )


def test_a_query_gives_whole_histograms(source: PrometheusSource) -> None:
    """A frame of the server holds what the engine's frames hold: schema, spans, zero bucket."""
    window = Window(START + 3_000_000, START + 6_000_000, 60_000)
    frame = source.query_range('h{kind=~"steady|gauge"}', window).data
    assert isinstance(frame, Frame)
    known = {kind: dict(rows) for kind, rows in truth().items()}
    assert len(frame.histograms) == 2 * len(window)
    for (row, step), shown in frame.histograms.items():
        at = START + (int(frame.times_ms[step]) - START) // STEP * STEP
        want = known[frame.labels[row]["kind"]][at]
        assert isinstance(want, Histogram)
        assert shown.sample is not None
        assert shown.sample.same(replace(want, zero_threshold=shown.sample.zero_threshold))
        assert shown.rows().counts.sum() == pytest.approx(want.count, rel=1e-12)


@pytest.fixture(scope="module")
def copy(server: str, tmp_path_factory: pytest.TempPathFactory) -> SnapshotSource:
    """Give a copy of the counters, as a source."""
    path = tmp_path_factory.mktemp("copies") / "copy"
    with PrometheusSource(SourceSettings(url=server)) as opened:
        capture(opened, [COUNTERS], START, END, path)
    return SnapshotSource(SnapshotStore(path), "copy")


@pytest.mark.parametrize(
    "expression",
    [
        f"histogram_count({INTEGERS})",
        f"histogram_sum({INTEGERS})",
        'h{kind=~"steady|restarted"}',
        'rate(h{kind="steady"}[5m])',
        'rate(h{kind="floats"}[10m])',
        'histogram_count(rate(h{kind="restarted"}[5m]))',
        'sum(rate(h{kind=~"steady|ended"}[5m]))',
        'histogram_count(increase(h{kind="ended"}[10m]))',
        f"count_over_time({INTEGERS}[10m])",
    ],
)
def test_the_engine_over_the_copy_agrees_with_the_server(
    source: PrometheusSource, copy: SnapshotSource, expression: str
) -> None:
    """On steps between samples, where windows of Prometheus 2 and 3 hold the same."""
    window = Window(START + 1_000, START + 1_000 + 5 * 3_600_000, 60_000)
    mine, theirs = (shown(each, expression, window) for each in (copy, source))
    assert mine.keys() == theirs.keys()
    assert mine
    for key, (value, rows) in mine.items():
        other, others = theirs[key]
        assert value == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True), key
        assert np.array(rows) == pytest.approx(np.array(others), rel=1e-9, abs=1e-12), key


Shown = dict[tuple[str, int], tuple[float, list[tuple[float, ...]]]]


def shown(source: Source, expression: str, window: Window) -> Shown:
    """By kind and time: a value (a histogram's count), and the filled buckets."""
    frame = source.query_range(expression, window).data
    assert not isinstance(frame, Samples)
    found: Shown = {}
    for row, step in np.argwhere(frame.present).tolist():
        key = frame.labels[row].get("kind", ""), int(frame.times_ms[step])
        native = frame.histograms.get((row, step))
        rows = [bucket[1:] for bucket in native.buckets] if native else []
        found[key] = (native.count if native else float(frame.values[row, step]), rows)
    return found
