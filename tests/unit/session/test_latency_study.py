"""Latency studies of small snapshots: what is told of good data, and of every kind of bad."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import workbench
from workbench.errors import InputError
from workbench.session.latency import LatencyRequest, plan_latency

sys.path.insert(0, str(Path(__file__).parents[1] / "latency"))

from latency_series import STEP_MS, histogram


def study(series, metrics="request_seconds", **words):
    words = {"last": "3h", "step": "10m", "compare": "none"} | words
    return workbench.connect(workbench.snapshot(series)).latency(metrics, **words)


def codes(found):
    return {f.code for f in found.findings}


def test_counts_shares_and_mean_of_two_instances_are_merged():
    series = histogram("request_seconds", {"path": "/a", "instance": "1"}, [50, 30, 15, 4, 1])
    series += histogram("request_seconds", {"path": "/a", "instance": "2"}, [50, 30, 15, 4, 1])
    series += histogram("request_seconds", {"path": "/b", "instance": "1"}, [10, 0, 0, 0, 0])
    found = study(series, objectives="250ms 400ms", by="path")
    first, second = found.result.distributions
    assert first.labels == {"path": "/a"}
    assert first.requests == pytest.approx(200 * 180, rel=0.01)
    assert second.requests == pytest.approx(10 * 180, rel=0.01)
    assert first.mean_seconds == pytest.approx(0.2, rel=0.01)
    on, off = first.shares
    assert on.value == pytest.approx(0.8)
    assert (off.bucket_low, off.bucket_high) == (pytest.approx(0.8), pytest.approx(0.95))
    assert first.quantile(0.9).bucket_low == 0.25
    assert first.quantile(0.999).clipped
    assert codes(found) >= {"LAT-CLIPPED", "LAT-OFF-BOUNDARY"}
    json.dumps(found.to_dict(), allow_nan=False)


def test_without_a_wish_the_route_tells_groups_apart():
    series = [
        s
        for p in "abc"
        for s in histogram("request_seconds", {"path": f"/{p}", "pod": p}, [9, 1, 0, 0, 0])
    ]
    found = study(series, metrics="")
    assert [d.labels for d in found.result.distributions] == [{"path": f"/{p}"} for p in "abc"]


def test_a_counter_that_begins_anew_loses_nothing_but_what_was_never_scraped():
    series = histogram("request_seconds", {"instance": "1"}, [50, 30, 15, 4, 1])
    half = len(series[0][1]) // 2
    for _, _, values in series:
        values[half:] -= values[half]
    found = study(series)
    (only,) = found.result.distributions
    assert only.resets == 1
    assert only.requests == pytest.approx(100 * 180, rel=0.02)


def test_no_such_metric_names_the_near_one():
    found = study(histogram("request_seconds", {}, [1, 1, 1, 1, 1]), metrics="request_second")
    (finding,) = found.findings
    assert finding.code == "LAT-NO-METRIC"
    assert "request_seconds" in finding.next_step
    assert found.table.empty
    found.chart()


def test_what_is_no_histogram_is_told():
    times = np.arange(240, dtype=np.int64) * STEP_MS
    found = study([({"__name__": "queue_size"}, times, np.ones(240))], metrics="queue_size")
    assert codes(found) == {"LAT-NOT-A-HISTOGRAM"}


def test_nothing_that_measures_time_is_one_message():
    times = np.arange(240, dtype=np.int64) * STEP_MS
    with pytest.raises(InputError, match="no histogram or summary"):
        study([({"__name__": "queue_size"}, times, np.ones(240))], metrics="")


def test_one_bucket_only_tells_nothing():
    found = study(histogram("request_seconds", {}, [5], bounds=(np.inf,)))
    assert codes(found) == {"LAT-BUCKETS-MISSING"}
    assert not found.result.distributions


def test_a_missing_infinite_bucket_is_told():
    series = [
        s for s in histogram("request_seconds", {}, [5, 1, 1, 1, 1]) if s[0].get("le") != "+Inf"
    ]
    found = study(series)
    assert codes(found) == {"LAT-BUCKETS-MISSING"}


def test_all_zero_is_no_request():
    found = study(histogram("request_seconds", {}, [0, 0, 0, 0, 0]), objectives="250ms")
    assert codes(found) == {"LAT-NO-REQUESTS"}
    assert found.result.distributions[0].quantiles[0].value is None
    found.chart()
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_reset_at_every_scrape_is_an_error():
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1])
    for _, _, values in series:
        values[:] = values[1] * (2 + np.arange(len(values)) % 2)
    assert "LAT-RESETS" in codes(study(series))


def test_instances_with_different_buckets_are_compared_on_those_that_all_have():
    series = histogram("request_seconds", {"instance": "1"}, [50, 30, 15, 4, 1])
    series += histogram(
        "request_seconds", {"instance": "2"}, [80, 15, 5], bounds=(0.25, 1.0, np.inf)
    )
    found = study(series, objectives="250ms")
    assert "LAT-BUCKETS-DIFFER" in codes(found)
    (only,) = found.result.distributions
    assert only.whole.edges.tolist() == [0, 0.25, 1, np.inf]
    assert only.shares[0].value == pytest.approx((80 + 80) / 200)


def test_buckets_that_changed_are_read_on_those_that_stayed():
    """A deploy gives other boundaries: the old and the new ones are never there together."""
    before = histogram("request_seconds", {"job": "api", "version": "1"}, [50, 30, 15, 4, 1])
    bounds = (0.25, 0.75, 1.0, np.inf)
    after = histogram(
        "request_seconds", {"job": "api", "version": "2"}, [80, 18, 1, 1], bounds=bounds
    )
    series = [(labels, t[:120], v[:120]) for labels, t, v in before]
    series += [(labels, t[120:], v[120:]) for labels, t, v in after]
    found = study(series, objectives="250ms")
    (only,) = found.result.distributions
    assert only.by_step.edges.tolist() == [0, 0.25, 1, np.inf]
    assert only.whole.edges.tolist() == [0, 0.25, 1, np.inf]
    assert only.shares[0].value == pytest.approx(0.8)
    assert only.missing.sum() <= 1
    assert "LAT-BUCKETS-DIFFER" in codes(found)


def test_buckets_that_are_not_cumulative_are_told():
    series = histogram("request_seconds", {}, [500, 300, 150, 40, 10])
    series[2] = (series[2][0], series[2][1], series[2][2] * 0.5)
    assert "LAT-NOT-CUMULATIVE" in codes(study(series))


def test_two_writings_of_one_bound_are_told():
    series = histogram("request_seconds", {}, [5, 3, 1, 1, 1])
    labels, times, values = series[3]
    series.append(({**labels, "le": "1.0"}, times, values))
    found = study(series)
    assert "LAT-BUCKETS-DIFFER" in codes(found)
    assert not found.result.distributions


def test_few_requests_are_told_and_many_gaps():
    series = histogram("request_seconds", {}, [1, 0, 0, 0, 0])
    keep = slice(0, 150)
    series = [(labels, t[keep], v[keep]) for labels, t, v in series]
    series += [({"__name__": "up"}, np.arange(240, dtype=np.int64) * STEP_MS, np.ones(240))]
    found = study(series)
    assert codes(found) >= {"LAT-FEW-REQUESTS", "LAT-GAPS"}


def test_a_summary_is_a_range_over_instances_and_never_merged():
    times = np.arange(240, dtype=np.int64) * STEP_MS
    series = []
    for instance, level in (("1", 0.2), ("2", 0.4)):
        who = {"instance": instance}
        for q in ("0.5", "0.99"):
            values = np.full(240, level * (1 + (q == "0.99")))
            series.append(({"__name__": "wait_seconds", "quantile": q, **who}, times, values))
        series.append(({"__name__": "wait_seconds_count", **who}, times, np.arange(240) * 10.0))
        series.append(({"__name__": "wait_seconds_sum", **who}, times, np.arange(240) * 3.0))
    found = study(series, metrics="wait_seconds")
    (only,) = found.result.distributions
    assert codes(found) == {"LAT-SUMMARY"}
    assert only.quantile(0.99).value is None
    assert (only.quantile(0.99).bucket_low, only.quantile(0.99).bucket_high) == (0.4, 0.8)
    assert only.mean_seconds == pytest.approx(0.3)
    found.chart()


def test_milliseconds_are_told_in_seconds():
    bounds = (100.0, 250.0, np.inf)
    found = study(
        histogram("request_milliseconds", {}, [50, 50, 0], bounds=bounds),
        metrics="request_milliseconds",
    )
    assert found.result.distributions[0].quantile(0.9).bucket_high == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"objectives": "NaN"}, "NaN"),
        ({"objectives": "0s"}, "not above 0"),
        ({"objectives": "-1s"}, "-1s"),
        ({"quantiles": "1.5"}, "quantile"),
        ({"quantiles": "p99"}, "quantiles"),
        ({"compare": "yesterday"}, "compare"),
        ({"compare": "1970-01-01T00:00Z/1970-01-01T02:00Z 1970-01-01T01:00Z/1970-01-01T03:00Z"}, "overlap"),
        ({"compare": "1970-01-01T02:00Z/1970-01-01T01:00Z 1970-01-01T03:00Z/1970-01-01T04:00Z"}, "covers nothing"),
        ({"compare": "deploys", "deploys": "when?"}, "neither a metric"),
        ({"step": "2h"}, "two steps"),
        ({"by": "nosuch"}, "no series has the label"),
        ({"by": "path le"}, "tells no groups apart"),
        ({"compare": "label nosuch"}, "no series has the label"),
        ({"compare_window": "1s", "step": None}, "shorter than two steps"),
        ({"end": "2100-01-01"}, "holds nothing at all"),
        ({"metrics": "rate(request_seconds_bucket[5m])"}, "selector"),
        ({"metrics": '{job="a"}'}, "named metric"),
        ({"trace_link": "javascript:alert(1)", "compare": "none"}, "http"),
    ],
)  # fmt: skip
def test_bad_words_are_one_message(words, told):
    series = histogram("request_seconds", {"path": "/a"}, [50, 30, 15, 4, 1])
    with pytest.raises(InputError, match=told.replace("?", r"\?")):
        study(series, **words)


def test_an_objective_outside_the_buckets_is_no_boundary():
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1])
    found = study(series, objectives="30s")
    (share,) = found.result.distributions[0].shares
    assert not share.on_edge
    assert share.bucket_low == pytest.approx(0.99)
    assert share.bucket_high == 1
    assert "LAT-OFF-BOUNDARY" in codes(found)


def test_hostile_labels_stay_text():
    value = '"}) or vector(1) #<script>alert(1)</script>\n'
    series = [
        s for v in (value, "b") for s in histogram("request_seconds", {"path": v}, [9, 3, 1, 1, 1])
    ]
    found = study(series, by="path")
    assert value in {d.labels["path"] for d in found.result.distributions}
    assert "<script>" not in found.table.to_html()


def test_a_slow_value_makes_the_tail():
    series = histogram("request_seconds", {"path": "/a"}, [900, 90, 9, 1, 0])
    series += histogram("request_seconds", {"path": "/b"}, [10, 10, 40, 30, 10])
    found = study(series)
    worst = found.result.tails[0]
    assert (worst.label, worst.value) == ("path", "/b")
    assert worst.share_of_traffic == pytest.approx(100 / 1100, rel=0.01)
    assert "LAT-TAIL" in codes(found)


def test_labels_are_compared_at_the_same_time():
    rng = np.random.default_rng(4)
    times = np.arange(6000, dtype=np.int64) * STEP_MS

    def counted(version, per_minute):
        grown = np.cumsum(np.cumsum(rng.poisson(per_minute, (6000, 5)), axis=1), axis=0)
        return [
            (
                {"__name__": "request_seconds_bucket", "le": le, "version": version},
                times,
                grown[:, i].astype(float),
            )
            for i, le in enumerate(("0.1", "0.25", "0.5", "1", "+Inf"))
        ] + [
            (
                {"__name__": "request_seconds_count", "version": version},
                times,
                grown[:, -1].astype(float),
            )
        ]

    series = counted("stable", [50, 30, 15, 4, 1]) + counted("canary", [20, 30, 25, 8, 2])
    found = study(series, last="1d", compare="label version", step="15m")
    (one,) = found.result.comparisons
    assert one.verdict.value == "slower"
    assert "LAT-SLOWER" in codes(found)


def test_one_value_stands_for_a_list_of_one_and_none_for_nothing():
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1])
    found = study(series, objectives=0.25, quantiles=0.9, by=None)
    (only,) = found.result.distributions
    assert [q.q for q in only.quantiles] == [0.9]
    assert only.shares[0].value == pytest.approx(0.8)
    assert len(study(series, metrics=None, objectives=None).result.distributions) == 1


def test_a_histogram_named_twice_is_studied_once():
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1])
    found = study(series, metrics="request_seconds request_seconds_bucket request_seconds_count")
    assert len(found.result.distributions) == 1


def _versions(name, label, at, minutes=3000):
    """A metric whose build changes."""
    times = np.arange(minutes, dtype=np.int64) * STEP_MS
    return [
        ({"__name__": name, label: "1"}, times[:at], np.ones(at)),
        ({"__name__": name, label: "2"}, times[at:], np.ones(minutes - at)),
    ]


def test_a_build_info_that_tells_no_build_stops_nothing_unless_it_was_named():
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1], 3000)
    series += _versions("app_build_info", "version", 2500)
    series += _versions("zz_build_info", "cats", 2500)
    words = {"last": "1d", "step": "5m", "compare": "deploys"}
    found = study(series, **words)
    assert [c.after.start_ms for c in found.result.comparisons] == [2500 * STEP_MS]
    with pytest.raises(InputError, match="tells the build"):
        study(series, deploys="zz_build_info", **words)


def test_a_deploy_told_twice_is_compared_once():
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1], 3000)
    at = str(2500 * 60)
    found = study(series, last="1d", step="5m", compare="deploys", deploys=f"{at} {at} {at}")
    assert len(found.result.comparisons) == 1


def test_versions_with_other_buckets_are_compared_on_those_that_both_have():
    series = histogram("request_seconds", {"version": "1"}, [50, 30, 15, 4, 1])
    series += histogram(
        "request_seconds", {"version": "2"}, [50, 30, 15, 4, 1], bounds=(0.1, 0.2, 0.5, 1.0, np.inf)
    )
    found = study(series, compare="label version")
    (one,) = found.result.comparisons
    assert any("both share" in note for note in one.notes)


@pytest.mark.parametrize("text", ["-Inf", "-inf"])
def test_a_bucket_up_to_minus_infinity_is_left_out(text):
    """Nothing can be in it; the rest is a histogram like any other."""
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1])
    plain = study(series).result.distributions[0]
    labels, times, values = series[0]
    series.append(({**labels, "le": text}, times, 0 * values))
    found = study(series)
    assert found.result.distributions[0].quantiles == plain.quantiles


def test_buckets_without_le_are_one_error_and_no_outage():
    """VictoriaMetrics' own histograms have vmrange instead, and did count requests."""
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1])
    for labels, _, _ in series:
        if "le" in labels:
            labels["vmrange"] = labels.pop("le")
    (finding,) = study(series).findings
    assert finding.code == "LAT-BUCKETS-MISSING"
    assert "vmrange" in finding.what


