"""Changes of quantiles: how often a null deploy is called a change, and what is left unjudged."""

import numpy as np
import pytest
from request_simulation import EDGES, WORLDS, World, simulate
from scipy.special import stdtr

from workbench.errors import InputError
from workbench.statistics import noise
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.comparison import (
    Abstention,
    Method,
    compare_paired,
    compare_windows,
    requests_needed,
)
from workbench.statistics.quantiles import quantile

QUANTILES = (0.5, 0.95, 0.99)
STRONG = WORLDS[2]


def minutes(counts):
    return BucketCounts(EDGES, np.asarray(counts, float))


def drawn(world, seed, runs, length, **options):
    rng = np.random.default_rng(seed)
    return simulate(world, rng, runs, length).draw(rng, **options)


# ------------------------------------------------------------------------------ calibration


@pytest.fixture(scope="module", params=[WORLDS[0], STRONG], ids=lambda world: world.name)
def null_deploys(request):
    """400 null deploys: ten hours, an hour before and an hour after."""
    seen = drawn(request.param, 31, 400, 720)
    return request.param, seen[:, 600:660], seen[:, 660:], seen[:, :600]


def test_false_alarms_come_as_often_as_said(null_deploys):
    """At a nominal 5 %; a true 5 % leaves 2 to 8.6 % about once in 300 tables of three."""
    _, before, after, history = null_deploys
    found = compare_windows(before, after, history, QUANTILES)
    judged = np.isfinite(found.p)
    assert judged.mean() > 0.95
    rates = (found.p < 0.05).sum(axis=0) / judged.sum(axis=0)
    assert (rates > 0.02).all(), rates
    assert (rates < 0.086).all(), rates


def test_requests_taken_for_independent_fail_where_minutes_are_not(null_deploys):
    """The check above can fail: by sampling alone, p50 of minutes with memory alarms half the time."""
    world, before, after, history = null_deploys
    found = compare_windows(before, after, history, QUANTILES)
    _, sampling = noise._sampling((before, after), history, QUANTILES, np.float64(1.0))
    naive = 2 * stdtr(1e6, -np.abs(found.log_ratio) / np.sqrt(sampling))
    rates = np.nanmean(naive < 0.05, axis=0)
    if world is STRONG:
        assert rates[0] > 0.5
        assert rates[2] > 0.2
    else:
        assert (rates < 0.09).all()


def test_power_and_coverage_at_a_quarter_slower():
    """200 deploys that make requests 25 % slower in a mild world."""
    rng = np.random.default_rng(8)
    world = simulate(WORLDS[1], rng, 200, 1560)
    calm = world.draw(rng)
    slow = world.draw(rng, slice(1500, None), slower=np.log(1.25))
    found = compare_windows(calm[:, 1440:1500], slow, calm[:, :1440], QUANTILES)
    assert ((found.p < 0.05).mean(axis=0) > [0.9, 0.8, 0.5]).all()
    held = (found.low < np.log(1.25)) & (found.high > np.log(1.25))
    assert (held.mean(axis=0) > 0.9).all()


def test_a_canary_with_little_traffic_does_not_alarm_more():
    """After with a tenth of the requests: history's windows are surer than it can be."""
    rng = np.random.default_rng(4)
    world = simulate(World("busy", 300), rng, 400, 720)
    calm, thin = world.draw(rng), world.draw(rng, slice(660, None), rate=0.1)
    found = compare_windows(calm[:, 600:660], thin, calm[:, :600], QUANTILES)
    rates = (found.p < 0.05).mean(axis=0)
    assert (rates < 0.09).all(), rates
    assert (rates > 0.015).all(), rates


def test_blocks_hold_for_independent_requests():
    """Without history: approximate, but not wrong where nothing has a memory."""
    seen = drawn(WORLDS[0], 5, 500, 120)
    found = compare_windows(seen[:, :60], seen[:, 60:], None, QUANTILES)
    assert set(found.method.ravel()) == {Method.BLOCKS}
    rates = (found.p < 0.05).mean(axis=0)
    assert (rates < 0.085).all(), rates


# ------------------------------------------------------------------------------ the parts


