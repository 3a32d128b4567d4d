"""Self-hosted models: exact money for known hours, shares that add up, ranges that hold the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spend_self_hosted_tables import (
    FIRST,
    LAST,
    MODEL,
    STEP_MS,
    answer,
    frame,
    grid,
    reading,
    served,
    spent,
)

from workbench.errors import InputError, SettingsError
from workbench.findings import Severity
from workbench.spend.counting.days import CalendarDays
from workbench.spend.prices import Prices
from workbench.spend.profiles.detection import detect
from workbench.spend.self_hosted import (
    Machine,
    conclude_self_hosted,
    load_machines,
    plan_self_hosted,
    read_machine,
    self_hosted,
)
from workbench.spend.self_hosted.answers import Answers
from workbench.spend.self_hosted.hours import paid_hours
from workbench.spend.self_hosted.sharing import share_out

GROQ = (("groq", "llama-3.1-8b-instant"),)
PRICES = Prices()
TWO = Machine(name="gpu", price_per_hour="0.80", count=2)


def judged(read, frames=None, machines=(TWO,), *, first=FIRST, last=LAST, zone="UTC", against=GROQ):
    return self_hosted(
        frames or {}, read, PRICES, machines, first=first, last=last, zone=zone, against=against
    )


def three_days(**changes):
    """Two days of work and one without."""
    return reading(
        rows=[
            served("2026-03-02", computed=3e6, cached=1e6, output=1e6, requests=1000, **changes),
            served("2026-03-03", computed=6e6, cached=2e6, output=2e6, requests=2000, **changes),
        ],
        extras=[
            spent("2026-03-02", prefill=1000, decode=3000, preempted=10, **changes),
            spent("2026-03-03", prefill=2000, decode=6000, preempted=20, **changes),
        ],
    )


# ------------------------------------------------------------------ machines


def test_machines_are_read_from_toml(tmp_path):
    """Money stays as it was written, with a point or as text."""
    path = tmp_path / "machines.toml"
    path.write_text(
        'version = 1\n[[machine]]\nname = "a"\nprice_per_hour = "2.4900"\ncurrency = "EUR"\n'
        'count = 3\nserves = { profile = "vllm", model = "llama-*", job = "vllm" }\n'
        '[[machine]]\nname = "b"\nprice_per_hour = 0.1\ncount_from = "count(up == 1)"\n'
    )
    first, second = load_machines([path])
    assert (first.price_per_hour, first.currency, first.count) == (Decimal("2.4900"), "EUR", 3)
    assert first.serves.takes("vllm", "llama-3", "vllm")
    assert not first.serves.takes("vllm", "qwen", "vllm")
    assert not first.serves.takes("tgi", "llama-3", "vllm")
    assert not first.serves.takes("vllm", "llama-3", "other")
    assert second.price_per_hour == Decimal("0.1")
    assert second.counting == "count(up == 1)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "a"\nprice_per_hour = "-1"', "greater than 0"),
        ('name = "a"\nprice_per_hour = "nan"', "finite"),
        ('name = "a"\nprice_per_hour = "1"\ncount = 2\ncount_from = "up"', "not both"),
        ('name = "a"\nprice_per_hour = "1"\nbilled = "while_up"', "job"),
        ('name = "a"\nprice_per_hour = "1"\ncount_from = "count("', "not PromQL"),
        ('name = "a"\nprice_per_hour = "1"\nprise = "x"', "unknown"),
        (
            'name = "a"\nprice_per_hour = "1"\n[[machine]]\nname = "a"\nprice_per_hour = "1"',
            "twice",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_its_reason(tmp_path: Path, text, said):
    """No machine is priced at what nobody meant."""
    path = tmp_path / "m.toml"
    path.write_text(f"[[machine]]\n{text}\n")
    with pytest.raises(SettingsError, match=said):
        load_machines([path])


@pytest.mark.parametrize(
    "text", ["", "2.49", "2.49 USD", "-1 USD/h", "0 USD/h", "1 USD/h x0", "1 usd/h"]
)
def test_a_short_form_that_is_none_is_refused(text):
    """The message shows the form."""
    with pytest.raises(InputError, match="USD/h x2"):
        read_machine(text)


def test_a_job_that_is_up_is_counted_by_its_own_up():
    """Hostile names of jobs stay within their quotes."""
    job = 'a"} or vector(9)'
    some = Machine(name="a", price_per_hour=1, billed="while_up", serves={"job": job})
    assert some.counting == 'sum(up{job="a\\"} or vector(9)"})'
    both = Machine(name="a", price_per_hour=1, billed="while_up", count=4, serves={"job": "vllm"})
    assert both.counting == 'max(up{job="vllm"})'


# ------------------------------------------------------------------ hours


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_a_day_has_as_many_hours_as_its_clocks_say(day, hours):
    """Exact money on days on which clocks change."""
    found = judged(
        reading([served(str(day), computed=1, output=1)]), first=day, last=day, zone="Europe/Berlin",
        machines=[Machine(name="gpu", price_per_hour="2.49", count=2)],
    )  # fmt: skip
    (machine,) = found.machines
    assert machine.hours == machine.hours_low == machine.hours_high == 2 * hours
    assert machine.amount == machine.low == machine.high == Decimal("2.49") * 2 * hours


def by_loop(counts, whole, step_ms):
    """Expected, least and most hours, point by point, in plain Python."""
    result = [0.0, 0.0, 0.0]
    for i, value in enumerate(counts):
        sides = []
        gap = 0
        for way in (-1, 1):
            j = i
            while 0 <= j < len(counts) and np.isnan(counts[j]):
                j += way
                gap += 1
            sides.append(counts[j] if 0 <= j < len(counts) else np.nan)
        known = [s for s in sides if not np.isnan(s)]
        if not np.isnan(value):
            parts = (value, value, value)
        else:
            parts = (min(known) if gap - 1 <= 3 and known else 0, 0, max(known, default=0))
        for n, part in enumerate(parts):
            result[n] += part * whole * step_ms / 3_600_000
    return result


@pytest.mark.parametrize("seed", range(6))
def test_hours_with_gaps_are_those_of_a_loop(seed):
    """Machines that come and go, with lost scrapes and long gaps, at the ends too."""
    rng = np.random.default_rng(seed)
    times = grid()
    counts = np.repeat(rng.integers(0, 5, len(times) // 9 + 1), 9)[: len(times)].astype(float)
    for _ in range(12):
        begin = rng.integers(0, len(times))
        counts[begin : begin + rng.integers(1, 9)] = np.nan
    if seed == 0:
        counts[:] = np.nan
    machine = Machine(name="m", price_per_hour="0.37", count_from="count(up == 1)")
    half = len(times) // 2
    parts = {
        f"self_hosted/hours/m@{t[0]}": frame(t, v)
        for t, v in ((times[half:], counts[half:]), (times[:half], counts[:half]))
    }
    paid = paid_hours(machine, Answers(parts), CalendarDays.between(FIRST, LAST))
    expected = by_loop(counts.tolist(), 1, STEP_MS)
    assert paid.millis.sum(axis=1) / 3_600_000 == pytest.approx(expected, abs=1e-9)
    assert (paid.nanos[1] <= paid.nanos[0]).all()
    assert (paid.nanos[0] <= paid.nanos[2]).all()
    for hours, nanos in zip(expected, paid.nanos.sum(axis=1).tolist(), strict=True):
        assert nanos == pytest.approx(0.37e9 * hours, abs=len(paid.nanos[0]))


def test_machines_that_are_up_together_cost_all_of_them():
    """A count that is given is multiplied by whether the job is up."""
    machine = Machine(
        name="m", price_per_hour=3, billed="while_up", count=4, serves={"job": "vllm"}
    )
    up = np.ones(len(grid()))
    up[:144] = 0
    found = judged(
        three_days(), {f"self_hosted/hours/m@{grid()[0]}": frame(grid(), up)}, machines=[machine]
    )
    assert found.machines[0].hours == 4 * 60
    assert found.machines[0].amount == Decimal(3 * 4 * 60)


def test_a_count_that_was_not_answered_leaves_everything_open():
    """Nothing at the least, and the price of all at the most."""
    machine = Machine(
        name="m", price_per_hour=2, billed="while_up", count=3, serves={"job": "vllm"}
    )
    (found,) = judged(three_days(), machines=[machine]).machines
    assert (found.amount, found.low, found.high) == (0, 0, Decimal(2 * 3 * 72))


def test_what_counts_samples_instead_of_machines_is_refused():
    """A counter in the place of a count would make a bill of billions."""
    machine = Machine(name="m", price_per_hour=2, count_from="vllm:prompt_tokens_total")
    frames = {f"self_hosted/hours/m@{grid()[0]}": frame(grid(), np.full(len(grid()), 1e12))}
    with pytest.raises(InputError, match="count_from of 'm'"):
        judged(three_days(), frames, machines=[machine])


# ------------------------------------------------------------------ shares


@given(
    st.lists(st.integers(0, 10**15), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1e12)), max_size=40),
)
def test_shares_add_up_to_the_billionth_and_are_in_proportion(totals, rows):
    """Whatever the weights; a group without any is shared out evenly."""
    rows = [(g % len(totals), w) for g, w in rows]
    groups = np.array([g for g, _ in rows], np.int64)
    weights = np.array([w for _, w in rows], np.float64)
    got = share_out(np.array(totals, np.int64), groups, weights)
    for group, total in enumerate(totals):
        mine = groups == group
        if mine.any():
            assert got[mine].sum() == total
            whole = weights[mine].sum()
            share = weights[mine] / whole if whole > 0 else np.full(mine.sum(), 1 / mine.sum())
            assert np.abs(got[mine] - share * total).max() <= 1 + 1e-9 * total


def test_a_gateways_accounts_are_charged_by_the_seconds_that_their_tokens_took():
    """Two teams, one that reads and one that writes; a day nobody used stays with nobody."""

    def asked(team, fresh, cached, output, **more):
        return {"day": "2026-03-02", "profile": "gateway", "provider": "vllm", "model": MODEL,
                "team": team, "input": fresh, "cache_read": cached, "output": output, **more}  # fmt: skip

    read = reading(
        rows=[asked("readers", 4e6, 3e6, 0), asked("writers", 0, 0, 1e6),
              asked("elsewhere", 9e6, 0, 9e6, provider="groq")],
        dropped=[served("2026-03-02", computed=4e6, cached=3e6, output=1e6, requests=10)],
        extras=[spent("2026-03-02", prefill=1000, decode=3000)],
    )  # fmt: skip
    found = judged(read, machines=[Machine(name="m", price_per_hour="0.01", currency="USD")])
    first = found.accounts[found.accounts["day"] == "2026-03-02"].set_index("team")["amount"]
    assert first.to_dict() == {"readers": 60_000_000, "writers": 180_000_000}
    assert found.by("team").set_index("team")["amount"].to_dict() == {
        "": Decimal("0.48"), "writers": Decimal("0.18"), "readers": Decimal("0.06"),
    }  # fmt: skip
    assert found.accounts["amount"].sum() == found.days["amount"].sum()


def test_a_machine_of_two_models_is_shared_by_their_work():
    """By seconds day by day; on a day of rest by what they did otherwise."""
    other = {"model": "qwen2.5-7b", "application": "two"}
    read = reading(
        rows=[served("2026-03-02", computed=1, output=1), served("2026-03-02", computed=1, **other)],
        extras=[spent("2026-03-02", prefill=25, decode=50),
                spent("2026-03-02", prefill=10, decode=15, **other)],
    )  # fmt: skip
    found = judged(read)
    money = {m.model: m.amount for m in found.models}
    assert money == {MODEL: Decimal("115.20") * 3 / 4, "qwen2.5-7b": Decimal("115.20") / 4}
    assert {m.model: m.hours for m in found.models} == {MODEL: 108.0, "qwen2.5-7b": 36.0}


# ------------------------------------------------------------------ costs


def test_money_by_token_idle_and_phase_is_what_arithmetic_gives():
    """Prefill a quarter, idle three quarters; the third day worked not at all."""
    frames = answer("idle", 0.75)
    (cost,) = judged(three_days(), frames).models
    assert cost.amount == Decimal("115.20")
    assert cost.tokens == 15e6
    assert cost.per_million == Decimal("115.20") / 15
    assert (cost.idle, cost.idle_low, cost.idle_high) == pytest.approx((0.75,) * 3)
    assert cost.idle_amount == Decimal("86.40")
    assert cost.busy_per_million == Decimal("28.80") / 15
    assert cost.input_per_million == (Decimal("28.80") / 9,) * 2
    assert cost.output_per_million == (Decimal("86.40") / 3,) * 2
    # 30 requests of 5,000 tokens at the pace of prefill, 3,000 s for 9M: of 12,000 busy seconds.
    share = 30 * 5000 * (3000 / 9e6) / 12000
    assert cost.recomputed[0] == 0
    assert float(cost.recomputed[1]) == pytest.approx(28.80 * share)


def test_without_seconds_input_and_output_have_ranges_that_hold_every_split():
    """Input costs no more by the token than output: each such split lies in both ranges."""
    read = three_days()
    bare = reading(rows=read.table.to_dict("records"))
    (cost,) = judged(bare).models
    assert (cost.prefill, cost.idle, cost.preempted) == (None, None, None)
    inward, outward = cost.input_per_million, cost.output_per_million
    for share in np.linspace(0, 1, 101):
        money_in, money_out = 115.20 * share, 115.20 * (1 - share)
        each_in, each_out = money_in / 9, money_out / 3
        if each_in <= each_out:
            assert float(inward[0]) - 1e-9 <= each_in <= float(inward[1]) + 1e-9
            assert float(outward[0]) - 1e-9 <= each_out <= float(outward[1]) + 1e-9


def test_time_that_was_not_seen_widens_the_idle_share():
    """Half a day unseen: it may have been all busy or all idle."""
    idle = np.full(len(grid()), 0.5)
    idle[:144] = np.nan
    (cost,) = judged(three_days(), answer("idle", idle)).models
    assert cost.idle == pytest.approx(0.5)
    assert cost.idle_low == pytest.approx(0.5 * 5 / 6)
    assert cost.idle_high == pytest.approx(0.5 * 5 / 6 + 1 / 6)


def test_a_simulated_server_gets_its_own_idle_share_and_peak_back():
    """Minutes of random work as means of five; the peak is of input and output together."""
    rng = np.random.default_rng(3)
    minutes = rng.random((len(grid()), 5)) < 0.3
    rate_in, rate_out = rng.gamma(2, 50, len(grid())), rng.gamma(2, 5, len(grid()))
    frames = (
        answer("idle", (~minutes).mean(axis=1)) | answer("input", rate_in)
        | answer("output", rate_out) | answer("cache", rng.random(len(grid())) / 2)
    )  # fmt: skip
    found = judged(three_days(), frames)
    (cost,) = found.models
    assert cost.idle == pytest.approx((~minutes).mean())
    assert cost.peak == pytest.approx((rate_in + rate_out).max())
    assert cost.cache_peak < 0.5
    assert found.break_even[0].capacity == pytest.approx(cost.peak * 86_400)


# ------------------------------------------------------------------ beside an API


def test_a_day_that_nobody_saw_thins_no_volume():
    """Two of three days were seen: a day's volume is half of what was served, not a third."""
    days = pd.to_datetime(["2026-03-02", "2026-03-03", "2026-03-04"]).astype("datetime64[ms]")
    coverage = pd.DataFrame({"day": days, "profile": "vllm", "coverage": [1.0, 1.0, 0.0]})
    (each,) = judged(replace(three_days(), coverage=coverage)).break_even
    (offer,) = each.offers
    assert each.volume == 7.5e6
    assert each.month == Decimal("38.40") * Decimal("30.4375")  # the machines were paid all days
    assert float(offer.month) * offer.volume / each.volume == pytest.approx(float(each.month))


