"""Waits by formula: against known values, and against an event simulation."""

import heapq
import math

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.statistics.queueing import erlang_c, kingman, utilisation_for_wait, waiting


def _simulated(servers, between, service):
    """The wait of each piece of work, in the order of arrival."""
    free = [0.0] * servers
    waits, now = np.empty(len(between)), 0.0
    for i, (gap, length) in enumerate(zip(between, service, strict=True)):
        now += gap
        start = max(now, heapq.heappop(free))
        waits[i] = start - now
        heapq.heappush(free, start + length)
    return waits[len(waits) // 10 :]


@pytest.mark.parametrize(("servers", "used"), [(1, 0.7), (4, 0.8), (10, 0.85)])
def test_erlang_c_agrees_with_an_event_simulation(servers, used):
    rng = np.random.default_rng(servers)
    count = 120_000
    waits = _simulated(
        servers, rng.exponential(1 / (servers * used), count), rng.exponential(1, count)
    )
    found = waiting(servers, servers * used)
    assert found.chance == pytest.approx((waits > 0).mean(), rel=0.06)
    assert found.mean == pytest.approx(waits.mean(), rel=0.12)
    assert found.p95 == pytest.approx(np.quantile(waits, 0.95), rel=0.12)


def test_regular_service_halves_the_wait():
    """M/D/c: exact for one server (Pollaczek and Khinchine), near for several."""
    assert waiting(1, 0.8, variability=0.5).mean == pytest.approx(0.8 / (2 * (1 - 0.8)))
    rng = np.random.default_rng(3)
    count = 120_000
    waits = _simulated(4, rng.exponential(1 / 3.2, count), np.ones(count))
    assert waiting(4, 3.2, variability=0.5).mean == pytest.approx(waits.mean(), rel=0.12)


def test_kingman_is_near_a_simulation_of_one_server():
    """Arrivals of variability 0.5 (Erlang of two stages), service of 2 (gamma)."""
    rng = np.random.default_rng(4)
    count = 150_000
    waits = _simulated(1, rng.gamma(2, 1 / 1.7, count), rng.gamma(0.5, 2, count))
    assert kingman(0.85, arrivals=0.5, service=2) == pytest.approx(waits.mean(), rel=0.2)


def test_known_values():
    """Of tables: Erlang C of 2 Erlang on 3 servers is 4/9, of 5 on 6 it is 0.5875."""
    assert erlang_c(3, 2) == pytest.approx(4 / 9)
    assert erlang_c(6, 5) == pytest.approx(0.5875, abs=1e-4)
    assert erlang_c(2_000, 1_900.0) < 0.05
    assert waiting(1, 0.5).mean == pytest.approx(1)


def test_more_work_than_servers_waits_without_end():
    found = waiting(4, 4.0)
    assert not found.steady
    assert math.isinf(found.mean)
    assert math.isinf(found.p95)


def test_a_wait_leads_back_to_its_utilisation():
    twice = 2 * waiting(8, 6.0).mean
    used = utilisation_for_wait(8, twice)
    assert 0.75 < used < 1
    assert waiting(8, 8 * used).mean == pytest.approx(twice, rel=1e-4)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: waiting(0, 1.0), "0 servers"),
        (lambda: waiting(2, -1.0), "is -1"),
        (lambda: waiting(2, math.nan), "is nan"),
        (lambda: waiting(2, 1.0, variability=-1), "variability is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(call, says):
    with pytest.raises(InputError, match=says):
        call()
