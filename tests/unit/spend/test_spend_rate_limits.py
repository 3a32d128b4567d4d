"""How near usage comes to rate limits: held against figures worked out by hand."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from spend_limits_source import DAY, ESTATE_DAYS, MINUTE, START, ask, estate, scraped, shown, told

from workbench.demo.truth import TRUTH
from workbench.errors import InputError, SettingsError
from workbench.findings import Severity
from workbench.findings.pages import page
from workbench.promql.matcher import Matcher
from workbench.promql.parsing import parse
from workbench.spend.counting.days import CalendarDays
from workbench.spend.profiles.detection import detect
from workbench.spend.profiles.shipped import shipped_profiles
from workbench.spend.rate_limits.analysis import rate_limits
from workbench.spend.rate_limits.conclusions import conclude_rate_limits
from workbench.spend.rate_limits.growth import HORIZON, growth
from workbench.spend.rate_limits.limits import RateLimit, load_limits
from workbench.spend.rate_limits.onset import Onset, onset
from workbench.spend.rate_limits.planning import plan_rate_limits, taken_apart
from workbench.window import Window

DAY_MINUTES = 1440
GPT = {"provider": "openai", "model": "gpt-4o"}
HOSTILE = 'a"b\\c\n{x}</script>\x00é'


def gateway(name):
    return f"llm_gateway_{name}_total"


def flat(rate, days=1):
    return np.full(DAY_MINUTES * days, float(rate))


# ---------------------------------------------------------------- limits


def test_limits_are_read_with_globs_lists_and_several_units(tmp_path):
    file = tmp_path / "limits.toml"
    file.write_text(
        'version = 1\n[[limit]]\nprovider = "openai"\nmodel = ["gpt-4o*", "o3"]\n'
        "requests_per_minute = 500\ntokens_per_minute = 30000\n"
        '[[limit]]\nteam = "search"\nrequests_per_day = 9.5\n'
    )
    first, second = load_limits([file])
    assert first.allowed == {"requests_per_minute": 500.0, "tokens_per_minute": 30_000.0}
    assert first.takes("openai", "gpt-4o-mini")
    assert not first.takes("azure", "gpt-4o")
    assert not first.takes("openai", "gpt-4")
    assert (first.name, second.name) == ("openai/gpt-4o*,o3", "* of search")
    assert second.takes("any", "any", "search")
    assert not second.takes("any", "any")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[limit]]\nmodel = 'a'", "at least one of requests_per_minute"),
        ("[[limit]]\nmodle = 'a'\nrequests_per_day = 1", "did you mean"),
        ("[[limit]]\nrequests_per_day = 0", "greater than 0"),
        ("[[limit]]\nrequests_per_day = nan", "finite"),
        ("version = 2", "version"),
        ("limit = [", "is not TOML"),
        ("[[limit]]\nrequests_per_day = 1\n[[limit]]\ntokens_per_minute = 1", "two rate limits"),
    ],
)
def test_a_wrong_file_of_limits_says_what_is_wrong(tmp_path, text, said):
    file = tmp_path / "limits.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=f"(?i){said}"):
        load_limits([file])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_limits([tmp_path / "none.toml"])


# ---------------------------------------------------------------- the plan


def plan(names, **more):
    more = {"step_ms": 300_000, **more}
    return plan_rate_limits(detect(names), CalendarDays.between(DAY, DAY), **more)


def test_the_plan_sums_in_the_server_and_reads_each_targets_first_metric():
    found = {taken_apart(q.key): q for q in plan([
        "litellm_input_tokens_metric_total", "litellm_input_tokens_total",
        "litellm_remaining_tokens_metric",
    ])}  # fmt: skip
    by = "api_provider, model, litellm_model_name, requested_model"
    assert found["litellm", "input"].expression == (
        f"sum by ({by}) (rate(litellm_input_tokens_metric_total[5m])"
        " or on (job, instance, pod) rate(litellm_input_tokens_total[5m]))"
    )
    left = "min_over_time(litellm_remaining_tokens_metric[5m])"
    assert found["litellm", "remaining_tokens"].expression == (
        f"min by ({by}) ({left} unless changes(litellm_remaining_tokens_metric[10m]) == 0)"
    )
    assert found["litellm", "remaining_tokens_still"].expression == f"min by ({by}) ({left})"


def test_teams_and_cached_tokens_are_asked_for_only_where_a_limit_needs_them():
    names = [gateway("input_tokens"), gateway("cached_input_tokens")]
    assert {taken_apart(q.key)[1] for q in plan(names)} == {"input"}
    assert "team" not in plan(names)[0].expression
    limits = [RateLimit(team="a", tokens_per_minute=1, counts_cached=False)]
    asked = plan(names, limits=limits)
    assert {taken_apart(q.key)[1] for q in asked} == {"input", "cache_read"}
    assert all("sum by (provider, model, team)" in q.expression for q in asked)


def test_windows_hold_as_many_samples_as_a_server_takes_and_end_at_now():
    day = plan([gateway("input_tokens")], series=1_000_000)
    assert {len(q.window) for q in day} == {16}
    assert sum(len(q.window) for q in day) == 288
    assert len({q.key for q in day}) == len(day)
    half = plan([gateway("input_tokens")], now_ms=START + 12 * 60 * MINUTE + 7)
    assert half[-1].window.end_ms == START + 12 * 60 * MINUTE
    assert plan([gateway("input_tokens")], now_ms=START) == ()


def test_every_shipped_profile_gives_promql_that_parses_whatever_the_conditions():
    where = [Matcher("cluster", "=", HOSTILE.replace("\x00", "")), Matcher("a.b", "!=", "x")]
    for profile in shipped_profiles():
        required = [name.split("|")[0].strip() for name in profile.requires]
        names = [
            m.metric for each in profile.measures.model_dump() for m in profile.alternatives(each)
        ]
        gauges = [
            g.metric
            for name in profile.gauges.model_fields_set
            for g in getattr(profile.gauges, name)
        ]
        fits = detect([*names, *required, *gauges], [profile])
        assert fits, profile.name
        questions = plan_rate_limits(
            fits, CalendarDays.between(DAY, DAY), step_ms=300_000, where=where
        )
        for question in questions:
            parse(question.expression)


def test_a_step_of_nothing_is_refused():
    with pytest.raises(InputError, match="step_ms is 0"):
        plan([gateway("input_tokens")], step_ms=0)


def test_keys_of_other_questions_are_not_ours():
    assert taken_apart("litellm/input/0@0") is None
    assert taken_apart("rate_limits/llm_gateway/input@17") == ("llm_gateway", "input")


# ---------------------------------------------------------------- peaks and headroom


def burst(base, high, begin, length):
    rates = flat(base)
    rates[begin : begin + length] = high
    return rates


def test_the_peak_is_the_five_minutes_of_the_burst_over_all_models_of_a_limit():
    """100 a minute each, and 900 from 10:00 to 10:10: the mean of 10:00 to 10:05 is 1,000 in all."""
    found = told(
        [
            scraped(gateway("input_tokens"), burst(100, 900, 600, 10), **GPT),
            scraped(gateway("output_tokens"), flat(40), **GPT),
            scraped(gateway("input_tokens"), flat(100), provider="openai", model="o3"),
            scraped(gateway("output_tokens"), flat(10), provider="openai", model="o3"),
            scraped(gateway("input_tokens"), flat(5000), provider="other", model="o3"),
        ],
        limits=[RateLimit(provider="openai", tokens_per_minute=4000, input_tokens_per_minute=800)],
    )
    both, inputs = found.headrooms
    assert both.models == (("openai", "gpt-4o"), ("openai", "o3"))
    assert both.peak == pytest.approx(1050)
    assert both.headroom == pytest.approx(1 - 1050 / 4000)
    assert both.fits == pytest.approx(4000 / 1050 - 1)
    assert both.peak_ms in (START + 605 * MINUTE, START + 610 * MINUTE)
    assert both.p99 == pytest.approx(250)  # the burst is two of 288 spans
    assert both.share_seen == 1.0
    assert inputs.headroom == pytest.approx(1 - 1000 / 800)
    assert inputs.fits == 0.0
    gpt = next(p for p in found.peaks if p.model == "gpt-4o")
    assert (gpt.tokens, gpt.tokens_p99, gpt.requests) == (
        pytest.approx(940),
        pytest.approx(140),
        None,
    )
    assert np.argmax(gpt.hourly) == 10


def test_cached_tokens_count_against_a_limit_or_not_as_it_says():
    series = [
        scraped(gateway("input_tokens"), flat(100), **GPT),
        scraped(gateway("cached_input_tokens"), flat(70), **GPT),
        scraped(gateway("output_tokens"), flat(10), **GPT),
    ]
    limits = [
        RateLimit(input_tokens_per_minute=1000),
        RateLimit(model="gpt*", input_tokens_per_minute=1000, counts_cached=False),
    ]
    with_cached, without = told(series, limits=limits).headrooms
    assert with_cached.peak == pytest.approx(100)
    assert without.peak == pytest.approx(30)


def test_teams_have_limits_of_their_own_and_days_are_counted_exactly():
    series = [
        scraped(gateway("requests"), flat(rate), **GPT, team=team)
        for team, rate in (("a", 2), ("b", 7))
    ]
    limits = [RateLimit(team="b", requests_per_minute=10, requests_per_day=10_080)]
    minute, day = told(
        [*series, scraped(gateway("input_tokens"), flat(1), **GPT)], limits=limits
    ).headrooms
    assert minute.peak == pytest.approx(7)
    assert day.peak == pytest.approx(7 * 1440)
    assert day.headroom == pytest.approx(0, abs=1e-9)
    assert day.peak_ms == START + 1440 * MINUTE


def test_what_two_layers_count_is_held_against_a_limit_once():
    """The gateway's and the server's are one traffic: the server's counters are left out."""
    series = [
        scraped(gateway("input_tokens"), flat(300), provider="vllm", model="llama"),
        scraped(gateway("output_tokens"), flat(30), provider="vllm", model="llama"),
        scraped("vllm:prompt_tokens_total", flat(300), model_name="llama"),
        scraped("vllm:generation_tokens_total", flat(30), model_name="llama"),
    ]
    (found,) = told(series, limits=[RateLimit(model="llama", tokens_per_minute=1000)]).headrooms
    assert found.models == (("vllm", "llama"),)
    assert found.peak == pytest.approx(330)


