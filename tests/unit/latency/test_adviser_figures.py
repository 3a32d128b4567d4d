"""Whether the adviser's figures come true, on smooth and on lumpy simulated latencies."""

from __future__ import annotations

import numpy as np
import pytest
from advised_families import FAMILIES, GO_DEFAULT, LUMPY, Trial, try_advice

_SAMPLES = 5


@pytest.fixture(scope="module")
def trials() -> dict[str, list[Trial]]:
    """Five samples of every family, observed on Go's default, advised at no higher cost."""
    return {
        family: [try_advice(family, seed, max_buckets=12) for seed in range(_SAMPLES)]
        for family in FAMILIES
    }


def mean(trials: list[Trial], field: str, quantile: int) -> float:
    """The mean of one quantile's errors."""
    return float(np.mean([getattr(trial, field)[quantile] for trial in trials]))


def test_printed_p99_errors_agree_with_the_true_ones(trials: dict[str, list[Trial]]) -> None:
    """Expected within a factor of two of what another sample then shows, on average."""
    every = [trial for each in trials.values() for trial in each]
    printed, true = (mean(every, x, 2) for x in ("expected_promql", "true_promql"))
    assert 0.67 < printed / true < 1.5
    printed, true = (mean(every, x, 2) for x in ("expected", "true"))
    assert 0.5 < printed / true < 2


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_agrees_within_a_factor_of_two(
    trials: dict[str, list[Trial]], family: str
) -> None:
    """By ``histogram_quantile``, whose error is what layouts are compared by."""
    printed, true = (mean(trials[family], x, 2) for x in ("expected_promql", "true_promql"))
    assert 0.5 < printed / true < 2


@pytest.mark.parametrize("family", FAMILIES)
def test_advised_layout_beats_the_default_at_no_more_series(
    trials: dict[str, list[Trial]], family: str
) -> None:
    """Half the error of p99 by ``histogram_quantile`` or less, in each family."""
    each = trials[family]
    assert all(x.chosen.series_per_label_set <= len(GO_DEFAULT) + 3 for x in each)
    assert mean(each, "true_promql", 2) < mean(each, "today_promql", 2) / 2
    for quantile in (0, 1):
        assert mean(each, "true_promql", quantile) < mean(each, "today_promql", quantile)


def test_what_is_printed_of_todays_layout_is_true(trials: dict[str, list[Trial]]) -> None:
    """The error by ``histogram_quantile`` on the default boundaries, known before any change."""
    every = [trial for each in trials.values() for trial in each]
    for i in range(3):
        printed = np.mean([trial.today.quantiles[i].expected_promql for trial in every])
        assert 0.67 < printed / mean(every, "today_promql", i) < 1.5


def test_advising_is_quick(trials: dict[str, list[Trial]]) -> None:
    """Under 0.3 s of processor time."""
    spent = sorted(trial.cpu_seconds for each in trials.values() for trial in each)
    assert spent[len(spent) // 2] < 0.3


def test_worst_errors_are_rarely_exceeded(trials: dict[str, list[Trial]]) -> None:
    """Nineteen of twenty true errors are below them where the distribution is smooth."""
    every = [trial for each in trials.values() for trial in each]
    assert _below_worst(every) >= 0.95


def test_worst_errors_hold_of_lumpy_latencies_too() -> None:
    """Retries, time-outs and narrow modes: what is expected is too little there, the worst not."""
    every = [
        try_advice(family, seed, max_buckets=12) for family in LUMPY for seed in range(_SAMPLES)
    ]
    assert _below_worst(every) >= 0.9
    for quantile in range(3):
        assert mean(every, "true_promql", quantile) < mean(every, "today_promql", quantile)


def _below_worst(trials: list[Trial]) -> float:
    """Share of true errors, of every quantile and of both estimates, below the printed worst."""
    return float(np.mean([[x.true <= x.worst, x.true_promql <= x.worst_promql] for x in trials]))
