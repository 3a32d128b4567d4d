"""Lines, heatmaps and tables: what is drawn is what is in the data, and hostile text stays text."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.findings import Finding, Provenance, Semantics, Severity
from workbench.frame import Frame
from workbench.views.heatmap import buckets_of, distribution_chart, heatmap_chart
from workbench.views.series import series_chart, series_names, thinned
from workbench.views.table import findings_table, frame_table, html_table, provenance_table

HOSTILE = "<script>alert('x')</script>\n\x00\"'"


def _frame(values: Any, labels: list[dict[str, str]] | None = None, expression: str = "m") -> Frame:
    array = np.atleast_2d(np.asarray(values, dtype=np.float64))
    names = labels or [{"i": str(n)} for n in range(len(array))]
    times = np.arange(array.shape[1], dtype=np.int64) * 60_000
    kind = "matrix" if array.shape[1] > 1 else "vector"
    return Frame(kind, names, times, array, ~np.isnan(array), expression)


def _drawn(chart: Any, columns: str) -> list[dict[str, str]]:
    """The rows of the chart's data set that has these columns."""
    for data in chart.to_dict()["datasets"].values():
        if isinstance(data, str) and data.startswith(columns):
            return list(csv.DictReader(io.StringIO(data)))
    return []


def _subtitle(chart: Any) -> str:
    return " ".join(chart.to_dict()["title"].get("subtitle", []))


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=400),
    st.integers(4, 60),
)
def test_thinning_keeps_every_extreme(values: list[float], most: int) -> None:
    """The greatest and least value survive, few steps remain, and all are real steps."""
    array = np.array(values)
    present = ~np.isnan(array)
    kept = thinned(array, present, most)
    assert len(kept) <= max(most, 4) + 2
    assert (np.diff(kept) > 0).all()
    assert (kept[0], kept[-1]) == (0, len(values) - 1)
    if present.any():
        assert np.nanmax(array[kept]) == np.nanmax(array)
        assert np.nanmin(array[kept]) == np.nanmin(array)


def test_a_single_spike_in_a_month_is_drawn() -> None:
    """43,200 points become about 1,000, and the one that matters is among them."""
    values = np.zeros(43_200)
    values[12_345] = 7
    rows = _drawn(series_chart(_frame(values)), "line,")
    assert len(rows) <= 1_010
    assert [r["time"] for r in rows if r["value"] == "7"] == [str(12_345 * 60_000)]


def test_gaps_stay_gaps_and_lone_samples_become_points() -> None:
    """An absent step is a row without value, which breaks the line."""
    nan = float("nan")
    rows = _drawn(series_chart(_frame([1, 2, nan, 3, nan, nan, 4, 5])), "line,")
    assert [r["value"] for r in rows] == ["1", "2", "", "3", "", "4", "5"]
    assert [r["time"] for r in rows if r["alone"] == "1"] == ["180000"]


def test_only_the_greatest_get_a_line_and_the_others_are_said() -> None:
    """Ranked by last value; the band spans exactly the others."""
    values = np.arange(30.0)[:, None] * [1, 1, 1]
    chart = series_chart(_frame(values), top=3)
    assert "3 of 30 series" in _subtitle(chart)
    assert "other 27" in _subtitle(chart)
    assert {r["value"] for r in _drawn(chart, "line,")} == {"27", "28", "29"}
    band = _drawn(chart, "time,value,high")
    assert {(r["value"], r["high"]) for r in band} == {("0", "26")}


def test_infinities_are_left_out_and_counted() -> None:
    """JSON has no infinity; a reader is told."""
    chart = series_chart(_frame([1, float("inf"), 2, float("-inf")]))
    assert "infinite values (2)" in _subtitle(chart)
    json.loads(chart.to_json(), parse_constant=pytest.fail)


def test_the_axis_is_in_a_readable_unit() -> None:
    """Values are scaled, and the axis says to what."""
    chart = series_chart(_frame([2**31, 2**32]), unit="bytes")
    assert [r["value"] for r in _drawn(chart, "line,")] == ["2", "4"]
    assert '"GiB"' in chart.to_json()


@pytest.mark.parametrize(
    "frame",
    [
        Frame.empty("matrix", np.arange(3, dtype=np.int64)),
        _frame([float("nan")] * 3),
        _frame([float("inf"), float("-inf")]),
        _frame([3.0]),
        _frame([1.0, 2.0], [{"job": HOSTILE, "é.ü": HOSTILE}]),
    ],
)
def test_every_frame_can_be_drawn_and_rendered(frame: Frame) -> None:
    """Empty, all NaN, one step, hostile labels: vl-convert draws each."""
    import vl_convert

    for draw in (series_chart, distribution_chart):
        svg = vl_convert.vegalite_to_svg({**draw(frame, title=HOSTILE).to_dict(), "width": 400})
        assert "<script" not in svg


def test_series_are_named_by_what_tells_them_apart() -> None:
    """Common labels are left out; same names after shortening stay different."""
    pairs = [{"job": "a", "i": "1"}, {"job": "a", "i": "2"}, {"job": "a"}]
    assert series_names(pairs) == ['{i="1"}', '{i="2"}', '{job="a"}']
    assert series_names([{}], "sum(up)") == ["sum(up)"]
    long = [{"a": f"{'x' * 100}{n}{'y' * 100}"} for n in range(3)]
    assert len(set(series_names(long))) == 3


