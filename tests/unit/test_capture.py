"""Copying a source: the copy equals the original, piece by piece, and says what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.capture import capture, plan, planning
from workbench.errors import InputError, QueryError, TooExpensiveError, UnreachableError
from workbench.native import Buckets, Histogram
from workbench.promql.matcher import Matcher
from workbench.samples import MetricMetadata, MetricType, NativeSeries, Samples, Series
from workbench.sources.base import Answer
from workbench.sources.snapshot import SnapshotSource
from workbench.store import MemoryStore, SnapshotStore

ALL = '{__name__!=""}'
STEP = 15_000


def series(name: str, count: int, *, start: int = STEP, **labels: str) -> Series:
    """One series, a sample every 15 s."""
    times = start + np.arange(count, dtype=np.int64) * STEP
    return {"__name__": name, **labels}, times, np.arange(count, dtype=np.float64)


def original(rows: list[Series]) -> MemoryStore:
    """A store of these series."""
    return MemoryStore(
        Samples.from_series(rows), [MetricMetadata("a_total", MetricType.COUNTER, "All a.")]
    )


def content(samples: Samples) -> dict[frozenset[tuple[str, str]], tuple[list[int], list[float]]]:
    """Series that can be compared."""
    return {frozenset(k.items()): (t.tolist(), v.tolist()) for k, t, v in samples}


def everything(store: MemoryStore | SnapshotStore, start: int = 0, end: int = 10**15) -> object:
    """All of a store within a window."""
    return content(store.select([Matcher("__name__", "!=", "")], start, end))


@dataclass
class Closed:
    """A source whose range selectors include their left end, as those of Prometheus 2 do.

    It can refuse what is longer than `most_ms`, and do something before each answer.
    """

    source: SnapshotSource
    store: MemoryStore
    most_ms: int = 10**15
    before: Callable[[str], None] = lambda _: None
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        return getattr(self.source, name)

    def query(self, expression: str, at_ms: int) -> Answer:
        """Evaluate at one instant."""
        self.asked.append(expression)
        self.before(expression)
        answer = self.source.query(expression, at_ms)
        if not isinstance(answer.data, Samples):
            return answer
        length = planning_range(expression)
        if length > self.most_ms:
            msg = "too many samples"
            raise TooExpensiveError(msg, "ask for less")
        named = expression.split("[", maxsplit=1)[0]
        matchers = planning.matchers_of(named)
        return replace(answer, data=self.store.select(matchers, at_ms - length, at_ms))


def planning_range(expression: str) -> int:
    """The length of the one range in an expression."""
    from workbench.promql.inspection import inspect

    [length] = inspect(expression).ranges_ms
    return length


ROWS = [
    series("a_total", 400, job="x"),
    series("a_total", 300, job="y", path='odd "{}"\n'),
    series("b", 100, start=3_000_000, job="x"),
    series("sum", 50, job="x"),
]


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("answer_samples", [1_000_000, 100, 7])
def test_the_copy_equals_the_original(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, closed: bool, answer_samples: int
) -> None:
    """Whatever the size of the pieces, and whether windows are open or closed at the left."""
    monkeypatch.setattr(planning, "_ANSWER_SAMPLES", answer_samples)
    store = original(ROWS)
    source = SnapshotSource(store, "original")
    asked = Closed(source, store) if closed else source
    told: list[tuple[int, int]] = []
    manifest = capture(
        asked,  # type: ignore[arg-type]
        [ALL],
        STEP,
        6_000_000,
        tmp_path / "copy",
        progress=lambda done, planned: told.append((done, planned)),
    )
    copy = SnapshotStore(tmp_path / "copy")
    assert everything(copy) == everything(store)
    assert manifest.complete
    assert (manifest.counts.series, manifest.counts.samples) == (4, 850)
    assert copy.metadata()["a_total"] == MetricMetadata("a_total", MetricType.COUNTER, "All a.")
    assert told[-1][0] == told[-1][1] == len(told)
    assert (len(told) > 100) == (answer_samples == 7)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 100_000),
    st.integers(0, 100_000),
    st.integers(1, 40),
    st.lists(st.integers(0, 120_000), min_size=1, max_size=30, unique=True),
)
def test_both_ends_belong_to_the_window(
    tmp_path_factory: pytest.TempPathFactory, start: int, length: int, pieces: int, times: list[int]
) -> None:
    """Any window over any times, cut into any pieces: exactly the samples inside, each once."""
    moments = np.array(sorted(times), np.int64)
    store = original([({"__name__": "m"}, moments, moments.astype(np.float64))])
    want = [t for t in sorted(times) if start <= t <= start + length]
    source = Closed(SnapshotSource(store, "original"), store)
    path = tmp_path_factory.mktemp("copies") / "copy"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "_ANSWER_SAMPLES", max(1, len(times) // pieces))
        if not want:
            with pytest.raises(InputError, match="no series"):
                capture(source, ["m"], start, start + length, path)  # type: ignore[arg-type]
            return
        capture(source, ["m"], start, start + length, path)  # type: ignore[arg-type]
    [(_, got, _)] = list(SnapshotStore(path).select([Matcher("__name__", "=", "m")], 0, 10**9))
    assert got.tolist() == want


def test_what_the_source_finds_too_much_is_asked_in_halves(tmp_path: Path) -> None:
    """A source that refuses more than ten minutes at once is copied all the same."""
    store = original(ROWS)
    source = Closed(SnapshotSource(store, "original"), store, most_ms=600_000)
    capture(source, [ALL], STEP, 6_000_000, tmp_path / "copy")  # type: ignore[arg-type]
    assert everything(SnapshotStore(tmp_path / "copy")) == everything(store)
    source.most_ms = 10
    with pytest.raises(TooExpensiveError):
        capture(source, [ALL], STEP, 6_000_000, tmp_path / "other")  # type: ignore[arg-type]
    assert not (tmp_path / "other").exists()


def test_batches_select_each_metric_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics are asked for in groups that fit the memory; reserved names are quoted."""
    monkeypatch.setattr(planning, "_BATCH_SAMPLES", 200)
    store = original(ROWS)
    source = SnapshotSource(store, "original")
    planned = plan(source, ['{job="x"}'], STEP, 6_000_000)
    assert [batch.selector for batch in planned.batches] == [
        'a_total{job="x"}',
        'b{job="x"}',
        '{__name__="sum",job="x"}',
    ]
    assert (planned.series, planned.names) == (3, ("a_total", "b", "sum"))
    capture(source, ['{job="x"}'], STEP, 6_000_000, tmp_path / "copy")
    want = {k: v for k, v in everything(store).items() if ("job", "x") in k}  # type: ignore[attr-defined]
    assert everything(SnapshotStore(tmp_path / "copy")) == want