def test_at_the_break_even_volume_both_cost_the_same():
    """Groq: 0.05 and 0.08 USD a million; cached input at the price of input."""
    (each,) = judged(three_days()).break_even
    (offer,) = each.offers
    month = Decimal("30.4375")
    assert each.month == Decimal("38.40") * month
    a_day = (Decimal(12) * Decimal("0.05") + Decimal(3) * Decimal("0.08")) / 3
    assert offer.month == offer.month_high == a_day * month
    assert each.volume == 5e6
    assert float(offer.month) * offer.volume / each.volume == pytest.approx(float(each.month))
    assert each.verdict == "api"


def test_a_cache_elsewhere_may_hit_or_not():
    """gpt-4o-mini has a price for cached input: the range runs from it to that of input."""
    (each,) = judged(three_days(), against=[("openai", "gpt-4o-mini")]).break_even
    (offer,) = each.offers
    low = Decimal(9) * Decimal("0.15") + Decimal(3) * Decimal("0.075") + Decimal(3) * Decimal("0.6")
    assert offer.month == low * Decimal("30.4375") / 3
    assert offer.month_high == (low + Decimal(3) * Decimal("0.075")) * Decimal("30.4375") / 3
    assert offer.volume_low < offer.volume


def test_sellers_of_the_same_weights_are_found_and_no_others():
    """Groq's, Bedrock's and Together's names of the model are read; free tiers are no offer."""
    (each,) = judged(three_days(), against=()).break_even
    names = {o.provider: o.model for o in each.offers}
    assert {"groq", "aws", "together", "cerebras"} <= set(names)
    assert names["groq"] == "llama-3.1-8b-instant"
    assert not [
        o for o in each.offers if "free" in o.model or "awq" in o.model or "nemotron" in o.model
    ]
    assert all(o.month > 0 for o in each.offers)
    assert [o.month for o in each.offers] == sorted(o.month for o in each.offers)


