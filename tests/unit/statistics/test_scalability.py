"""The Universal Scalability Law: against known laws and an independent, linear fit."""

import numpy as np
import pytest
from load_simulation import autoregressive, loads

from workbench.statistics.scalability import fit_scalability, usl


def _history(seed, contention, coherency, top, *, memory=0.5):
    rng = np.random.default_rng(seed)
    load = loads(rng, 14).ravel()
    n = 1 + load / load.max() * (top - 1)
    noise = 1 + autoregressive(rng, len(n), memory, 0.03)
    return n, usl(n, 100.0, contention, coherency) * noise, rng


def test_the_peak_is_where_it_was_put():
    """N* = √(0.95/0.001) = 30.8, with its interval; X* is the throughput there."""
    found = fit_scalability(*_history(1, 0.05, 0.001, 60))
    star = np.sqrt(0.95 / 0.001)
    assert found.has_peak
    assert found.peak[2] == pytest.approx(star, rel=0.05)
    assert found.peak[0] < star < found.peak[4]
    assert found.peak_throughput[2] == pytest.approx(usl(star, 100, 0.05, 0.001), rel=0.02)


def test_it_agrees_with_the_linear_fit():
    """N/X is a parabola in N − 1 (Gunther): ordinary least squares on it, without bounds."""
    n, x, rng = _history(2, 0.05, 0.001, 60)
    rows = np.stack([np.ones_like(n), n - 1, n * (n - 1)], axis=1)
    a, b, c = np.linalg.lstsq(rows, n / x, rcond=None)[0]
    found = fit_scalability(n, x, rng, draws=20)
    assert found.one == pytest.approx(1 / a, rel=0.06)
    assert np.sqrt((1 - found.contention) / found.coherency) == pytest.approx(
        np.sqrt((1 - b / a) / (c / a)), rel=0.06
    )


def test_no_peak_is_made_up_where_there_is_none():
    """κ = 0: at most one history in five shows a peak."""
    told = [fit_scalability(*_history(s, 0.08, 0.0, 40), draws=50).has_peak for s in range(5)]
    assert sum(told) <= 1


def test_intervals_hold():
    """Of σ and κ over five histories: nominal 95 %."""
    inside = []
    for seed in range(5):
        found = fit_scalability(*_history(seed, 0.05, 0.001, 60), draws=60)
        low, high = found.intervals[[0, 4], 1:]
        inside.append((low <= [0.05, 0.001]) & (high >= [0.05, 0.001]))
    assert np.mean(inside) >= 0.7


def test_too_small_a_range_tells_no_peak():
    n, x, rng = _history(3, 0.05, 0.001, 2.5)
    found = fit_scalability(n, x, rng, draws=20)
    assert not found.covers
    assert not found.has_peak


def test_a_straight_line_is_no_contention():
    n = np.linspace(1, 50, 60)
    found = fit_scalability(n, 7 * n, np.random.default_rng(0), draws=20)
    assert found.one == pytest.approx(7, rel=1e-3)
    assert found.contention == pytest.approx(0, abs=1e-3)
    assert not found.has_peak