def test_a_metric_of_many_series_is_divided_by_a_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches stay small whatever the labels; together they select each series exactly once."""
    monkeypatch.setattr(planning, "_BATCH_SAMPLES", 1_000)
    rows = [
        series("m", 50, **({"zone": zone} if zone else {}), i=f'{i} "{zone}"\\\n.*')
        for zone in ("", "a", "b|c")
        for i in range(30)
    ]
    store = original(rows)
    source = Closed(SnapshotSource(store, "original"), store)
    planned = plan(source, ["m"], STEP, 50 * STEP)  # type: ignore[arg-type]
    assert sum(batch.series for batch in planned.batches) == 90
    assert all(batch.samples <= 1_000 for batch in planned.batches)
    capture(source, ["m"], STEP, 50 * STEP, tmp_path / "copy")  # type: ignore[arg-type]
    assert everything(SnapshotStore(tmp_path / "copy")) == everything(store)
    selected = [
        store.select(planning.matchers_of(batch.selector), 0, 10**9) for batch in planned.batches
    ]
    assert [len(each) for each in selected] == [batch.series for batch in planned.batches]


def natives(count: int, **labels: str) -> NativeSeries:
    """A series whose every third sample is a float, the others histograms."""
    times = np.arange(1, count + 1, dtype=np.int64) * STEP
    native = np.array(
        [Histogram(3, n, 2.0 * n, positive=Buckets.dense(n % 5, [n])) for n in range(count)], object
    )
    native[::3] = None
    values = np.where(native == np.array(None), np.arange(count, dtype=np.float64), np.nan)
    return {"__name__": "h", **labels}, times, values, native


def histograms_of(store: MemoryStore | SnapshotStore) -> list[list[Histogram | None]]:
    """Every series' histograms of the metric ``h``."""
    samples = store.select([Matcher("__name__", "=", "h")], 0, 10**12)
    return [[] if h is None else h.tolist() for *_, h in samples.native_series()]


