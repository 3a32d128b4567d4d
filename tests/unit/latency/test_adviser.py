"""The bucket adviser: what it recommends, what it says of each layout, and when it abstains."""

from __future__ import annotations

import json
import math
import re
import time

import numpy as np
import pytest
from advised_families import FAMILIES, GO_DEFAULT
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.latency.adviser import advise
from workbench.latency.layouts import native_edges
from workbench.statistics.buckets import BucketCounts


def observed(
    bounds: tuple[float, ...] = GO_DEFAULT, family: str = "log-normal", scale: float = 1.0
) -> BucketCounts:
    """Twenty thousand requests of one family on some boundaries."""
    sample = scale * FAMILIES[family](np.random.default_rng(3), 20_000)
    return BucketCounts.of_observations([*bounds, np.inf], sample)


def native(schema: int) -> BucketCounts:
    """The same requests as an exponential native histogram."""
    sample = np.sort(FAMILIES["log-normal"](np.random.default_rng(3), 20_000))
    edges = np.concatenate([[0.0], native_edges(schema, 0.001, 20.0)])
    reached = np.searchsorted(sample, edges, side="right").astype(float)
    return BucketCounts(edges, np.diff(reached), exponential=True)


def test_recommended_layout_has_a_boundary_on_each_objective() -> None:
    """The share within an objective is then counted, so its error is nil."""
    aims = [0.07, 0.3, 0.8, 2.2]
    advice = advise(observed(), objectives=aims, label_sets=10)
    chosen = advice.recommended
    assert chosen is not None
    assert set(aims) <= set(chosen.boundaries)
    assert [fit.share_error_worst for fit in chosen.objectives] == [0.0] * 4
    assert not advice.today.on_objectives
    assert list(chosen.boundaries) == sorted(set(chosen.boundaries))


def test_cost_counts_inf_sum_and_count_of_every_label_set() -> None:
    """Go's eleven boundaries make fourteen series a label set."""
    advice = advise(observed(), objectives=[0.3], label_sets=40)
    assert (advice.today.buckets, advice.today.series_per_label_set) == (12, 14)
    assert advice.today.series == 560
    for layout in advice.layouts:
        assert layout.series == 40 * layout.series_per_label_set
        assert layout.series_change == layout.series - 560
        assert layout.series_per_label_set == (
            1 if layout.schema is not None else layout.buckets + 2
        )


def test_budget_of_buckets_is_kept() -> None:
    """With less room the error grows, and no recommended layout is above the budget."""
    errors = []
    for most in (20, 12, 8, 5):
        chosen = advise(observed(), objectives=[0.3], label_sets=1, max_buckets=most).recommended
        assert chosen is not None
        assert chosen.buckets <= most
        errors.append(chosen.error)
    assert errors == sorted(errors)


def test_objective_that_cuts_a_bucket_leaves_its_share_in_doubt() -> None:
    """What the bucket from 0.25 to 0.5 holds bounds the error of the share within 0.3."""
    seen = observed()
    fit = advise(seen, objectives=[0.3], label_sets=1).today.objectives[0]
    held = float(seen.counts[6] / seen.total)
    assert seen.edges[6:8].tolist() == [0.25, 0.5]
    assert fit.share_unknown == pytest.approx(held, abs=2e-5)
    assert 0 < fit.share_error <= fit.share_error_worst <= held


def test_width_is_that_of_the_bucket_which_holds_the_quantile() -> None:
    """Today's p50 lies in (0.1, 0.25], a width of 150 %, of which it can make sure."""
    today = advise(observed(), objectives=[], label_sets=1).today
    assert [q.width for q in today.quantiles] == pytest.approx([1.5, 1.0, 1.0])
    assert [q.width_at_most for q in today.quantiles] == pytest.approx([1.5, 1.0, 1.0])