def test_the_mean_is_of_the_time_in_which_buckets_were_there():
    """Buckets are lost half way, sums go on: what they grew by later is no part of the mean."""
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1])
    series = [(x, t[:141], v[:141]) if "le" in x else (x, t, v) for x, t, v in series]
    found = study(series)  # two pieces: from minute 50 to 140, and to 230
    assert found.result.distributions[0].mean_seconds == pytest.approx(0.2, rel=0.05)


def test_boundaries_at_the_ends_of_all_numbers():
    bounds = (5e-324, 0.1, 1.0, 1e308, np.inf)
    found = study(histogram("request_seconds", {}, [1, 50, 30, 15, 4], bounds=bounds))
    assert found.result.distributions[0].quantile(0.5).bucket_high == 0.1
    json.dumps(found.to_dict(), allow_nan=False)


def _summary(**values):
    """A summary of one instance; `q0_5` is the quantile 0.5, and `value` any number."""
    times = np.arange(240, dtype=np.int64) * STEP_MS
    made = [
        ({"__name__": "wait_seconds", "quantile": q[1:].replace("_", ".")}, times, np.full(240, v))
        for q, v in values.items()
    ]
    made.append(({"__name__": "wait_seconds_count"}, times, np.arange(240) * 10.0))
    made.append(({"__name__": "wait_seconds_sum"}, times, np.arange(240) * 3.0))
    return made


