"""Tables of latency: figures with their certainty, whatever stands in labels."""

import re
from dataclasses import replace

import pytest
from latency_results import HOSTILE, full, studied, summarised
from test_latency_views import EMPTY

from workbench.session.latency_study import LatencyStudy
from workbench.views.latency_axis import quantile_range
from workbench.views.latency_listings import percent_change
from workbench.views.listing import Listing

TABLES = ["quantiles", "shares", "comparisons", "tails", "advice", "snippets", "exemplars"]


@pytest.fixture(scope="module")
def study():
    return LatencyStudy(full(), [])


def column(listing, name):
    return listing.frame[name].tolist()


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_text_and_shows_itself(study, name):
    listing = getattr(study, name)
    assert len(listing)
    assert all(isinstance(v, str) for v in listing.frame.to_numpy().ravel())
    shown = listing._repr_html_()
    assert ("<details" if name == "snippets" else "<table") in shown


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_table_says_why(name):
    listing = getattr(LatencyStudy(EMPTY, []), name)
    assert not len(listing)
    assert listing._repr_html_().startswith(("<p>No", "<p>There is no"))


@pytest.mark.parametrize("name", TABLES)
def test_hostile_labels_are_escaped(name):
    shown = getattr(LatencyStudy(full(names=[HOSTILE, "/b"]), []), name)._repr_html_()
    shown.encode("utf-8")
    assert "</script><b>" not in shown
    assert "\x00" not in shown
    assert not re.search(r'href="(?!https?://)', shown, re.IGNORECASE)


def test_the_studys_table_is_that_of_its_quantiles(study):
    assert study.table.equals(study.quantiles.frame)
    assert len(study.table) == 15


def test_a_quantile_stands_with_interval_bucket_and_prometheus_value(study):
    row = study.quantiles.frame.iloc[3]
    one = study.result.distributions[0].quantile(0.99)
    assert row["quantile"] == "p99"
    assert row["bucket, certain"] == quantile_range(one.bucket_low, one.bucket_high)
    assert row["bucket, certain"] in ("100 … 250 ms", "250 … 500 ms")
    assert row["histogram_quantile"].endswith(" ms")


def test_a_clipped_quantile_is_never_a_plain_number():
    listing = LatencyStudy(studied(1, median=9.0), []).quantiles
    clipped = listing.frame[listing.frame["bucket, certain"] == "≥ 10 s"]
    assert len(clipped) >= 3
    assert set(clipped["latency"]) == {"≥ 10 s"}
    assert set(clipped["remarks"]) == {"above the last boundary"}


def test_of_a_summary_the_range_stands_and_no_estimate():
    row = LatencyStudy(summarised(), []).quantiles.frame.iloc[1]
    assert (row["latency"], row["bucket, certain"]) == ("–", "300 ms … 1.2 s")
    assert "over instances" in row["remarks"]


def test_few_requests_and_gaps_are_said_beside_the_figure():
    remarks = column(
        LatencyStudy(studied(1, requests=2.0, missing=slice(0, 24)), []).quantiles, "remarks"
    )
    assert "no data in 25 % of the steps" in remarks[0]
    assert "fewer than ten requests" in remarks[-1]


def test_an_objective_on_a_boundary_is_exact_and_another_a_range(study):
    certain = column(study.shares, "certain")
    assert certain[0] == "exact"
    assert " … " in certain[-1]


def test_shares_near_all_keep_their_nines():
    result = studied(1, requests=4_000.0)
    d = result.distributions[0]
    high = replace(d.shares[0], value=0.9999642)
    listing = LatencyStudy(replace(result, distributions=(replace(d, shares=(high,)),)), []).shares
    assert column(listing, "within it") == ["99.9964 %"]


def test_without_objectives_the_mean_and_the_requests_still_stand():
    listing = LatencyStudy(studied(2, objectives=()), []).shares
    assert len(listing) == 2
    assert column(listing, "objective") == ["–", "–"]
    assert column(listing, "requests")[0].replace(",", "").isdigit()


def test_metrics_are_told_apart_by_their_first_words():
    listing = LatencyStudy(studied(1, 4, instruments=2), []).quantiles
    assert set(column(listing, "metric")) == {"api…", "api1…"}
    assert "… stands for _duration_seconds" in listing.note


def test_what_changed_comes_first_and_remarks_stand_below_once(study):
    listing = study.comparisons
    verdicts = list(zip(column(listing, "quantile"), column(listing, "verdict"), strict=True))
    assert verdicts[:4] == [
        ("p50", "no difference seen"),
        ("p99", "slower"),
        ("p50", "faster"),
        ("p99", "cannot tell"),
    ]
    assert listing.note.count("Approximate") == 1
    assert "4 times" in listing.note


def test_only_addresses_of_the_web_can_be_followed(study):
    shown = study.exemplars._repr_html_()
    assert re.findall(r'href="([^"]+)"', shown) == ["https://t.example/4bf9?a=1&amp;b=2"]
    assert "javascript:alert(1)" in shown


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://a b", 'https://x"onclick="y', "data:text/html,x", "//x"]
)  # fmt: skip
def test_an_address_never_leaves_its_attribute(address):
    listing = Listing(("link",), [(address,)], empty="", links=frozenset({"link"}))
    shown = listing._repr_html_()
    assert '"onclick="' not in shown
    assert not re.search(r'href="(?!https://)', shown)


def test_code_is_whole_and_keeps_its_tabs(study):
    listing = study.snippets
    (go,) = listing.frame.loc[listing.frame["client"] == "client_golang (go)", "code"]
    assert go == study.result.advice["api_duration_seconds"].snippets[0].code
    assert "\n\tName:" in go
    assert "\n\tName:" in listing._repr_html_()


def test_blocks_of_code_that_their_names_tell_apart_need_no_table(study):
    shown = study.snippets._repr_html_()
    assert "<table" not in shown
    assert shown.count("<details>") == len(study.snippets)
    assert "api_duration_seconds: prometheus_client (python)" in shown


def test_the_recommended_layout_is_marked_once(study):
    assert sum("recommended" in c for c in column(study.advice, "choice")) == 1
    assert column(study.advice, "choice")[0].startswith("today")


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.0, "0 %"), (1.00001, "0 %"), (0.5, "−50 %"), (1.155, "+16 %"), (2.5, "× 2.5"), (float("inf"), "–")],
)  # fmt: skip
def test_a_ratio_is_written_as_a_change(ratio, text):
    assert percent_change(ratio) == text


def test_every_picture_of_the_study_can_be_had(study):
    for draw in (
        study.chart,
        study.heatmap,
        study.ecdf,
        study.change_chart,
        study.tail_chart,
        study.bucket_chart,
    ):
        assert draw().to_dict()["config"]["background"] == "transparent"