@pytest.mark.parametrize("family", FAMILIES)
def test_worst_error_is_within_the_guaranteed_width(family: str) -> None:
    """No distribution that agrees with the counts makes an estimate leave its bucket."""
    advice = advise(observed(family=family), objectives=[0.3], label_sets=1)
    for layout in advice.layouts:
        for found in layout.quantiles:
            assert found.expected <= found.worst <= found.width_at_most + 1e-3
            assert found.expected_promql <= found.worst_promql <= found.width_at_most + 1e-3


def test_native_histograms_are_off_by_their_growth_at_most() -> None:
    """Schemas 0, 3 and 5 double, grow by 9.05 % and by 2.19 %, at one series a label set."""
    advice = advise(observed(), objectives=[0.3], label_sets=25)
    found = {x.schema: x for x in advice.layouts if x.schema is not None}
    assert {x: round(2.0**2.0**-x - 1, 4) for x in found} == {0: 1.0, 3: 0.0905, 5: 0.0219}
    for schema, layout in found.items():
        assert layout.series == 25
        assert max(q.worst_promql for q in layout.quantiles) <= 2.0**2.0**-schema - 1
    assert found[0].buckets < found[3].buckets < found[5].buckets


def test_what_was_advised_is_not_advised_away_by_the_next_sample() -> None:
    """On the recommended layout, another hour of the same service finds nothing to change."""
    for family in FAMILIES:
        chosen = advise(observed(family=family), objectives=[0.3], label_sets=50).recommended
        assert chosen is not None
        later = FAMILIES[family](np.random.default_rng(4), 20_000)
        counted = BucketCounts.of_observations([*chosen.boundaries, np.inf], later)
        again = advise(counted, objectives=[0.3], label_sets=50)
        assert again.recommended is again.today, again.reason
        assert again.reason.startswith("today's layout is fine")


def test_a_hundred_buckets_are_too_many() -> None:
    """They are precise, and dear: a smaller layout is as good within two points."""
    many = tuple(np.geomspace(0.001, 10, 100).tolist())
    advice = advise(observed(many), objectives=[], label_sets=10)
    assert advice.recommended is not None
    assert advice.recommended.series < advice.today.series / 4
    assert "more series than it takes" in advice.reason


def test_clipped_tail_is_said_and_reached_for() -> None:
    """With p95 and p99 in the top bucket the advised layout goes on above it."""
    advice = advise(observed(GO_DEFAULT[:6]), objectives=[0.1], label_sets=1)
    assert advice.today.clipped
    assert advice.recommended is not None
    assert not advice.recommended.clipped
    assert advice.recommended.boundaries[-1] > 0.5
    assert any("p95, p99 in the top bucket, above 0.25 seconds" in x for x in advice.notes)
    assert math.isinf(advice.today.quantiles[-1].width)


def test_fast_service_gets_lower_boundaries() -> None:
    """With the median in the first bucket, up to 5 ms, boundaries are put below."""
    advice = advise(observed(scale=1 / 30), objectives=[], label_sets=1)
    assert advice.recommended is not None
    assert advice.recommended.boundaries[0] < 0.002
    assert any("p50 in the first bucket, up to 0.005 seconds" in x for x in advice.notes)


def test_many_series_make_a_native_histogram_the_better_answer() -> None:
    """With 5,000 label sets a classic layout costs 70,000 series, a native one 5,000."""
    small = advise(observed(), objectives=[0.3], label_sets=50).native
    large = advise(observed(), objectives=[0.3], label_sets=5_000).native
    assert small is not None
    assert large is not None
    assert not small.better
    assert large.better
    assert "5,000 series instead of" in large.reason
    assert any("--enable-feature=native-histograms" in need for need in large.needs)