@pytest.mark.parametrize("values", [{"q0_5": np.nan, "q0_99": np.nan}, {"q0": 0.1, "q1": 0.9}])
def test_a_summary_that_shows_nothing_is_told(values):
    found = study(_summary(**values), metrics="wait_seconds")
    assert codes(found) == {"LAT-NO-REQUESTS"}
    found.chart()


def test_a_quantile_written_in_two_ways_is_one_range():
    found = study(_summary(q0_5=0.2, q0_50=0.3), metrics="wait_seconds")
    (only,) = found.result.distributions[0].quantiles
    assert (only.bucket_low, only.bucket_high) == (0.2, 0.3)


def test_a_sum_that_is_no_number_gives_no_mean():
    """Half of the sums with all of the requests would be half of the mean."""
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1])
    series[-1][2][200:] = np.nan
    (only,) = study(series).result.distributions
    assert only.requests == pytest.approx(18_000)
    assert only.mean_seconds is None


def test_histograms_beyond_the_eighth_are_named():
    series = [s for n in range(11) for s in histogram(f"a{n:02}_seconds", {}, [9, 1, 0, 0, 0])]
    found = study(series, metrics="")
    assert len(found.result.distributions) == 8
    (finding,) = [f for f in found.findings if f.code == "LAT-NOT-STUDIED"]
    assert "a08_seconds, a09_seconds, a10_seconds" in finding.what
    named = study(series, metrics=[f"a{n:02}_seconds" for n in range(11)])
    assert len(named.result.distributions) == 11


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"compare": "label path"}, "no two values of path"),
        ({"compare": "deploys", "deploys": "now-30d"}, "no deploy lies within"),
        ({"compare": "deploys", "deploys": "now"}, "no deploy lies within"),
        ({"compare": "deploys", "deploys": "request_seconds_build_info"}, "no deploy is told"),
    ],
)
def test_a_comparison_that_could_not_be_made_is_told(words, told):
    series = histogram("request_seconds", {"path": "/a"}, [50, 30, 15, 4, 1])
    series.append(({"__name__": "request_seconds_build_info", "version": "1"}, *series[0][1:]))
    found = study(series, **words)
    (finding,) = (f for f in found.findings if f.code == "LAT-NOT-COMPARED")
    assert told in finding.what
    assert not found.result.comparisons
    plain = study(series, compare="deploys")
    assert "LAT-NOT-COMPARED" not in codes(plain)