def test_currencies_are_not_compared():
    """Machines in euros beside prices in dollars: no offer, and it is said why."""
    machine = Machine(name="m", price_per_hour=1, currency="EUR")
    (each,) = judged(three_days(), machines=[machine]).break_even
    assert (each.offers, each.verdict) == ((), "")
    assert each.left_out == ("groq llama-3.1-8b-instant is priced in USD",)


def test_machines_of_two_currencies_have_no_one_price():
    """Neither part alone is held against the whole of the tokens."""
    euros = Machine(name="m", price_per_hour="0.0001", currency="EUR")
    found = judged(three_days(), machines=[TWO, euros])
    assert {m.currency for m in found.models} == {"EUR", "USD"}
    assert [b.verdict for b in found.break_even] == ["", ""]
    assert "EUR and USD" in found.break_even[0].left_out[0]
    assert list(conclude_self_hosted(found)) == []


def test_a_named_api_that_has_no_price_is_told():
    """An unknown model is no free one."""
    (each,) = judged(three_days(), against=[("groq", "nothing-like-it")]).break_even
    assert not each.offers
    assert "nothing-like-it" in each.left_out[0]


# ------------------------------------------------------------------ findings


def found_codes(result):
    return [(f.code, f.severity, f.about) for f in conclude_self_hosted(result)]


