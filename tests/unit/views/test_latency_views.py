"""Pictures of latency: drawn for real, with hostile names, of nothing, of one group and of many."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import vl_convert
from latency_results import BOUNDS, HOSTILE, START_MS, STEP_MS, full, studied, summarised

from workbench.errors import InputError
from workbench.latency.result import LatencyResult
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.quantiles import quantile
from workbench.views import theme
from workbench.views.latency import busiest, latency_chart
from workbench.views.latency_axis import seconds_expression, short_metrics, ticks
from workbench.views.latency_buckets import latency_buckets
from workbench.views.latency_changes import latency_changes
from workbench.views.latency_ecdf import latency_ecdf
from workbench.views.latency_heatmap import find_group, latency_heatmap
from workbench.views.latency_steps import points_of
from workbench.views.latency_tail import latency_tail
from workbench.window import Window

PICTURES = [
    latency_chart, latency_heatmap, latency_ecdf, latency_changes, latency_tail, latency_buckets,
]  # fmt: skip
EMPTY = LatencyResult(Window(START_MS, START_MS + 96 * STEP_MS, STEP_MS))


@pytest.fixture(scope="module")
def result():
    return full()


def expressions(node, found):
    """Every place of a Vega-Lite specification that is evaluated."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "filter", "calculate", "labelExpr", "test", "signal", "field", "as"):
                found.append(json.dumps(value))
            expressions(value, found)
    elif isinstance(node, list):
        for each in node:
            expressions(each, found)
    return found


def columns(chart, *names):
    """The columns of the data sets that have all of these."""
    found = [d[0] for d in chart.to_dict()["datasets"].values() if len(d) == 1]
    return [{n: d[n] for n in names} for d in found if set(names) <= set(d)]


@pytest.mark.parametrize("draw", PICTURES)
def test_it_is_drawn(draw, result):
    spec = draw(result).to_dict()
    assert "<svg" in vl_convert.vegalite_to_svg(spec)
    assert spec["config"]["background"] == "transparent"


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("draw", PICTURES)
def test_no_colour_of_text_but_the_themes_or_the_palettes(draw, mode, result):
    """What is written in black or white could not be read on one of the two grounds."""
    spec = theme.themed(draw(result), mode).to_dict()
    svg = vl_convert.vegalite_to_svg(spec)
    used = {c.lower() for c in re.findall(r'<text[^>]* fill="(#[0-9A-Fa-f]{6})"', svg)}
    allowed = {c.lower() for c in (*theme.COLOURS.values(), *theme._INK[mode])}
    assert used
    assert used <= allowed
    assert 'fill="black"' not in svg


@pytest.mark.parametrize("draw", PICTURES)
def test_nothing_to_draw_is_said(draw):
    svg = vl_convert.vegalite_to_svg(draw(EMPTY).to_dict())
    assert re.search(r">(No|Nothing|There is no)[ a-z]", svg)


@pytest.mark.parametrize("draw", PICTURES)
def test_hostile_names_are_data_and_never_evaluated(draw):
    spec = draw(full(names=[HOSTILE, f"{HOSTILE}2"])).to_dict()
    text = json.dumps(spec)
    text.encode("utf-8")
    assert not [e for e in expressions(spec, []) if "datum.x" in e or "script" in e]
    svg = vl_convert.vegalite_to_svg(spec)
    assert "</script>" not in svg
    assert "\x00" not in svg


@pytest.mark.parametrize("draw", PICTURES)
def test_no_data_are_csv_whose_reader_a_reports_policy_forbids(draw, result):
    assert '"csv"' not in json.dumps(draw(result).to_dict())


@pytest.mark.parametrize("draw", PICTURES)
def test_one_group_with_one_request_can_be_drawn(draw):
    vl_convert.vegalite_to_svg(draw(studied(1, 2, requests=0.7)).to_dict())


@pytest.mark.parametrize("draw", PICTURES)
def test_a_study_without_a_single_request_can_be_drawn(draw):
    vl_convert.vegalite_to_svg(draw(studied(2, 8, requests=0.0)).to_dict())


@pytest.fixture(scope="module")
def large():
    return studied(500, 1_440, requests=200.0)


@pytest.mark.parametrize("draw", PICTURES)
def test_five_hundred_groups_make_a_small_chart(draw, large):
    assert len(json.dumps(draw(large).to_dict())) < 700_000


def test_of_many_groups_the_busiest_are_drawn_and_the_rest_is_said(large):
    spec = latency_chart(large).to_dict()
    assert len(spec["concat"]) == 12
    assert any("12 of 500 groups" in line for line in spec["title"]["subtitle"])


def test_every_instrument_has_an_equal_part_of_the_panels():
    both = studied(20, 4, instruments=2)
    shown = busiest(both, 12)
    assert [d.instrument.name[:5] for d in shown] == ["api_d"] * 6 + ["api1_"] * 6
    assert [d.name for d in shown[:2]] == ["path=/p000", "path=/p001"]


# ------------------------------------------------------------------ quantiles over time


