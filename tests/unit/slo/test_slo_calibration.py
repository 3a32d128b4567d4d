"""Dates on which budgets were to run out, against a simulated future: a small form of the benchmark."""

from slo_simulation import ESTATES, judge_estate, score


def test_intervals_cover_and_dates_come_true():
    """24 services, 3 of each estate; a true 80 % coverage falls below 60 % once in 60 seeds."""
    forecasts, truths = [], []
    for number, estate in enumerate(ESTATES):
        found = judge_estate(estate, 3, [3, number])
        forecasts.extend(found[0])
        truths.extend(found[1])
    result = score(forecasts, truths)
    assert 0.2 < result.ran_out < 0.8
    assert 0.6 <= result.coverage_80 <= 0.97
    assert result.coverage_95 >= 0.8
    assert result.brier < 0.3