def test_native_histogram_stays_native() -> None:
    """A fine one is kept; a coarse one gets a finer schema, at as many series."""
    fine = advise(native(3), objectives=[0.3], label_sets=10)
    assert fine.recommended is fine.today
    assert (fine.today.schema, fine.today.series) == (3, 10)
    coarse = advise(native(0), objectives=[0.3], label_sets=10)
    assert coarse.today.schema == 0
    assert coarse.recommended is not None
    assert coarse.recommended.schema == 3
    assert "NativeHistogramBucketFactor:     1.1," in coarse.snippets[0].code


def test_groups_are_summed_and_equal_counts_give_equal_advice() -> None:
    """Leading axes are label sets; nothing is left to chance."""
    one = observed()
    half = BucketCounts(one.edges, np.stack([one.counts / 2] * 2)[None])
    first = advise(one, objectives=[0.3], label_sets=2)
    assert advise(half, objectives=[0.3], label_sets=2).to_dict() == first.to_dict()


def test_other_units_and_buckets_at_zero() -> None:
    """Milliseconds scale everything; OpenTelemetry's bucket up to 0 joins the first."""
    seconds = advise(observed(), objectives=[0.3], label_sets=2)
    sample = 1000 * FAMILIES["log-normal"](np.random.default_rng(3), 20_000)
    bounds = [-5.0, 0.0, *(1000 * x for x in GO_DEFAULT), np.inf]
    counted = BucketCounts.of_observations(bounds, sample)
    advice = advise(counted, objectives=[300], label_sets=2, unit="milliseconds")
    assert seconds.recommended is not None
    assert advice.recommended is not None
    expected = [1000 * x for x in seconds.recommended.boundaries]
    assert advice.recommended.boundaries == pytest.approx(expected)
    assert [x.name for x in advice.layouts if x.kind == "default"] == [
        "OpenTelemetry and Python default"
    ]
    sizes = advise(observed(), objectives=[0.3], label_sets=2, unit="bytes")
    assert "default" not in [x.kind for x in sizes.layouts]


def test_table_and_dictionary_hold_plain_data() -> None:
    """A row a layout, alike in columns; JSON without NaN or infinity."""
    advice = advise(observed(GO_DEFAULT[:6]), objectives=[0.1, 0.3], label_sets=3)
    rows = advice.to_table()
    assert len(rows) == len(advice.layouts)
    assert len({tuple(row) for row in rows}) == 1
    assert sum(row["recommended"] for row in rows) == 1
    plain = json.loads(json.dumps(advice.to_dict(), allow_nan=False))
    assert plain["layouts"][0]["quantiles"][-1]["width"] is None
    assert plain["recommended"] in [x["name"] for x in plain["layouts"]]