def test_a_first_bucket_that_one_side_only_has_stops_no_comparison():
    series = histogram("request_seconds", {"version": "1"}, [50, 30, 15, 4, 1])
    bounds = (-0.1, 0.1, 0.25, 1.0, np.inf)
    series += histogram("request_seconds", {"version": "2"}, [0, 50, 30, 19, 1], bounds=bounds)
    (one,) = study(series, compare="label version").result.comparisons
    assert one.changes[0].certain_low is not None or one.changes[0].why_not
    assert (one.requests_before, one.requests_after) == (pytest.approx(18_000),) * 2


def test_an_objective_off_the_boundaries_is_told_of_the_group_where_least_is_known():
    """The busiest group keeps 90 to 100 %, a quiet one 10 to 90 %: that is what to know."""
    series = histogram("request_seconds", {"path": "/busy"}, [900, 0, 100, 0, 0])
    series += histogram("request_seconds", {"path": "/quiet"}, [1, 0, 8, 1, 0])
    found = study(series, objectives="400ms", by="path")
    (told,) = [f for f in found.findings if f.code == "LAT-OFF-BOUNDARY"]
    assert "between 10.00% and 90.00% (path=/quiet)" in told.what


def test_an_objective_in_an_empty_bucket_is_exact_for_now():
    series = histogram("request_seconds", {}, [50, 50, 0, 0, 0])
    found = study(series, objectives="400ms")
    (told,) = [f for f in found.findings if f.code == "LAT-OFF-BOUNDARY"]
    assert "100% within it" in told.what
    assert "exact only for now" in told.what


def test_a_plan_of_a_misspelt_metric_is_refused_and_names_the_near_one():
    series = histogram("request_seconds", {}, [50, 30, 15, 4, 1])
    with pytest.raises(InputError, match="no such metric") as refused:
        plan_latency(
            workbench.connect(workbench.snapshot(series)),
            LatencyRequest("request_secnds", last="3h"),
        )
    assert "request_seconds" in str(refused.value)