def test_rates_that_are_more_than_was_counted_are_not_believed():
    """Workers that answer in turn make a saw: `rate` takes each fall for a restart."""
    labels, times, values = scraped(gateway("input_tokens"), flat(60), **GPT)
    values = 1e6 + values / 2 + np.where(np.arange(len(times)) % 2, 5e5, 0)
    (found,) = told(
        [(labels, times, values)], limits=[RateLimit(input_tokens_per_minute=1e6)]
    ).headrooms
    assert found.peak is None
    assert found.headroom is None
    assert "times what was counted" in found.why


def test_a_limit_that_nothing_counts_against_says_so():
    limits = [
        RateLimit(provider="nobody", tokens_per_minute=1, requests_per_day=1),
        RateLimit(model="gpt-4o", tokens_per_minute=1, requests_per_minute=1),
    ]
    found = told([scraped(gateway("input_tokens"), flat(1), **GPT)], limits=limits).headrooms
    assert [h.peak for h in found] == [None] * 4
    assert [h.why for h in found] == [
        "no usage that it takes has a rate", "no usage that it takes counts requests",
        "no usage that it takes has a rate", "nothing counts output",
    ]  # fmt: skip


# ---------------------------------------------------------------- growth

WEEK = np.array([1.0, 1.05, 1.1, 1.05, 0.95, 0.4, 0.3])