@pytest.mark.parametrize("answer_samples", [1_000_000, 70])
def test_native_histograms_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer_samples: int
) -> None:
    """With floats between them, in one piece and in many; and they are counted as samples."""
    monkeypatch.setattr(planning, "_ANSWER_SAMPLES", answer_samples)
    store = MemoryStore(
        Samples.from_series([natives(40), natives(20, i="1"), series("m", 3)]),
        [MetricMetadata("h", MetricType.HISTOGRAM)],
    )
    source = Closed(SnapshotSource(store, "o"), store)
    manifest = capture(source, [ALL], STEP, 40 * STEP, tmp_path / "copy")  # type: ignore[arg-type]
    copy = SnapshotStore(tmp_path / "copy")
    assert manifest.complete
    assert (manifest.counts.series, manifest.counts.samples) == (3, 63)
    for got, want in zip(histograms_of(copy), histograms_of(store), strict=True):
        assert [h is None for h in got] == [h is None for h in want]
        assert all(a.same(b) for a, b in zip(got, want, strict=True) if a and b)
    floats = [
        v[~np.isnan(v)].tolist() for _, _, v in copy.select(planning.matchers_of("h"), 0, 10**12)
    ]
    assert floats == [list(range(0, 40, 3)), list(range(0, 20, 3))]


def test_batches_of_native_histograms_are_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """A series under the bare name of a family that is known as a histogram is a native one."""
    monkeypatch.setattr(planning, "_BATCH_SAMPLES", 1_600)
    rows = [series(name, 100, i=str(i)) for name in ("h", "h_bucket", "m") for i in range(4)]
    kinds = [MetricMetadata("h", MetricType.HISTOGRAM), MetricMetadata("m", MetricType.GAUGE)]
    store = MemoryStore(Samples.from_series(rows), kinds)
    source = Closed(SnapshotSource(store, "o"), store)
    planned = plan(source, [ALL], STEP, 100 * STEP)  # type: ignore[arg-type]
    assert not any("histogram_count" in text for text in source.asked)
    assert sorted(batch.series for batch in planned.batches) == [1, 1, 1, 1, 8]
    selected = [store.select(planning.matchers_of(b.selector), 0, 10**9) for b in planned.batches]
    assert [len(each) for each in selected] == [batch.series for batch in planned.batches]


@pytest.mark.parametrize("twice", [False, True])
def test_native_histograms_without_metadata_are_found(
    monkeypatch: pytest.MonkeyPatch, *, twice: bool
) -> None:
    """By counting them; where the names alone tell metrics apart, by the error of that."""
    monkeypatch.setattr(planning, "_BATCH_SAMPLES", 1_600)
    recorded = [natives(99, i=str(i)) for i in range(4)]
    if twice:
        recorded += [({**k, "__name__": "g"}, *columns) for k, *columns in recorded]  # type: ignore[misc]
    known = [series("m", 100, i=str(i)) for i in range(4)]
    store = MemoryStore(
        Samples.from_series([*recorded, *known]), [MetricMetadata("m", MetricType.GAUGE)]
    )
    planned = plan(SnapshotSource(store, "o"), [ALL], STEP, 100 * STEP)
    sizes = [batch.series for batch in planned.batches]
    assert sorted(sizes) == [1] * len(recorded) + [4]


