"""Dates that were promised, against a simulated future: a small form of the benchmark."""

from capacity_simulation import FLEETS, judge_fleet, score


def test_intervals_cover_and_dates_come_true():
    """40 resources, 5 of each fleet; a true 80 % coverage falls below 62 % once in 150 seeds."""
    passages, dated, truths = [], [], []
    for number, fleet in enumerate(FLEETS):
        for total, part in zip(
            (passages, dated, truths), judge_fleet(fleet, 5, [40, number]), strict=True
        ):
            total.extend(part)
    found = score(passages, dated, truths)
    assert 0.1 < found.filled < 0.6
    assert 0.62 <= found.coverage_80 <= 0.97
    assert found.coverage_95 >= 0.82
    assert found.false_dates <= 0.1
    assert found.brier < 0.16