def test_idle_machines_beside_a_cheaper_api_are_a_warning():
    """Above 60 % idle, or at twice the price; else told without one; not seen to reach the break-even is said."""
    busy = answer("idle", 0.3)
    idle = answer("idle", 0.9) | answer("input", 100.0) | answer("output", 20.0)
    name = f"{MODEL} (vllm)"
    near = Machine(name="gpu", price_per_hour="0.008", count=2)  # a third dearer than the API
    found = judged(three_days(), busy, machines=[near])
    assert found_codes(found) == [("LLM-SELF-HOSTED", Severity.INFO, name)]
    assert found_codes(judged(three_days(), busy)) == [("LLM-SELF-HOSTED", Severity.WARNING, name)]
    result = judged(three_days(), idle)
    assert found_codes(result) == [("LLM-SELF-HOSTED", Severity.WARNING, name)]
    (finding,) = conclude_self_hosted(result)
    assert "90 % of the paid time nothing ran" in finding.what
    assert "nobody has seen them serve more than 10.4M" in finding.what


def test_machines_that_are_cheaper_than_every_seller_are_left_in_peace():
    """A cheap machine and much traffic."""
    cheap = Machine(name="m", price_per_hour="0.001")
    result = judged(three_days(), answer("idle", 0.9), machines=[cheap])
    assert result.break_even[0].verdict == "own"
    (finding,) = conclude_self_hosted(result)
    assert (finding.severity, finding.next_step[:7]) == (Severity.INFO, "nothing")


