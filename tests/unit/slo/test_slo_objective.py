"""What an objective accepts and refuses, and the PromQL that its indicator becomes."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.promql import parse, selector
from workbench.slo import (
    Alerting,
    Availability,
    Latency,
    Objective,
    Query,
    Threshold,
    Timeslices,
    burn_pairs,
)

SLI = Availability(total="hits_total", bad='hits_total{code=~"5.."}')


def objective(**fields):
    return Objective(**{"name": "n", "service": "s", "target": 0.999, "sli": SLI, **fields})


def refusal(make, *arguments, **fields):
    with pytest.raises(ValidationError) as caught:
        make(*arguments, **fields)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given_", "target"),
    [("99.9%", 0.999), ("99.95 %", 0.9995), (0.5, 0.5), ("0.99", 0.99), ("50%", 0.5)],
)
def test_a_target_is_a_share_or_a_percentage_written_as_such(given_, target):
    assert objective(target=given_).target == target


@pytest.mark.parametrize(
    "wrong", [99.9, 1, 0, -0.1, "100%", "0%", math.nan, "nan", math.inf, True, None, "most", [0.9]]
)
def test_a_target_that_is_no_share_is_refused_with_the_way_to_write_it(wrong):
    assert "'99.9%'" in refusal(objective, target=wrong)


def test_a_percentage_given_as_a_number_is_told_how_it_was_meant():
    assert "write 0.995 or '99.5%'" in refusal(objective, target=99.5)


def test_the_budget_is_not_spoilt_by_binary_fractions():
    assert objective(target=0.999).budget == 0.001
    assert objective(target="99.99%").budget == 0.0001


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00b", "x" * 201])
def test_names_are_one_printable_line(name):
    refusal(objective, name=name)
    refusal(objective, service=name)


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_a_key_is_safe_wherever_it_stands(name, service):
    try:
        key = objective(name=name, service=service).key
    except ValidationError:
        return
    assert key
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(key) <= 140


def test_keys_of_different_names_differ():
    names = [("a-b", "c"), ("a", "b-c"), ("A", "b c"), ("a", "b c"), ("ä", "ö"), ("a", "b.c")]
    assert len({objective(service=s, name=n).key for s, n in names}) == len(names)
    assert objective(service="shop", name="answers").key == "shop--answers"


@pytest.mark.parametrize("window", ["", "fortnight", "5m", "2y", "-1d"])
def test_a_window_is_a_sensible_duration_or_of_the_calendar(window):
    refusal(objective, window=window)


def test_a_rolling_window_has_no_time_zone():
    assert "no time zone" in refusal(objective, time_zone="Europe/Berlin")
    assert "no time zone" in refusal(objective, window="month", time_zone="Mars/Base")


def moment(*fields):
    return round(datetime(*fields, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("fields", "at", "start", "end"),
    [
        ({"window": "month"}, (2026, 2, 10), (2026, 2, 1), (2026, 3, 1)),
        ({"window": "quarter"}, (2026, 6, 30, 23), (2026, 4, 1), (2026, 7, 1)),
        ({"window": "week"}, (2026, 11, 22), (2026, 11, 16), (2026, 11, 23)),  # from a Monday
        (  # a month with the end of daylight saving in it
            {"window": "month", "time_zone": "Europe/Berlin"},
            (2026, 10, 15),
            (2026, 9, 30, 22),
            (2026, 10, 31, 23),
        ),
        (  # as OpenSLO's example: from noon in New York
            {
                "window": "month",
                "time_zone": "America/New_York",
                "window_start": datetime(2022, 1, 1, 12),  # noqa: DTZ001 - local, zone apart
            },
            (2026, 1, 1, 16, 59),
            (2025, 12, 1, 17),
            (2026, 1, 1, 17),
        ),
        (  # from the last day of a month, where there is one
            {"window": "month", "window_start": datetime(2024, 1, 31)},  # noqa: DTZ001 - local
            (2026, 3, 1),
            (2026, 2, 28),
            (2026, 3, 31),
        ),
        ({"window": "7d"}, (2026, 1, 8), (2026, 1, 1), (2026, 1, 8)),
    ],
)
def test_the_period_at_a_moment(fields, at, start, end):
    assert objective(**fields).period(moment(*at)) == (moment(*start), moment(*end))


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(["day", "week", "month", "quarter"]))
def test_calendar_periods_hold_their_moment_and_leave_no_gap(at_ms, window):
    one = objective(window=window, time_zone="America/New_York")
    start, end = one.period(at_ms)
    assert start <= at_ms < end
    assert one.period(end)[0] == end
    assert one.period(start - 1)[1] == start


# ---------------------------------------------------------------- indicators


@pytest.mark.parametrize(
    "text",
    ["", "sum(a)", "a[5m]", "a offset 5m", "a @ 0", "{}", 'a{b="', "a + b", 'a{b=~"("}', "rate(a)"],
)
def test_a_selector_that_is_more_or_less_than_one_is_refused(text):
    refusal(Availability, total=text, bad="b")
    refusal(Latency, histogram=text, threshold=1)


def test_one_side_of_the_events_is_named():
    assert "either" in refusal(Availability, total="a")
    assert "either" in refusal(Availability, total="a", bad="b", good="c")
    assert "not both" in refusal(
        Query, total="increase(a[{{.window}}])", error_ratio="sum(increase(a[{{.window}}]))"
    )


@given(st.text(max_size=20))
def test_label_values_of_any_kind_stay_what_they_are(value):
    try:
        text = selector("hits_total", code=value)
    except Exception:  # noqa: BLE001 - a lone surrogate is no text
        return
    sli = Availability(total="hits_total", bad=text)
    found = [m for matchers in sli.selectors() for m in matchers if m.name == "code"]
    assert {m.value for m in found} == {value}


@pytest.mark.parametrize("threshold", [0, "0s", -1, math.nan, math.inf, "fast", "", True, None])
def test_a_threshold_is_above_zero(threshold):
    refusal(Latency, histogram="h", threshold=threshold)


@pytest.mark.parametrize(
    ("fields", "bound"),
    [
        ({"threshold": "300ms"}, 0.3),
        ({"threshold": 0.0003, "unit": "milliseconds"}, 0.3),
        ({"threshold": "1s", "unit": "milliseconds"}, 1000),
        ({"threshold": "0.0005"}, 0.0005),
    ],
)
def test_a_threshold_is_written_in_the_histograms_unit(fields, bound):
    assert Latency(histogram="h_bucket", **fields).bound == bound


def test_a_whole_bound_finds_both_ways_of_writing_it():
    text = Latency(histogram='h{job="x"}', threshold=1).bad_events("5m")
    assert 'le=~"1|1\\\\.0"' in text


def test_a_query_by_rates_is_multiplied_by_the_seconds_and_one_by_increases_is_not():
    rates = Query(total="sum(rate(a[{{ .window }}]))", bad="rate(b[{{.window}}])")
    assert rates.total_events("1h") == "3600 * sum(rate(a[1h]))"
    assert "3600 * sum(rate(b[1h]))" in rates.bad_events("1h")
    assert "3600" not in rates.error_ratio("1h")
    counts = Query(total="sum(increase(a[{{.window}}]))", good="sum(increase(g[{{.window}}]))")
    assert counts.total_events("1h") == "sum(increase(a[1h]))"


def test_a_query_that_mixes_both_still_gives_a_share():
    mixed = Query(total="sum(rate(a[{{.window}}]))", bad="sum(increase(b[{{.window}}]))")
    assert "300 * sum(rate(a[5m]))" in mixed.error_ratio("5m")


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("sum(rate(a[5m]))", "no {{.window}}"),
        ("a[{{.window}}]", "not a value"),
        ("sum(irate(a[{{.window}}]))", "does not count"),
        ("rate(a[{{.window}}]) * rate(b[{{.window}}])", "multiplied or divided"),
        ("rate(a[{{.window}}]) + increase(b[{{.window}}])", "counts and rates"),
        ("sum_over_time(rate(a[1m])[{{.window}}:1m])", "adds up rates"),
        ("sum(increse(a[{{.window}}]))", "did you mean 'increase'"),
    ],
)
def test_a_template_that_does_not_count_is_refused(template, why):
    assert why in refusal(Query, total=template, bad="increase(b[{{.window}}])")


def test_a_ratio_of_several_series_is_refused():
    assert "several series" in refusal(Query, error_ratio="1 - avg_over_time(up[{{.window}}])")
    ratio = Query(error_ratio="1 - avg(avg_over_time(up[{{.window}}]))")
    assert ratio.total_events("5m") is None
    assert ratio.bad_events("5m") is None
    assert not ratio.has_counts
    assert "min_events" in refusal(objective, sli=ratio, min_events=1)


@pytest.mark.parametrize("window", ["5m", "1h", "30d"])
@pytest.mark.parametrize(
    "sli",
    [
        SLI,
        Availability(total="a", good="b"),
        Latency(histogram="h", threshold=1),
        Latency(histogram="h", threshold=1, native=True),
        Query(total="rate(a[{{.window}}])", good="rate(b[{{.window}}])"),
        Threshold(query="a - b", op="gte", value=1),
        Timeslices(of=Threshold(query="a", op="lt", value=1), slice="5m", slice_target=0.9),
    ],
)
def test_whatever_an_indicator_gives_parses(sli, window):
    for text in (sli.total_events(window), sli.bad_events(window), sli.error_ratio(window)):
        parse(text)


def test_labels_that_the_rules_write_are_refused():
    assert "written by the rules" in refusal(objective, labels={"slo": "x"})
    assert "not a label's name" in refusal(Alerting, labels={"a-b": "x"})


# ---------------------------------------------------------------- pairs


def pairs(window):
    found = burn_pairs(objective(window=window))
    return [(p.severity, p.long, p.short, p.factor) for p in found]


def test_thirty_days_have_the_factors_of_the_sre_workbook():
    assert pairs("30d") == [
        ("page", "1h", "5m", 14.4),
        ("page", "6h", "30m", 6.0),
        ("ticket", "1d", "2h", 3.0),
        ("ticket", "3d", "6h", 1.0),
    ]


def test_other_windows_keep_the_shares_and_no_factor_is_below_one():
    assert pairs("7d") == [
        ("page", "1h", "5m", 3.36),
        ("page", "6h", "30m", 1.4),
        ("ticket", "1d", "2h", 1.0),
    ]
    assert pairs("12h") == []
    assert [p.share for p in burn_pairs(objective())] == pytest.approx([0.02, 0.05, 0.1, 0.1])


def test_a_short_window_holds_a_slice():
    sli = Timeslices(of=SLI, slice="10m", slice_target=0.9)
    assert [p.short for p in burn_pairs(objective(sli=sli))] == ["10m", "30m", "2h", "6h"]
