"""Latency from native histograms of a real Prometheus, against what was written into it."""

from __future__ import annotations

from collections.abc import Iterator

import native_feed
import numpy as np
import pytest
import servers

import workbench
from workbench.native import Buckets, Histogram
from workbench.samples import NativeSeries
from workbench.session.latency_study import LatencyStudy

SCHEMA = 3
STEPS = 241
PER_STEP = 40


def observed(seed: int) -> np.ndarray:
    """What one instance served, 40 requests each 15 seconds."""
    return np.random.default_rng(seed).lognormal(np.log(0.2), 0.7, (STEPS - 1, PER_STEP))


def series(instance: str, seen: np.ndarray, restart: int | None) -> NativeSeries:
    """The counter of an instance, which may begin anew."""
    index = np.ceil(np.log2(seen) * 2.0**SCHEMA).astype(np.int64)
    low = int(index.min())
    counts = np.zeros((STEPS, int(index.max()) - low + 1))
    for step in range(1, STEPS):
        counts[step] = counts[step - 1] + np.bincount(
            index[step - 1] - low, minlength=counts.shape[1]
        )
    sums = np.concatenate([[0.0], np.cumsum(seen.sum(axis=1))])
    if restart is not None:
        counts[restart:] -= counts[restart].copy()
        sums[restart:] -= sums[restart]
    filled = [Buckets(np.flatnonzero(c) + low, c[c > 0]) for c in counts]
    made = np.array(
        [
            Histogram(SCHEMA, c.sum(), total, 2.0**-128, positive=b)
            for c, total, b in zip(counts, sums, filled, strict=True)
        ],
        object,
    )
    times = native_feed.START_MS + np.arange(STEPS) * native_feed.STEP_MS
    labels = {"__name__": "lat_seconds", "path": "/a", "instance": instance}
    return labels, times, np.full(STEPS, np.nan), made


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LatencyStudy]:
    """Study an hour of two instances, one of which began anew."""
    arguments = ["--enable-feature=native-histograms", "--web.enable-remote-write-receiver"]
    with servers.prometheus(tmp_path_factory.mktemp("native"), arguments=arguments) as server:
        restarted = observed(2)
        restarted[119] = restarted[118]  # what came between the last scrape and the restart is lost
        native_feed.write(server.url, [series("1", observed(1), None), series("2", restarted, 120)])
        end_ms = native_feed.START_MS + (STEPS - 1) * native_feed.STEP_MS
        with workbench.connect(server.url) as wb:
            yield wb.latency(
                "lat_seconds", by="path", last="1h", end=end_ms / 1000, step="5m",
                compare="none", objectives="250ms",
            )  # fmt: skip


def test_both_instances_are_counted_over_a_restart(study):
    (only,) = study.result.distributions
    assert only.instrument.kind.value == "native histogram"
    assert only.requests == pytest.approx(2 * 240 * PER_STEP, rel=0.02)
    assert only.resets == 0  # resets() of 2.42 passes native histograms over


def test_the_quantiles_are_those_of_what_was_observed(study):
    (only,) = study.result.distributions
    seen = np.concatenate([observed(1).ravel(), observed(2).ravel()])
    for q in only.quantiles[:-1]:
        true = float(np.quantile(seen, q.q))
        assert q.bucket_low * 0.95 <= true <= q.bucket_high * 1.05
        assert q.bucket_high / q.bucket_low == pytest.approx(2 ** (1 / 8))
        assert q.value == pytest.approx(true, rel=0.05)
    assert only.mean_seconds == pytest.approx(seen.mean(), rel=0.03)
    (share,) = only.shares
    assert share.value == pytest.approx((seen <= 0.25).mean(), abs=0.01)


def test_every_step_has_a_distribution(study):
    (only,) = study.result.distributions
    assert not only.missing.any()
    assert np.isfinite(only.over_time.value[:, 0]).all()
    study.chart()
    study.heatmap()
