"""Writing OpenMetrics: strict readers accept it, and what was written reads back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict

from workbench.errors import InputError
from workbench.exposition import parse, write_openmetrics
from workbench.samples import STALE_NAN, MetricMetadata, MetricType, Samples, Series

REAL = Path(__file__).parents[4] / "shared" / "data" / "exposition"


def series(name: str, values: list[float], *, start: int = 0, **labels: str) -> Series:
    """One series, a sample a second."""
    times = np.arange(len(values), dtype=np.int64) * 1000 + start
    return {"__name__": name, **labels}, times, np.array(values, np.float64)


def types(text: str) -> dict[str, str]:
    """Families of a text by the strict reader, with their types."""
    return {family.name: family.type for family in strict(text)}


def written(rows: list[Series], *metadata: MetricMetadata) -> str:
    """The whole text."""
    return "".join(write_openmetrics(rows, metadata))


@pytest.mark.parametrize("name", ["node-exporter-1.5.prom", "prometheus-2.42.prom"])
def test_real_pages_survive_the_way_out_and_back(name: str) -> None:
    """Samples, labels and times of a real page are equal after writing and reading."""
    if not REAL.is_dir():
        pytest.skip(f"the real inputs are not at {REAL}")
    page = parse((REAL / name).read_bytes())
    samples = page.join(1_700_000_000_123).samples
    text = "".join(write_openmetrics(samples, page.metadata))
    list(strict(text))
    back = parse(text)
    again = back.join().samples
    assert back.error_count == 0
    assert as_set(again) == as_set(samples)


def as_set(samples: Samples) -> set[tuple[object, ...]]:
    """Series that can be compared without regard to their order."""
    return {
        (tuple(sorted(labels.items())), tuple(t.tolist()), tuple(map(repr, v.tolist())))
        for labels, t, v in samples
    }


HISTOGRAM = [
    series("h_bucket", [2], le="0.5"),
    series("h_bucket", [3], le="+Inf"),
    series("h_sum", [2.0]),
    series("h_count", [3]),
]


def test_a_histogram_stands_whole_at_each_moment() -> None:
    """Members of one moment stand together, buckets ascending, whatever the order they came in.

    prometheus_client (0.26) forgets all but the first member of a second moment, so the order
    that the OpenMetrics text asks for is written out here.
    """
    rows = [
        series("h_count", [1, 3]),
        series("h_bucket", [1, 3], le="+Inf"),
        series("h_sum", [0.1, 2.0]),
        series("h_bucket", [1, 2], le="0.5"),
    ]
    assert written(rows, MetricMetadata("h", MetricType.HISTOGRAM)).splitlines() == [
        "# TYPE h histogram",
        'h_bucket{le="0.5"} 1 0',
        'h_bucket{le="+Inf"} 1 0',
        "h_sum 0.1 0",
        "h_count 1 0",
        'h_bucket{le="0.5"} 2 1',
        'h_bucket{le="+Inf"} 3 1',
        "h_sum 2 1",
        "h_count 3 1",
        "# EOF",
    ]


def test_families_are_declared_as_they_are_known() -> None:
    """Counter, gauge with a unit, histogram and info all keep their types."""
    rows = [
        *HISTOGRAM,
        series("c_total", [0, 1]),
        series("temperature_celsius", [20.5, 21.5]),
        series("build_info", [1, 1], version="1"),
        series("s", [0.5], quantile="0.5"),
        series("s_sum", [3]),
        series("s_count", [2]),
    ]
    text = written(
        rows,
        MetricMetadata("h", MetricType.HISTOGRAM),
        MetricMetadata("c_total", MetricType.COUNTER, 'A "count".\nOf things.'),
        MetricMetadata("temperature_celsius", MetricType.GAUGE, unit="celsius"),
        MetricMetadata("build_info", MetricType.INFO),
        MetricMetadata("s", MetricType.SUMMARY),
    )
    assert types(text) == {
        "h": "histogram",
        "c": "counter",
        "temperature_celsius": "gauge",
        "build": "info",
        "s": "summary",
    }
    assert "# UNIT temperature_celsius celsius\n" in text
    assert {m.name: m.help for m in parse(text).metadata}["c_total"] == 'A "count".\nOf things.'


@pytest.mark.parametrize(
    ("rows", "declared"),
    [
        (HISTOGRAM[:1] + HISTOGRAM[2:], MetricMetadata("h", MetricType.HISTOGRAM)),
        ([*HISTOGRAM[:3], series("h_count", [1, 4])], MetricMetadata("h", MetricType.HISTOGRAM)),
        (
            [series("h_bucket", [3], le="0.1"), *HISTOGRAM],
            MetricMetadata("h", MetricType.HISTOGRAM),
        ),
        (
            [*HISTOGRAM[:3], series("h_count", [3], start=1000)],
            MetricMetadata("h", MetricType.HISTOGRAM),
        ),
        ([series("c_total", [-1])], MetricMetadata("c_total", MetricType.COUNTER)),
        ([series("c_total", [float("nan")])], MetricMetadata("c_total", MetricType.COUNTER)),
        ([series("requests", [1])], MetricMetadata("requests", MetricType.COUNTER)),
        ([series("s", [1], quantile="2")], MetricMetadata("s", MetricType.SUMMARY)),
        ([series("x_info", [2])], MetricMetadata("x_info", MetricType.INFO)),
        (
            [series("mem", [1]), series("mem_total", [1])],
            MetricMetadata("mem_total", MetricType.COUNTER),
        ),
    ],
)
def test_what_breaks_a_rule_is_unknown_and_still_written(
    rows: list[Series], declared: MetricMetadata
) -> None:
    """Incomplete histograms, negative counters and clashing names are accepted as unknown."""
    text = written(rows, declared)
    assert set(types(text).values()) == {"unknown"}
    assert as_set(parse(text).join().samples) == as_set(Samples.from_series(rows))


def test_stale_markers_are_left_out() -> None:
    """A staleness marker has no form in the text; an ordinary NaN has."""
    text = written([series("up", [1.0, STALE_NAN, float("nan")])])
    assert text == "# TYPE up unknown\nup 1 0\nup NaN 2\n# EOF\n"


def test_a_series_without_a_name_is_refused() -> None:
    """The message shows the series."""
    with pytest.raises(InputError, match=r'\{job="a"\} has no metric name'):
        list(write_openmetrics([({"job": "a"}, np.array([1]), np.array([1.0]))]))


@settings(deadline=None)
@given(st.integers(-(10**13), 10**13))
def test_timestamps_read_back_even_where_they_are_cut_off(ms: int) -> None:
    """Prometheus multiplies by 1000 and truncates; our own reader rounds: both give the same."""
    text = written([({"__name__": "up"}, np.array([ms]), np.array([1.0]))])
    seconds = text.splitlines()[1].split()[2]
    assert int(float(seconds) * 1000) == ms
    assert parse(text).times_ms.tolist() == [ms]


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
        max_size=3,
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
    st.floats(allow_nan=False),
)
def test_any_names_and_values_read_back(labels: dict[str, str], name: str, value: float) -> None:
    """Quotes, newlines, NUL and UTF-8 in names and values come back as they were."""
    rows = [({**labels, "__name__": name}, np.array([5]), np.array([value]))]
    back = parse(written(rows))
    assert back.error_count == 0
    assert as_set(back.join().samples) == as_set(Samples.from_series(rows))