def grown(rng, days, weekly=0.06, shift=None):
    peaks = 100 * WEEK[np.arange(days) % 7] * (1 + weekly) ** (np.arange(days) / 7)
    peaks *= np.exp(rng.normal(0, 0.05, days))
    if shift is not None:
        peaks[shift:] *= 3
    return peaks


def test_the_day_on_which_growth_meets_a_limit_lies_in_the_interval():
    """Six per cent a week, in some after a prompt that trebled all: 16 of 20 and more, by chance 80 %."""
    held = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        peaks = grown(rng, 35 + HORIZON, shift=26 if seed % 2 else None)
        limit = 1.4 * peaks[28:35].max()
        truth = int(np.argmax(peaks[35:] >= limit)) + 1
        found = growth(np.arange(35), peaks[:35], limit, seed=(seed, "a"))
        early, late = found.earliest or HORIZON, found.latest or HORIZON
        held += early <= truth <= late
        assert found.days == 35
    assert held >= 15


def test_steady_growth_is_told_by_the_week_and_too_short_a_history_not_at_all():
    peaks = grown(np.random.default_rng(3), 42)
    found = growth(np.arange(42), peaks, 150.0, seed=(0, "a"))
    assert found.weekly == pytest.approx(0.06, abs=0.03)
    assert growth(np.arange(42), peaks, 150.0, seed=(0, "a")) == found  # drawn alike
    assert growth(np.arange(13), peaks[:13], 150.0, seed=(0, "a")) is None
    peaks[::3] = 0  # days without use are no peaks
    assert growth(np.arange(42), peaks, 1e9, seed=(0, "a")).days == 28


