"""The label that explodes: carts counted by user, one series more at every full hour."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Final

import numpy as np

from workbench.demo.grid import Grid, demand
from workbench.demo.instruments import Target, counter, cut, quiet
from workbench.demo.truth import TRUTH
from workbench.samples import MetricMetadata, MetricType, Series

__all__ = ["METADATA", "carts"]

_HOUR_MS: Final = 3_600_000
_CARTS_PER_MINUTE: Final = 8.0
_PER_USER_PER_MINUTE: Final = 0.02

METADATA: Final = (
    MetricMetadata(TRUTH.explosion.metric, MetricType.COUNTER, "Changes of shopping carts."),
)


def carts(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    """Two series until the release that adds the label, then one for each user seen so far."""
    explosion = TRUTH.explosion
    targets = [Target("checkout", instance) for instance in TRUTH.checkout_instances]
    for target in targets:
        resets = TRUTH.resets(target.job, target.instance)
        rates = quiet(_CARTS_PER_MINUTE * demand(grid), grid, resets)
        values = counter(rng.poisson(rates), grid, resets)
        yield cut(target.labels(explosion.metric), grid, values, TRUTH.start_ms, explosion.start_ms)
    for number, seen_ms in enumerate(range(explosion.start_ms, TRUTH.end_ms, _HOUR_MS)):
        user = str(uuid.UUID(bytes=rng.bytes(16), version=4))
        begin = grid.index(seen_ms)
        increments = rng.poisson(_PER_USER_PER_MINUTE, len(grid) - begin)
        increments[0] = 1
        labels = targets[number % 2].labels(explosion.metric, **{explosion.label: user})
        yield labels, grid.times_ms[begin:], np.cumsum(increments).astype(np.float64)