def test_merged_points_are_quantiles_of_the_requests_of_their_stretch(large):
    """By a brute-force sum over the steps between both ends, for one group."""
    d = large.distributions[0]
    points = points_of(d, (0.5, 0.99), STEP_MS, 240)
    assert len(points.ends_ms) <= 241
    assert set((points.ends_ms - points.starts_ms).tolist()) == {6 * STEP_MS}
    times = d.over_time.times_ms
    for i in (0, 17, len(points.ends_ms) - 1):
        inside = (times > points.starts_ms[i]) & (times <= points.ends_ms[i])
        counts = d.by_step.counts[inside].sum(axis=0)
        whole = BucketCounts(d.by_step.edges, counts)
        assert points.value[i] == pytest.approx(quantile(whole, [0.5, 0.99]), rel=1e-12)
        assert points.requests[i] == pytest.approx(counts.sum())


def test_few_steps_are_drawn_as_they_are(result):
    d = result.distributions[0]
    points = points_of(d, (0.99,), STEP_MS, 240)
    assert np.array_equal(points.ends_ms, d.over_time.times_ms)
    assert np.array_equal(points.value[:, 0], d.over_time.value[:, 3])


def test_steps_without_data_are_blank():
    chart = latency_chart(studied(1, 96, missing=slice(30, 50)))
    (drawn,) = columns(chart, "time", "value2", "low2", "requests")
    blank = [t for t, v in zip(drawn["time"], drawn["value2"], strict=True) if v is None]
    assert blank == [START_MS + (k + 1) * STEP_MS for k in range(30, 50)]
    assert drawn["requests"][30] is None
    assert drawn["low2"][30] is None


def test_the_line_lies_in_its_band(result):
    for drawn in columns(latency_chart(result), "value2", "low2", "high2"):
        for value, low, high in zip(*drawn.values(), strict=True):
            assert low <= value
            assert high == -1 or value <= high


def test_a_clipped_quantile_says_at_least_and_its_band_has_no_upper_edge():
    slow = studied(1, 96, median=9.0)
    chart = latency_chart(slow)
    assert re.search(r"p99 ≥ 10 s", json.dumps(chart.to_dict(), ensure_ascii=False))
    (drawn,) = columns(chart, "high2")
    assert set(drawn["high2"]) == {-1}


def test_axes_write_each_tick_in_its_own_unit(result):
    svg = vl_convert.vegalite_to_svg(latency_ecdf(result).to_dict())
    assert {"5 ms", "100 ms", "1 s"} & set(re.findall(r">([\d.]+ (?:ms|s))<", svg))


def test_objectives_and_deploys_stand_in_every_panel(result):
    svg = vl_convert.vegalite_to_svg(latency_chart(result).to_dict())
    assert svg.count(">250 ms<") >= 3
    assert svg.count(">version /p000<") == 3


def test_of_a_summary_bands_are_drawn_from_instance_to_instance():
    chart = latency_chart(summarised())
    (drawn,) = columns(chart, "low0", "high0", "low1", "high1", "value1")
    assert drawn["low1"][0] == pytest.approx(0.3)
    assert drawn["high1"][0] == pytest.approx(1.2)
    assert set(drawn["value1"]) == {None}
    assert drawn["low0"][5:8] == [None] * 3
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    assert "from the fastest instance to the slowest" in svg
    assert svg.count("mark-area") >= 2


@pytest.mark.parametrize("draw", PICTURES)
def test_a_summary_alone_is_drawn_or_said_not_to_be(draw):
    vl_convert.vegalite_to_svg(draw(summarised()).to_dict())


# ------------------------------------------------------------------ heat map


def test_the_shares_of_each_moment_add_up_to_one(result):
    (cells,) = columns(latency_heatmap(result), "time", "share", "count")
    total = {}
    for time, share in zip(cells["time"], cells["share"], strict=True):
        total[time] = total.get(time, 0.0) + share
    assert len(total) == 96
    assert list(total.values()) == pytest.approx([1.0] * 96, abs=1e-4)
    assert sum(cells["count"]) == pytest.approx(result.distributions[0].requests)


def test_without_a_name_it_is_the_group_that_became_slower(result):
    slow = result.distributions[2]
    changed = replace(result.comparisons[1], group=slow.labels)
    assert find_group(replace(result, comparisons=(changed,)), None) is slow
    assert find_group(replace(result, comparisons=()), None) is result.distributions[0]


def test_a_group_is_found_by_its_name_or_a_part_of_it(result):
    assert find_group(result, "path=/p001") is find_group(result, "p001")
    with pytest.raises(InputError, match="3 groups are meant by '/p00'"):
        find_group(result, "/p00")
    with pytest.raises(InputError, match=r"no group 'path=/p009'.*did you mean"):
        find_group(result, "path=/p009")


