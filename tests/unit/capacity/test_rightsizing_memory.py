"""Memory requests and limits: stated chances against simulated months, and what cuts peaks off."""

import numpy as np
import pytest

from workbench.capacity.sizing.containers import Container, ContainerKey
from workbench.capacity.sizing.memory import advise_memory, memory_obstacle, memory_peaks

HOUR_MS = 3_600_000
START_MS = 1_767_571_200_000
GIB = 1024.0**3


def _container(memory, name="web", **more):
    times = START_MS + (np.arange(len(memory), dtype=np.int64) + 1) * HOUR_MS
    nothing = np.empty(0, np.int64), np.empty(0)
    key = ContainerKey("shop", "cart", name, "Deployment")
    return Container(key, *nothing, None, times, np.asarray(memory, float), 300_000, **more)


def _advice(memory, **more):
    return advise_memory([_container(memory, **more)], risk=0.05, days=30)[0]


def _peaks(rng, days, growth=0.0, spread=0.05):
    """A peak a day around 1 GiB at a random hour, with memory of the day before."""
    level, noise = np.empty(days), 0.0
    for day in range(days):
        noise = 0.6 * noise + 0.8 * rng.normal()
        level[day] = 1 + spread * noise + growth * day
    hours = np.repeat(level * 0.8, 24)
    hours[np.arange(days) * 24 + rng.integers(0, 24, days)] = level
    return hours * GIB


def test_the_highest_of_the_next_month_is_above_the_request_as_seldom_as_stated():
    rng = np.random.default_rng(0)
    worlds = [
        (_peaks(rng, 35 + 30, growth, spread), f"{i}")
        for i, (growth, spread) in enumerate([(0, 0.05), (0.004, 0.03), (0, 0.12)] * 8)
    ]
    found = [_container(w[: 35 * 24], name) for w, name in worlds]
    advice = advise_memory(found, risk=0.1, days=30)
    highest = [w[35 * 24 :].max() for w, _ in worlds]
    over = [h > a.ours.request for h, a in zip(highest, advice, strict=True)]
    killed = [h > a.limit for h, a in zip(highest, advice, strict=True)]
    assert sum(over) <= 6  # 24 at 10 %: 2.4 expected, more than 6 once in 60
    assert sum(killed) <= sum(over)
    krr_over = sum(h > a.krr.request for h, a in zip(highest, advice, strict=True))
    assert krr_over >= 1  # growth of 12 % in a month eats what a flat 15 % leaves


def test_growth_is_told_with_its_interval_and_provided_for():
    memory = np.arange(42 * 24) / 24 * 0.02 * GIB + GIB
    advice = _advice(memory, memory_request=GIB, memory_limit=2.2 * GIB)
    low, middle, high = advice.growth
    assert low <= middle <= high
    assert middle == pytest.approx(0.6 * GIB, rel=0.15)
    assert advice.ours.request > memory[-1] + 0.4 * GIB
    assert advice.chance_request == 1.0
    assert 0.5 < advice.chance_limit <= 1.0
    assert advice.limit >= advice.ours.request


def test_constant_memory_is_requested_and_its_limit_stands_a_little_above():
    advice = _advice(np.full(21 * 24, GIB))
    assert advice.ours.request == GIB
    assert advice.limit == pytest.approx(1.05 * GIB)
    assert _advice(np.zeros(21 * 24)).ours.request == 16 * 1024**2


def test_a_peak_at_the_limit_or_a_kill_is_no_peak():
    rng = np.random.default_rng(1)
    memory = np.minimum(_peaks(rng, 28), GIB)
    assert _advice(memory, memory_limit=GIB).limit >= 1.2 * GIB
    small = _peaks(rng, 28) * 0.5
    assert _advice(small, memory_limit=GIB).limit < 0.9 * GIB
    assert _advice(small, memory_limit=GIB, oom_killed=True).limit >= 1.2 * GIB


@pytest.mark.parametrize(("days", "said"), [(13, "13 daily peaks"), (0, "no sample")])
def test_less_than_two_weeks_give_no_advice(days, said):
    container = _container(np.full(days * 24, GIB))
    assert advise_memory([container], risk=0.05, days=30) == [None]
    end = int(container.memory_times_ms[-1]) if days else 0
    assert said in memory_obstacle(container, memory_peaks(container, end))


def test_the_last_week_is_judged_by_what_was_known_before_it():
    memory = _peaks(np.random.default_rng(2), 28)
    memory[-30] = 5 * GIB
    advice = _advice(memory)
    assert advice.ours.held_out_request < 2 * GIB
    week = memory[-7 * 24 :]
    assert advice.ours.exceeded == (week > advice.ours.held_out_request).mean() > 0
    assert advice.krr.held_out_request == pytest.approx(1.15 * memory[7 * 24 : 21 * 24].max())
    assert _advice(memory[: 20 * 24]).ours.exceeded is None


def test_equal_input_gives_equal_figures_in_any_company():
    memory = _peaks(np.random.default_rng(3), 28)
    assert _advice(memory) == _advice(memory)