def test_what_never_changes_meets_a_limit_at_once_or_never():
    days, level = np.arange(20), np.full(20, 5.0)
    assert growth(days, level, 6.0, seed=(0, "")).chance == 0.0
    assert growth(days, level, 5.0, seed=(0, "")).median == 1


def test_growth_is_told_from_the_daily_peaks_of_the_history():
    rng = np.random.default_rng(5)
    peaks = grown(rng, 21, weekly=0.1)
    rates = np.repeat(peaks / 2, DAY_MINUTES)
    for day, peak in enumerate(peaks):
        rates[day * DAY_MINUTES + 600 :][:10] = peak
    last = DAY + timedelta(days=20)
    (found,) = told(
        [scraped(gateway("input_tokens"), rates, scrape=MINUTE, **GPT)],
        limits=[RateLimit(input_tokens_per_minute=200)],
        start=DAY, first=last - timedelta(days=6), last=last,
    ).headrooms  # fmt: skip
    assert found.peak == pytest.approx(peaks[-7:].max(), rel=0.01)
    assert found.growth.days == 21
    same = growth(np.arange(21), peaks, 200.0, seed=(0, "x"))
    assert found.growth.chance == pytest.approx(same.chance, abs=0.1)


# ---------------------------------------------------------------- what is left


def test_what_is_left_is_the_least_of_the_keys_in_use_and_not_of_one_that_stands_still():
    rng = np.random.default_rng(2)
    left = rng.integers(50, 1000, DAY_MINUTES).astype(float)
    names = {"api_provider": "openai", "litellm_model_name": "gpt-4o"}
    gauge = "litellm_remaining_tokens_metric"
    found = told([
        scraped("litellm_input_tokens_metric_total", flat(10), model="gpt-4o"),
        shown(gauge, left, **names, api_key_alias="busy"),
        shown(gauge, flat(3), **names, api_key_alias="used no more"),
        shown(gauge, flat(9.22e18), **names, api_key_alias="without a limit"),
    ])  # fmt: skip
    (one,) = found.remaining
    # Each point's is the least of the five minutes up to it, both ends included or not.
    spans = [left[max(n - 4, 0) : n + 1].min() for n in range(5, DAY_MINUTES, 5)]
    assert (one.profile, one.provider, one.model, one.unit) == (
        "litellm",
        "openai",
        "gpt-4o",
        "tokens",
    )
    assert one.moved
    assert one.lowest == left.min()
    assert one.highest == pytest.approx(max(spans), rel=0.15)
    assert one.q05 == pytest.approx(np.quantile(spans, 0.05), rel=0.2)
    assert one.low_share == pytest.approx(np.mean(np.array(spans) < 0.1 * max(spans)), abs=0.05)


def test_a_gauge_that_never_moves_is_told_with_that_doubt():
    (one,) = told([
        scraped("litellm_input_tokens_metric_total", flat(10), model="gpt-4o"),
        shown("litellm_remaining_requests", flat(99), litellm_model_name="gpt-4o"),
    ]).remaining  # fmt: skip
    assert not one.moved
    assert (one.lowest, one.highest, one.low_share) == (99, 99, 0)


# ---------------------------------------------------------------- refusals


def test_refusals_are_told_by_account_day_and_worst_hour():
    """Of 10 requests a minute one is refused from 14:00 to 15:00 local time, of team a."""
    refused = burst(0, 1, 13 * 60, 60)
    labels = {**GPT, "team": "a", "application": "bot"}
    found = told(
        [
            scraped(gateway("requests"), flat(10), **labels),
            scraped(gateway("requests"), flat(30), **{**labels, "team": "b"}),
            scraped(gateway("input_tokens"), flat(100), **labels),
            scraped(gateway("rate_limited_requests"), refused, **labels),
        ],
        zone="Europe/Berlin", start=DAY, first=DAY, last=DAY,
    )  # fmt: skip
    (one,) = found.refusals
    requests = 40 * 23 * 60  # until the local midnight; the day begins before the data
    assert one.refused == pytest.approx(60, abs=0.1)
    assert one.share == pytest.approx(60 / requests, rel=0.01)
    assert found.accounts.to_dict("records") == [
        {
            **labels,
            "refused": pytest.approx(60, abs=0.1),
            "requests": pytest.approx(requests / 4, rel=0.01),
        }
    ]
    assert one.worst.start_ms == START + 13 * 60 * MINUTE
    assert one.worst.share == pytest.approx(60 / 2400, rel=0.05)
    assert np.nanargmax(one.clock) == 14
    assert list(one.days) == [DAY]
    assert one.before is None
    assert one.begins == "fewer than 20 spans with refusals, or without"