@pytest.mark.parametrize(
    ("bounds", "sample", "reason"),
    [
        (GO_DEFAULT, [], "nothing was observed"),
        ((), [0.2] * 500, "one bucket only"),
        ((0.1,), [0.05, 0.2] * 500, "one boundary alone"),
        (GO_DEFAULT, [20.0] * 500, "lies above the last boundary, 10"),
        (GO_DEFAULT, [0.001] * 500, "lies in the first bucket, up to 0.005"),
        (GO_DEFAULT, [0.2, 0.7] * 20, "only 40 observations"),
    ],
)
def test_abstains_where_there_is_too_little_to_go_by(
    bounds: tuple[float, ...], sample: list[float], reason: str
) -> None:
    """Too little data is an answer, not an exception: it says what is missing."""
    counted = BucketCounts.of_observations([*bounds, np.inf], sample)
    advice = advise(counted, objectives=[0.3], label_sets=7)
    assert advice.recommended is None
    assert advice.native is None
    assert advice.layouts == ()
    assert advice.snippets == ()
    assert reason in advice.reason
    assert advice.today.series == 7 * (len(bounds) + 3)
    json.dumps(advice.to_dict(), allow_nan=False)
    assert advice.to_table() == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"objectives": [0.0]}, "the objective 0.0 is not a positive number"),
        ({"objectives": [-1]}, "the objective -1 is not"),
        ({"objectives": [0.3, math.nan]}, "the objective nan is not"),
        ({"objectives": [math.inf]}, "the objective inf is not"),
        ({"objectives": ["300ms"]}, "the objective '300ms' is not a positive number"),
        ({"quantiles": ["p99"]}, "the quantiles are ['p99']"),
        ({"objectives": [300_000]}, "far from the buckets, 0.005 to 10"),
        ({"quantiles": [99]}, "the quantiles are [99]"),
        ({"quantiles": []}, "the quantiles are []"),
        ({"quantiles": [math.nan]}, "the quantiles are [nan]"),
        ({"label_sets": 0}, "the number of label sets is 0"),
        ({"max_buckets": 2}, "2 buckets leave no room"),
        ({"objectives": [0.1, 0.2, 0.3], "max_buckets": 3}, "3 buckets leave no room"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(wrong: dict, message: str) -> None:
    """What was wrong with the value, and what to do."""
    given_input = {"objectives": [0.3], "label_sets": 1, **wrong}
    with pytest.raises(InputError, match=re.escape(message)):
        advise(observed(), **given_input)


@pytest.mark.parametrize("count", [-1.0, math.nan, math.inf])
def test_impossible_counts_are_refused(count: float) -> None:
    """A counter that fell back, or a gap."""
    edges = np.array([0.0, 1.0, 2.0, np.inf])
    with pytest.raises(InputError, match="negative or not finite"):
        advise(BucketCounts(edges, np.array([5.0, count, 1.0])), objectives=[], label_sets=1)


def test_quantity_that_is_never_positive_is_refused() -> None:
    """Temperatures below zero have no logarithm."""
    below = BucketCounts(np.array([-np.inf, -2.0, -1.0]), np.array([500.0, 500.0]))
    with pytest.raises(InputError, match="no bucket reaches above 0"):
        advise(below, objectives=[], label_sets=1)


def test_edges_that_differ_by_rounding_alone_are_one() -> None:
    """A boundary stands twice, the second time one rounding error higher."""
    seen = observed((*GO_DEFAULT[:6], math.nextafter(0.25, 1.0), *GO_DEFAULT[6:]))
    assert advise(seen, objectives=[0.3], label_sets=1).recommended is not None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=16, unique=True),
    st.data(),
)
def test_any_histogram_gets_advice_or_a_reason(bounds: list[float], data: st.DataObject) -> None:
    """Whatever the layout and the counts: a sorted, finite layout within the budget, or none."""
    edges = np.array([0.0, *sorted(bounds), np.inf])
    amounts = st.sampled_from([0.0, 0.0, 0.4, 1.0, 30.0, 1e4, 1e9])
    counts = data.draw(st.lists(amounts, min_size=len(edges) - 1, max_size=len(edges) - 1))
    aims = data.draw(st.lists(st.sampled_from(edges[1:-1].tolist()), max_size=3))
    most = data.draw(st.sampled_from([None, 5, 9, 30]))
    advice = advise(
        BucketCounts(edges, np.array(counts)), objectives=aims, label_sets=3, max_buckets=most
    )
    json.dumps(advice.to_dict(), allow_nan=False)
    chosen = advice.recommended
    if chosen is None:
        assert advice.reason
        return
    assert set(aims) <= set(chosen.boundaries)
    assert all(0 < x < math.inf for x in chosen.boundaries)
    assert (np.diff(chosen.boundaries) > 0).all()
    assert math.isfinite(chosen.error)
    assert chosen.buckets <= (most or 20)


def test_finest_native_histogram_is_advised_on_quickly() -> None:
    """Schema 8 has thousands of buckets over what a service does; 0.3 s of processor time do."""
    seen = native(8)
    advise(native(3), objectives=[0.3], label_sets=10)
    start = time.process_time()
    advice = advise(seen, objectives=[0.3], label_sets=10)
    assert time.process_time() - start < 0.3
    assert advice.today.schema == 8
    assert advice.recommended is advice.today