def test_many_buckets_are_merged_without_losing_a_request():
    d = studied(1, 4).distributions[0]
    edges = np.concatenate([[0.0], 0.001 * 1.05 ** np.arange(180), [np.inf]])
    counts = np.random.default_rng(1).poisson(5.0, (4, 181)).astype(float)
    native = replace(
        d, by_step=BucketCounts(edges, counts), whole=BucketCounts(edges, counts.sum(0))
    )
    (cells,) = columns(latency_heatmap(replace(EMPTY, distributions=(native,))), "bucket", "count")
    assert max(cells["bucket"]) < 40
    assert sum(cells["count"]) == pytest.approx(counts.sum())


# ------------------------------------------------------------------ whole distributions


def test_points_of_the_distribution_are_the_counted_shares(result):
    drawn = columns(latency_ecdf(result), "group", "seconds", "slower", "requests")[0]
    whole = result.distributions[1].whole
    for group, at, slower in zip(drawn["group"], drawn["seconds"], drawn["slower"], strict=True):
        if group == 1:
            above = whole.counts[at * (1 + 1e-9) < BOUNDS].sum() / whole.counts.sum()
            assert slower == pytest.approx(above, rel=1e-5)


def test_lines_of_the_distribution_fall_and_stay_in_their_boxes(result):
    chart = latency_ecdf(result)
    boxes = columns(chart, "group", "from", "to", "above", "below")[0]
    drawn = columns(chart, "group", "seconds", "slower")
    line = next(c for c in drawn if len(c["group"]) > 40)
    for group in range(3):
        points = sorted((s, y) for g, s, y in zip(*line.values(), strict=True) if g == group)
        assert all(a[1] >= b[1] * (1 - 1e-5) for a, b in pairwise(points))
        held = [b[1:] for b in zip(*boxes.values(), strict=True) if b[0] == group]
        for at, slower in points:
            assert any(
                low * (1 - 1e-5) <= at <= (high if high > 0 else np.inf) * (1 + 1e-5)
                and below * (1 - 1e-4) - 1e-4 <= slower <= above * (1 + 1e-4) + 1e-4
                for low, high, above, below in held
            )


# ------------------------------------------------------------------ changes, tail, buckets


def test_a_verdict_is_told_by_word_shape_and_colour(result):
    rows = latency_changes(result).to_dict()["datasets"]["changes"]
    headings = [r["verdict"] for r in rows if "heading" in r]
    assert headings == ["Slower", "Faster", "Cannot tell", "No difference seen"]
    looks = {(r["verdict"], r["shape"], r["colour"]) for r in rows if "shape" in r}
    assert len({shape for _, shape, _ in looks}) == len({c for *_, c in looks}) == len(looks) == 4


def test_an_interval_that_runs_off_ends_at_the_axis(result):
    svg = vl_convert.vegalite_to_svg(latency_changes(result).to_dict())
    assert "× 75" in svg
    assert "NaN" not in svg


def test_a_quantile_that_was_not_judged_has_no_point(result):
    rows = latency_changes(result).to_dict()["datasets"]["changes"]
    unjudged = [r for r in rows if r.get("figure") == "not judged"]
    assert len(unjudged) == 2
    assert all(r["ratio"] is None and "above the last" in r["why"] for r in unjudged)


def test_bars_of_the_tail_are_its_shares(result):
    rows = latency_tail(result).to_dict()["datasets"]["tail_0"]
    drawn = {r["whole"]: (r["share_of_slow"], r["share_of_traffic"]) for r in rows}
    told = {p.value: (p.share_of_slow, p.share_of_traffic) for p in result.tails}
    assert drawn == told


def test_today_and_the_recommended_layout_are_named(result):
    svg = vl_convert.vegalite_to_svg(latency_buckets(result).to_dict())
    assert ">today<" in svg
    assert ">recommended<" in svg


def test_buckets_of_which_nothing_can_be_said_give_the_reason():
    poor = studied(1, 2, requests=5.0)
    assert "too few" in vl_convert.vegalite_to_svg(latency_buckets(poor).to_dict())


# ------------------------------------------------------------------ axes


@pytest.mark.parametrize(("low", "high"), [(0.002, 0.003), (1e-6, 1e3), (0.4, 0.45), (59.0, 3e5)])
def test_ticks_are_few_ascend_and_lie_inside(low, high):
    found = ticks(low, high)
    assert 1 <= len(found) <= 7
    assert found == sorted(found)
    assert low <= found[0] <= found[-1] <= high


@pytest.mark.parametrize(
    ("value", "text"),
    [(5e-6, "5 µs"), (0.005, "5 ms"), (0.2, "200 ms"), (2, "2 s"), (300, "5 min"), (None, "–")],
)
def test_the_browser_writes_seconds_as_tables_do(value, text):
    spec = {
        "data": {"values": [{"x": value}]},
        "transform": [{"calculate": seconds_expression("datum.x"), "as": "text"}],
        "mark": "text",
        "encoding": {"text": {"field": "text"}},
    }
    assert f">{text}<" in vl_convert.vegalite_to_svg(spec)


def test_metrics_are_not_shortened_to_nothing():
    assert short_metrics(["seconds", "a_seconds"])[1] == ""
    assert short_metrics(['a_seconds{x="_seconds"}', 'b_seconds{x="_seconds"}'])[1] == ""
