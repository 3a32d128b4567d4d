"""A store answers as a source: PromQL, labels, metrics and head statistics."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import (
    NotSupportedError,
    QueryError,
    SnapshotError,
    SourceError,
    TooExpensiveError,
)
from workbench.findings import Semantics
from workbench.frame import Frame
from workbench.samples import MetricMetadata, MetricType, Samples
from workbench.sources.base import Source
from workbench.sources.snapshot import SnapshotSource, from_samples, open_snapshot
from workbench.store import MemoryStore, write_snapshot
from workbench.window import Window

MINUTE = 60_000
TIMES = np.arange(11, dtype=np.int64) * MINUTE
METADATA = [
    MetricMetadata("requests_total", MetricType.COUNTER, "Requests."),
    MetricMetadata("wait_seconds", MetricType.HISTOGRAM, "Waiting.", "seconds"),
    MetricMetadata("never_scraped", MetricType.GAUGE),
]


def estate():
    """Two counters that rise by 60 and 120 a minute, a histogram, and a gauge without metadata."""
    for job, slope in (("a", 60.0), ("b", 120.0)):
        labels = {"__name__": "requests_total", "job": job, "city": "Zürich"}
        yield labels, TIMES, np.arange(11) * slope
    for part in ("_bucket", "_sum", "_count"):
        labels = {"__name__": f"wait_seconds{part}", **({"le": "+Inf"} if "b" in part else {})}
        yield labels, TIMES, np.arange(11) * 1.0
    yield {"__name__": "up", "job": "a"}, TIMES[:2], np.ones(2)


@pytest.fixture(params=["memory", "disk"])
def source(request, tmp_path):
    if request.param == "memory":
        return from_samples(Samples.from_series(estate()), METADATA)
    write_snapshot(tmp_path / "s", estate(), metadata=METADATA)
    return open_snapshot(tmp_path / "s")


def test_it_is_a_source(source):
    """The protocol, as the type checker sees it, and the facts it tells of itself."""
    as_source: Source = source
    info = as_source.info()
    assert info.semantics is Semantics.PROMETHEUS_3
    assert (info.features.metadata, info.features.tsdb_status) == (True, True)
    assert (info.features.exemplars, info.features.targets) == (False, False)
    assert source.now_ms() == 10 * MINUTE
    source.close()
    assert source.now_ms() == 10 * MINUTE


def test_an_instant_query_is_evaluated_by_promql(source):
    """Rates that can be computed by hand: 60 and 120 a minute."""
    answer = source.query("sort_desc(rate(requests_total[5m]))", source.now_ms())
    assert isinstance(answer.data, Frame)
    assert answer.data.values[:, 0].tolist() == pytest.approx([2.0, 1.0])
    assert [labels["job"] for labels in answer.data.labels] == ["b", "a"]


def test_a_range_query_has_a_value_at_every_step(source):
    """Its window is told in the provenance, with what was read."""
    window = Window(5 * MINUTE, 10 * MINUTE, MINUTE)
    answer = source.query_range("sum(increase(requests_total[5m]))", window)
    assert answer.data.kind == "matrix"
    assert answer.data.values[0].tolist() == pytest.approx([900.0] * 6)
    told = answer.provenance
    assert (told.window, told.at_ms, told.series) == (window, window.end_ms, 1)
    assert told.expression == "sum(increase(requests_total[5m]))"
    assert told.source == source.info().name
    assert told.server
    assert 0 < told.samples <= 22
    assert told.seconds > 0
    assert told.gaps == ()


def test_a_range_selector_gives_raw_samples(source):
    """The window is open at its left end, as in Prometheus 3."""
    found = source.query('requests_total{job="a"}[2m]', 10 * MINUTE).data
    assert isinstance(found, Samples)
    assert found.times_ms.tolist() == [9 * MINUTE, 10 * MINUTE]
    assert found.values.tolist() == [540.0, 600.0]


def test_dubious_use_is_a_warning_in_the_provenance(source):
    """What the engine says of the query is not lost."""
    told = source.query("rate(up[5m])", MINUTE).provenance
    assert any("counter" in warning for warning in told.warnings)


def test_a_wrong_query_and_an_expensive_one_are_told_apart():
    """The asker's mistake, and our own limit."""
    store = MemoryStore(Samples.from_series(estate()))
    source = SnapshotSource(store, "small", max_samples=10)
    with pytest.raises(QueryError):
        source.query("sum(", 0)
    with pytest.raises(TooExpensiveError, match="10"):
        source.query("sum_over_time(requests_total[1h])", 10 * MINUTE)