def test_placebo_noise_equals_a_loop_over_history():
    """The mean square change between adjacent windows, a quarter of a window apart."""
    seen = drawn(STRONG, 3, 1, 600)[0]
    before, after, history = seen[500:540], seen[545:600], seen[:500]
    found = compare_windows(before, after, history, [0.5], gap=5)
    changes = []
    starts = range(400, -1, -10)
    for start in starts:
        first = BucketCounts(EDGES, history.counts[start : start + 40].sum(axis=0))
        second = BucketCounts(EDGES, history.counts[start + 45 : start + 100].sum(axis=0))
        changes.append(np.log(quantile(second, [0.5])[0] / quantile(first, [0.5])[0]))
    assert found.windows[0] == len(changes) == 41
    expected = np.sqrt(np.mean(np.square(changes)))
    assert found.standard_error[0] == pytest.approx(expected, rel=0.05)  # sampling is re-weighed


@pytest.mark.parametrize("centred", [False, True])
def test_what_overlapping_placebos_are_worth(centred):
    """By the matrix of their correlations, written out."""
    kernel = np.concatenate([-np.ones(6) / 6, np.zeros(2), np.ones(4) / 4])
    starts = np.arange(1, 100, 3)
    weights = np.zeros((len(starts), 120))
    for row, start in zip(weights, starts, strict=True):
        row[start : start + 12] = kernel
    matrix = weights @ weights.T / (kernel @ kernel)
    if centred:
        middle = np.eye(len(starts)) - 1 / len(starts)
        matrix = middle @ matrix @ middle
    size, freedom = noise._worth(kernel, starts, centred=centred)
    assert size == pytest.approx(np.trace(matrix))
    assert freedom == pytest.approx(np.trace(matrix) ** 2 / np.trace(matrix @ matrix))


def test_all_draws_of_blocks_equal_very_many_random_ones():
    """The bootstrap's variance without its randomness."""
    seen = drawn(STRONG, 6, 1, 120)[0]
    before, after = seen[:60], seen[60:]
    found = compare_windows(before, after, None, [0.5, 0.9])
    rng = np.random.default_rng(0)
    variance = 0.0
    for side in (before, after):
        blocks = side.counts.reshape(4, 15, -1).sum(axis=1)
        resampled = blocks[rng.integers(0, 4, (40_000, 4))].sum(axis=1)
        variance += np.log(quantile(BucketCounts(EDGES, resampled), [0.5, 0.9])).var(axis=0) * 4 / 3
    assert found.standard_error == pytest.approx(np.sqrt(variance), rel=0.03)


def test_many_at_once_equal_each_alone():
    """Leading axes change nothing."""
    seen = drawn(WORLDS[1], 9, 4, 720)
    many = compare_windows(seen[:, 600:660], seen[:, 660:], seen[:, :600], QUANTILES)
    for i in range(4):
        one = compare_windows(seen[i, 600:660], seen[i, 660:], seen[i, :600], QUANTILES)
        for name in ("p", "low", "high", "log_ratio", "freedom", "windows"):
            np.testing.assert_allclose(getattr(one, name), getattr(many, name)[i], rtol=1e-12)


def test_little_history_is_no_history():
    """Three windows of it are worth too few placebos; five are enough."""
    seen = drawn(WORLDS[1], 2, 1, 1000)[0]
    for hours, method in ((3, Method.BLOCKS), (5, Method.PLACEBO)):
        history = seen[880 - 60 * hours : 880]
        found = compare_windows(seen[880:940], seen[940:], history, [0.5])
        assert found.method[0] is method


# ------------------------------------------------------------------------------ pairs


def test_a_mood_that_both_share_cancels():
    """Two labels under one strong mood: an hour apart hides 10 %, side by side shows it."""
    rng = np.random.default_rng(12)
    world = simulate(World("moody", 200, 0.9, 0.3, 5, 0.97, 0.3), rng, 60, 660)
    one, other = world.draw(rng), world.draw(rng, slower=np.log(1.1))
    paired = compare_paired(one[:, 600:], other[:, 600:], (one[:, :600], other[:, :600]), QUANTILES)
    later = compare_windows(one[:, 540:600], other[:, 600:], one[:, :540], QUANTILES)
    assert (paired.p[:, 0] < 0.05).mean() > 0.95
    assert (later.p[:, 0] < 0.05).mean() < 0.3
    assert np.exp(paired.log_ratio[:, 0].mean()) == pytest.approx(1.1, rel=0.02)
    assert np.exp(paired.usual[:, 0].mean()) == pytest.approx(1.1, rel=0.02)