def test_the_period_before_is_told_beside_it():
    refused = np.concatenate([flat(1), flat(3)])
    found = told(
        [
            scraped(gateway("requests"), flat(10, 2), **GPT),
            scraped(gateway("input_tokens"), flat(10, 2), **GPT),
            scraped(gateway("rate_limited_requests"), refused, **GPT),
        ],
        start=DAY, first=DAY + timedelta(days=1), last=DAY + timedelta(days=1),
    )  # fmt: skip
    (one,) = found.refusals
    assert one.share == pytest.approx(0.3, rel=0.01)
    assert one.before == pytest.approx(0.1, rel=0.01)


def test_a_gateway_that_refuses_before_it_has_chosen_a_provider_is_matched_by_the_model():
    found = told([
        scraped("litellm_requests_metric_total", flat(10), api_provider="openai", model="gpt-4o-2024-08-06"),
        scraped("litellm_input_tokens_metric_total", flat(10), api_provider="openai", model="gpt-4o-2024-08-06"),
        scraped(
            "litellm_proxy_failed_requests_metric_total", flat(1),
            requested_model="gpt-4o", exception_status="429",
        ),
    ])  # fmt: skip
    (one,) = found.refusals
    assert (one.provider, one.model) == ("", "gpt-4o")
    assert one.share == pytest.approx(0.1, rel=0.01)