def test_what_is_missing_in_a_snapshot_stands_beside_every_figure(tmp_path):
    """The notes of an incomplete snapshot become gaps."""
    notes = ["12:00 to 13:00 did not come back"]
    write_snapshot(tmp_path / "s", estate(), notes=notes, complete=False)
    told = open_snapshot(tmp_path / "s").query("up", 0).provenance
    assert told.gaps == tuple(notes)
    assert json.dumps(told.to_dict())


def test_series_labels_and_values_of_any_selector(source):
    """Several selectors are joined; a series is given once."""
    ends = (0, 10 * MINUTE)
    both = ['{job="a"}', 'requests_total{city=~"Z.*"}', "({job='a'})"]
    assert sorted((s["__name__"], s["job"]) for s in source.series(both, *ends)) == [
        ("requests_total", "a"),
        ("requests_total", "b"),
        ("up", "a"),
    ]
    assert len(source.series([], *ends)) == 6
    assert source.label_names([], *ends) == ["__name__", "city", "job", "le"]
    assert source.label_names(["up"], *ends) == ["__name__", "job"]
    assert source.label_values("job", [], *ends) == ["a", "b"]
    assert source.label_values("job", ["up"], *ends) == ["a"]
    assert source.label_values("nothing", [], *ends) == []


def test_only_series_of_the_range_are_given(source):
    """`up` ends after a minute."""
    assert source.label_values("__name__", ['{job="a"}'], 5 * MINUTE, 6 * MINUTE) == [
        "requests_total"
    ]


@pytest.mark.parametrize(
    "text", ["up[5m]", "sum(up)", "up offset 5m", "up @ 10", "1", "up + up", "{", "", "{}", '"a"']
)
def test_what_is_no_selector_is_refused(source, text):
    """Each is the asker's mistake, with the text in the message or its place marked."""
    with pytest.raises(QueryError):
        source.series([text], 0, MINUTE)


def test_names_of_any_alphabet_are_selected(tmp_path):
    """UTF-8 names are quoted within the braces."""
    series = [({"__name__": "my.métric", "a b": 'c"d'}, TIMES, TIMES * 1.0)]
    source = from_samples(Samples.from_series(series))
    assert len(source.series(['{"my.métric", "a b"="c\\"d"}'], 0, MINUTE)) == 1


def test_metrics_are_the_families_that_have_series(source):
    """Parts of a histogram are one family; what nothing is known of has no type."""
    assert [(m.name, m.type, m.unit) for m in source.metrics()] == [
        ("requests_total", MetricType.COUNTER, ""),
        ("up", MetricType.UNKNOWN, ""),
        ("wait_seconds", MetricType.HISTOGRAM, "seconds"),
    ]


def test_a_name_of_its_own_outweighs_being_a_part_of_another():
    """`x_count` may be a gauge beside the summary `x`."""
    metadata = [
        MetricMetadata("x", MetricType.SUMMARY),
        MetricMetadata("x_count", MetricType.GAUGE),
    ]
    series = [({"__name__": name}, TIMES, TIMES * 1.0) for name in ("x_count", "x_sum")]
    found = from_samples(Samples.from_series(series), metadata).metrics()
    assert [(m.name, m.type) for m in found] == [
        ("x", MetricType.SUMMARY),
        ("x_count", MetricType.GAUGE),
    ]