def test_equal_labels_alarm_as_often_as_said():
    """Two labels of one law at the same time, each with its own mood."""
    one, other = drawn(STRONG, 21, 400, 1000), drawn(STRONG, 22, 400, 1000)
    history = one[:, :940], other[:, :940]
    found = compare_paired(one[:, 940:], other[:, 940:], history, QUANTILES)
    rates = (found.p < 0.05).sum(axis=0) / np.isfinite(found.p).sum(axis=0)
    assert (rates < 0.09).all(), rates
    assert (rates > 0.02).all(), rates


def test_pairs_of_different_lengths_are_refused():
    with pytest.raises(InputError, match="different numbers of steps"):
        compare_paired(minutes(np.ones((3, 12))), minutes(np.ones((4, 12))), None, [0.5])


# ------------------------------------------------------------------------------ abstentions


def found_by(before, after, history=None, quantiles=QUANTILES):
    return compare_windows(before, after, history, quantiles)


def test_abstains_where_a_window_is_empty():
    seen = drawn(WORLDS[0], 1, 1, 120)[0]
    found = found_by(seen[:60], minutes(np.zeros((60, 12))))
    assert set(found.abstained) == {Abstention.EMPTY}
    assert np.isnan(found.p).all()
    assert np.isnan(found.log_ratio).all()


def test_abstains_where_windows_have_no_steps():
    seen = drawn(WORLDS[0], 1, 1, 120)[0]
    found = found_by(seen[:60], seen[:0], seen)
    assert set(found.abstained) == {Abstention.EMPTY}


def test_abstains_on_quantiles_beyond_few_requests():
    """Ten requests must lie beyond: 500 are enough for p95, not for p99."""
    assert [requests_needed(q) for q in QUANTILES] == [20, 200, 1000]
    share = [0, 0, 0.02, 0.1, 0.3, 0.4, 0.12, 0.04, 0.02, 0, 0, 0]
    seen = minutes(np.random.default_rng(3).poisson(np.array(share) * 15.0, (80, 12)))
    found = found_by(seen[:40], seen[40:])
    assert found.abstained.tolist() == [Abstention.NO, Abstention.NO, Abstention.FEW]


def test_abstains_where_either_side_is_clipped():
    seen = np.tile([0, 0, 0, 0, 50, 30, 10, 5, 3, 1, 1, 0.0], (60, 1))
    slow = np.tile([0, 0, 0, 0, 50, 30, 10, 2, 1, 1, 1, 5.0], (60, 1))
    for before, after in ((seen, slow), (slow, seen)):
        found = found_by(minutes(before), minutes(after))
        assert found.abstained[2] is Abstention.CLIPPED
        assert np.isnan(found.log_ratio[2])


def test_abstains_where_nothing_varies_or_one_bucket_holds_all():
    flat = minutes(np.tile([0, 0, 0, 0, 50, 30, 10, 5, 3, 1, 1, 0.0], (600, 1)))
    found = found_by(flat[480:540], flat[540:], flat[:480])
    assert found.abstained[0] is Abstention.CONSTANT
    single = minutes(np.random.default_rng(1).poisson([0] * 4 + [60] + [0] * 7, (600, 12)))
    found = found_by(single[480:540], single[540:], single[:480])
    assert set(found.abstained) == {Abstention.ONE_BUCKET}


def test_abstains_on_single_steps_without_history():
    seen = drawn(WORLDS[0], 1, 1, 120)[0]
    one, other = (BucketCounts(EDGES, s.counts.sum(axis=0)[None]) for s in (seen[:60], seen[60:]))
    found = found_by(one, other)
    assert set(found.abstained) == {Abstention.SHORT}


def test_abstains_at_or_below_zero():
    """Buckets may hold negative observations, which have no logarithm."""
    edges = np.array([-np.inf, -1.0, 0.0, 1.0, np.inf])
    side = BucketCounts(edges, np.random.default_rng(1).poisson([10.0, 30, 20, 5], (60, 4)) * 1.0)
    found = compare_windows(side[:30], side[30:], None, [0.5, 0.9])
    assert found.abstained[0] is Abstention.NOT_POSITIVE
    assert found.abstained[1] is Abstention.NO


def test_different_buckets_are_refused():
    with pytest.raises(InputError, match="different buckets"):
        compare_windows(
            minutes(np.ones((3, 12))),
            BucketCounts(np.array([0.0, 1, 2]), np.ones((3, 2))),
            None,
            [0.5],
        )