def test_a_machine_that_serves_nothing_is_found():
    """Its money stands in the finding and in no model."""
    lost = Machine(name="spare", price_per_hour=1, serves={"model": "qwen*"})
    result = judged(three_days(), machines=[TWO, lost])
    assert ("LLM-SELF-HOSTED", Severity.WARNING, "machine spare") in found_codes(result)
    assert sum(m.amount for m in result.models) == Decimal("115.20")
    assert result.machines[1].amount == 72


def test_nothing_at_all_is_a_result_without_rows():
    """No usage and no machine; and machines without any usage."""
    assert judged(reading(), machines=()).models == ()
    empty = judged(reading())
    assert (empty.models, empty.break_even, len(empty.accounts)) == ((), (), 0)
    assert empty.machines[0].amount == Decimal("115.20")
    assert empty.to_dict()["machines"][0]["amount"] == "115.2"


# ------------------------------------------------------------------ questions


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (
            ["sglang:generation_tokens_total", "sglang:scheduler_idle_seconds_total"],
            {"idle", "output"},
        ),
        (["sglang:prompt_tokens_total", "sglang:num_running_reqs"], {"idle", "input"}),
        (["tgi_request_generated_tokens_sum", "tgi_queue_size"], {"output", "waiting"}),
        (["llm_gateway_output_tokens_total"], set()),
    ],
)
def test_servers_are_asked_what_they_tell(names, kinds):
    """Each profile's own gauges; a gateway is asked nothing."""
    days = CalendarDays.between(FIRST, LAST)
    questions = plan_self_hosted(detect(names), [TWO], days, step_ms=STEP_MS)
    assert {q.key.split("/")[1] for q in questions} == kinds
    assert plan_self_hosted(detect(names), [], days, step_ms=STEP_MS) == ()