def test_long_titles_and_notes_are_wrapped_to_the_charts_width() -> None:
    """A query of any length stays above its chart, the start and the end of it at least."""
    query = f"sum by (job) (rate(first_total[5m])) / {' + '.join(['x' * 20] * 40)} + last"
    title = series_chart(_frame([1.0, 2.0]), title=query, notes=[query]).to_dict()["title"]
    for lines, width in ((title["text"], 88), (title["subtitle"], 108)):
        assert len(lines) <= 4
        assert max(map(len, lines)) <= width
        assert lines[0].startswith("sum by (job)")
        assert lines[-1].endswith("last")


def test_buckets_are_taken_apart() -> None:
    """Cumulative 1, 3, 3, 6 is 1, 2, 0, 3; bounds sort as numbers; groups are added up."""
    labels = [{"le": le, "pod": pod} for pod in "ab" for le in ("10", "2", "+Inf", "0.5")]
    cumulative = np.array([[3.0], [3.0], [6.0], [1.0]] * 2)
    buckets = buckets_of(_frame(cumulative, labels))
    assert buckets.bounds.tolist() == [0.5, 2, 10, np.inf]
    assert buckets.counts[:, 0].tolist() == [2, 4, 0, 6]
    assert buckets.merged == 2


def test_a_bucket_that_falls_behind_counts_as_empty() -> None:
    """Never a negative count, as in Prometheus' own histogram_quantile."""
    buckets = buckets_of(_frame([[5.0], [4.0], [7.0]], [{"le": "1"}, {"le": "2"}, {"le": "+Inf"}]))
    assert buckets.counts[:, 0].tolist() == [5, 0, 2]


def test_heatmap_draws_counts_and_leaves_empty_cells_blank() -> None:
    """One cell for each bucket and step with a count; steps without data have none."""
    nan = float("nan")
    values = [[1, 0, nan], [1, 2, nan], [4, 2, nan]]
    chart = heatmap_chart(
        _frame(values, [{"le": "0.1"}, {"le": "1"}, {"le": "+Inf"}]), unit="seconds"
    )
    cells = {(r["time"], r["bucket"]): r["count"] for r in _drawn(chart, "bucket,")}
    assert cells == {("0", "0"): "1", ("0", "2"): "3", ("60000", "1"): "2"}
    assert "≤ 100 ms" in json.dumps(chart.to_dict(), ensure_ascii=False)


def test_long_heatmaps_are_averaged_not_cut() -> None:
    """5,000 steps share at most 240 columns, whose mean is the mean of all."""
    values = np.vstack([np.arange(5_000.0), np.full(5_000, 5_000.0)])
    rows = _drawn(heatmap_chart(_frame(values, [{"le": "1"}, {"le": "+Inf"}])), "bucket,")
    assert len({r["time"] for r in rows}) <= 240
    first = [float(r["count"]) for r in rows if r["bucket"] == "0"]
    assert np.mean(first) == pytest.approx(2_499.5, rel=0.02)


def test_a_heatmap_of_no_histogram_says_what_to_draw() -> None:
    """The message shows the query that would work."""
    with pytest.raises(InputError, match=r"sum by \(le\)"):
        heatmap_chart(_frame([1, 2]))


def test_distribution_shares_add_up() -> None:
    """Buckets or plain values: the shares are of the whole."""
    buckets = _frame([[1, 1], [4, 4]], [{"le": "1"}, {"le": "+Inf"}])
    for frame in (buckets, _frame([1, 2, 2, 9])):
        data = next(d for d in distribution_chart(frame).to_dict()["datasets"].values())
        assert sum(row["share"] for row in data) == pytest.approx(1)
    shares = next(iter(distribution_chart(buckets).to_dict()["datasets"].values()))
    assert [row["share"] for row in shares] == [0.25, 0.75]


class _Reader(HTMLParser):
    """Tags and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def test_hostile_text_stays_text_in_every_table() -> None:
    """No tag comes from data; NUL and line ends are replaced."""
    finding = Finding("X", Severity.ERROR, HOSTILE, HOSTILE, HOSTILE)
    provenance = Provenance(HOSTILE, HOSTILE, HOSTILE, Semantics.UNKNOWN, 0, warnings=(HOSTILE,))
    frame = _frame([1.0], [{HOSTILE: HOSTILE}])
    pages = [
        findings_table([finding]),
        provenance_table([provenance]),
        frame_table(frame),
        html_table([HOSTILE], [[HOSTILE]], note=HOSTILE),
    ]
    for page in pages:
        reader = _read(page)
        assert "script" not in reader.tags
        assert any("<script>alert('x')</script>" in text for text in reader.texts)
        assert "\x00" not in page


def test_findings_stand_by_severity_in_words() -> None:
    """The gravest first; colour is never the only sign."""
    found = [
        Finding(s.value.upper(), s, "a", "b")
        for s in (Severity.INFO, Severity.ERROR, Severity.WARNING)
    ]
    texts = _read(findings_table(found)).texts
    words = [t for t in texts if t in ("error", "warning", "info")]
    assert words == ["error", "warning", "info"]
    assert "No findings" in findings_table([])


def test_result_tables_show_figures_with_units() -> None:
    """One step gives the value, more a summary; the full figure stays at hand; the rest is counted."""
    assert "1.5 KiB" in frame_table(_frame([1536.0]), unit="bytes")
    assert 'title="1536"' in frame_table(_frame([1536.0]), unit="bytes")
    texts = _read(frame_table(_frame([1, 2, 6, float("nan")]))).texts
    assert [t for t in texts if t.strip()][-5:] == ["6", "1", "3", "6", "1"]
    many = frame_table(_frame(np.arange(60.0)[:, None]), most=50)
    assert "10 more series" in many
    assert "No series" in frame_table(Frame.empty("vector", np.zeros(1, np.int64)))
