"""A real trace of requests, scraped as counters with restarts and gaps, against its own sum."""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from spend_counting_source import read

from workbench.store.importers.llm_requests import import_llm_requests

TRACE = Path(__file__).parents[4] / "shared" / "data" / "llm" / "azure-2023-code.csv"
"""The Azure 2023 trace: times and token counts are real; provider, model and teams are ours."""

pytestmark = pytest.mark.skipif(not TRACE.exists(), reason="needs ../shared/data/llm")

SCRAPE_MS = 15_000
DAY = date(2023, 11, 16)


HOURS = 20


@pytest.fixture(scope="module")
def seconds():
    """The trace's counters, exact at every second, twenty hours on end and ten idle minutes.

    The trace is about one hour of very uneven traffic: whole minutes without a request, and others
    with a sixtieth of a million tokens.
    """
    imported = import_llm_requests(
        TRACE, step="1s", constants={"provider": "openai", "model": "gpt-4o"}
    )
    result = []
    for labels, _, values in imported.series:
        if labels["__name__"] in {
            "llm_gateway_input_tokens_total",
            "llm_gateway_output_tokens_total",
        }:
            hour = np.concatenate([values, np.full(3600 - len(values), values[-1])])
            days = (hour + hour[-1] * np.arange(HOURS)[:, None]).ravel()
            days = np.append(days, np.full(600, days[-1]))
            times = 1_700_092_800_000 + 3_600_000 + 1000 * np.arange(len(days))
            result.append((labels, times, days))
    return result


def scraped(seconds, restarts=(), gaps=(), phase=7):
    """What a scraper would have seen: restarts and gaps are moments in hours."""
    result = []
    for labels, times, truth in seconds:
        values = truth.copy()
        for hours in restarts:
            at = int(hours * 3600)
            values[at:] -= values[at]
        rows = np.arange(phase, len(values), SCRAPE_MS // 1000)
        here = np.ones(len(rows), bool)
        for start, end in gaps:
            here &= ~((rows > start * 3600) & (rows < end * 3600))
        # The process was there before its first request: its page was read with a counter at 0.
        first = times[0] + phase * 1000 - SCRAPE_MS * np.array([2, 1])
        kept = np.concatenate([first, times[rows[here]]])
        told = {**labels, "job": "gw", "instance": "a:1"}
        result.append((told, kept, np.concatenate([[0.0, 0.0], values[rows[here]]])))
    return result


def judged(seconds, step="15s", **trouble):
    """The figure, its bounds, what is lost, and the truth."""
    reading = read(scraped(seconds, **trouble), first=DAY, last=DAY, step=step)
    table = reading.table
    figure = float(table[["input", "output"]].sum().sum())
    low, high = (float(reading.bounds[name].sum()) for name in ("low", "high"))
    truth = sum(float(values[-1]) for _, _, values in seconds)
    return figure, low, high, float(table["lost"].sum()), truth


def test_without_trouble_the_sum_is_exact(seconds):
    figure, low, high, lost, truth = judged(seconds)
    assert low == figure == high == truth
    with TRACE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    tokens = sum(int(r["ContextTokens"]) + int(r["GeneratedTokens"]) for r in rows)
    assert truth == HOURS * tokens
    assert lost == 0


@pytest.mark.parametrize("seed", range(3))
def test_restarts_and_gaps_cost_less_than_half_a_percent(seconds, seed):
    """Eight restarts and three gaps of half an hour in twenty hours."""
    rng = np.random.default_rng(seed)
    gaps = tuple((h, h + 0.5) for h in (rng.uniform(1, 5), rng.uniform(7, 11), rng.uniform(13, 18)))
    free = np.sort(rng.uniform(0.1, 19.9, 60))
    free = [h for h in free if not any(a - 0.1 < h < b + 0.1 for a, b in gaps)][:: 60 // 8]
    figure, low, high, lost, truth = judged(
        seconds, restarts=free, gaps=gaps, phase=int(rng.integers(15))
    )
    assert figure == pytest.approx(truth, rel=0.005)
    assert figure + lost == pytest.approx(truth, rel=0.005)
    assert low <= truth <= high
    assert high < 1.05 * truth


def test_a_restart_at_the_end_of_a_gap_is_lost_and_the_bar_contains_it(seconds):
    """An hour unseen, a restart in it: what was lost is estimated, and not in the figure."""
    figure, low, high, lost, truth = judged(seconds, restarts=(8.7,), gaps=((8.0, 9.0),))
    assert figure < 0.97 * truth
    assert low <= truth <= high
    assert figure + lost == pytest.approx(truth, rel=0.01)


def test_a_coarser_grid_loses_more_and_says_so(seconds):
    """The same restarts on a grid of five minutes, with a wider bar."""
    restarts = (3.2, 7.6, 12.4, 17.3)
    fine = judged(seconds, restarts=restarts)
    coarse = judged(seconds, step="5m", restarts=restarts)
    for figure, low, high, lost, truth in (fine, coarse):
        assert low <= truth <= high
        assert figure + lost == pytest.approx(truth, rel=0.01)
    assert coarse[3] > fine[3]
