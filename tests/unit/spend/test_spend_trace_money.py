"""A real trace priced request by request, against what its scraped counters are said to have cost."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import workbench
from workbench.store.importers.llm_requests import import_llm_requests

genai_prices = pytest.importorskip("genai_prices")

TRACE = Path(__file__).parents[4] / "shared" / "data" / "llm" / "azure-2023-code.csv"
"""The Azure 2023 trace: times and token counts are real; provider, model and teams are ours."""

pytestmark = pytest.mark.skipif(not TRACE.exists(), reason="needs ../shared/data/llm")

MODELS = {"claude-sonnet-4-5": "anthropic", "gemini-2.5-pro": "google"}
"""Both charge twice as much a token for requests of more than 200,000."""

SCRAPE_MS = 15_000
HOURS = 20
START = 1_784_682_000_000
"""2026-07-22, 01:00."""

KEPT = ("input_tokens_total", "output_tokens_total", "requests_total")
CACHED = "llm_gateway_cached_input_tokens_total"


def counters(path, **constants):
    """A trace's counters at every second of an hour: labels and values; nothing is cached."""
    constants = {"provider": "a", "model": "b", **constants}
    for labels, _, values in import_llm_requests(path, step="1s", constants=constants).series:
        name = labels["__name__"]
        hour = np.append(values, np.full(3600 - len(values), values[-1]))
        if name.endswith(KEPT) or "request_input_tokens" in name:
            yield labels, hour
        if name.endswith(KEPT[0]):
            yield {**labels, "__name__": CACHED}, np.zeros(3600)


@pytest.fixture(scope="module")
def hour():
    """The trace as one account."""
    return list(counters(TRACE))


@pytest.fixture(scope="module")
def users(tmp_path_factory):
    """The trace as that of thirty users, at random; without a histogram."""
    lines = TRACE.read_text().splitlines()
    whose = np.random.default_rng(4).integers(0, 30, len(lines))
    result = []
    for user in range(30):
        path = tmp_path_factory.mktemp("users") / f"{user}.csv"
        mine = [line for line, other in zip(lines[1:], whose[1:], strict=True) if other == user]
        path.write_text("\n".join([lines[0], *mine]))
        result += [
            (labels, values)
            for labels, values in counters(path, user=str(user))
            if "request_input_tokens" not in labels["__name__"]
        ]
    return result


@pytest.fixture(scope="module")
def requests():
    """Input and output tokens of each request of the hour, and how often both stand so."""
    with TRACE.open(newline="") as file:
        rows = csv.DictReader(file)
        return Counter((int(r["ContextTokens"]), int(r["GeneratedTokens"])) for r in rows)


@pytest.fixture(scope="module")
def truth(requests):
    """What the requests of twenty hours cost with each model, each priced by itself."""
    return {
        model: float(round(HOURS * sum(cost(model, *r) * n for r, n in requests.items()), 6))
        for model in MODELS
    }


def cost(model, read, written):
    """One request's cost, by the price data's own arithmetic."""
    usage = genai_prices.Usage(input_tokens=read, output_tokens=written)
    return genai_prices.calc_price(usage, model, provider_id=MODELS[model]).total_price


def scraped(hour, model, *, histogram, restarts=(), gaps=(), phase=7):
    """What a scraper would have seen of twenty such hours: restarts and gaps are moments in hours."""
    seconds = np.arange(HOURS * 3600 + 600)
    rows = np.arange(phase, len(seconds), SCRAPE_MS // 1000)
    here = np.ones(len(rows), np.bool_)
    for start, end in gaps:
        here &= ~((rows > start * 3600) & (rows < end * 3600))
    first = START + phase * 1000 - SCRAPE_MS * np.array([2, 1])
    times = np.concatenate([first, START + 1000 * rows[here]])
    for labels, values in hour:
        if not histogram and "request_input_tokens" in labels["__name__"]:
            continue
        whole = (values + values[-1] * np.arange(HOURS)[:, None]).ravel()
        whole = np.append(whole, np.full(600, whole[-1]))
        for moment in restarts:
            whole[int(moment * 3600) :] -= whole[int(moment * 3600)]
        told = {"job": "gw", "instance": "a:1", "provider": MODELS[model], "model": model}
        # The process was there before its first request: its page was read with counters at 0.
        yield {**labels, **told}, times, np.concatenate([[0.0, 0.0], whole[rows[here]]])


def judged(series, step="15s"):
    """The public way, from series to the spend of a day: amount, low and high."""
    source = workbench.snapshot(series)
    study = workbench.connect(source).spend(
        last="1d", history="2d", end="2026-07-23T00:30:00Z", step=step
    )
    row = study.result.by("model").iloc[0]
    return float(row["amount"]), float(row["low"]), float(row["high"])


def trouble(seed):
    """Eight restarts and three gaps of half an hour, at random, and when scrapes are."""
    rng = np.random.default_rng(seed)
    gaps = [(h, h + 0.5) for h in rng.uniform([1, 7, 13], [5, 11, 18]).tolist()]
    moments = np.sort(rng.uniform(0.1, 19.9, 60)).tolist()
    free = [h for h in moments if not any(a - 0.1 < h < b + 0.1 for a, b in gaps)]
    return {"restarts": free[:: 60 // 8], "gaps": gaps, "phase": int(rng.integers(15))}


@pytest.mark.parametrize(("seed", "model"), list(enumerate(MODELS)))
def test_spend_is_within_half_a_percent_of_the_sum_of_its_requests(hour, truth, model, seed):
    """With restarts and gaps, and no error of tiers; the histogram makes the bar narrow."""
    real = truth[model]
    amount, low, high = judged(scraped(hour, model, histogram=True, **trouble(seed)))
    assert amount == pytest.approx(real, rel=0.005)
    assert low <= real <= high
    assert low > 0.99 * real
    assert high < 1.06 * real


def test_without_a_histogram_steps_that_are_too_small_bound_the_longest_request(users, truth):
    """No counter of thirty users rose by 200,000 in five minutes: nobody sent so long a request."""
    model = "claude-sonnet-4-5"
    amount, low, high = judged(scraped(users, model, histogram=False), step="5m")
    assert amount == pytest.approx(truth[model], rel=1e-12)
    assert (low, high) == pytest.approx((truth[model], truth[model]))


def test_without_the_histogram_the_figure_is_the_same(hour, truth):
    """And the bar says that nobody knows how long requests were; answers are not all of long ones."""
    model = "claude-sonnet-4-5"
    amount, low, high = judged(scraped(hour, model, histogram=False, **trouble(0)))
    assert amount == pytest.approx(truth[model], rel=0.005)
    assert low <= truth[model] <= high < 2 * truth[model]


def test_a_sum_of_requests_has_no_tier(requests, truth):
    """What is avoided: a day's tokens priced as one request cost nearly twice as much."""
    read = sum(r * n for (r, _), n in requests.items())
    written = sum(w * n for (_, w), n in requests.items())
    naive = HOURS * float(cost("claude-sonnet-4-5", read, written))
    assert naive > 1.9 * truth["claude-sonnet-4-5"]