# ------------------------------------------------------------------ the estate


@pytest.fixture(scope="module")
def estate():
    """Two days of the demo estate, read by its server and its gateway alone."""
    import workbench
    from workbench.frame import Frame
    from workbench.spend.planning import plan_usage
    from workbench.spend.reading.reader import UsageReader

    wb = workbench.connect("demo:")
    names = [*("vllm:" + n for n in (
        "prompt_tokens_total", "prompt_tokens_cached_total", "generation_tokens_total",
        "request_success_total", "num_preemptions_total", "request_prefill_time_seconds_sum",
        "request_decode_time_seconds_sum", "num_requests_running", "kv_cache_usage_perc",
    )), *(f"llm_gateway_{n}_tokens_total" for n in ("input", "cached_input", "output"))]  # fmt: skip
    fits = detect(names)
    first, last = date(2026, 6, 23), date(2026, 6, 24)
    plan = plan_usage(fits, first, last, zone="Europe/Berlin", step="1m", series=50)
    reader = UsageReader(plan)
    for piece in plan.pieces:
        reader.take({k: a.data for k, a in wb.ask_all(piece).items()})
    asked = plan_self_hosted(fits, [TWO], plan.days, step_ms=STEP_MS)
    frames = {k: a.data for k, a in wb.ask_all(asked).items() if isinstance(a.data, Frame)}
    found = self_hosted(
        frames, reader.finish(), PRICES, [TWO], first=first, last=last, zone="Europe/Berlin"
    )
    return wb, plan.days, found


def test_the_estates_planted_figures_come_out(estate):
    """Paces of prefill and decode, the one account, the idle share of the raw samples, and money."""
    from workbench.demo import TRUTH

    wb, days, found = estate
    (cost,) = found.models
    server = TRUTH.model_server
    assert cost.amount == Decimal("76.80")
    ratio = cost.output_per_million[0] / cost.input_per_million[0]
    planted = server.decode_seconds_per_token * server.prefill_tokens_per_second
    assert float(ratio) == pytest.approx(planted, rel=0.005)
    (hosted,) = [r for r in TRUTH.routes if r.provider == "vllm"]
    assert cost.cached / (cost.cached + cost.computed) == pytest.approx(
        hosted.cached_share, rel=0.02
    )
    raw = wb.query_range(
        "vllm:num_requests_running", start=days.start_ms / 1000, end=days.end_ms / 1000, step="1m"
    )
    still = (raw.to_numpy()[1:] == 0).mean()
    assert cost.idle == pytest.approx(still, abs=0.002)
    assert found.by("team", "application").to_dict("records") == [
        {
            "team": hosted.team, "application": hosted.application, "currency": "USD",
            "amount": Decimal("76.80"), "tokens": pytest.approx(cost.tokens, rel=0.001),
        }
    ]  # fmt: skip
    assert [f.severity for f in conclude_self_hosted(found)] == [Severity.WARNING]
    assert found.break_even[0].reachable is False