def test_series_that_no_label_divides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One series larger than a batch is a batch of its own."""
    monkeypatch.setattr(planning, "_BATCH_SAMPLES", 10)
    store = original([series("m", 500, i="x"), series("n", 500)])
    source = SnapshotSource(store, "original")
    assert [b.series for b in plan(source, [ALL], STEP, 500 * STEP).batches] == [1, 1]
    capture(source, [ALL], STEP, 500 * STEP, tmp_path / "copy")
    assert everything(SnapshotStore(tmp_path / "copy")) == everything(store)


def test_overlapping_selectors_write_a_series_once(tmp_path: Path) -> None:
    """Two selectors that meet one series."""
    store = original(ROWS)
    source = SnapshotSource(store, "original")
    selectors = ["a_total", '{job="x"}', "a_total"]
    manifest = capture(source, selectors, STEP, 6_000_000, tmp_path / "copy")
    assert everything(SnapshotStore(tmp_path / "copy")) == everything(store)
    assert manifest.counts.series == 4


def test_the_plan_estimates_what_a_steady_source_holds() -> None:
    """Series exactly; samples of steady series within a tenth; no raw sample is asked for."""
    store = original([series("m", 10_000, i=str(i)) for i in range(20)])
    source = Closed(SnapshotSource(store, "original"), store)
    planned = plan(source, ["m"], STEP, 10_000 * STEP)  # type: ignore[arg-type]
    assert planned.series == 20
    assert planned.samples == pytest.approx(200_000, rel=0.1)
    assert planned.queries == 1
    assert all(text.startswith(("sum(count_over_time(", "count(")) for text in source.asked)
    assert planned.to_dict()["estimated_samples"] == planned.samples


def test_a_capture_that_would_be_too_large_asks_for_nothing(tmp_path: Path) -> None:
    """The estimate is compared with the limit before the first sample is fetched."""
    source = SnapshotSource(original(ROWS), "original")
    with pytest.raises(TooExpensiveError, match="more than 10"):
        capture(source, [ALL], STEP, 6_000_000, tmp_path / "copy", most_samples=10)
    assert not (tmp_path / "copy").exists()


def test_warnings_make_the_copy_incomplete(tmp_path: Path) -> None:
    """What the source says of its answers stands in the manifest, once."""
    store = original(ROWS)

    class Partial(Closed):
        def query(self, expression: str, at_ms: int) -> Answer:
            answer = super().query(expression, at_ms)
            warned = replace(answer.provenance, warnings=("partial response",))
            return replace(answer, provenance=warned)

    source = Partial(SnapshotSource(store, "original"), store)
    manifest = capture(source, [ALL], STEP, 6_000_000, tmp_path / "copy")  # type: ignore[arg-type]
    assert not manifest.complete
    assert manifest.notes.count("partial response") == 1


def test_data_that_begins_late_is_noted(tmp_path: Path) -> None:
    """The window asked for is longer than the data."""
    source = SnapshotSource(original([series("m", 100, start=3_600_000)]), "original")
    manifest = capture(source, ["m"], 0, 5_000_000, tmp_path / "copy")
    assert any("1h after the beginning of the window" in note for note in manifest.notes)
    assert (manifest.window.start_ms, manifest.window.end_ms) == (0, 5_000_000)  # type: ignore[union-attr]


@pytest.mark.parametrize("failure", [UnreachableError("gone", "look"), KeyboardInterrupt()])
def test_a_source_that_breaks_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    """A failure in the middle removes what was begun, and keeps what stood there before."""
    monkeypatch.setattr(planning, "_ANSWER_SAMPLES", 20)
    store = original(ROWS)
    capture(SnapshotSource(store, "o"), ["b"], STEP, 6_000_000, tmp_path / "copy")
    source = Closed(SnapshotSource(store, "original"), store)

    def fail(_: str) -> None:
        if len(source.asked) > 20:
            raise failure

    source.before = fail
    with pytest.raises(type(failure)):
        capture(
            source,  # type: ignore[arg-type]
            [ALL],
            STEP,
            6_000_000,
            tmp_path / "copy",
            overwrite=True,
            patience_seconds=0,
        )
    assert [p.name for p in tmp_path.iterdir()] == ["copy"]
    assert SnapshotStore(tmp_path / "copy").manifest.counts.series == 1


@pytest.mark.parametrize(
    "text", ["up[5m]", "rate(up[5m])", "up offset 5m", "up @ 0", "sum(up)", "1"]
)
def test_only_selectors_can_be_copied(text: str) -> None:
    """Anything else is a query error that shows it."""
    with pytest.raises(QueryError, match="is not a selector of series"):
        plan(SnapshotSource(original(ROWS), "original"), [text], 0, 1000)


def test_windows_and_selectors_that_make_no_sense() -> None:
    """The end before the start; no selector; nothing that meets it."""
    source = SnapshotSource(original(ROWS), "original")
    with pytest.raises(InputError, match="before the start"):
        plan(source, ["up"], 1000, 0)
    with pytest.raises(InputError, match="no selector"):
        plan(source, [], 0, 1000)
    with pytest.raises(InputError, match="no series meets up from 1970"):
        plan(source, ["up"], 0, 1000)