def minutes_of(limit, seed, days=7):
    """Requests a minute, those refused above a limit, on five-minute spans: float64, (spans,)."""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * DAY_MINUTES) / 60 % 24
    rate = 60 + 50 * np.sin((hour - 8) / 24 * 2 * np.pi)
    asked = rng.poisson(rate).reshape(-1, 5)
    refused = np.maximum(asked - limit, 0)
    return refused.mean(axis=1), asked.mean(axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_refusals_begin_about_where_the_limit_is(seed):
    refused, asked = minutes_of(100, seed)
    found = onset(refused, None, asked)
    assert isinstance(found, Onset)
    assert found.begins == pytest.approx(100, rel=0.06)
    assert found.at_least <= 100
    assert found.typical >= found.begins
    bad, clean = asked[refused > 0], asked[refused == 0]
    wins = (bad[:, None] > clean).mean() + (bad[:, None] == clean).mean() / 2
    assert found.follows == pytest.approx(wins)


def test_refusals_by_chance_tell_no_limit_and_few_tell_nothing():
    rng = np.random.default_rng(0)
    _, asked = minutes_of(1e9, 0)
    refused = (rng.random(len(asked)) < 0.1).astype(float)
    assert (
        onset(refused, asked * 100, asked)
        == "refusals do not follow the rate of tokens or requests"
    )
    assert "fewer than 20" in onset(refused[:50] * 0, None, asked[:50])
    assert "fewer than 20" in onset(refused, None, None)


# ---------------------------------------------------------------- findings


def test_findings_name_what_is_near_its_limit_and_all_have_their_page():
    found = told(
        [
            scraped(gateway("requests"), flat(10), **GPT),
            scraped(gateway("input_tokens"), flat(90), **GPT),
            scraped(gateway("output_tokens"), flat(10), **GPT),
            scraped(gateway("rate_limited_requests"), flat(0.5), **GPT),
            shown("llm_gateway_remaining_requests", 50 + 49 * np.sin(np.arange(1440)), **GPT),
        ],
        limits=[RateLimit(tokens_per_minute=110, requests_per_minute=10, requests_per_day=1e6)],
    )
    findings = {f.about: f for f in conclude_rate_limits(found)}
    assert set(findings) == {
        "refusals of openai/gpt-4o", "limit of * tokens_per_minute",
        "limit of * requests_per_minute", "requests left of openai/gpt-4o (llm_gateway)",
    }  # fmt: skip
    assert {f.code for f in findings.values()} == {"LLM-RATE-LIMIT"}
    assert {f.severity for f in findings.values()} == {Severity.WARNING}
    assert "5.0 % of the requests" in findings["refusals of openai/gpt-4o"].what
    assert "9 % of its limit" in findings["limit of * tokens_per_minute"].what
    assert "reached its limit" in findings["limit of * requests_per_minute"].what
    assert page("LLM-RATE-LIMIT")


def test_refusals_of_an_unknown_number_of_requests_are_told_too():
    found = told(
        [
            scraped(gateway("input_tokens"), flat(9), **GPT),
            scraped(gateway("rate_limited_requests"), flat(1), **GPT),
        ]
    )
    (finding,) = conclude_rate_limits(found)
    assert finding.severity is Severity.INFO
    assert "of how many is not counted" in finding.what


def test_with_room_enough_there_is_no_finding():
    found = told(
        [
            scraped(gateway("requests"), flat(10), **GPT),
            scraped(gateway("input_tokens"), flat(9), **GPT),
        ],
        limits=[RateLimit(requests_per_minute=100)],
    )
    assert not list(conclude_rate_limits(found))
    assert found.notes == (
        "nothing tells what providers say is left of a limit",
        "nothing counts refused requests (LLM gateway (llm_gateway_*))",
    )


def test_hostile_names_come_through_as_data():
    labels = {"provider": HOSTILE, "model": HOSTILE, "team": HOSTILE}
    found = told(
        [
            scraped(gateway("requests"), flat(10), **labels),
            scraped(gateway("input_tokens"), flat(9), **labels),
            scraped(gateway("rate_limited_requests"), flat(1), **labels),
        ],
        limits=[RateLimit(team=HOSTILE.replace("[", "?"), requests_per_minute=11)],
    )
    assert found.headrooms[0].peak == pytest.approx(10)
    again = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert again["refusals"][0]["model"] == HOSTILE
    assert len(list(conclude_rate_limits(found))) == 2


def test_nothing_at_all_is_told_as_nothing():
    empty = told([scraped(gateway("input_tokens"), flat(0), **GPT)])
    assert empty.headrooms == empty.remaining == empty.refusals == ()
    json.dumps(empty.to_dict(), allow_nan=False)
    sparse = [scraped(gateway("input_tokens"), flat(9), scrape=10 * MINUTE, **GPT)]
    assert "no rates were seen" in told(sparse).notes[-1]


# ---------------------------------------------------------------- the estate


@pytest.fixture(scope="module")
def of_estate():
    """What is told of three days of the demonstration, with a limit."""
    source, plan, reading = estate()
    limits = [RateLimit(provider="openai", requests_per_minute=70)]
    questions = plan_rate_limits(plan.fits, plan.days, step_ms=300_000, limits=limits, series=900)
    frames = {q.key: source.query_range(q.expression, q.window).data for q in questions}
    first, last = ESTATE_DAYS
    return rate_limits(frames, plan.fits, reading, limits, first=first, last=last)


def test_peaks_of_the_estate_are_those_of_its_raw_counters(of_estate):
    """From raw samples: increases of five minutes, falls taken as restarts from 0."""
    source, plan, _ = estate()
    window = Window(plan.days.start_ms, plan.days.end_ms, MINUTE)
    frame = source.query_range('llm_gateway_requests_total{provider="openai"}', window).data
    steps = np.diff(np.where(frame.present, frame.values, np.nan), axis=1)
    steps = np.where(steps < 0, frame.values[:, 1:], steps)
    spans = np.nansum(steps, axis=0).reshape(-1, 5).sum(axis=1) / 5
    assert of_estate.headrooms[0].peak == pytest.approx(spans.max(), rel=0.05)
    assert of_estate.headrooms[0].p99 == pytest.approx(np.quantile(spans, 0.99), rel=0.05)


def test_what_the_estates_gauges_tell_is_within_the_planted_limits(of_estate):
    assert of_estate.remaining
    for each in of_estate.remaining:
        planted = getattr(TRUTH.rate_limits[each.model], each.unit)
        assert 0.8 * planted <= each.highest <= planted
        assert each.lowest < each.q05 < each.highest


def test_answers_of_others_are_passed_over():
    series = [scraped(gateway("input_tokens"), flat(1), **GPT)]
    answers = ask(series, plan([gateway("input_tokens")]))
    assert all(taken_apart(key) for key in answers)
