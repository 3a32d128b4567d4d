"""The rules of KRR and the Vertical Pod Autoscaler against plain loops and figures by hand."""

import numpy as np
import pytest
from usage_simulation import A_DAY, STEP_MS, grid

from workbench.capacity.sizing.peer_rules import (
    VpaBuckets,
    krr_cpu,
    krr_memory,
    vpa_cpu,
    vpa_memory,
)


def test_krr_takes_the_95th_percentile_of_336_hours_and_the_highest_of_memory():
    values = np.random.default_rng(0).gamma(2.0, size=20 * A_DAY)
    times = grid(20)
    recent = sorted(values[-14 * A_DAY :])
    place = 0.95 * (len(recent) - 1)
    low = int(place)
    wanted = recent[low] + (place - low) * (recent[low + 1] - recent[low])
    assert krr_cpu(times, values).target == pytest.approx(wanted)
    assert krr_memory(times, values).target == pytest.approx(1.15 * max(recent))
    assert krr_cpu(times[:99], values[:99]) is None
    assert krr_memory(times[:0], values[:0]) is None


def test_buckets_grow_by_five_percent():
    buckets = VpaBuckets(0.01, 1000.0)
    assert [buckets.start(i) for i in range(3)] == pytest.approx([0.0, 0.01, 0.0205])
    found = buckets.find(np.array([0.0, 0.0099, 0.0101, 0.0206, 1e9]))
    assert found.tolist() == [0, 0, 1, 2, buckets.last]
    assert buckets.start(buckets.last) >= 1000


def test_the_vertical_pod_autoscaler_agrees_with_a_plain_loop():
    values = np.random.default_rng(1).gamma(2.0, 0.2, size=8 * A_DAY)
    times = grid(8)
    weights: dict[int, float] = {}
    for t, value in zip(times.tolist(), values.tolist(), strict=True):
        bucket, start, width = 0, 0.0, 0.01
        while value >= start + width:
            start, width, bucket = start + width, width * 1.05, bucket + 1
        age_days = (int(times[-1]) - t) / (A_DAY * STEP_MS)
        weights[bucket] = weights.get(bucket, 0.0) + 0.5**age_days

    def percentile(share):
        held = 0.0
        for bucket in sorted(weights):
            held += weights[bucket]
            if held >= share * sum(weights.values()):
                return sum(0.01 * 1.05**i for i in range(bucket + 1))
        raise AssertionError

    advice = vpa_cpu(times, values)
    days = (len(times) - 1) / A_DAY
    assert advice.target == pytest.approx(1.15 * percentile(0.9))
    assert advice.low == pytest.approx(1.15 * percentile(0.5) * (1 + 0.001 / days) ** -2)
    assert advice.high == pytest.approx(1.15 * percentile(0.95) * (1 + 1 / days))
    assert vpa_cpu(times[:0], values[:0]) is None


def test_memory_is_judged_by_the_highest_of_each_day():
    times = grid(3)
    memory = np.full(len(times), 1e8)
    memory[10] = 4e8
    quiet = vpa_memory(times, np.full(len(times), 1e8)).target
    # The day of the peak is two half-lives old: a seventh of the weight, more than a tenth.
    assert vpa_memory(times, memory).target > 3.5 * quiet
    assert vpa_memory(times[:0], memory[:0]) is None