def test_what_a_snapshot_cannot_know_is_refused(source):
    """No targets must not read as: nothing is up."""
    for ask in (source.targets, lambda: source.exemplars("up", 0, 1)):
        with pytest.raises(NotSupportedError, match="ask the server"):
            ask()
    assert issubclass(NotSupportedError, SourceError)


def test_head_statistics_of_the_estate(source):
    """Counted by hand; memory is the bytes of a label's values over all series."""
    status = source.tsdb_status()
    assert status["headStats"] == {
        "numSeries": 6,
        "numLabelPairs": 9,
        "minTime": 0,
        "maxTime": 10 * MINUTE,
    }
    assert status["seriesCountByMetricName"][0] == {"name": "requests_total", "value": 2}
    assert status["labelValueCountByLabelName"][:2] == [
        {"name": "__name__", "value": 5},
        {"name": "job", "value": 2},
    ]
    memory = {each["name"]: each["value"] for each in status["memoryInBytesByLabelName"]}
    assert memory == {"__name__": 2 * 14 + 19 + 16 + 18 + 2, "job": 3, "city": 14, "le": 4}
    pairs = {each["name"]: each["value"] for each in status["seriesCountByLabelValuePair"]}
    assert pairs["city=Zürich"] == 2
    assert pairs["job=a"] == 2


def test_head_statistics_are_cut_at_the_limit(source):
    """The largest first, names in order where they are equal."""
    status = source.tsdb_status(limit=2)
    assert [each["name"] for each in status["seriesCountByLabelValuePair"]] == [
        "__name__=requests_total",
        "city=Zürich",
    ]
    assert all(len(each) == 2 for name, each in status.items() if name != "headStats")


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "yy", "é"])),
        unique_by=lambda each: frozenset(each.items()),
    )
)
def test_head_statistics_agree_with_counting(labels):
    """Every number again, with sets and sums."""
    one = np.zeros(1, np.int64)
    source = from_samples(Samples.from_series((each, one, one * 1.0) for each in labels))
    status = source.tsdb_status(limit=100)
    pairs = [pair for each in labels for pair in each.items()]
    assert status["headStats"]["numLabelPairs"] == len(set(pairs))
    assert {e["name"]: e["value"] for e in status["labelValueCountByLabelName"]} == {
        name: len({v for n, v in pairs if n == name}) for name in {n for n, _ in pairs}
    }
    assert {e["name"]: e["value"] for e in status["seriesCountByLabelValuePair"]} == {
        f"{n}={v}": pairs.count((n, v)) for n, v in pairs
    }


def test_an_empty_source_answers_with_nothing(tmp_path):
    """No samples at all, in memory and on disk."""
    write_snapshot(tmp_path / "s", [])
    for source in (from_samples(Samples.empty()), open_snapshot(tmp_path / "s")):
        assert source.now_ms() == 0
        assert len(source.query("up", 0).data) == 0
        assert source.query("vector(1)", 0).data.values.tolist() == [[1.0]]
        assert source.metrics() == []
        assert source.label_names([], 0, 1) == []
        assert source.tsdb_status()["headStats"]["numSeries"] == 0


def test_opening_what_is_no_snapshot_says_so(tmp_path):
    """Before anything is asked."""
    with pytest.raises(SnapshotError, match="there is no snapshot at"):
        open_snapshot(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "expression",
    [
        'sum by (job) (rate(requests_total{city!=""}[3m]))',
        "max_over_time(up[10m])",
        'count({__name__=~"wait_.*"}) by (le)',
        "requests_total offset 2m",
    ],
)
def test_disk_and_memory_give_the_same_numbers(tmp_path, expression):
    """The store does not show in the answer."""
    write_snapshot(tmp_path / "s", estate())
    window = Window(0, 12 * MINUTE, 30_000)
    disk = open_snapshot(tmp_path / "s").query_range(expression, window).data
    memory = from_samples(Samples.from_series(estate())).query_range(expression, window).data
    assert disk.to_api() == memory.to_api()
    assert len(disk) > 0
